//! One machine in several processes, connected by a file: what they print together is what one process prints.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const SQUARES: &str = "10 for i=1 to 40\n20 print i,i*i\n30 next i\nrun\n";

/// Standard output of a run that must succeed.
fn emulator(arguments: &[&OsStr], input: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_emulator"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A machine that leaves early does not read all of it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn run(input: &str) -> String {
    emulator(&["run".as_ref()], input)
}

fn run_to(state: &Path, input: &str) -> String {
    emulator(&["run".as_ref(), "--state".as_ref(), state.as_ref()], input)
}

fn resume(state: &Path, input: &str) -> String {
    emulator(&["resume".as_ref(), state.as_ref()], input)
}

#[test]
fn a_program_goes_on_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let whole = run(SQUARES);
    assert!(whole.contains("     7    49\n") && whole.trim_end().ends_with("OK\n>"), "{whole}");
    let mut cut_in_the_program = 0;
    for cycles in ["1", "10000", "60000", "150000", "300000", "600000", "900000"] {
        let state = folder.path().join(cycles);
        let first = emulator(
            &["run".as_ref(), "--state".as_ref(), state.as_ref(), "--cycles".as_ref(), cycles.as_ref()],
            SQUARES,
        );
        let second = resume(&state, "");
        assert!(whole.starts_with(&first), "{cycles}");
        if first.contains(">RUN\n") && first.len() < whole.len() {
            cut_in_the_program += 1;
            assert_eq!(first + &second, whole, "{cycles}");
        }
    }
    assert!(cut_in_the_program >= 3);
}

#[test]
fn a_program_asks_in_one_process_and_is_answered_in_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("machine.sav");
    let program = "10 input a\n20 print a*a\n30 goto 10\nrun\n";
    let whole = run(&(program.to_owned() + "5\n7\n9\n"));
    assert!(whole.ends_with("A:5\n    25\nA:7\n    49\nA:9\n    81\nA:"), "{whole}");
    let parts = [run_to(&state, program), resume(&state, "5\n"), resume(&state, "7\n9\n"), resume(&state, "")];
    assert_eq!(parts.concat(), whole);
}

/// Ctrl-X comes out of the pipe while the machine is still busy with what came before.
#[test]
fn ctrl_x_saves_when_it_is_its_turn_and_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("machine.sav");
    assert_eq!(run_to(&state, &(SQUARES.to_owned() + "\x18print 99\n")), run(SQUARES));
    assert_eq!(resume(&state, ""), "");
}

#[test]
fn ctrl_d_leaves_when_it_is_its_turn_and_saves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("machine.sav");
    assert_eq!(run_to(&state, &(SQUARES.to_owned() + "\x04print 99\n")), run(SQUARES));
    assert!(!state.exists());
}

/// What is saved has seen the line before and not the line after.
#[test]
fn ctrl_s_saves_when_it_is_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("machine.sav");
    run_to(&state, "let a=1\n\x13let a=2\n\x04");
    assert!(resume(&state, "print a\n").contains("\n     1\n"));
}

#[test]
fn ctrl_c_stops_a_program_that_never_waits() {
    let printed = run("10 goto 10\nrun\n\x03print 7\n\x04");
    assert!(printed.contains("PRINT 7\n     7\n"), "{printed}");
}

#[test]
fn ctrl_s_saves_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("machine.sav");
    let other = folder.path().join("other.sav");
    let whole = run("print 1\nprint 2\n");
    assert_eq!(run_to(&state, "print 1\n\x13print 2\n"), whole);
    let to_other = emulator(&["resume".as_ref(), state.as_ref(), "--state".as_ref(), other.as_ref()], "print 3\n");
    assert_eq!(to_other, "PRINT 3\n     3\n\nOK\n>");
    // The first file is as it was.
    assert_eq!(resume(&state, "print 4\n"), "PRINT 4\n     4\n\nOK\n>");
}

/// Longer input than a machine keeps: nothing is lost, though a program runs while it comes.
#[test]
fn a_long_pipe_waits_for_the_machine() {
    let lines: String = (1..200).map(|n| format!("print {n}\n")).collect();
    let printed = run(&("10 for i=1 to 100\n20 next i\nrun\n".to_owned() + &lines));
    let numbers: Vec<u32> = printed.lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert_eq!(numbers, (1..200).collect::<Vec<u32>>());
}

#[test]
fn without_a_file_nothing_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_emulator"))
        .arg("run")
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}
