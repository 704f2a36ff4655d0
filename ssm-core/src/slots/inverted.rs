//! A flash that erases to zeros, seen as one that erases to ones.

use super::device::whole;
use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

/// A flash that erases to zeros (STM32L0, STM32L1), with every bit inverted: so it erases to ones, and
/// [`Slots`](crate::Slots) can be mounted on it.
///
/// What is written is inverted in a buffer first, piece by piece.
#[derive(Debug)]
pub struct InvertedFlash<'b, F> {
    flash: F,
    buffer: &'b mut [u8],
}

impl<'b, F: NorFlash> InvertedFlash<'b, F> {
    /// Inverts `flash`. The buffer has at least one word of the flash; with as many bytes as the buffer of the slots no
    /// write is split. Returns `None` if it is smaller than a word.
    pub fn new(flash: F, buffer: &'b mut [u8]) -> Option<Self> {
        let words = whole(buffer.len(), F::WRITE_SIZE);
        let buffer = buffer.get_mut(..words).filter(|buffer| !buffer.is_empty())?;
        Some(Self { flash, buffer })
    }

    /// The flash.
    pub fn into_inner(self) -> F {
        self.flash
    }
}

impl<F: ErrorType> ErrorType for InvertedFlash<'_, F> {
    type Error = F::Error;
}

impl<F: ReadNorFlash> ReadNorFlash for InvertedFlash<'_, F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        self.flash.read(offset, bytes)?;
        bytes.iter_mut().for_each(|byte| *byte = !*byte);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.flash.capacity()
    }
}

impl<F: NorFlash> NorFlash for InvertedFlash<'_, F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        self.flash.erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        let mut offset = offset;
        for piece in bytes.chunks(self.buffer.len().max(1)) {
            let inverted = self.buffer.get_mut(..piece.len()).unwrap_or_default();
            inverted.iter_mut().zip(piece).for_each(|(inverted, byte)| *inverted = !*byte);
            self.flash.write(offset, inverted)?;
            offset = offset.saturating_add(piece.len() as u32);
        }
        Ok(())
    }
}
