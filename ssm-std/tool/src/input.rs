//! The file that a subcommand reads.

use crate::failure::Failed;
use crate::progress::Progress;
use crate::spool::{open, shown};
use ssm_core::{Get, Header, LoadError, UnitError, UnitReader};
use ssm_std::{Buffered, Crc32Fast, Decoder, Error, Failure, decoder};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Bytes that a subcommand reads at a time, and half of what the archive works with.
pub const PIECE: usize = 128 << 10;

pub type Archive = ssm_core::Archive<Buffered<Watched>, Decoder, Vec<u8>, Crc32Fast>;
pub type Unit<'a> = UnitReader<'a, Buffered<Watched>, Decoder, Vec<u8>, Crc32Fast>;
pub type Reading<T> = Result<T, LoadError<io::Error>>;

/// An opened file.
pub struct Input {
    /// As it is shown.
    pub path: PathBuf,
    pub progress: Rc<Progress>,
    archive: Archive,
}

impl Input {
    /// Opens what `path` names: checked, or by its header alone. `passes` is how often all of it will be read after that.
    pub fn open(path: &Path, unchecked: bool, passes: u64) -> Result<Self, Failed> {
        Self::open_beside(path, unchecked, passes, Rc::new(Progress::new()))
    }

    /// The same, with a progress that others share.
    pub fn open_beside(path: &Path, unchecked: bool, passes: u64, progress: Rc<Progress>) -> Result<Self, Failed> {
        let opened = open(path);
        let path = shown(path);
        let failed = |failure| Failed::from(Error::new(path, failure));
        let file = opened.map_err(failed)?;
        let io = |source| failed(Failure::Io { doing: "open", source });
        let passes = passes.saturating_add(u64::from(!unchecked));
        progress.expect(file.metadata().map_err(io)?.len().saturating_mul(passes));
        let medium = Buffered::new(Watched { file, progress: Rc::clone(&progress) });
        let scratch = vec![0; 2 * PIECE];
        let archive = if unchecked {
            Archive::open_unchecked_with(medium, decoder(), scratch, Crc32Fast)
        } else {
            Archive::open_with(medium, decoder(), scratch, Crc32Fast)
        };
        let archive = archive.map_err(|error| Failed::load(path, error, None))?;
        Ok(Self { path: path.to_owned(), progress, archive })
    }

    /// What the file's header says.
    pub fn header(&self) -> Header {
        *self.archive.header()
    }

    /// The archive; [`failed`](Self::failed) says its errors.
    pub fn archive(&mut self) -> &mut Archive {
        &mut self.archive
    }

    /// Looks at the archive.
    pub fn read<T>(&mut self, read: impl FnOnce(&mut Archive) -> Reading<T>) -> Result<T, Failed> {
        read(&mut self.archive).map_err(|error| self.failed(error))
    }

    /// Says an error with the whole name of the unit that it is about.
    pub fn failed(&mut self, error: LoadError<io::Error>) -> Failed {
        let name = error
            .unit()
            .and_then(|record| at_unit(&mut self.archive, record.offset, |unit| Ok(unit.name().to_vec())).ok());
        Failed::load(&self.path, error, name.as_deref())
    }
}

/// Looks at the unit whose header is at `offset`.
pub fn at_unit<T>(archive: &mut Archive, offset: u64, read: impl FnOnce(&mut Unit<'_>) -> Reading<T>) -> Reading<T> {
    read(&mut archive.unit_at(offset)?.ok_or(LoadError::NotFound)?)
}

/// Gives up to `limit` plain bytes to `take`, in pieces of the size of `buffer` and a shorter last one, which is not empty.
/// What comes before damage is given too.
pub fn pieces<E>(
    get: &mut Get<'_>,
    limit: u64,
    buffer: &mut [u8],
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<Result<(), E>, UnitError> {
    let mut left = limit;
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let start = get.offset();
        let outcome = get.read(&mut buffer[..wanted]);
        let read = (get.offset() - start) as usize;
        if read > 0
            && let Err(error) = take(&buffer[..read])
        {
            return Ok(Err(error));
        }
        outcome?;
        if read < wanted {
            break;
        }
        left -= read as u64;
    }
    Ok(Ok(()))
}

/// A file whose reading is watched.
pub struct Watched {
    file: File,
    progress: Rc<Progress>,
}

impl Read for Watched {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}

impl Seek for Watched {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
