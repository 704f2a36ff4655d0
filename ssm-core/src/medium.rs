//! A file on a medium that can read and seek: its header, its checksum, the headers of its units.

use crate::crc32::Crc32;
use crate::io::read_full;
use crate::load::LoadError;
use crate::progress::Progress;
use crate::unit::UnitRecord;
use crate::wire::{
    CRC_FROM, FormatError, HEADER_PROBE, Header, MAX_FILE_NAME, Mark, UNIT_HEADER_LEN, UnitHeader, name_in_record,
};
use embedded_io::{ErrorType, Read, Seek, SeekFrom};

/// A medium, its size, and where the next read would start.
pub(crate) struct Medium<R> {
    input: R,
    len: u64,
    position: Option<u64>,
}

/// A unit that was found in a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Located {
    pub record: UnitRecord,
    pub header: UnitHeader,
}

impl Located {
    /// The file offset of the first packed byte.
    pub fn data_at(&self) -> u64 {
        self.record.offset.saturating_add(self.header.data_from())
    }

    /// The file offset behind the last packed byte.
    pub fn end(&self) -> u64 {
        self.record.offset.saturating_add(self.header.len)
    }
}

fn damaged<E>(offset: u64, error: FormatError) -> LoadError<E> {
    LoadError::Format { offset, unit: None, error }
}

impl<R: Read + Seek> Medium<R> {
    pub fn new(mut input: R) -> Result<Self, R::Error> {
        let len = input.seek(SeekFrom::End(0))?;
        Ok(Self { input, len, position: None })
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// Reads at `offset` until `into` is full or the medium ends; how many bytes.
    pub fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, R::Error> {
        if self.position != Some(offset) {
            self.position = None;
            self.input.seek(SeekFrom::Start(offset))?;
        }
        self.position = None;
        let read = read_full(&mut self.input, into)?;
        self.position = Some(offset.saturating_add(read as u64));
        Ok(read)
    }

    fn read_exact_at(&mut self, offset: u64, into: &mut [u8]) -> Result<(), LoadError<R::Error>> {
        let read = self.read_at(offset, into).map_err(LoadError::Io)?;
        if read == into.len() {
            return Ok(());
        }
        Err(damaged(offset, FormatError::Truncated { needed: into.len() as u64, found: read as u64 }))
    }

    /// Reads the header; `scratch` need not hold it.
    pub fn header(&mut self) -> Result<Header, LoadError<R::Error>> {
        let mut start = [0; HEADER_PROBE];
        let read = self.read_at(0, &mut start).map_err(LoadError::Io)?;
        Header::parse(start.get(..read).unwrap_or(&start)).map_err(|error| damaged(0, error))
    }

    /// Checks the size and the checksum (Q1), reading the whole file through `scratch`.
    pub fn check(
        &mut self,
        header: &Header,
        crc: &mut impl Crc32,
        scratch: &mut [u8],
        progress: &mut Progress<'_>,
    ) -> Result<(), LoadError<R::Error>> {
        header.check_size(self.len).map_err(|error| damaged(32, error))?;
        if scratch.is_empty() {
            return Err(LoadError::Scratch { needed: 1 });
        }
        let (mut at, end) = (CRC_FROM, header.uncovered_from());
        let mut computed = 0;
        while at < end {
            if progress.is_cancelled() {
                return Err(LoadError::Cancelled);
            }
            let n = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX).min(scratch.len());
            let piece = scratch.get_mut(..n).unwrap_or(&mut []);
            self.read_exact_at(at, piece)?;
            computed = crc.update(computed, piece);
            at = at.saturating_add(n as u64);
            progress.prepare(at, self.len.saturating_add(1));
        }
        if computed == header.crc {
            return Ok(());
        }
        Err(damaged(40, FormatError::Crc { stored: header.crc, computed }))
    }

    /// What stands at `offset`: a unit, whose name goes to the start of `name` as far as it fits, or `None` for the end.
    /// The second value is the length of the whole name.
    pub fn unit_at(&mut self, offset: u64, name: &mut [u8]) -> Result<Option<(Located, usize)>, LoadError<R::Error>> {
        let mut bytes = [0; UNIT_HEADER_LEN];
        self.read_exact_at(offset, &mut bytes)?;
        let header =
            match Mark::parse(&bytes, self.len.saturating_sub(offset)).map_err(|error| damaged(offset, error))? {
                Mark::Unit(header) => header,
                Mark::End => return Ok(None),
            };
        // The header was bounded: at most 256 bytes, all in the file. In pieces, so that `name` may be shorter.
        let name_at = offset.saturating_add(UNIT_HEADER_LEN as u64);
        let record_len = (header.name_len as usize).min(MAX_FILE_NAME + 1);
        let mut kept = 0;
        let mut at = 0usize;
        let mut piece = [0; 64];
        while at < record_len {
            let n = record_len.saturating_sub(at).min(piece.len());
            let piece = piece.get_mut(..n).unwrap_or(&mut []);
            self.read_exact_at(name_at.saturating_add(at as u64), piece)?;
            at = at.saturating_add(n);
            let bad = FormatError::UnitName { found: header.name_len };
            let whole = if at < record_len {
                if piece.contains(&0) { Err(bad) } else { Ok(&*piece) }
            } else if piece.len() == 1 && record_len > 1 {
                // The NUL alone, behind pieces that were checked.
                if piece == [0] { Ok(&[][..]) } else { Err(bad) }
            } else {
                name_in_record(piece).map_err(|_| bad)
            };
            let text = whole.map_err(|error| damaged(name_at, error))?;
            kept = crate::copy::copy(name.get_mut(kept..).unwrap_or(&mut []), text).saturating_add(kept);
        }
        let name_len = record_len.saturating_sub(1);
        let mut record = UnitRecord::new(name.get(..kept).unwrap_or(&[]), header.instance, header.version, offset);
        record.set_name_len(name_len);
        Ok(Some((Located { record, header }, name_len)))
    }
}

impl<R: ErrorType> Medium<R> {
    pub fn into_inner(self) -> R {
        self.input
    }
}
