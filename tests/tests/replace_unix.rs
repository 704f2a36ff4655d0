//! Saving to a path on Unix: owners, modes, access lists, names, folders and disks as the machine has them.
//!
//! What needs another user, a mount or a limit runs this program again as a child, with the test [`in_a_child`] alone. As
//! root, children are other users; a normal user's children are himself, and the same must hold.

#![cfg(unix)]

use rustix::fs::{XattrFlags, getxattr, setxattr};
use rustix::process::{getegid, geteuid};
use ssm_core::{Entry, Get, Put, Unit, UnitError, Units};
use ssm_std::{
    Codec, Failure, LoadOptions, SaveOptions, leftovers, load_from_path, replace_file, replace_file_from, save_to_path,
};
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const OLD: &[u8] = b"an old state";

/// Some memory, which looks at the folder while it is saved.
struct Ram {
    bytes: Vec<u8>,
    look: Option<PathBuf>,
    /// The modes of the temporary files that it saw.
    seen: Vec<u32>,
}

impl Ram {
    fn new(len: usize) -> Self {
        Self {
            bytes: (0..len as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect(),
            look: None,
            seen: Vec::new(),
        }
    }
}

impl Unit for Ram {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(&self.bytes)?;
        if let Some(folder) = &self.look {
            let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
            let temporary = entries.filter(|entry| entry.file_name().as_bytes().starts_with(b".ssm-"));
            self.seen.extend(temporary.map(|entry| entry.metadata().unwrap().mode() & 0o7777));
        }
        Ok(())
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(&mut self.bytes)
    }
}

const UNITS: Units<Ram> = Units::new(&[Entry::new("ram", |ram: &mut Ram, _| ram)]);

fn save(path: impl AsRef<Path>, ram: &mut Ram) -> Result<u64, String> {
    let options = SaveOptions { codec: Codec::Store, ..SaveOptions::default() };
    save_to_path(path, ram, &UNITS, options).map_err(|error| {
        assert!(error.is_io(), "{error}");
        error.to_string()
    })
}

#[track_caller]
fn is_new(path: &Path) {
    load_from_path(path, &mut Ram::new(1000), &UNITS, LoadOptions::default()).unwrap();
}

fn names(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().as_bytes().to_vec()).collect();
    names.sort();
    names
}

fn is_root() -> bool {
    geteuid().is_root()
}

/// A folder that every user can reach, and an old state in it.
fn old_state(mode: u32) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    let path = folder.path().join("state");
    fs::write(&path, OLD).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

/// Owner, group and mode.
fn access(path: &Path) -> (u32, u32, u32) {
    let metadata = fs::symlink_metadata(path).unwrap();
    (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777)
}

// ---------------------------------------------------------------- children

/// What a child does; it prints what came of it in one line.
const TASK: &str = "SSM_TEST_TASK";
const WHERE: &str = "SSM_TEST_PATH";

/// Does what the parent asked for. Without a parent there is nothing to do.
#[test]
fn in_a_child() {
    let (Ok(task), Some(path)) = (std::env::var(TASK), std::env::var_os(WHERE).map(PathBuf::from)) else { return };
    let mut ram = Ram::new(if task == "save much" { 4 << 20 } else { 1000 });
    let saved = match &*task {
        "save" | "save much" => save(&path, &mut ram).map(|_| ()),
        "copy" => {
            let source = File::open(path.with_file_name("source")).unwrap();
            let write = |file: &mut File| file.write_all(OLD).map_err(|source| Failure::Io { doing: "write", source });
            replace_file_from(&path, &source, write).map_err(|error| error.to_string())
        }
        "abandon" => abandon(&path),
        _ => panic!("{task}"),
    };
    // Nothing else stays, on whatever is mounted here.
    assert!(leftovers(path.parent().unwrap()).is_ok_and(|left| left.is_empty()) || task == "save");
    println!("\nOUTCOME {}", saved.map_or_else(|error| error, |()| "saved".to_owned()));
}

/// Runs this program as a child that does `task` with `path`, started by the words of a shell, which end in `exec "$@"`.
/// What it printed, and the errors of the shell if there was no outcome.
fn child(task: &str, path: &Path, user: Option<(u32, u32)>, shell: &str) -> Result<String, String> {
    let me = std::env::current_exe().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut program = me.clone();
    if user.is_some() {
        // Where another user can reach it. It is copied by a process of its own: a file that this one had open for writing
        // could still be in a child of another test, and cannot be run then.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        program = folder.path().join("program");
        let is_linked = fs::hard_link(&me, &program).is_ok();
        assert!(is_linked || Command::new("cp").args([&me, &program]).status().unwrap().success());
    }
    let mut command = Command::new("sh");
    command.args(["-c", shell, "sh"]).arg(&program).args(["--exact", "in_a_child", "--nocapture"]);
    command.env(TASK, task).env(WHERE, path).current_dir("/");
    if let Some((user, group)) = user {
        command.gid(group).uid(user);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match text.lines().find_map(|line| line.strip_prefix("OUTCOME ")) {
        Some(outcome) => Ok(outcome.to_owned()),
        None => Err(format!("{text}{}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// A user who is not root: another one, or, as nothing else is allowed, oneself.
fn somebody() -> (u32, u32) {
    if is_root() { (1000, 1000) } else { (geteuid().as_raw(), getegid().as_raw()) }
}

fn child_as_somebody(task: &str, path: &Path) -> String {
    child(task, path, is_root().then(somebody), "exec \"$@\"").unwrap()
}

// ---------------------------------------------------------------- names

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

// ---------------------------------------------------------------- owners and modes

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

// ---------------------------------------------------------------- access lists

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

// ---------------------------------------------------------------- links

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

// ---------------------------------------------------------------- folders and disks

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

/// What the child does for it.
fn abandon(path: &Path) -> Result<(), String> {
    let folder = path.parent().unwrap();
    let saved = replace_file(path, |file| {
        file.write_all(b"half").unwrap();
        assert_eq!(names(folder).len(), 2);
        // What this process is writing is no leftover.
        assert!(leftovers(folder).unwrap().is_empty());
        assert_eq!(ssm_std::abandon_saves(|| names(folder)), [b"state"]);
        Ok(())
    });
    assert!(saved.unwrap_err().to_string().contains("cannot replace it: No such file or directory (os error 2)"));
    assert_eq!((fs::read(path).unwrap(), names(folder)), (OLD.to_vec(), vec![b"state".to_vec()]));
    // If the process goes on, so do saves.
    save(path, &mut Ram::new(1000)).map(|_| ())
}
