//! A small state saved into memory and loaded back, as rewinding and running ahead do many times a second; and values.

use crate::data::mixed;
use crate::machine::{RAM, Ram};
use crate::measure::{Time, race};
use crate::table::{Goal, Table, thousands};
use ssm_core::{Crc32, Decode, Encode, Header, Input, Loader, Memory, Saver, Store, Writer, tag};
use ssm_std::{Crc32Fast, Lzf, LzfDecoder};
use std::hint::black_box;

const LEN: usize = 64 << 10;
const ROUNDS: usize = 7;

fn micros(seconds: f64) -> String {
    format!("{:.1} us", seconds * 1e6)
}

pub fn run(table: &mut Table) {
    state(table);
    values(table);
}

fn state(table: &mut Table) {
    table.group("A state of 64 KiB (mixed pages) saved into memory and loaded back, one thread");
    let plain = mixed(LEN);
    let room = || vec![0u8; LEN + LEN / 8];
    // Bytes that need no packing go straight past a scratch that is smaller than they are.
    let scratch = |is_packed| vec![0u8; if is_packed { 256 << 10 } else { 32 << 10 }];
    let (mut there, mut back) = (vec![0; LEN], vec![0; LEN]);
    let mut copy = || {
        there.copy_from_slice(black_box(&plain));
        back.copy_from_slice(black_box(&there));
        black_box(&mut back);
    };
    let (mut encoder, mut decoder) = (Lzf::with_threads(1), LzfDecoder::with_threads(1));
    let (mut packed, mut unpacked) = (room(), vec![0; LEN]);
    let mut alone = || {
        encoder.reset();
        let (mut rest, mut size) = (black_box(&plain[..]), 0);
        while !rest.is_empty() {
            let step = encoder.encode(rest, &mut packed[size..], Input::More);
            (rest, size) = (&rest[step.read..], size + step.written);
        }
        decoder.reset(tag::LZF);
        let (mut from, mut to) = (0, 0);
        while to < LEN {
            let step = decoder.decode(&packed[from..size], &mut unpacked[to..], Input::End).unwrap();
            (from, to) = (from + step.read, to + step.written);
        }
        black_box(&mut unpacked);
    };
    // Once over and once back, as a plain file with a checksum needs.
    let mut crc = || _ = black_box(Crc32Fast.update(Crc32Fast.update(0, black_box(&plain)), black_box(&plain)));

    let state = |is_streamed: bool, is_packed: bool| {
        let (mut ram, mut storage, mut scratch) = (Ram(plain.clone()), room(), scratch(is_packed));
        let (mut encoder, mut decoder) = (Lzf::with_threads(1), LzfDecoder::with_threads(1));
        move || {
            let medium = Memory::new(&mut storage[..]);
            let len = match (is_streamed, is_packed) {
                (false, false) => Saver::new(medium, Store, &mut scratch).crc32(Crc32Fast).save(&mut ram, &RAM),
                (true, false) => Saver::streamed(medium, Store, &mut scratch).crc32(Crc32Fast).save(&mut ram, &RAM),
                (false, true) => Saver::new(medium, &mut encoder, &mut scratch).crc32(Crc32Fast).save(&mut ram, &RAM),
                (true, true) => {
                    Saver::streamed(medium, &mut encoder, &mut scratch).crc32(Crc32Fast).save(&mut ram, &RAM)
                }
            };
            let medium = Memory::holding(&storage[..len.unwrap() as usize]);
            match is_packed {
                false => Loader::new(medium, Store, &mut scratch).crc32(Crc32Fast).load(&mut ram, &RAM),
                true => Loader::new(medium, &mut decoder, &mut scratch).crc32(Crc32Fast).load(&mut ram, &RAM),
            }
            .unwrap();
            black_box(&mut ram.0);
        }
    };
    let [stored, stored_2, packed, packed_2, copy, alone, crc] = race(
        Time::Thread,
        ROUNDS,
        [
            &mut state(false, false),
            &mut state(true, false),
            &mut state(false, true),
            &mut state(true, true),
            &mut copy,
            &mut alone,
            &mut crc,
        ],
    );
    let beside = format!("copy {}, CRC over both ways {}", micros(copy), micros(crc));
    for (what, seconds) in [("1.2 stored", stored), ("2.0 stored", stored_2)] {
        let what = format!("{what}, to a plain copy there and back");
        table.row(&what, &micros(seconds), &beside, seconds / copy, Goal::AtMost(3.0));
    }
    for (what, seconds) in [("1.2 LZF", packed), ("2.0 LZF", packed_2)] {
        let what = format!("{what}, to LZF of 32 KiB blocks alone");
        table.row(&what, &micros(seconds), &micros(alone), seconds / alone, Goal::AtMost(1.25));
    }
}

fn values(table: &mut Table) {
    const VALUES: u32 = 100_000;
    table.group("100,000 values of 4 bytes, one thread, the file around the unit included");
    let (mut storage, mut scratch) = (vec![0u8; 1 << 20], vec![0u8; 16 << 10]);
    let mut list: Vec<u8> = Vec::with_capacity(4 * VALUES as usize);
    let [put, store] = race(
        Time::Thread,
        ROUNDS,
        [
            &mut || {
                let medium = Memory::new(&mut storage[..]);
                let mut writer = Writer::new(medium, Store, Crc32Fast, &Header::new(), &mut scratch).unwrap();
                writer.unit(b"values", 0, 1, &mut |put| (0..VALUES).try_for_each(|i| put.u32(black_box(i)))).unwrap();
                writer.finish().unwrap();
            },
            &mut || {
                list.clear();
                (0..VALUES).for_each(|i| list.extend_from_slice(&black_box(i).to_le_bytes()));
                black_box(&mut list);
            },
        ],
    );
    let speed = |seconds: f64| format!("{} M/s", thousands(f64::from(VALUES) / seconds / 1e6));
    table.row("put.u32, to a store into a Vec", &speed(put), &speed(store), put / store, Goal::AtMost(2.0));
}
