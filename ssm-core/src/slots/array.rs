//! The slots as they are on the flash: what each holds, and how one is erased and committed. Which of them counts is not
//! known here.
//!
//! Nothing is given up after one reading: what does not read as it should is read a second time.

use super::device::{Device, whole};
use super::error::SlotFault;
use super::layout::{Area, Layout};
use super::record::{CommitRecord, RECORD_LEN};
use super::saved::Saved;
use crate::crc32::Crc32;
use core::ops::Range;
use embedded_storage::nor_flash::NorFlash;

#[derive(Debug)]
pub(super) struct SlotArray<'b, F, C> {
    pub flash: F,
    pub buffer: &'b mut [u8],
    pub crc: C,
    pub layout: Layout,
}

/// What stands where the commit record of a slot belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A state of these slots.
    State(Saved),
    /// No record, but it might be one that was cut off.
    Torn,
    /// Zeros.
    Zeros,
    /// Anything else: nothing, noise, a record of another split.
    Other,
}

/// Reads a second time what is not there at the first.
fn twice<T, E>(mut read: impl FnMut() -> Result<Option<T>, E>) -> Result<Option<T>, E> {
    match read() {
        Ok(None) => read(),
        read => read,
    }
}

impl<F: NorFlash, C: Crc32> SlotArray<'_, F, C> {
    pub fn device(&mut self) -> Device<'_, F> {
        Device { flash: &mut self.flash, buffer: self.buffer }
    }

    pub fn area(&self, slot: u8) -> Area {
        self.layout.slot::<F>(slot)
    }

    pub fn content(&self, saved: &Saved) -> Range<u32> {
        let content = self.area(saved.slot).content;
        content.start..content.start.saturating_add(saved.len).min(content.end)
    }

    /// What the commit record of a slot says. The error comes with a position.
    pub fn record(&mut self, slot: u8) -> Result<Record, (u32, F::Error)> {
        if slot >= self.layout.count {
            return Ok(Record::Other);
        }
        let at = self.area(slot).record;
        let mut other = Record::Other;
        let state = twice(|| {
            let bytes = self.device().record(at)?;
            other = self.classify(slot, &bytes);
            Ok(Some(other).filter(|record| matches!(record, Record::State(_))))
        })?;
        Ok(state.unwrap_or(other))
    }

    fn classify(&mut self, slot: u8, bytes: &[u8; RECORD_LEN]) -> Record {
        match CommitRecord::parse(bytes, &mut self.crc) {
            Some(CommitRecord { slot_len, generation, len, crc })
                if slot_len == self.layout.slot_len && len <= self.layout.capacity =>
            {
                Record::State(Saved { slot, generation, len, crc })
            }
            Some(_) => Record::Other,
            None if bytes.iter().all(|byte| *byte == 0) => Record::Zeros,
            None if CommitRecord::may_be_torn(bytes) => Record::Torn,
            None => Record::Other,
        }
    }

    /// The state that the commit record of a slot tells of.
    pub fn state(&mut self, slot: u8) -> Option<Saved> {
        match self.record(slot) {
            Ok(Record::State(saved)) => Some(saved),
            _ => None,
        }
    }

    /// Whether the commit record still is that of this state.
    pub fn holds(&mut self, saved: &Saved) -> Result<bool, F::Error> {
        self.record(saved.slot).map(|record| record == Record::State(*saved)).map_err(|(_, error)| error)
    }

    /// Whether the content is what the commit record says.
    pub fn has_content(&mut self, saved: &Saved) -> Result<bool, F::Error> {
        let content = self.content(saved);
        let same = twice(|| {
            let mut device = Device { flash: &mut self.flash, buffer: self.buffer };
            Ok((device.crc(content.clone(), &mut self.crc)? == saved.crc).then_some(()))
        });
        same.map(|same| same.is_some())
    }

    /// Whether the state is there, all of it.
    pub fn is_whole(&mut self, saved: &Saved) -> bool {
        self.state(saved.slot) == Some(*saved) && self.has_content(saved).unwrap_or(false)
    }

    /// The state with the highest generation, of those before `before`.
    pub fn newest(&mut self, before: Option<Saved>) -> Option<Saved> {
        let mut newest: Option<Saved> = None;
        for slot in 0..self.layout.count {
            if let Some(saved) = self.state(slot)
                && before.is_none_or(|before| saved.age() < before.age())
                && newest.is_none_or(|newest| saved.age() > newest.age())
            {
                newest = Some(saved);
            }
        }
        newest
    }

    /// The same, of those whose content is whole.
    pub fn newest_whole(&mut self, mut before: Option<Saved>) -> Option<Saved> {
        while let Some(saved) = self.newest(before) {
            if self.has_content(&saved).unwrap_or(false) {
                return Some(saved);
            }
            before = Some(saved);
        }
        None
    }

    /// The first commit record that is not of these slots, and its position: at the start of any block, as slots of
    /// every split begin there.
    pub fn other_split(&mut self) -> Option<(u32, CommitRecord)> {
        let erase = u32::try_from(F::ERASE_SIZE).ok()?;
        let mut block = self.layout.range.start;
        while block < self.layout.range.end {
            if let Some(at) = self.layout.record::<F>(block)
                && let Ok(Some(record)) = twice(|| self.foreign(at))
                && !(record.slot_len == self.layout.slot_len && self.layout.is_slot(block))
            {
                return Some((at, record));
            }
            block = block.checked_add(erase)?;
        }
        None
    }

    fn foreign(&mut self, at: u32) -> Result<Option<CommitRecord>, (u32, F::Error)> {
        let bytes = self.device().record(at)?;
        Ok(CommitRecord::parse(&bytes, &mut self.crc))
    }

    /// Erases a slot and reads all of it: only what is seen to be blank is written.
    pub fn erase(&mut self, slot: u8) -> Result<(), SlotFault<F::Error>> {
        let blocks = self.area(slot).blocks;
        self.flash.erase(blocks.start, blocks.end).map_err(SlotFault::Flash)?;
        let mut offset = 0;
        let blank = twice(|| match self.other_than(0xff, slot)? {
            None => Ok(Some(())),
            Some(at) => {
                offset = at;
                Ok(None)
            }
        });
        match blank.map_err(SlotFault::Flash)? {
            Some(()) => Ok(()),
            None => Err(SlotFault::NotErased { offset }),
        }
    }

    /// The position of the first byte of a slot that is not `byte`.
    pub fn other_than(&mut self, byte: u8, slot: u8) -> Result<Option<u32>, F::Error> {
        let words = self.area(slot).words();
        self.device().other_than(byte, words)
    }

    /// Writes the commit record.
    pub fn commit(&mut self, saved: &Saved) -> Result<(), F::Error> {
        let record = CommitRecord {
            slot_len: self.layout.slot_len,
            generation: saved.generation,
            len: saved.len,
            crc: saved.crc,
        };
        let record = record.to_bytes(&mut self.crc);
        let words = whole(self.buffer.len(), F::WRITE_SIZE);
        let mut at = self.area(saved.slot).record;
        for piece in record.chunks(words.max(1)) {
            self.device().write_padded(at, piece)?;
            at = at.saturating_add(words as u32);
        }
        Ok(())
    }
}
