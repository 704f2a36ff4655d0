//! The memory as a live save wants it: in pages, with a note of those that were written to.
//!
//! A live save sends all pages while the machine runs on, then again and again those that it has written to meanwhile, and
//! stops the machine only for the last few. Pages are noted from `live_prep` to `save_done`, whatever becomes of the save.
//! Without a live save all pages are sent at once.
//!
//! Version 2 of the unit, in every pass: pages in ascending order, each its number (`u16`) and its bytes, then
//! [`END_OF_PAGES`]. Version 1, the whole memory and nothing else, is what [`Ram`](crate::Ram) saves; it loads here too.

use crate::RAM_SIZE;
use crate::page_set::PageSet;
use ssm_core::{AfterLoad, AfterSave, Get, Put, Unit, UnitError, Vote};

/// Bytes of a page.
pub const PAGE_SIZE: usize = 256;
/// Stands where the number of another page could be.
pub const END_OF_PAGES: u16 = 0xffff;
/// A pass of at most this many pages was short enough to stop the machine for the next one.
pub const FEW: usize = 8;

/// The memory in pages.
#[derive(Clone)]
pub struct Pages {
    bytes: Box<[u8; RAM_SIZE]>,
    /// Pages that a live save has yet to send; `None` while there is none.
    dirty: Option<PageSet>,
    sent: usize,
    /// Pages that the passes of a load have brought so far.
    loaded: PageSet,
}

impl Pages {
    pub(crate) fn new(bytes: Box<[u8; RAM_SIZE]>) -> Self {
        Self { bytes, dirty: None, sent: 0, loaded: PageSet::NONE }
    }

    /// All bytes.
    pub fn bytes(&self) -> &[u8; RAM_SIZE] {
        &self.bytes
    }

    /// Pages that were written to since a live save sent them; `None` if no live save is going on.
    pub fn dirty(&self) -> Option<PageSet> {
        self.dirty
    }

    /// Pages that the last pass, or a plain save, has sent.
    pub fn sent(&self) -> usize {
        self.sent
    }

    pub(crate) fn write(&mut self, address: u16, value: u8) {
        let address = usize::from(address);
        self.bytes[address] = value;
        if let Some(dirty) = &mut self.dirty {
            dirty.insert(address / PAGE_SIZE);
        }
    }

    /// All bytes, for a load that replaces them.
    pub(crate) fn replace(&mut self) -> &mut [u8; RAM_SIZE] {
        if let Some(dirty) = &mut self.dirty {
            *dirty = PageSet::ALL;
        }
        &mut self.bytes
    }

    fn send(&mut self, put: &mut Put<'_>, pages: PageSet) -> Result<(), UnitError> {
        let (all, _) = self.bytes.as_chunks::<PAGE_SIZE>();
        for page in pages.iter() {
            put.u16(page as u16)?;
            put.bytes(&all[page])?;
        }
        self.sent = pages.len();
        put.u16(END_OF_PAGES)
    }

    fn receive(&mut self, get: &mut Get<'_>) -> Result<(), UnitError> {
        let mut next = 0;
        loop {
            let number = get.u16()?;
            if number == END_OF_PAGES {
                break;
            }
            let page = usize::from(number);
            if page < next {
                return Err(UnitError::Invalid("a page is not behind the one before it"));
            }
            let Some(bytes) = self.replace().as_chunks_mut::<PAGE_SIZE>().0.get_mut(page) else {
                return Err(UnitError::Invalid("no such page"));
            };
            get.bytes(bytes)?;
            self.loaded.insert(page);
            next = page + 1;
        }
        let is_last = get.pass().is_none();
        if is_last && self.loaded != PageSet::ALL {
            return Err(UnitError::Invalid("a page is in no pass"));
        }
        Ok(())
    }
}

impl Unit for Pages {
    fn live_prep(&mut self, _: AfterSave) -> Result<(), UnitError> {
        self.dirty = Some(PageSet::ALL);
        Ok(())
    }

    fn live(&mut self, put: &mut Put<'_>, _pass: u32) -> Result<(), UnitError> {
        let pages = self.dirty.replace(PageSet::NONE).unwrap_or(PageSet::ALL);
        self.send(put, pages)
    }

    /// What the machine will write until the next pass is not known yet; likely as much as until this one.
    fn live_vote(&mut self, _pass: u32) -> Result<Vote, UnitError> {
        Ok(if self.sent > FEW { Vote::Again } else { Vote::Done })
    }

    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        self.send(put, self.dirty.unwrap_or(PageSet::ALL))
    }

    fn save_done(&mut self, _: AfterSave, _ok: bool) -> Result<(), UnitError> {
        self.dirty = None;
        Ok(())
    }

    fn load_prep(&mut self, _: AfterLoad) -> Result<(), UnitError> {
        self.loaded = PageSet::NONE;
        Ok(())
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        match version {
            1 => get.bytes(self.replace()),
            2 => self.receive(get),
            other => Err(UnitError::Version(other)),
        }
    }
}
