//! Unpacking LZF, with input and output in pieces of any size.

use super::{BLOCK_HEADER, BlockHeader, MAX_DISTANCE, MAX_LITERALS, block};
use crate::codec::{Decode, DecodeError, Input, Step, tag};
use crate::copy::{WIDE, copy, repeat};

/// The decoder of LZF (tag 5). `W` is its window: `[u8; N]`, `&mut [u8]`, `Vec<u8>`.
///
/// A window of 8192 bytes reads every file; a smaller one reads files whose blocks are no larger than it (see
/// [`LzfEncoder::with_block`](super::LzfEncoder::with_block)), and of others those parts that do not reach further back;
/// beyond that it fails with [`DecodeError::Window`]. A block that is given whole, with room for all of its plain bytes,
/// is decoded straight into the output and needs no window; others are faster where the window is as large as they are.
#[derive(Clone, Debug, Default)]
pub struct LzfDecoder<W> {
    window: W,
    /// Where the next plain byte goes in the window, and how many before it were not handed out yet.
    at: usize,
    held: usize,
    header: [u8; BLOCK_HEADER],
    header_len: usize,
    /// What the block still has, and what it has made.
    packed_left: usize,
    plain_left: usize,
    made: usize,
    token: Token,
    /// Nothing of the block was taken yet.
    fresh: bool,
    /// There is this one block, which had no header.
    bare: bool,
    failed: Option<DecodeError>,
}

/// What is known of the token at hand.
#[derive(Clone, Copy, Debug, Default)]
enum Token {
    #[default]
    Control,
    Literals(usize),
    /// The control byte of a long match, before its length byte.
    Length(u8),
    /// The high bits of the distance and the length, before the low byte.
    Distance(u8, usize),
    Repeat {
        distance: usize,
        length: usize,
    },
}

impl<W: AsRef<[u8]> + AsMut<[u8]>> LzfDecoder<W> {
    /// A decoder with this window.
    pub const fn new(window: W) -> Self {
        Self {
            window,
            at: 0,
            held: 0,
            header: [0; BLOCK_HEADER],
            header_len: 0,
            packed_left: 0,
            plain_left: 0,
            made: 0,
            token: Token::Control,
            fresh: false,
            bare: false,
            failed: None,
        }
    }

    /// Decodes all of a block's code, without header, to all of `plain`; `false` where these do not fit each other, and what is
    /// in `plain` then is not specified. For a codec that decodes several blocks at once.
    pub fn decode_code(code: &[u8], plain: &mut [u8]) -> bool {
        block::decode(code, plain)
    }

    /// The packed bytes, header included, and the plain bytes of the block that `packed` starts with; `None` where that
    /// is no block header. For a codec that decodes several blocks at once.
    pub fn block_sizes(packed: &[u8]) -> Option<(usize, usize)> {
        let BlockHeader { packed, plain } = BlockHeader::parse(packed.first_chunk()?)?;
        Some((BLOCK_HEADER.wrapping_add(packed.into()), plain.into()))
    }

    /// The code of a whole block, behind its header.
    pub(crate) fn code(block: &[u8]) -> Option<&[u8]> {
        block.get(BLOCK_HEADER..)
    }

    /// Plain bytes that the block at hand still has to hand out; 0 between blocks and inside a block's header.
    pub fn block_left(&self) -> usize {
        self.plain_left.saturating_add(self.held)
    }

    /// Whether the next packed byte is the first of a block with a header.
    pub fn is_between_blocks(&self) -> bool {
        !self.in_block() && !self.bare && self.header_len == 0 && self.held == 0 && self.failed.is_none()
    }

    fn in_block(&self) -> bool {
        self.packed_left > 0 || self.plain_left > 0
    }

    fn size(&self) -> usize {
        self.window.as_ref().len()
    }

    /// Hands out bytes that are in the window.
    fn drain(&mut self, plain: &mut [u8]) -> usize {
        let size = self.size();
        let start = self.at.checked_sub(self.held).unwrap_or(self.at.wrapping_add(size).wrapping_sub(self.held));
        let run = self.held.min(size.wrapping_sub(start));
        let ring = self.window.as_ref();
        let n = copy(plain, ring.get(start..start.wrapping_add(run)).unwrap_or(&[]));
        self.held = self.held.wrapping_sub(n);
        n
    }

    /// Collects a block header; `true` when it is whole and sound.
    fn header(&mut self, packed: &mut &[u8]) -> Result<bool, DecodeError> {
        let room = self.header.get_mut(self.header_len..).unwrap_or(&mut []);
        let taken = copy(room, packed);
        *packed = packed.get(taken..).unwrap_or(&[]);
        self.header_len = self.header_len.wrapping_add(taken);
        if self.header_len < BLOCK_HEADER {
            return Ok(false);
        }
        let header = BlockHeader::parse(&self.header).ok_or(DecodeError::Corrupt)?;
        self.header_len = 0;
        self.begin(header);
        Ok(true)
    }

    /// Starts a block. All of the last one was handed out, so the window is free.
    fn begin(&mut self, block: BlockHeader) {
        self.at = 0;
        self.packed_left = block.packed.into();
        self.plain_left = block.plain.into();
        self.made = 0;
        self.token = Token::Control;
        self.fresh = true;
    }

    /// A block that is whole in `packed`, straight to `plain`; how many plain bytes, or `None` where it is not whole.
    fn whole_block(&mut self, packed: &mut &[u8], plain: &mut [u8]) -> Result<Option<usize>, DecodeError> {
        let (Some((code, rest)), Some(to)) =
            (packed.split_at_checked(self.packed_left), plain.get_mut(..self.plain_left))
        else {
            return Ok(None);
        };
        if !block::decode(code, to) {
            // In pieces, so that what comes before the damage is handed out whatever the sizes of the slices are.
            return if self.size() == 0 { Err(DecodeError::Corrupt) } else { Ok(None) };
        }
        *packed = rest;
        (self.packed_left, self.plain_left) = (0, 0);
        Ok(Some(to.len()))
    }

    /// Accounts for `n` plain bytes put into the window.
    fn made(&mut self, n: usize) {
        self.at = self.at.wrapping_add(n);
        if self.at >= self.size() {
            self.at = 0;
        }
        self.held = self.held.wrapping_add(n);
        self.made = self.made.wrapping_add(n);
        self.plain_left = self.plain_left.wrapping_sub(n);
    }

    /// How many bytes can be put into the window in one piece.
    fn room(&self) -> usize {
        let size = self.size();
        size.wrapping_sub(self.held).min(size.wrapping_sub(self.at))
    }

    /// Runs those tokens that are whole in `packed`, fit into the window in one piece, and repeat one piece of it.
    fn whole_tokens(&mut self, packed: &mut &[u8], room: usize) {
        // Bytes behind those that are made are changed as well, so no match may reach back to them.
        if self.made > self.at && self.size() < MAX_DISTANCE + WIDE {
            return;
        }
        let code = packed.get(..self.packed_left).unwrap_or(packed);
        let end = self.at.wrapping_add(room.min(self.plain_left));
        let (used, at) = block::decode_tokens(code, self.window.as_mut().get_mut(..end).unwrap_or(&mut []), self.at);
        *packed = packed.get(used..).unwrap_or(&[]);
        self.packed_left = self.packed_left.wrapping_sub(used);
        self.made(at.wrapping_sub(self.at));
    }

    /// Takes the next byte of the block.
    fn next_byte(&mut self, packed: &mut &[u8]) -> Option<u8> {
        let (&byte, rest) = packed.split_first()?;
        self.packed_left = self.packed_left.checked_sub(1)?;
        *packed = rest;
        Some(byte)
    }

    /// Runs tokens into the window until it is full of bytes not handed out, the block ends, or input is wanted.
    fn tokens(&mut self, packed: &mut &[u8]) -> Result<(), DecodeError> {
        let size = self.size();
        if size == 0 {
            return Err(DecodeError::Window);
        }
        loop {
            let room = self.room();
            match self.token {
                Token::Control => {
                    self.whole_tokens(packed, room);
                    if !self.in_block() {
                        return Ok(());
                    }
                    // Lengths that do not fit each other: more code than plain bytes, or the other way round.
                    if self.packed_left == 0 || self.plain_left == 0 {
                        return Err(DecodeError::Corrupt);
                    }
                    let Some(control) = self.next_byte(packed) else {
                        return Ok(());
                    };
                    self.token = match control {
                        0..32 => Token::Literals(usize::from(control).wrapping_add(1)),
                        32..224 => Token::Distance(control & 31, usize::from(control >> 5).wrapping_add(2)),
                        224.. => Token::Length(control & 31),
                    };
                    if let Token::Literals(run) = self.token
                        && (run > self.packed_left || run > self.plain_left || run > MAX_LITERALS)
                    {
                        return Err(DecodeError::Corrupt);
                    }
                }
                Token::Literals(0) | Token::Repeat { length: 0, .. } => self.token = Token::Control,
                Token::Literals(run) => {
                    let from = packed.get(..run.min(room)).unwrap_or(packed);
                    let to = self.window.as_mut().get_mut(self.at..self.at.wrapping_add(room)).unwrap_or(&mut []);
                    let n = copy(to, from.get(..room.min(from.len())).unwrap_or(&[]));
                    if n == 0 {
                        return Ok(());
                    }
                    *packed = packed.get(n..).unwrap_or(&[]);
                    self.packed_left = self.packed_left.wrapping_sub(n);
                    self.made(n);
                    self.token = Token::Literals(run.wrapping_sub(n));
                }
                Token::Length(high) => {
                    if self.packed_left == 0 {
                        return Err(DecodeError::Corrupt);
                    }
                    let Some(more) = self.next_byte(packed) else {
                        return Ok(());
                    };
                    self.token = Token::Distance(high, usize::from(more).wrapping_add(9));
                }
                Token::Distance(high, length) => {
                    if self.packed_left == 0 {
                        return Err(DecodeError::Corrupt);
                    }
                    let Some(low) = self.next_byte(packed) else {
                        return Ok(());
                    };
                    let distance = usize::from(u16::from_le_bytes([low, high])).wrapping_add(1);
                    if distance > self.made || length > self.plain_left {
                        return Err(DecodeError::Corrupt);
                    }
                    if distance > size {
                        return Err(DecodeError::Window);
                    }
                    self.token = Token::Repeat { distance, length };
                }
                Token::Repeat { .. } if room == 0 => return Ok(()),
                Token::Repeat { distance, length } => {
                    let n = self.repeat(distance, length.min(room), size);
                    if n == 0 {
                        return Err(DecodeError::Corrupt);
                    }
                    self.made(n);
                    self.token = Token::Repeat { distance, length: length.wrapping_sub(n) };
                }
            }
        }
    }

    /// Copies up to `length` bytes from `distance` back in the ring, not across its end; how many.
    fn repeat(&mut self, distance: usize, length: usize, size: usize) -> usize {
        let window = self.window.as_mut();
        if distance <= self.at {
            return if repeat(window, self.at, distance, length) { length } else { 0 };
        }
        // The source lies behind the ring's end, above the target.
        let source = self.at.wrapping_add(size).wrapping_sub(distance);
        let gap = source.wrapping_sub(self.at);
        if gap == 0 {
            return length; // a full turn back: the bytes are there
        }
        let n = length.min(size.wrapping_sub(source)).min(gap);
        let Some((low, high)) = window.split_at_mut_checked(source) else {
            return 0;
        };
        copy(low.get_mut(self.at..self.at.wrapping_add(n)).unwrap_or(&mut []), high)
    }
}

impl<W: AsRef<[u8]> + AsMut<[u8]>> Decode for LzfDecoder<W> {
    fn reset(&mut self, tag: u8) -> bool {
        (self.at, self.held, self.header_len) = (0, 0, 0);
        (self.packed_left, self.plain_left, self.made) = (0, 0, 0);
        (self.token, self.fresh, self.bare, self.failed) = (Token::Control, false, false, None);
        tag == tag::LZF
    }

    fn begin_block(&mut self, packed: u16, plain: u16) -> bool {
        self.reset(tag::LZF);
        self.begin(BlockHeader { packed, plain });
        self.bare = true;
        true
    }

    fn decode(&mut self, packed: &[u8], plain: &mut [u8], input: Input) -> Result<Step, DecodeError> {
        let mut left = packed;
        let mut written = 0usize;
        loop {
            let to = plain.get_mut(written..).unwrap_or(&mut []);
            if self.held > 0 {
                let n = self.drain(to);
                written = written.wrapping_add(n);
                if n == 0 {
                    break;
                }
                continue;
            }
            if to.is_empty() || self.failed.is_some() {
                break;
            }
            if self.fresh && self.packed_left > 0 && left.is_empty() {
                break;
            }
            let outcome = if core::mem::take(&mut self.fresh) {
                self.whole_block(&mut left, to).map(Option::unwrap_or_default)
            } else if self.in_block() {
                self.tokens(&mut left).map(|()| 0)
            } else if left.is_empty() {
                break;
            } else if self.bare {
                Err(DecodeError::Corrupt)
            } else {
                match self.header(&mut left) {
                    Ok(false) => break,
                    Ok(true) => Ok(0),
                    Err(error) => Err(error),
                }
            };
            match outcome {
                Ok(n) => written = written.wrapping_add(n),
                Err(error) => self.failed = Some(error),
            }
            if self.held == 0 && self.failed.is_none() && self.in_block() && left.is_empty() {
                break;
            }
        }
        let read = packed.len().wrapping_sub(left.len());
        // What was made before the damage is good and is handed out first.
        if let (Some(error), 0, 0) = (self.failed, written, self.held) {
            return Err(error);
        }
        if read == 0 && written == 0 && input == Input::End && packed.is_empty() && !plain.is_empty() {
            let middle = self.in_block() || self.header_len > 0;
            return match middle {
                true if self.bare => Err(DecodeError::Corrupt),
                true => Err(DecodeError::End),
                false => Ok(Step::default()),
            };
        }
        Ok(Step { read, written })
    }
}
