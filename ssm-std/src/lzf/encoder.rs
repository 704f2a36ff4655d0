//! Packing.

use super::piece::{PIECE, ROOM, SMALL, Tables};
use super::pipeline::{Job, Pipeline, Work};
use super::threads::{Threads, UntilMany};
use super::zeros::looks_zero;
use ssm_core::{Encode, Input, Out, Pack, Step, tag};
use std::fmt;

/// Up to this many bytes at a time are packed faster here than other threads are woken.
const FEW: usize = 2 * PIECE;
/// The most that a thread packs at a time.
const CHUNK: usize = 8 * PIECE;
/// Chunks for each thread, if there are fewer bytes: so none waits long for the last.
const CHUNKS: usize = 8;

/// The encoder of LZF (tag 5) for a host: tables on the heap, blocks of up to 32768 plain bytes, all cores.
///
/// It makes smaller files than a small [`LzfEncoder`](ssm_core::LzfEncoder). The bytes do not depend on the number of
/// threads. Several are at work in [`encode_all`](Encode::encode_all) and [`encode_blocks`](Encode::encode_blocks).
pub struct Lzf {
    threads: Threads,
    tables: Tables,
    /// A packed piece, and which of its bytes were not handed out.
    packed: Vec<u8>,
    left: std::ops::Range<usize>,
    pipeline: Pipeline<Tables>,
    few: UntilMany,
}

impl Lzf {
    /// An encoder on all cores.
    pub fn new() -> Self {
        Self::with_threads(0)
    }

    /// An encoder on this many threads; 0 is one for each core once there is a MiB of plain bytes, and one until then.
    pub fn with_threads(threads: usize) -> Self {
        Self {
            threads: Threads::new(threads),
            tables: Tables::default(),
            packed: Vec::new(),
            left: 0..0,
            pipeline: Pipeline::default(),
            few: UntilMany::new(threads),
        }
    }

    /// Hands out packed bytes; how many.
    fn hand_out(&mut self, packed: &mut [u8]) -> usize {
        let written = self.left.len().min(packed.len());
        packed[..written].copy_from_slice(&self.packed[self.left.start..][..written]);
        self.left.start += written;
        written
    }

    /// Packs chunks of `plain` until `out` says `false`, on other threads too as soon as there is work for them.
    fn each_chunk(&mut self, mut plain: &[u8], pack: &Work<'_, Tables>, out: &mut Out<'_>) {
        let pieces = plain.len().div_ceil(PIECE * CHUNKS * self.threads.count());
        let chunk = (pieces * PIECE).min(CHUNK);
        let room = chunk / PIECE * ROOM;
        while let Some((zeros, rest)) = plain.split_at_checked(chunk)
            && looks_zero(zeros)
        {
            if self.packed.len() < room {
                self.packed = vec![0; room];
            }
            let step = pack(&mut self.tables, zeros, &mut self.packed);
            if !out(&self.packed[..step.written], step.read) || step.read < chunk {
                return;
            }
            plain = rest;
        }
        if !plain.is_empty() {
            self.pipeline.run(&self.threads, Job { plain, chunk, room, pack }, &mut self.tables, out);
        }
    }
}

impl Encode for Lzf {
    fn tag(&self) -> u8 {
        tag::LZF
    }

    fn reset(&mut self) {
        self.left = 0..0;
    }

    fn encode(&mut self, plain: &[u8], packed: &mut [u8], input: Input) -> Step {
        if !self.left.is_empty() || plain.is_empty() {
            return Step { read: 0, written: self.hand_out(packed) };
        }
        let step = match plain.len() <= SMALL && packed.len() >= ROOM {
            // A unit of a few registers.
            true => self.tables.small.encode(plain, packed, input),
            false => self.tables.pack_all(plain, packed),
        };
        self.few.pass(step.read);
        if step.read > 0 {
            return step;
        }
        let piece = &plain[..plain.len().min(PIECE)];
        self.packed.resize(self.packed.len().max(ROOM), 0);
        let Step { read, written } = self.tables.pack(piece, &mut self.packed);
        self.left = 0..written;
        self.few.pass(read);
        Step { read, written: self.hand_out(packed) }
    }

    fn encode_all(&mut self, plain: &[u8], out: &mut Out<'_>) {
        if plain.len() <= FEW || self.threads.is_one() || !self.few.is_reached_with(plain.len()) {
            return;
        }
        if !self.left.is_empty() && !out(&self.packed[std::mem::take(&mut self.left)], 0) {
            return;
        }
        self.each_chunk(plain, &|tables, plain, packed| tables.pack_all(plain, packed), out);
    }

    fn encode_blocks(&mut self, plain: &[u8], block: usize, pack: &Pack<'_>, out: &mut Out<'_>) {
        let fits = block > 0 && PIECE.is_multiple_of(block);
        if plain.len() <= FEW || self.threads.is_one() || !fits || !self.few.is_reached_with(plain.len()) {
            return;
        }
        // What `encode` holds back lies where a chunk may go.
        if self.left.is_empty() {
            self.each_chunk(plain, &|tables, plain, packed| pack(&mut *tables.block, plain, packed), out);
        }
    }

    fn encode_block(&mut self, plain: &[u8], code: &mut [u8]) -> Option<usize> {
        self.few.pass(plain.len());
        self.tables.block.encode_block(plain, code)
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
