//! A live save: a Z80 computer moves into another one while it runs a BASIC program.

use clap::Parser;
use ssm_examples::live;
use ssm_examples::terminal::StandardOutput;
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about = "Saves a Z80 computer while it runs, and goes on in another one.")]
struct Arguments {
    /// Where the live save is kept, for `emulator resume` or `ssm info`
    file: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("live: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let saved = live::tell(&mut StandardOutput(io::stdout().lock()))?;
    if let Some(file) = &arguments.file {
        std::fs::write(file, saved).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}
