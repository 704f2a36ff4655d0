//! A machine with 64 MiB of mixed pages saved into memory and loaded back, beside a plain copy and what its peers take
//! for the packing alone.

mod data;

use data::mixed;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use ssm_core::{Entry, Get, Loader, Memory, Put, Saver, Unit, UnitError};
use ssm_std::{Codec, Crc32Fast, decoder};

const LEN: usize = 64 << 20;
const SCRATCH: usize = 256 << 10;
const CODECS: [Codec; 2] = [Codec::Store, Codec::Lzf];

struct Ram(Vec<u8>);

impl Unit for Ram {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(&self.0)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(&mut self.0)
    }
}

const UNITS: [Entry<Ram>; 1] = [Entry::new("ram", |machine, _| machine)];

fn main() {
    divan::main();
}

fn saved(ram: &mut Ram, codec: Codec) -> Memory<Vec<u8>> {
    let mut medium = Memory::new(vec![0; LEN + LEN / 16]);
    let mut scratch = vec![0; SCRATCH];
    Saver::new(&mut medium, codec.encoder(), &mut scratch).crc32(Crc32Fast).save(ram, &UNITS).unwrap();
    medium
}

#[divan::bench(args = CODECS)]
fn save(bencher: Bencher, codec: Codec) {
    let mut ram = Ram(mixed(LEN));
    let mut storage = vec![0; LEN + LEN / 16];
    let mut scratch = vec![0; SCRATCH];
    bencher.counter(BytesCount::new(LEN)).bench_local(|| {
        let medium = Memory::new(&mut storage[..]);
        Saver::new(medium, codec.encoder(), &mut scratch).crc32(Crc32Fast).save(&mut ram, &UNITS).unwrap()
    });
}

#[divan::bench(args = CODECS)]
fn load(bencher: Bencher, codec: Codec) {
    let mut ram = Ram(mixed(LEN));
    let mut medium = saved(&mut ram, codec);
    let mut scratch = vec![0; SCRATCH];
    bencher.counter(BytesCount::new(LEN)).bench_local(|| {
        Loader::new(&mut medium, decoder(), &mut scratch).crc32(Crc32Fast).load(&mut ram, &UNITS).unwrap()
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
