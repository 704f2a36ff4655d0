//! The flash behind the one buffer: reads of any position and length, whatever the flash reads at once.

use super::record::RECORD_LEN;
use crate::copy::copy;
use crate::crc32::Crc32;
use core::ops::Range;
use embedded_storage::nor_flash::NorFlash;

/// A flash and the buffer through which it is read and written.
#[derive(Debug)]
pub(super) struct Device<'d, F> {
    pub flash: &'d mut F,
    pub buffer: &'d mut [u8],
}

/// Reads, and once more if that fails: a bus may fail once.
pub(super) fn read<F: NorFlash>(flash: &mut F, at: u32, into: &mut [u8]) -> Result<(), F::Error> {
    flash.read(at, into).or_else(|_| flash.read(at, into))
}

/// The bytes at `at` and behind it, up to `end` at most, at least one if `at` is before `end`.
///
/// What is read lies on the grid of the flash, and so begins a little before `at` and reaches a little over `end`.
pub(super) fn fetch<'b, F: NorFlash>(
    flash: &mut F,
    buffer: &'b mut [u8],
    at: u32,
    end: u32,
) -> Result<&'b [u8], F::Error> {
    let ahead = (at as usize).checked_rem(F::READ_SIZE).unwrap_or(0);
    let wanted = ahead.saturating_add(end.saturating_sub(at) as usize);
    let needed = wanted.checked_next_multiple_of(F::READ_SIZE).unwrap_or(0);
    let len = needed.min(whole(buffer.len(), F::READ_SIZE));
    let buffer = buffer.get_mut(..len).unwrap_or_default();
    read(flash, at.saturating_sub(ahead as u32), buffer)?;
    Ok(buffer.get(ahead..len.min(wanted)).unwrap_or(&[]))
}

/// The largest multiple of `unit` that is not above `len`.
pub(super) fn whole(len: usize, unit: usize) -> usize {
    len.saturating_sub(len.checked_rem(unit).unwrap_or(len))
}

impl<F: NorFlash> Device<'_, F> {
    /// Gives all bytes of `range` to `each`, piece by piece, with their position, until it says `false`. The error comes
    /// with the position of the piece that cannot be read.
    fn read(&mut self, range: Range<u32>, each: &mut dyn FnMut(u32, &[u8]) -> bool) -> Result<(), (u32, F::Error)> {
        let mut at = range.start;
        while at < range.end {
            let piece = fetch(self.flash, self.buffer, at, range.end).map_err(|error| (at, error))?;
            if piece.is_empty() || !each(at, piece) {
                break;
            }
            at = at.saturating_add(piece.len() as u32);
        }
        Ok(())
    }

    pub fn crc(&mut self, range: Range<u32>, crc: &mut impl Crc32) -> Result<u32, F::Error> {
        let mut value = 0;
        let read = self.read(range, &mut |_, piece| {
            value = crc.update(value, piece);
            true
        });
        read.map(|()| value).map_err(|(_, error)| error)
    }

    /// The first byte that is not `byte`.
    pub fn other_than(&mut self, byte: u8, range: Range<u32>) -> Result<Option<u32>, F::Error> {
        let mut found = None;
        let read = self.read(range, &mut |at, piece| {
            found = piece.iter().position(|other| *other != byte).map(|ahead| at.saturating_add(ahead as u32));
            found.is_none()
        });
        read.map(|()| found).map_err(|(_, error)| error)
    }

    /// Writes `bytes` at a word, filled up with ones to whole words. They must fit into the buffer.
    pub fn write_padded(&mut self, at: u32, bytes: &[u8]) -> Result<(), F::Error> {
        let copied = copy(self.buffer, bytes);
        self.write_buffer(at, copied)
    }

    /// Writes the first `filled` bytes of the buffer in the same way.
    pub fn write_buffer(&mut self, at: u32, filled: usize) -> Result<(), F::Error> {
        let len = filled.checked_next_multiple_of(F::WRITE_SIZE).unwrap_or(0);
        let words = self.buffer.get_mut(..len).unwrap_or_default();
        words.get_mut(filled..).unwrap_or_default().fill(0xff);
        if words.is_empty() { Ok(()) } else { self.flash.write(at, words) }
    }

    /// The bytes of a record. The error comes with a position.
    pub fn record(&mut self, at: u32) -> Result<[u8; RECORD_LEN], (u32, F::Error)> {
        let mut bytes = [0; RECORD_LEN];
        let mut rest = &mut bytes[..];
        self.read(at..at.saturating_add(RECORD_LEN as u32), &mut |_, piece| {
            let copied = copy(rest, piece);
            rest = core::mem::take(&mut rest).get_mut(copied..).unwrap_or_default();
            true
        })?;
        Ok(bytes)
    }
}
