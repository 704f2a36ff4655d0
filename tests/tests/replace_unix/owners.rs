//! Owners, groups, modes and access lists.

use crate::children::{child, child_as_somebody, somebody};
use crate::{OLD, Ram, access, is_new, is_root, names, old_state, save};
#[cfg(target_os = "linux")]
use rustix::fs::{XattrFlags, getxattr, setxattr};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

#[test]
fn owner_group_and_every_mode_are_kept_or_the_state_is_read_only() {
    let owners: &[(u32, u32)] = &[(0, 0), (1000, 1001), (1000, 0), (0, 1001)];
    for mode in 0..=0o777 {
        let (folder, path) = old_state(mode);
        if is_root() {
            let (user, group) = owners[mode as usize % owners.len()];
            chown(&path, Some(user), Some(group)).unwrap();
        }
        let before = access(&path);
        let mut ram = Ram::new(1000);
        ram.look = Some(folder.path().to_owned());
        let is_read_only = mode & 0o222 == 0 || (!is_root() && mode & 0o200 == 0);
        match save(&path, &mut ram) {
            Ok(_) => {
                assert!(!is_read_only, "{mode:03o}");
                assert_eq!(ram.seen.len(), 1);
                assert_eq!(ram.seen[0] & !mode, 0, "{mode:03o}: the temporary file had {:03o}", ram.seen[0]);
                fs::metadata(&path).map(|metadata| assert_ne!(metadata.len(), OLD.len() as u64)).unwrap();
            }
            Err(error) => {
                assert!(is_read_only, "{mode:03o}: {error}");
                assert!(error.contains("cannot replace it, as it is read-only: "), "{error}");
                assert_eq!(fs::metadata(&path).unwrap().len(), OLD.len() as u64);
            }
        }
        assert_eq!(access(&path), before);
        assert_eq!(names(folder.path()), [b"state"]);
    }
}

#[test]
fn a_user_who_replaces_anothers_state() {
    // The old owner, group and mode; whether the child is in the group; those of the new file. As a normal user everything is
    // his own, and kept.
    let me = somebody();
    let cases = [
        // Not given away, and the group kept: nobody else gains.
        ((1001, 1000, 0o660), (1000, 1000, 0o660)),
        ((1001, 1000, 0o664), (1000, 1000, 0o664)),
        ((1001, 1000, 0o060), (1000, 1000, 0o000)),
        // The group is not kept: the new one was "others" before, and the old one becomes that.
        ((1000, 1002, 0o660), (1000, 1000, 0o600)),
        ((1000, 1002, 0o664), (1000, 1000, 0o644)),
        ((1000, 1002, 0o604), (1000, 1000, 0o600)),
        ((1000, 1002, 0o606), (1000, 1000, 0o600)),
        // Neither.
        ((1001, 1002, 0o666), (1000, 1000, 0o666)),
        ((1001, 1002, 0o642), (1000, 1000, 0o600)),
        ((0, 0, 0o646), (1000, 1000, 0o644)),
    ];
    for (old, new) in cases {
        let (folder, path) = old_state(0o600);
        let wanted = if is_root() {
            chown(&path, Some(old.0), Some(old.1)).unwrap();
            new
        } else {
            (me.0, fs::metadata(&path).unwrap().gid(), old.2 | 0o200)
        };
        let mode = if is_root() { old.2 } else { wanted.2 };
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert_eq!(child_as_somebody("save", &path), "saved", "{old:?}");
        assert_eq!(access(&path), wanted, "{old:?}");
        assert_eq!(names(folder.path()), [b"state"]);
    }
    // What he may not write he does not replace, though he may rename in the folder.
    for (owner, group, mode) in [(1001, 1001, 0o644), (0, 0, 0o600), (1000, 1000, 0o466)] {
        let (folder, path) = old_state(0o600);
        if is_root() {
            chown(&path, Some(owner), Some(group)).unwrap();
        }
        fs::set_permissions(&path, Permissions::from_mode(if is_root() { mode } else { 0o466 })).unwrap();
        let before = access(&path);
        let error = child_as_somebody("save", &path);
        assert!(error.ends_with("cannot replace it, as it is read-only: Permission denied (os error 13)"), "{error}");
        assert_eq!((access(&path), fs::read(&path).unwrap()), (before, OLD.to_vec()));
        assert_eq!(names(folder.path()), [b"state"]);
    }
}

#[test]
fn a_new_file_follows_the_umask() {
    for (umask, mode) in [("000", 0o666), ("022", 0o644), ("027", 0o640), ("077", 0o600), ("002", 0o664), ("777", 0)] {
        let (folder, old) = old_state(0o600);
        let path = folder.path().join("new");
        assert_eq!(child("save", &path, None, &format!("umask {umask}; exec \"$@\"")).unwrap(), "saved");
        assert_eq!(access(&path).2, mode, "umask {umask}");
        // And an old one does not.
        assert_eq!(child("save", &old, None, &format!("umask {umask}; exec \"$@\"")).unwrap(), "saved");
        assert_eq!(access(&old).2, 0o600, "umask {umask}");
    }
}

#[test]
fn what_is_taken_out_of_a_file_is_no_more_open_than_it() {
    for source in [0o600, 0o400, 0o640, 0o644, 0o664, 0o666, 0o604, 0o444, 0o660] {
        for (umask, bits) in [("000", 0o666), ("022", 0o644), ("077", 0o600)] {
            for old in [None, Some(0o600), Some(0o640), Some(0o666), Some(0o755)] {
                let (folder, from) = old_state(source);
                fs::rename(&from, folder.path().join("source")).unwrap();
                let path = folder.path().join("copy");
                if let Some(mode) = old {
                    fs::write(&path, b"").unwrap();
                    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
                }
                assert_eq!(child("copy", &path, None, &format!("umask {umask}; exec \"$@\"")).unwrap(), "saved");
                let wanted = old.unwrap_or(bits) & (0o700 | source);
                assert_eq!(access(&path).2, wanted, "{source:03o} {umask} {old:?}");
                assert_eq!(names(folder.path()), [&b"copy"[..], b"source"]);
            }
        }
    }
    // Groups and owners of others: their bits say nothing of whoever is in the new group.
    if is_root() {
        let third = (1002, 1002, 0o666);
        let cases = [
            ((1001, 1001, 0o640), None, (0, 0, 0o600)),
            ((1001, 1001, 0o644), None, (0, 0, 0o644)),
            ((1001, 1001, 0o600), Some(third), (0, 1002, 0o600)),
            ((1001, 1001, 0o666), Some(third), (0, 1002, 0o666)),
            ((1001, 1001, 0o600), Some((1001, 1002, 0o660)), (1001, 1002, 0o600)),
            ((1001, 1001, 0o660), Some((1001, 1001, 0o666)), (1001, 1001, 0o660)),
        ];
        for (source, old, wanted) in cases {
            let (folder, from) = old_state(source.2);
            chown(&from, Some(source.0), Some(source.1)).unwrap();
            fs::rename(&from, folder.path().join("source")).unwrap();
            let path = folder.path().join("copy");
            if let Some((user, group, mode)) = old {
                fs::write(&path, b"").unwrap();
                chown(&path, Some(user), Some(group)).unwrap();
                fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            }
            assert_eq!(child("copy", &path, None, "umask 000; exec \"$@\"").unwrap(), "saved");
            assert_eq!(access(&path), wanted, "{source:?} {old:?}");
        }
    }
}

/// An access list as Linux keeps it: version 2, then tag, permissions and number of each entry.
#[cfg(target_os = "linux")]
fn acl(group: u16, user: Option<(u32, u16)>, mask: u16) -> Vec<u8> {
    let mut list = 2u32.to_le_bytes().to_vec();
    let mut entry = |tag: u16, permissions: u16, number: u32| {
        list.extend(tag.to_le_bytes());
        list.extend(permissions.to_le_bytes());
        list.extend(number.to_le_bytes());
    };
    entry(0x01, 6, u32::MAX);
    if let Some((number, permissions)) = user {
        entry(0x02, permissions, number);
    }
    entry(0x04, group, u32::MAX);
    entry(0x10, mask, u32::MAX);
    entry(0x20, 0, u32::MAX);
    list
}

#[cfg(target_os = "linux")]
#[test]
fn access_lists_are_kept_and_folders_add_none() {
    let (access_list, default_list) = ("system.posix_acl_access", "system.posix_acl_default");
    let read = |path: &Path| {
        let mut list = vec![0; 1000];
        getxattr(path, access_list, &mut list[..]).map(|len| list[..len].to_vec())
    };
    let (folder, path) = old_state(0o640);
    // Whatever is created in the folder is open to one more user, in general.
    let open = acl(6, Some((1003, 6)), 6);
    setxattr(folder.path(), default_list, &open, XattrFlags::empty()).expect("a file system with access lists");
    save(&path, &mut Ram::new(1000)).unwrap();
    assert_eq!((access(&path).2, read(&path).is_err()), (0o640, true));
    // A group that may do nothing: its bits of the mode are those of the list.
    let list = acl(0, Some((1004, 4)), 6);
    setxattr(&path, access_list, &list, XattrFlags::empty()).unwrap();
    assert_eq!(access(&path).2, 0o660);
    save(&path, &mut Ram::new(1000)).unwrap();
    assert_eq!((access(&path).2, read(&path).unwrap()), (0o660, list.clone()));
    is_new(&path);
    // Taken out of a file with a list, or in a folder with one: for the owner alone.
    fs::rename(&path, folder.path().join("source")).unwrap();
    assert_eq!(child("copy", &path, None, "umask 000; exec \"$@\"").unwrap(), "saved");
    assert_eq!(access(&path).2, 0o600);
    fs::remove_file(&path).unwrap();
    // A list that cannot be kept, as the owner cannot: the group of the new file gains nothing.
    if is_root() {
        fs::write(&path, OLD).unwrap();
        chown(&path, Some(1001), Some(1000)).unwrap();
        setxattr(&path, access_list, &acl(6, Some((1004, 4)), 6), XattrFlags::empty()).unwrap();
        assert_eq!(child_as_somebody("save", &path), "saved");
        assert_eq!(access(&path), (1000, 1000, 0o600));
    }
}
