//! `ssm info`: what the header and the built-in unit say.

use crate::failure::Failed;
use crate::input::{Archive, Input, Reading};
use crate::output::{print, print_json, shown_name};
use serde::Serialize;
use ssm_core::Header;
use std::path::PathBuf;

/// Readers accept names of notes below 128 and values below 1024 bytes.
const NOTE_ROOM: usize = 2048;

/// Show what the header says, and the notes of the program that wrote it
///
/// The file is checked first: header, size and checksum.
#[derive(clap::Args)]
pub struct Arguments {
    /// The saved state
    file: PathBuf,
    /// Print one JSON object; what the format does not say is null
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
        let info = info(&header, file_bytes, units.as_ref().ok().copied());
        if self.unchecked || units.is_ok() {
            if self.json {
                print_json(&info)?;
            } else {
                let notes = input.read(notes);
                self.print(&header, &info, notes)?;
            }
        }
        units.map(|_| ())
    }

    fn print(&self, header: &Header, info: &Info, notes: Result<Vec<(String, String)>, Failed>) -> Result<(), Failed> {
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
        let mut shown_notes = Vec::new();
        match notes {
            Ok(notes) => shown_notes = notes,
            Err(failed) => rows.push(("notes", format!("not readable: {}", failed.message))),
        }
        print(|out| {
            for (name, value) in &rows {
                writeln!(out, "{name:<24}{value}")?;
            }
            for (name, value) in &shown_notes {
                writeln!(out, "{:<24}{value}", format!("note {name}"))?;
            }
            Ok(())
        })
    }
}

fn info(header: &Header, file_bytes: u64, units: Option<u64>) -> Info {
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

fn notes(archive: &mut Archive) -> Reading<Vec<(String, String)>> {
    let mut notes = Vec::new();
    archive.notes(&mut [0; NOTE_ROOM], &mut |name, value| notes.push((shown_name(name), shown_name(value))))?;
    Ok(notes)
}
