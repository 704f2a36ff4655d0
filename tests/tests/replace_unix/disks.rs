//! Names, links, folders and disks.

use crate::children::{child, child_as_somebody};
use crate::{OLD, Ram, is_new, is_root, names, old_state, save};
use ssm_std::{leftovers, replace_file};
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

#[test]
fn every_name_that_the_system_allows() {
    let folder = tempfile::tempdir().unwrap();
    let mut all: Vec<Vec<u8>> = (1..=255).map(|len| vec![b'x'; len]).collect();
    all.extend((1..=255).map(|len| vec![0xff; len]));
    all.push("ゼ".repeat(85).into_bytes());
    all.extend((1..=255).filter(|byte| !b"/.".contains(byte)).map(|byte| vec![byte]));
    for name in
        [&b"..."[..], b".hidden", b"-", b"--help", b"-rf", b"a\nb", b"\n", b" ", b"~", b"*", b"\\", b"..a", b".ssm-"]
    {
        all.push(name.to_vec());
    }
    for name in &all {
        let path = folder.path().join(OsStr::from_bytes(name));
        for _ in 0..2 {
            save(&path, &mut Ram::new(1000)).unwrap();
        }
        is_new(&path);
        assert_eq!(names(folder.path()), [&name[..]], "{name:?}");
        fs::remove_file(&path).unwrap();
    }
    // A longer one is the system's failure, in its words.
    let error = save(folder.path().join(OsStr::from_bytes(&[b'x'; 256])), &mut Ram::new(1000)).unwrap_err();
    assert!(error.contains("File name too long (os error"), "{error}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn links() {
    let (folder, path) = old_state(0o640);
    let [hard, one, two] = ["hard", "one", "two"].map(|name| folder.path().join(name));
    fs::hard_link(&path, &hard).unwrap();
    symlink("state", &one).unwrap();
    symlink(&one, &two).unwrap();
    save(&two, &mut Ram::new(1000)).unwrap();
    is_new(&path);
    assert!(one.is_symlink() && two.is_symlink());
    // The other name keeps the old state.
    assert_eq!(fs::read(&hard).unwrap(), OLD);
    symlink("loop", folder.path().join("loop")).unwrap();
    let error = save(folder.path().join("loop"), &mut Ram::new(1000)).unwrap_err();
    assert!(error.contains("cannot follow the link: Too many levels of symbolic links (os error"), "{error}");
    assert!(leftovers(folder.path()).unwrap().is_empty());
}

#[test]
fn a_folder_that_may_not_be_listed() {
    let (folder, path) = old_state(0o640);
    if is_root() {
        chown(&path, Some(1000), Some(1000)).unwrap();
        chown(folder.path(), Some(1000), Some(1000)).unwrap();
    }
    fs::set_permissions(folder.path(), Permissions::from_mode(0o333)).unwrap();
    let outcomes = [path.clone(), folder.path().join("new")].map(|path| child_as_somebody("save", &path));
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    assert_eq!(outcomes, ["saved", "saved"]);
    is_new(&path);
    assert_eq!(names(folder.path()), [&b"new"[..], b"state"]);
}

#[test]
fn a_folder_that_may_not_be_written_or_entered() {
    for (mode, words) in [
        (0o555, "cannot create a file in its folder: Permission denied (os error 13)"),
        (0o666, "cannot look at it: Permission denied (os error 13)"),
    ] {
        let (folder, path) = old_state(0o666);
        if is_root() {
            chown(folder.path(), Some(1000), Some(1000)).unwrap();
        }
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        let outcomes = [path.clone(), folder.path().join("new")].map(|path| child_as_somebody("save", &path));
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        for outcome in outcomes {
            assert!(outcome.ends_with(words), "{outcome}");
        }
        assert_eq!((fs::read(&path).unwrap(), names(folder.path())), (OLD.to_vec(), vec![b"state".to_vec()]));
    }
}

/// Mounts in a child of its own that nobody else sees: as root, or as root of a namespace of a user's own. `None` where the
/// machine lets nobody mount.
#[cfg(target_os = "linux")]
fn child_with_mount(task: &str, path: &Path, mount: &str) -> Option<String> {
    let options = if is_root() { "-m" } else { "-rm" };
    let shell =
        format!("cd '{}' && exec unshare {options} sh -c '{mount} && exec \"$@\"' sh \"$@\"", path.parent()?.display());
    match child(task, path, None, &shell) {
        Ok(outcome) => Some(outcome),
        Err(error) => {
            assert!(error.contains("unshare") || error.contains("mount"), "{error}");
            println!("no mounts here: {error}");
            None
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let (folder, path) = old_state(0o600);
    // The folder is mounted over, so the child's is a copy; what is left there is told by the shell's exit.
    let mount = "mount -t tmpfs -o size=256k tmpfs . && cd \"$PWD\" && echo old > state";
    if let Some(outcome) = child_with_mount("save much", &path, mount) {
        assert!(outcome.ends_with("No space left on device (os error 28)"), "{outcome}");
    }
    // The same, whether or not mounts are allowed: a process whose files may not grow.
    let outcome = child("save much", &path, None, "trap '' XFSZ; ulimit -f 100; exec \"$@\"").unwrap();
    assert!(outcome.ends_with("File too large (os error 27)"), "{outcome}");
    assert_eq!((fs::read(&path).unwrap(), names(folder.path())), (OLD.to_vec(), vec![b"state".to_vec()]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_read_only_and_a_mounted_file() {
    let (folder, path) = old_state(0o600);
    let mount = "mount --bind . . && mount -o remount,bind,ro .";
    if let Some(outcome) = child_with_mount("save", &path, mount) {
        // The child's folder is the one below the mount; by its path it is the mount.
        assert!(outcome.ends_with("as it is read-only: Read-only file system (os error 30)"), "{outcome}");
    }
    let outcome = child_with_mount("save", &folder.path().join("new"), mount);
    assert!(outcome.is_none_or(|outcome| outcome.ends_with("in its folder: Read-only file system (os error 30)")));
    if let Some(outcome) = child_with_mount("save", &path, "mount --bind state state") {
        assert!(outcome.ends_with("cannot replace it: Device or resource busy (os error 16)"), "{outcome}");
    }
    assert_eq!((fs::read(&path).unwrap(), names(folder.path())), (OLD.to_vec(), vec![b"state".to_vec()]));
}

/// What cannot be renamed over, on every machine: a folder that came in between.
#[test]
fn a_rename_that_fails() {
    let (folder, path) = old_state(0o600);
    let error = replace_file(&path, |_| {
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        Ok(())
    });
    let error = error.unwrap_err().to_string();
    assert!(error.contains("cannot replace it: Is a directory (os error"), "{error}");
    assert_eq!(names(folder.path()), [b"state"]);
}

/// A thread hears of a signal while a state is being written. In a child, as it would abandon the saves of other tests.
#[test]
fn saves_that_are_abandoned() {
    let (folder, path) = old_state(0o600);
    assert_eq!(child("abandon", &path, None, "exec \"$@\"").unwrap(), "saved");
    is_new(&path);
    assert_eq!(names(folder.path()), [b"state"]);
}
