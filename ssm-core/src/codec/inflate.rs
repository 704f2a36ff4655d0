//! Reading of zlib streams (SPEC.md, "zlib").

use super::{Decode, DecodeError, Input, Step, tag};
use crate::copy::copy;
use core::borrow::BorrowMut;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress_with_limit, inflate_flags};

/// The state of an [`Inflate`], about 10.5 KiB. Place it in a static or a box; do not return it through the stack of a
/// small device.
#[derive(Default)]
pub struct InflateState(DecompressorOxide);

/// The decoder of zlib streams (tag 3).
///
/// The state and the window are lent or given: `Inflate<&mut InflateState, &mut [u8]>` on a device,
/// `Inflate<Box<InflateState>, Vec<u8>>` on a host. The window is 32 KiB for any file; a smaller power of two (from 256
/// bytes) reads the streams whose header promises a window no larger than that, and a size that is no power of two is
/// used up to the next smaller one. Other streams fail with [`DecodeError::Window`].
///
/// Bytes after the end of the stream are ignored, and the Adler-32 is checked when the reader gets there (Q21).
#[derive(Default)]
pub struct Inflate<S, W> {
    state: S,
    window: W,
    at: usize,
    held: usize,
    ended: bool,
    failed: Option<DecodeError>,
    first: bool,
}

impl<S: BorrowMut<InflateState>, W: AsRef<[u8]> + AsMut<[u8]>> Inflate<S, W> {
    /// A decoder with this memory.
    pub const fn new(state: S, window: W) -> Self {
        Self { state, window, at: 0, held: 0, ended: false, failed: None, first: true }
    }

    /// The largest power of two that the window holds.
    fn size(&self) -> usize {
        let len = self.window.as_ref().len();
        if len == 0 { 0 } else { 1 << len.ilog2() }
    }

    /// Bytes made before a failure are good and are handed out first.
    fn state_after(&mut self, status: TINFLStatus) {
        match status {
            TINFLStatus::Done => self.ended = true,
            TINFLStatus::NeedsMoreInput | TINFLStatus::HasMoreOutput => {}
            TINFLStatus::FailedCannotMakeProgress => self.failed = Some(DecodeError::End),
            _ => self.failed = Some(DecodeError::Corrupt),
        }
    }

    /// Hands out bytes that are in the window already.
    fn drain(&mut self, plain: &mut [u8]) -> usize {
        let size = self.size();
        let start = self.at.wrapping_sub(self.held) & size.wrapping_sub(1);
        let ring = self.window.as_ref().get(..size).unwrap_or(&[]);
        let run = self.held.min(size.saturating_sub(start));
        let n = copy(plain, ring.get(start..start.saturating_add(run)).unwrap_or(&[]));
        self.held = self.held.saturating_sub(n);
        n
    }
}

impl<S: BorrowMut<InflateState>, W: AsRef<[u8]> + AsMut<[u8]>> Decode for Inflate<S, W> {
    fn reset(&mut self, tag: u8) -> bool {
        self.state.borrow_mut().0.init();
        (self.at, self.held, self.ended, self.failed, self.first) = (0, 0, false, None, true);
        tag == tag::ZLIB
    }

    fn decode(&mut self, packed: &[u8], plain: &mut [u8], input: Input) -> Result<Step, DecodeError> {
        if self.held > 0 {
            return Ok(Step { read: 0, written: self.drain(plain) });
        }
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.ended {
            return Ok(Step { read: packed.len(), written: 0 });
        }
        let size = self.size();
        if let (true, Some(&method)) = (self.first, packed.first()) {
            // The upper half is the window's size as a power of two, less eight.
            let promised = 256usize.checked_shl(u32::from(method >> 4)).unwrap_or(usize::MAX);
            if method & 15 == 8 && method >> 4 <= 7 && promised > size {
                return Err(DecodeError::Window);
            }
            self.first = false;
        }
        let flags = inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER
            | inflate_flags::TINFL_FLAG_COMPUTE_ADLER32
            | if input == Input::More { inflate_flags::TINFL_FLAG_HAS_MORE_INPUT } else { 0 };
        let ring = self.window.as_mut().get_mut(..size).unwrap_or(&mut []);
        let room = size.saturating_sub(self.at);
        let (status, read, made) =
            decompress_with_limit(&mut self.state.borrow_mut().0, packed, ring, self.at, room, flags);
        self.at = self.at.wrapping_add(made) & size.wrapping_sub(1);
        self.held = made;
        self.state_after(status);
        match self.failed {
            Some(error) if made == 0 => Err(error),
            _ => Ok(Step { read, written: self.drain(plain) }),
        }
    }
}
