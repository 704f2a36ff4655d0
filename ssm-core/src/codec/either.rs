//! A choice of codecs at run time.

use super::{Ahead, Blocks, Decode, DecodeError, Encode, Input, Out, Pack, Step};

/// Two codecs as one.
///
/// As a decoder it is made with [`Either::of`] and takes, unit by unit, the first that knows the tag. As an encoder it is
/// one of the two, chosen when it is made: [`Either::first`] or [`Either::second`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Either<A, B> {
    a: A,
    b: B,
    second: bool,
}

impl<A, B> Either<A, B> {
    /// A decoder of both.
    pub const fn of(a: A, b: B) -> Self {
        Self::first(a, b)
    }

    /// Encodes with `a`.
    pub const fn first(a: A, b: B) -> Self {
        Self { a, b, second: false }
    }

    /// Encodes with `b`.
    pub const fn second(a: A, b: B) -> Self {
        Self { a, b, second: true }
    }
}

impl<A: Encode, B: Encode> Encode for Either<A, B> {
    fn tag(&self) -> u8 {
        if self.second { self.b.tag() } else { self.a.tag() }
    }

    fn is_transparent(&self) -> bool {
        if self.second { self.b.is_transparent() } else { self.a.is_transparent() }
    }

    fn reset(&mut self) {
        if self.second { self.b.reset() } else { self.a.reset() }
    }

    fn encode(&mut self, plain: &[u8], packed: &mut [u8], input: Input) -> Step {
        if self.second { self.b.encode(plain, packed, input) } else { self.a.encode(plain, packed, input) }
    }

    #[inline]
    fn encode_all(&mut self, plain: &[u8], out: &mut Out<'_>) {
        if self.second { self.b.encode_all(plain, out) } else { self.a.encode_all(plain, out) }
    }

    #[inline]
    fn encode_blocks(&mut self, plain: &[u8], block: usize, pack: &Pack<'_>, out: &mut Out<'_>) {
        match self.second {
            true => self.b.encode_blocks(plain, block, pack, out),
            false => self.a.encode_blocks(plain, block, pack, out),
        }
    }

    fn encode_block(&mut self, plain: &[u8], code: &mut [u8]) -> Option<usize> {
        if self.second { self.b.encode_block(plain, code) } else { self.a.encode_block(plain, code) }
    }
}

impl<A: Decode, B: Decode> Decode for Either<A, B> {
    fn reset(&mut self, tag: u8) -> bool {
        self.second = !self.a.reset(tag);
        !self.second || self.b.reset(tag)
    }

    fn is_transparent(&self) -> bool {
        if self.second { self.b.is_transparent() } else { self.a.is_transparent() }
    }

    fn decode(&mut self, packed: &[u8], plain: &mut [u8], input: Input) -> Result<Step, DecodeError> {
        if self.second { self.b.decode(packed, plain, input) } else { self.a.decode(packed, plain, input) }
    }

    fn begin_block(&mut self, packed: u16, plain: u16) -> bool {
        self.second = !self.a.begin_block(packed, plain);
        !self.second || self.b.begin_block(packed, plain)
    }

    fn reads_ahead(&self) -> bool {
        self.a.reads_ahead() || self.b.reads_ahead()
    }

    fn decode_ahead(&mut self, plain: &mut [u8], blocks: &mut dyn Blocks) -> Ahead {
        if self.second { self.b.decode_ahead(plain, blocks) } else { self.a.decode_ahead(plain, blocks) }
    }

    fn check_ahead(&mut self, plain: usize, blocks: &mut dyn Blocks) -> Ahead {
        if self.second { self.b.check_ahead(plain, blocks) } else { self.a.check_ahead(plain, blocks) }
    }
}
