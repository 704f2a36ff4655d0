//! LZF on one thread: the host's, and core's small form.

use crate::data::{KINDS, Kind, guest, guest_name, pages};
use crate::liblzf::Liblzf;
use crate::measure::{Time, race, race_beside, rate};
use crate::packing::encode;
use crate::table::{Goal, Table, mb};
use ssm_core::{Decode, Encode, Input, LzfEncoder, tag};
use ssm_std::{Lzf, LzfDecoder};
use std::hint::black_box;
use std::path::Path;

const LEN: usize = 64 << 20;
const BLOCK: usize = 32 << 10;
/// Plain bytes of a block of core's small form.
const SMALL: usize = 4 << 10;
const ROUNDS: usize = 5;

/// Unpacks all, to pieces of 256 KiB.
fn decode(decoder: &mut impl Decode, mut packed: &[u8], plain: &mut [u8]) -> usize {
    decoder.reset(tag::LZF);
    let mut total = 0;
    while !packed.is_empty() {
        let step = decoder.decode(packed, plain, Input::End).unwrap();
        (packed, total) = (&packed[step.read..], total + step.written);
        black_box(&mut *plain);
    }
    total
}

/// What the `lzf` crate makes of each block, and of how many plain bytes; what does not pack it leaves alone.
fn packed_by_crate(plain: &[u8], block: usize) -> (Vec<(Vec<u8>, usize)>, usize) {
    let blocks: Vec<_> =
        plain.chunks(block).filter_map(|block| Some((lzf::compress(block).ok()?, block.len()))).collect();
    let size = blocks.iter().map(|(code, len)| code.len() as isize - *len as isize).sum::<isize>();
    (blocks, (plain.len() as isize + size) as usize)
}

fn by_crate(plain: &[u8], block: usize) -> usize {
    plain.chunks(block).map(|block| lzf::compress(black_box(block)).map_or(block.len(), |code| code.len())).sum()
}

pub fn run(table: &mut Table, folder: &Path) {
    let plain = guest(LEN);
    both_ways(
        (table, folder),
        &format!("LZF, one thread, blocks of 32 KiB, {}", guest_name()),
        &plain,
        Lzf::with_threads(1),
        BLOCK,
        (2.5, 3.5),
    );
    let name = format!("LZF, one thread, core's small form (256 entries, 4 KiB), {}", guest_name());
    both_ways((table, folder), &name, &plain, LzfEncoder::<256>::new(), SMALL, (1.5, 2.0));
    kinds(table);
}

fn both_ways(
    (table, folder): (&mut Table, &Path),
    name: &str,
    plain: &[u8],
    mut encoder: impl Encode,
    block: usize,
    goals: (f64, f64),
) {
    table.group(name);
    let mut liblzf = Liblzf::start(folder, plain, block);
    let mut liblzf_size = None;
    let mut packed = vec![0; plain.len() + plain.len() / 16];
    let size = encode(&mut encoder, plain, block, &mut packed);
    let (blocks, crate_size) = packed_by_crate(plain, block);
    let ([ours, theirs, lz4, zstd], by_c) = race_beside(
        Time::Thread,
        ROUNDS,
        [
            &mut || _ = black_box(encode(&mut encoder, black_box(plain), block, &mut packed)),
            &mut || _ = black_box(by_crate(plain, block)),
            &mut || _ = black_box(plain.chunks(block).map(|b| lz4_flex::compress(black_box(b)).len()).sum::<usize>()),
            &mut || {
                let mut encoder = zstd::bulk::Compressor::new(1).unwrap();
                _ = black_box(
                    plain.chunks(block).map(|b| encoder.compress(black_box(b)).unwrap().len()).sum::<usize>(),
                );
            },
        ],
        &mut || match &mut liblzf {
            Some(liblzf) => {
                let (seconds, size) = liblzf.encode();
                liblzf_size = Some(size);
                seconds
            }
            None => f64::INFINITY,
        },
    );
    let speed = |seconds| mb(rate(plain.len(), seconds));
    let beside = |theirs, by_c: f64, lz4, zstd| {
        let by_c = if by_c.is_finite() { speed(by_c) } else { "not installed".to_owned() };
        let [theirs, lz4, zstd] = [theirs, lz4, zstd].map(speed);
        format!("crate lzf {theirs}, C LZF {by_c}, lz4_flex {lz4}, zstd -1 {zstd}")
    };
    let rates = beside(theirs, by_c, lz4, zstd);
    table.row("encode, to crate lzf", &speed(ours), &rates, theirs / ours, Goal::AtLeast(goals.0));
    let ratio = |size: usize| size as f64 / plain.len() as f64;
    let by_c = liblzf_size.map_or_else(|| "not installed".to_owned(), |size| format!("{:.3}", ratio(size)));
    let (here, sizes) = (format!("{:.3}", ratio(size)), format!("crate lzf {:.3}, C LZF {by_c}", ratio(crate_size)));
    let goal = if block == BLOCK { Goal::AtMost(1.02) } else { Goal::None };
    table.row("packed size, to crate lzf", &here, &sizes, size as f64 / crate_size as f64, goal);

    let lz4: Vec<_> = plain.chunks(block).map(|block| (lz4_flex::compress(block), block.len())).collect();
    let mut zstd_encoder = zstd::bulk::Compressor::new(1).unwrap();
    let zstd: Vec<_> = plain.chunks(block).map(|block| (zstd_encoder.compress(block).unwrap(), block.len())).collect();
    let bytes: usize = blocks.iter().map(|(_, len)| len).sum();
    let (packed, mut decoder) = (&packed[..size], LzfDecoder::with_threads(1));
    let (mut to, mut place, mut other) = (vec![0; 256 << 10], vec![0; BLOCK], vec![0; BLOCK]);
    let ([ours, theirs, lz4, zstd], by_c) = race_beside(
        Time::Thread,
        ROUNDS,
        [
            &mut || assert_eq!(decode(&mut decoder, black_box(packed), &mut to), plain.len()),
            &mut || {
                blocks.iter().for_each(|(code, len)| _ = black_box(lzf::decompress(black_box(code), *len).unwrap()))
            },
            &mut || {
                lz4.iter().for_each(|(code, _)| _ = black_box(lz4_flex::decompress_into(code, &mut place).unwrap()))
            },
            &mut || {
                let mut decoder = zstd::bulk::Decompressor::new().unwrap();
                zstd.iter()
                    .for_each(|(code, _)| _ = black_box(decoder.decompress_to_buffer(code, &mut other).unwrap()));
            },
        ],
        &mut || liblzf.as_mut().map_or(f64::INFINITY, Liblzf::decode),
    );
    let theirs = theirs * plain.len() as f64 / bytes as f64;
    let rates = beside(theirs, by_c, lz4, zstd);
    table.row("decode, to crate lzf", &speed(ours), &rates, theirs / ours, Goal::AtLeast(goals.1));
}

/// Each kind of page alone.
fn kinds(table: &mut Table) {
    table.group("LZF, one thread, blocks of 32 KiB, pages of one kind");
    for kind in KINDS {
        let plain = pages(kind, 16 << 20, if kind == Kind::Zero { 1 } else { 7 });
        let mut packed = vec![0; plain.len() + plain.len() / 16];
        let (mut encoder, mut decoder) = (Lzf::with_threads(1), LzfDecoder::with_threads(1));
        let size = encode(&mut encoder, &plain, plain.len(), &mut packed);
        let code = packed[..size].to_vec();
        let mut to = vec![0; 256 << 10];
        let (blocks, _) = packed_by_crate(&plain, BLOCK);
        let [ours, theirs, back, theirs_back] = race(
            Time::Thread,
            3,
            [
                &mut || _ = black_box(encode(&mut encoder, black_box(&plain), plain.len(), &mut packed)),
                &mut || _ = black_box(by_crate(&plain, BLOCK)),
                &mut || _ = black_box(decode(&mut decoder, black_box(&code), &mut to)),
                &mut || {
                    blocks.iter().for_each(|(code, len)| _ = black_box(lzf::decompress(black_box(code), *len).unwrap()))
                },
            ],
        );
        let speed = |seconds| mb(rate(plain.len(), seconds));
        let word = format!("{kind:?}").to_lowercase();
        table.row(&format!("encode {word}, to crate lzf"), &speed(ours), &speed(theirs), theirs / ours, Goal::None);
        if !blocks.is_empty() {
            let what = format!("decode {word}, to crate lzf");
            table.row(&what, &speed(back), &speed(theirs_back), theirs_back / back, Goal::None);
        }
    }
}
