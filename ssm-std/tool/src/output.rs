//! Where a subcommand writes, and how names and JSON look there.

use crate::failure::Failed;
use serde::Serialize;
use ssm_core::LoadError;
use ssm_std::{Failure, replace_file};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

/// Writes text to standard output, with colour only on a terminal. A closed pipe is no error.
pub fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failed> {
    let mut out = BufWriter::new(anstream::stdout().lock());
    stdout_result(write(&mut out).and_then(|()| out.flush()))
}

/// What a write to standard output came to.
pub fn stdout_result(written: io::Result<()>) -> Result<(), Failed> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failed::stdout(&error)),
    }
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

/// Replaces a file by what `write` writes, as a whole or not at all; the error is that of `write`.
pub fn replace(path: &Path, write: impl FnOnce(&mut File) -> Result<(), Failed>) -> Result<(), Failed> {
    if path == Path::new("-") {
        return Err(Failed::usage(path, "a file cannot be called this here, and standard output is not meant".into()));
    }
    let mut failed = None;
    let replaced = replace_file(path, |file| {
        write(file).map_err(|error| {
            failed = Some(error);
            Failure::Load(LoadError::Cancelled)
        })
    });
    match failed {
        Some(failed) => Err(failed),
        None => Ok(replaced?),
    }
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

/// A name on one line: what is not printable, and the backslash, is escaped.
pub fn shown_name(name: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\'' | '"' => shown.push(character),
                _ => shown.extend(character.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}
