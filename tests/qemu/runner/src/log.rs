//! The defmt log of a board: decoded with the firmware's own table, and compared with what the files say.

use crate::board::Board;
use anyhow::{Context, Result, anyhow, ensure};
use defmt_decoder::{DecodeError, Table};
use program::UNITS;
use ssm_std::open_path;
use std::fs;
use std::path::Path;

/// A line and its level, such as `("debug", "loaded 6 units, 4821 bytes")`.
type Line = (&'static str, String);

/// Asserts on the log; how many lines it has.
pub fn check(firmware: &Path, log: &[u8], host: &Path, board: &Board) -> Result<usize> {
    let lines = decode(firmware, log)?;
    let has = |level: &str, text: &str| {
        let found = lines.iter().any(|line| line.0 == level && line.1 == text);
        found.then_some(()).with_context(|| format!("no line {text:?} at level {level} in the log {lines:?}"))
    };
    for names in board.sizes {
        let saved = [names.store, names.lzf, names.streamed_store, names.streamed_lzf];
        let loaded = [names.store, names.lzf, names.line_store, names.line_lzf];
        for (name, way) in
            saved.map(|name| (name, Way::Saved)).into_iter().chain(loaded.map(|name| (name, Way::Loaded)))
        {
            has("info", name)?;
            for (level, line) in expected(&host.join(name), way)? {
                has(level, &line)?;
            }
        }
    }
    has("error", "save failed: cancelled")?;
    let damaged = lines.iter().any(|(level, line)| *level == "error" && line.starts_with("load failed: crc at offset"));
    ensure!(damaged, "no line of log for the refused damaged copy");
    let damaged =
        lines.iter().any(|(level, line)| *level == "error" && line.starts_with("load failed: footer-crc at offset"));
    ensure!(damaged, "no line of log for the damaged file from the line");
    Ok(lines.len())
}

/// What was done with a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Saved,
    Loaded,
}

/// The lines that a save or a load of a file writes: units with their sizes, and the outcome.
fn expected(file: &Path, way: Way) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    let mut archive = open_path(file)?;
    let mut units = archive.units();
    while let Some(mut unit) = units.next_unit()? {
        let (id, version) = (format!("{}/{}", unit.name().escape_ascii(), unit.instance()), unit.version());
        let (plain, packed) = (unit.plain_len()?, unit.packed_len());
        let (offset, len) = (unit.offset(), unit.record_len());
        lines.push(match way {
            Way::Saved => format!("saved unit {id}: {plain} plain bytes in {len}"),
            Way::Loaded => {
                format!("read unit {id} version {version} at offset {offset}: {plain} plain bytes of {packed} packed")
            }
        });
    }
    let bytes = fs::metadata(file)?.len();
    lines.push(match way {
        Way::Saved => format!("saved {UNITS} units, {bytes} bytes"),
        Way::Loaded => format!("loaded {bytes} bytes"),
    });
    Ok(lines.into_iter().map(|line| ("debug", line)).collect())
}

fn decode(firmware: &Path, log: &[u8]) -> Result<Vec<Line>> {
    let table = Table::parse(&fs::read(firmware)?)?.context("the firmware has no table of log lines")?;
    let mut decoder = table.new_stream_decoder();
    decoder.received(log);
    let mut lines = Vec::new();
    loop {
        match decoder.decode() {
            Ok(frame) => {
                let level = frame.level().map_or("print", |level| level.as_str());
                // Names are bytes to the decoder, which quotes them.
                lines.push((level, frame.display_message().to_string().replace("b\"", "").replace('"', "")));
            }
            Err(DecodeError::UnexpectedEof) => return Ok(lines),
            Err(DecodeError::Malformed) => return Err(anyhow!("the log is damaged behind {:?}", lines.last())),
        }
    }
}
