//! The file that a subcommand reads.

use crate::checksum::Following;
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

/// Bytes that every header fits into.
const HEADER_ROOM: u64 = 128;

pub type Archive = ssm_core::Archive<Buffered<Watched>, Decoder, Vec<u8>, Crc32Fast>;
pub type Unit<'a> = UnitReader<'a, Buffered<Watched>, Decoder, Vec<u8>, Crc32Fast>;
pub type Reading<T> = Result<T, LoadError<io::Error>>;

/// An opened file.
pub struct Input {
    /// As it is shown.
    pub path: PathBuf,
    pub progress: Rc<Progress>,
    archive: Archive,
    followed: Rc<Following>,
}

impl Input {
    /// Opens what `path` names: checked, or by its header alone. `passes` is how often all of it will be read after that.
    pub fn open(path: &Path, unchecked: bool, passes: u64) -> Result<Self, Failed> {
        let passes = passes.saturating_add(u64::from(!unchecked));
        Self::start(path, unchecked, Rc::new(Progress::new()), false, &|_| passes)
    }

    /// Opens what `path` names to read all its units to their ends, in their order as a rule, and to call
    /// [`check_rest`](Self::check_rest) then. The progress is shared with other files.
    pub fn open_through(path: &Path, progress: Rc<Progress>) -> Result<Self, Failed> {
        // The records of 2.0 are counted before they are decoded.
        let passes = |header: &Header| if header.format.is_streamed() { 2 } else { 1 };
        let mut input = Self::start(path, true, progress, true, &passes)?;
        input.read(|archive| {
            let (header, len) = (archive.header(), archive.file_len());
            if !header.format.is_streamed() && header.check_size(len).is_err() {
                return archive.check();
            }
            archive.check_end()
        })?;
        Ok(input)
    }

    /// Opens a file, of which `passes` says how often all of it will be read. If told to `follow`, the checksum of 1.x is
    /// computed on the way.
    fn start(
        path: &Path,
        unchecked: bool,
        progress: Rc<Progress>,
        follow: bool,
        passes: &dyn Fn(&Header) -> u64,
    ) -> Result<Self, Failed> {
        let opened = open(path);
        let path = shown(path);
        let failed = |failure| Failed::from(Error::new(path, failure));
        let mut file = opened.map_err(failed)?;
        let io = |source| failed(Failure::Io { doing: "open", source });
        let followed = Rc::new(Following::default());
        if let Some(header) = header_of(&mut file).map_err(io)? {
            if follow {
                followed.start(&header);
            }
            progress.expect(file.seek(SeekFrom::End(0)).map_err(io)?.saturating_mul(passes(&header)));
        }
        file.rewind().map_err(io)?;
        let watched = Watched { file, position: 0, progress: Rc::clone(&progress), followed: Rc::clone(&followed) };
        let (medium, scratch) = (Buffered::new(watched), vec![0; 2 * PIECE]);
        let archive = if unchecked {
            Archive::open_unchecked_with(medium, decoder(), scratch, Crc32Fast)
        } else {
            Archive::open_with(medium, decoder(), scratch, Crc32Fast)
        };
        let archive = archive.map_err(|error| Failed::load(path, error, None))?;
        Ok(Self { path: path.to_owned(), progress, archive, followed })
    }

    /// Checks the checksum that 1.x has over the file.
    pub fn check_checksum(&mut self) -> Result<(), Failed> {
        match self.header().format.is_streamed() {
            true => Ok(()),
            false => self.read(Archive::check),
        }
    }

    /// Checks what reading every unit to its end does not: of 1.x the checksum over the file, for which it is read again
    /// only if it was not read in order; of 2.0 the directory.
    pub fn check_rest(&mut self) -> Result<(), Failed> {
        let header = self.header();
        match header.format.is_streamed() {
            true => self.read(Archive::check_directory),
            false if self.followed.is_right(&header) => Ok(()),
            false => self.read(Archive::check),
        }
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

/// The header of a file, if it has one that is read here.
pub fn header_of(file: &mut File) -> io::Result<Option<Header>> {
    let mut start = Vec::new();
    file.rewind()?;
    file.take(HEADER_ROOM).read_to_end(&mut start)?;
    Ok(Header::parse(&start).ok())
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
    position: u64,
    progress: Rc<Progress>,
    followed: Rc<Following>,
}

impl Read for Watched {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.followed.pass(self.position, &into[..read]);
        self.position = self.position.saturating_add(read as u64);
        self.progress.advance(read as u64);
        Ok(read)
    }
}

impl Seek for Watched {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.file.seek(to)?;
        Ok(self.position)
    }
}
