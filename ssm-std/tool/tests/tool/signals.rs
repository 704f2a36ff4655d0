//! The tool is ended in the middle of writing a file: its temporary file goes, the old file stays.

#![cfg(unix)]

use crate::files::{names, noise, state};
use ssm_core::Header;
use ssm_std::Codec;
use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use tempfile::TempDir;

const OLD: &[u8] = b"an old state";

/// A state that takes its time to pack, and an old file that it would replace.
fn folder() -> TempDir {
    let (folder, _) = state(&Header::new(), Codec::Store, &[(b"ram", 0, 1, &noise(48 << 20))]);
    fs::write(folder.path().join("out"), OLD).unwrap();
    folder
}

/// The tool, started by the words of a shell, in the middle of writing `out`.
fn in_the_middle(folder: &Path, shell: &str) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", shell, "sh", env!("CARGO_BIN_EXE_ssm"), "convert", "state.sav", "out", "--codec", "zlib"]);
    let mut child =
        command.current_dir(folder).stdin(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().unwrap();
    while names(folder).len() < 3 {
        assert_eq!(child.try_wait().unwrap(), None, "it ended too early");
        std::thread::yield_now();
    }
    child
}

fn kill(child: &Child, signal: rustix::process::Signal) {
    let process = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(process, signal).unwrap();
}

fn assert_gone(folder: &Path, status: ExitStatus, signal: i32) {
    assert_eq!(status.signal(), Some(signal), "{status}");
    assert_eq!(names(folder), ["out", "state.sav"]);
    assert_eq!(fs::read(folder.join("out")).unwrap(), OLD);
}

#[test]
fn its_temporary_file_goes_with_it() {
    use rustix::process::Signal;
    let folder = folder();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut child = in_the_middle(folder.path(), "exec \"$@\"");
        kill(&child, signal);
        assert_gone(folder.path(), child.wait().unwrap(), signal.as_raw());
    }
}

/// As `nohup` does: the tool goes on until another signal ends it.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_is_ignored_stays_so() {
    use rustix::process::Signal;
    let folder = folder();
    let mut child = in_the_middle(folder.path(), "trap '' HUP INT; exec \"$@\"");
    for signal in [Signal::HUP, Signal::INT, Signal::TERM] {
        kill(&child, signal);
    }
    assert_gone(folder.path(), child.wait().unwrap(), Signal::TERM.as_raw());
}

/// What a kill leaves is listed, and can be removed.
#[test]
fn what_a_kill_leaves_is_known() {
    let folder = folder();
    let mut child = in_the_middle(folder.path(), "exec \"$@\"");
    child.kill().unwrap();
    child.wait().unwrap();
    let left = ssm_std::leftovers(folder.path()).unwrap();
    assert_eq!((left.len(), names(folder.path()).len()), (1, 3));
    fs::remove_file(&left[0]).unwrap();
    assert_eq!(names(folder.path()), ["out", "state.sav"]);
}

/// A file that may not grow is a failure in the system's words, with nothing left behind.
#[test]
fn a_limit_of_the_size_of_files() {
    let folder = folder();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 100; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_ssm"), "convert", "state.sav", "out"]);
    let output = command.current_dir(folder.path()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains("File too large (os error 27)"), "{error}");
    assert_eq!(names(folder.path()), ["out", "state.sav"]);
    assert_eq!(fs::read(folder.path().join("out")).unwrap(), OLD);
}
