//! `ssm hexdump`: the plain bytes of one unit, to be looked at.

use crate::failure::Failed;
use crate::find::UnitArguments;
use crate::input::{PIECE, at_unit, pieces};
use crate::output::stdout_result;
use clap::builder::styling::Style;
use ssm_core::{LoadError, UnitError};
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};

const LINE: usize = 16;

/// Show the plain bytes of one unit in hexadecimal and ASCII
///
/// The file is checked first. A unit that it does not have is wrong use (exit status 2), told apart from a damaged file
/// (1). Numbers are decimal, or hexadecimal after 0x.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pub unit: UnitArguments,
    /// Start at this plain byte
    #[arg(long, value_name = "O", value_parser = number, default_value = "0", allow_hyphen_values = true)]
    offset: u64,
    /// Show this many bytes at most
    #[arg(long, value_name = "L", value_parser = number, allow_hyphen_values = true)]
    length: Option<u64>,
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failed> {
        let (mut input, unit_offset) = self.unit.open()?;
        input.progress.end();
        let mut out = BufWriter::new(anstream::stdout().lock());
        let dumped = input.read(|archive| {
            at_unit(archive, unit_offset, |unit| {
                let mut at = self.offset;
                let dumped = unit.read(|get| {
                    get.skip(self.offset)?;
                    pieces(get, self.length.unwrap_or(u64::MAX), &mut vec![0; PIECE], |piece| {
                        dump(&mut out, &mut at, piece)
                    })
                });
                match dumped {
                    Err(LoadError::Unit { error: UnitError::End, at: len, .. }) => Ok(Err(len)),
                    dumped => dumped.map(Ok),
                }
            })
        })?;
        match dumped {
            Ok(written) => stdout_result(written.and_then(|()| out.flush())),
            Err(len) => {
                let message = format!("offset {} is beyond the unit's end: it has {len} bytes", self.offset);
                Err(Failed::usage(&input.path, message))
            }
        }
    }
}

/// Writes the lines of `piece`, which starts at `at` and, unless it is the last, ends with a full line.
fn dump(out: &mut impl Write, at: &mut u64, piece: &[u8]) -> io::Result<()> {
    let dimmed = Style::new().dimmed();
    for line in piece.chunks(LINE) {
        let mut hex = String::new();
        let mut text = String::new();
        for (index, &byte) in line.iter().enumerate() {
            let gap = if index == LINE / 2 { "  " } else { " " };
            let _ = write!(hex, "{gap}{byte:02x}");
            text.push(if byte.is_ascii_graphic() || byte == b' ' { byte.into() } else { '.' });
        }
        writeln!(out, "{dimmed}{at:08x}{dimmed:#} {hex:<49}  |{text}|")?;
        *at = at.saturating_add(line.len() as u64);
    }
    Ok(())
}

/// A number as a person writes it.
pub fn number(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|error| error.to_string())
}
