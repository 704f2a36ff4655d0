//! Saved states on NOR flash, in two or more slots: the power may go at any time (SLOTS.md).

mod device;
mod error;
mod layout;
mod reader;
mod record;
mod saved;
mod writer;

pub use error::{CommitError, EraseError, FlashError, MountError, ReadError, RollbackError};
pub use reader::SlotReader;
pub use record::CommitRecord;
pub use saved::Saved;
pub use writer::SlotWriter;

use crate::crc32::{Crc32, Crc32Bytewise};
use core::ops::Range;
use device::{Device, whole};
use embedded_storage::nor_flash::NorFlash;
use layout::{Area, Layout, Refused};

/// Slots of equal size on a range of a flash, each with room for one saved state; the newest that is whole counts.
///
/// A save goes to the slot behind the latest, so the latest stays as it is until the new one is committed. The page
/// [`nor_flash`](crate::nor_flash) has the layout, the rules that are kept, and what a power cut leaves at each point.
///
/// `B` is the buffer of one page through which everything is read and written, `[u8; 256]` or `&mut [u8]`: at least what
/// the flash reads or writes at once, better one page of it. What the latest state is and which slot was erased is
/// all that is kept besides.
#[derive(Debug)]
pub struct Slots<F, B, C = Crc32Bytewise> {
    device: Device<F, B>,
    crc: C,
    layout: Layout,
    latest: Option<Saved>,
    /// The highest generation that any commit record has.
    highest: u64,
    /// Whether the slot for the next save was erased since the mount, and not written since.
    erased: bool,
}

impl<F: NorFlash, B: AsMut<[u8]>> Slots<F, B> {
    /// Finds the latest state in two slots, each one half of `range` (bytes from the start of the flash).
    pub fn mount(flash: F, range: Range<u32>, buffer: B) -> Result<Self, MountError<F::Error>> {
        Self::mount_with(flash, range, 2, buffer, Crc32Bytewise)
    }
}

impl<F: NorFlash, B: AsMut<[u8]>, C: Crc32> Slots<F, B, C> {
    /// The same with `count` slots, 2 to 255, and another way to compute CRC-32. What does not divide evenly by `count`
    /// and the erase size is left unused at the end of the range.
    ///
    /// Reads the commit records and the content of the latest state, and nothing is written. For each state that is newer
    /// and damaged these reads are made once more.
    pub fn mount_with(
        flash: F,
        range: Range<u32>,
        count: u8,
        mut buffer: B,
        crc: C,
    ) -> Result<Self, MountError<F::Error>> {
        let layout = Layout::split(&flash, range, count).map_err(|refused| match refused {
            Refused::Geometry => MountError::Geometry,
            Refused::Range => MountError::Range,
            Refused::TooSmall => MountError::TooSmall,
        })?;
        let needed = F::READ_SIZE.max(F::WRITE_SIZE);
        if buffer.as_mut().len() < needed {
            return Err(MountError::Buffer { needed });
        }
        let device = Device { flash, buffer };
        let mut slots = Self { device, crc, layout, latest: None, highest: 0, erased: false };
        slots.latest = slots.newest_sound(None).map_err(MountError::Flash)?;
        Ok(slots)
    }

    /// The latest state. It was whole when it was found or saved.
    pub fn latest(&self) -> Option<Saved> {
        self.latest
    }

    /// The state before the latest, while its slot was not erased and it is whole; what [`rollback`](Self::rollback)
    /// goes back to. Reads all of it.
    pub fn previous(&mut self) -> Result<Option<Saved>, F::Error> {
        match self.latest {
            Some(latest) => self.newest_sound(Some(latest)),
            None => Ok(None),
        }
    }

    /// What the commit record of this slot says, if it is valid. Whether the content is whole is told by
    /// [`is_whole`](Self::is_whole).
    pub fn slot(&mut self, slot: u8) -> Result<Option<Saved>, F::Error> {
        let area = self.area(slot);
        if slot >= self.layout.count {
            return Ok(None);
        }
        let Some(CommitRecord { slot_len, generation, len, crc }) = self.device.record(area.record, &mut self.crc)?
        else {
            return Ok(None);
        };
        let fits = slot_len == self.layout.slot_len && len <= self.layout.capacity;
        Ok(fits.then_some(Saved { slot, generation, len, crc }))
    }

    /// Whether the state is still there and its content has the CRC-32 that it was committed with. Reads all of it.
    pub fn is_whole(&mut self, saved: &Saved) -> Result<bool, F::Error> {
        Ok(self.slot(saved.slot)? == Some(*saved) && self.is_sound(saved)?)
    }

    /// The bytes of a state, for a [`Loader`](crate::Loader) or [`Archive`](crate::Archive).
    pub fn read(&mut self, saved: &Saved) -> Result<SlotReader<'_, F>, ReadError<F::Error>> {
        if self.slot(saved.slot).map_err(ReadError::Flash)? != Some(*saved) {
            return Err(ReadError::Gone);
        }
        let content = self.content(saved);
        Ok(SlotReader::new(&mut self.device.flash, self.device.buffer.as_mut(), content))
    }

    /// How many slots there are.
    pub fn count(&self) -> u8 {
        self.layout.count
    }

    /// Bytes that a state may have.
    pub fn capacity(&self) -> u32 {
        self.layout.capacity
    }

    /// The flash.
    pub fn into_inner(self) -> F {
        self.device.flash
    }

    /// Erases the slot for the next save, so that the save itself erases nothing. Does nothing where that was done since
    /// the mount. With two slots the state before the latest is gone then.
    pub fn prepare(&mut self) -> Result<(), EraseError<F::Error>> {
        if !self.erased {
            self.erase(self.next())?;
            self.erased = true;
        }
        Ok(())
    }

    /// Saves what `state` writes, as a new generation; erases first unless [prepared](Self::prepare).
    ///
    /// The content is read back before the commit record is written, and the record after it. If anything fails, `state`
    /// included, the state before stays the latest.
    pub fn save<T, S>(
        &mut self,
        state: impl FnOnce(&mut SlotWriter<'_, F, B, C>) -> Result<T, S>,
    ) -> Result<Saved, CommitError<F::Error, S>> {
        let generation = self.highest.checked_add(1).ok_or(CommitError::Generations)?;
        self.prepare()?;
        let slot = self.next();
        let area = self.area(slot);
        let (device, erased) = (&mut self.device, &mut self.erased);
        let mut writer = SlotWriter::new(device, &mut self.crc, erased, area.record, area.content);
        state(&mut writer).map_err(CommitError::Save)?;
        let written = writer.finish().map_err(CommitError::Flash)?;
        let (len, crc) = written.ok_or(CommitError::Incomplete)?;
        let saved = Saved { slot, generation, len, crc };
        if !self.is_sound(&saved).map_err(CommitError::Flash)? {
            return Err(CommitError::Mismatch);
        }
        self.erased = false;
        self.commit(&saved, area.record).map_err(CommitError::Flash)?;
        if self.slot(slot).map_err(CommitError::Flash)? != Some(saved) {
            return Err(CommitError::Mismatch);
        }
        (self.latest, self.highest) = (Some(saved), generation);
        Ok(saved)
    }

    /// The same for a state of `len` bytes or fewer, which is refused before anything is erased if it cannot fit.
    pub fn save_sized<T, S>(
        &mut self,
        len: u64,
        state: impl FnOnce(&mut SlotWriter<'_, F, B, C>) -> Result<T, S>,
    ) -> Result<Saved, CommitError<F::Error, S>> {
        let capacity = self.capacity();
        if len > u64::from(capacity) {
            return Err(CommitError::TooLarge { capacity });
        }
        self.save(state)
    }

    /// Goes back to the state before the latest, which is checked first, by erasing the latest; that is gone for good.
    ///
    /// After a power cut the next mount finds one or the other.
    pub fn rollback(&mut self) -> Result<Saved, RollbackError<F::Error>> {
        let latest = self.latest.ok_or(RollbackError::NoPrevious)?;
        let previous = self.newest_sound(Some(latest)).map_err(RollbackError::Flash)?;
        let previous = previous.ok_or(RollbackError::NoPrevious)?;
        // From here on the latest may be damaged, so the next save must not go to the slot of the one before.
        self.latest = Some(previous);
        self.erased = false;
        self.erase(latest.slot)?;
        self.erased = self.next() == latest.slot;
        Ok(previous)
    }

    /// Erases all slots, that of the latest state last: after a power cut the next mount finds that state or none.
    pub fn erase_all(&mut self) -> Result<(), EraseError<F::Error>> {
        let mut slot = self.next();
        self.erased = false;
        for _ in 1..self.layout.count {
            self.erase(slot)?;
            slot = self.layout.after(slot);
        }
        self.latest = None;
        self.erase(slot)?;
        (self.highest, self.erased) = (0, true);
        Ok(())
    }

    /// The slot of the next save: never that of the latest state.
    fn next(&self) -> u8 {
        self.latest.map_or(0, |latest| self.layout.after(latest.slot))
    }

    fn area(&self, slot: u8) -> Area {
        self.layout.slot::<F>(slot)
    }

    fn content(&self, saved: &Saved) -> Range<u32> {
        let content = self.area(saved.slot).content;
        content.start..content.start.saturating_add(saved.len).min(content.end)
    }

    /// Erases a slot and reads all of it: only what is seen to be blank is written.
    fn erase(&mut self, slot: u8) -> Result<(), EraseError<F::Error>> {
        let area = self.area(slot);
        self.device.flash.erase(area.blocks.start, area.blocks.end).map_err(EraseError::Flash)?;
        match self.device.not_blank(area.words()).map_err(EraseError::Flash)? {
            None => Ok(()),
            Some(offset) => Err(EraseError::NotErased { offset }),
        }
    }

    fn commit(&mut self, saved: &Saved, at: u32) -> Result<(), F::Error> {
        let record = CommitRecord {
            slot_len: self.layout.slot_len,
            generation: saved.generation,
            len: saved.len,
            crc: saved.crc,
        };
        let record = record.to_bytes(&mut self.crc);
        let words = whole(self.device.buffer.as_mut().len(), F::WRITE_SIZE);
        let mut at = at;
        for piece in record.chunks(words.max(1)) {
            self.device.write_padded(at, piece)?;
            at = at.saturating_add(words as u32);
        }
        Ok(())
    }

    fn is_sound(&mut self, saved: &Saved) -> Result<bool, F::Error> {
        let content = self.content(saved);
        Ok(self.device.crc(content, &mut self.crc)? == saved.crc)
    }

    /// The state with the highest generation, of those before `before`.
    fn newest(&mut self, before: Option<Saved>) -> Result<Option<Saved>, F::Error> {
        let mut newest: Option<Saved> = None;
        for slot in 0..self.layout.count {
            if let Some(saved) = self.slot(slot)?
                && before.is_none_or(|before| saved.age() < before.age())
                && newest.is_none_or(|newest| saved.age() > newest.age())
            {
                newest = Some(saved);
            }
        }
        Ok(newest)
    }

    /// The same, of those whose content is whole.
    fn newest_sound(&mut self, mut before: Option<Saved>) -> Result<Option<Saved>, F::Error> {
        while let Some(saved) = self.newest(before)? {
            self.highest = self.highest.max(saved.generation);
            if self.is_sound(&saved)? {
                return Ok(Some(saved));
            }
            before = Some(saved);
        }
        Ok(None)
    }
}
