//! A file or a block device as NOR flash, for slots on a host.

use crate::Error;
use crate::replace::{folder_of, has_no_sync, sync_folder};
use ssm_core::embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

#[cfg(test)]
mod tests;

/// Bytes that an erase writes at a time.
const PIECE: usize = 64 << 10;

/// A file or a block device that is written and erased like NOR flash, so that [`Slots`](ssm_core::Slots) keep states in it.
///
/// It writes in words of `WRITE` bytes and erases in blocks of `ERASE`; reads have any position and length. What is left
/// behind the last whole block, or behind 4 GiB, is not used. To read the same states on a device and here, take the sizes of the
/// device's flash, because the layout of the slots follows from them.
///
/// Every write and every erase is durable when it returns: each ends with a `sync_data`, as the slots must know that the content
/// is there before they write the commit record. So with a buffer of `B` bytes a save of `N` costs `N / B` syncs and two
/// more, which is why a host should give `Slots` a large buffer, such as `vec![0; 64 << 10]`.
///
/// A disk may lose what it was writing, in units of its sectors, so a sector must not be in two slots: the range should start at
/// a multiple of 4096, and `ERASE` be one, as the default is. Two programs must not write to one file at the same time;
/// nothing here keeps them from it.
///
/// ```
/// use ssm_core::{Slots, embedded_io::Write};
/// use ssm_std::FileFlash;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("states.flash");
/// let flash: FileFlash = FileFlash::create(&path, 64 << 10)?;
/// let mut slots = Slots::mount(flash, 0..64 << 10, vec![0; 16 << 10])?;
/// let saved = slots.save(|out| out.write_all(b"a state"))?;
///
/// let flash: FileFlash = FileFlash::open(&path)?;
/// assert_eq!(Slots::mount(flash, 0..64 << 10, vec![0; 16 << 10])?.latest(), Some(saved));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FileFlash<const WRITE: usize = 1, const ERASE: usize = 4096, D = File> {
    disk: D,
    capacity: usize,
}

/// Why an operation on a [`FileFlash`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileFlashError {
    /// Its user kept to no word or block, or went behind the end.
    #[error("{0}")]
    Rule(NorFlashErrorKind),
    /// The operating system.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl NorFlashError for FileFlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            FileFlashError::Rule(kind) => *kind,
            FileFlashError::Io(_) => NorFlashErrorKind::Other,
        }
    }
}

/// What is below. Tests have one that loses what was not synced.
trait Disk {
    fn len(&mut self) -> io::Result<u64>;
    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()>;
    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes all that was written durable.
    fn sync(&mut self) -> io::Result<()>;
}

impl Disk for File {
    /// A block device has no length but an end.
    fn len(&mut self) -> io::Result<u64> {
        self.seek(SeekFrom::End(0))
    }

    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(at))?;
        self.read_exact(into).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => {
                let words = format!("the file ends before {}, shorter than it was", at + into.len() as u64);
                io::Error::new(ErrorKind::UnexpectedEof, words)
            }
            _ => error,
        })
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(at))?;
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        match self.sync_data() {
            // A file system that has no such operation does what it can.
            Err(error) if has_no_sync(&error) => Ok(()),
            synced => synced,
        }
    }
}

impl<const WRITE: usize, const ERASE: usize> FileFlash<WRITE, ERASE> {
    /// Opens a file or a block device to read and write it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_as(path.as_ref(), true)
    }

    /// Opens a file or a block device to look at: writes and erases fail.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_as(path.as_ref(), false)
    }

    /// Makes a file of `len` bytes, all of them erased. There must be none of that name.
    pub fn create(path: impl AsRef<Path>, len: u32) -> Result<Self, Error> {
        let path = path.as_ref();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|source| Error::io(path, "create it", source))?;
        let erased = fill(&mut file, 0, u64::from(len)).and_then(|()| file.sync());
        if let Err(source) = erased {
            // If it stays, it still is no store.
            let _ = fs::remove_file(path);
            return Err(Error::io(path, "erase it", source));
        }
        sync_folder(&folder_of(path)).map_err(|source| Error::io(path, "make its folder durable", source))?;
        over(file).map_err(|source| Error::io(path, "open", source))
    }

    fn open_as(path: &Path, writable: bool) -> Result<Self, Error> {
        let opened = crate::open_file(path).and_then(|file| match writable {
            true => OpenOptions::new().read(true).write(true).open(path),
            false => Ok(file),
        });
        opened.and_then(over).map_err(|source| Error::io(path, "open", source))
    }
}

fn over<const WRITE: usize, const ERASE: usize, D: Disk>(mut disk: D) -> io::Result<FileFlash<WRITE, ERASE, D>> {
    const { assert!(WRITE > 0 && ERASE > 0, "words and blocks of 0 bytes") };
    let len = u32::try_from(disk.len()?).unwrap_or(u32::MAX) as usize;
    Ok(FileFlash { disk, capacity: len - len % ERASE })
}

/// Writes ones.
fn fill(disk: &mut impl Disk, from: u64, to: u64) -> io::Result<()> {
    let ones = vec![0xff; PIECE.min(to.saturating_sub(from) as usize)];
    let mut at = from;
    while at < to {
        let piece = &ones[..ones.len().min((to - at) as usize)];
        disk.write(at, piece)?;
        at += piece.len() as u64;
    }
    Ok(())
}

impl<const WRITE: usize, const ERASE: usize, D> ErrorType for FileFlash<WRITE, ERASE, D> {
    type Error = FileFlashError;
}

impl<const WRITE: usize, const ERASE: usize, D: Disk> ReadNorFlash for FileFlash<WRITE, ERASE, D> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FileFlashError> {
        check_read(self, offset, bytes.len()).map_err(FileFlashError::Rule)?;
        Ok(self.disk.read(offset.into(), bytes)?)
    }

    fn capacity(&self) -> usize {
        self.capacity
    }
}

impl<const WRITE: usize, const ERASE: usize, D: Disk> NorFlash for FileFlash<WRITE, ERASE, D> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FileFlashError> {
        check_erase(self, from, to).map_err(FileFlashError::Rule)?;
        fill(&mut self.disk, from.into(), to.into())?;
        Ok(self.disk.sync()?)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FileFlashError> {
        check_write(self, offset, bytes.len()).map_err(FileFlashError::Rule)?;
        self.disk.write(offset.into(), bytes)?;
        Ok(self.disk.sync()?)
    }
}
