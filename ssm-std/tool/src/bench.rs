//! `ssm bench`: what each codec makes of a file's units, and how fast.

use crate::failure::Failed;
use crate::input::{Archive, Input, Reading, pieces};
use crate::name::shown_name;
use crate::output::{print, print_json};
use clap::builder::styling::Style;
use serde::Serialize;
use ssm_core::{Crc32, Decode, Encode, Input as More};
use ssm_std::{Codec, Crc32Fast, Decoder, Encoder, decoder};
use std::convert::Infallible;
use std::hint::black_box;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Plain bytes that are packed at a time; a longer unit is packed in several pieces.
const PIECE: usize = 8 << 20;
/// The speed with units smaller than this is not told: too short to be measured once.
const SHORTEST: u64 = 64 << 10;
/// Units that get a row; those behind count in the total alone.
const MOST_ROWS: usize = 10_000;
/// The codecs that are compared.
const CODECS: [Codec; 2] = [Codec::Lzf, Codec::Zlib];

const JSON_HELP: &str = "\
JSON:
  {\"threads\":..,\"crc_mb_s\":..,\"units\":[{\"name\":..,\"instance\":..,\"pass\":..,
    \"plain_bytes\":..,\"now\":{\"codec\":..,\"packed_bytes\":..,\"decode_mb_s\":..},
    \"lzf\":{\"packed_bytes\":..,\"encode_mb_s\":..,\"decode_mb_s\":..},
    \"zlib\":{..}},..],\"total\":{..}}
  The total is as a unit without name, instance and pass. Speeds are null where
  there is too little data to measure one. Of more than 10,000 units the first
  have a row, and all are in the total.

Examples:
  ssm bench machine.sav
  ssm bench --json machine.sav | jq .total";

/// Measure on this file what each codec makes of its units, to choose one
///
/// Every unit is decoded, and its plain bytes packed and unpacked again with each codec, in memory and in pieces of 8 MiB.
/// RATIO is packed bytes to plain ones, speeds are in MB/s of plain bytes: NOW is the codec that the file has, read from
/// the file. LZF works on all cores, zlib on one. Not packing at all costs the checksum alone, which every file has. Run
/// it on a quiet machine; every number is from one run.
#[derive(clap::Args)]
#[command(after_long_help = JSON_HELP)]
pub struct Arguments {
    /// The saved state, or - for standard input
    file: PathBuf,
    /// Print one JSON object (see --help)
    #[arg(long)]
    json: bool,
}

/// Packed bytes, and the time for it.
#[derive(Clone, Copy, Default)]
struct Sum {
    packed: u64,
    encode: Duration,
    decode: Duration,
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.packed += other.packed;
        self.encode += other.encode;
        self.decode += other.decode;
    }
}

/// What was measured with a unit, or with all.
#[derive(Default)]
struct Measured {
    plain: u64,
    now: Sum,
    codecs: [Sum; CODECS.len()],
    crc: Duration,
}

impl Measured {
    fn add(&mut self, other: &Measured) {
        self.plain += other.plain;
        self.now.add(other.now);
        self.codecs.iter_mut().zip(other.codecs).for_each(|(sum, other)| sum.add(other));
        self.crc += other.crc;
    }

    /// MB/s of plain bytes.
    fn speed(&self, time: Duration) -> Option<f64> {
        (self.plain >= SHORTEST && !time.is_zero()).then(|| self.plain as f64 / time.as_secs_f64() / 1e6)
    }

    fn ratio(&self, packed: u64) -> f64 {
        if self.plain == 0 { 1.0 } else { packed as f64 / self.plain as f64 }
    }

    /// What stands in a row in front of the name.
    fn cells(&self, codec: &str) -> [String; COLUMNS] {
        let speed = |time| self.speed(time).map_or("-".to_owned(), |speed| format!("{speed:.0}"));
        let ratio = |sum: &Sum| format!("{:.3}", self.ratio(sum.packed));
        let [lzf, zlib] = &self.codecs;
        [
            self.plain.to_string(),
            codec.to_owned(),
            ratio(&self.now),
            speed(self.now.decode),
            ratio(lzf),
            speed(lzf.encode),
            speed(lzf.decode),
            ratio(zlib),
            speed(zlib.encode),
            speed(zlib.decode),
        ]
    }

    fn codec_json(&self, sum: &Sum) -> CodecJson {
        let (encode_mb_s, decode_mb_s) = (self.speed(sum.encode), self.speed(sum.decode));
        CodecJson { packed_bytes: sum.packed, encode_mb_s, decode_mb_s }
    }

    fn json(&self, codec: Option<&'static str>) -> MeasuredJson {
        let now = NowJson { codec, packed_bytes: self.now.packed, decode_mb_s: self.speed(self.now.decode) };
        let [lzf, zlib] = self.codecs.each_ref().map(|sum| self.codec_json(sum));
        MeasuredJson { plain_bytes: self.plain, now, lzf, zlib }
    }
}

/// A unit, and what was measured with it.
struct Unit {
    name: Vec<u8>,
    instance: u32,
    pass: Option<u32>,
    codec: Option<&'static str>,
    measured: Measured,
}

impl Unit {
    fn shown(&self) -> String {
        let pass = self.pass.map_or(String::new(), |pass| format!(" (pass {pass})"));
        format!("{}/{}{pass}", shown_name(&self.name), self.instance)
    }

    fn json(&self) -> UnitJson {
        let name = shown_name(&self.name);
        UnitJson { name, instance: self.instance, pass: self.pass, measured: self.measured.json(self.codec) }
    }
}

#[derive(Serialize)]
struct Json {
    threads: usize,
    crc_mb_s: Option<f64>,
    units: Vec<UnitJson>,
    total: MeasuredJson,
}

#[derive(Serialize)]
struct UnitJson {
    name: String,
    instance: u32,
    pass: Option<u32>,
    #[serde(flatten)]
    measured: MeasuredJson,
}

#[derive(Serialize)]
struct MeasuredJson {
    plain_bytes: u64,
    now: NowJson,
    lzf: CodecJson,
    zlib: CodecJson,
}

#[derive(Serialize)]
struct NowJson {
    codec: Option<&'static str>,
    packed_bytes: u64,
    decode_mb_s: Option<f64>,
}

#[derive(Serialize)]
struct CodecJson {
    packed_bytes: u64,
    encode_mb_s: Option<f64>,
    decode_mb_s: Option<f64>,
}

/// A codec at work, with room for what it makes.
struct Work {
    tag: u8,
    encoder: Encoder,
    decoder: Decoder,
    packed: Vec<u8>,
    plain: Vec<u8>,
}

impl Work {
    fn new(codec: Codec) -> Self {
        let encoder = codec.encoder();
        Self { tag: encoder.tag(), encoder, decoder: decoder(), packed: vec![0; 64 << 10], plain: Vec::new() }
    }

    /// Packs a piece and unpacks it again.
    fn run(&mut self, plain: &[u8]) -> Sum {
        let start = Instant::now();
        let packed = self.encode(plain);
        let encode = start.elapsed();
        self.plain.resize(plain.len(), 0);
        let start = Instant::now();
        self.decode(packed);
        let decode = start.elapsed();
        assert!(self.plain == plain, "a codec gives back what it took");
        Sum { packed: packed as u64, encode, decode }
    }

    fn encode(&mut self, mut plain: &[u8]) -> usize {
        self.encoder.reset();
        let (mut packed, mut through) = (0, 0);
        // As a save does: on all threads as far as the codec has a way for that, and the rest by steps.
        self.encoder.encode_all(plain, &mut |code, taken| {
            let end = packed + code.len();
            self.packed.resize(self.packed.len().max(end), 0);
            self.packed[packed..end].copy_from_slice(code);
            (packed, through) = (end, through + taken);
            true
        });
        plain = &plain[through..];
        loop {
            if self.packed.len() - packed < self.packed.len() / 2 {
                self.packed.resize(2 * self.packed.len(), 0);
            }
            let input = if plain.is_empty() { More::End } else { More::More };
            let step = self.encoder.encode(plain, &mut self.packed[packed..], input);
            (plain, packed) = (&plain[step.read..], packed + step.written);
            if input == More::End && step.written == 0 {
                return packed;
            }
        }
    }

    fn decode(&mut self, packed: usize) {
        let _ = self.decoder.reset(self.tag);
        let (mut from, mut to) = (0, 0);
        while to < self.plain.len() {
            let step = self.decoder.decode(&self.packed[from..packed], &mut self.plain[to..], More::End);
            let Ok(step) = step else { return };
            if step.read == 0 && step.written == 0 {
                return;
            }
            (from, to) = (from + step.read, to + step.written);
        }
    }
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failed> {
        let mut input = Input::open(&self.file, false, 2)?;
        let mut total = Measured::default();
        if self.json {
            let mut units = Vec::new();
            input.read(|archive| {
                measure(archive, &mut |unit| {
                    total.add(&unit.measured);
                    if units.len() < MOST_ROWS {
                        units.push(unit.json());
                    }
                })
            })?;
            input.progress.end();
            let (threads, crc_mb_s) = (threads(), total.speed(total.crc));
            return print_json(&Json { threads, crc_mb_s, units, total: total.json(None) });
        }
        let mut rows = Vec::new();
        input.read(|archive| {
            measure(archive, &mut |unit| {
                total.add(&unit.measured);
                if rows.len() < MOST_ROWS {
                    rows.push((unit.measured.cells(unit.codec.unwrap_or("-")), unit.shown()));
                }
            })
        })?;
        input.progress.end();
        rows.push((total.cells(""), "all".to_owned()));
        print(|out| {
            write_rows(out, &rows)?;
            let crc =
                total.speed(total.crc).map_or("too little data to measure".to_owned(), |s| format!("{s:.0} MB/s"));
            writeln!(out, "checksum alone: {crc}; LZF on {} threads", threads())
        })
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Measures unit by unit.
fn measure(archive: &mut Archive, take: &mut dyn FnMut(&Unit)) -> Reading<()> {
    let mut works = CODECS.map(Work::new);
    let mut buffer = vec![0; PIECE];
    let mut units = archive.units();
    while let Some(mut unit) = units.next_unit()? {
        let mut measured = Measured::default();
        let start = Instant::now();
        measured.plain = unit.plain_len()?;
        measured.now = Sum { packed: unit.packed_len(), decode: start.elapsed(), ..Sum::default() };
        unit.read(|get| {
            let every = |plain: &[u8]| {
                let start = Instant::now();
                black_box(Crc32Fast.update(0, black_box(plain)));
                measured.crc += start.elapsed();
                works.iter_mut().zip(&mut measured.codecs).for_each(|(work, sum)| sum.add(work.run(plain)));
                Ok(())
            };
            pieces::<Infallible>(get, u64::MAX, &mut buffer, every).map(|_| ())
        })?;
        let codec = unit.codec()?.and_then(Codec::of_tag).map(Codec::as_str);
        let (name, instance, pass) = (unit.name().to_vec(), unit.instance(), unit.pass());
        take(&Unit { name, instance, pass, codec, measured });
    }
    Ok(())
}

const COLUMNS: usize = 10;
const HEADS: [&str; COLUMNS] =
    ["PLAIN", "NOW", "RATIO", "DECODE", "LZF", "ENCODE", "DECODE", "ZLIB", "ENCODE", "DECODE"];

fn write_rows(out: &mut dyn Write, rows: &[([String; COLUMNS], String)]) -> io::Result<()> {
    let mut widths = HEADS.map(str::len);
    for (cells, _) in rows {
        widths.iter_mut().zip(cells).for_each(|(width, cell)| *width = cell.len().max(*width));
    }
    let mut line = |cells: [&str; COLUMNS], name: &str, style: Style| {
        write!(out, "{style}")?;
        cells.iter().zip(widths).try_for_each(|(cell, width)| write!(out, "{cell:>width$}  "))?;
        writeln!(out, "{name}{style:#}")
    };
    line(HEADS, "NAME", Style::new().bold())?;
    rows.iter().try_for_each(|(cells, name)| line(cells.each_ref().map(String::as_str), name, Style::new()))
}
