//! Packing.

use super::PIECE;
use super::threads::Threads;
use super::zeros::{is_zero, looks_zero, packed_zeros};
use rayon::prelude::*;
use ssm_core::{Encode, Input, LzfEncoder, Step, tag};
use std::fmt;

/// Entries of the tables: 64 KiB of memory for a piece, 8 KiB for a block of 2.0, which are cleared for each.
const TABLE: usize = 32768;
const BLOCK_TABLE: usize = 4096;
/// Those for a piece of up to this many bytes, such as a unit of a few registers.
const SMALL_TABLE: usize = 256;
const SMALL: usize = 512;
/// Room in which a piece fits whatever it holds.
pub(super) const ROOM: usize = PIECE + PIECE / 32 + 64;
/// Pieces that are packed at a time.
const LANES: usize = 32;
/// Blocks of 2.0 that one thread packs at a time.
const BLOCKS: usize = 16;

/// The encoder of LZF (tag 5) for a host: tables on the heap, blocks of up to 32768 plain bytes, all cores.
///
/// It makes smaller files than a small [`LzfEncoder`]. The bytes do not depend on the number of threads.
pub struct Lzf {
    threads: Threads,
    /// For what comes in one small piece.
    small: Box<LzfEncoder<SMALL_TABLE>>,
    lanes: Vec<Lane>,
    /// The lanes that hold packed bytes which were not handed out.
    full: std::ops::Range<usize>,
    blocks: Vec<Blocks>,
    /// The block that is asked for next.
    next_block: usize,
    encoder: Box<LzfEncoder<BLOCK_TABLE>>,
}

/// Packs pieces.
#[derive(Default)]
pub(super) struct PieceEncoder {
    large: Box<LzfEncoder<TABLE>>,
    small: Box<LzfEncoder<SMALL_TABLE>>,
}

/// A piece at work.
struct Lane {
    encoder: PieceEncoder,
    packed: Vec<u8>,
    from: usize,
    to: usize,
}

/// Some blocks of 2.0 at work.
struct Blocks {
    encoder: Box<LzfEncoder<BLOCK_TABLE>>,
    code: Vec<u8>,
    /// Of each block address and length of the plain bytes, and how many bytes of code they make.
    made: Vec<(usize, usize, Made)>,
}

/// What became of a block.
#[derive(Clone, Copy)]
enum Made {
    /// Nothing, as nobody asks for zeros; of what only looks so, not before it is asked for.
    Zeros,
    /// Bytes of code, if it packs.
    Code(Option<usize>),
}

impl Lzf {
    /// An encoder on all cores.
    pub fn new() -> Self {
        Self::with_threads(0)
    }

    /// An encoder on this many threads; 0 is one for each core.
    pub fn with_threads(threads: usize) -> Self {
        Self {
            threads: Threads::new(threads),
            small: Box::default(),
            lanes: Vec::new(),
            full: 0..0,
            blocks: Vec::new(),
            next_block: 0,
            encoder: Box::default(),
        }
    }

    /// Packs pieces of the start of `plain`, each into a lane; how many bytes of it.
    fn pack(&mut self, plain: &[u8]) -> usize {
        let plain = &plain[..plain.len().min(LANES * PIECE)];
        let count = plain.len().div_ceil(PIECE);
        let threads = self.threads.clone();
        let lanes = self.lanes(count);
        if count == 1 || threads.is_one() {
            lanes.iter_mut().zip(plain.chunks(PIECE)).for_each(|(lane, piece)| lane.pack(piece));
        } else {
            let work = lanes.par_iter_mut().zip(plain.par_chunks(PIECE));
            threads.each(work, |(lane, piece)| lane.pack(piece));
        }
        self.full = 0..count;
        plain.len()
    }

    /// The first `count` lanes.
    fn lanes(&mut self, count: usize) -> &mut [Lane] {
        while self.lanes.len() < count {
            self.lanes.push(Lane { encoder: PieceEncoder::default(), packed: vec![0; ROOM], from: 0, to: 0 });
        }
        &mut self.lanes[..count]
    }

    /// Hands out packed bytes; how many.
    fn hand_out(&mut self, packed: &mut [u8]) -> usize {
        let mut written = 0;
        while let Some(lane) = self.lanes[..self.full.end].get_mut(self.full.start) {
            let n = (lane.to - lane.from).min(packed.len() - written);
            packed[written..written + n].copy_from_slice(&lane.packed[lane.from..lane.from + n]);
            lane.from += n;
            written += n;
            if lane.from < lane.to {
                break;
            }
            self.full.start += 1;
        }
        written
    }
}

impl Lane {
    fn pack(&mut self, piece: &[u8]) {
        let step = pack_any(&mut self.encoder, piece, &mut self.packed);
        debug_assert_eq!(step.read, piece.len());
        (self.from, self.to) = (0, step.written);
    }
}

/// Packs all of a piece; `packed` has room for it.
pub(super) fn pack_piece(encoder: &mut PieceEncoder, piece: &[u8], packed: &mut [u8]) -> Step {
    match piece.len() {
        ..=SMALL => pack_blocks(&mut *encoder.small, piece, packed),
        _ => pack_blocks(&mut *encoder.large, piece, packed),
    }
}

/// Packs all of a piece, zeros at the speed of memory.
fn pack_any(encoder: &mut PieceEncoder, piece: &[u8], packed: &mut [u8]) -> Step {
    if piece.len() == PIECE && is_zero(piece) {
        let code = packed_zeros();
        packed[..code.len()].copy_from_slice(code);
        return Step { read: PIECE, written: code.len() };
    }
    pack_piece(encoder, piece, packed)
}

fn pack_blocks(encoder: &mut impl Encode, piece: &[u8], packed: &mut [u8]) -> Step {
    let mut step = Step::default();
    while step.read < piece.len() {
        let more = encoder.encode(&piece[step.read..], &mut packed[step.written..], Input::More);
        if more == Step::default() {
            break;
        }
        step.read += more.read;
        step.written += more.written;
    }
    step
}

impl Encode for Lzf {
    fn tag(&self) -> u8 {
        tag::LZF
    }

    fn reset(&mut self) {
        self.full = 0..0;
    }

    fn encode(&mut self, plain: &[u8], packed: &mut [u8], input: Input) -> Step {
        if !self.full.is_empty() || plain.is_empty() {
            return Step { read: 0, written: self.hand_out(packed) };
        }
        if plain.len() <= SMALL && packed.len() >= ROOM {
            return self.small.encode(plain, packed, input);
        }
        // What this thread packs goes straight to the output.
        if plain.len() <= PIECE || self.threads.is_one() {
            let mut step = Step::default();
            self.lanes(1);
            while let piece @ [_, ..] = &plain[step.read..plain.len().min(step.read + PIECE)]
                && packed.len() - step.written >= ROOM
            {
                let more = pack_any(&mut self.lanes[0].encoder, piece, &mut packed[step.written..]);
                step = Step { read: step.read + more.read, written: step.written + more.written };
            }
            if step.read > 0 {
                return step;
            }
        }
        let read = self.pack(plain);
        Step { read, written: self.hand_out(packed) }
    }

    fn announce(&mut self, plain: &[u8], block: usize) {
        self.next_block = 0;
        let count = if self.threads.is_one() || block == 0 { 0 } else { plain.len().div_ceil(block * BLOCKS) };
        // One thread's work is done when it is asked for, and zeros are no work.
        let is_work = count >= 2 && plain.chunks(block).any(|block| !looks_zero(&block[..block.len().min(256)]));
        let count = if is_work { count } else { 0 };
        while self.blocks.len() < count {
            let (encoder, made) = (Box::default(), Vec::with_capacity(BLOCKS));
            self.blocks.push(Blocks { encoder, code: Vec::new(), made });
        }
        self.blocks.iter_mut().for_each(|blocks| blocks.made.clear());
        let work = self.blocks[..count].par_iter_mut().zip(plain.par_chunks(block.max(1) * BLOCKS));
        if count > 0 {
            self.threads.each(work, |(blocks, plain)| blocks.pack(plain, block));
        }
    }

    fn encode_block(&mut self, plain: &[u8], code: &mut [u8]) -> Option<usize> {
        // Blocks that the caller did not want, such as zeros, are passed over.
        let wanted = (plain.as_ptr() as usize, plain.len());
        while let Some(blocks) = self.blocks.get(self.next_block / BLOCKS) {
            let Some(&(at, len, made)) = blocks.made.get(self.next_block % BLOCKS) else {
                break;
            };
            if at > wanted.0 {
                break;
            }
            let from = self.next_block % BLOCKS * (blocks.code.len() / BLOCKS);
            self.next_block += 1;
            if let Made::Code(made) = made
                && (at, len) == wanted
            {
                let made = made.filter(|made| *made <= code.len())?;
                code[..made].copy_from_slice(&blocks.code[from..from + made]);
                return Some(made);
            }
        }
        self.encoder.encode_block(plain, code)
    }
}

impl Blocks {
    fn pack(&mut self, plain: &[u8], block: usize) {
        self.code.resize(BLOCKS * block, 0);
        for (plain, code) in plain.chunks(block).zip(self.code.chunks_mut(block)) {
            let made = match looks_zero(plain) {
                true => Made::Zeros,
                false => Made::Code(self.encoder.encode_block(plain, code)),
            };
            self.made.push((plain.as_ptr() as usize, plain.len(), made));
        }
    }
}

impl Default for Lzf {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Lzf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lzf").field("threads", &self.threads).finish_non_exhaustive()
    }
}
