//! 1 GiB: the tool beside a load, and the memory that each needs. Each runs as a process of its own: the tool as cargo builds
//! it for this run, saves and loads as this benchmark again.
//!
//! The peak is what Linux says about a process while it runs (`VmHWM`), read every millisecond.

use crate::data::guest;
use crate::machine::Ram;
use crate::table::{Goal, Table};
use crate::whole::{load, save};
use ssm_std::{Codec, SaveFormat};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const LEN: usize = 1 << 30;
const MIB: f64 = (1 << 20) as f64;
const ROUNDS: usize = 2;

/// Peak bytes of a process, where the system tells.
fn peak(process: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<f64>().ok()? * 1024.0)
}

/// Runs a command; seconds, and its peak.
fn run_one(command: &mut Command) -> (f64, f64) {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let mut most = 0f64;
    loop {
        let ended = child.try_wait().unwrap();
        let seconds = start.elapsed().as_secs_f64();
        if let Some(status) = ended {
            assert!(status.success());
            return (seconds, most);
        }
        most = most.max(peak(&child.id().to_string()).unwrap_or(0.0));
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What this benchmark does as a process of its own: prints seconds and the peak beside the machine's own memory.
pub fn child(arguments: &[String]) -> bool {
    let [deed, format, path] = arguments else {
        return false;
    };
    let mut ram = match deed.as_str() {
        "--save" => Ram(guest(LEN)),
        "--load" => Ram(vec![1; LEN]),
        _ => return false,
    };
    let before = peak("self").unwrap_or(0.0);
    let start = Instant::now();
    match deed.as_str() {
        "--save" => save(Path::new(path), &mut ram, format.parse().unwrap(), Codec::Lzf),
        _ => load(Path::new(path), &mut ram, false),
    }
    println!("{} {}", start.elapsed().as_secs_f64(), peak("self").unwrap_or(0.0) - before);
    true
}

fn ourselves(deed: &str, format: SaveFormat, path: &Path) -> (f64, f64) {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).args([deed, format.as_str()]).arg(path).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let (seconds, peak) = text.trim().split_once(' ').unwrap();
    (seconds.parse().unwrap(), peak.parse().unwrap())
}

/// The tool, built from the sources of now, and where it is.
fn built_tool() -> PathBuf {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/tool/Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args([
        "build",
        "--release",
        "--quiet",
        "--bin",
        "ssm",
        "--message-format",
        "json",
        "--manifest-path",
        manifest,
    ]);
    let output = build.stderr(Stdio::inherit()).output().expect("cargo runs");
    assert!(output.status.success(), "the tool builds");
    let messages = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let messages = messages.map(|line| serde_json::from_slice::<serde_json::Value>(line).expect("cargo speaks JSON"));
    let built = messages.filter_map(|message| Some(PathBuf::from(message["executable"].as_str()?))).next();
    built.expect("cargo says where the tool is")
}

pub fn run(table: &mut Table, folder: &Path) {
    table.group("1 GiB of the same memory, each in a process of its own; memory is beside the machine's own");
    let path = folder.join("large");
    let ssm = built_tool();
    for format in SaveFormat::ALL {
        let best = |work: &dyn Fn() -> (f64, f64)| {
            let runs: Vec<_> = (0..ROUNDS).map(|_| work()).collect();
            runs.into_iter().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap()
        };
        let saved = best(&|| ourselves("--save", format, &path));
        let loaded = best(&|| ourselves("--load", format, &path));
        let tool = |deed: &str| best(&|| run_one(Command::new(&ssm).arg(deed).arg(&path)));
        let (verified, listed) = (tool("verify"), tool("list"));
        let seconds = |run: (f64, f64)| format!("{:.2} s", run.0);
        for (deed, run) in [("save", saved), ("load", loaded), ("ssm verify", verified), ("ssm list", listed)] {
            let what = format!("{format} {deed}, peak memory in MiB");
            table.row(&what, &seconds(run), "", run.1 / MIB, Goal::AtMost(16.0));
        }
        for (deed, run) in [("ssm verify", verified), ("ssm list", listed)] {
            let what = format!("{format} {deed}, speed to the load's");
            table.row(&what, &seconds(run), &seconds(loaded), loaded.0 / run.0, Goal::AtLeast(1.0));
        }
    }
}
