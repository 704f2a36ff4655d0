//! The packed side of a file that is written: codec, checksum, medium.

use crate::codec::{Encode, Input, Step};
use crate::crc32::{Crc32, RunningCrc};
use crate::error::SaveError;
use crate::io::{Stop, WriteFull, write_full};
use crate::progress::Progress;
use crate::stream::Sink;
use crate::unit::UnitError;
use embedded_io::{ErrorType, Seek, SeekFrom, Write};

/// Large pieces are cut, so that progress moves and a cancel is heeded.
const PIECE: usize = 128 << 10;

/// What a [`Writer`](crate::Writer) writes through.
pub(crate) struct Output<'s, W: ErrorType, E, C> {
    pub medium: W,
    pub codec: E,
    pub crc: RunningCrc<C>,
    pub packed: &'s mut [u8],
    /// The file offset of the next byte.
    pub position: u64,
    /// Whether the unit's tag byte was written.
    pub started: bool,
    /// What the unit may still add to the progress.
    pub budget: u64,
    pub progress: Progress<'s>,
    /// What failed first.
    pub failed: Option<SaveError<W::Error>>,
}

impl<W: Write + Seek, E: Encode, C: Crc32> Output<'_, W, E, C> {
    #[cold]
    #[inline(never)]
    pub fn stop(&mut self, error: SaveError<W::Error>) -> Result<(), Stop> {
        self.failed.get_or_insert(error);
        Err(Stop)
    }

    // Errors are built out of line: they are large, and would lie in the frames of their callers.
    #[cold]
    #[inline(never)]
    pub fn cancelled(&mut self) -> Result<(), Stop> {
        self.stop(SaveError::Cancelled)
    }

    #[cold]
    #[inline(never)]
    fn write_failed(&mut self, error: WriteFull<W::Error>) -> Result<(), Stop> {
        let offset = self.position;
        self.stop(match error {
            WriteFull::Io(error) => SaveError::Io(error),
            WriteFull::Full => SaveError::Full { offset },
        })
    }

    /// Writes bytes that the checksum does not cover.
    #[inline(never)]
    pub fn store(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        match write_full(&mut self.medium, bytes) {
            Ok(()) => {
                self.position = self.position.wrapping_add(bytes.len() as u64);
                Ok(())
            }
            Err(error) => self.write_failed(error),
        }
    }

    #[inline(never)]
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.crc.append(bytes);
        self.store(bytes)
    }

    #[inline(never)]
    pub fn seek(&mut self, to: u64) -> Result<(), Stop> {
        match self.medium.seek(SeekFrom::Start(to)) {
            Ok(_) => {
                self.position = to;
                Ok(())
            }
            Err(error) => self.write_failed(WriteFull::Io(error)),
        }
    }

    pub fn flush(&mut self) -> Result<(), Stop> {
        match self.medium.flush() {
            Ok(()) => Ok(()),
            Err(error) => self.write_failed(WriteFull::Io(error)),
        }
    }

    pub fn patch(&mut self, at: u64, value: u64) -> Result<(), Stop> {
        let end = self.position;
        let bytes = value.to_le_bytes();
        self.crc.patch(end.wrapping_sub(at).wrapping_sub(8), bytes);
        self.seek(at)?;
        self.store(&bytes)?;
        self.seek(end)
    }

    pub fn check_cancel(&mut self) -> Result<(), Stop> {
        if self.progress.is_cancelled() { self.cancelled() } else { Ok(()) }
    }

    pub fn spend(&mut self, bytes: u64) {
        let spent = bytes.min(self.budget);
        self.budget = self.budget.saturating_sub(spent);
        self.progress.advance(spent);
    }

    /// The tag byte comes with the first put, if only of zero bytes (Q16).
    fn begin(&mut self) -> Result<(), Stop> {
        if self.started {
            return Ok(());
        }
        self.started = true;
        self.codec.reset();
        let tag = self.codec.tag();
        self.append(&[tag])
    }

    fn pack(&mut self, mut plain: &[u8]) -> Result<(), Stop> {
        self.begin()?;
        while !plain.is_empty() {
            self.check_cancel()?;
            let piece = plain.get(..PIECE).unwrap_or(plain);
            let taken = if self.codec.is_transparent() {
                self.append(piece)?;
                piece.len()
            } else {
                let step = self.encode(piece, Input::More)?;
                if step == Step::default() {
                    return self.stop(SaveError::Codec);
                }
                step.read
            };
            plain = plain.get(taken..).unwrap_or(&[]);
            self.spend(taken as u64);
        }
        Ok(())
    }

    pub fn end(&mut self) -> Result<(), Stop> {
        self.begin()?;
        if !self.codec.is_transparent() {
            while self.encode(&[], Input::End)?.written > 0 {}
        }
        Ok(())
    }

    /// One step of the codec, its packed bytes written.
    fn encode(&mut self, plain: &[u8], input: Input) -> Result<Step, Stop> {
        let step = self.codec.encode(plain, self.packed, input);
        // Lent to `append` for a moment.
        let packed = core::mem::take(&mut self.packed);
        let done = self.append(packed.get(..step.written).unwrap_or(&[]));
        self.packed = packed;
        done.map(|()| step)
    }
}

impl<W: Write + Seek, E: Encode, C: Crc32> Sink for Output<'_, W, E, C> {
    fn write(&mut self, plain: &[u8]) -> Result<(), UnitError> {
        self.pack(plain).map_err(|Stop| UnitError::Stream)
    }
}
