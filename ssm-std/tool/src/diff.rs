//! `ssm diff`: what two files hold that is not the same.

mod compare;
mod ranges;

use crate::failure::{DIFFERENT, Failed};
use crate::info::notes;
use crate::input::Input;
use crate::name::shown_name;
use crate::output::{counted, message, print, print_json, shown_path};
use crate::progress::Progress;
use crate::size::sized;
use compare::{Changed, Comparison, Found, Key, Only, Side};
use ranges::Differing;
use serde::Serialize;
use ssm_core::{Header, LoadError};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

const LONG_HELP: &str = "\
What is compared:
  The plain bytes of the units, whatever the formats and codecs of the files are.
  Units are the same unit if they have the same name, instance and live pass; of
  several of these the first is compared with the first, and so on. Their order
  does not matter, nor does who wrote the files. Of the headers the widths of
  the host, of guest-physical addresses and of guest pointers are compared where
  both files record them; of the built-in unit SSM also the notes, by their
  names (the first 100). Whether a unit is optional is not compared.
  A range of bytes goes on if fewer than 8 equal bytes lie between two that
  differ. Of a unit that is longer in one file the bytes that both have are
  compared. At most 1000 units are listed in each way; all are counted.
  Files of which neither has the units in the order of the other may have up to
  262144 units in what is not in that order.

JSON:
  {\"same\":..,\"a\":{\"file\":..,\"format\":..,\"units\":..,\"plain_bytes\":..},\"b\":{..},
   \"header\":[{\"field\":..,\"a\":..,\"b\":..},..],
   \"units_only_in_a\":..,\"only_in_a\":[{\"name\":..,\"instance\":..,\"pass\":..,
     \"version\":..,\"plain_bytes\":..},..],\"units_only_in_b\":..,\"only_in_b\":[..],
   \"units_changed\":..,\"changed\":[{\"name\":..,\"instance\":..,\"pass\":..,
     \"versions\":[A,B],\"plain_bytes\":[A,B],\"differing_bytes\":..,
     \"differing_ranges\":..,\"ranges\":[{\"offset\":..,\"bytes\":..},..]},..],
   \"notes\":[{\"name\":..,\"a\":..,\"b\":..},..]}
  The ranges are the first ones (see --ranges). A note that a file does not have
  is null.

Examples:
  ssm diff before.sav after.sav
  ssm diff --json before.sav after.sav | jq .units_changed
  ssh host cat machine.sav | ssm diff machine.sav -";

/// Show in what two saved states differ, unit by unit, without knowing their programs
///
/// The exit status is 0 if they hold the same state and 4 if not; nothing is shown of a file that is damaged. Memory is
/// a few MiB, whatever the size of the files.
#[derive(clap::Args)]
#[command(after_long_help = LONG_HELP)]
pub struct Arguments {
    /// One saved state, or - for standard input
    a: PathBuf,
    /// The other
    b: PathBuf,
    /// Show this many ranges of each unit
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=1000))]
    ranges: u16,
    /// Print one JSON object (see --help)
    #[arg(long)]
    json: bool,
}

/// All that is not the same.
struct Differences {
    headers: [Header; 2],
    header: Vec<Field>,
    found: Found,
    notes: Vec<Note>,
}

/// A field of the header.
#[derive(Serialize)]
struct Field {
    field: &'static str,
    a: u8,
    b: u8,
}

/// A note of one file or both.
#[derive(Serialize)]
struct Note {
    name: String,
    a: Option<String>,
    b: Option<String>,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode, Failed> {
        if [&self.a, &self.b].iter().all(|path| *path == Path::new("-")) {
            return Err(Failed::usage(Path::new("standard input"), "can be one of the two files only".into()));
        }
        let progress = Rc::new(Progress::new());
        let mut a = Input::open_through(&self.a, Rc::clone(&progress))?;
        let mut b = Input::open_through(&self.b, Rc::clone(&progress))?;
        let headers = [a.header(), b.header()];
        let comparison = Comparison::new(a.archive(), b.archive(), self.ranges.into());
        let found = comparison.run().map_err(|(side, error)| {
            let input = match side {
                Side::A => &mut a,
                Side::B => &mut b,
            };
            let failed = input.failed(error);
            // A wrong checksum says more than what comes of it.
            input.check_checksum().err().unwrap_or(failed)
        })?;
        a.check_rest()?;
        b.check_rest()?;
        if found.has_too_many {
            let message = "has its units in another order than the other file, and too many to compare them like that";
            return Err(Failed::usage(&b.path, message.into()));
        }
        let notes = changed_notes(&read_notes(&mut a)?, &read_notes(&mut b)?);
        progress.end();
        let differences = Differences { headers, header: changed_fields(&headers), found, notes };
        let paths = [&a.path, &b.path].map(|path| shown_path(path));
        if self.json {
            print_json(&differences.json(paths))?
        } else {
            differences.print(paths)?
        }
        Ok(if differences.is_same() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
    }
}

/// The notes by their names; none if they are no notes.
fn read_notes(input: &mut Input) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, Failed> {
    match notes(input.archive()) {
        Ok(notes) => Ok(notes.first.into_iter().collect()),
        Err(LoadError::Unit { .. }) => Ok(BTreeMap::new()),
        Err(error) => Err(input.failed(error)),
    }
}

fn changed_notes(a: &BTreeMap<Vec<u8>, Vec<u8>>, b: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<Note> {
    let mut names: Vec<_> = a.keys().chain(b.keys()).collect();
    names.sort();
    names.dedup();
    let changed = names.into_iter().filter(|name| a.get(*name) != b.get(*name));
    let shown = |value: Option<&Vec<u8>>| value.map(|value| shown_name(value));
    changed.map(|name| Note { name: shown_name(name), a: shown(a.get(name)), b: shown(b.get(name)) }).collect()
}

/// Widths that both record and that are not the same.
fn changed_fields([a, b]: &[Header; 2]) -> Vec<Field> {
    let fields = [
        ("host_bits", a.host_bits, b.host_bits),
        ("gc_phys_bytes", a.gc_phys_bytes, b.gc_phys_bytes),
        ("gc_ptr_bytes", a.gc_ptr_bytes, b.gc_ptr_bytes),
    ];
    let both = fields.into_iter().filter_map(|(field, a, b)| Some(Field { field, a: a?, b: b? }));
    both.filter(|field| field.a != field.b).collect()
}

#[derive(Serialize)]
struct Json<'f> {
    same: bool,
    a: FileJson,
    b: FileJson,
    header: &'f [Field],
    units_only_in_a: u64,
    only_in_a: Vec<UnitJson>,
    units_only_in_b: u64,
    only_in_b: Vec<UnitJson>,
    units_changed: u64,
    changed: Vec<ChangedJson<'f>>,
    notes: &'f [Note],
}

#[derive(Serialize)]
struct FileJson {
    file: String,
    format: &'static str,
    units: u64,
    plain_bytes: u64,
}

#[derive(Serialize)]
struct UnitJson {
    name: String,
    instance: u32,
    pass: Option<u32>,
    version: u32,
    plain_bytes: u64,
}

#[derive(Serialize)]
struct ChangedJson<'f> {
    name: String,
    instance: u32,
    pass: Option<u32>,
    versions: [u32; 2],
    plain_bytes: [u64; 2],
    differing_bytes: u64,
    differing_ranges: u64,
    ranges: &'f [Differing],
}

impl Differences {
    fn is_same(&self) -> bool {
        self.header.is_empty() && self.found.is_same() && self.notes.is_empty()
    }

    fn json(&self, paths: [String; 2]) -> Json<'_> {
        let found = &self.found;
        let [file_a, file_b] = paths;
        let file = |file: String, side: Side| FileJson {
            file,
            format: self.headers[side as usize].format.as_str(),
            units: found.units[side as usize],
            plain_bytes: found.plain[side as usize],
        };
        fn listed(only: &[Only]) -> Vec<UnitJson> {
            let unit = |Only { key, version, plain }: &Only| UnitJson {
                name: shown_name(&key.name),
                instance: key.instance,
                pass: key.pass,
                version: *version,
                plain_bytes: *plain,
            };
            only.iter().map(unit).collect()
        }
        fn changed(changed: &Changed) -> ChangedJson<'_> {
            let Changed { key, versions, plain, differing, ranges, first } = changed;
            ChangedJson {
                name: shown_name(&key.name),
                instance: key.instance,
                pass: key.pass,
                versions: *versions,
                plain_bytes: *plain,
                differing_bytes: *differing,
                differing_ranges: *ranges,
                ranges: first,
            }
        }
        Json {
            same: self.is_same(),
            a: file(file_a, Side::A),
            b: file(file_b, Side::B),
            header: &self.header,
            units_only_in_a: found.only_count[0],
            only_in_a: listed(&found.only[0]),
            units_only_in_b: found.only_count[1],
            only_in_b: listed(&found.only[1]),
            units_changed: found.changed_count,
            changed: found.changed.iter().map(changed).collect(),
            notes: &self.notes,
        }
    }

    fn print(&self, paths: [String; 2]) -> Result<(), Failed> {
        let found = &self.found;
        print(|out| {
            let [a, b] = [0, 1].map(|side| {
                let (format, units) = (self.headers[side].format.as_str(), counted(found.units[side], "unit"));
                format!("format {format}, {units}, {} plain", sized(found.plain[side]))
            });
            writeln!(out, "{}", message(&format!("A  {}: {a}", paths[0]), "   "))?;
            writeln!(out, "{}", message(&format!("B  {}: {b}", paths[1]), "   "))?;
            if self.is_same() {
                return writeln!(out, "the same state");
            }
            for Field { field, a, b } in &self.header {
                writeln!(out, "header {field}: {a} in A, {b} in B")?;
            }
            for (side, only) in ["A", "B"].into_iter().zip(&found.only) {
                for Only { key, version, plain } in only {
                    let line = format!("unit {} only in {side}: version {version}, {}", named(key), sized(*plain));
                    writeln!(out, "{}", message(&line, "  "))?;
                }
            }
            found.changed.iter().try_for_each(|changed| print_changed(out, changed))?;
            for Note { name, a, b } in &self.notes {
                let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
                let line = format!("note {name}: {} in A, {} in B", value(a), value(b));
                writeln!(out, "{}", message(&line, "  "))?;
            }
            let listed = found.changed.len() + found.only[0].len() + found.only[1].len();
            let all = found.changed_count + found.only_count[0] + found.only_count[1];
            if all > listed as u64 {
                writeln!(out, ".. and {} more", counted(all - listed as u64, "unit"))?;
            }
            let [only_a, only_b] = found.only_count;
            let changed = counted(found.changed_count, "unit");
            writeln!(out, "different: {changed} changed, {only_a} only in A, {only_b} only in B")
        })
    }
}

/// A unit as text.
fn named(key: &Key) -> String {
    let pass = key.pass.map_or(String::new(), |pass| format!(" of pass {pass}"));
    format!("{}/{}{pass}", shown_name(&key.name), key.instance)
}

fn print_changed(out: &mut dyn Write, changed: &Changed) -> io::Result<()> {
    let Changed { key, versions, plain, differing, ranges, first } = changed;
    let mut words = Vec::new();
    if versions[0] != versions[1] {
        words.push(format!("version {} in A, {} in B", versions[0], versions[1]));
    }
    if plain[0] != plain[1] {
        words.push(format!("{} in A, {} in B", sized(plain[0]), sized(plain[1])));
    }
    if *differing > 0 {
        let differ = if *differing == 1 { "differs" } else { "differ" };
        let (bytes, ranges) = (counted(*differing, "byte"), counted(*ranges, "range"));
        let of = if plain[0] == plain[1] { format!(" of {}", sized(plain[0])) } else { String::new() };
        words.push(format!("{bytes}{of} {differ}, in {ranges}"));
    }
    writeln!(out, "{}", message(&format!("unit {}: {}", named(key), words.join("; ")), "  "))?;
    for Differing { offset, bytes } in first {
        writeln!(out, "  at {offset:#010x}  {}", sized(*bytes))?;
    }
    let more = ranges.saturating_sub(first.len() as u64);
    if more > 0 && !first.is_empty() {
        writeln!(out, "  .. and {} more", counted(more, "range"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssm_core::{StreamedUnit, Writer};
    use ssm_std::{Codec, Crc32Fast, buffered_writer};
    use std::fs::File;

    const UNITS: [&[u8]; 3] = [b"cpu", b"ram", b"disk"];

    /// A file with large units in this order.
    fn write(path: &Path, is_streamed: bool, order: [usize; 3]) {
        let plain: Vec<u8> = (0..700_000u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let (mut file, mut scratch) = (File::create(path).unwrap(), vec![0; 1 << 18]);
        let (medium, header) = (buffered_writer(&mut file), Header::new());
        let names = order.map(|index| UNITS[index]);
        if is_streamed {
            let codec = Codec::Lzf.encoder();
            let mut writer = Writer::streamed(medium, codec, Crc32Fast, &header, 3, &mut scratch).unwrap();
            let how = StreamedUnit { pass: None, optional: false };
            names.iter().for_each(|name| writer.unit(name, 0, 1, how, &mut |put| put.bytes(&plain)).unwrap());
            writer.finish().unwrap();
        } else {
            let mut writer = Writer::new(medium, Codec::Lzf.encoder(), Crc32Fast, &header, &mut scratch).unwrap();
            names.iter().for_each(|name| writer.unit(name, 0, 1, &mut |put| put.bytes(&plain)).unwrap());
            writer.finish().unwrap();
        }
    }

    /// How often as many bytes as both files have were read.
    fn reads(is_streamed: bool, order: [usize; 3]) -> f64 {
        let folder = tempfile::tempdir().unwrap();
        let [path_a, path_b] = ["a", "b"].map(|name| folder.path().join(name));
        write(&path_a, is_streamed, [0, 1, 2]);
        write(&path_b, is_streamed, order);
        let progress = Rc::new(Progress::new());
        let mut a = Input::open_through(&path_a, Rc::clone(&progress)).ok().unwrap();
        let mut b = Input::open_through(&path_b, Rc::clone(&progress)).ok().unwrap();
        let found = Comparison::new(a.archive(), b.archive(), 10).run().unwrap();
        a.check_rest().ok().unwrap();
        b.check_rest().ok().unwrap();
        assert!(found.is_same() && found.units == [3, 3]);
        let len = path_a.metadata().unwrap().len() + path_b.metadata().unwrap().len();
        progress.done() as f64 / len as f64
    }

    /// 1.x once; of 2.0 the records are counted before they are decoded, through the same small buffer.
    #[test]
    fn files_in_the_same_order_are_read_once() {
        let patched = reads(false, [0, 1, 2]);
        assert!((1.0..1.1).contains(&patched), "{patched}");
        let streamed = reads(true, [0, 1, 2]);
        assert!((1.0..2.3).contains(&streamed), "{streamed}");
        // In another order the headers of the second are looked for, and its checksum is computed on its own.
        let moved = reads(false, [2, 0, 1]);
        assert!((1.0..2.3).contains(&moved), "{moved}");
    }
}
