//! The programs that run by themselves: the story of `emulator`, `inspect` and `versions`.

use ssm_examples::{Machine, state};
use std::process::{Command, Output, Stdio};

fn run(program: &str, arguments: &[&std::ffi::OsStr]) -> Output {
    Command::new(program).args(arguments).stdin(Stdio::null()).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the output is UTF-8")
}

#[test]
fn the_story_is_told_and_true() {
    let told = run(env!("CARGO_BIN_EXE_emulator"), &[]);
    assert!(told.status.success(), "{told:?}");
    let lines: Vec<&str> = text(&told.stdout).lines().collect();
    let at = |start: &str| lines.iter().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}"));
    let saved = at("Saved to ");
    let loaded = at("The machine is dropped");
    let output = at("Output: ");
    let last = at("State at the end: ");
    assert!(saved < loaded && loaded < output && output < last);
    assert!(lines[last].ends_with("equal byte for byte."));

    // The primes are the primes, and the cut is among them.
    let numbers = |lines: &[&str]| -> Vec<u32> {
        let rows = lines.iter().filter_map(|line| line.strip_prefix("  |  "));
        let rows = rows.filter(|row| !row.contains("PRIMES"));
        rows.flat_map(str::split_whitespace).map(|number| number.parse().unwrap()).collect()
    };
    let (before, after) = (numbers(&lines[..saved]), numbers(&lines[loaded..]));
    assert!(before.len() > 10 && after.len() > 10);
    let primes: Vec<u32> = (2..600).filter(|n| (2..*n).all(|d| n % d != 0)).collect();
    assert_eq!([before, after].concat(), primes);

    // Not a terminal: a plain line of percents each.
    assert_eq!(text(&told.stderr), "saving   0 20 40 60 80 100 %\nloading  0 20 40 60 80 100 %\n");
}

#[test]
fn inspect_shows_where_a_machine_is() {
    let alone = run(env!("CARGO_BIN_EXE_inspect"), &[]);
    assert!(alone.status.success(), "{alone:?}");
    assert_eq!(text(&alone.stdout).lines().count(), 3);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("machine.sav");
    let mut machine = Machine::new();
    machine.run_until(5000);
    state::save(&path, &mut machine, None).unwrap();
    let shown = run(env!("CARGO_BIN_EXE_inspect"), &[path.as_os_str()]);
    let shown = text(&shown.stdout);
    assert!(shown.contains(&format!("program counter  {:#06x}\n", machine.cpu.registers().pc)), "{shown}");
    assert!(shown.contains(&format!("cycles           {}\n", machine.clock.cycles)), "{shown}");

    let missing = run(env!("CARGO_BIN_EXE_inspect"), &[folder.path().join("none").as_os_str()]);
    assert_eq!(missing.status.code(), Some(3));
}

#[test]
fn versions_loads_what_is_old_and_refuses_what_is_new() {
    let shown = run(env!("CARGO_BIN_EXE_versions"), &[]);
    assert!(shown.status.success(), "{shown:?}");
    let expected = "\
timer version 1:
  unit speaker/0 is not in the file
  Timer { count: 1000, running: true, divider: 1, alarms: [0, 0] }, Speaker { volume: 0 }
timer version 2:
  unit speaker/0 is not in the file
  Timer { count: 1000, running: true, divider: 8, alarms: [0, 0] }, Speaker { volume: 0 }
timer version 3:
  Timer { count: 1000, running: true, divider: 8, alarms: [250, 750] }, Speaker { volume: 5 }
timer version 4:
  refused: unit timer/0 version 4 ";
    assert!(text(&shown.stdout).starts_with(expected), "{}", text(&shown.stdout));
}
