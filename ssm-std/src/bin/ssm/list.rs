//! `ssm list`: the units of a file.

use crate::failure::Failed;
use crate::input::{Archive, Input, Reading, Unit};
use crate::output::{counted, print, print_json, shown_name};
use clap::builder::styling::Style;
use serde::Serialize;
use ssm_core::LoadError;
use ssm_std::Codec;
use std::io;
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

/// The rows of a table, and what stopped or spoiled it.
struct Listing {
    rows: Vec<Row>,
    failed: Option<LoadError<io::Error>>,
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failed> {
        let mut input = Input::open(&self.file, self.unchecked, 1)?;
        let Listing { rows, failed } = input.read(|archive| Ok(list(archive, self.unchecked)))?;
        let failed = failed.map(|error| input.failed(error));
        drop(input);
        if self.unchecked || failed.is_none() {
            if self.json { print_json(&rows)? } else { print_table(&rows)? }
        }
        failed.map_or(Ok(()), Err)
    }
}

fn list(archive: &mut Archive, unchecked: bool) -> Listing {
    let mut listing = Listing { rows: Vec::new(), failed: None };
    let mut units = archive.units();
    loop {
        match units.next_unit() {
            Ok(None) => return listing,
            Ok(Some(mut unit)) => {
                let plain_len = unit.plain_len();
                match row(&mut unit, plain_len.as_ref().ok().copied()) {
                    Ok(row) => listing.rows.push(row),
                    Err(error) => {
                        listing.failed.get_or_insert(error);
                    }
                }
                if let Err(error) = plain_len {
                    listing.failed.get_or_insert(error);
                }
            }
            Err(error) => {
                listing.failed.get_or_insert(error);
                return listing;
            }
        }
        if listing.failed.is_some() && !unchecked {
            return listing;
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

fn print_table(rows: &[Row]) -> Result<(), Failed> {
    const HEADS: [&str; 6] = ["OFFSET", "PACKED", "PLAIN", "CODEC", "VERSION", "INSTANCE"];
    let lines: Vec<[String; 6]> = rows
        .iter()
        .map(|row| {
            let plain = row.plain_bytes.map_or("?".to_owned(), |bytes| bytes.to_string());
            let codec = row.shown_codec.clone();
            let [offset, packed] = [row.offset, row.packed_bytes].map(|bytes| bytes.to_string());
            [offset, packed, plain, codec, row.version.to_string(), row.instance.to_string()]
        })
        .collect();
    let mut widths = HEADS.map(str::len);
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.len().max(*width);
        }
    }
    let (packed, plain) = (rows.iter().map(|row| row.packed_bytes), rows.iter().filter_map(|row| row.plain_bytes));
    let (packed, plain): (u64, u64) = (packed.sum(), plain.sum());
    let head = Style::new().bold();
    print(|out| {
        let mut write_line = |cells: [&str; 6], name: &str, style: Style| {
            let [offset, packed, plain, codec, version, instance] = widths;
            let [c0, c1, c2, c3, c4, c5] = cells;
            write!(out, "{style}{c0:>offset$}  {c1:>packed$}  {c2:>plain$}  {c3:<codec$}  ")?;
            writeln!(out, "{c4:>version$}  {c5:>instance$}  {name}{style:#}")
        };
        write_line(HEADS, "NAME", head)?;
        for (row, line) in rows.iter().zip(&lines) {
            write_line(line.each_ref().map(String::as_str), &row.shown_name, Style::new())?;
        }
        writeln!(out, "{}, {packed} bytes packed, {plain} bytes plain", counted(rows.len() as u64, "unit"))
    })
}
