//! A machine with 64 MiB of mixed pages saved into memory and loaded back, in formats 1.2 and 2.0, beside a plain copy
//! and what its peers take for the packing alone.

mod data;

use data::mixed;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use ssm_core::{Entry, Get, Loader, Memory, Put, Saver, Unit, UnitError, Units};
use ssm_std::{Codec, Crc32Fast, FromStd, decoder};
use std::fmt;
use std::io::Cursor;

const LEN: usize = 64 << 20;
const SCRATCH: usize = 256 << 10;

struct Ram(Vec<u8>);

impl Unit for Ram {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(&self.0)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(&mut self.0)
    }
}

const UNITS: Units<Ram> = Units::new(&[Entry::new("ram", |machine, _| machine)]);

fn main() {
    divan::main();
}

/// What is compared: a format and a codec.
#[derive(Clone, Copy)]
struct Kind {
    is_streamed: bool,
    codec: Codec,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", if self.is_streamed { "2.0" } else { "1.2" }, self.codec)
    }
}

const KINDS: [Kind; 4] = [
    Kind { is_streamed: false, codec: Codec::Store },
    Kind { is_streamed: true, codec: Codec::Store },
    Kind { is_streamed: false, codec: Codec::Lzf },
    Kind { is_streamed: true, codec: Codec::Lzf },
];

/// How many bytes of `storage` the file takes.
fn save_to(storage: &mut [u8], ram: &mut Ram, kind: Kind, scratch: &mut [u8]) -> u64 {
    let (medium, codec) = (Memory::new(storage), kind.codec.encoder());
    if kind.is_streamed {
        Saver::streamed(medium, codec, scratch).crc32(Crc32Fast).save(ram, &UNITS).unwrap()
    } else {
        Saver::new(medium, codec, scratch).crc32(Crc32Fast).save(ram, &UNITS).unwrap()
    }
}

fn saved(ram: &mut Ram, kind: Kind) -> Vec<u8> {
    let mut storage = vec![0; LEN + LEN / 16];
    let len = save_to(&mut storage, ram, kind, &mut vec![0; SCRATCH]);
    storage.truncate(len as usize);
    storage
}

#[divan::bench(args = KINDS)]
fn save(bencher: Bencher, kind: Kind) {
    let mut ram = Ram(mixed(LEN));
    let mut storage = vec![0; LEN + LEN / 16];
    let mut scratch = vec![0; SCRATCH];
    bencher.counter(BytesCount::new(LEN)).bench_local(|| save_to(&mut storage, &mut ram, kind, &mut scratch));
}

#[divan::bench(args = KINDS)]
fn load(bencher: Bencher, kind: Kind) {
    let mut ram = Ram(mixed(LEN));
    let file = saved(&mut ram, kind);
    let mut scratch = vec![0; SCRATCH];
    bencher.counter(BytesCount::new(LEN)).bench_local(|| {
        Loader::unverified(FromStd::new(Cursor::new(&file)), decoder(), &mut scratch)
            .crc32(Crc32Fast)
            .load(&mut ram, &UNITS)
            .unwrap()
    });
}

/// Nothing but the file's header is checked ahead.
#[divan::bench(args = [KINDS[1], KINDS[3]])]
fn load_front_to_back(bencher: Bencher, kind: Kind) {
    let mut ram = Ram(mixed(LEN));
    let file = saved(&mut ram, kind);
    let mut scratch = vec![0; SCRATCH];
    bencher.counter(BytesCount::new(LEN)).bench_local(|| {
        Loader::streaming(&file[..], decoder(), &mut scratch).crc32(Crc32Fast).load(&mut ram, &UNITS).unwrap()
    });
}

/// Everything is decoded ahead.
#[divan::bench(args = KINDS)]
fn load_verified(bencher: Bencher, kind: Kind) {
    let mut ram = Ram(mixed(LEN));
    let file = saved(&mut ram, kind);
    let mut scratch = vec![0; SCRATCH];
    bencher.counter(BytesCount::new(LEN)).bench_local(|| {
        Loader::new(FromStd::new(Cursor::new(&file)), decoder(), &mut scratch)
            .crc32(Crc32Fast)
            .load(&mut ram, &UNITS)
            .unwrap()
    });
}

#[divan::bench]
fn plain_copy(bencher: Bencher) {
    let from = mixed(LEN);
    let mut to = vec![0; LEN];
    bencher.counter(BytesCount::new(LEN)).bench_local(|| to.copy_from_slice(black_box(&from)));
}

#[divan::bench]
fn pack_with_lzf_crate(bencher: Bencher) {
    let from = mixed(LEN);
    bencher.counter(BytesCount::new(LEN)).bench_local(|| {
        from.chunks(32 << 10)
            .map(|block| lzf::compress(black_box(block)).map_or(block.len(), |p| p.len()))
            .sum::<usize>()
    });
}

#[divan::bench]
fn pack_with_lz4_flex(bencher: Bencher) {
    let from = mixed(LEN);
    bencher
        .counter(BytesCount::new(LEN))
        .bench_local(|| from.chunks(32 << 10).map(|block| lz4_flex::compress(black_box(block)).len()).sum::<usize>());
}
