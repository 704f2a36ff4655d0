//! Large pieces of a unit, read ahead of what is decoded, for a codec that decodes several blocks at once.
//!
//! Only what is plainly sound is taken this way: whole blocks and records, with room for all of their plain bytes. Where anything
//! else comes (damage, the end, a failing medium, a wish to stop), the source goes back to it and on in the usual way, which
//! then finds the same, and says it as if nothing had been read ahead.

use crate::codec::{Block, Blocks, LzfDecoder};
use crate::io::Stop;
use crate::medium::Medium;
use crate::progress::Progress;
use embedded_io::{ErrorType, Read, Seek};

/// Plain bytes that are wanted at once from which on it pays.
pub(super) const WANTED: usize = 256 << 10;
/// Packed bytes of a unit from which on it pays. A unit of 1.x that has fewer left, and the first of any in 2.0, where nobody
/// knows how many come, go the usual way: small units cost nothing more, and what is read in vain is little beside the rest.
pub(super) const LARGE: u64 = 64 << 10;

/// Whether a medium can be read again further back.
pub(crate) trait Reach<R: ErrorType> {
    const BACK: bool;

    /// Goes to `offset`, if it can.
    fn go(medium: &mut Medium<R>, offset: u64) -> Result<(), Stop>;
}

/// A medium that is read front to back.
pub(crate) enum Onwards {}

/// A medium that can seek.
pub(crate) enum Anywhere {}

impl<R: Read> Reach<R> for Onwards {
    const BACK: bool = false;

    fn go(_medium: &mut Medium<R>, _offset: u64) -> Result<(), Stop> {
        Ok(())
    }
}

impl<R: Read + Seek> Reach<R> for Anywhere {
    const BACK: bool = true;

    fn go(medium: &mut Medium<R>, offset: u64) -> Result<(), Stop> {
        medium.go(offset)
    }
}

/// Reads what stands at `at` of the file, and no further than to `end`; what failed is forgotten, as it will be met again.
pub(super) fn read_ahead<'p, R: Read, S: Reach<R>>(
    medium: &mut Medium<R>,
    progress: &Progress<'_>,
    (at, end): (u64, u64),
    packed: &'p mut [u8],
) -> &'p [u8] {
    let n = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX).min(packed.len());
    let piece = packed.get_mut(..n).unwrap_or_default();
    if progress.is_cancelled() {
        return &[];
    }
    match S::go(medium, at).and_then(|()| medium.read_next(piece)) {
        Ok(()) => piece,
        Err(Stop) => {
            *medium.failed() = None;
            medium.reads_ahead = false;
            &[]
        }
    }
}

/// The blocks of a 1.x unit.
pub(super) struct TaggedBlocks<'a, 'p, R: ErrorType> {
    pub medium: &'a mut Medium<R>,
    pub progress: &'a mut Progress<'p>,
    /// The file offset of the next block, and of the unit's end.
    pub at: u64,
    pub end: u64,
}

impl<R: Read + Seek> Blocks for TaggedBlocks<'_, '_, R> {
    fn next(&mut self, packed: &mut [u8], plain: &mut [u8], found: &mut dyn FnMut(Block) -> bool) -> usize {
        let bytes = read_ahead::<_, Anywhere>(self.medium, self.progress, (self.at, self.end), packed);
        let (mut rest, mut to, mut takes) = (bytes, 0usize, true);
        while takes
            && let Some((len, made)) = LzfDecoder::<[u8; 0]>::block_sizes(rest)
            && let Some((block, behind)) = rest.split_at_checked(len)
            && let Some(code) = LzfDecoder::<[u8; 0]>::code(block)
            && made <= plain.len().saturating_sub(to)
        {
            let from = bytes.len().wrapping_sub(behind.len()).wrapping_sub(code.len());
            takes = found(Block { from, packed: code.len() as u16, to, plain: made as u16, at: self.at });
            self.at = self.at.wrapping_add(len as u64);
            to = to.wrapping_add(made);
            rest = behind;
        }
        self.progress.advance_to(self.at);
        to
    }
}
