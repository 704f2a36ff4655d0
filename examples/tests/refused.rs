//! Files that are no state of this machine: one line on standard error, an exit code that says whose fault it is, and the
//! file as it was.

use ssm_core::{Crc32Bytewise, Header, Store, Writer};
use ssm_examples::{Machine, state};
use ssm_std::FromStd;
use std::ffi::OsStr;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Stdio};

const DAMAGED: i32 = 1;
const WRONG_USE: i32 = 2;
const SYSTEM: i32 = 3;

/// The exit code and standard error.
fn emulator(arguments: &[&OsStr]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_emulator")).args(arguments).stdin(Stdio::null()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn assert_refused(path: &Path, code: i32, why: &str) {
    let before = fs::read(path).ok();
    let (found, error) = emulator(&["resume".as_ref(), path.as_ref()]);
    assert_eq!(found, Some(code), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("emulator: ") && error.contains(why), "{why} expected: {error}");
    assert!(error.contains(&path.display().to_string()), "{error}");
    assert_eq!(fs::read(path).ok(), before);
}

#[test]
fn damaged_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("machine.sav");
    state::save(&path, &mut Machine::new(), None).unwrap();
    let sound = fs::read(&path).unwrap();
    assert_eq!(emulator(&["resume".as_ref(), path.as_ref()]).0, Some(0));

    for (at, why) in
        [(0, "magic"), (32, "checksum"), (60, "checksum"), (100, "checksum"), (sound.len() / 2, "checksum")]
    {
        let mut damaged = sound.clone();
        damaged[at] ^= 0x10;
        fs::write(&path, damaged).unwrap();
        assert_refused(&path, DAMAGED, why);
    }
    for len in [0, 1, 63, 64, sound.len() / 2, sound.len() - 1] {
        fs::write(&path, &sound[..len]).unwrap();
        assert_refused(&path, DAMAGED, "");
    }
    fs::write(&path, "10 PRINT \"HELLO\"\n".repeat(20)).unwrap();
    assert_refused(&path, DAMAGED, "not a saved state");
}

#[test]
fn states_of_other_machines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.sav");
    let write = |name: &[u8]| {
        let mut file = Cursor::new(Vec::new());
        let mut scratch = [0; 64];
        let mut writer =
            Writer::new(FromStd::new(&mut file), Store, Crc32Bytewise, &Header::new(), &mut scratch).unwrap();
        writer.unit(name, 0, 1, &mut |put| put.u64(7)).unwrap();
        writer.finish().unwrap();
        fs::write(&path, file.into_inner()).unwrap();
    };
    write(b"cassette");
    assert_refused(&path, DAMAGED, "unit cassette/0 version 1");
    write(b"ram");
    assert_refused(&path, DAMAGED, "unit cpu/0: not in the file");
}

#[test]
fn what_the_system_refuses() {
    let folder = tempfile::tempdir().unwrap();
    assert_refused(&folder.path().join("none.sav"), SYSTEM, "cannot open");
    assert_refused(folder.path(), SYSTEM, "cannot open: is a directory");
    let nowhere = folder.path().join("none").join("machine.sav");
    let (code, error) = emulator(&["run".as_ref(), "--state".as_ref(), nowhere.as_ref()]);
    assert_eq!((code, error.lines().count()), (Some(SYSTEM), 1), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_names_standard_output() {
    for arguments in [&[][..], &["run"]] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_emulator"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(SYSTEM), "{error}");
        assert!(error.starts_with("emulator: cannot write to standard output: No space left"), "{error}");
    }
}

#[test]
fn the_help_fits_80_columns() {
    for arguments in [&["--help"][..], &["run", "--help"], &["resume", "--help"]] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_emulator")).args(arguments).env_remove("COLUMNS").output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains("Usage:") && help.lines().all(|line| line.chars().count() <= 80), "{help}");
    }
}

#[test]
fn wrong_use() {
    assert_eq!(emulator(&["resume".as_ref()]).0, Some(WRONG_USE));
    assert_eq!(emulator(&["walk".as_ref()]).0, Some(WRONG_USE));
}
