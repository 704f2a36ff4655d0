//! Plots of throughput against block size, threads and kind of data, as SVG beside this file: `cargo bench --bench plots`.
//! Data and clocks are those of the other benchmarks.

#[path = "data/mod.rs"]
mod data;
#[allow(dead_code, reason = "the table uses more")]
#[path = "goals/machine.rs"]
mod machine;
#[allow(dead_code, reason = "the table uses more")]
#[path = "goals/measure.rs"]
mod measure;
#[path = "goals/packing.rs"]
mod packing;

use data::{KINDS, Kind, guest, guest_name, pages};
use machine::{RAM, Ram};
use measure::{Time, race, rate};
use packing::encode;
use plotters::prelude::*;
use ssm_core::{Decode, Encode, Input, Loader, LzfEncoder, Memory, Saver, tag};
use ssm_std::{Crc32Fast, Lzf, LzfDecoder};
use std::hint::black_box;

const LEN: usize = 32 << 20;
const ROUNDS: usize = 3;

/// A line of a plot: its name, and MB/s for each place on the x axis.
type Line = (&'static str, Vec<f64>);

fn decode(decoder: &mut impl Decode, mut packed: &[u8], plain: &mut [u8]) {
    decoder.reset(tag::LZF);
    while !packed.is_empty() {
        let step = decoder.decode(packed, plain, Input::End).unwrap();
        packed = &packed[step.read..];
        black_box(&mut *plain);
    }
}

/// MB/s of encoding and decoding on one thread.
fn both_ways(encoder: &mut impl Encode, plain: &[u8], block: usize) -> [f64; 2] {
    let mut packed = vec![0; plain.len() + plain.len() / 8];
    let size = encode(encoder, plain, block, &mut packed);
    let code = packed[..size].to_vec();
    let (mut decoder, mut to) = (LzfDecoder::with_threads(1), vec![0; 4 << 20]);
    let times = race(
        Time::Thread,
        ROUNDS,
        [&mut || _ = black_box(encode(encoder, black_box(plain), block, &mut packed)), &mut || {
            decode(&mut decoder, black_box(&code), &mut to)
        }],
    );
    times.map(|seconds| rate(plain.len(), seconds))
}

/// MB/s of a save of 1.2 into memory, and of its load.
fn whole(threads: usize, plain: &[u8]) -> [f64; 2] {
    let (mut ram, mut loaded) = (Ram(plain.to_vec()), Ram(vec![1; plain.len()]));
    let (mut storage, mut scratch) = (vec![0; plain.len() + plain.len() / 8], vec![0; 1 << 20]);
    let mut save = |storage: &mut [u8]| {
        let saver = Saver::new(Memory::new(storage), Lzf::with_threads(threads), &mut scratch);
        saver.crc32(Crc32Fast).save(&mut ram, &RAM).unwrap() as usize
    };
    let len = save(&mut storage);
    let (file, mut other) = (storage[..len].to_vec(), vec![0; 1 << 20]);
    let times = race(
        Time::Wall,
        ROUNDS,
        [&mut || _ = black_box(save(&mut storage)), &mut || {
            let loader = Loader::new(Memory::holding(&file[..]), LzfDecoder::with_threads(threads), &mut other);
            loader.crc32(Crc32Fast).load(&mut loaded, &RAM).unwrap();
        }],
    );
    times.map(|seconds| rate(plain.len(), seconds))
}

/// MB/s of the `lzf` crate.
fn by_crate(plain: &[u8], block: usize) -> [f64; 2] {
    let code: Vec<_> =
        plain.chunks(block).filter_map(|block| Some((lzf::compress(block).ok()?, block.len()))).collect();
    let bytes: usize = code.iter().map(|(_, len)| len).sum();
    let [pack, unpack] = race(
        Time::Thread,
        ROUNDS,
        [&mut || plain.chunks(block).for_each(|block| _ = black_box(lzf::compress(black_box(block)))), &mut || {
            code.iter().for_each(|(code, len)| _ = black_box(lzf::decompress(code, *len)))
        }],
    );
    [rate(plain.len(), pack), if bytes == 0 { 0.0 } else { rate(bytes, unpack) }]
}

fn plot(name: &str, title: &str, places: &[String], lines: &[Line]) -> Result<(), Box<dyn std::error::Error>> {
    let path = format!("{}/benches/{name}.svg", env!("CARGO_MANIFEST_DIR"));
    let most = lines.iter().flat_map(|(_, rates)| rates).fold(0.0, |most: f64, rate| most.max(*rate));
    let root = SVGBackend::new(&path, (640, 360)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 15))
        .margin(8)
        .x_label_area_size(28)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..(places.len() - 1) as f64, 0.0..most * 1.1)?;
    let label = |at: &f64| match at.fract() {
        0.0 => places.get(*at as usize).cloned().unwrap_or_default(),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .x_labels(places.len())
        .x_label_formatter(&label)
        .y_desc("MB/s")
        .light_line_style(WHITE)
        .draw()?;
    for (at, (name, rates)) in lines.iter().enumerate() {
        let color = Palette99::pick(at).to_rgba();
        let points = rates.iter().enumerate().map(|(place, rate)| (place as f64, *rate));
        let line = chart.draw_series(LineSeries::new(points.clone(), color.stroke_width(2)))?;
        line.label(*name).legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
        chart.draw_series(points.map(|point| Circle::new(point, 3, color.filled())))?;
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    root.present()?;
    println!("{path}");
    Ok(())
}

/// Lines from the numbers of each place.
fn lines<const N: usize>(names: [&'static str; N], rows: &[[f64; N]]) -> Vec<Line> {
    names.into_iter().enumerate().map(|(at, name)| (name, rows.iter().map(|row| row[at]).collect())).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let plain = guest(LEN);
    let blocks = [1, 2, 4, 8, 16, 32].map(|kib| kib << 10);
    let rows: Vec<_> = blocks
        .iter()
        .map(|&block| {
            let [a, b] = both_ways(&mut Lzf::with_threads(1), &plain, block);
            let [c, _] = both_ways(&mut LzfEncoder::<256>::new(), &plain, block);
            let [d, e] = by_crate(&plain, block);
            [a, c, d, b, e]
        })
        .collect();
    let names = ["encode", "encode, core with 256 entries", "encode, crate lzf", "decode", "decode, crate lzf"];
    let places = blocks.map(|block| format!("{} KiB", block >> 10));
    let title = format!("LZF by block size, one thread, {}", guest_name());
    plot("block-size", &title, &places, &lines(names, &rows))?;

    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads: Vec<_> = (1..=cores.max(2)).collect();
    let rows: Vec<_> = threads.iter().map(|&threads| whole(threads, &plain)).collect();
    let places: Vec<_> = threads.iter().map(|threads| threads.to_string()).collect();
    let title = format!("A save to memory and its load by threads, 1.2, LZF, on {cores} cores, {}", guest_name());
    plot("threads", &title, &places, &lines(["save", "load"], &rows))?;

    let rows: Vec<_> = KINDS
        .iter()
        .filter(|kind| **kind != Kind::Zero)
        .map(|&kind| {
            let plain = pages(kind, LEN / 2, 7);
            let [a, b] = both_ways(&mut Lzf::with_threads(1), &plain, LEN);
            let [c, d] = by_crate(&plain, 32 << 10);
            [a, c, b, d]
        })
        .collect();
    let places: Vec<_> = KINDS[1..].iter().map(|kind| format!("{kind:?}").to_lowercase()).collect();
    let names = ["encode", "encode, crate lzf", "decode", "decode, crate lzf"];
    plot("data-kind", "LZF by kind of data, one thread, blocks of 32 KiB", &places, &lines(names, &rows))
}
