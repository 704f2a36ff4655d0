//! `ssm list`: the units of a file.

use crate::failure::Failed;
use crate::find::Similar;
use crate::input::{Archive, Input, Reading, Unit};
use crate::name::WantedName;
use crate::name::shown_name;
use crate::output::{counted, print, say_note};
use crate::passes::Passes;
use crate::size::{sized, sized_cell};
use clap::builder::styling::Style;
use serde::Serialize;
use ssm_core::{LoadError, RecordCounts};
use ssm_std::Codec;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

const JSON_HELP: &str = "\
JSON:
  [{\"name\":..,\"instance\":..,\"version\":..,\"pass\":..,\"offset\":..,
    \"packed_bytes\":..,\"plain_bytes\":..,\"codec\":..,
    \"records\":{\"raw\":..,\"lzf\":..,\"zero\":..},\"optional\":..},..]
  The name is as the table shows it: what is not printable or not UTF-8 and the
  backslash are escaped (\\n, \\xe9, \\\\), and extract, hexdump and list take it
  back like that. The pass is a number, or null for the final one, which is all that 1.x has.
  The codec is null for a unit without data. Records and optional are null in
  1.x. Plain bytes are null if a unit does not decode (see --unchecked).

Examples:
  ssm list machine.sav
  ssm list machine.sav ram/0
  zcat machine.sav.gz | ssm list -";

/// List the units: where they are, how large and how packed
///
/// The file is checked first. PACKED is what follows the name in the file, PLAIN what a program put, both in bytes, from
/// 1024 on PLAIN also in KiB, MiB ..: of format 2.0 as its records say, of 1.x the units are decoded for it. OFFSET is where the unit's header starts. Of a file
/// of format 2.0 also:
/// PASS, a number for what was saved while the machine ran; RECORDS, the pieces that the unit is in; and which units
/// readers may skip, as optional. Of a live save the units of all passes are listed, as a line on standard error says.
#[derive(clap::Args)]
#[command(after_long_help = JSON_HELP)]
pub struct Arguments {
    /// The saved state, or - for standard input
    file: PathBuf,
    /// List the units of this name only: NAME, of every instance, or NAME/INSTANCE
    #[arg(value_name = "UNIT")]
    unit: Option<OsString>,
    /// Print a JSON array with one object for each unit (see --help)
    #[arg(long)]
    json: bool,
    /// Check nothing but the header, and list what is left of a damaged file
    #[arg(long)]
    pub unchecked: bool,
}

#[derive(Serialize)]
struct Row {
    name: String,
    instance: u32,
    version: u32,
    pass: Option<u32>,
    offset: u64,
    packed_bytes: u64,
    plain_bytes: Option<u64>,
    codec: Option<&'static str>,
    records: Option<Records>,
    optional: Option<bool>,
    #[serde(skip)]
    shown_codec: String,
}

/// The units that are listed.
struct Wanted {
    name: WantedName,
    /// How well their name fits.
    rank: usize,
}

impl Wanted {
    fn is(&self, name: &[u8], instance: u32) -> bool {
        self.name.rank(name, instance, None) == Some(self.rank)
    }
}

/// How many records of each kind.
#[derive(Serialize)]
struct Records {
    raw: u64,
    lzf: u64,
    zero: u64,
}

/// What goes before and after the rows of a table.
struct Frame {
    /// The first columns that are shown.
    columns: usize,
    widths: [usize; COLUMNS],
    units: u64,
    packed: u64,
    plain: u64,
    passes: Passes,
}

/// What a pass over the units came to.
struct Passed {
    written: io::Result<()>,
    /// What stopped or spoiled it.
    failed: Option<LoadError<io::Error>>,
}

/// The plain length of this many units is known in the second pass, so that they are decoded once only.
const MOST_KNOWN: usize = 1 << 16;

impl Arguments {
    /// A file may have more units than fit into memory: a first pass finds the widths and any damage, a second prints.
    pub fn run(&self) -> Result<(), Failed> {
        let mut input = Input::open(&self.file, self.unchecked, 1)?;
        let is_streamed = input.header().format.is_streamed();
        let wanted = self.wanted(&mut input)?;
        let mut frame = Frame::new(if is_streamed { COLUMNS } else { PATCHED_COLUMNS });
        let mut known = Vec::new();
        let first = input.read(|archive| {
            Ok(self.pass(archive, wanted.as_ref(), &[], &mut |row| {
                if known.len() < MOST_KNOWN {
                    known.push(row.plain_bytes);
                }
                frame.add(row);
                Ok(())
            }))
        })?;
        let mut failed = first.failed.map(|error| input.failed(error));
        input.progress.end();
        if !frame.passes.is_empty() && (self.unchecked || failed.is_none()) {
            let of = if wanted.is_some() { "its units of that name" } else { "its units" };
            let text =
                format!("a live save: {of} in all passes are listed, {}, and the final one", frame.passes.in_words());
            say_note(&input.path, &text);
        }
        if self.unchecked || failed.is_none() {
            print(|out| {
                let mut between = "[";
                if !self.json {
                    frame.write_head(out)?;
                }
                let second = input.read(|archive| {
                    Ok(self.pass(archive, wanted.as_ref(), &known, &mut |row| {
                        if self.json {
                            out.write_all(between.as_bytes())?;
                            between = ",";
                            Ok(serde_json::to_writer(&mut *out, row)?)
                        } else {
                            frame.write_row(out, row)
                        }
                    }))
                });
                match second {
                    Ok(Passed { written, failed: error }) => {
                        written?;
                        failed = failed.take().or_else(|| error.map(|error| input.failed(error)));
                    }
                    Err(error) => failed = Some(error),
                }
                match self.json {
                    true if between == "[" => writeln!(out, "[]"),
                    true => writeln!(out, "]"),
                    false => frame.write_foot(out),
                }
            })?;
        }
        failed.map_or(Ok(()), Err)
    }

    /// What UNIT means in this file. That there is none is wrong use.
    fn wanted(&self, input: &mut Input) -> Result<Option<Wanted>, Failed> {
        let Some(argument) = &self.unit else { return Ok(None) };
        let name = WantedName::new(argument.as_encoded_bytes(), true);
        let mut similar = Similar::to(argument, false);
        let mut best: Option<usize> = None;
        let found = input.read(|archive| {
            let mut units = archive.units();
            while let Some(unit) = units.next_unit()? {
                similar.see(unit.name(), unit.instance(), None);
                let rank = name.rank(unit.name(), unit.instance(), None);
                best = rank.filter(|rank| best.is_none_or(|best| *rank < best)).or(best);
            }
            Ok(())
        });
        match (best, found) {
            (Some(rank), _) => Ok(Some(Wanted { name, rank })),
            (None, Err(failed)) => Err(failed),
            (None, Ok(())) => {
                let message = format!("no unit {}{}", name.shown(None), similar.in_words());
                Err(Failed::usage(&input.path, message))
            }
        }
    }

    /// Gives each wanted unit's row to `take`; `known` are the plain lengths of the first ones.
    fn pass(
        &self,
        archive: &mut Archive,
        wanted: Option<&Wanted>,
        known: &[Option<u64>],
        take: &mut dyn FnMut(&Row) -> io::Result<()>,
    ) -> Passed {
        let mut passed = Passed { written: Ok(()), failed: None };
        let mut known = known.iter();
        let mut units = archive.units();
        loop {
            let mut unit = match units.next_unit() {
                Ok(None) => return passed,
                Ok(Some(unit)) => unit,
                Err(error) => {
                    passed.failed.get_or_insert(error);
                    return passed;
                }
            };
            if wanted.is_some_and(|wanted| !wanted.is(unit.name(), unit.instance())) {
                continue;
            }
            let recorded = unit.records().filter(|_| !self.unchecked).map(|records| records.plain);
            let plain_len = match (known.next(), recorded) {
                (Some(known), _) => Ok(*known),
                (None, Some(recorded)) => Ok(Some(recorded)),
                (None, None) => unit.plain_len().map(Some),
            };
            match row(&mut unit, plain_len.as_ref().ok().copied().flatten()) {
                Ok(row) => passed.written = take(&row),
                Err(error) => _ = passed.failed.get_or_insert(error),
            }
            if let Err(error) = plain_len {
                passed.failed.get_or_insert(error);
            }
            if passed.written.is_err() || (passed.failed.is_some() && !self.unchecked) {
                return passed;
            }
        }
    }
}

fn row(unit: &mut Unit<'_>, plain_bytes: Option<u64>) -> Reading<Row> {
    let (tag, records) = (unit.codec()?, unit.records());
    let codec = tag.and_then(Codec::of_tag).map(Codec::as_str);
    Ok(Row {
        name: shown_name(unit.name()),
        instance: unit.instance(),
        version: unit.version(),
        pass: unit.pass(),
        offset: unit.offset(),
        packed_bytes: unit.packed_len(),
        plain_bytes,
        codec,
        records: records.map(|RecordCounts { raw, lzf, zero, .. }| Records { raw, lzf, zero }),
        optional: records.map(|records| records.is_optional),
        shown_codec: match (codec, tag) {
            (Some(codec), _) => codec.to_owned(),
            (None, Some(tag)) => format!("tag {tag}"),
            (None, None) => "-".to_owned(),
        },
    })
}

/// All columns but the names; 1.x has the first ones.
const HEADS: [&str; COLUMNS] = ["OFFSET", "PACKED", "PLAIN", "CODEC", "VERSION", "INSTANCE", "PASS", "RECORDS"];
const COLUMNS: usize = 8;
const PATCHED_COLUMNS: usize = 6;
const CODEC: usize = 3;

impl Frame {
    fn new(columns: usize) -> Self {
        Self { columns, widths: HEADS.map(str::len), units: 0, packed: 0, plain: 0, passes: Passes::default() }
    }

    fn add(&mut self, row: &Row) {
        for (width, cell) in self.widths.iter_mut().zip(cells(row)) {
            *width = cell.len().max(*width);
        }
        self.units += 1;
        self.passes.add(row.pass);
        self.packed = self.packed.saturating_add(row.packed_bytes);
        self.plain = self.plain.saturating_add(row.plain_bytes.unwrap_or(0));
    }

    fn write_head(&self, out: &mut dyn Write) -> io::Result<()> {
        let bold = Style::new().bold();
        write!(out, "{bold}")?;
        self.write_cells(out, HEADS)?;
        writeln!(out, "NAME{bold:#}")
    }

    fn write_row(&self, out: &mut dyn Write, row: &Row) -> io::Result<()> {
        self.write_cells(out, cells(row).each_ref().map(String::as_str))?;
        let optional = if row.optional == Some(true) { " (optional)" } else { "" };
        writeln!(out, "{}{optional}", row.name)
    }

    fn write_cells(&self, out: &mut dyn Write, cells: [&str; COLUMNS]) -> io::Result<()> {
        for (column, (cell, width)) in cells.into_iter().zip(self.widths).take(self.columns).enumerate() {
            if column == CODEC {
                write!(out, "{cell:<width$}  ")?;
            } else {
                write!(out, "{cell:>width$}  ")?;
            }
        }
        Ok(())
    }

    fn write_foot(&self, out: &mut dyn Write) -> io::Result<()> {
        let (units, packed, plain) = (counted(self.units, "unit"), sized(self.packed), sized(self.plain));
        writeln!(out, "{units}, {packed} packed, {plain} plain")
    }
}

/// A row as text, without its name.
fn cells(row: &Row) -> [String; COLUMNS] {
    let plain = row.plain_bytes.map_or("?".to_owned(), sized_cell);
    let [offset, packed] = [row.offset, row.packed_bytes].map(|bytes| bytes.to_string());
    let [version, instance] = [row.version, row.instance].map(|number| number.to_string());
    let pass = row.pass.map_or("final".to_owned(), |pass| pass.to_string());
    let records = row.records.as_ref().map_or(0, |Records { raw, lzf, zero }| raw + lzf + zero);
    [offset, packed, plain, row.shown_codec.clone(), version, instance, pass, records.to_string()]
}
