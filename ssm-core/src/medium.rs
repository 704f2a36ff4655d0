//! A file on a medium that can read and seek: its header, its checksum, the headers of its units.

use crate::crc32::Crc32;
use crate::error::LoadError;
use crate::io::{Stop, read_full};
use crate::progress::Progress;
use crate::unit::UnitRecord;
use crate::wire::{CRC_FROM, FormatError, HEADER_PROBE, Header, Mark, UNIT_HEADER_LEN, UnitHeader};
use embedded_io::{ErrorType, Read, Seek, SeekFrom};

/// A medium, its size, where the next read would start, and what failed first.
pub(crate) struct Medium<R: ErrorType> {
    input: R,
    len: u64,
    /// `u64::MAX` where it is not known.
    position: u64,
    failed: Option<LoadError<R::Error>>,
}

/// A unit that was found in a file. Its name is in the buffer that [`Medium::unit_at`] was given.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Located {
    pub offset: u64,
    pub header: UnitHeader,
}

impl Located {
    /// The file offset of the first packed byte.
    pub fn data_at(&self) -> u64 {
        self.offset.wrapping_add(self.header.data_from())
    }

    /// The file offset behind the last packed byte. In the file, as `Mark::parse` has checked.
    pub fn end(&self) -> u64 {
        self.offset.wrapping_add(self.header.len)
    }

    /// The name in the buffer, without its NUL; `None` if it did not fit.
    pub fn name<'n>(&self, buffer: &'n [u8]) -> Option<&'n [u8]> {
        buffer.get(..(self.header.name_len as usize).wrapping_sub(1))
    }

    /// The unit as errors name it.
    pub fn record(&self, buffer: &[u8]) -> UnitRecord {
        let UnitHeader { version, instance, name_len, .. } = self.header;
        UnitRecord::new(buffer, (name_len as usize).wrapping_sub(1), instance, version, self.offset)
    }
}

impl<R: Read + Seek> Medium<R> {
    pub fn new(input: R) -> Self {
        Self { input, len: 0, position: u64::MAX, failed: None }
    }

    /// Finds out how large the medium is.
    pub fn measure(&mut self) -> Result<(), Stop> {
        match self.input.seek(SeekFrom::End(0)) {
            Ok(len) => {
                self.len = len;
                Ok(())
            }
            Err(error) => Err(self.io(error)),
        }
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// Keeps what failed, unless something did before.
    #[cold]
    #[inline(never)]
    pub fn fail(&mut self, error: LoadError<R::Error>) -> Stop {
        self.failed.get_or_insert(error);
        Stop
    }

    // Errors are built out of line: they are large, and would lie in the frames of their callers.
    #[cold]
    #[inline(never)]
    pub fn cancelled(&mut self) -> Stop {
        self.fail(LoadError::Cancelled)
    }

    #[cold]
    #[inline(never)]
    fn io(&mut self, error: R::Error) -> Stop {
        self.fail(LoadError::Io(error))
    }

    #[cold]
    #[inline(never)]
    pub fn scratch(&mut self, needed: usize) -> Stop {
        self.fail(LoadError::Scratch { needed })
    }

    #[cold]
    #[inline(never)]
    fn damaged(&mut self, offset: u64, error: FormatError) -> Stop {
        self.fail(LoadError::Format { offset, unit: None, error })
    }

    #[cold]
    #[inline(never)]
    fn truncated(&mut self, offset: u64, needed: usize, found: usize) -> Stop {
        self.damaged(offset, FormatError::Truncated { needed: needed as u64, found: found as u64 })
    }

    pub fn failed(&mut self) -> &mut Option<LoadError<R::Error>> {
        &mut self.failed
    }

    /// What failed first.
    pub fn error(&mut self) -> LoadError<R::Error> {
        self.failed.take().unwrap_or(LoadError::Cancelled)
    }

    /// Fills `into` from `offset` on, or fails where the medium ends.
    #[inline(never)]
    pub fn read_exact_at(&mut self, offset: u64, into: &mut [u8]) -> Result<(), Stop> {
        let seek = if self.position == offset { Ok(offset) } else { self.input.seek(SeekFrom::Start(offset)) };
        self.position = u64::MAX;
        match seek.and_then(|_| read_full(&mut self.input, into)) {
            Ok(found) if found == into.len() => {
                self.position = offset.wrapping_add(found as u64);
                Ok(())
            }
            Ok(found) => Err(self.truncated(offset, into.len(), found)),
            Err(error) => Err(self.io(error)),
        }
    }

    /// Reads the header.
    #[inline(never)]
    pub fn header(&mut self) -> Result<Header, Stop> {
        let mut start = [0; HEADER_PROBE];
        let found = usize::try_from(self.len).unwrap_or(usize::MAX).min(HEADER_PROBE);
        self.read_exact_at(0, start.get_mut(..found).unwrap_or_default())?;
        Header::parse_padded(&start, found).map_err(|error| self.damaged(error.header_offset(), error))
    }

    /// Checks the size and the checksum (Q1), reading the whole file through `scratch`.
    #[inline(never)]
    pub fn check(
        &mut self,
        header: &Header,
        crc: &mut impl Crc32,
        scratch: &mut [u8],
        progress: &mut Progress<'_>,
    ) -> Result<(), Stop> {
        header.check_size(self.len).map_err(|error| self.damaged(32, error))?;
        if scratch.is_empty() {
            return Err(self.scratch(1));
        }
        let (mut at, end) = (CRC_FROM, header.uncovered_from());
        let mut computed = 0;
        while at < end {
            if progress.is_cancelled() {
                return Err(self.cancelled());
            }
            let n = usize::try_from(end.wrapping_sub(at)).unwrap_or(usize::MAX).min(scratch.len());
            let piece = scratch.get_mut(..n).unwrap_or(&mut []);
            self.read_exact_at(at, piece)?;
            computed = crc.update(computed, piece);
            at = at.wrapping_add(n as u64);
            progress.prepare(at, self.len);
        }
        if computed == header.crc {
            return Ok(());
        }
        Err(self.damaged(40, FormatError::Crc { stored: header.crc, computed }))
    }

    /// What stands at `offset`: a unit, or `None` for the end. The unit's name goes to `name`, with its NUL and as far as
    /// it fits; all of it is checked.
    #[inline(never)]
    pub fn unit_at(&mut self, offset: u64, name: &mut [u8]) -> Result<Option<Located>, Stop> {
        let mut bytes = [0; UNIT_HEADER_LEN];
        self.read_exact_at(offset, &mut bytes)?;
        let header = match Mark::parse(&bytes, self.len.wrapping_sub(offset)) {
            Ok(Mark::Unit(header)) => header,
            Ok(Mark::End) => return Ok(None),
            Err(error) => return Err(self.damaged(offset, error)),
        };
        // The header was checked: at most 256 bytes, all in the file. What does not fit passes through the last byte.
        let (at, len) = (offset.wrapping_add(UNIT_HEADER_LEN as u64), header.name_len as usize);
        let last = name.len().saturating_sub(1);
        let (mut read, mut nul) = (0usize, None);
        while read < len && nul.is_none() {
            let piece = name.get_mut(read.min(last)..).unwrap_or_default();
            let piece = piece.get_mut(..len.min(piece.len())).unwrap_or_default();
            self.read_exact_at(at.wrapping_add(read as u64), piece)?;
            nul = piece.iter().position(|byte| *byte == 0).map(|at| at.wrapping_add(read));
            read = read.saturating_add(piece.len().max(1));
        }
        // One NUL, at the very end.
        if nul != Some(len.wrapping_sub(1)) {
            return Err(self.damaged(at, FormatError::UnitName { found: header.name_len }));
        }
        Ok(Some(Located { offset, header }))
    }
}

impl<R: ErrorType> Medium<R> {
    pub fn into_inner(self) -> R {
        self.input
    }
}
