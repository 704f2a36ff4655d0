//! `ssm verify`: whether a file is sound.

use crate::failure::{Details, Failed};
use crate::input::Input;
use crate::output::{counted, message, print, print_json, shown_path};
use crate::size::sized;
use crate::spool::shown;
use crate::warnings::warnings;
use clap::builder::styling::AnsiColor;
use serde::Serialize;
use ssm_core::Header;
use std::path::PathBuf;
use std::process::ExitCode;

/// The words that `error.kind` may hold, with what they mean.
const KINDS: [(&str, &str); 36] = [
    ("magic", "not a saved state"),
    ("version", "a saved state of a format that is not read here"),
    ("truncated", "the file ends before a structure does"),
    ("patched", "a saved state of 1.x where only 2.0 is read"),
    ("writer", "the version of the writing program is out of range"),
    ("width", "the host's bits or an address width is none that exists"),
    ("machine", "the machine's UUID is not nil"),
    ("size", "the file is not as long as its header says"),
    ("crc", "a checksum over the file does not fit the bytes"),
    ("unit-magic", "neither a unit nor the end record where one must be"),
    ("unit-name", "a unit's name is empty, too long or not terminated"),
    ("unit-length", "a unit's length is too small or reaches too far"),
    ("codec", "a unit is packed with a codec that does not exist"),
    ("packed", "a unit's packed bytes do not decode"),
    ("packed-end", "a unit ends inside a packed block or stream"),
    ("window", "a packed block reaches back further than the window"),
    ("stream-field", "2.0: a field of the header is out of range"),
    ("header-crc", "2.0: the header's own checksum does not fit"),
    ("unit-crc", "2.0: the checksum of a unit's header does not fit"),
    ("unit-offset", "2.0: a unit is not where its header says"),
    ("unit-flags", "2.0: a unit has flags that do not exist"),
    ("pass-order", "2.0: a unit is of an earlier pass than one before it"),
    ("end-unit", "2.0: the unit that ends the file is not as it must be"),
    ("record", "2.0: no record where one must be"),
    ("record-type", "2.0: a named record, which no reader reads"),
    ("record-size", "2.0: a record's size is not written as it must be"),
    ("block", "2.0: a packed or zero record has an impossible size"),
    ("terminator", "2.0: a unit's last record does not fit the unit"),
    ("terminator-crc", "2.0: the checksum in it does not fit the bytes"),
    ("directory-magic", "2.0: no directory where it must be"),
    ("directory", "2.0: the directory has a wrong number of entries"),
    ("directory-entry", "2.0: an entry of the directory points elsewhere"),
    ("directory-crc", "2.0: the directory's checksum does not fit"),
    ("footer", "2.0: no footer at the end: the file is cut or goes on"),
    ("footer-crc", "2.0: the footer's checksum does not fit"),
    ("io", "the operating system failed (exit status 3)"),
];

fn long_help() -> String {
    let kinds: String = KINDS.iter().map(|(kind, meaning)| format!("  {kind:<15} {meaning}\n")).collect();
    format!(
        "\
JSON:
  {{\"ok\":true,\"format\":..,\"file_bytes\":..,\"units\":..,\"warnings\":[..]}}
  {{\"ok\":false,\"error\":{{\"kind\":..,\"offset\":..,\"unit\":..,\"message\":..}}}}
  Offset and unit are null where there is none. The kinds:
{kinds}
What the formats cannot notice:
  In 2.0 all bytes are under a checksum, unless the writer left out those over
  the data. In 1.x no checksum covers the end of a file:
  the last 36 bytes in format 1.2, 20 in 1.1 and in 1.0 from 64-bit hosts, 16 in
  1.0 from 32-bit hosts. That is the end record, and in 1.2 the 8 bytes before
  it, which as a rule are the last of the last unit. Damage there is found only
  where it breaks the end record's magic or the decoding of that unit. The first
  44 bytes are not covered either, but each of them is checked in its own right.
  The formats allow what loads refuse: the same name and instance twice (looked
  for among the first 100000 units; a warning says if there are more), and a
  unit SSM/0 that is no list of pairs of strings or not of version 1. These are
  warnings of a sound file: text for people, in JSON an array of such texts,
  empty if there are none; the exit status is 0.

Examples:
  ssm verify machine.sav
  ssh host cat machine.sav | ssm verify -"
    )
}

/// Check everything: header, size, checksums, units, and all packed data
///
/// Every unit is decoded to its end; in format 2.0 every record and the directory are checked as well. The exit status is 1 when anything is wrong.
#[derive(clap::Args)]
#[command(after_long_help = long_help())]
pub struct Arguments {
    /// The saved state, or - for standard input
    file: PathBuf,
    /// Print one JSON object (see --help)
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Verdict<'a> {
    Sound { ok: bool, format: &'a str, file_bytes: u64, units: u64, warnings: &'a [String] },
    Damaged { ok: bool, error: Details<'a> },
}

struct Sound {
    format: &'static str,
    file_bytes: u64,
    units: u64,
    /// What no checksum covers.
    uncovered: String,
    warnings: Vec<String>,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode, Failed> {
        match self.verify() {
            Ok(sound) => {
                self.print_sound(&sound)?;
                Ok(ExitCode::SUCCESS)
            }
            Err(failed) if self.json || failed.code == crate::failure::DAMAGED => {
                self.print_damage(&failed)?;
                Ok(ExitCode::from(failed.code))
            }
            Err(failed) => Err(failed),
        }
    }

    fn verify(&self) -> Result<Sound, Failed> {
        Input::open(&self.file, true, 2)?.read(|archive| {
            // In 2.0 the checksums are looked at on the way, and a file that is cut is best told by its end.
            match archive.header().format.is_streamed() {
                true => archive.check_end()?,
                false => archive.check()?,
            }
            archive.verify(&mut |_| ())?;
            let (count, warnings) = warnings(archive)?;
            let header = archive.header();
            Ok(Sound {
                format: header.format.as_str(),
                file_bytes: archive.file_len(),
                units: count,
                uncovered: uncovered(header),
                warnings,
            })
        })
    }

    fn print_sound(&self, sound: &Sound) -> Result<(), Failed> {
        let Sound { format, file_bytes, units, uncovered, warnings } = sound;
        if self.json {
            let (file_bytes, units) = (*file_bytes, *units);
            return print_json(&Verdict::Sound { ok: true, format, file_bytes, units, warnings });
        }
        let units = counted(*units, "unit");
        let style = AnsiColor::Green.on_default().bold();
        print(|out| {
            write!(out, "{}: {style}sound{style:#}", shown_path(shown(&self.file)))?;
            writeln!(out, "{}", if warnings.is_empty() { String::new() } else { format!(", {units}; but:") })?;
            for warning in warnings {
                writeln!(out, "{}", message(&format!("  {warning}"), "    "))?;
            }
            writeln!(out, "  format {format}, {}, {units}, all decoded", sized(*file_bytes))?;
            writeln!(out, "  {uncovered}")
        })
    }

    fn print_damage(&self, failed: &Failed) -> Result<(), Failed> {
        let Failed { kind, message, .. } = failed;
        if self.json {
            let error = failed.details();
            return print_json(&Verdict::Damaged { ok: false, error });
        }
        let style = AnsiColor::Red.on_default().bold();
        print(|out| {
            let (verdict, word) = match *kind {
                "magic" => ("not a saved state", String::new()),
                "version" => ("a saved state of another format", String::new()),
                kind => ("damaged", format!(" ({kind})")),
            };
            writeln!(out, "{}: {style}{verdict}{style:#}{word}", shown_path(shown(&self.file)))?;
            writeln!(out, "{}", self::message(&format!("  {message}"), "    "))
        })
    }
}

fn uncovered(header: &Header) -> String {
    match header.stream {
        Some(stream) if stream.is_checked => "every byte is under a checksum".to_owned(),
        Some(_) => "no checksum covers the data: its writer left it out".to_owned(),
        None => {
            let bytes = header.file_len - header.uncovered_from();
            format!("no checksum covers the last {bytes} bytes (see ssm verify --help)")
        }
    }
}
