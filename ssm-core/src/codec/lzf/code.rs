//! The writing end of an encoder: tokens.

use super::MAX_LITERALS;
use crate::copy::{WIDE, copy, copy_wide};

/// Whether a branch is cheap: a device's core is short, a host's guesses which way it goes, and is wrong for every other
/// token.
const BRANCHES: bool = cfg!(target_os = "none");

/// Tokens into a slice that may be too small.
pub(super) struct Code<'c> {
    bytes: &'c mut [u8],
    at: usize,
}

impl<'c> Code<'c> {
    #[inline(always)]
    pub fn new(bytes: &'c mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were written.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.at
    }

    /// Writes the literals from `from` to `to`; up to where, as not all may fit.
    #[inline(always)]
    pub fn literals(&mut self, plain: &[u8], from: usize, to: usize) -> usize {
        let run = to.wrapping_sub(from);
        if BRANCHES && run == 0 {
            return to;
        }
        if run <= WIDE
            && let Some([control, room @ ..]) =
                self.bytes.get_mut(self.at..).and_then(|room| room.first_chunk_mut::<{ WIDE + 1 }>())
            && let Some(literals) = plain.get(from..).and_then(|plain| plain.first_chunk())
        {
            *control = run.wrapping_sub(1) as u8;
            copy_wide(room, literals);
            self.at = self.at.wrapping_add(run).wrapping_add((run > 0).into());
            return to;
        }
        self.many_literals(plain, from, to)
    }

    /// As [`literals`](Self::literals), for runs of any length.
    pub fn many_literals(&mut self, plain: &[u8], from: usize, to: usize) -> usize {
        let run = plain.get(from..to).unwrap_or(&[]);
        let (copied, written) = many_literals(run, self.bytes.get_mut(self.at..).unwrap_or(&mut []));
        self.at = self.at.wrapping_add(written);
        from.wrapping_add(copied)
    }

    /// Writes a match, of 3 to 264 bytes from `distance` back; `false` where it does not fit.
    #[inline(always)]
    pub fn repeat(&mut self, distance: usize, length: usize) -> bool {
        let [low, high] = (distance.wrapping_sub(1) as u16).to_le_bytes();
        let short = length.wrapping_sub(2);
        if !BRANCHES && let Some(room) = self.bytes.get_mut(self.at..).and_then(|room| room.first_chunk_mut::<3>()) {
            let is_long = short >= 7;
            // The low byte is the third, or replaces the second.
            let [first, second, third] = room;
            (*first, *second, *third) =
                ((if is_long { 7 } else { short as u8 }) << 5 | high, short.wrapping_sub(7) as u8, low);
            if let Some(last) = room.get_mut(1usize.wrapping_add(is_long.into())) {
                *last = low;
            }
            self.at = self.at.wrapping_add(2).wrapping_add(is_long.into());
            return true;
        }
        let used = match self.bytes.get_mut(self.at..).unwrap_or(&mut []) {
            [a, b, ..] if short < 7 => {
                (*a, *b) = ((short as u8) << 5 | high, low);
                2
            }
            [a, b, c, ..] if short >= 7 => {
                (*a, *b, *c) = (7 << 5 | high, short.wrapping_sub(7) as u8, low);
                3
            }
            _ => return false,
        };
        self.at = self.at.wrapping_add(used);
        true
    }
}

/// Writes tokens of literals: how many literals they are, and how many bytes.
// Numbers go in and out, so that what the caller counts stays in registers.
#[inline(never)]
fn many_literals(literals: &[u8], code: &mut [u8]) -> (usize, usize) {
    let (mut read, mut written) = (0usize, 0usize);
    while let Some([control, room @ ..]) = code.get_mut(written..)
        && let Some(left) = literals.get(read..)
    {
        let copied = copy(room, left.get(..MAX_LITERALS).unwrap_or(left));
        if copied == 0 {
            break;
        }
        *control = copied.wrapping_sub(1) as u8;
        read = read.wrapping_add(copied);
        written = written.wrapping_add(copied).wrapping_add(1);
    }
    (read, written)
}
