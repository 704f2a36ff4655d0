//! The tool `ssm`: looks into saved states and rewrites them in other formats.
//!
//! One file per subcommand. The tool parses arguments, calls the library and prints; nothing of the format is in here.

mod bench;
mod convert;
mod extract;
mod failure;
mod find;
mod hexdump;
mod info;
mod input;
mod list;
mod output;
mod progress;
mod slots;
mod spool;
mod survey;
mod verify;
mod warnings;

use clap::{CommandFactory, Parser, Subcommand};
use failure::Failed;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

const EXIT_STATUS: &str = "\
Exit status:
  0  fine
  1  the file is damaged or not a saved state
  2  wrong use, such as a unit that the file does not have
  3  the operating system failed: missing file, full disk ..";

/// Look into saved states of formats 1.0 to 2.0, and convert them to 1.2 or 2.0.
///
/// A saved state is a file, a pipe, or - for standard input. What cannot be read at any place is copied to a temporary file
/// without a name first.
#[derive(Parser)]
#[command(name = "ssm", version, after_help = EXIT_STATUS, arg_required_else_help = true)]
#[command(max_term_width = 80)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Info(info::Arguments),
    List(list::Arguments),
    Verify(verify::Arguments),
    Extract(extract::Arguments),
    Hexdump(hexdump::Arguments),
    Convert(convert::Arguments),
    Slots(slots::Arguments),
    Bench(bench::Arguments),
}

impl Command {
    fn run(&self) -> Result<ExitCode, Failed> {
        let fine = |()| ExitCode::SUCCESS;
        match self {
            Command::Info(arguments) => arguments.run().map(fine),
            Command::List(arguments) => arguments.run().map(fine),
            Command::Verify(arguments) => arguments.run(),
            Command::Extract(arguments) => arguments.run().map(fine),
            Command::Hexdump(arguments) => arguments.run().map(fine),
            Command::Convert(arguments) => arguments.run().map(fine),
            Command::Slots(arguments) => arguments.run(),
            Command::Bench(arguments) => arguments.run().map(fine),
        }
    }

    /// Whether it has the option `--unchecked` and was not given it.
    fn may_go_unchecked(&self) -> bool {
        match self {
            Command::Info(arguments) => !arguments.unchecked,
            Command::List(arguments) => !arguments.unchecked,
            Command::Extract(arguments) => !arguments.unit.unchecked,
            Command::Hexdump(arguments) => !arguments.unit.unchecked,
            Command::Verify(_) | Command::Convert(_) | Command::Slots(_) | Command::Bench(_) => false,
        }
    }
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(usage) => {
            return match usage.print().and_then(|()| std::io::stdout().flush()) {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => say(&Failed::stdout(&error), false),
                _ => ExitCode::from(usage.exit_code() as u8),
            };
        }
    };
    match arguments.command.run() {
        Ok(code) => code,
        Err(failed) => {
            let has_tip = failed.is_checksum_or_size() && arguments.command.may_go_unchecked();
            say(&failed, has_tip)
        }
    }
}

/// Says a failure on standard error; its exit status.
fn say(failed: &Failed, has_tip: bool) -> ExitCode {
    let styles = Arguments::command().get_styles().clone();
    let (error, tip) = (styles.get_error(), styles.get_valid());
    // With nowhere to say it, the exit status still tells.
    let mut stderr = anstream::stderr().lock();
    let _ = writeln!(stderr, "{}", output::message(&format!("{error}error:{error:#} {failed}"), "  "));
    if has_tip {
        let _ = writeln!(stderr, "  {tip}tip:{tip:#} --unchecked shows what is left of a damaged file");
    }
    ExitCode::from(failed.code)
}
