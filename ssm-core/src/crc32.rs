//! CRC-32 (the one of zlib and PKZIP) and the running checksum of a file that is patched after it was written.
//!
//! CRC-32 is linear, so the effect of changing bytes far back can be computed from the change and its distance:
//! a save never reads back what it wrote.

use crate::copy::copy;
use crate::wire::{field, set_field};
use crc::{CRC_32_ISO_HDLC, Crc, Table};

/// A way to compute CRC-32. The value before any byte is 0.
///
/// `&mut self` lets a hardware unit implement it. Choose by flash and speed; all give the same values.
///
/// ```
/// use ssm_core::{Crc32, Crc32Bytewise, Crc32Nibblewise, Crc32Slicing};
/// let check = |crc: &mut dyn Crc32| { let half = crc.update(0, b"12345"); crc.update(half, b"6789") };
/// assert_eq!(check(&mut Crc32Nibblewise), 0xcbf4_3926);
/// assert_eq!(check(&mut Crc32Bytewise), 0xcbf4_3926);
/// assert_eq!(check(&mut Crc32Slicing), 0xcbf4_3926);
/// ```
pub trait Crc32 {
    /// The CRC-32 of everything so far and then `bytes`, where `crc` is that of everything so far.
    fn update(&mut self, crc: u32, bytes: &[u8]) -> u32;
}

impl<C: Crc32 + ?Sized> Crc32 for &mut C {
    fn update(&mut self, crc: u32, bytes: &[u8]) -> u32 {
        (**self).update(crc, bytes)
    }
}

/// CRC-32 with a table of 64 bytes, two look-ups a byte.
#[derive(Clone, Copy, Debug, Default)]
pub struct Crc32Nibblewise;

/// CRC-32 with a table of 1 KiB, one look-up a byte. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Crc32Bytewise;

/// CRC-32 with tables of 4 KiB, four look-ups that do not wait for each other for four bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Crc32Slicing;

const POLYNOMIAL: u32 = 0xedb8_8320;
/// The CRC of each value of a byte.
static BYTES: [u32; 256] = {
    let [table] = *Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC).table();
    table
};
/// The same with none to three zero bytes behind.
static SLICES: [[u32; 256]; 4] = {
    let [none, one, two, three, ..] = *Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC).table();
    [none, one, two, three]
};
/// The CRC of each value of four bits.
static NIBBLES: [u32; 16] = [
    0x0000_0000,
    0x1db7_1064,
    0x3b6e_20c8,
    0x26d9_30ac,
    0x76dc_4190,
    0x6b6b_51f4,
    0x4db2_6158,
    0x5005_713c,
    0xedb8_8320,
    0xf00f_9344,
    0xd6d6_a3e8,
    0xcb61_b38c,
    0x9b64_c2b0,
    0x86d3_d2d4,
    0xa00a_e278,
    0xbdbd_f21c,
];

impl Crc32 for Crc32Nibblewise {
    fn update(&mut self, crc: u32, bytes: &[u8]) -> u32 {
        let step = |state: u32| (state >> 4) ^ NIBBLES.get(state as usize & 15).copied().unwrap_or(0);
        !bytes.iter().fold(!crc, |state, &byte| step(step(state ^ u32::from(byte))))
    }
}

impl Crc32 for Crc32Bytewise {
    fn update(&mut self, crc: u32, bytes: &[u8]) -> u32 {
        let (words, tail) = bytes.as_chunks();
        let state = words.iter().fold(!crc, |state, word| {
            let state = state ^ u32::from_le_bytes(*word);
            bytewise(bytewise(bytewise(bytewise(state))))
        });
        !tail.iter().fold(state, |state, &byte| bytewise(state ^ u32::from(byte)))
    }
}

#[inline(always)]
fn bytewise(state: u32) -> u32 {
    (state >> 8) ^ look_up(&BYTES, state)
}

#[inline(always)]
fn look_up(table: &[u32; 256], state: u32) -> u32 {
    table.get(state as usize & 255).copied().unwrap_or(0)
}

impl Crc32 for Crc32Slicing {
    fn update(&mut self, crc: u32, bytes: &[u8]) -> u32 {
        let [none, one, two, three] = &SLICES;
        let step = |state: u32, word: [u8; 4]| {
            let state = state ^ u32::from_le_bytes(word);
            look_up(three, state) ^ look_up(two, state >> 8) ^ look_up(one, state >> 16) ^ look_up(none, state >> 24)
        };
        let (words, tail) = bytes.as_chunks::<4>();
        let (pairs, last) = words.as_chunks();
        let state = pairs.iter().fold(!crc, |state, [a, b]| step(step(state, *a), *b));
        let state = last.iter().fold(state, |state, word| step(state, *word));
        !tail.iter().fold(state, |state, &byte| (state >> 8) ^ look_up(none, state ^ u32::from(byte)))
    }
}

/// The product of two polynomials modulo the CRC's; bit 31 is the coefficient of x^0.
#[inline(never)]
const fn multiply(mut a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    while a != 0 {
        if a & 0x8000_0000 != 0 {
            product ^= b;
        }
        a <<= 1;
        b = if b & 1 != 0 { (b >> 1) ^ POLYNOMIAL } else { b >> 1 };
    }
    product
}

/// What `change` (the CRC register after the changed bits, started from zero) becomes `distance` bytes later.
fn shift(change: u32, mut distance: u64) -> u32 {
    let mut power = 0x0080_0000; // x^8: one byte
    let mut shifted = change;
    while distance != 0 {
        if distance & 1 != 0 {
            shifted = multiply(shifted, power);
        }
        power = multiply(power, power);
        distance >>= 1;
    }
    shifted
}

/// Bytes of the last unit's end that the CRC of a 1.2 file leaves out, beside the end record (Q1).
const HELD_BACK: usize = 8;

/// Up to this distance a change is carried over zeros faster than by multiplication; on a device flash counts more.
const NEAR: u64 = if cfg!(target_os = "none") { 0 } else { 256 };

/// The CRC of a file while it is written or read.
pub struct RunningCrc<C> {
    crc: C,
    value: u32,
}

impl<C> RunningCrc<C> {
    pub fn new(crc: C) -> Self {
        Self { crc, value: 0 }
    }

    /// The CRC so far.
    pub fn value(&self) -> u32 {
        self.value
    }

    /// Goes on from this CRC.
    pub fn set(&mut self, value: u32) {
        self.value = value;
    }

    /// The way to compute.
    pub fn crc32(&mut self) -> &mut C {
        &mut self.crc
    }
}

impl<C: Crc32> RunningCrc<C> {
    #[inline(never)]
    pub fn append(&mut self, bytes: &[u8]) {
        self.value = self.crc.update(self.value, bytes);
    }
}

/// The CRC of `bytes` with the four at `hole`, where the CRC itself is stored, as zeros; then of `rest`.
pub(crate) fn crc_with_hole(crc: &mut impl Crc32, bytes: &[u8], hole: usize, rest: &[u8]) -> u32 {
    let mut value = crc.update(0, bytes.get(..hole).unwrap_or(&[]));
    value = crc.update(value, &[0; 4]);
    value = crc.update(value, bytes.get(hole.wrapping_add(4)..).unwrap_or(&[]));
    crc.update(value, rest)
}

/// The end of a 1.2 file while it is written: its last eight bytes are not in the CRC, and earlier ones are patched.
#[derive(Default)]
pub(crate) struct HeldBack {
    tail: [u8; HELD_BACK],
    len: usize,
}

impl HeldBack {
    #[inline(never)]
    pub fn append<C: Crc32>(&mut self, crc: &mut RunningCrc<C>, bytes: &[u8]) {
        let Some((body, last)) = bytes.split_last_chunk::<HELD_BACK>() else {
            return self.append_few(crc, bytes);
        };
        let tail = self.tail;
        crc.append(tail.get(..self.len).unwrap_or(&[]));
        crc.append(body);
        (self.tail, self.len) = (*last, HELD_BACK);
    }

    /// Fewer than eight bytes, of which as many go out as there is no room for.
    fn append_few<C: Crc32>(&mut self, crc: &mut RunningCrc<C>, bytes: &[u8]) {
        let mut both = [0; 2 * HELD_BACK];
        set_field(&mut both, 0, self.tail);
        let _ = copy(both.get_mut(self.len..).unwrap_or_default(), bytes);
        let all = self.len.wrapping_add(bytes.len());
        self.len = all.min(HELD_BACK);
        let out = all.saturating_sub(HELD_BACK);
        self.tail = field(&both, out);
        if out > 0 {
            crc.append(both.get(..out).unwrap_or(&[]));
        }
    }

    /// Accounts for eight bytes that were zero and are now `new`, of which the last is `distance` bytes before the end of
    /// all that was appended. They must lie before the held-back tail; a unit header's length field always does, its
    /// unit's name follows it.
    pub fn patch<C: Crc32>(&self, crc: &mut RunningCrc<C>, distance: u64, new: [u8; 8]) {
        let mut changed = crc.crc.update(!0, &new);
        let mut distance = distance.wrapping_sub(HELD_BACK as u64);
        if NEAR == 0 || distance > NEAR {
            crc.value ^= shift(!changed, distance);
            return;
        }
        let zeros = [0; 32];
        while distance > 0 {
            let n = distance.min(zeros.len() as u64);
            changed = crc.crc.update(changed, zeros.get(..n as usize).unwrap_or(&zeros));
            distance = distance.wrapping_sub(n);
        }
        crc.value ^= !changed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reference(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |state, &byte| {
            (0..8).fold(state ^ u32::from(byte), |s, _| if s & 1 != 0 { (s >> 1) ^ POLYNOMIAL } else { s >> 1 })
        })
    }

    proptest! {
        #[test]
        fn all_tables_agree(bytes: Vec<u8>, cut: prop::sample::Index) {
            let (a, b) = bytes.split_at(cut.index(bytes.len() + 1));
            let expected = reference(&bytes);
            prop_assert_eq!(expected, { let s = Crc32Nibblewise.update(0, a); Crc32Nibblewise.update(s, b) });
            prop_assert_eq!(expected, { let s = Crc32Bytewise.update(0, a); Crc32Bytewise.update(s, b) });
            prop_assert_eq!(expected, { let s = Crc32Slicing.update(0, a); Crc32Slicing.update(s, b) });
        }

        #[test]
        fn a_patched_stream_equals_the_final_bytes(
            mut bytes in prop::collection::vec(any::<u8>(), 16..600),
            at: prop::sample::Index,
            new: [u8; 8],
            piece in 1usize..40,
        ) {
            let at = at.index(bytes.len() - 15);
            bytes[at..at + 8].fill(0);
            let mut running = RunningCrc::new(Crc32Bytewise);
            let mut end = HeldBack::default();
            for part in bytes.chunks(piece) {
                end.append(&mut running, part);
            }
            end.patch(&mut running, (bytes.len() - at - 8) as u64, new);
            bytes[at..at + 8].copy_from_slice(&new);
            prop_assert_eq!(running.value(), reference(&bytes[..bytes.len() - 8]));
        }
    }

    #[test]
    fn a_structure_with_its_own_crc() {
        let bytes = *b"head\xff\xff\xff\xfftail";
        let mut blank = bytes;
        blank[4..8].fill(0);
        assert_eq!(crc_with_hole(&mut Crc32Bytewise, &bytes, 4, b"name"), reference(&[&blank[..], b"name"].concat()));
    }

    #[test]
    fn a_change_is_carried_over_any_distance() {
        for distance in [0u64, 1, 7, 255, 4096] {
            let mut bytes = vec![0u8; distance as usize + 1];
            let zeros = reference(&bytes);
            bytes[0] = 0xa5;
            let change = !Crc32Bytewise.update(!0, &[0xa5]);
            assert_eq!(zeros ^ shift(change, distance), reference(&bytes));
        }
    }
}
