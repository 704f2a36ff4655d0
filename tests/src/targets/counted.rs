//! A medium that ends what does not end by itself.

use embedded_io::{ErrorType, Read, Seek, SeekFrom};

/// Panics when it is read or sought in more often than so many times, and counts the bytes that it gives.
pub struct Counted<M> {
    medium: M,
    calls_left: u64,
    /// Bytes that were read.
    pub read: usize,
}

impl<M> Counted<M> {
    /// At most so many calls.
    pub fn new(medium: M, calls: u64) -> Self {
        Self { medium, calls_left: calls, read: 0 }
    }

    fn call(&mut self) {
        self.calls_left = self.calls_left.checked_sub(1).expect("no end of reads");
    }
}

impl<M: ErrorType> ErrorType for Counted<M> {
    type Error = M::Error;
}

impl<M: Read> Read for Counted<M> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, M::Error> {
        self.call();
        let read = self.medium.read(into)?;
        self.read += read;
        Ok(read)
    }
}

impl<M: Seek> Seek for Counted<M> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, M::Error> {
        self.call();
        self.medium.seek(to)
    }
}
