//! The emulator without a terminal: the counterpart of the firmware in `bare-metal`, with the same command line.
//!
//! A machine runs until its clock shows CYCLES, or until it waits for a key, and is saved. What it prints goes to standard
//! output. The keys of a new machine are typed ahead, so where it is after so many cycles depends on nothing else.

use clap::Parser;
use ssm_examples::terminal::{machine_key, without_returns};
use ssm_examples::{Machine, state};
use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// What somebody types at the prompt.
const PROGRAM: &str = include_str!("../../primes.bas");

#[derive(Parser)]
#[command(about = "The Z80 computer without a terminal")]
enum Arguments {
    /// Switch a machine on with a BASIC program typed ahead, run it, save it
    Run {
        /// Where it is saved
        file: PathBuf,
        /// What its clock shows then
        cycles: Option<u64>,
    },
    /// Load a machine, run on, save it
    Resume {
        /// The saved state
        from: PathBuf,
        /// Where it is saved
        file: PathBuf,
        /// What its clock shows then
        cycles: Option<u64>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("headless: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let (mut machine, file, cycles) = match arguments {
        Arguments::Run { file, cycles } => {
            let mut machine = Machine::new();
            PROGRAM.bytes().for_each(|byte| _ = machine.console.type_key(machine_key(byte)));
            (machine, file, cycles)
        }
        Arguments::Resume { from, file, cycles } => {
            let machine = state::load(&from, None)?;
            eprintln!("[on the host: loaded after {} cycles]", machine.clock.cycles);
            (machine, file, cycles)
        }
    };
    machine.run_until(cycles.unwrap_or(u64::MAX));
    io::stdout().write_all(&without_returns(&machine.console.take_output()))?;
    let len = state::save(&file, &mut machine, None)?;
    eprintln!("[on the host: saved {len} bytes after {} cycles]", machine.clock.cycles);
    Ok(())
}
