//! `ssm verify`: whether a file is sound.

use crate::failure::Failed;
use crate::input::Input;
use crate::output::{counted, message, print, print_json};
use crate::warnings::warnings;
use clap::builder::styling::AnsiColor;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// The words that `error.kind` may hold, with what they mean.
const KINDS: [(&str, &str); 16] = [
    ("magic", "not a saved state"),
    ("version", "a saved state of a format that is not read here"),
    ("truncated", "the file ends before a structure does"),
    ("writer", "the version of the writing program is out of range"),
    ("width", "the host's bits or an address width is none that exists"),
    ("machine", "the machine's UUID is not nil"),
    ("size", "the file is not as long as its header says"),
    ("crc", "the checksum does not fit the bytes"),
    ("unit-magic", "neither a unit nor the end record where one must be"),
    ("unit-name", "a unit's name is empty, too long or not terminated"),
    ("unit-length", "a unit's length is too small or reaches too far"),
    ("codec", "a unit is packed with a codec that does not exist"),
    ("packed", "a unit's packed bytes do not decode"),
    ("packed-end", "a unit ends inside a packed block or stream"),
    ("window", "a packed block reaches back further than the window"),
    ("io", "the operating system failed (exit status 3)"),
];

fn long_help() -> String {
    let kinds: String = KINDS.iter().map(|(kind, meaning)| format!("  {kind:<12} {meaning}\n")).collect();
    format!(
        "\
JSON:
  {{\"ok\":true,\"format\":..,\"file_bytes\":..,\"units\":..,\"warnings\":[..]}}
  {{\"ok\":false,\"error\":{{\"kind\":..,\"offset\":..,\"unit\":..,\"message\":..}}}}
  Offset and unit are null where there is none. The kinds:
{kinds}
What the format cannot notice:
  No checksum covers the end of a file: the last 36 bytes in format 1.2, 20 in
  1.1 and in 1.0 from 64-bit hosts, 16 in 1.0 from 32-bit hosts. That is the
  end record, and in 1.2 the 8 bytes before it, which as a rule are the last of
  the last unit. Damage there is found only where it breaks the end record's
  magic or the decoding of that unit. The first 44 bytes are not covered
  either, but each of them is checked in its own right.
  The format allows what loads refuse: the same name and instance twice (looked
  for among the first 100000 units; a warning says if there are more), and a
  unit SSM/0 that is no list of pairs of strings or not of version 1. These are
  warnings of a sound file: text for people, in JSON an array of such texts,
  empty if there are none; the exit status is 0."
    )
}

/// Check everything: header, size, checksum, units, and all packed data
///
/// Every unit is decoded to its end. The exit status is 1 when anything is wrong.
#[derive(clap::Args)]
#[command(after_long_help = long_help())]
pub struct Arguments {
    /// The saved state
    file: PathBuf,
    /// Print one JSON object (see --help)
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Verdict<'a> {
    Sound { ok: bool, format: &'a str, file_bytes: u64, units: u64, warnings: &'a [String] },
    Damaged { ok: bool, error: Damage<'a> },
}

#[derive(Serialize)]
struct Damage<'a> {
    kind: &'a str,
    offset: Option<u64>,
    unit: Option<&'a str>,
    message: &'a str,
}

struct Sound {
    format: &'static str,
    file_bytes: u64,
    units: u64,
    uncovered: u64,
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
        Input::open(&self.file, false, 1)?.read(|archive| {
            archive.verify(&mut |_| ())?;
            let (count, warnings) = warnings(archive)?;
            let header = archive.header();
            Ok(Sound {
                format: header.format.as_str(),
                file_bytes: header.file_len,
                units: count,
                uncovered: header.file_len - header.uncovered_from(),
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
            write!(out, "{}: {style}sound{style:#}", self.file.display())?;
            writeln!(out, "{}", if warnings.is_empty() { String::new() } else { format!(", {units}; but:") })?;
            for warning in warnings {
                writeln!(out, "{}", message(&format!("  {warning}"), "    "))?;
            }
            writeln!(out, "  format {format}, {file_bytes} bytes, {units}, all decoded")?;
            writeln!(out, "  no checksum covers the last {uncovered} bytes (see ssm verify --help)")
        })
    }

    fn print_damage(&self, failed: &Failed) -> Result<(), Failed> {
        let Failed { kind, offset, unit, message, .. } = failed;
        if self.json {
            let error = Damage { kind, offset: *offset, unit: unit.as_deref(), message };
            return print_json(&Verdict::Damaged { ok: false, error });
        }
        let style = AnsiColor::Red.on_default().bold();
        print(|out| {
            let (verdict, word) = match *kind {
                "magic" => ("not a saved state", String::new()),
                "version" => ("a saved state of another format", String::new()),
                kind => ("damaged", format!(" ({kind})")),
            };
            writeln!(out, "{}: {style}{verdict}{style:#}{word}", self.file.display())?;
            writeln!(out, "{}", self::message(&format!("  {message}"), "    "))
        })
    }
}
