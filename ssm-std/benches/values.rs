//! Single values into a unit and out of it, beside a store into a `Vec`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use ssm_core::{Archive, Crc32Bytewise, Encode, Header, Memory, Put, Store, UnitError, UnitId, Writer};
use ssm_std::{Crc32Fast, Lzf, decoder};

const VALUES: u32 = 100_000;
const ROOM: usize = 4 << 20;

fn main() {
    divan::main();
}

fn put_with(
    bencher: Bencher,
    codec: fn() -> Box<dyn Encode>,
    put: impl Fn(&mut Put<'_>, u32) -> Result<(), UnitError>,
) {
    let mut medium = Memory::new(vec![0; ROOM]);
    let mut scratch = vec![0; 64 << 10];
    let mut codec = codec();
    bencher.counter(ItemsCount::new(VALUES)).bench_local(|| {
        medium = Memory::new(std::mem::take(&mut medium).into_inner());
        let mut writer = Writer::new(&mut medium, &mut *codec, Crc32Fast, &Header::new(), &mut scratch).unwrap();
        writer.unit(b"values", 0, 1, &mut |p| (0..VALUES).try_for_each(|i| put(p, black_box(i)))).unwrap();
        writer.finish().unwrap()
    });
}

#[divan::bench]
fn put_u8_store(bencher: Bencher) {
    put_with(bencher, || Box::new(Store), |put, i| put.u8(i as u8));
}

#[divan::bench]
fn put_u32_store(bencher: Bencher) {
    put_with(bencher, || Box::new(Store), |put, i| put.u32(i));
}

#[divan::bench]
fn put_u64_store(bencher: Bencher) {
    put_with(bencher, || Box::new(Store), |put, i| put.u64(i.into()));
}

#[divan::bench]
fn put_u32_lzf(bencher: Bencher) {
    put_with(bencher, || Box::new(Lzf::new()), |put, i| put.u32(i));
}

#[divan::bench]
fn put_str_store(bencher: Bencher) {
    put_with(bencher, || Box::new(Store), |put, _| put.str("a name"));
}

#[divan::bench]
fn vec_u32(bencher: Bencher) {
    let mut out = Vec::with_capacity(ROOM);
    bencher.counter(ItemsCount::new(VALUES)).bench_local(|| {
        out.clear();
        for i in 0..VALUES {
            out.extend_from_slice(&black_box(i).to_le_bytes());
        }
        out.len()
    });
}

fn get_with(bencher: Bencher, codec: impl Encode) {
    let mut medium = Memory::new(vec![0; ROOM]);
    let mut scratch = vec![0; 64 << 10];
    let mut writer = Writer::new(&mut medium, codec, Crc32Bytewise, &Header::new(), &mut scratch).unwrap();
    writer.unit(b"values", 0, 1, &mut |put| (0..VALUES).try_for_each(|i| put.u32(i))).unwrap();
    writer.finish().unwrap();
    let mut archive = Archive::open_with(&mut medium, decoder(), vec![0; 64 << 10], Crc32Fast).unwrap();
    bencher.counter(ItemsCount::new(VALUES)).bench_local(|| {
        let mut unit = archive.seek(UnitId::new("values", 0)).unwrap();
        unit.read(|get| (0..VALUES).try_fold(0u32, |sum, _| Ok(sum.wrapping_add(get.u32()?)))).unwrap()
    });
}

#[divan::bench]
fn get_u32_store(bencher: Bencher) {
    get_with(bencher, Store);
}

#[divan::bench]
fn get_u32_lzf(bencher: Bencher) {
    get_with(bencher, Lzf::new());
}
