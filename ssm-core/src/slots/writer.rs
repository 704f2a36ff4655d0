//! The way into a slot: whole words, each once, in order.

use super::device::{Device, whole};
use super::error::FlashError;
use crate::copy::copy;
use crate::crc32::Crc32;
use core::ops::Range;
use embedded_io::{ErrorType, Write};
use embedded_storage::nor_flash::NorFlash;

/// Writes the content of a slot, for the closure of [`Slots::save`](crate::Slots::save).
///
/// Bytes collect in the buffer and go to the flash when it is full, so a flush does nothing: they count only once the
/// save is committed. When the slot is full a write fails with [`FlashError::Full`]. When the flash fails to write, this
/// and every later write fails with [`FlashError::Worn`]; what the flash said is told by the save.
pub struct SlotWriter<'s, F: NorFlash, C> {
    device: Device<'s, F>,
    crc: &'s mut C,
    /// Which slot is as the erase left it; unset by the first write, even by one that fails.
    erased: &'s mut Option<u8>,
    words: Range<u32>,
    /// Where the buffer goes.
    at: u32,
    filled: usize,
    value: u32,
    len: u32,
    full: bool,
    fault: Option<F::Error>,
}

impl<'s, F: NorFlash, C: Crc32> SlotWriter<'s, F, C> {
    pub(super) fn new(
        device: Device<'s, F>,
        crc: &'s mut C,
        erased: &'s mut Option<u8>,
        start: u32,
        words: Range<u32>,
    ) -> Self {
        // Pages are counted from the start of the slot, so the first piece is shorter where the words begin behind it.
        let at = words.start;
        let words = start..words.end;
        Self { device, crc, erased, words, at, filled: 0, value: 0, len: 0, full: false, fault: None }
    }

    /// Bytes that the buffer takes before it is written: up to the end of a page or of the slot.
    fn room(&self) -> usize {
        let page = whole(self.device.buffer.len(), F::WRITE_SIZE);
        let ahead = (self.at.saturating_sub(self.words.start) as usize).checked_rem(page).unwrap_or(0);
        page.saturating_sub(ahead).min(self.words.end.saturating_sub(self.at) as usize)
    }

    fn write_buffer(&mut self) {
        // Whatever comes of it, these words were written.
        *self.erased = None;
        let (at, filled) = (self.at, core::mem::take(&mut self.filled));
        self.at = at.saturating_add(filled as u32);
        self.fault = self.device.write_buffer(at, filled).err();
    }

    /// What the flash said if it failed to write.
    pub(super) fn fault(&mut self) -> Option<F::Error> {
        self.fault.take()
    }

    /// Writes what is left in the buffer. The length and the CRC-32 of all, unless there was no room for it.
    pub(super) fn finish(mut self) -> Result<Option<(u32, u32)>, F::Error> {
        if self.filled > 0 {
            self.write_buffer();
        }
        match self.fault {
            Some(error) => Err(error),
            None => Ok((!self.full).then_some((self.len, self.value))),
        }
    }

    /// Takes as many bytes as the buffer has room for, and writes it when it is full.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let room = self.room();
        let taken = copy(self.device.buffer.get_mut(self.filled..room).unwrap_or_default(), bytes);
        self.value = self.crc.update(self.value, bytes.get(..taken).unwrap_or(&[]));
        self.filled = self.filled.saturating_add(taken);
        self.len = self.len.saturating_add(taken as u32);
        if taken > 0 && self.filled == room {
            self.write_buffer();
        }
        taken
    }
}

impl<F: NorFlash, C> ErrorType for SlotWriter<'_, F, C> {
    type Error = FlashError<F::Error>;
}

impl<F: NorFlash, C: Crc32> Write for SlotWriter<'_, F, C> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        let mut rest = bytes;
        while !self.full && self.fault.is_none() && !rest.is_empty() {
            match self.take(rest) {
                0 if rest.len() < bytes.len() => break,
                0 => self.full = true,
                taken => rest = rest.get(taken..).unwrap_or(&[]),
            }
        }
        match bytes.len().saturating_sub(rest.len()) {
            _ if self.fault.is_some() => Err(FlashError::Worn),
            0 if !bytes.is_empty() => Err(FlashError::Full),
            taken => Ok(taken),
        }
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}
