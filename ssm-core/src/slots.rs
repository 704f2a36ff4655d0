//! Saved states on NOR flash, in two or more slots: the power may go at any time (SLOTS.md).

mod array;
mod device;
mod error;
mod inverted;
mod layout;
mod reader;
mod record;
mod saved;
mod slot_set;
mod writer;

pub use error::{CommitError, EraseError, FlashError, MountError, ReadError, RollbackError, SlotFault};
pub use inverted::InvertedFlash;
pub use reader::SlotReader;
pub use record::CommitRecord;
pub use saved::Saved;
pub use writer::SlotWriter;

use crate::crc32::{Crc32, Crc32Bytewise};
use array::{Record, SlotArray};
use core::ops::Range;
use device::Device;
use embedded_storage::nor_flash::NorFlash;
use layout::{Layout, Refused};
use slot_set::SlotSet;

/// Slots of equal size on a range of a flash, each with room for one saved state; the newest that is whole counts.
///
/// A save goes to the slot behind the latest, so the latest stays as it is until the new one is committed. A slot that
/// fails is passed over. The page [`nor_flash`](crate::nor_flash) has the layout, the rules that are kept, and what a power
/// cut leaves at each point.
///
/// Everything is read and written through a buffer of the caller: at least what the flash reads or writes at once, better
/// one page of it.
#[derive(Debug)]
pub struct Slots<'b, F, C = Crc32Bytewise> {
    array: SlotArray<'b, F, C>,
    latest: Option<Saved>,
    /// The highest generation that is known of.
    highest: u64,
    /// Where the ring is entered while there is no latest state.
    entry: u8,
    /// The slot that was erased since the mount, and not written since.
    erased: Option<u8>,
    /// Slots that failed in this mount, and were not saved to since.
    worn: SlotSet,
    /// Slots that were not erased since the mount and may hold a newer state than the latest: record or content cannot be
    /// read, or looks like a record that was cut off.
    unclear: SlotSet,
}

impl<'b, F: NorFlash> Slots<'b, F> {
    /// Finds the latest state in two slots, each one half of `range` (bytes from the start of the flash), through `buffer`.
    ///
    /// # Errors
    ///
    /// Those of [`mount_with`](Self::mount_with).
    pub fn mount(flash: F, range: Range<u32>, buffer: &'b mut [u8]) -> Result<Self, MountError<F::Error>> {
        Self::mount_with(flash, range, 2, buffer, Crc32Bytewise)
    }
}

impl<'b, F: NorFlash, C: Crc32> Slots<'b, F, C> {
    /// The same with `count` slots, 2 to 255, and another way to compute CRC-32. What does not divide evenly by `count`
    /// and the erase size is left unused at the end of the range.
    ///
    /// Reads the commit records twice and the content of the latest state, and nothing is written. For each state that is
    /// newer and damaged the records are read once more, and its content. What is not valid, a blank record too, is read a
    /// second time, and each read of the flash that fails is made once more. So the bound for `n` slots is 4 times
    /// `n * (n + 2)` records and `n` contents.
    ///
    /// # Errors
    ///
    /// A range, buffer or geometry that cannot be; a flash of which no commit record can be read, or that erases to zeros.
    /// A slot that cannot be read, or is damaged in another way, is no error as long as another one can be read.
    pub fn mount_with(
        flash: F,
        range: Range<u32>,
        count: u8,
        buffer: &'b mut [u8],
        crc: C,
    ) -> Result<Self, MountError<F::Error>> {
        let layout = Layout::split(&flash, range, count).map_err(|refused| match refused {
            Refused::Geometry => MountError::Geometry,
            Refused::Range => MountError::Range,
            Refused::TooSmall => MountError::TooSmall,
        })?;
        let needed = F::READ_SIZE.max(F::WRITE_SIZE);
        if buffer.len() < needed {
            return Err(MountError::Buffer { needed });
        }
        let mut slots = Self {
            array: SlotArray { flash, buffer, crc, layout },
            latest: None,
            highest: 0,
            entry: 0,
            erased: None,
            worn: SlotSet::default(),
            unclear: SlotSet::default(),
        };
        slots.survey()?;
        Ok(slots)
    }

    /// Finds the latest state, and what else a mount has to know.
    fn survey(&mut self) -> Result<(), MountError<F::Error>> {
        let mut unreadable = None;
        let (mut readable, mut zeros) = (false, true);
        for slot in 0..self.count() {
            match self.array.record(slot) {
                Ok(record) => {
                    readable = true;
                    zeros &= record == Record::Zeros;
                    match record {
                        Record::State(saved) => self.highest = self.highest.max(saved.generation),
                        Record::Torn => self.unclear.insert(slot),
                        _ => {}
                    }
                }
                Err(error) => {
                    unreadable.get_or_insert(error);
                    self.unclear.insert(slot);
                }
            }
        }
        match unreadable {
            Some((offset, error)) if !readable => return Err(MountError::Flash { offset, error }),
            _ if zeros => return Err(MountError::ErasesToZeros),
            _ => {}
        }
        let mut before = None;
        while let Some(saved) = self.array.newest(before) {
            if self.array.has_content(&saved).unwrap_or(false) {
                self.set_latest(Some(saved));
                break;
            }
            self.unclear.insert(saved.slot);
            before = Some(saved);
        }
        Ok(())
    }

    /// The latest state. It was whole when it was found or saved.
    pub fn latest(&self) -> Option<Saved> {
        self.latest
    }

    /// The state before the latest, while its slot was not erased and it is whole; what [`rollback`](Self::rollback)
    /// goes back to. Reads all of it.
    pub fn previous(&mut self) -> Option<Saved> {
        self.latest.and_then(|latest| self.array.newest_whole(Some(latest)))
    }

    /// What the commit record of this slot says, if it can be read and is valid. Whether the content is whole is told by
    /// [`is_whole`](Self::is_whole).
    pub fn slot(&mut self, slot: u8) -> Option<Saved> {
        self.array.state(slot)
    }

    /// Whether the state is still there and its content has the CRC-32 that it was committed with. Reads all of it, what
    /// does not read so twice.
    pub fn is_whole(&mut self, saved: &Saved) -> bool {
        self.array.is_whole(saved)
    }

    /// Whether this slot failed since the mount, in an erase, a write or when it was read back, and was not saved to since.
    /// It is used again when all others fail, and after the next mount.
    pub fn is_worn(&self, slot: u8) -> bool {
        self.worn.contains(slot)
    }

    /// A commit record of slots that were split in another way, and where it stands, in bytes from the start of the flash.
    /// Tells an empty range from one with states that these slots cannot find: `None` where there is a
    /// [`latest`](Self::latest) state.
    ///
    /// Reads 56 bytes at the start of each erase block of the range, at most twice.
    pub fn other_split(&mut self) -> Option<(u32, CommitRecord)> {
        if self.latest.is_some() { None } else { self.array.other_split() }
    }

    /// The bytes of a state, for a [`Loader`](crate::Loader) or [`Archive`](crate::Archive).
    ///
    /// # Errors
    ///
    /// Its slot holds another state by now, or its commit record cannot be read.
    pub fn read(&mut self, saved: &Saved) -> Result<SlotReader<'_, F>, ReadError<F::Error>> {
        if !self.array.holds(saved).map_err(ReadError::Flash)? {
            return Err(ReadError::Gone);
        }
        let content = self.array.content(saved);
        Ok(SlotReader::new(self.array.device(), content))
    }

    /// How many slots there are.
    pub fn count(&self) -> u8 {
        self.array.layout.count
    }

    /// Bytes that a state may have.
    pub fn capacity(&self) -> u32 {
        self.array.layout.capacity
    }

    /// The flash.
    pub fn into_inner(self) -> F {
        self.array.flash
    }

    /// Erases the slot for the next save, so that the save itself erases nothing. Does nothing where that was done since
    /// the mount.
    ///
    /// With two slots the state before the latest is gone then, and all depends on the latest alone until the next save. If
    /// the power went in its very last write, bits of its commit record may be weak: read as written at this mount and as
    /// erased at the next. With three slots the state before is still there.
    ///
    /// # Errors
    ///
    /// No slot can be erased but that of the latest state, which never is.
    pub fn prepare(&mut self) -> Result<(), EraseError<F::Error>> {
        if self.erased.is_some() {
            return Ok(());
        }
        self.try_slots(Self::erase, |error| matches!(error, EraseError::Worn { .. }))
    }

    /// Saves what `state` writes, as a new generation; erases first unless [prepared](Self::prepare).
    ///
    /// The content is read back before the commit record is written, and the record after it. If anything fails, `state`
    /// included, the state before stays the latest. A slot that cannot be erased, written or read back is passed over:
    /// `state` is called again for the next one. [`is_worn`](Self::is_worn) tells which they were.
    ///
    /// # Errors
    ///
    /// An error of `state` that does not come from the flash ends the save. So does the last slot that fails, but for that of
    /// the latest state, which is not touched.
    pub fn save<T, S>(
        &mut self,
        mut state: impl FnMut(&mut SlotWriter<'_, F, C>) -> Result<T, S>,
    ) -> Result<Saved, CommitError<F::Error, S>> {
        if self.highest == u64::MAX {
            return Err(CommitError::Generations);
        }
        let save = |slots: &mut Self, slot| slots.save_to(slot, &mut state);
        self.try_slots(save, |error| matches!(error, CommitError::Worn { .. }))
    }

    /// The same for a state of `len` bytes or fewer, which is refused before anything is erased if it cannot fit.
    ///
    /// # Errors
    ///
    /// Those of [`save`](Self::save), and [`CommitError::TooLarge`].
    pub fn save_sized<T, S>(
        &mut self,
        len: u64,
        state: impl FnMut(&mut SlotWriter<'_, F, C>) -> Result<T, S>,
    ) -> Result<Saved, CommitError<F::Error, S>> {
        let capacity = self.capacity();
        if len > u64::from(capacity) {
            return Err(CommitError::TooLarge { capacity });
        }
        self.save(state)
    }

    /// Goes back to the state before the latest, which is checked first, by erasing the latest; that is gone for good.
    /// Slots that may hold a newer state than the latest, as they could not be read, are erased before it.
    ///
    /// After a power cut the next mount finds one or the other.
    ///
    /// # Errors
    ///
    /// There is no whole state before the latest, or the latest cannot be erased.
    pub fn rollback(&mut self) -> Result<Saved, RollbackError<F::Error>> {
        let latest = self.latest.ok_or(RollbackError::NoPrevious)?;
        let previous = self.array.newest_whole(Some(latest)).ok_or(RollbackError::NoPrevious)?;
        for slot in 0..self.count() {
            let newer =
                self.unclear.contains(slot) || self.array.state(slot).is_some_and(|saved| saved.age() > latest.age());
            if newer && slot != latest.slot && slot != previous.slot {
                match self.erase(slot) {
                    // It stays unclear.
                    Ok(()) | Err(EraseError::Worn { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        // From here on the latest may be damaged, so the next save must not go to the slot of the one before.
        self.set_latest(Some(previous));
        self.erase(latest.slot)?;
        Ok(previous)
    }

    /// Erases all slots, that of the latest state last: after a power cut the next mount finds that state or none.
    ///
    /// # Errors
    ///
    /// A slot cannot be erased; if it is another one than that of the latest state, that one is still there.
    pub fn erase_all(&mut self) -> Result<(), EraseError<F::Error>> {
        let last = self.latest;
        let mut slot = last.map_or(0, |latest| self.array.layout.after(latest.slot));
        for left in (0..self.count()).rev() {
            if left == 0 {
                self.latest = None;
            }
            // A driver that erases more than it says does no harm here.
            match self.erase(slot) {
                Ok(()) | Err(EraseError::LatestLost) => {}
                Err(error) => return Err(error),
            }
            slot = self.array.layout.after(slot);
        }
        self.latest = None;
        (self.highest, self.entry, self.erased) = (0, 0, Some(0));
        Ok(())
    }

    /// Does something with one slot after the other, never that of the latest state, until one is not worn.
    fn try_slots<T, X>(
        &mut self,
        mut attempt: impl FnMut(&mut Self, u8) -> Result<T, X>,
        is_worn: impl Fn(&X) -> bool,
    ) -> Result<T, X> {
        let mut tried = SlotSet::default();
        // There are two slots at least, so there is one besides the latest.
        let mut slot = self.next(&tried).unwrap_or(self.entry);
        loop {
            tried.insert(slot);
            let error = match attempt(self, slot) {
                Err(error) if is_worn(&error) => error,
                done => return done,
            };
            match self.next(&tried) {
                Some(next) => slot = next,
                None => return Err(error),
            }
        }
    }

    /// The slot to use next, of those that were not tried: the one that is erased; else one that is unclear, which an erase
    /// heals; else the next of the ring; else one that is worn.
    fn next(&mut self, tried: &SlotSet) -> Option<u8> {
        if self.erased.is_some() {
            return self.erased;
        }
        self.look_again();
        let mut best = None;
        let mut slot = self.entry;
        for _ in 0..self.count() {
            let rank = match () {
                () if self.worn.contains(slot) => 2,
                () if self.unclear.contains(slot) => 0,
                () => 1,
            };
            let is_latest = self.latest.is_some_and(|latest| latest.slot == slot);
            if !is_latest && !tried.contains(slot) && best.is_none_or(|(best, _)| rank < best) {
                best = Some((rank, slot));
            }
            slot = self.array.layout.after(slot);
        }
        best.map(|(_, slot)| slot)
    }

    /// Before a slot is erased: if the latest state was damaged since it was found, another one is the latest; and a state
    /// that could not be read before, and can be by now, is not to be erased.
    fn look_again(&mut self) {
        self.find_again();
        for slot in 0..self.count() {
            if self.unclear.contains(slot)
                && let Some(saved) = self.array.state(slot)
                && self.latest.is_none_or(|latest| saved.age() > latest.age())
                && self.array.has_content(&saved).unwrap_or(false)
            {
                self.unclear.remove(slot);
                self.highest = self.highest.max(saved.generation);
                self.set_latest(Some(saved));
            }
        }
    }

    /// Looks at the latest state, and for another one if it is not whole; whether it was.
    fn find_again(&mut self) -> bool {
        match self.latest {
            Some(latest) if !self.array.is_whole(&latest) => {
                let left = self.array.newest_whole(None);
                self.unclear.insert(latest.slot);
                self.set_latest(left);
                false
            }
            _ => true,
        }
    }

    fn set_latest(&mut self, latest: Option<Saved>) {
        self.latest = latest;
        if let Some(latest) = latest {
            self.entry = self.array.layout.after(latest.slot);
        }
    }

    /// Erases a slot, reads all of it, and looks at the latest state behind that.
    fn erase(&mut self, slot: u8) -> Result<(), EraseError<F::Error>> {
        self.erased = None;
        let erased = self.array.erase(slot);
        if !self.find_again() {
            return Err(EraseError::LatestLost);
        }
        match erased {
            Ok(()) => {
                self.unclear.remove(slot);
                self.erased = Some(slot);
                Ok(())
            }
            Err(SlotFault::NotErased { .. }) if self.latest.is_none() && self.is_zeros(slot) => {
                Err(EraseError::ErasesToZeros)
            }
            Err(fault) => {
                self.worn.insert(slot);
                Err(EraseError::Worn { slot, fault })
            }
        }
    }

    fn is_zeros(&mut self, slot: u8) -> bool {
        matches!(self.array.other_than(0, slot), Ok(None))
    }

    fn save_to<T, S>(
        &mut self,
        slot: u8,
        state: &mut impl FnMut(&mut SlotWriter<'_, F, C>) -> Result<T, S>,
    ) -> Result<Saved, CommitError<F::Error, S>> {
        if self.erased != Some(slot) {
            self.erase(slot)?;
        }
        let (len, crc) = self.write(slot, state)?;
        let saved = Saved { slot, generation: self.next_generation(), len, crc };
        match self.confirm(&saved) {
            Ok(()) => Ok(saved),
            Err(fault) => Err(self.worn(slot, fault)),
        }
    }

    /// Writes the content; its length and CRC-32.
    fn write<T, S>(
        &mut self,
        slot: u8,
        state: &mut impl FnMut(&mut SlotWriter<'_, F, C>) -> Result<T, S>,
    ) -> Result<(u32, u32), CommitError<F::Error, S>> {
        let area = self.array.area(slot);
        let end = area.content.start.saturating_add(self.capacity());
        let SlotArray { flash, buffer, crc, .. } = &mut self.array;
        let device = Device { flash, buffer };
        let mut writer = SlotWriter::new(device, crc, &mut self.erased, area.record, area.content.start..end);
        let made = state(&mut writer);
        // If the flash failed, that counts, whatever the closure made of it.
        let written = match (writer.fault(), made) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => return Err(CommitError::Save(error)),
            (None, Ok(_)) => writer.finish(),
        };
        match written {
            Ok(written) => written.ok_or(CommitError::Incomplete),
            Err(error) => Err(self.worn(slot, SlotFault::Flash(error))),
        }
    }

    /// Reads the content back, and commits it.
    fn confirm(&mut self, saved: &Saved) -> Result<(), SlotFault<F::Error>> {
        if !self.array.has_content(saved).map_err(SlotFault::Flash)? {
            return Err(SlotFault::Mismatch);
        }
        // Even a record that fails may be found by the next mount, so its generation is used up.
        (self.erased, self.highest) = (None, saved.generation);
        self.array.commit(saved).map_err(SlotFault::Flash)?;
        if !self.array.holds(saved).map_err(SlotFault::Flash)? {
            return Err(SlotFault::Mismatch);
        }
        self.worn.remove(saved.slot);
        // Whatever is unclear is older by now.
        self.unclear = SlotSet::default();
        self.set_latest(Some(*saved));
        Ok(())
    }

    fn worn<S>(&mut self, slot: u8, fault: SlotFault<F::Error>) -> CommitError<F::Error, S> {
        self.erased = None;
        self.worn.insert(slot);
        CommitError::Worn { slot, fault }
    }

    /// One that is higher than that of any state. What is unclear may have a higher one than is known: as many steps of 2^32
    /// are skipped as there are slots without a valid record.
    fn next_generation(&mut self) -> u64 {
        let mut step = 1;
        if !self.unclear.is_empty() {
            let invalid = (0..self.count()).filter(|slot| self.array.state(*slot).is_none()).count();
            step |= (invalid as u64).wrapping_shl(32);
        }
        self.highest.saturating_add(step)
    }
}
