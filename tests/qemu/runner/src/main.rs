//! Starts QEMU once per board and asserts on all that comes out: the exit code, the files, also those that come over the
//! serial line (sound for the tool `ssm`, and byte for byte what the host writes for the same state), and the log.
//!
//! One line per board, and `N passed, N failed` at the end. What could not run has failed.

mod board;
mod emulator;
mod host;
mod line;
mod log;

use anyhow::{Context, Result, bail, ensure};
use board::{BOARDS, Board};
use clap::Parser;
use ssm_std::open_path;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{fs, time::Instant};

#[derive(Parser)]
struct Arguments {
    /// The folder that cargo built the firmware into
    #[arg(long)]
    target_dir: PathBuf,
    /// The tool `ssm`
    #[arg(long)]
    ssm: PathBuf,
    /// Only these boards
    boards: Vec<String>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let known = |name: &&String| !BOARDS.iter().any(|board| board.name == name.as_str());
    if let Some(unknown) = arguments.boards.iter().find(known) {
        bail!("no board {unknown}");
    }
    let work = fs::canonicalize(&arguments.target_dir).context("the target folder")?.join("boards");
    let host = work.join("host");
    host::write_files(&host).context("the host's own run")?;
    let (mut passed, mut failed) = (0, 0);
    for board in BOARDS {
        if !arguments.boards.is_empty() && !arguments.boards.iter().any(|name| name == board.name) {
            continue;
        }
        let started = Instant::now();
        match run(board, &arguments, &work.join(board.name), &host) {
            Ok(what) => {
                passed += 1;
                println!("{:<14} ok      {what}, {:.1} s", board.name, started.elapsed().as_secs_f32());
            }
            Err(error) => {
                failed += 1;
                println!("{:<14} FAILED  {error:#}", board.name);
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a board in a folder of its own; what was asserted, in words.
fn run(board: &Board, arguments: &Arguments, folder: &Path, host: &Path) -> Result<String> {
    let firmware = arguments.target_dir.join(board.target).join("release").join(board.binary);
    ensure!(firmware.is_file(), "{} was not built", firmware.display());
    host::copy_inputs(host, folder)?;
    let output = emulator::run(board, &fs::canonicalize(&firmware)?, folder, host)?;
    let files = board.sizes.iter().flat_map(|names| [names.store, names.lzf]);
    let from_line = board.sizes.iter().flat_map(|names| [names.streamed_store, names.streamed_lzf]);
    for name in files.clone().chain(from_line.clone()) {
        let file = folder.join(name);
        let bytes = fs::read(&file).with_context(|| format!("the board wrote no {name}"))?;
        ensure!(bytes == fs::read(host.join(name))?, "{name} is not what the host writes for the same state");
        open_path(&file)?.verify(&mut |_| ()).with_context(|| format!("verify {name}"))?;
    }
    for name in files.clone() {
        let verified =
            Command::new(&arguments.ssm).arg("verify").arg(folder.join(name)).output().context("start ssm")?;
        ensure!(verified.status.success(), "ssm verify {name}: {}", String::from_utf8_lossy(&verified.stderr));
    }
    let lines = if board.logs { log::check(&firmware, &output, host, board)? } else { 0 };
    Ok(format!(
        "{} files and {} from the line equal to the host's, {lines} lines of log",
        files.count(),
        from_line.count()
    ))
}
