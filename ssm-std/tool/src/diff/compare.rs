//! The comparison of two files, unit by unit.
//!
//! Both are read from their start as long as they have the same units in the same order. From the first unit on that differs
//! in name, instance or pass, the rest of the second file is found by an index of its unit headers.

use super::ranges::{Differing, Ranges};
use crate::input::{Archive, PIECE, Reading, Unit};
use ssm_core::{Get, LoadError, UnitError};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;

/// One of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    A,
    B,
}

/// A failure, and in which file.
pub type Failure = (Side, LoadError<io::Error>);

/// Units of each kind that are listed; the others are counted.
const MOST_LISTED: usize = 1000;

/// Units of an index, each as two hashes of 64 bits and an offset.
const MOST_INDEXED: usize = 1 << 18;

/// By what a unit is found in the other file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub name: Vec<u8>,
    pub instance: u32,
    pub pass: Option<u32>,
}

/// A unit that only one file has.
pub struct Only {
    pub key: Key,
    pub version: u32,
    pub plain: u64,
}

/// A unit that both files have and that is not the same.
pub struct Changed {
    pub key: Key,
    pub versions: [u32; 2],
    /// Plain bytes.
    pub plain: [u64; 2],
    /// Bytes that differ, of those that both have.
    pub differing: u64,
    /// Ranges that they are in.
    pub ranges: u64,
    pub first: Vec<Differing>,
}

/// What the comparison found.
#[derive(Default)]
pub struct Found {
    /// Units and their plain bytes, of each file.
    pub units: [u64; 2],
    pub plain: [u64; 2],
    /// Those that only one file has: how many, and the first.
    pub only_count: [u64; 2],
    pub only: [Vec<Only>; 2],
    /// Those that differ: how many, and the first.
    pub changed_count: u64,
    pub changed: Vec<Changed>,
    /// The files have more units in another order than are remembered, so that the rest was not compared.
    pub has_too_many: bool,
}

/// A comparison at work.
pub struct Comparison<'a> {
    pub a: &'a mut Archive,
    pub b: &'a mut Archive,
    /// Ranges of a unit that are kept.
    pub most_ranges: usize,
    pub found: Found,
    pub buffers: [Vec<u8>; 2],
}

impl<'a> Comparison<'a> {
    pub fn new(a: &'a mut Archive, b: &'a mut Archive, most_ranges: usize) -> Self {
        Self { a, b, most_ranges, found: Found::default(), buffers: [vec![0; PIECE], vec![0; PIECE]] }
    }

    /// Compares all units.
    pub fn run(mut self) -> Result<Found, Failure> {
        let (mut at_a, mut at_b) = (self.a.header().len(), self.b.header().len());
        loop {
            let Self { a, b, buffers, found, most_ranges } = &mut self;
            let unit_a = a.unit_at(at_a).map_err(|error| (Side::A, error))?;
            let unit_b = b.unit_at(at_b).map_err(|error| (Side::B, error))?;
            match (unit_a, unit_b) {
                (None, None) => return Ok(self.found),
                (Some(mut unit_a), Some(mut unit_b)) if key(&unit_a) == key(&unit_b) => {
                    (at_a, at_b) = (end(&unit_a), end(&unit_b));
                    found.pair(&mut unit_a, &mut unit_b, buffers, *most_ranges)?;
                }
                _ => break,
            }
        }
        self.run_by_index(at_a, at_b)?;
        Ok(self.found)
    }

    /// Compares the units from these places on, which differ in their order or in which there are.
    fn run_by_index(&mut self, mut at_a: u64, at_b: u64) -> Result<(), Failure> {
        let hasher = RandomState::new();
        let Some(mut index) = Index::of(self.b, at_b, &hasher).map_err(|error| (Side::B, error))? else {
            self.found.has_too_many = true;
            return Ok(());
        };
        let mut seen = Repeats::default();
        loop {
            let Self { a, b, buffers, found, most_ranges } = &mut *self;
            let Some(mut unit_a) = a.unit_at(at_a).map_err(|error| (Side::A, error))? else { break };
            at_a = end(&unit_a);
            let key_a = key(&unit_a);
            let Some(hash) = seen.next(&hasher, &key_a) else {
                found.has_too_many = true;
                return Ok(());
            };
            let unit_b = match index.offsets.get(&hash) {
                Some(&offset) => b.unit_at(offset).map_err(|error| (Side::B, error))?,
                None => None,
            };
            match unit_b.filter(|unit_b| key(unit_b) == key_a) {
                Some(mut unit_b) => {
                    index.offsets.remove(&hash);
                    found.pair(&mut unit_a, &mut unit_b, buffers, *most_ranges)?;
                }
                None => found.only(Side::A, &mut unit_a).map_err(|error| (Side::A, error))?,
            }
        }
        let mut rest: Vec<u64> = index.offsets.into_values().collect();
        rest.sort_unstable();
        for offset in rest {
            if let Some(mut unit) = self.b.unit_at(offset).map_err(|error| (Side::B, error))? {
                self.found.only(Side::B, &mut unit).map_err(|error| (Side::B, error))?;
            }
        }
        Ok(())
    }
}

impl Found {
    /// Whether the files hold the same units.
    pub fn is_same(&self) -> bool {
        self.only_count == [0, 0] && self.changed_count == 0
    }

    fn only(&mut self, side: Side, unit: &mut Unit<'_>) -> Reading<()> {
        let plain = unit.plain_len()?;
        let side = side as usize;
        self.units[side] += 1;
        self.plain[side] = self.plain[side].saturating_add(plain);
        self.only_count[side] += 1;
        if self.only[side].len() < MOST_LISTED {
            self.only[side].push(Only { key: key(unit), version: unit.version(), plain });
        }
        Ok(())
    }

    fn pair(
        &mut self,
        a: &mut Unit<'_>,
        b: &mut Unit<'_>,
        buffers: &mut [Vec<u8>; 2],
        most_ranges: usize,
    ) -> Result<(), Failure> {
        let (ranges, plain) = compare_units(a, b, buffers, most_ranges)?;
        for (side, plain) in plain.into_iter().enumerate() {
            self.units[side] += 1;
            self.plain[side] = self.plain[side].saturating_add(plain);
        }
        let (differing, ranges, first) = ranges.end();
        let versions = [a.version(), b.version()];
        if versions[0] == versions[1] && plain[0] == plain[1] && differing == 0 {
            return Ok(());
        }
        self.changed_count += 1;
        if self.changed.len() < MOST_LISTED {
            self.changed.push(Changed { key: key(a), versions, plain, differing, ranges, first });
        }
        Ok(())
    }
}

fn key(unit: &Unit<'_>) -> Key {
    Key { name: unit.name().to_vec(), instance: unit.instance(), pass: unit.pass() }
}

fn end(unit: &Unit<'_>) -> u64 {
    unit.offset().saturating_add(unit.record_len())
}

/// Reads both units to their ends at the same time; what differs, and their plain bytes.
fn compare_units(
    a: &mut Unit<'_>,
    b: &mut Unit<'_>,
    buffers: &mut [Vec<u8>; 2],
    most_ranges: usize,
) -> Result<(Ranges, [u64; 2]), Failure> {
    let mut ranges = Ranges::new(most_ranges);
    let mut plain = [0; 2];
    // The error of a unit must leave through the unit's own reader.
    let outcome = a.read(|get_a| {
        let in_b = b.read(|get_b| match compare(get_a, get_b, buffers, &mut ranges) {
            Ok(lengths) => {
                plain = lengths;
                Ok(None)
            }
            Err((Side::A, error)) => Ok(Some(error)),
            Err((Side::B, error)) => Err(error),
        });
        match in_b {
            Ok(None) => Ok(None),
            Ok(Some(error)) => Err(error),
            Err(error) => Ok(Some(error)),
        }
    });
    match outcome {
        Ok(None) => Ok((ranges, plain)),
        Ok(Some(error)) => Err((Side::B, error)),
        Err(error) => Err((Side::A, error)),
    }
}

/// Compares what two units have left; how many bytes each of them has in all.
fn compare(
    a: &mut Get<'_>,
    b: &mut Get<'_>,
    [buffer_a, buffer_b]: &mut [Vec<u8>; 2],
    ranges: &mut Ranges,
) -> Result<[u64; 2], (Side, UnitError)> {
    loop {
        let read_a = a.read(buffer_a).map_err(|error| (Side::A, error))?;
        let read_b = b.read(buffer_b).map_err(|error| (Side::B, error))?;
        let both = read_a.min(read_b);
        ranges.compare(&buffer_a[..both], &buffer_b[..both]);
        if both < PIECE {
            break;
        }
    }
    a.skip_rest().map_err(|error| (Side::A, error))?;
    b.skip_rest().map_err(|error| (Side::B, error))?;
    Ok([a.offset(), b.offset()])
}

/// How often each key was there.
#[derive(Default)]
struct Repeats {
    counts: HashMap<u64, u32>,
}

impl Repeats {
    /// A hash of the key and of how often it was there before; `None` if there are too many keys.
    fn next(&mut self, hasher: &RandomState, key: &Key) -> Option<u64> {
        let hash = hasher.hash_one((&key.name, key.instance, key.pass));
        if self.counts.len() >= MOST_INDEXED && !self.counts.contains_key(&hash) {
            return None;
        }
        let count = self.counts.entry(hash).or_default();
        *count = count.wrapping_add(1);
        Some(hasher.hash_one((hash, *count)))
    }
}

/// Where the units of a file are.
struct Index {
    offsets: HashMap<u64, u64>,
}

impl Index {
    /// The units from `at` on; `None` if there are too many.
    fn of(archive: &mut Archive, mut at: u64, hasher: &RandomState) -> Reading<Option<Self>> {
        let (mut offsets, mut seen) = (HashMap::new(), Repeats::default());
        while let Some(unit) = archive.unit_at(at)? {
            at = end(&unit);
            let Some(hash) = seen.next(hasher, &key(&unit)).filter(|_| offsets.len() < MOST_INDEXED) else {
                return Ok(None);
            };
            offsets.insert(hash, unit.offset());
        }
        Ok(Some(Self { offsets }))
    }
}
