//! Two values out of a saved state, without a machine: where the processor was, and when.

use clap::Parser;
use ssm_core::{UnitError, UnitId};
use ssm_examples::{Clock, Machine, REGISTERS_V1, Registers, state};
use ssm_std::{Error, open_path};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about = "Prints the program counter and the cycle count of a saved state of the emulator.")]
struct Arguments {
    /// The saved state; without it one is made in a temporary folder
    file: Option<PathBuf>,
}

fn main() -> ExitCode {
    let shown = match Arguments::parse().file {
        Some(file) => show(&file),
        None => show_new(),
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("inspect: {error}");
            ExitCode::from(if error.is_io() { 3 } else { 1 })
        }
    }
}

fn show_new() -> Result<(), Error> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("booted.sav");
    let mut machine = Machine::new();
    machine.run();
    state::save(&file, &mut machine, None)?;
    show(&file)
}

fn show(file: &Path) -> Result<(), Error> {
    let failed = |error| Error::new(file, error);
    let mut archive = open_path(file)?;
    let program_counter = archive
        .seek(UnitId::new("cpu", 0))
        .map_err(failed)?
        .read(|get| {
            let mut registers = Registers::default();
            get.fields(&mut registers, REGISTERS_V1)?;
            Ok(registers.pc)
        })
        .map_err(failed)?;
    let mut unit = archive.seek(UnitId::new("clock", 0)).map_err(failed)?;
    let version = unit.version();
    let cycles = unit.read(|get| Ok::<_, UnitError>(Clock::get(get, version)?.cycles)).map_err(failed)?;
    println!("{}: format {}, {} bytes", file.display(), archive.header().format.as_str(), archive.file_len());
    println!("program counter  {program_counter:#06x}");
    println!("cycles           {cycles}");
    Ok(())
}
