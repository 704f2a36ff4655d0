//! The tool `ssm`: looks into saved states and rewrites them in other formats.
//!
//! One file per subcommand. The tool parses arguments, calls the library and prints; nothing of the format is in here.

mod bench;
mod changes;
mod checksum;
mod completions;
mod convert;
mod diff;
mod extract;
mod failure;
mod find;
mod hexdump;
mod info;
mod input;
mod list;
mod man;
mod name;
mod output;
mod passes;
mod per_unit;
mod progress;
mod signals;
mod size;
mod slots;
mod spool;
mod survey;
mod verify;
mod warnings;

use clap::{CommandFactory, Parser, Subcommand};
use failure::Failed;
use std::io::Write;
use std::process::ExitCode;

const EXIT_STATUS: &str = "\
Exit status:
  0  fine
  1  the file is damaged or not a saved state
  2  wrong use, such as a unit that the file does not have
  3  the operating system failed: missing file, full disk, closed output ..
  4  ssm diff: the files are sound and do not hold the same state";

/// Look into saved states of formats 1.0 to 2.0, compare them, and convert them to 1.2 or 2.0.
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
    Diff(diff::Arguments),
    Convert(convert::Arguments),
    Slots(slots::Arguments),
    Bench(bench::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

impl Command {
    fn run(&self) -> Result<ExitCode, Failed> {
        let fine = |()| ExitCode::SUCCESS;
        match self {
            Command::Info(arguments) => {
                arguments.run(&mut |failed| _ = say(failed, failed.has_tip(!arguments.unchecked)))
            }
            Command::List(arguments) => arguments.run().map(fine),
            Command::Verify(arguments) => arguments.run(),
            Command::Extract(arguments) => arguments.run().map(fine),
            Command::Hexdump(arguments) => arguments.run().map(fine),
            Command::Diff(arguments) => arguments.run(),
            Command::Convert(arguments) => arguments.run().map(fine),
            Command::Slots(arguments) => arguments.run(),
            Command::Bench(arguments) => arguments.run().map(fine),
            Command::Completions(arguments) => arguments.run().map(fine),
            Command::Man(arguments) => arguments.run().map(fine),
        }
    }

    /// Whether it has the option `--unchecked` and was not given it.
    fn may_go_unchecked(&self) -> bool {
        match self {
            Command::Info(arguments) => !arguments.unchecked,
            Command::List(arguments) => !arguments.unchecked,
            Command::Extract(arguments) => !arguments.unit.unchecked,
            Command::Hexdump(arguments) => !arguments.unit.unchecked,
            Command::Verify(_) | Command::Diff(_) | Command::Convert(_) | Command::Slots(_) | Command::Bench(_) => {
                false
            }
            Command::Completions(_) | Command::Man(_) => false,
        }
    }
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(usage) => {
            return match usage.print().and_then(|()| std::io::stdout().flush()) {
                Err(error) if !usage.use_stderr() => say(&Failed::stdout(&error), false),
                _ => ExitCode::from(usage.exit_code() as u8),
            };
        }
    };
    match arguments.command.run() {
        Ok(code) => code,
        Err(failed) => say(&failed, failed.has_tip(arguments.command.may_go_unchecked())),
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
