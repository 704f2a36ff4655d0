//! Choices out of the fuzzer's bytes. Behind their end all are 0.

use crate::pieces::Sizes;

/// The bytes that no choice has taken yet.
pub struct Choices<'d>(pub &'d [u8]);

impl<'d> Choices<'d> {
    /// Whether all are taken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `len` bytes, or all that are left.
    pub fn take(&mut self, len: usize) -> &'d [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Little endian, as everywhere.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut all = [0; N];
        let taken = self.take(N);
        all[..taken.len()].copy_from_slice(taken);
        all
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    /// Two bytes.
    pub fn number(&mut self) -> usize {
        u16::from_le_bytes(self.array()).into()
    }

    /// A number of slices' sizes, mostly small: one byte each, up to four.
    pub fn sizes(&mut self) -> Sizes {
        let count = usize::from(self.byte() % 4) + 1;
        let size = |byte: u8| match usize::from(byte) {
            byte @ 0..100 => byte + 1,
            byte @ 100..200 => (byte - 99) * 37,
            byte => (byte - 199) * 1999,
        };
        Sizes((0..count).map(|_| size(self.byte())).collect())
    }

    /// Plain bytes as machines have them, up to `most`, of some words that each make many: literal bytes, zeros, noise,
    /// repeats from far and near. Takes the bytes up to the end, or to a word that says so.
    pub fn plain(&mut self, most: usize) -> Vec<u8> {
        let mut plain = Vec::new();
        while !self.is_empty() && plain.len() < most {
            let word = self.byte();
            match word & 7 {
                0..=2 => plain.extend(self.take(usize::from(word >> 3) + 1)),
                3 if word == 0xfb => break,
                3 => plain.resize(plain.len() + self.number(), 0),
                4 => {
                    let (len, mut state) = (self.number() / 4, u32::from(word) + 1);
                    plain.extend((0..len).map(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (state >> 24) as u8
                    }));
                }
                kind => {
                    let (back, len) = match kind {
                        5 => (self.number(), usize::from(word >> 3) * 9 + 3),
                        _ => (usize::from(word >> 3), self.number() / 4),
                    };
                    for _ in 0..if plain.is_empty() { 0 } else { len } {
                        plain.push(plain[plain.len() - 1 - back % plain.len()]);
                    }
                }
            }
        }
        plain.truncate(most);
        plain
    }
}

/// The same sizes, but so that so many bytes take no more than about `steps` of them.
pub fn no_more_steps(sizes: &Sizes, bytes: usize, steps: usize) -> Sizes {
    Sizes(sizes.0.iter().map(|size| (*size).max(bytes / steps)).collect())
}
