//! A file of the host as a medium: semihosting's file behind the traits of embedded-io.

use core::ffi::CStr;
use core::fmt;
use embedded_io::{ErrorType, Read, Seek, SeekFrom, Write};
use semihosting::fs;
use semihosting::io::{self, Read as _, Seek as _, Write as _};

/// An open file on the host.
pub struct File(fs::File);

impl File {
    /// Opens a file to read.
    pub fn open(path: &CStr) -> Result<Self, Error> {
        fs::File::open(path).map(Self).map_err(Error)
    }

    /// Opens an empty file to write.
    pub fn create(path: &CStr) -> Result<Self, Error> {
        fs::File::create(path).map(Self).map_err(Error)
    }
}

/// What the host said.
#[derive(Debug)]
pub struct Error(io::Error);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the host's file: {:?}", self.0)
    }
}

impl core::error::Error for Error {}

impl embedded_io::Error for Error {
    fn kind(&self) -> embedded_io::ErrorKind {
        match self.0.kind() {
            io::ErrorKind::Interrupted => embedded_io::ErrorKind::Interrupted,
            _ => embedded_io::ErrorKind::Other,
        }
    }
}

impl ErrorType for File {
    type Error = Error;
}

impl Read for File {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        self.0.read(into).map_err(Error)
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        self.0.write(bytes).map_err(Error)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.0.flush().map_err(Error)
    }
}

/// Semihosting seeks from the start and the end only, and nothing here needs more.
impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, Error> {
        let to = match to {
            SeekFrom::Start(at) => io::SeekFrom::Start(at),
            SeekFrom::End(by) => io::SeekFrom::End(by),
            SeekFrom::Current(_) => return Err(Error(io::ErrorKind::Unsupported.into())),
        };
        self.0.seek(to).map_err(Error)
    }
}
