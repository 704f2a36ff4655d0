//! Large puts, which are packed on several threads while the first packed bytes are written: the file is the same with any
//! number of threads, and a save that cannot go on ends at once.

use proptest::prelude::*;
use ssm_core::embedded_io::ErrorKind;
use ssm_core::{Cancel, Encode, Entry, Get, Input, Memory, Put, SaveError, Saver, Unit, UnitError, Units};
use ssm_std::{Crc32Fast, Lzf};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const THREADS: [usize; 4] = [1, 2, 3, 7];

/// A memory that is put in pieces of these sizes, over and over.
struct Ram {
    bytes: Vec<u8>,
    puts: Vec<usize>,
}

impl Ram {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, puts: vec![usize::MAX] }
    }
}

impl Unit for Ram {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        let mut left = &self.bytes[..];
        for piece in self.puts.iter().cycle() {
            let (piece, rest) = left.split_at(left.len().min(*piece));
            put.bytes(piece)?;
            left = rest;
            if left.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(&mut self.bytes)
    }
}

const RAM: Units<Ram> = Units::new(&[Entry::new("ram", |machine, _| machine)]);

/// Pages of all kinds: zeros alone and in long runs, words, noise.
fn pages(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes = Vec::with_capacity(len + 64 * 4096);
    while bytes.len() < len {
        let page = match next() % 6 {
            0 => vec![0; 4096 * (next() as usize % 40)],
            1 => (0..4096).map(|_| next() as u8).collect(),
            2 => b"units of a machine, ".iter().cycle().skip(next() as usize % 20).take(4096).copied().collect(),
            3 => [&[0; 4000][..], &[next() as u8; 96]].concat(),
            _ => (0..512).flat_map(|_| (next() & 0xff_00ff).to_le_bytes()).collect(),
        };
        bytes.extend(page);
    }
    bytes.truncate(len);
    bytes
}

/// The saves of a test: formats 1.2 and 2.0.
const STREAMED: [bool; 2] = [false, true];

fn save(
    ram: &mut Ram,
    room: usize,
    codec: impl Encode,
    is_streamed: bool,
    scratch: usize,
) -> Result<Vec<u8>, SaveError<ErrorKind>> {
    let (mut storage, mut scratch) = (vec![0; room], vec![0; scratch]);
    let medium = Memory::new(&mut storage[..]);
    let len = match is_streamed {
        false => Saver::new(medium, codec, &mut scratch).crc32(Crc32Fast).save(ram, &RAM)?,
        true => Saver::streamed(medium, codec, &mut scratch).crc32(Crc32Fast).save(ram, &RAM)?,
    };
    storage.truncate(len as usize);
    Ok(storage)
}

/// Hides what a codec can do with large slices.
struct Plodding(Lzf);

impl Encode for Plodding {
    fn tag(&self) -> u8 {
        self.0.tag()
    }

    fn reset(&mut self) {
        self.0.reset();
    }

    fn encode(&mut self, plain: &[u8], packed: &mut [u8], input: Input) -> ssm_core::Step {
        self.0.encode(plain, packed, input)
    }

    fn encode_block(&mut self, plain: &[u8], code: &mut [u8]) -> Option<usize> {
        self.0.encode_block(plain, code)
    }
}

#[test]
fn sizes_around_every_limit_give_the_same_bytes() {
    let all = pages(MIB * 2 + 2, 5);
    let limits = [32 * KIB, 64 * KIB, 96 * KIB, 256 * KIB, 512 * KIB, MIB, 3 * 512 * KIB, 2 * MIB];
    let mut codecs = THREADS.map(Lzf::with_threads);
    for len in limits.iter().flat_map(|limit| [limit - 1, *limit, limit + 1]) {
        for from in [0, 1] {
            let mut ram = Ram::new(all[from..from + len].to_vec());
            for is_streamed in STREAMED {
                let plodding = Plodding(Lzf::with_threads(1));
                let expected = save(&mut ram, 2 * len + 1000, plodding, is_streamed, 20_000).unwrap();
                for codec in &mut codecs {
                    let file = save(&mut ram, 2 * len + 1000, &mut *codec, is_streamed, 20_000).unwrap();
                    assert!(file == expected, "{len} bytes from {from} on, {codec:?}, streamed: {is_streamed}");
                }
            }
        }
    }
}

#[test]
fn zeros_give_the_same_bytes() {
    for (from, to) in [(0, MIB), (0, MIB - 1), (1, MIB), (300 * KIB, 310 * KIB), (MIB - 1, MIB)] {
        let mut ram = Ram::new(vec![0; MIB]);
        ram.bytes[..from].fill(1);
        ram.bytes[to..].fill(2);
        for is_streamed in STREAMED {
            let one = save(&mut ram, 2 * MIB, Plodding(Lzf::with_threads(1)), is_streamed, 20_000).unwrap();
            let many = save(&mut ram, 2 * MIB, Lzf::with_threads(3), is_streamed, 20_000).unwrap();
            assert!(one == many, "zeros from {from} to {to}, streamed: {is_streamed}");
        }
    }
}

#[test]
fn an_end_that_is_asked_for_comes_at_once() {
    let plain = pages(MIB + 12_345, 9);
    let mut codec = Lzf::with_threads(3);
    let mut whole = Vec::new();
    let mut calls = 0;
    codec.encode_all(&plain, &mut |packed, _| {
        calls += 1;
        whole.extend_from_slice(packed);
        true
    });
    assert!(calls > 4);
    for last in 1..=calls {
        let (mut packed, mut through, mut seen) = (Vec::new(), 0, 0);
        codec.reset();
        codec.encode_all(&plain, &mut |more, taken| {
            seen += 1;
            assert!(seen <= last);
            packed.extend_from_slice(more);
            through += taken;
            seen < last
        });
        assert_eq!(seen, last);
        assert!(whole.starts_with(&packed));
        // What is left is packed as if nothing had been.
        let mut output = vec![0; 50_000];
        while through < plain.len() {
            let step = codec.encode(&plain[through..], &mut output, Input::More);
            packed.extend_from_slice(&output[..step.written]);
            through += step.read;
        }
        loop {
            let step = codec.encode(&[], &mut output, Input::End);
            packed.extend_from_slice(&output[..step.written]);
            if step.written == 0 {
                break;
            }
        }
        assert!(packed == whole, "ended after {last} of {calls}");
    }
}

#[test]
fn what_is_held_back_comes_first() {
    let plain = pages(MIB, 21);
    let (mut one, mut many) = (Lzf::with_threads(1), Lzf::with_threads(3));
    let (mut expected, mut packed) = (vec![0; 2 * MIB], Vec::new());
    let first = one.encode(&plain[..30_000], &mut expected, Input::More);
    assert_eq!(first.read, 30_000);
    let second = one.encode(&plain[30_000..], &mut expected[first.written..], Input::More);
    assert_eq!(second.read, plain.len() - 30_000);
    expected.truncate(first.written + second.written);

    let mut few = [0; 100];
    let step = many.encode(&plain[..30_000], &mut few, Input::More);
    assert_eq!((step.read, step.written), (30_000, few.len()));
    packed.extend_from_slice(&few);
    many.encode_all(&plain[30_000..], &mut |more, _| {
        packed.extend_from_slice(more);
        true
    });
    assert!(packed == expected);
}

#[test]
fn a_medium_that_gets_full_is_named_by_its_size() {
    let mut ram = Ram::new(pages(3 * MIB, 3));
    for is_streamed in STREAMED {
        let whole = save(&mut ram, 4 * MIB, Lzf::with_threads(1), is_streamed, 20_000).unwrap().len();
        for threads in THREADS {
            for room in (500..whole).step_by(whole / 9).chain([whole - 1]) {
                let failed = save(&mut ram, room, Lzf::with_threads(threads), is_streamed, 20_000);
                assert_eq!(failed, Err(SaveError::Full { offset: room as u64 }), "{threads}, {is_streamed}");
            }
        }
    }
}

#[test]
fn a_wish_to_stop_is_heeded_within_a_mebibyte() {
    // Noise, which takes as many bytes in the file.
    let mut state = 1u64;
    let noise = (0..8 * MIB).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    });
    let mut ram = Ram::new(noise.collect());
    let entries = [RAM[0].size_hint(8 * MIB as u64)];
    let units = Units::new(&entries);
    for is_streamed in STREAMED {
        for wanted in [25, 60, 90] {
            let cancel = Cancel::new();
            let mut seen = Vec::new();
            let mut progress = |percent| {
                seen.push(percent);
                if percent == wanted {
                    cancel.cancel();
                }
            };
            let (mut medium, mut scratch) = (Memory::new(vec![0; 9 * MIB]), vec![0; 20_000]);
            let codec = Lzf::with_threads(3);
            let failed = match is_streamed {
                false => Saver::new(&mut medium, codec, &mut scratch)
                    .progress(&mut progress)
                    .cancel(&cancel)
                    .save(&mut ram, &units),
                true => Saver::streamed(&mut medium, codec, &mut scratch)
                    .progress(&mut progress)
                    .cancel(&cancel)
                    .save(&mut ram, &units),
            };
            assert_eq!(failed, Err(SaveError::Cancelled));
            let reached = usize::from(wanted - 20) * 8 * MIB / 78;
            let written = medium.bytes().len();
            assert!(written < reached + MIB, "cancelled at {wanted} %: {reached}, written: {written}");
            assert!(written + MIB > reached);
            assert_eq!(seen, (0..seen.len() as u8).collect::<Vec<u8>>());
        }
    }
}

#[test]
fn inside_a_pool_of_one_thread() {
    let mut ram = Ram::new(pages(2 * MIB, 11));
    for is_streamed in STREAMED {
        let expected = save(&mut ram, 3 * MIB, Lzf::with_threads(1), is_streamed, 20_000).unwrap();
        for inside in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(inside).build().unwrap();
            let of_the_pool = pool.install(|| save(&mut ram, 3 * MIB, Lzf::new(), is_streamed, 20_000).unwrap());
            assert!(of_the_pool == expected);
            let of_its_own =
                pool.install(|| save(&mut ram, 3 * MIB, Lzf::with_threads(3), is_streamed, 20_000).unwrap());
            assert!(of_its_own == expected);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn threads_do_not_change_the_file(
        len in 0usize..3 * MIB,
        seed: u64,
        puts in prop::collection::vec(prop_oneof![1usize..2000, 30_000usize..3_000_000], 1..5),
        threads in prop::sample::select(&THREADS[1..]),
        scratch in prop_oneof![100usize..9000, 200_000usize..2_000_000],
    ) {
        let mut ram = Ram { bytes: pages(len, seed), puts };
        for is_streamed in STREAMED {
            let one = save(&mut ram, 2 * len + 1000, Plodding(Lzf::with_threads(1)), is_streamed, scratch).unwrap();
            let many = save(&mut ram, 2 * len + 1000, Lzf::with_threads(threads), is_streamed, scratch).unwrap();
            prop_assert!(one == many, "streamed: {}", is_streamed);
        }
    }
}
