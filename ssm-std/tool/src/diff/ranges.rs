//! Where two sequences of bytes differ.

use serde::Serialize;

/// Equal bytes between two differences that are one range nevertheless, at most.
const MOST_BETWEEN: u64 = 7;

/// Bytes that are looked at together.
const CHUNK: usize = 64;

/// A range of plain bytes in which something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Differing {
    pub offset: u64,
    pub bytes: u64,
}

/// Compares piece by piece; of the ranges it keeps the first ones and counts the others.
#[derive(Default)]
pub struct Ranges {
    /// How many are kept.
    most: usize,
    first: Vec<Differing>,
    count: u64,
    /// Bytes that differ.
    differing: u64,
    /// Bytes that were compared.
    at: u64,
    /// The range that may go on: where it starts, and where it ends as far as is known.
    open: Option<(u64, u64)>,
}

impl Ranges {
    /// Keeps the first `most` ranges.
    pub fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Compares the next bytes, as many of one as of the other.
    pub fn compare(&mut self, a: &[u8], b: &[u8]) {
        if a != b {
            let mut at = self.at;
            for (a, b) in a.chunks(CHUNK).zip(b.chunks(CHUNK)) {
                if a != b {
                    (at..).zip(a.iter().zip(b)).filter(|(_, (a, b))| a != b).for_each(|(at, _)| self.differ(at));
                }
                at += a.len() as u64;
            }
        }
        self.at += a.len() as u64;
    }

    fn differ(&mut self, at: u64) {
        self.differing += 1;
        match &mut self.open {
            Some((_, end)) if at - *end <= MOST_BETWEEN => *end = at + 1,
            _ => {
                self.close();
                self.open = Some((at, at + 1));
            }
        }
    }

    fn close(&mut self) {
        let Some((start, end)) = self.open.take() else { return };
        self.count += 1;
        if self.first.len() < self.most {
            self.first.push(Differing { offset: start, bytes: end - start });
        }
    }

    /// Bytes that differ, ranges that they are in, and the first of these.
    pub fn end(mut self) -> (u64, u64, Vec<Differing>) {
        self.close();
        (self.differing, self.count, self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a comparison of each byte on its own says.
    fn expected(a: &[u8], b: &[u8]) -> (u64, Vec<Differing>) {
        let mut ranges: Vec<Differing> = Vec::new();
        let at = |index: &usize| a[*index] != b[*index];
        let all: Vec<u64> = (0..a.len()).filter(at).map(|index| index as u64).collect();
        for &offset in &all {
            match ranges.last_mut() {
                Some(last) if offset - (last.offset + last.bytes) < 8 => last.bytes = offset + 1 - last.offset,
                _ => ranges.push(Differing { offset, bytes: 1 }),
            }
        }
        (all.len() as u64, ranges)
    }

    #[test]
    fn two_differences_at_every_distance_and_in_every_cut() {
        for first in [0, 1, 55, 63, 64, 65] {
            for distance in 1..80 {
                let a = vec![0; 160];
                let mut b = a.clone();
                b[first] = 1;
                b[first + distance] = 2;
                for cut in [1, 7, 64, 65, 160] {
                    let mut ranges = Ranges::new(10);
                    a.chunks(cut).zip(b.chunks(cut)).for_each(|(a, b)| ranges.compare(a, b));
                    let (differing, count, kept) = ranges.end();
                    assert_eq!((differing, kept.clone()), expected(&a, &b));
                    assert_eq!((differing, count), (2, kept.len() as u64));
                    assert_eq!(count == 1, distance <= 8, "{first} and {distance} behind");
                }
            }
        }
    }

    #[test]
    fn more_ranges_than_are_kept_are_counted() {
        let (a, b) = ([0; 1000], [0, 0, 0, 0, 0, 0, 0, 0, 0, 1].repeat(100));
        let mut ranges = Ranges::new(3);
        ranges.compare(&a, &b);
        let (differing, count, first) = ranges.end();
        assert_eq!((differing, count, first.len()), (100, 100, 3));
        assert_eq!(first[2], Differing { offset: 29, bytes: 1 });
    }
}
