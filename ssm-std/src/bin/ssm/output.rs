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

/// Replaces a file by what `write` writes, as a whole or not at all; the error is that of `write`.
pub fn replace(path: &Path, write: impl FnOnce(&mut File) -> Result<(), Failed>) -> Result<(), Failed> {
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
