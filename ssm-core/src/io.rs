//! Loops over embedded-io's traits that never panic and never spin, and a medium in memory.

use crate::copy::copy;
use embedded_io::{Error as _, ErrorKind, ErrorType, Read, Seek, SeekFrom, Write};

/// Reads until `into` is full or the medium ends; the number of bytes read.
pub(crate) fn read_full<R: Read>(input: &mut R, into: &mut [u8]) -> Result<usize, R::Error> {
    let mut filled = 0;
    while let Some(rest) = into.get_mut(filled..)
        && !rest.is_empty()
    {
        match input.read(rest) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled.min(into.len()))
}

/// Something failed, and what it was is kept beside the medium: errors are large, and this is nothing.
#[derive(Debug)]
pub struct Stop;

/// Why bytes could not be written.
#[derive(Debug)]
pub(crate) enum WriteFull<E> {
    /// The medium failed.
    Io(E),
    /// The medium takes no more: `write` returned 0, or said so.
    Full,
}

/// Writes all of `bytes` and moves `position` by how many were written.
/// (`embedded_io::Write::write_all` panics when the medium returns 0.)
pub(crate) fn write_full<W: Write>(
    out: &mut W,
    mut bytes: &[u8],
    position: &mut u64,
) -> Result<(), WriteFull<W::Error>> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(WriteFull::Full),
            Ok(written) => {
                bytes = bytes.get(written..).unwrap_or(&[]);
                *position = position.wrapping_add(written as u64);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WriteZero => return Err(WriteFull::Full),
            Err(error) => return Err(WriteFull::Io(error)),
        }
    }
    Ok(())
}

/// A medium in memory: any storage of bytes with a position and a length, like a file.
///
/// Writing to a full storage fails with [`ErrorKind::WriteZero`], which a save reports as
/// [`SaveError::Full`](crate::SaveError::Full).
///
/// ```
/// use embedded_io::{Read, Seek, Write};
/// let mut medium = ssm_core::Memory::new([0u8; 8]);
/// assert_eq!(medium.write(b"state"), Ok(5));
/// medium.rewind().unwrap();
/// let mut byte = [0];
/// assert_eq!(medium.read(&mut byte), Ok(1));
/// assert_eq!((byte, medium.bytes()), (*b"s", &b"state"[..]));
/// # medium.seek(embedded_io::SeekFrom::End(0)).unwrap();
/// # assert_eq!((medium.write(b"four"), medium.write(&[])), (Ok(3), Ok(0)));
/// # assert_eq!(medium.write(b"r"), Err(embedded_io::ErrorKind::WriteZero));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Memory<B> {
    storage: B,
    len: usize,
    position: u64,
}

impl<B: AsRef<[u8]>> Memory<B> {
    /// An empty medium over `storage`, to save to; its size is the capacity. Bytes that are there already are read with
    /// [`holding`](Self::holding).
    pub const fn new(storage: B) -> Self {
        Self { storage, len: 0, position: 0 }
    }

    /// A medium that holds `contents`, at position 0.
    pub fn holding(contents: B) -> Self {
        let len = contents.as_ref().len();
        Self { storage: contents, len, position: 0 }
    }

    /// The bytes written so far.
    pub fn bytes(&self) -> &[u8] {
        self.storage.as_ref().get(..self.len).unwrap_or(&[])
    }

    /// The storage.
    pub fn into_inner(self) -> B {
        self.storage
    }
}

impl<B> ErrorType for Memory<B> {
    type Error = ErrorKind;
}

impl<B: AsRef<[u8]>> Read for Memory<B> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        let at = usize::try_from(self.position).unwrap_or(usize::MAX);
        let rest = self.bytes().get(at..).unwrap_or(&[]);
        let read = copy(into, rest);
        self.position = self.position.saturating_add(read as u64);
        Ok(read)
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Write for Memory<B> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let at = usize::try_from(self.position).unwrap_or(usize::MAX);
        let room = self.storage.as_mut().get_mut(at..).unwrap_or_default();
        let written = copy(room, bytes);
        if written == 0 && !bytes.is_empty() {
            return Err(ErrorKind::WriteZero);
        }
        let end = at.saturating_add(written);
        self.len = self.len.max(end);
        self.position = end as u64;
        Ok(written)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl<B> Seek for Memory<B> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, ErrorKind> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => (self.len as u64).checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = target.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
