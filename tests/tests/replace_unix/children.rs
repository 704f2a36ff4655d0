//! This program, run again as another user, with a mount or under a limit.

use crate::{OLD, Ram, is_root, names, save};
use rustix::process::{getegid, geteuid};
use ssm_std::{Failure, leftovers, replace_file, replace_file_from};
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

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
pub fn child(task: &str, path: &Path, user: Option<(u32, u32)>, shell: &str) -> Result<String, String> {
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
    command.args(["-c", shell, "sh"]).arg(&program).args(["--exact", "children::in_a_child", "--nocapture"]);
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
pub fn somebody() -> (u32, u32) {
    if is_root() { (1000, 1000) } else { (geteuid().as_raw(), getegid().as_raw()) }
}

pub fn child_as_somebody(task: &str, path: &Path) -> String {
    child(task, path, is_root().then(somebody), "exec \"$@\"").unwrap()
}

/// Abandons its saves in the middle of one.
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
