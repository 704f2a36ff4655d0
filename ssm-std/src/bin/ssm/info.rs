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
   \"units\":..,\"notes\":[[NAME,VALUE],..],\"notes_left_out\":..,\"checksum\":..}
  Notes are the first 100, and how many more there are; both are null if they
  are not readable. The checksum is \"right\", or \"unchecked\" with --unchecked:
  a file with a wrong one is refused without it.";

/// Show what the header says, and the notes of the program that wrote it
///
/// The file is checked first: header, size and checksum.
#[derive(clap::Args)]
#[command(after_long_help = JSON_HELP)]
pub struct Arguments {
    /// The saved state
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
        let (header, file_bytes) = input.read(|archive| Ok((*archive.header(), archive.file_len())))?;
        let units = input.read(count_units);
        if self.unchecked || units.is_ok() {
            let notes = input.read(notes);
            input.progress.end();
            let info = self.info(&header, file_bytes, units.as_ref().ok().copied(), notes.as_ref().ok());
            if self.json { print_json(&info)? } else { self.print(&header, &info, &notes)? }
        }
        units.map(|_| ())
    }

    fn info(&self, header: &Header, file_bytes: u64, units: Option<u64>, notes: Option<&Notes>) -> Info {
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
            units,
            notes: notes.map(|notes| notes.first.iter().map(|(name, value)| (text(name), text(value))).collect()),
            notes_left_out: notes.map(Notes::left_out),
            checksum: if self.unchecked { "unchecked" } else { "right" },
        }
    }

    fn print(&self, header: &Header, info: &Info, notes: &Result<Notes, Failed>) -> Result<(), Failed> {
        let bytes = |width: Option<u8>| width.map_or("not recorded".into(), |width| format!("{width} bytes"));
        let state = if self.unchecked { "not checked" } else { "right" };
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
            ("checksum", format!("{:#010x}, {state}", header.crc)),
            ("units", info.units.map_or("not known".into(), |units| units.to_string())),
        ];
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

fn count_units(archive: &mut Archive) -> Reading<u64> {
    let mut count = 0;
    let mut units = archive.units();
    while units.next_unit()?.is_some() {
        count += 1;
    }
    Ok(count)
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
