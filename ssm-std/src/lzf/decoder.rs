//! Unpacking.

use super::threads::Threads;
use rayon::prelude::*;
use ssm_core::{Decode, DecodeError, Input, Step, tag};
use std::fmt;

/// The largest window that any file needs.
const WINDOW: usize = 8192;
/// Blocks that are unpacked at a time.
const BLOCKS: usize = 128;

/// The decoder of LZF (tag 5) for a host, of every file: whole blocks on all cores, damaged ones as core's
/// [`LzfDecoder`](ssm_core::LzfDecoder) does.
pub struct LzfDecoder {
    threads: Threads,
    one: ssm_core::LzfDecoder<Vec<u8>>,
    /// A block whose packed bytes came, or still come, in several pieces, and how many of them `one` was given: a block
    /// that is whole is decoded faster, and what follows it on all cores.
    carried: Vec<u8>,
    given: usize,
}

impl LzfDecoder {
    /// A decoder on all cores.
    pub fn new() -> Self {
        Self::with_threads(0)
    }

    /// A decoder on this many threads; 0 is one for each core.
    pub fn with_threads(threads: usize) -> Self {
        let one = ssm_core::LzfDecoder::new(vec![0; WINDOW]);
        Self { threads: Threads::new(threads), one, carried: Vec::new(), given: 0 }
    }

    fn forget(&mut self) {
        self.carried.clear();
        self.given = 0;
    }

    /// Adds to the carried block until it is whole; how many bytes of `packed`, and whether it is.
    fn carry(&mut self, packed: &[u8]) -> (usize, bool) {
        let mut read = 0;
        loop {
            let wanted = block_sizes(&self.carried).map_or(HEADER, |(packed, _)| packed);
            let missing = wanted - self.carried.len();
            let more = missing.min(packed.len() - read);
            self.carried.extend_from_slice(&packed[read..read + more]);
            read += more;
            // A header that is none is for `one` to refuse.
            if more < missing || self.carried.len() > HEADER || block_sizes(&self.carried).is_none() {
                return (read, more == missing);
            }
        }
    }

    /// The carried block, as far as it is there.
    fn decode_carried(&mut self, plain: &mut [u8], input: Input) -> Result<Step, DecodeError> {
        if self.given == 0
            && let Some((packed_len, plain_len)) = block_sizes(&self.carried)
            && packed_len == self.carried.len()
            && let Some(place) = plain.get_mut(..plain_len)
        {
            let mut block = Block { packed: &self.carried, plain: place, sound: false };
            block.unpack();
            if block.sound {
                self.forget();
                return Ok(Step { read: 0, written: plain_len });
            }
        }
        loop {
            let step = self.one.decode(&self.carried[self.given..], plain, input)?;
            self.given += step.read;
            if self.given == self.carried.len() && self.one.is_between_blocks() {
                self.forget();
            }
            // What ends too early is known once there is nothing more to take.
            if step.read == 0 || step.written > 0 || self.carried.is_empty() {
                return Ok(Step { read: 0, written: step.written });
            }
        }
    }
}

/// Bytes of a block's header.
const HEADER: usize = 10;

fn block_sizes(packed: &[u8]) -> Option<(usize, usize)> {
    ssm_core::LzfDecoder::<Vec<u8>>::block_sizes(packed)
}

/// A block with the place for its plain bytes.
struct Block<'a> {
    packed: &'a [u8],
    plain: &'a mut [u8],
    sound: bool,
}

/// The blocks that `packed` starts with and that are whole, with room for all their plain bytes.
struct WholeBlocks<'a> {
    packed: &'a [u8],
    plain: &'a mut [u8],
}

impl<'a> Iterator for WholeBlocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        let (packed_len, plain_len) = block_sizes(self.packed)?;
        let (packed, rest) = self.packed.split_at_checked(packed_len)?;
        if plain_len > self.plain.len() {
            return None;
        }
        let (plain, room) = std::mem::take(&mut self.plain).split_at_mut(plain_len);
        (self.packed, self.plain) = (rest, room);
        Some(Block { packed, plain, sound: false })
    }
}

impl Block<'_> {
    fn unpack(&mut self) {
        let mut decoder = ssm_core::LzfDecoder::new([]);
        decoder.reset(tag::LZF);
        let all = Step { read: self.packed.len(), written: self.plain.len() };
        self.sound = decoder.decode(self.packed, self.plain, Input::End) == Ok(all);
    }
}

/// Decodes as many of the sound blocks that `packed` starts with as there is room for.
fn decode_whole(threads: &Threads, packed: &[u8], plain: &mut [u8]) -> Step {
    let mut step = Step::default();
    let mut add = |block: &Block<'_>| {
        step.read += block.packed.len();
        step.written += block.plain.len();
    };
    let is_alone = block_sizes(packed).is_none_or(|(len, _)| packed.len() <= len);
    if is_alone || threads.is_one() {
        let blocks = WholeBlocks { packed, plain };
        for mut block in blocks {
            block.unpack();
            if !block.sound {
                break;
            }
            add(&block);
        }
    } else {
        let mut blocks: Vec<_> = WholeBlocks { packed, plain }.take(BLOCKS).collect();
        threads.each(blocks.par_iter_mut(), Block::unpack);
        blocks.iter().take_while(|block| block.sound).for_each(add);
    }
    step
}

impl Decode for LzfDecoder {
    fn reset(&mut self, tag: u8) -> bool {
        self.forget();
        self.one.reset(tag)
    }

    fn decode(&mut self, packed: &[u8], plain: &mut [u8], input: Input) -> Result<Step, DecodeError> {
        if plain.is_empty() {
            return Ok(Step::default());
        }
        if self.carried.is_empty() {
            if packed.is_empty() || !self.one.is_between_blocks() {
                return self.one.decode(packed, plain, input);
            }
            let step = decode_whole(&self.threads, packed, plain);
            if step != Step::default() {
                return Ok(step);
            }
        }
        let (read, is_whole) = self.carry(packed);
        let is_end = input == Input::End && packed.is_empty();
        if !is_whole && !is_end {
            return Ok(Step { read, written: 0 });
        }
        let input = if is_whole { Input::More } else { input };
        let Step { written, .. } = self.decode_carried(plain, input)?;
        Ok(Step { read, written })
    }

    fn begin_block(&mut self, packed: u16, plain: u16) -> bool {
        self.forget();
        self.one.begin_block(packed, plain)
    }
}

impl Default for LzfDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LzfDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LzfDecoder").field("threads", &self.threads).finish_non_exhaustive()
    }
}
