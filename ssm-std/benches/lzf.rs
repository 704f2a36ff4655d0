//! LZF both ways in blocks of 32 KiB, and as a device does it, beside its peers on the same data.

mod data;

use data::{KINDS, Kind, guest, mixed, pages};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use ssm_core::{Decode, Encode, Input, LzfDecoder, LzfEncoder, tag};
use ssm_std::Lzf;

const LEN: usize = 8 << 20;
const BLOCK: usize = 32 << 10;
const DATA: [&str; 6] = ["mixed", "zero", "text", "code", "heap", "random"];
/// The data of [`guest`], where there is any.
const GUEST: &str = "guest";

fn main() {
    divan::main();
}

fn names() -> impl Iterator<Item = &'static str> {
    std::env::var_os("SSM_GUEST_RAM").map(|_| GUEST).into_iter().chain(DATA)
}

fn corpus(name: &str) -> Vec<u8> {
    if name == GUEST {
        return guest(LEN);
    }
    let kind = DATA[1..].iter().position(|other| *other == name).map(|at| KINDS[at]);
    match kind {
        Some(kind @ Kind::Zero) => pages(kind, LEN, 1),
        Some(kind) => pages(kind, LEN, 7),
        None => mixed(LEN),
    }
}

fn encode_with(bencher: Bencher, name: &str, mut encoder: impl Encode, block: usize) {
    let plain = corpus(name);
    let mut packed = vec![0; 64 << 10];
    bencher.counter(BytesCount::new(LEN)).bench_local(|| {
        encoder.reset();
        let mut total = 0;
        for piece in plain.chunks(block) {
            let mut rest = piece;
            while !rest.is_empty() {
                let step = encoder.encode(black_box(rest), &mut packed, Input::More);
                rest = &rest[step.read..];
                total += step.written;
            }
        }
        total
    });
}

#[divan::bench(args = names())]
fn encode_host(bencher: Bencher, name: &str) {
    encode_with(bencher, name, Lzf::new(), LEN);
}

#[divan::bench(args = names())]
fn encode_core_256_entries_4_kib(bencher: Bencher, name: &str) {
    encode_with(bencher, name, LzfEncoder::<256>::new(), 4096);
}

#[divan::bench(args = names())]
fn encode_lzf_crate(bencher: Bencher, name: &str) {
    let plain = corpus(name);
    bencher.counter(BytesCount::new(LEN)).bench_local(|| {
        plain
            .chunks(BLOCK)
            .map(|block| lzf::compress(black_box(block)).map_or(block.len(), |code| code.len()))
            .sum::<usize>()
    });
}

#[divan::bench(args = names())]
fn encode_lz4_flex(bencher: Bencher, name: &str) {
    let plain = corpus(name);
    bencher
        .counter(BytesCount::new(LEN))
        .bench_local(|| plain.chunks(BLOCK).map(|block| lz4_flex::compress(black_box(block)).len()).sum::<usize>());
}

#[divan::bench(args = names())]
fn plain_copy(bencher: Bencher, name: &str) {
    let plain = corpus(name);
    let mut to = vec![0; LEN];
    bencher.counter(BytesCount::new(LEN)).bench_local(|| {
        for (to, from) in to.chunks_mut(BLOCK).zip(plain.chunks(BLOCK)) {
            to.copy_from_slice(black_box(from));
        }
    });
}

fn packed_by(mut encoder: impl Encode, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    encoder.reset();
    let mut rest = plain;
    while !rest.is_empty() {
        let step = encoder.encode(rest, &mut buffer, Input::More);
        rest = &rest[step.read..];
        out.extend_from_slice(&buffer[..step.written]);
    }
    out
}

fn decode_with(bencher: Bencher, name: &str, encoder: impl Encode, input: usize, output: usize) {
    let packed = packed_by(encoder, &corpus(name));
    let mut decoder = LzfDecoder::new(vec![0; 32768]);
    let mut plain = vec![0; output];
    bencher.counter(BytesCount::new(LEN)).bench_local(|| {
        decoder.reset(tag::LZF);
        let mut total = 0;
        for piece in packed.chunks(input) {
            let mut rest = piece;
            loop {
                let step = decoder.decode(black_box(rest), &mut plain, Input::More).unwrap();
                rest = &rest[step.read..];
                total += step.written;
                if step.read == 0 && step.written == 0 {
                    break;
                }
            }
        }
        assert_eq!(total, LEN);
    });
}

#[divan::bench(args = names())]
fn decode_whole_blocks(bencher: Bencher, name: &str) {
    decode_with(bencher, name, Lzf::new(), usize::MAX, 256 << 10);
}

#[divan::bench(args = names())]
fn decode_core_256_entries_4_kib(bencher: Bencher, name: &str) {
    decode_with(bencher, name, LzfEncoder::<256>::with_block(4096), usize::MAX, 256 << 10);
}

#[divan::bench(args = names())]
fn decode_in_pieces_of_512(bencher: Bencher, name: &str) {
    decode_with(bencher, name, Lzf::new(), 512, 512);
}

#[divan::bench(args = names())]
fn decode_lzf_crate(bencher: Bencher, name: &str) {
    let plain = corpus(name);
    // What does not pack, lzf leaves alone.
    let blocks: Vec<_> = plain.chunks(BLOCK).filter_map(|b| Some((lzf::compress(b).ok()?, b.len()))).collect();
    let bytes: usize = blocks.iter().map(|(_, len)| len).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        for (code, len) in &blocks {
            black_box(lzf::decompress(black_box(code), *len).unwrap());
        }
    });
}

#[divan::bench(args = names())]
fn decode_lz4_flex(bencher: Bencher, name: &str) {
    let plain = corpus(name);
    let blocks: Vec<_> = plain.chunks(BLOCK).map(|b| (lz4_flex::compress(b), b.len())).collect();
    bencher.counter(BytesCount::new(LEN)).bench_local(|| {
        for (code, len) in &blocks {
            black_box(lz4_flex::decompress(black_box(code), *len).unwrap());
        }
    });
}
