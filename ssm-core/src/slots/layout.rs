//! Where the slots of a range are, on flash of any geometry.
//!
//! Words lie on a grid of multiples of the write size from the start of the flash, blocks on one of the erase size. If
//! the two do not fit, words that cross the border of a slot are left alone.

use super::record::RECORD_LEN;
use core::ops::Range;
use embedded_storage::nor_flash::NorFlash;

/// Why there is no such layout.
#[derive(Debug)]
pub(super) enum Refused {
    Geometry,
    Range,
    TooSmall,
}

/// A range that was split evenly. Positions are bytes from the start of the flash.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// What was split, with the rest that no slot has.
    pub range: Range<u32>,
    pub slot_len: u32,
    pub count: u8,
    /// The last bytes of a flash may be too few for a read.
    readable: u32,
    /// Bytes of content that each slot has room for.
    pub capacity: u32,
}

/// One slot.
#[derive(Clone, Debug)]
pub(super) struct Area {
    /// What is erased.
    pub blocks: Range<u32>,
    /// The commit record, at the first word.
    pub record: u32,
    /// The content, in whole words.
    pub content: Range<u32>,
}

impl Area {
    /// All words of the slot.
    pub fn words(&self) -> Range<u32> {
        self.record..self.content.end
    }
}

impl Layout {
    pub fn split<F: NorFlash>(flash: &F, range: Range<u32>, count: u8) -> Result<Self, Refused> {
        let size = |size: usize| u32::try_from(size).ok().filter(|size| *size > 0).ok_or(Refused::Geometry);
        let (read, write, erase) = (size(F::READ_SIZE)?, size(F::WRITE_SIZE)?, size(F::ERASE_SIZE)?);
        let flash_len = u32::try_from(flash.capacity()).unwrap_or(u32::MAX);
        let aligned = |at: u32| floor(at, erase) == at;
        if range.start > range.end || range.end > flash_len || !aligned(range.start) || !aligned(range.end) {
            return Err(Refused::Range);
        }
        let share = range.end.wrapping_sub(range.start).checked_div(u32::from(count)).unwrap_or(0);
        let slot_len = floor(share, erase);
        let mut layout = Self { range, slot_len, count, readable: floor(flash_len, read), capacity: 0 };
        if count < 2 || slot_len == 0 {
            return Err(Refused::TooSmall);
        }
        let mut capacity = u32::MAX;
        for index in 0..count {
            let content = layout.area(index, write).ok_or(Refused::TooSmall)?.content;
            capacity = capacity.min(content.end.saturating_sub(content.start));
        }
        if capacity == 0 {
            return Err(Refused::TooSmall);
        }
        layout.capacity = capacity;
        Ok(layout)
    }

    /// Where the commit record of a slot stands that begins with this block, if there is room for it.
    pub fn record<F: NorFlash>(&self, block: u32) -> Option<u32> {
        let at = block.checked_next_multiple_of(u32::try_from(F::WRITE_SIZE).ok()?)?;
        (at.checked_add(RECORD_LEN as u32)? <= self.range.end.min(self.readable)).then_some(at)
    }

    /// Whether a slot begins with this block.
    pub fn is_slot(&self, block: u32) -> bool {
        let ahead = block.saturating_sub(self.range.start);
        let index = ahead.checked_div(self.slot_len).unwrap_or(u32::MAX);
        index < u32::from(self.count) && floor(ahead, self.slot_len) == ahead
    }

    /// The slot of this index. All of it lies in the range; it is empty only for an index that is too large.
    pub fn slot<F: NorFlash>(&self, index: u8) -> Area {
        let area = self.area(index, u32::try_from(F::WRITE_SIZE).unwrap_or(0)).filter(|_| index < self.count);
        area.unwrap_or(Area { blocks: 0..0, record: 0, content: 0..0 })
    }

    fn area(&self, index: u8, write: u32) -> Option<Area> {
        let start = u32::from(index).checked_mul(self.slot_len)?.checked_add(self.range.start)?;
        let blocks = start..start.checked_add(self.slot_len)?;
        let record = blocks.start.checked_next_multiple_of(write)?;
        let content = record.checked_add((RECORD_LEN as u32).checked_next_multiple_of(write)?)?;
        let end = floor(blocks.end.min(self.readable), write);
        (content <= end).then_some(Area { blocks, record, content: content..end })
    }

    /// The slot behind this one; they form a ring.
    pub fn after(&self, index: u8) -> u8 {
        let next = index.saturating_add(1);
        if next < self.count { next } else { 0 }
    }
}

fn floor(at: u32, size: u32) -> u32 {
    at.saturating_sub(at.checked_rem(size).unwrap_or(0))
}
