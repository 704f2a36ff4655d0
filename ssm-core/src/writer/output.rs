//! The packed side of a file that is written: codec, checksum, medium. What differs between the formats is in `patched`
//! and `streamed`.
//!
//! The types here are public because public types are bound by them; this module is private, so nobody can name them.

use super::stage::Stage;
use crate::crc32::RunningCrc;
use crate::error::SaveError;
use crate::io::{Stop, WriteFull, write_full};
use crate::progress::Progress;
use crate::stream::Sink;
use crate::unit::UnitError;
use crate::wire::Header;
use embedded_io::{ErrorType, Write};

/// Large pieces are cut, so that progress moves and a cancel is heeded.
pub(crate) const PIECE: usize = 1 << 20;

/// What a [`Writer`](crate::Writer) writes through; `L` is what its format keeps.
pub struct Output<'s, W: ErrorType, E, C, L> {
    pub(crate) codec: E,
    pub(crate) packed: &'s mut [u8],
    pub(crate) target: Target<'s, W, C, L>,
}

/// Where packed bytes go. It stands apart from the codec, which may hand out bytes while it packs others.
pub struct Target<'s, W: ErrorType, C, L> {
    pub(crate) medium: W,
    pub(crate) crc: RunningCrc<C>,
    /// What was appended last.
    pub(crate) stage: Stage,
    /// The file offset of the next byte.
    pub(crate) position: u64,
    /// What the unit may still add to the progress.
    pub(crate) budget: u64,
    pub(crate) progress: Progress<'s>,
    /// What failed first.
    pub(crate) failed: Option<SaveError<W::Error>>,
    pub(crate) format: L,
}

/// A unit that is about to be written.
#[derive(Clone, Copy)]
pub struct UnitStart<'n> {
    pub name: &'n [u8],
    pub instance: u32,
    pub version: u32,
    /// `u32::MAX` is the final pass (format 2.0).
    pub pass: u32,
    /// Whether readers that do not know it may skip it (format 2.0).
    pub optional: bool,
    /// How many bytes of the progress belong to it.
    pub guess: u64,
}

/// What a format puts around units and their data.
pub trait Framing<'s> {
    /// The longest name in bytes.
    const MAX_NAME: usize;
    /// Why a longer one is refused.
    const NAME: &'static str;

    /// Divides the scratch for a file of up to `units` units; what is for plain bytes comes back, unless it is too small.
    fn divide(&mut self, scratch: &'s mut [u8], units: usize) -> Result<&'s mut [u8], Stop>;
    /// Writes the header of the file, whose format field becomes right.
    fn begin(&mut self, header: &mut Header) -> Result<(), Stop>;
    /// Writes a unit's header and name.
    fn open(&mut self, unit: &UnitStart<'_>) -> Result<(), Stop>;
    /// Writes the next plain bytes of the unit, if only none at all.
    fn pack(&mut self, plain: &[u8]) -> Result<(), Stop>;
    /// Ends the unit, in which something was put or not; its length with header and name.
    fn close(&mut self, touched: bool) -> Result<u64, Stop>;
    /// Makes the file valid.
    fn commit(&mut self) -> Result<(), Stop>;
}

impl<W: Write, C, L> Target<'_, W, C, L> {
    #[cold]
    #[inline(never)]
    pub(crate) fn stop<T>(&mut self, error: SaveError<W::Error>) -> Result<T, Stop> {
        self.failed.get_or_insert(error);
        Err(Stop)
    }

    // Errors are built out of line: they are large, and would lie in the frames of their callers.
    #[cold]
    #[inline(never)]
    pub(crate) fn cancelled(&mut self) -> Result<(), Stop> {
        self.stop(SaveError::Cancelled)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn write_failed(&mut self, error: WriteFull<W::Error>) -> Result<(), Stop> {
        let offset = self.position;
        self.stop(match error {
            WriteFull::Io(error) => SaveError::Io(error),
            WriteFull::Full => SaveError::Full { offset },
        })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn scratch<T>(&mut self, needed: usize) -> Result<T, Stop> {
        self.stop(SaveError::Scratch { needed })
    }

    /// Writes bytes and leaves the checksum alone.
    #[inline(never)]
    pub(crate) fn store(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        write_full(&mut self.medium, bytes, &mut self.position).or_else(|error| self.write_failed(error))
    }

    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        match self.medium.flush() {
            Ok(()) => Ok(()),
            Err(error) => self.write_failed(WriteFull::Io(error)),
        }
    }

    pub(crate) fn check_cancel(&mut self) -> Result<(), Stop> {
        if self.progress.is_cancelled() { self.cancelled() } else { Ok(()) }
    }

    /// Writes what stands for `plain` bytes, unless the save is cancelled.
    pub(crate) fn take(&mut self, plain: usize, write: impl FnOnce(&mut Self) -> Result<(), Stop>) -> Result<(), Stop> {
        self.check_cancel()?;
        write(self)?;
        self.spend(plain as u64);
        Ok(())
    }

    pub(crate) fn spend(&mut self, bytes: u64) {
        if !self.progress.is_watched() {
            return;
        }
        let spent = bytes.min(self.budget);
        self.budget = self.budget.saturating_sub(spent);
        self.progress.advance(spent);
    }
}

impl<'s, W: ErrorType, E, C, L> Sink for Output<'s, W, E, C, L>
where
    Self: Framing<'s>,
{
    fn write(&mut self, plain: &[u8]) -> Result<(), UnitError> {
        self.pack(plain).map_err(|Stop| UnitError::Stream)
    }
}
