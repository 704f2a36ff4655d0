//! `ssm list`: the units of a file.

use crate::failure::Failed;
use crate::input::{Archive, Input, Reading, Unit};
use crate::output::{counted, print, shown_name};
use clap::builder::styling::Style;
use serde::Serialize;
use ssm_core::LoadError;
use ssm_std::Codec;
use std::io::{self, Write};
use std::path::PathBuf;

/// List the units: where they are, how large and how packed
///
/// The file is checked first, and all units are decoded to know their length. PACKED is what follows the name in the
/// file, PLAIN what a program put, both in bytes; OFFSET is where the unit's header starts.
#[derive(clap::Args)]
pub struct Arguments {
    /// The saved state
    file: PathBuf,
    /// Print a JSON array with one object for each unit
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
    /// Formats 1.x know no passes.
    pass: Option<u32>,
    offset: u64,
    packed_bytes: u64,
    plain_bytes: Option<u64>,
    codec: Option<&'static str>,
    #[serde(skip)]
    shown_name: String,
    #[serde(skip)]
    shown_codec: String,
}

/// What goes before and after the rows of a table.
struct Frame {
    widths: [usize; 6],
    units: u64,
    packed: u64,
    plain: u64,
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
        let mut frame = Frame::default();
        let mut known = Vec::new();
        let first = input.read(|archive| {
            Ok(self.pass(archive, &[], &mut |row| {
                if known.len() < MOST_KNOWN {
                    known.push(row.plain_bytes);
                }
                frame.add(row);
                Ok(())
            }))
        })?;
        let mut failed = first.failed.map(|error| input.failed(error));
        input.progress.end();
        if self.unchecked || failed.is_none() {
            print(|out| {
                let mut between = "[";
                if !self.json {
                    frame.write_head(out)?;
                }
                let second = input.read(|archive| {
                    Ok(self.pass(archive, &known, &mut |row| {
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

    /// Gives each unit's row to `take`; `known` are the plain lengths of the first ones.
    fn pass(
        &self,
        archive: &mut Archive,
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
            let plain_len = known.next().map_or_else(|| unit.plain_len().map(Some), |len| Ok(*len));
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
    let tag = unit.codec()?;
    let codec = tag.and_then(Codec::of_tag).map(Codec::as_str);
    Ok(Row {
        name: String::from_utf8_lossy(unit.name()).into_owned(),
        instance: unit.instance(),
        version: unit.version(),
        pass: None,
        offset: unit.offset(),
        packed_bytes: unit.packed_len(),
        plain_bytes,
        codec,
        shown_name: shown_name(unit.name()),
        shown_codec: match (codec, tag) {
            (Some(codec), _) => codec.to_owned(),
            (None, Some(tag)) => format!("tag {tag}"),
            (None, None) => "-".to_owned(),
        },
    })
}

const HEADS: [&str; 6] = ["OFFSET", "PACKED", "PLAIN", "CODEC", "VERSION", "INSTANCE"];

impl Default for Frame {
    fn default() -> Self {
        Self { widths: HEADS.map(str::len), units: 0, packed: 0, plain: 0 }
    }
}

impl Frame {
    fn add(&mut self, row: &Row) {
        for (width, cell) in self.widths.iter_mut().zip(cells(row)) {
            *width = cell.len().max(*width);
        }
        self.units += 1;
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
        writeln!(out, "{}", row.shown_name)
    }

    fn write_cells(&self, out: &mut dyn Write, cells: [&str; 6]) -> io::Result<()> {
        let [offset, packed, plain, codec, version, instance] = self.widths;
        let [c0, c1, c2, c3, c4, c5] = cells;
        write!(out, "{c0:>offset$}  {c1:>packed$}  {c2:>plain$}  {c3:<codec$}  {c4:>version$}  {c5:>instance$}  ")
    }

    fn write_foot(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { units, packed, plain, .. } = self;
        writeln!(out, "{}, {packed} bytes packed, {plain} bytes plain", counted(*units, "unit"))
    }
}

/// A row as text, without its name.
fn cells(row: &Row) -> [String; 6] {
    let plain = row.plain_bytes.map_or("?".to_owned(), |bytes| bytes.to_string());
    let [offset, packed] = [row.offset, row.packed_bytes].map(|bytes| bytes.to_string());
    [offset, packed, plain, row.shown_codec.clone(), row.version.to_string(), row.instance.to_string()]
}
