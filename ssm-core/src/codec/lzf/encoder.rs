//! Packing with LZF.

use super::block::{self, Encoded};
use super::wide;
use super::{BLOCK_HEADER, BlockHeader, MAX_BARE, MAX_PACKED, MAX_PLAIN};
use crate::codec::{Encode, Input, Step, tag};
use crate::copy::copy;

/// Plain bytes of a block that is made in the encoder because the output is too small for a header and a token.
const STAGED_PLAIN: usize = 8;
const STAGED: usize = BLOCK_HEADER + 1 + STAGED_PLAIN;

/// What a table's entries are: `u16`, a place in the block, or `u32`, a place and two of its bytes.
pub trait TableEntry: Copy {
    /// Any entry: an encoder clears its table itself.
    #[doc(hidden)]
    const ZERO: Self;

    #[doc(hidden)]
    fn encode<const TABLE: usize>(plain: &[u8], code: &mut [u8], table: &mut [Self; TABLE]) -> Encoded;
}

impl TableEntry for u16 {
    const ZERO: Self = 0;

    #[inline(always)]
    fn encode<const TABLE: usize>(plain: &[u8], code: &mut [u8], table: &mut [Self; TABLE]) -> Encoded {
        block::encode(plain, code, table)
    }
}

impl TableEntry for u32 {
    const ZERO: Self = 0;

    #[inline(always)]
    fn encode<const TABLE: usize>(plain: &[u8], code: &mut [u8], table: &mut [Self; TABLE]) -> Encoded {
        wide::encode(plain, code, table)
    }
}

/// The encoder of LZF (tag 5). `TABLE` is the number of entries of its hash table, a power of two from 256 on, and `E` what
/// they are: `u16` for little memory ([`new`](Self::new)), `u32` for speed ([`wide`](LzfEncoder::wide)). A larger table
/// finds more matches.
///
/// A block is what one call gives it, up to 32768 bytes and what fits into the output: give it larger pieces for a better
/// ratio, smaller ones for a reader with little memory.
///
/// The table is cleared before each block, so equal input gives equal bytes.
#[derive(Clone, Debug)]
pub struct LzfEncoder<const TABLE: usize, E = u16> {
    table: [E; TABLE],
    /// By how much blocks are smaller than the largest; zero at first, so that a static takes no flash.
    smaller: usize,
    staged: [u8; STAGED],
    staged_at: usize,
    staged_len: usize,
}

impl<const TABLE: usize> LzfEncoder<TABLE> {
    /// An encoder with blocks of up to 32768 plain bytes.
    pub const fn new() -> Self {
        Self::with_block(MAX_PLAIN)
    }

    /// An encoder with blocks of up to `block` plain bytes (1 to 32768; other values are moved into that range). A reader
    /// needs a window of that size, or of 8192 bytes, whichever is less.
    pub const fn with_block(block: usize) -> Self {
        Self::with(block)
    }
}

impl<const TABLE: usize> LzfEncoder<TABLE, u32> {
    /// An encoder with blocks of up to 32768 plain bytes and a table of four bytes an entry: the fastest, for a host.
    pub const fn wide() -> Self {
        Self::with(MAX_PLAIN)
    }
}

impl<const TABLE: usize, E: TableEntry> LzfEncoder<TABLE, E> {
    const POWER_OF_TWO: () =
        assert!(TABLE.is_power_of_two() && TABLE >= 256 && TABLE <= 65536, "256 to 65536 entries, a power of two");

    const fn with(block: usize) -> Self {
        let () = Self::POWER_OF_TWO;
        let block = if block == 0 {
            1
        } else if block > MAX_PLAIN {
            MAX_PLAIN
        } else {
            block
        };
        Self {
            table: [E::ZERO; TABLE],
            smaller: MAX_PLAIN.saturating_sub(block),
            staged: [0; STAGED],
            staged_at: 0,
            staged_len: 0,
        }
    }

    const fn limit(&self) -> usize {
        MAX_PLAIN.saturating_sub(self.smaller)
    }

    /// Packs one block. A small one uses a part of a large table: to clear all of it takes longer than to pack the block.
    fn code(&mut self, plain: &[u8], code: &mut [u8]) -> Encoded {
        match self.table.first_chunk_mut::<MAX_BARE>() {
            Some(table) if TABLE > MAX_BARE && plain.len() <= MAX_BARE => E::encode(plain, code, table),
            _ => E::encode(plain, code, &mut self.table),
        }
    }

    /// Packs one block of the start of `plain` into `packed`, which has room for a header and a token.
    fn block(&mut self, plain: &[u8], packed: &mut [u8]) -> Step {
        let plain = plain.get(..self.limit()).unwrap_or(plain);
        let Some((header, code)) = packed.split_first_chunk_mut::<BLOCK_HEADER>() else {
            return Step::default();
        };
        let room = code.len().min(MAX_PACKED);
        let done = self.code(plain, code.get_mut(..room).unwrap_or(&mut []));
        *header = BlockHeader { packed: done.code as u16, plain: done.plain as u16 }.emit();
        Step { read: done.plain, written: done.code.wrapping_add(BLOCK_HEADER) }
    }
}

/// The most bytes that a block of `plain` bytes takes, header included.
fn worst_case(plain: usize) -> usize {
    plain.wrapping_add(plain / 32).wrapping_add(1).min(MAX_PACKED).wrapping_add(BLOCK_HEADER)
}

impl<const TABLE: usize, E: TableEntry> Default for LzfEncoder<TABLE, E> {
    fn default() -> Self {
        Self::with(MAX_PLAIN)
    }
}

impl<const TABLE: usize, E: TableEntry> Encode for LzfEncoder<TABLE, E> {
    fn tag(&self) -> u8 {
        tag::LZF
    }

    fn reset(&mut self) {
        (self.staged_at, self.staged_len) = (0, 0);
    }

    fn encode(&mut self, plain: &[u8], packed: &mut [u8], _: Input) -> Step {
        let mut step = Step::default();
        if self.staged_at == self.staged_len && packed.len() < STAGED && !plain.is_empty() {
            let mut staged = [0; STAGED];
            let made = self.block(plain.get(..STAGED_PLAIN).unwrap_or(plain), &mut staged);
            (self.staged, self.staged_at, self.staged_len) = (staged, 0, made.written);
            step.read = made.read;
        }
        if self.staged_at < self.staged_len {
            let staged = self.staged.get(self.staged_at..self.staged_len).unwrap_or(&[]);
            step.written = copy(packed, staged);
            self.staged_at = self.staged_at.wrapping_add(step.written);
            return step;
        }
        // Whole blocks while they are sure to fit; the first one in any case.
        while let (Some(left), Some(room)) = (plain.get(step.read..), packed.get_mut(step.written..)) {
            if left.is_empty() || (step.written > 0 && room.len() < worst_case(left.len().min(self.limit()))) {
                break;
            }
            let made = self.block(left, room);
            step.read = step.read.wrapping_add(made.read);
            step.written = step.written.wrapping_add(made.written);
        }
        step
    }

    fn encode_block(&mut self, plain: &[u8], code: &mut [u8]) -> Option<usize> {
        if plain.is_empty() || plain.len() > MAX_BARE {
            return None;
        }
        let done = self.code(plain, code);
        (done.plain == plain.len()).then_some(done.code)
    }
}
