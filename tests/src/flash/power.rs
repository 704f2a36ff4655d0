//! What a power cut leaves of the operation that it falls into.

use super::{Fault, Flash};
use std::ops::Range;

/// A power cut: where, and what it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Bytes that were written or erased before.
    pub step: u64,
    /// What it leaves.
    pub model: Model,
    /// Which of the many things that it may leave.
    pub pick: Pick,
}

/// What is left where the power goes at a byte. Blocks that an erase did not come to are as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// All before the byte is done, nothing from there on.
    Prefix,
    /// All words before the byte's are done, and of its word any of the bits.
    TornWord,
    /// Of a write, any of its words; of an erase, any of the words of the byte's block, and all blocks before.
    SomeWords,
    /// Of an erase, any of the bits of the byte's block, and all blocks before; a write as [`Prefix`](Self::Prefix).
    HalfErased,
    /// The same for chips that write zeros before they erase: of the byte's block each bit is old, 0 or 1.
    ZerosFirst,
    /// As [`HalfErased`](Self::HalfErased), but the erase had returned success; the power is off from then on.
    ErasedTooSoon,
}

impl Model {
    /// All of them.
    pub const ALL: [Model; 6] =
        [Model::Prefix, Model::TornWord, Model::SomeWords, Model::HalfErased, Model::ZerosFirst, Model::ErasedTooSoon];

    /// Whether it says something about erases only.
    pub const fn is_of_erases(self) -> bool {
        matches!(self, Model::HalfErased | Model::ZerosFirst | Model::ErasedTooSoon)
    }
}

/// Which bits or words are done, of those that may or may not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The bits of this number in turn, the lowest first, again and again: 0 is none of them, `u64::MAX` all.
    Bits(u64),
    /// Half of them, at random.
    Seed(u64),
}

/// The choices of a [`Pick`], one after the other.
struct Choices {
    pick: Pick,
    /// Choices made ahead, and how many are left.
    ahead: u64,
    left: u32,
}

impl Choices {
    fn new(pick: Pick) -> Self {
        Self { pick, ahead: 0, left: 0 }
    }

    /// The next `count` choices, up to 8.
    fn next(&mut self, count: u32) -> u8 {
        let mut chosen = 0;
        for bit in 0..count {
            if self.left == 0 {
                self.refill();
            }
            chosen |= ((self.ahead & 1) as u8) << bit;
            self.ahead >>= 1;
            self.left -= 1;
        }
        chosen
    }

    fn refill(&mut self) {
        self.left = 64;
        self.ahead = match &mut self.pick {
            Pick::Bits(bits) => *bits,
            Pick::Seed(state) => {
                // splitmix64
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mixed = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
                mixed ^ mixed >> 31
            }
        };
    }

    fn one(&mut self) -> bool {
        self.next(1) == 1
    }

    /// `new` in those bits that differ and are chosen.
    fn mix(&mut self, old: u8, new: u8) -> u8 {
        match self.pick {
            Pick::Bits(0) => return old,
            Pick::Bits(u64::MAX) => return new,
            _ => {}
        }
        let differ = old ^ new;
        if let Pick::Bits(_) = self.pick {
            // One choice for each bit that differs, so that numbers count all subsets.
            let mut chosen = self.next(differ.count_ones());
            return (0..8).map(|bit| 1 << bit).filter(|bit| differ & bit != 0).fold(old, |byte, bit| {
                let taken = chosen & 1 == 1;
                chosen >>= 1;
                if taken { byte ^ bit } else { byte }
            });
        }
        if self.left < 8 {
            self.refill();
        }
        let chosen = self.ahead as u8;
        (self.ahead, self.left) = (self.ahead >> 8, self.left - 8);
        old ^ differ & chosen
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> Flash<READ, WRITE, ERASE> {
    pub(super) fn cut_write(&mut self, start: usize, bytes: &[u8], cut: Cut) -> Result<(), Fault> {
        let at = cut.step as usize;
        let word = at - at % WRITE;
        let before = self.bytes[start..start + bytes.len()].to_vec();
        let mut choices = Choices::new(cut.pick);
        let mut chosen = false;
        for (ahead, &new) in bytes.iter().enumerate() {
            if ahead.is_multiple_of(WRITE) && cut.model == Model::SomeWords {
                chosen = choices.one();
            }
            let place = start + ahead;
            let old = self.bytes[place];
            let done = match cut.model {
                Model::SomeWords if chosen => new,
                Model::SomeWords => old,
                Model::TornWord if ahead < word => new,
                Model::TornWord if ahead < word + WRITE => choices.mix(old, new),
                Model::TornWord => old,
                _ if ahead < at => new,
                _ => old,
            };
            self.set(place, old & done);
            self.written[place] = match cut.model {
                Model::SomeWords => true,
                Model::TornWord => ahead < word + WRITE,
                _ => ahead < at.next_multiple_of(WRITE),
            };
        }
        // The word at which it happened, and whatever is neither old nor new.
        self.tear(start..start + bytes.len(), start + word, &before, &mut |ahead| bytes[ahead]);
        Err(Fault::PowerOff)
    }

    pub(super) fn cut_erase(&mut self, range: Range<usize>, cut: Cut) -> Result<(), Fault> {
        let at = range.start + cut.step as usize;
        let block = at - cut.step as usize % ERASE;
        self.fill(range.start..block);
        let before = self.bytes[block..block + ERASE].to_vec();
        let mut choices = Choices::new(cut.pick);
        let word = at - at % WRITE;
        let mut chosen = false;
        for place in block..block + ERASE {
            if place.is_multiple_of(WRITE) || place == block {
                chosen = cut.model == Model::SomeWords && choices.one();
            }
            let old = self.bytes[place];
            let done = match cut.model {
                Model::Prefix if place < at => 0xff,
                Model::TornWord if place < word => 0xff,
                Model::TornWord if place < word + WRITE => choices.mix(old, 0xff),
                Model::SomeWords if chosen => 0xff,
                Model::HalfErased | Model::ErasedTooSoon => choices.mix(old, 0xff),
                Model::ZerosFirst => {
                    let zeros = choices.mix(old, 0);
                    choices.mix(zeros, 0xff)
                }
                _ => old,
            };
            self.set(place, done);
            // Nothing may be written here before an erase came to its end.
            self.written[place] = true;
        }
        self.tear(block..block + ERASE, word, &before, &mut |_| 0xff);
        if cut.model == Model::ErasedTooSoon { Ok(()) } else { Err(Fault::PowerOff) }
    }

    /// With ECC: which words of a range cannot be read after a cut. That of `word`, in which it fell, and those that hold
    /// neither what they did nor what they were to hold.
    fn tear(&mut self, range: Range<usize>, word: usize, before: &[u8], new: &mut dyn FnMut(usize) -> u8) {
        let Some(unreadable) = &mut self.unreadable else { return };
        let first = range.start / WRITE * WRITE;
        for start in (first..range.end).step_by(WRITE) {
            let places = start.max(range.start)..(start + WRITE).min(range.end);
            let is_old = places.clone().all(|place| self.bytes[place] == before[place - range.start]);
            let is_new = places.clone().all(|place| {
                let new = new(place - range.start);
                self.bytes[place] == new || self.bytes[place] == before[place - range.start] & new
            });
            if start == word || !(is_old || is_new) {
                unreadable[places].fill(true);
            }
        }
    }
}
