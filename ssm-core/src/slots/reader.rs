//! The way out of a slot.

use super::device::{Device, fetch, read, whole};
use super::error::FlashError;
use crate::copy::copy;
use core::ops::Range;
use embedded_io::{ErrorType, Read, Seek, SeekFrom};
use embedded_storage::nor_flash::NorFlash;

/// A saved state as a medium for [`Loader`](crate::Loader) and [`Archive`](crate::Archive): the committed bytes of a slot.
/// A read of the flash that fails is made once more.
pub struct SlotReader<'s, F> {
    device: Device<'s, F>,
    content: Range<u32>,
    position: u64,
    /// What the buffer holds; it begins `skipped` bytes behind the buffer's start.
    held: Range<u32>,
    skipped: usize,
}

impl<'s, F: NorFlash> SlotReader<'s, F> {
    pub(super) fn new(device: Device<'s, F>, content: Range<u32>) -> Self {
        Self { device, content, position: 0, held: 0..0, skipped: 0 }
    }

    /// Bytes of the state.
    pub fn len(&self) -> u32 {
        self.content.end.saturating_sub(self.content.start)
    }

    /// Whether the state has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn read_at(&mut self, at: u32, into: &mut [u8]) -> Result<usize, F::Error> {
        let left = self.content.end.saturating_sub(at) as usize;
        let direct = whole(into.len().min(left), F::READ_SIZE);
        if direct >= self.device.buffer.len() && (at as usize).checked_rem(F::READ_SIZE) == Some(0) {
            read(self.device.flash, at, into.get_mut(..direct).unwrap_or_default())?;
            return Ok(direct);
        }
        if !self.held.contains(&at) {
            self.held = 0..0;
            let held = fetch(self.device.flash, self.device.buffer, at, self.content.end)?.len();
            self.held = at..at.saturating_add(held as u32);
            self.skipped = (at as usize).checked_rem(F::READ_SIZE).unwrap_or(0);
        }
        let from = self.skipped.saturating_add(at.saturating_sub(self.held.start) as usize);
        let held = self.device.buffer.get(from..).unwrap_or(&[]);
        Ok(copy(into, held.get(..self.held.end.saturating_sub(at) as usize).unwrap_or(&[])))
    }
}

impl<F: NorFlash> ErrorType for SlotReader<'_, F> {
    type Error = FlashError<F::Error>;
}

impl<F: NorFlash> Read for SlotReader<'_, F> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Self::Error> {
        let at = u32::try_from(self.position).ok().and_then(|ahead| self.content.start.checked_add(ahead));
        match at {
            Some(at) if at < self.content.end && !into.is_empty() => {
                let read = self.read_at(at, into).map_err(FlashError::Flash)?;
                self.position = self.position.saturating_add(read as u64);
                Ok(read)
            }
            _ => Ok(0),
        }
    }
}

impl<F: NorFlash> Seek for SlotReader<'_, F> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, Self::Error> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => u64::from(self.len()).checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = target.ok_or(FlashError::Position)?;
        Ok(self.position)
    }
}
