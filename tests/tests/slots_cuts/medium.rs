//! The flash as the slots see it.

use super::sweep::Kind;
use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use ssm_core::InvertedFlash;
use ssm_tests::flash::{ErasesToZeros, Fault, Flash};

/// A flash of any kind.
pub enum Medium<'f, const R: usize, const W: usize, const E: usize> {
    Plain(&'f mut Flash<R, W, E>),
    Inverted(InvertedFlash<'f, ErasesToZeros<&'f mut Flash<R, W, E>>>),
}

impl<'f, const R: usize, const W: usize, const E: usize> Medium<'f, R, W, E> {
    pub fn of(flash: &'f mut Flash<R, W, E>, kind: Kind, buffer: &'f mut [u8]) -> Self {
        match kind {
            Kind::Inverted => Self::Inverted(InvertedFlash::new(ErasesToZeros(flash), buffer).expect("a word")),
            Kind::Plain | Kind::Ecc => Self::Plain(flash),
        }
    }
}

impl<const R: usize, const W: usize, const E: usize> ErrorType for Medium<'_, R, W, E> {
    type Error = Fault;
}

impl<const R: usize, const W: usize, const E: usize> ReadNorFlash for Medium<'_, R, W, E> {
    const READ_SIZE: usize = R;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        match self {
            Self::Plain(flash) => flash.read(offset, bytes),
            Self::Inverted(flash) => flash.read(offset, bytes),
        }
    }

    fn capacity(&self) -> usize {
        match self {
            Self::Plain(flash) => flash.capacity(),
            Self::Inverted(flash) => flash.capacity(),
        }
    }
}

impl<const R: usize, const W: usize, const E: usize> NorFlash for Medium<'_, R, W, E> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        match self {
            Self::Plain(flash) => flash.erase(from, to),
            Self::Inverted(flash) => flash.erase(from, to),
        }
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
        match self {
            Self::Plain(flash) => flash.write(offset, bytes),
            Self::Inverted(flash) => flash.write(offset, bytes),
        }
    }
}
