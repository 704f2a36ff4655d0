//! A Z80 computer with Tiny BASIC that saves and resumes. Without arguments it tells the whole story by itself.

use clap::{Parser, Subcommand};
use ssm_examples::terminal::StandardOutput;
use ssm_examples::{Machine, interactive, state, story};
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about = "A Z80 computer with Tiny BASIC that saves and resumes.")]
#[command(
    max_term_width = 80,
    after_help = "\
Without a command: a program is run half-way, saved, dropped, resumed, and
compared.

Exit codes: 0 fine, 1 the file is damaged or not a state of this machine, 2
wrong use, 3 the operating system failed"
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Switch the machine on and type BASIC
    Run {
        /// Where Ctrl-S, Ctrl-X and the end of piped input save to
        #[arg(long, value_name = "FILE")]
        state: Option<PathBuf>,
        /// Leave after this many cycles of the processor
        #[arg(long, value_name = "N")]
        cycles: Option<u64>,
    },
    /// Go on where a saved machine was
    Resume {
        /// The saved state; it is replaced by Ctrl-S, Ctrl-X and the end of piped input
        file: PathBuf,
        /// Save to another file
        #[arg(long, value_name = "FILE")]
        state: Option<PathBuf>,
        /// Leave after this many cycles of the processor
        #[arg(long, value_name = "N")]
        cycles: Option<u64>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let io = error.downcast_ref::<io::Error>();
            if io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe) {
                return ExitCode::SUCCESS;
            }
            eprintln!("emulator: {error}");
            let is_io = io.is_some() || error.downcast_ref::<ssm_std::Error>().is_some_and(ssm_std::Error::is_io);
            ExitCode::from(if is_io { 3 } else { 1 })
        }
    }
}

fn run(command: Option<Command>) -> Result<(), Box<dyn Error>> {
    match command {
        None => story::tell(&mut StandardOutput(io::stdout().lock())),
        Some(Command::Run { state, cycles }) => interactive::interact(Machine::new(), state.as_deref(), cycles),
        Some(Command::Resume { file, state, cycles }) => {
            let machine = state::load(&file, None)?;
            interactive::interact(machine, Some(state.as_deref().unwrap_or(&file)), cycles)
        }
    }
}
