//! `ssm info`: what the header and the built-in unit say.

use crate::failure::Failed;
use crate::input::{Archive, Input, Reading};
use crate::output::{described, print, print_json, shown_name};
use serde::Serialize;
use ssm_core::Header;
use std::path::PathBuf;

/// Readers accept names of notes below 128 and values below 1024 bytes.
const NOTE_ROOM: usize = 2048;

/// Notes that are shown at most; the others are counted.
const MOST_NOTES: usize = 100;

const JSON_HELP: &str = "\
JSON:
  {\"format\":..,\"writer\":{\"major\":..,\"minor\":..,\"build\":..,\"revision\":..},
   \"host_bits\":..,\"gc_phys_bytes\":..,\"gc_ptr_bytes\":..,\"file_bytes\":..,
   \"units\":..,\"notes\":[[NAME,VALUE],..],\"notes_left_out\":..,\"checksum\":..,
   \"stream\":{\"units_registered\":..,\"checked\":..,\"live\":..,
             \"largest_block\":..,\"passes\":..}}
  Notes are the first 100, and how many more there are; both are null if they
  are not readable. The checksum is \"right\", or \"unchecked\" with --unchecked:
  a file with a wrong one is refused without it; or \"absent\", which 2.0 allows.
  The stream is null but in 2.0. It has: the units that its writer knew of;
  whether there is a checksum over the data; whether the machine ran meanwhile;
  the bytes of the largest block; the passes before the final one (null if the
  units are not readable).

Examples:
  ssm info machine.sav
  ssh host cat machine.sav | ssm info -";

/// Show what the header says, and the notes of the program that wrote it
///
/// The file is checked first: header, size and checksums.
#[derive(clap::Args)]
#[command(after_long_help = JSON_HELP)]
pub struct Arguments {
    /// The saved state, or - for standard input
    file: PathBuf,
    /// Print one JSON object; what the format does not say is null (see --help)
    #[arg(long)]
    json: bool,
    /// Check nothing but the header, to see what is left of a damaged file
    #[arg(long)]
    pub unchecked: bool,
}

#[derive(Serialize)]
struct Info {
    format: &'static str,
    writer: Option<Writer>,
    host_bits: Option<u8>,
    gc_phys_bytes: Option<u8>,
    gc_ptr_bytes: Option<u8>,
    file_bytes: u64,
    units: Option<u64>,
    notes: Option<Vec<(String, String)>>,
    notes_left_out: Option<u64>,
    checksum: &'static str,
    stream: Option<Stream>,
}

/// What only format 2.0 says.
#[derive(Serialize)]
struct Stream {
    units_registered: u32,
    checked: bool,
    live: bool,
    largest_block: u32,
    passes: Option<u64>,
}

/// How many units there are, and passes before the final one.
#[derive(Clone, Copy, Default)]
struct Counts {
    units: u64,
    passes: u64,
}

/// The first notes, and how many there are.
#[derive(Default)]
struct Notes {
    first: Vec<(Vec<u8>, Vec<u8>)>,
    count: u64,
}

impl Notes {
    fn left_out(&self) -> u64 {
        self.count.saturating_sub(self.first.len() as u64)
    }
}

#[derive(Serialize)]
struct Writer {
    major: u16,
    minor: u16,
    build: u32,
    revision: u32,
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failed> {
        let mut input = Input::open(&self.file, self.unchecked, 0)?;
        let header = input.header();
        let file_bytes = input.read(|archive| Ok(archive.file_len()))?;
        let counts = input.read(count);
        if self.unchecked || counts.is_ok() {
            let notes = input.read(notes);
            input.progress.end();
            let info = self.info(&header, file_bytes, counts.as_ref().ok().copied(), notes.as_ref().ok());
            if self.json { print_json(&info)? } else { self.print(&header, &info, &notes)? }
        }
        counts.map(|_| ())
    }

    fn info(&self, header: &Header, file_bytes: u64, counts: Option<Counts>, notes: Option<&Notes>) -> Info {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Info {
            format: header.format.as_str(),
            writer: header.writer.map(|writer| Writer {
                major: writer.major,
                minor: writer.minor,
                build: writer.build,
                revision: writer.revision,
            }),
            host_bits: header.host_bits,
            gc_phys_bytes: header.gc_phys_bytes,
            gc_ptr_bytes: header.gc_ptr_bytes,
            file_bytes,
            units: counts.map(|counts| counts.units),
            notes: notes.map(|notes| notes.first.iter().map(|(name, value)| (text(name), text(value))).collect()),
            notes_left_out: notes.map(Notes::left_out),
            checksum: match header.stream {
                Some(stream) if !stream.is_checked => "absent",
                _ if self.unchecked => "unchecked",
                _ => "right",
            },
            stream: header.stream.map(|stream| Stream {
                units_registered: stream.units,
                checked: stream.is_checked,
                live: stream.is_live,
                largest_block: stream.max_block,
                passes: counts.map(|counts| counts.passes),
            }),
        }
    }

    fn print(&self, header: &Header, info: &Info, notes: &Result<Notes, Failed>) -> Result<(), Failed> {
        let bytes = |width: Option<u8>| width.map_or("not recorded".into(), |width| format!("{width} bytes"));
        let checksum = match info.checksum {
            "absent" => "none over the data",
            "unchecked" => "not checked",
            right => right,
        };
        // That of 2.0 is at the file's end, not in its header.
        let value = if info.stream.is_some() { String::new() } else { format!("{:#010x}, ", header.crc) };
        let mut rows = vec![
            ("format", info.format.to_owned()),
            (
                "writer",
                info.writer.as_ref().map_or("not recorded".into(), |writer| {
                    let Writer { major, minor, build, revision } = writer;
                    format!("version {major}.{minor}.{build}, revision {revision}")
                }),
            ),
            ("host", info.host_bits.map_or("not recorded".into(), |bits| format!("{bits} bits"))),
            ("guest-physical address", bytes(info.gc_phys_bytes)),
            ("guest pointer", bytes(info.gc_ptr_bytes)),
            ("file", format!("{} bytes", info.file_bytes)),
            ("checksum", value + checksum),
            ("units", info.units.map_or("not known".into(), |units| units.to_string())),
        ];
        if let Some(stream) = &info.stream {
            let passes = match stream.passes {
                _ if !stream.live => "no: the machine was stopped".to_owned(),
                Some(1) => "yes: 1 pass and the final one".to_owned(),
                Some(passes) => format!("yes: {passes} passes and the final one"),
                None => "yes".to_owned(),
            };
            rows.push(("units registered", stream.units_registered.to_string()));
            rows.push(("largest block", format!("{} bytes", stream.largest_block)));
            rows.push(("saved live", passes));
        }
        if let Err(failed) = notes {
            rows.push(("notes", format!("not readable: {}", failed.message)));
        }
        print(|out| {
            for (name, value) in &rows {
                writeln!(out, "{}", described(name, value))?;
            }
            let Ok(notes) = notes else { return Ok(()) };
            for (name, value) in &notes.first {
                writeln!(out, "{}", described(&format!("note {}", shown_name(name)), &shown_name(value)))?;
            }
            match notes.left_out() {
                0 => Ok(()),
                more => writeln!(out, ".. and {more} more"),
            }
        })
    }
}

fn count(archive: &mut Archive) -> Reading<Counts> {
    let mut counts = Counts::default();
    let mut units = archive.units();
    while let Some(unit) = units.next_unit()? {
        counts.units += 1;
        counts.passes = counts.passes.max(unit.pass().map_or(0, |pass| u64::from(pass) + 1));
    }
    Ok(counts)
}

fn notes(archive: &mut Archive) -> Reading<Notes> {
    let mut notes = Notes::default();
    archive.notes(&mut [0; NOTE_ROOM], &mut |name, value| {
        notes.count += 1;
        if notes.first.len() < MOST_NOTES {
            notes.first.push((name.to_vec(), value.to_vec()));
        }
    })?;
    Ok(notes)
}
