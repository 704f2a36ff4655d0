//! Unpacking.

use super::ahead::{self, Batch, Room};
use super::threads::{Threads, UntilMany};
use rayon::prelude::*;
use ssm_core::{Ahead, Blocks, Decode, DecodeError, Input, Step, tag};
use std::fmt;

/// The largest block: its pieces go through the window without being split.
const WINDOW: usize = 32768;
/// Plain bytes that are read at a time where they are only passed over, about.
const PIECE: usize = 128 << 10;
/// Blocks that are unpacked at a time.
const BLOCKS: usize = 128;

/// The decoder of LZF (tag 5) for a host, of every file: whole blocks on all cores, the rest as core's
/// [`LzfDecoder`](ssm_core::LzfDecoder) does.
pub struct LzfDecoder {
    threads: Threads,
    one: ssm_core::LzfDecoder<Vec<u8>>,
    /// Kept from one reading ahead to the next.
    batches: Vec<Batch>,
    few: UntilMany,
}

impl LzfDecoder {
    /// A decoder on all cores.
    pub fn new() -> Self {
        Self::with_threads(0)
    }

    /// A decoder on this many threads; 0 is one for each core once there is a MiB of plain bytes, and one until then.
    pub fn with_threads(threads: usize) -> Self {
        let one = ssm_core::LzfDecoder::new(vec![0; WINDOW]);
        Self { threads: Threads::new(threads), one, batches: Vec::new(), few: UntilMany::new(threads) }
    }

    fn ahead(&mut self, room: Room<'_>, blocks: &mut dyn Blocks) -> Ahead {
        let pays = self.reads_ahead()
            && match &room {
                Room::Wanted(plain) => self.few.is_reached_with(plain.len()),
                // Of what is passed over nobody knows how much it is: whoever asks reads a piece the usual way then.
                Room::Unwanted(_) => {
                    self.few.is_reached_with(0) || {
                        self.few.pass(PIECE);
                        false
                    }
                }
            };
        let ahead = match pays && self.one.is_between_blocks() {
            true => ahead::unpack(&self.threads, &mut self.batches, room, blocks),
            false => Ahead::default(),
        };
        self.few.pass(ahead.plain);
        ahead
    }
}

/// A block with the place for its plain bytes.
struct Block<'a> {
    packed: &'a [u8],
    plain: &'a mut [u8],
    sound: bool,
}

/// The blocks that `packed` starts with and that are whole, with room for all their plain bytes.
fn whole_blocks<'a>(mut packed: &'a [u8], mut plain: &'a mut [u8]) -> Vec<Block<'a>> {
    let mut blocks = Vec::new();
    while blocks.len() < BLOCKS
        && let Some((packed_len, plain_len)) = ssm_core::LzfDecoder::<Vec<u8>>::block_sizes(packed)
        && packed_len <= packed.len()
        && plain_len <= plain.len()
    {
        let (this, rest) = packed.split_at(packed_len);
        let (place, room) = plain.split_at_mut(plain_len);
        blocks.push(Block { packed: this, plain: place, sound: false });
        (packed, plain) = (rest, room);
    }
    blocks
}

impl Block<'_> {
    fn unpack(&mut self) {
        let mut decoder = ssm_core::LzfDecoder::new([]);
        decoder.reset(tag::LZF);
        let all = Step { read: self.packed.len(), written: self.plain.len() };
        self.sound = decoder.decode(self.packed, self.plain, Input::End) == Ok(all);
    }
}

impl Decode for LzfDecoder {
    fn reset(&mut self, tag: u8) -> bool {
        self.one.reset(tag)
    }

    fn decode(&mut self, packed: &[u8], plain: &mut [u8], input: Input) -> Result<Step, DecodeError> {
        let is_alone = self.threads.is_one() || !self.few.is_reached_with(plain.len());
        if !is_alone && self.one.is_between_blocks() {
            let mut blocks = whole_blocks(packed, plain);
            if blocks.len() > 1 {
                self.threads.each(blocks.par_iter_mut(), Block::unpack);
                let sound = blocks.iter().take_while(|block| block.sound);
                let step = sound.fold(Step::default(), |step, block| Step {
                    read: step.read + block.packed.len(),
                    written: step.written + block.plain.len(),
                });
                if step != Step::default() {
                    self.few.pass(step.written);
                    return Ok(step);
                }
            }
        }
        // To the end of the block at hand, so that the next one begins with the slice.
        let left = self.one.block_left();
        let room = if left > 0 && !is_alone { left.min(plain.len()) } else { plain.len() };
        let step = self.one.decode(packed, &mut plain[..room], input)?;
        self.few.pass(step.written);
        Ok(step)
    }

    fn begin_block(&mut self, packed: u16, plain: u16) -> bool {
        self.one.begin_block(packed, plain)
    }

    fn reads_ahead(&self) -> bool {
        !self.threads.is_one()
    }

    fn decode_ahead(&mut self, plain: &mut [u8], blocks: &mut dyn Blocks) -> Ahead {
        self.ahead(Room::Wanted(plain), blocks)
    }

    fn check_ahead(&mut self, plain: usize, blocks: &mut dyn Blocks) -> Ahead {
        self.ahead(Room::Unwanted(plain), blocks)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lzf;
    use ssm_core::Encode;

    #[test]
    fn other_threads_are_woken_from_a_mib_on() {
        const MIB: usize = 1 << 20;
        let (plain, mut packed) = (vec![7; 30_000], vec![0; 40_000]);
        let len = Lzf::with_threads(1).encode(&plain, &mut packed, Input::More).written;
        let mut decoder = LzfDecoder::new();
        assert!(!decoder.few.is_reached_with(MIB - 1) && decoder.few.is_reached_with(MIB));
        let mut back = vec![0; 30_000];
        for done in (30_000..MIB).step_by(30_000) {
            decoder.reset(tag::LZF);
            decoder.decode(&packed[..len], &mut back, Input::End).unwrap();
            let left = MIB - done;
            assert!(!decoder.few.is_reached_with(left - 1) && decoder.few.is_reached_with(left), "{done}");
        }
        assert!(LzfDecoder::with_threads(2).few.is_reached_with(0), "a chosen number is at work at once");
    }

    /// Blocks that nobody may ask for.
    struct Untouched;

    impl Blocks for Untouched {
        fn next(&mut self, _: &mut [u8], _: &mut [u8], _: &mut dyn FnMut(ssm_core::Block) -> bool) -> usize {
            panic!("read ahead of few bytes")
        }
    }

    #[test]
    fn few_bytes_that_are_passed_over_are_not_read_ahead() {
        let mut decoder = LzfDecoder::new();
        decoder.reset(tag::LZF);
        for _ in 0..(1 << 20) / PIECE {
            assert_eq!(decoder.check_ahead(usize::MAX, &mut Untouched).plain, 0);
        }
        assert!(decoder.few.is_reached_with(0));
    }
}
