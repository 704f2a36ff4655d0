//! Exit status and manners that all subcommands share.

use crate::{assert_narrow, command, ssm};
use std::process::Stdio;

/// Each subcommand on a file, with something on standard output.
fn subcommands(file: &str) -> [Vec<&str>; 9] {
    [
        vec!["info", file],
        vec!["info", "--json", file],
        vec!["list", file],
        vec!["list", "--json", file],
        vec!["verify", file],
        vec!["extract", file, "alpha"],
        vec!["hexdump", file, "alpha"],
        vec!["diff", file, file],
        vec!["diff", "--json", file, file],
    ]
}

#[test]
fn a_missing_file_and_a_folder_are_failures_of_the_system() {
    let out = std::env::temp_dir().join("never-written.sav");
    for file in ["no-such-file", ".."] {
        for arguments in subcommands(file).into_iter().chain([vec!["convert", file, out.to_str().unwrap()]]) {
            let run = ssm(&arguments);
            assert_eq!((run.code, run.text()), (Some(3), ""), "{arguments:?}");
            assert!(run.error.starts_with(&format!("error: {file}: ")), "{}", run.error);
        }
    }
    for arguments in subcommands("..") {
        ssm(arguments).failed(3, "error: ..: cannot open: is a directory\n");
    }
    ssm(["info", "no-such-file"])
        .failed(3, "error: no-such-file: cannot open: No such file or directory (os error 2)\n");
    assert!(!out.exists());
}

#[test]
fn a_place_that_cannot_be_written_is_a_failure_of_the_system() {
    let folder = tempfile::tempdir().unwrap();
    for out in [folder.path().join("missing").join("out"), folder.path().to_owned()] {
        let out = out.to_str().unwrap();
        for arguments in [vec!["convert", "v12-multi.sav", out], vec!["extract", "v12-multi.sav", "alpha", "-o", out]] {
            let run = ssm(&arguments);
            assert_eq!(run.code, Some(3), "{arguments:?}: {}", run.error);
            assert!(run.error.starts_with(&format!("error: {out}: cannot ")), "{}", run.error);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_device_is_no_file() {
    let regular = "not a regular file (save it to a file first)";
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let all = subcommands("/dev/null").into_iter().chain([vec!["convert", "/dev/null", out.to_str().unwrap()]]);
    for arguments in all {
        ssm(arguments).failed(3, &format!("error: /dev/null: cannot open: {regular}\n"));
    }
    // As standard input it is an empty file.
    let run = ssm(["info", "-"]);
    assert_eq!((run.code, run.text()), (Some(1), ""));
    assert!(run.error.starts_with("error: standard input: offset 0: the file ends early"), "{}", run.error);
}

#[test]
fn other_files_are_not_saved_states() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("empty", &b""[..]), ("script", b"#!/bin/sh\n"), ("start", b"\x7fVirtualBox")] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        for arguments in subcommands(path.to_str().unwrap()) {
            let run = ssm(&arguments);
            assert_eq!(run.code, Some(1), "{arguments:?}: {}", run.error);
        }
    }
}

#[test]
fn wrong_use() {
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["info"],
        &["list", "v12-multi.sav", "--frobnicate"],
        &["extract", "v12-multi.sav"],
        &["extract", "v12-multi.sav", "alpha", "--instance", "-1"],
        &["convert", "v12-multi.sav"],
        &["convert", "v12-multi.sav", "/nowhere", "--codec", "bzip2"],
    ] {
        let run = ssm(arguments);
        assert_eq!((run.code, run.text()), (Some(2), ""), "{arguments:?}");
        assert!(run.error.contains("Usage:") || run.error.contains("--help"), "{}", run.error);
    }
}

#[test]
fn negative_numbers_are_wrong_numbers() {
    for (subcommand, option, wrong) in [
        ("extract", "--instance", "-1"),
        ("hexdump", "--instance", "-1"),
        ("hexdump", "--offset", "-1"),
        ("hexdump", "--offset", "-0x10"),
        ("hexdump", "--length", "-1"),
    ] {
        let run = ssm([subcommand, "v12-multi.sav", "alpha", option, wrong]);
        assert_eq!((run.code, run.text()), (Some(2), ""), "{option}");
        assert!(run.error.starts_with(&format!("error: invalid value '{wrong}' for '{option}")), "{}", run.error);
    }
}

#[test]
fn long_messages_fit_80_columns() {
    let run = ssm(["info", "../bad/v12-trunc-half.sav", "--unchecked"]);
    assert!(run.error.lines().nth(1).is_some_and(|line| line.starts_with("  ")), "{}", run.error);
    assert_narrow(&run.error);
    for file in crate::manifest("bad") {
        let path = format!("../bad/{}", file["file"].as_str().unwrap());
        for subcommand in ["verify", "list", "info"] {
            let run = ssm([subcommand, &path]);
            assert_narrow(&run.error);
            if subcommand != "list" {
                assert_narrow(run.text());
            }
        }
    }
}

#[test]
fn help_and_version() {
    assert_eq!(ssm(["--version"]).fine().text(), concat!("ssm ", env!("CARGO_PKG_VERSION"), "\n"));
    for subcommand in ["info", "list", "verify", "extract", "hexdump", "diff", "convert", "slots", "completions", "man"]
    {
        let run = ssm([subcommand, "--help"]).fine();
        assert!(run.text().lines().all(|line| line.chars().count() <= 80), "{}", run.text());
    }
    let help = ssm(["--help"]).fine();
    assert!(help.text().contains("\n  3  the operating system failed"), "{}", help.text());
    assert!(help.text().contains("\n  4  ssm diff: the files are sound and do not hold the same"), "{}", help.text());
}

const CLOSED: &str = "error: cannot write to standard output: Broken pipe (os error 32)\n";

/// The reader is gone before the tool starts, so the first write meets a closed pipe.
#[test]
fn a_closed_pipe_is_a_failure_of_the_system() {
    for arguments in subcommands("v12-multi.sav").into_iter().chain([vec!["--help"], vec!["verify", "--help"]]) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(&arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), &*output.stderr), (Some(3), CLOSED.as_bytes()), "{arguments:?}");
    }
    for arguments in [&["verify", "../bad/v12-crc-field.sav"][..], &["man"], &["completions", "bash"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = command(arguments).stdout(writer).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(3), "{arguments:?}");
    }
}

/// The reader goes when the tool is in the middle: there is more than a pipe holds.
#[test]
fn a_pipe_that_closes_early_is_a_failure_of_the_system() {
    for subcommand in ["extract", "hexdump"] {
        let mut child = command([subcommand, "v12-random1m.sav", "random1m"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 16];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), &*output.stderr), (Some(3), CLOSED.as_bytes()), "{subcommand}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure_of_the_system() {
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    for arguments in subcommands("v12-multi.sav") {
        let output = command(&arguments).stdout(full()).stderr(Stdio::piped()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert!(error.starts_with("error: cannot write to standard output: No space left"), "{error}");
    }
    for arguments in [&["--help"][..], &["--version"], &["verify", "--help"]] {
        let output = command(arguments).stdout(full()).stderr(Stdio::piped()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert_eq!(error, "error: cannot write to standard output: No space left on device (os error 28)\n");
    }
    // As a place to write to, it is written to and never replaced.
    ssm(["extract", "v12-multi.sav", "alpha", "-o", "/dev/full"])
        .failed(3, "error: /dev/full: cannot write: No space left on device (os error 28)\n");
    ssm(["convert", "v12-multi.sav", "/dev/full"])
        .failed(3, "error: /dev/full: cannot replace it: not a regular file\n");
    let kind = std::fs::metadata("/dev/full").unwrap().file_type();
    assert!(std::os::unix::fs::FileTypeExt::is_char_device(&kind));
}

#[test]
fn colour_only_where_it_is_wanted() {
    for arguments in [&["list", "v12-multi.sav"][..], &["verify", "v12-multi.sav"], &["info", "no-such-file"]] {
        let run = ssm(arguments);
        assert!(!run.bytes.contains(&0x1b) && !run.error.contains('\x1b'), "{arguments:?}");
        let forced = command(arguments).env("CLICOLOR_FORCE", "1").output().unwrap();
        assert!([forced.stdout, forced.stderr].concat().contains(&0x1b), "{arguments:?}");
    }
}
