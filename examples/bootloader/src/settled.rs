//! A flash that is done when it says so, also in QEMU.
//!
//! A chip is busy until a write or an erase has happened, and a driver waits for that. QEMU's model of the chip is never busy:
//! it changes its own memory, leaves the image file to a thread of its own and reports success. When QEMU is killed, what
//! that thread had not come to is lost, as in a chip that lies about its writes; no software behind such a chip can keep a
//! promise. So this looks into the image file (semihosting can), until the file has what the chip has.

use core::ffi::CStr;
use semihosting::fs::File;
use semihosting::io::{Read, Seek, SeekFrom};
use ssm_core::embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};

/// The image of the flash, in the folder where QEMU was started.
const IMAGE: &CStr = c"flash.bin";
/// How often the file is read before it counts as forgotten: seconds.
const PATIENCE: u32 = 1_000_000;
/// Bytes that are compared at once.
const PIECE: usize = 256;

/// The flash `F`, whose image is [`IMAGE`].
pub struct Settled<F> {
    flash: F,
    image: File,
}

/// Why the flash did not do what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error<E> {
    /// The flash itself.
    Flash(E),
    /// The image cannot be read, or never gets what was written.
    Image,
}

impl<F: NorFlash> Settled<F> {
    pub fn new(flash: F) -> Result<Self, Error<F::Error>> {
        File::open(IMAGE).map(|image| Self { flash, image }).map_err(|_| Error::Image)
    }

    fn settle(&mut self, from: u32, to: u32) -> Result<(), Error<F::Error>> {
        let mut wanted = [0; PIECE];
        for at in (from..to).step_by(PIECE) {
            let wanted = &mut wanted[..PIECE.min((to - at) as usize)];
            self.flash.read(at, wanted).map_err(Error::Flash)?;
            self.wait(at, wanted)?;
        }
        Ok(())
    }

    fn wait(&mut self, at: u32, wanted: &[u8]) -> Result<(), Error<F::Error>> {
        let mut found = [0; PIECE];
        let found = &mut found[..wanted.len()];
        for _ in 0..PATIENCE {
            let read = self.image.seek(SeekFrom::Start(at.into())).and_then(|_| self.image.read_exact(found));
            read.map_err(|_| Error::Image)?;
            if found == wanted {
                return Ok(());
            }
        }
        Err(Error::Image)
    }
}

impl<E: NorFlashError> NorFlashError for Error<E> {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Flash(error) => error.kind(),
            Self::Image => NorFlashErrorKind::Other,
        }
    }
}

impl<F: ErrorType> ErrorType for Settled<F> {
    type Error = Error<F::Error>;
}

impl<F: NorFlash> ReadNorFlash for Settled<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.flash.read(offset, bytes).map_err(Error::Flash)
    }

    fn capacity(&self) -> usize {
        self.flash.capacity()
    }
}

impl<F: NorFlash> NorFlash for Settled<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.flash.erase(from, to).map_err(Error::Flash)?;
        self.settle(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.flash.write(offset, bytes).map_err(Error::Flash)?;
        self.settle(offset, offset + bytes.len() as u32)
    }
}
