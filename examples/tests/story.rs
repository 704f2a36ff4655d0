//! The programs that run by themselves: the story of `emulator`, `live`, `inspect` and `versions`.

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
fn a_live_save_stops_the_machine_for_less() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("live.sav");
    let told = run(env!("CARGO_BIN_EXE_live"), &[path.as_os_str()]);
    assert!(told.status.success(), "{told:?}");
    let text = text(&told.stdout);
    let rows = text.lines().skip_while(|line| !line.contains("pages")).skip(1).take_while(|line| !line.is_empty());
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split_whitespace().collect()).collect();
    assert!(rows.len() >= 3 && rows[0][..2] == ["0", "256"] && rows[rows.len() - 1][0] == "final", "{text}");
    let bytes: Vec<u64> = rows.iter().map(|row| row[2].parse().unwrap()).collect();
    assert_eq!(bytes.iter().sum::<u64>(), path.metadata().unwrap().len());
    assert!(text.contains(" equal; states equal too.\n"), "{text}");

    // The emulator takes it as it takes a plain one, which is smaller, but all of it is written while the machine stands.
    let mut machine = state::load(&path, None).unwrap();
    let plain = folder.path().join("plain.sav");
    let plain_len = state::save(&plain, &mut machine, None).unwrap();
    assert!(bytes[bytes.len() - 1] < plain_len / 2, "{bytes:?}, {plain_len}");
    machine.run();
    assert!(machine.console.take_output().ends_with(b"PRIMES\r\n\r\nOK\r\n>"));
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
