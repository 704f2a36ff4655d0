//! Where a subcommand writes: standard output, standard error, and files that are replaced.

use crate::failure::Failed;
use serde::Serialize;
use ssm_core::LoadError;
use ssm_std::{Failure, replace_file, replace_file_from};
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

/// Writes text to standard output, with colour only on a terminal.
pub fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failed> {
    let mut out = BufWriter::new(anstream::stdout().lock());
    stdout_result(write(&mut out).and_then(|()| out.flush()))
}

/// What a write to standard output came to. That its reader is gone is a failure too: what was asked for did not get there.
pub fn stdout_result(written: io::Result<()>) -> Result<(), Failed> {
    written.map_err(|error| Failed::stdout(&error))
}

/// Refuses to write bytes to a terminal that were not made for one.
pub fn not_raw_to_a_terminal() -> Result<(), Failed> {
    if !io::stdout().is_terminal() {
        return Ok(());
    }
    let message = "the bytes of a unit are not for a terminal: give --output OUT, or --output - to have them there";
    Err(Failed::usage(Path::new("standard output"), message.into()))
}

/// Says on standard error what a user should know and did not ask for.
pub fn say_note(path: &Path, text: &str) {
    let note = message(&format!("note: {}: {text}", shown_path(path)), "  ");
    // With nowhere to say it, the work is still done.
    let _ = writeln!(anstream::stderr().lock(), "{note}");
}

/// A path in a message: what could do something to a terminal is escaped.
pub fn shown_path(path: &Path) -> String {
    let mut shown = String::new();
    for character in path.display().to_string().chars() {
        // Control characters, and those that turn the direction of text.
        if character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Prints a value as one line of JSON.
pub fn print_json(value: &impl Serialize) -> Result<(), Failed> {
    print(|out| {
        serde_json::to_writer(&mut *out, value)?;
        writeln!(out)
    })
}

/// Refuses to write a part of a file over the file itself.
pub fn not_over_itself(input: &Path, output: &Path) -> Result<(), Failed> {
    match (input.canonicalize(), output.canonicalize()) {
        (Ok(input), Ok(same)) if input == same => {
            Err(Failed::usage(output, "is the file that is read; what is taken out of it would replace it".into()))
        }
        _ => Ok(()),
    }
}

/// Replaces a file by what `write` writes, as a whole or not at all; the error is that of `write`. The new file is no more
/// open than the one called `source`, from which its content is; `-` is standard input.
pub fn replace(path: &Path, source: &Path, write: impl FnOnce(&mut File) -> Result<(), Failed>) -> Result<(), Failed> {
    if path == Path::new("-") {
        return Err(Failed::usage(path, "a file cannot be called this here, and standard output is not meant".into()));
    }
    crate::signals::remove_temporary_files();
    let mut failed = None;
    let write = |file: &mut File| {
        write(file).map_err(|error| {
            failed = Some(error);
            Failure::Load(LoadError::Cancelled)
        })
    };
    let replaced = match opened(source) {
        Some(source) => replace_file_from(path, &source, write),
        None => replace_file(path, write),
    };
    match failed {
        Some(failed) => Err(failed),
        None => Ok(replaced?),
    }
}

/// What a new file must not be more open than, if it is a file: of a pipe nobody knows who may read what comes out of it.
fn opened(source: &Path) -> Option<File> {
    let file = match source.metadata() {
        _ if source == Path::new("-") => standard_input(),
        // Opening a pipe waits for its other end.
        Ok(metadata) if metadata.is_file() => File::open(source),
        _ => return None,
    };
    file.ok().filter(|file| file.metadata().is_ok_and(|metadata| metadata.is_file()))
}

#[cfg(unix)]
fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn standard_input() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

/// The width that lines of text for people keep to.
const WIDTH: usize = 80;

/// Text for people in lines of at most 80 columns, those after the first indented.
fn wrapped(text: &str, indent: &str, break_words: bool) -> String {
    let options = textwrap::Options::new(WIDTH)
        .subsequent_indent(indent)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(break_words);
    textwrap::fill(text, options)
}

/// A message for people in lines of at most 80 columns. A word stays whole, so that paths can be copied.
pub fn message(text: &str, indent: &str) -> String {
    wrapped(text, indent, false)
}

/// A name and what it stands for, beside each other, in lines of at most 80 columns.
pub fn described(name: &str, value: &str) -> String {
    wrapped(&format!("{name:<23} {value}"), &" ".repeat(24), true)
}

/// A number of things, in words.
pub fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}
