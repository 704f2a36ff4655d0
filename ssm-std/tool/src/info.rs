//! `ssm info`: what the header and the built-in unit say.

use crate::failure::{Details, Failed};
use crate::input::{Archive, Input, Reading};
use crate::name::shown_name;
use crate::output::{described, print, print_json, say_note, shown_path};
use crate::passes::Passes;
use crate::size::sized;
use crate::spool::shown;
use serde::Serialize;
use ssm_core::Header;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

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
  Of several files one such line for each, with \"file\":.. in front, or
  {\"file\":..,\"error\":{\"kind\":..,\"offset\":..,\"unit\":..,\"message\":..}}.
  Notes are the first 100, and how many more there are; both are null if they
  are not readable. The checksum is \"right\", or \"unchecked\" with --unchecked:
  a file with a wrong one is refused without it; or \"absent\", which 2.0 allows.
  The stream is null but in 2.0. It has: the units that its writer knew of;
  whether there is a checksum over the data; whether the machine ran meanwhile;
  the bytes of the largest block; the passes before the final one (null if the
  units are not readable).

Examples:
  ssm info machine.sav
  ssm info *.sav
  ssh host cat machine.sav | ssm info -";

/// Show what the header says, and the notes of the program that wrote it
///
/// Each file is checked first: header, size and checksums. One that cannot be read hides no other; the exit status is then
/// the largest of all files. Of a live save the notes are those of the final pass, and a line on standard error names the
/// others.
#[derive(clap::Args)]
#[command(after_long_help = JSON_HELP)]
pub struct Arguments {
    /// The saved states; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Print one JSON object; what the format does not say is null (see --help)
    #[arg(long)]
    json: bool,
    /// Check nothing but the header, to see what is left of a damaged file
    #[arg(long)]
    pub unchecked: bool,
}

#[derive(Serialize)]
struct Info {
    /// Told where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
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
#[derive(Clone, Default)]
struct Counts {
    units: u64,
    passes: u64,
    passes_with_units: Passes,
}

/// The first notes, and how many there are.
#[derive(Default)]
pub struct Notes {
    pub first: Vec<(Vec<u8>, Vec<u8>)>,
    count: u64,
}

impl Notes {
    fn left_out(&self) -> u64 {
        self.count.saturating_sub(self.first.len() as u64)
    }
}

/// A file of several that cannot be shown.
#[derive(Serialize)]
struct Unreadable<'a> {
    file: String,
    error: Details<'a>,
}

#[derive(Serialize)]
struct Writer {
    major: u16,
    minor: u16,
    build: u32,
    revision: u32,
}

impl Arguments {
    /// Shows each file and gives its failure to `say`; the largest exit status.
    pub fn run(&self, say: &mut dyn FnMut(&Failed)) -> Result<ExitCode, Failed> {
        if let Some(twice) = self.files.iter().filter(|file| *file == Path::new("-")).nth(1) {
            return Err(Failed::usage(twice, "standard input can be read once".into()));
        }
        let [file] = &self.files[..] else {
            let (mut worst, mut shown_before) = (0, false);
            for file in &self.files {
                let mut is_shown = false;
                let outcome = self.show(file, Some(shown_before), &mut is_shown);
                shown_before |= is_shown;
                let Err(failed) = outcome else { continue };
                if failed.is_of_output() {
                    return Err(failed);
                }
                worst = worst.max(failed.code);
                if self.json && !is_shown {
                    print_json(&Unreadable { file: shown_path(shown(file)), error: failed.details() })?;
                }
                say(&failed);
            }
            return Ok(ExitCode::from(worst));
        };
        self.show(file, None, &mut false).map(|()| ExitCode::SUCCESS)
    }

    /// Shows a file, with its name if it is one of several: then `of_several` says whether another was shown before.
    fn show(&self, file: &Path, of_several: Option<bool>, is_shown: &mut bool) -> Result<(), Failed> {
        let mut input = Input::open(file, self.unchecked, 0)?;
        let header = input.header();
        let file_bytes = input.read(|archive| Ok(archive.file_len()))?;
        let counts = input.read(count);
        if self.unchecked || counts.is_ok() {
            let notes = input.read(notes);
            input.progress.end();
            let counts = counts.as_ref().ok();
            if let Some(counts) = counts.filter(|counts| !counts.passes_with_units.is_empty()) {
                let passes = counts.passes_with_units.in_words();
                let text = format!("a live save: {passes} have units too; the notes shown are those of the final one");
                say_note(&input.path, &text);
            }
            let mut info = self.info(&header, file_bytes, counts, notes.as_ref().ok());
            info.file = of_several.map(|_| shown_path(&input.path));
            if self.json {
                print_json(&info)?
            } else {
                self.print(&header, &info, &notes, of_several)?
            }
            *is_shown = true;
        }
        counts.map(|_| ())
    }

    fn info(&self, header: &Header, file_bytes: u64, counts: Option<&Counts>, notes: Option<&Notes>) -> Info {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Info {
            file: None,
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

    fn print(
        &self,
        header: &Header,
        info: &Info,
        notes: &Result<Notes, Failed>,
        of_several: Option<bool>,
    ) -> Result<(), Failed> {
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
            ("file", sized(info.file_bytes)),
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
            rows.push(("largest block", sized(stream.largest_block.into())));
            rows.push(("saved live", passes));
        }
        if let Err(failed) = notes {
            rows.push(("notes", format!("not readable: {}", failed.message)));
        }
        print(|out| {
            if let (Some(shown_before), Some(file)) = (of_several, &info.file) {
                let between = if shown_before { "\n" } else { "" };
                writeln!(out, "{between}{file}:")?;
            }
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
        counts.passes_with_units.add(unit.pass());
        counts.passes = counts.passes.max(unit.pass().map_or(0, |pass| u64::from(pass) + 1));
    }
    Ok(counts)
}

/// The notes of a file.
pub fn notes(archive: &mut Archive) -> Reading<Notes> {
    let mut notes = Notes::default();
    archive.notes(&mut [0; NOTE_ROOM], &mut |name, value| {
        notes.count += 1;
        if notes.first.len() < MOST_NOTES {
            notes.first.push((name.to_vec(), value.to_vec()));
        }
    })?;
    Ok(notes)
}
