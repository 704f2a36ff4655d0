//! The slots in the image of a flash, whether its geometry is known or not.
//!
//! All bytes may be forged, so the time is bounded: what a whole state covers is not searched, and after many damaged
//! ones what those claim is not either. So each byte is read a limited number of times.

use crate::failure::{DAMAGED, Failed, SYSTEM};
use crate::input::PIECE;
use ssm_core::{Archive, CommitRecord, Crc32};
use ssm_std::{Buffered, Crc32Fast, Error, Failure, decoder, open_file};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Where the content may begin behind its commit record: at the next word of 1 to 8, 16 to 64, 128 or 256 bytes.
const CONTENT: [u64; 4] = [56, 64, 128, 256];

/// States of a search.
const MOST_STATES: usize = 4096;

/// Damaged states of a search in whose content more are looked for.
const MOST_DAMAGED: usize = 64;

/// What a user knows of the geometry.
pub struct Ranges {
    pub offset: Option<u64>,
    pub length: Option<u64>,
    pub slots: Option<u8>,
    pub erase_size: Option<u32>,
    pub write_size: Option<u32>,
}

/// Slots of one length.
pub struct Store {
    pub offset: u64,
    pub slot_len: u64,
    pub slots: Vec<Slot>,
}

/// A slot, with its place in the image.
pub struct Slot {
    pub number: u64,
    pub offset: u64,
    pub state: Option<State>,
}

/// A state that was committed once.
#[derive(Clone, Copy)]
pub struct State {
    pub record: CommitRecord,
    pub whole: bool,
    /// Where the content begins in the image.
    content: u64,
}

impl Store {
    /// The slot that a device goes on with.
    pub fn latest(&self) -> Option<&Slot> {
        let whole = self.slots.iter().filter(|slot| slot.is_whole());
        whole.max_by_key(|slot| (slot.state.map(|state| state.record.generation), slot.number))
    }
}

impl Slot {
    pub fn is_whole(&self) -> bool {
        self.state.is_some_and(|state| state.whole)
    }

    fn content(&self) -> Range<u64> {
        self.state.map_or(0..0, |state| state.content..state.content.saturating_add(state.record.len.into()))
    }
}

impl State {
    fn end(&self) -> u64 {
        self.content.saturating_add(self.record.len.into())
    }
}

/// An opened image.
pub struct Image {
    path: PathBuf,
    file: File,
    len: u64,
}

impl Image {
    pub fn open(path: &Path) -> Result<Self, Failed> {
        let opened = open_file(path).and_then(|mut file| Ok((file.seek(SeekFrom::End(0))?, file)));
        let (len, file) = opened.map_err(|source| Error::new(path, Failure::Io { doing: "open", source }))?;
        Ok(Self { path: path.to_owned(), file, len })
    }

    /// The stores in a range: one that is split as it is told, or all that are found.
    pub fn stores(&mut self, ranges: &Ranges) -> Result<Vec<Store>, Failed> {
        let start = ranges.offset.unwrap_or(0);
        let end = ranges.length.map_or(Some(self.len), |length| start.checked_add(length));
        let range = start..end.unwrap_or(u64::MAX);
        if range.start > self.len || range.end > self.len {
            let message = format!("the range ends behind the image, which has {} bytes", self.len);
            return Err(Failed::usage(&self.path, message));
        }
        let write_size = ranges.write_size.map(u64::from);
        match ranges.slots {
            Some(count) => {
                let slot_len = self.slot_len(&range, count.into(), ranges.erase_size)?;
                self.split(range.start, slot_len, count.into(), write_size).map(|store| vec![store])
            }
            None => self.search(range, write_size),
        }
    }

    fn slot_len(&self, range: &Range<u64>, count: u64, erase_size: Option<u32>) -> Result<u64, Failed> {
        let len = range.end - range.start;
        let slot_len = len / count - len / count % erase_size.map_or(1, u64::from);
        if erase_size.is_none() && !len.is_multiple_of(count) {
            let message = format!("{len} bytes do not divide evenly by {count}: give --erase-size too");
            return Err(Failed::usage(&self.path, message));
        }
        if slot_len < CommitRecord::LEN as u64 {
            return Err(Failed::usage(&self.path, format!("{len} bytes are too few for {count} slots")));
        }
        Ok(slot_len)
    }

    fn split(&mut self, start: u64, slot_len: u64, count: u64, write_size: Option<u64>) -> Result<Store, Failed> {
        let mut slots = Vec::new();
        for number in 0..count {
            let offset = start + number * slot_len;
            let record_at = write_size.map_or(Some(offset), |word| offset.checked_next_multiple_of(word));
            let record = record_at.map_or(Ok(None), |at| self.record(at)).map_err(|error| self.failed(error))?;
            let record = record.filter(|record| u64::from(record.slot_len) == slot_len);
            let state = match (record, record_at) {
                (Some(record), Some(at)) => self.state(at, offset + slot_len, record, write_size)?,
                _ => None,
            };
            slots.push(Slot { number, offset, state });
        }
        Ok(Store { offset: start, slot_len, slots })
    }

    /// Looks for commit records at every byte. Those of one length whose distance is a multiple of it are one store.
    fn search(&mut self, range: Range<u64>, write_size: Option<u64>) -> Result<Vec<Store>, Failed> {
        let mut stores: BTreeMap<(u64, u64), Store> = BTreeMap::new();
        let (mut count, mut damaged) = (0, 0);
        let mut piece = vec![0; PIECE + CommitRecord::LEN - 1];
        let mut at = range.start;
        while at < range.end {
            let wanted = piece.len().min((range.end - at).try_into().unwrap_or(usize::MAX));
            self.read(at, &mut piece[..wanted]).map_err(|error| self.failed(error))?;
            let (mut from, mut next) = (0, at + PIECE as u64);
            while let Some(found) = find(&piece[from..wanted]) {
                let here = from + found;
                from = here + 1;
                let Some(record) =
                    piece[here..wanted].first_chunk().and_then(|bytes| CommitRecord::parse(bytes, &mut Crc32Fast))
                else {
                    continue;
                };
                let (offset, slot_len) = (at + here as u64, u64::from(record.slot_len));
                let end = offset.saturating_add(slot_len);
                let Some(state) = self.state(offset, end, record, write_size)? else { continue };
                count += 1;
                damaged += usize::from(!state.whole);
                if count > MOST_STATES {
                    let message =
                        format!("more than {MOST_STATES} states found: choose some with --offset and --length");
                    return Err(Failed { code: DAMAGED, ..Failed::usage(&self.path, message) });
                }
                let store = stores.entry((slot_len, offset % slot_len)).or_insert_with(|| Store {
                    offset,
                    slot_len,
                    slots: Vec::new(),
                });
                let origin = if offset.wrapping_sub(range.start) % slot_len == 0 { range.start } else { store.offset };
                store.slots.push(Slot { number: (offset - origin) / slot_len, offset, state: Some(state) });
                let behind = match state.whole {
                    true => state.end(),
                    false if damaged > MOST_DAMAGED => end,
                    false => offset + CommitRecord::LEN as u64,
                };
                next = next.max(behind);
                if behind >= at + wanted as u64 {
                    break;
                }
                from = (behind - at) as usize;
            }
            at = next;
        }
        let mut stores: Vec<_> = stores.into_values().collect();
        stores.sort_by_key(|store| store.offset);
        Ok(stores)
    }

    /// The state of a valid record, unless it cannot be that of a slot that ends there.
    fn state(
        &mut self,
        at: u64,
        end: u64,
        record: CommitRecord,
        write_size: Option<u64>,
    ) -> Result<Option<State>, Failed> {
        let begins = match write_size {
            Some(word) => vec![(CommitRecord::LEN as u64).next_multiple_of(word)],
            None => self.content_begins(at).map_err(|error| self.failed(error))?,
        };
        let mut found = None;
        for begin in begins {
            let content = at.saturating_add(begin);
            let mut state = State { record, whole: false, content };
            if state.end() > end {
                continue;
            }
            state.whole = self.is_whole(&state).map_err(|error| self.failed(error))?;
            found = Some(state);
            if state.whole {
                break;
            }
        }
        Ok(found)
    }

    /// Where the content of a record may begin: up to there the rest of its word has ones.
    fn content_begins(&mut self, at: u64) -> io::Result<Vec<u64>> {
        let mut bytes = [0; 256];
        let readable = self.len.saturating_sub(at).min(256) as usize;
        self.read(at, &mut bytes[..readable])?;
        let ones = bytes[..readable].iter().skip(CommitRecord::LEN).take_while(|byte| **byte == 0xff).count();
        Ok(CONTENT.into_iter().filter(|begin| *begin <= (CommitRecord::LEN + ones) as u64).collect())
    }

    fn is_whole(&mut self, state: &State) -> io::Result<bool> {
        if state.end() > self.len {
            return Ok(false);
        }
        let mut value = 0;
        self.pieces(state.content..state.end(), |piece| {
            value = Crc32Fast.update(value, piece);
            Ok(())
        })??;
        Ok(value == state.record.crc)
    }

    /// Reads all units of a state that is whole; what is wrong with the first that is damaged.
    pub fn verify(&self, slot: &Slot) -> Result<Option<Failed>, Failed> {
        let content = slot.content();
        let medium = Buffered::new(Content { file: &self.file, position: 0, content });
        let verified = Archive::open_with(medium, decoder(), vec![0; 2 * PIECE], Crc32Fast)
            .and_then(|mut archive| archive.verify(&mut |_| ()));
        match verified.map_err(|error| Failed::load(&self.path, error, None)) {
            Ok(()) => Ok(None),
            Err(failed) if failed.code == SYSTEM => Err(failed),
            Err(failed) => Ok(Some(failed)),
        }
    }

    /// Copies a state; the inner error is that of `out`.
    pub fn copy(&mut self, slot: &Slot, out: &mut dyn Write) -> Result<io::Result<()>, Failed> {
        self.pieces(slot.content(), |piece| out.write_all(piece)).map_err(|error| self.failed(error))
    }

    fn pieces(&self, range: Range<u64>, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<io::Result<()>> {
        let mut piece = vec![0; PIECE.min((range.end - range.start) as usize)];
        let mut at = range.start;
        while at < range.end {
            let len = piece.len().min((range.end - at) as usize);
            self.read(at, &mut piece[..len])?;
            if let Err(error) = take(&piece[..len]) {
                return Ok(Err(error));
            }
            at += len as u64;
        }
        Ok(Ok(()))
    }

    fn record(&self, at: u64) -> io::Result<Option<CommitRecord>> {
        let mut bytes = [0; CommitRecord::LEN];
        if at.saturating_add(bytes.len() as u64) > self.len {
            return Ok(None);
        }
        self.read(at, &mut bytes)?;
        Ok(CommitRecord::parse(&bytes, &mut Crc32Fast))
    }

    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(into)
    }

    fn failed(&self, source: io::Error) -> Failed {
        Error::new(&self.path, Failure::Io { doing: "read", source }).into()
    }
}

/// Where a commit record may begin.
fn find(bytes: &[u8]) -> Option<usize> {
    bytes.windows(CommitRecord::MAGIC.len()).position(|window| window == CommitRecord::MAGIC)
}

/// The bytes of a state as a medium.
struct Content<'i> {
    file: &'i File,
    position: u64,
    content: Range<u64>,
}

impl Read for Content<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let at = self.content.start.saturating_add(self.position);
        let len = into.len().min(self.content.end.saturating_sub(at).try_into().unwrap_or(usize::MAX));
        self.file.seek(SeekFrom::Start(at))?;
        let read = self.file.read(&mut into[..len])?;
        self.position = self.position.saturating_add(read as u64);
        Ok(read)
    }
}

impl Seek for Content<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => (self.content.end - self.content.start).checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = target.ok_or_else(|| io::Error::other("a seek before the start of the state"))?;
        Ok(self.position)
    }
}
