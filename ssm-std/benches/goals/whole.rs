//! Whole saves to a file in memory, and whole loads of it, on all cores.

use crate::data::{Kind, guest, guest_name, pages};
use crate::machine::{RAM, Ram};
use crate::measure::{Time, race, rate};
use crate::table::{Goal, Table, mb};
use ssm_core::{Memory, Saver};
use ssm_std::{Codec, Crc32Fast, LoadOptions, Lzf, SaveFormat, SaveOptions, load_from_path, save_to_path};
use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

const LEN: usize = 256 << 20;
const BLOCK: usize = 32 << 10;
const ROUNDS: usize = 5;

pub fn save(path: &Path, ram: &mut Ram, format: SaveFormat, codec: Codec) {
    save_to_path(path, ram, &RAM, SaveOptions { format, codec, ..SaveOptions::default() }).unwrap();
}

pub fn load(path: &Path, ram: &mut Ram, verify: bool) {
    load_from_path(path, ram, &RAM, LoadOptions { verify, ..LoadOptions::default() }).unwrap();
}

/// Packs blocks on this thread, writes each behind its length, and the checksum over all.
fn save_by(path: &Path, plain: &[u8], pack: fn(&[u8]) -> Vec<u8>) {
    let mut file = BufWriter::with_capacity(64 << 10, File::create(path).unwrap());
    let mut crc = crc32fast::Hasher::new();
    let mut put = |bytes: &[u8]| {
        crc.update(bytes);
        file.write_all(bytes).unwrap();
    };
    for block in plain.chunks(BLOCK) {
        let code = pack(block);
        put(&(code.len() as u32).to_le_bytes());
        put(&code);
    }
    file.write_all(&crc.finalize().to_le_bytes()).unwrap();
    file.flush().unwrap();
}

/// Reads what `save_by` wrote, in pieces of 1 MiB, checks it and unpacks it on this thread.
fn load_by(path: &Path, plain: &mut [u8], unpack: fn(&[u8], &mut [u8])) {
    let mut check = File::open(path).unwrap();
    let mut crc = crc32fast::Hasher::new();
    let mut piece = vec![0; 1 << 20];
    while let n @ 1.. = check.read(&mut piece).unwrap() {
        crc.update(&piece[..n]);
    }
    black_box(crc.finalize());
    let mut file = std::io::BufReader::with_capacity(64 << 10, File::open(path).unwrap());
    for block in plain.chunks_mut(BLOCK) {
        let mut len = [0; 4];
        file.read_exact(&mut len).unwrap();
        let code = &mut piece[..u32::from_le_bytes(len) as usize];
        file.read_exact(code).unwrap();
        unpack(code, block);
    }
}

fn pack_lzf(block: &[u8]) -> Vec<u8> {
    lzf::compress(block).unwrap_or_else(|_| block.to_vec())
}

fn unpack_lzf(code: &[u8], block: &mut [u8]) {
    if code.len() == block.len() {
        block.copy_from_slice(code);
    } else {
        block.copy_from_slice(&lzf::decompress(code, block.len()).unwrap());
    }
}

fn unpack_lz4(code: &[u8], block: &mut [u8]) {
    lz4_flex::decompress_into(code, block).unwrap();
}

pub fn run(table: &mut Table, folder: &Path) {
    let [patched, streamed, lzf, lz4] = ["1.2", "2.0", "lzf", "lz4"].map(|name| folder.join(name));
    let plain = guest(LEN);
    let mut ram = Ram(plain.clone());
    let mut other = Ram(plain.clone());
    table.group(&format!(
        "A whole save of {} MiB of {} to a file in memory, LZF and CRC, all cores",
        LEN >> 20,
        guest_name()
    ));
    let [old, new, by_lzf, by_lz4] = race(
        Time::Wall,
        ROUNDS,
        [
            &mut || save(&patched, &mut ram, SaveFormat::V1_2, Codec::Lzf),
            &mut || save(&streamed, &mut other, SaveFormat::V2_0, Codec::Lzf),
            &mut || save_by(&lzf, &plain, pack_lzf),
            &mut || save_by(&lz4, &plain, lz4_flex::compress),
        ],
    );
    let speed = |seconds| mb(rate(LEN, seconds));
    table.row("1.2, to one thread of crate lzf", &speed(old), &speed(by_lzf), by_lzf / old, Goal::AtLeast(4.0));
    table.row("1.2, to one thread of lz4_flex", &speed(old), &speed(by_lz4), by_lz4 / old, Goal::AtLeast(1.0));
    table.row("2.0, to 1.2", &speed(new), &speed(old), old / new, Goal::AtLeast(1.0));

    table.group("A whole load of that file, all cores");
    let (mut to, mut to_other) = (plain.clone(), plain.clone());
    let mut both = [Ram(plain.clone()), Ram(plain.clone())];
    let [first, second] = &mut both;
    let [old, old_verified, new, new_verified, by_lzf, by_lz4] = race(
        Time::Wall,
        ROUNDS,
        [
            &mut || load(&patched, &mut ram, false),
            &mut || load(&patched, &mut other, true),
            &mut || load(&streamed, first, false),
            &mut || load(&streamed, second, true),
            &mut || load_by(&lzf, &mut to, unpack_lzf),
            &mut || load_by(&lz4, &mut to_other, unpack_lz4),
        ],
    );
    let beside = format!("crate lzf {}, lz4_flex {}", speed(by_lzf), speed(by_lz4));
    table.row("1.2, checked, to one thread of crate lzf", &speed(old), &beside, by_lzf / old, Goal::AtLeast(5.0));
    let what = "1.2, decoded twice (verified), to one thread of crate lzf";
    table.row(what, &speed(old_verified), &beside, by_lzf / old_verified, Goal::AtLeast(5.0));
    table.row("2.0, checked, to 1.2", &speed(new), &speed(old), old / new, Goal::AtLeast(1.0));
    let what = "2.0, decoded twice (verified), to 1.2";
    table.row(what, &speed(new_verified), &speed(old_verified), old_verified / new_verified, Goal::AtLeast(1.0));
    assert!(ram.0 == plain && other.0 == plain && both.iter().all(|ram| ram.0 == plain) && to == plain);
}

/// Zeros on all cores, and on one thread into memory what does not pack.
pub fn run_kinds(table: &mut Table, folder: &Path) {
    table.group("Zero memory saved to a file in memory, all cores");
    let path = folder.join("zero");
    let (mut zero, mut other) = (Ram(vec![0; LEN]), Ram(vec![0; LEN]));
    other.0.fill(1);
    other.0.fill(0);
    zero.0.fill(1);
    zero.0.fill(0);
    let mut to = vec![1; LEN];
    let from = other.0.clone();
    let [old, new, copy] = race(
        Time::Wall,
        ROUNDS,
        [
            &mut || save(&path, &mut zero, SaveFormat::V1_2, Codec::Lzf),
            &mut || save(&path, &mut other, SaveFormat::V2_0, Codec::Lzf),
            &mut || to.copy_from_slice(black_box(&from)),
        ],
    );
    let beside = format!("plain copy {}", mb(rate(LEN, copy)));
    for (what, seconds) in [("1.2, GB/s", old), ("2.0, GB/s", new)] {
        let rate = rate(LEN, seconds);
        table.row(what, &mb(rate), &beside, rate / 1000.0, Goal::AtLeast(8.0));
    }

    table.group("Incompressible memory saved into memory, LZF and CRC, one thread");
    const RANDOM: usize = 64 << 20;
    let mut ram = Ram(pages(Kind::Random, RANDOM, 7));
    let mut other = Ram(ram.0.clone());
    let (mut storage, mut scratch) = (vec![0; RANDOM + RANDOM / 16], vec![0; 1 << 20]);
    let (mut other_storage, mut other_scratch) = (vec![0; RANDOM + RANDOM / 16], vec![0; 1 << 20]);
    let plain = ram.0.clone();
    let [old, new, by_lzf] = race(
        Time::Thread,
        ROUNDS,
        [
            &mut || {
                let saver = Saver::new(Memory::new(&mut storage[..]), Lzf::with_threads(1), &mut scratch);
                saver.crc32(Crc32Fast).save(&mut ram, &RAM).unwrap();
            },
            &mut || {
                let medium = Memory::new(&mut other_storage[..]);
                let saver = Saver::streamed(medium, Lzf::with_threads(1), &mut other_scratch);
                saver.crc32(Crc32Fast).save(&mut other, &RAM).unwrap();
            },
            &mut || plain.chunks(BLOCK).for_each(|block| _ = black_box(lzf::compress(black_box(block)))),
        ],
    );
    let beside = format!("crate lzf alone {}", mb(rate(RANDOM, by_lzf)));
    for (what, seconds) in [("1.2, GB/s", old), ("2.0, GB/s", new)] {
        let rate = rate(RANDOM, seconds);
        table.row(what, &mb(rate), &beside, rate / 1000.0, Goal::AtLeast(1.5));
    }
}
