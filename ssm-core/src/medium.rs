//! A file on a medium: what is read of it, what failed; and of a 1.x file the header, the checksum and the unit headers.

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
    /// Nothing is read ahead of a place that failed: it would be tried again and again.
    pub reads_ahead: bool,
    /// Whether the header of a 2.0 file says that the stream has checksums; where not, their fields must be 0.
    pub has_stream_crc: bool,
}

/// A unit that was found in a file. Its name is in the buffer that it was found with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Located {
    /// The file offsets of its header, of its data, and behind its data (0 where that is not known yet).
    pub offset: u64,
    pub data_at: u64,
    pub end: u64,
    pub version: u32,
    pub instance: u32,
    /// Bytes of the name with its NUL.
    pub name_len: u32,
    /// The live pass; `None` is the final one.
    pub pass: Option<u32>,
}

impl Located {
    /// The file's header, as if it were a unit before the first.
    pub fn header(header: &Header) -> Self {
        Self { end: header.len(), ..Self::default() }
    }

    /// The name in the buffer, without its NUL; `None` if it did not fit.
    pub fn name<'n>(&self, buffer: &'n [u8]) -> Option<&'n [u8]> {
        buffer.get(..(self.name_len as usize).wrapping_sub(1))
    }

    /// The unit as errors name it.
    pub fn record(&self, buffer: &[u8]) -> UnitRecord {
        let name_len = (self.name_len as usize).wrapping_sub(1);
        UnitRecord::new(buffer, name_len, self.instance, self.version, self.offset)
    }
}

impl<R: ErrorType> Medium<R> {
    /// A medium at its start.
    pub fn new(input: R) -> Self {
        Self { input, len: 0, position: 0, failed: None, reads_ahead: true, has_stream_crc: true }
    }

    /// Bytes of the medium; 0 before it was measured.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// The file offset of the next byte that is read front to back.
    pub fn position(&self) -> u64 {
        self.position
    }

    pub fn into_inner(self) -> R {
        self.input
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
    pub fn damaged(&mut self, offset: u64, error: FormatError) -> Stop {
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
}

impl<R: Read> Medium<R> {
    /// Reads the next bytes until `into` is full or the medium ends; how many.
    #[inline(never)]
    pub fn read_up_to(&mut self, into: &mut [u8]) -> Result<usize, Stop> {
        let position = core::mem::replace(&mut self.position, u64::MAX);
        match read_full(&mut self.input, into) {
            Ok(found) => {
                self.position = position.wrapping_add(found as u64);
                Ok(found)
            }
            Err(error) => Err(self.io(error)),
        }
    }

    /// Fills `into` with the next bytes, or fails where the medium ends.
    pub fn read_next(&mut self, into: &mut [u8]) -> Result<(), Stop> {
        let offset = self.position;
        let found = self.read_up_to(into)?;
        if found == into.len() { Ok(()) } else { Err(self.truncated(offset, into.len(), found)) }
    }
}

impl<R: Read + Seek> Medium<R> {
    /// Finds out how large the medium is.
    pub fn measure(&mut self) -> Result<(), Stop> {
        self.position = u64::MAX;
        match self.input.seek(SeekFrom::End(0)) {
            Ok(len) => {
                self.len = len;
                Ok(())
            }
            Err(error) => Err(self.io(error)),
        }
    }

    /// Goes to `offset`, where the next read starts.
    #[inline(never)]
    pub fn go(&mut self, offset: u64) -> Result<(), Stop> {
        if self.position == offset {
            return Ok(());
        }
        self.position = u64::MAX;
        match self.input.seek(SeekFrom::Start(offset)) {
            Ok(_) => {
                self.position = offset;
                Ok(())
            }
            Err(error) => Err(self.io(error)),
        }
    }

    /// Fills `into` from `offset` on, or fails where the medium ends.
    #[inline(never)]
    pub fn read_exact_at(&mut self, offset: u64, into: &mut [u8]) -> Result<(), Stop> {
        self.go(offset)?;
        self.read_next(into)
    }

    /// Reads what a file starts with; how many bytes there are.
    pub fn start(&mut self, start: &mut [u8; HEADER_PROBE]) -> Result<usize, Stop> {
        let found = usize::try_from(self.len).unwrap_or(usize::MAX).min(HEADER_PROBE);
        self.read_exact_at(0, start.get_mut(..found).unwrap_or_default())?;
        Ok(found)
    }

    /// Parses the header of a 1.x file.
    #[inline(never)]
    pub fn header(&mut self, start: &[u8; HEADER_PROBE], found: usize) -> Result<Header, Stop> {
        Header::parse_padded(start, found).map_err(|error| self.damaged(error.header_offset(false), error))
    }

    /// Checks the size and the checksum of a 1.x file (Q1), reading all of it through `scratch`.
    #[inline(never)]
    pub fn check(
        &mut self,
        header: &Header,
        crc: &mut impl Crc32,
        scratch: &mut [u8],
        progress: &mut Progress<'_>,
    ) -> Result<(), Stop> {
        header.check_size(self.len).map_err(|error| self.damaged(32, error))?;
        let computed = self.crc_of(CRC_FROM, header.uncovered_from(), crc, scratch, progress)?;
        if computed == header.crc {
            return Ok(());
        }
        Err(self.damaged(40, FormatError::Crc { stored: header.crc, computed }))
    }

    /// The CRC of the bytes from `at` to `end`, read through `scratch`.
    #[inline(never)]
    pub fn crc_of(
        &mut self,
        mut at: u64,
        end: u64,
        crc: &mut impl Crc32,
        scratch: &mut [u8],
        progress: &mut Progress<'_>,
    ) -> Result<u32, Stop> {
        if scratch.is_empty() {
            return Err(self.scratch(1));
        }
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
            progress.advance_to(at);
        }
        Ok(computed)
    }

    /// Whether what failed is damage, which is then forgotten.
    pub fn forgive_damage(&mut self) -> bool {
        let is_damage = matches!(self.failed, Some(LoadError::Format { .. }));
        if is_damage {
            self.failed = None;
        }
        is_damage
    }

    /// What stands at `offset` of a 1.x file: a unit, or `None` for the end. The unit's name goes to `name`, with its NUL and as far as
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
        let UnitHeader { len, version, instance, name_len } = header;
        let (data_at, end) = (offset.wrapping_add(header.data_from()), offset.wrapping_add(len));
        Ok(Some(Located { offset, data_at, end, version, instance, name_len, pass: None }))
    }
}
