//! The last bytes of a 1.x file are under no checksum of the file (Q1). A load refuses what can be noticed there some other
//! way before any hook, and the built-in unit is checked as any other; what cannot be noticed is counted.

use ssm_core::{Archive, Entry, Get, LoadError, Put, Saver, Unit, UnitError, Units};
use ssm_std::{Codec, decoder};
use ssm_tests::media::{Broken, Disk, Loading};
use std::fs;
use std::path::Path;

#[derive(Clone, Debug, Default, PartialEq)]
struct Ram {
    bytes: Vec<u8>,
    hooks: usize,
}

impl Unit for Ram {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(&self.bytes)
    }

    fn load_prep(&mut self, _: ssm_core::AfterLoad) -> Result<(), UnitError> {
        self.hooks += 1;
        Ok(())
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(&mut self.bytes)
    }
}

const UNITS: Units<Ram> = Units::new(&[Entry::new("ram", |ram, _| ram)]);

fn data(kind: u32, len: usize) -> Vec<u8> {
    let mut random = kind | 1;
    (0..len)
        .map(|at| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match kind {
                0 => 0,
                1 => (at / 7) as u8,
                _ => (random >> 24) as u8,
            }
        })
        .collect()
}

/// What a flipped bit in the last bytes of a file may come to.
#[derive(Debug, Default)]
struct Outcomes {
    refused: usize,
    right: usize,
    wrong: usize,
}

/// Flips each of the last bits of a file. The file is refused before any hook, or loads; `wrong` is a load of other bytes.
fn flips(file: &[u8], ram: &Ram, loading: Loading) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for bit in (file.len() * 8).saturating_sub(64 * 8)..file.len() * 8 {
        let mut damaged = file.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let mut into = Ram { bytes: vec![0xee; ram.bytes.len()], hooks: 0 };
        match loading.load(Disk::holding(damaged), &mut [0; 300], &mut into, &UNITS) {
            Err(error) => {
                assert_eq!(into.hooks, 0, "bit {bit}: {error} behind a hook");
                outcomes.refused += 1;
            }
            Ok(_) if into.bytes == ram.bytes => outcomes.right += 1,
            Ok(_) => outcomes.wrong += 1,
        }
    }
    outcomes
}

#[test]
fn every_bit_of_the_tail() {
    for kind in 0..3 {
        for len in [0, 1, 2, 7, 8, 9, 20, 100, 255, 256, 257, 4096, 40_000] {
            let mut ram = Ram { bytes: data(kind, len), hooks: 0 };
            for codec in Codec::ALL {
                let mut disk = Disk::new();
                Saver::new(&mut disk, codec.encoder(), &mut [0; 300]).save(&mut ram, &UNITS).unwrap();
                for loading in [Loading::Unverified, Loading::Verified] {
                    let outcomes = flips(disk.bytes(), &ram, loading);
                    let context = format!("{codec}, kind {kind}, {len} bytes, {loading:?}: {outcomes:?}");
                    // Stored bytes and literals have nothing that could tell: at most the 8 bytes without a checksum.
                    let most = if codec == Codec::Zlib { 0 } else { 64 };
                    assert!(outcomes.wrong <= most, "{context}");
                    // The fields of the end record that no reader looks at (Q13), and a tag of nothing.
                    assert!(outcomes.right <= 28 * 8 + 8, "{context}");
                    assert!(outcomes.refused >= 64 * 8 - 28 * 8 - 8 - most, "{context}");
                }
            }
            // In 2.0 every byte is under a checksum.
            let mut disk = Disk::new();
            Saver::streamed(&mut disk, Codec::Lzf.encoder(), &mut [0; 300]).save(&mut ram, &UNITS).unwrap();
            for loading in [Loading::Unverified, Loading::Verified] {
                let outcomes = flips(disk.bytes(), &ram, loading);
                assert_eq!((outcomes.wrong, outcomes.right), (0, 0), "2.0, kind {kind}, {len} bytes: {outcomes:?}");
            }
        }
    }
}

/// Loads what a file holds into no machine at all: every unit is unknown and skipped. Its error's kind.
fn load_none(file: &[u8], loading: Loading) -> Result<(), LoadError<Broken>> {
    const NONE: Units<()> = Units::new(&[]);
    let policy = ssm_core::Policy { unknown: ssm_core::Unknown::Skip, ..Default::default() };
    loading.load_with(Disk::holding(file), &mut [0; 4096], policy, &mut |_| (), &mut (), &NONE).map(drop)
}

/// Files that the original readers refuse, and that were accepted here once.
#[test]
fn files_that_were_accepted_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/tail");
    for name in ["763d89ca.sav", "81656a66.sav", "tail-4f9a0df9.sav"] {
        let file = fs::read(folder.join(name)).unwrap();
        for loading in [Loading::Unverified, Loading::Verified] {
            let error = load_none(&file, loading).unwrap_err();
            assert!(matches!(error.kind(), "packed" | "packed-end"), "{name}, {loading:?}: {error}");
        }
        let verified =
            Archive::open(Disk::holding(&*file), decoder(), [0; 4096]).and_then(|mut it| it.verify(&mut |_| ()));
        assert!(verified.is_err(), "{name}");
    }
}

/// The built-in unit of every codec, with every bit of its packed bytes flipped and the checksum of the file made right
/// again: a load refuses it before any hook, or its notes decode to their end.
#[test]
fn the_built_in_unit_is_decoded_to_its_end() {
    let notes = [("program", "tests of the tail"), ("machine", "none")];
    for codec in Codec::ALL {
        let mut disk = Disk::new();
        let mut ram = Ram { bytes: data(1, 100), hooks: 0 };
        Saver::new(&mut disk, codec.encoder(), &mut [0; 300]).notes(&notes).save(&mut ram, &UNITS).unwrap();
        let file = disk.into_bytes();
        let second = file.windows(4).rposition(|bytes| bytes == b"ram\0").unwrap() - 28;
        let first_data = 80 + 28 + 4;
        let (mut refused, mut loaded) = (0, 0);
        for bit in first_data * 8..second * 8 {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let crc = ssm_core::Crc32::update(&mut ssm_core::Crc32Slicing, 0, &damaged[44..damaged.len() - 36]);
            damaged[40..44].copy_from_slice(&crc.to_le_bytes());
            let mut verdicts = [Loading::Unverified, Loading::Verified].map(|loading| {
                let mut into = Ram { bytes: vec![0; 100], hooks: 0 };
                let result = loading.load(Disk::holding(&*damaged), &mut [0; 300], &mut into, &UNITS);
                assert_eq!(into.hooks, usize::from(result.is_ok()), "bit {bit}: {result:?}");
                result.is_ok()
            });
            verdicts.sort();
            assert_eq!(verdicts[0], verdicts[1], "bit {bit}");
            if verdicts[0] { loaded += 1 } else { refused += 1 }
        }
        assert!(refused > 0);
        // All that a zlib stream says is under its Adler-32, but for the bits that fill up the last byte of its code; a letter
        // of a note is under nothing else.
        assert_eq!(loaded <= 7, codec == Codec::Zlib, "{codec}: {loaded} loaded, {refused} refused");
    }
}
