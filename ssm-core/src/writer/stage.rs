//! The last bytes of a file that is written: small pieces are joined, so that medium and checksum get fewer and larger ones.
//!
//! The medium has all bytes before anybody is told that they were written: the caller of a [`Writer`](crate::Writer), the
//! machine's units, whoever votes on a live pass.

use super::output::Target;
use crate::crc32::{Crc32, RunningCrc};
use crate::io::{Stop, write_full};
use embedded_io::Write;

/// Bytes that are joined.
const LEN: usize = 1024;

/// Bytes behind which no unit begins, so that small ones lie in the stage as a whole.
const FULL: usize = LEN / 2;

/// Scratch memory from which on pieces are joined: who gives less saves as a device does.
const AMPLE: usize = 16 << 10;

/// Stages of a file: none on a device, where flash and stack count more than calls, and every piece goes its way alone.
const STAGES: usize = if cfg!(target_os = "none") { 0 } else { 1 };

/// The stage, if pieces are joined.
pub(crate) struct Stage([Joined; STAGES]);

/// Bytes at the end of what was appended.
#[derive(Clone, Copy)]
struct Joined {
    bytes: [u8; LEN],
    /// How many bytes may be here: all, or none.
    room: usize,
    len: usize,
    /// How many of them the medium has.
    written: usize,
    /// How many of them the checksum has.
    summed: usize,
}

/// What a format does to have a checksum over a file.
pub trait Sum {
    /// The next bytes of the file.
    fn sum<C: Crc32>(&mut self, crc: &mut RunningCrc<C>, bytes: &[u8]);
}

impl Joined {
    /// Takes bytes, if there is room for all.
    #[inline(always)]
    fn take(&mut self, bytes: &[u8]) -> bool {
        let room = self.bytes.get_mut(..self.room).and_then(|room| room.get_mut(self.len..)?.get_mut(..bytes.len()));
        let Some(room) = room else {
            return false;
        };
        // Not `copy`: what has a constant length becomes a few stores.
        for (to, from) in room.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.len = self.len.wrapping_add(bytes.len());
        true
    }

    fn unwritten(&self) -> &[u8] {
        self.bytes.get(self.written..self.len).unwrap_or(&[])
    }

    fn unsummed(&self) -> &[u8] {
        self.bytes.get(self.summed..self.len).unwrap_or(&[])
    }
}

impl Stage {
    /// For a save with so many bytes of scratch memory.
    pub const fn new(scratch: usize) -> Self {
        let room = if scratch < AMPLE { 0 } else { LEN };
        Self([Joined { bytes: [0; LEN], room, len: 0, written: 0, summed: 0 }; STAGES])
    }

    #[inline(always)]
    fn joined(&mut self) -> Option<&mut Joined> {
        self.0.first_mut()
    }

    /// Whether pieces are joined.
    #[inline(always)]
    pub fn joins(&mut self) -> bool {
        self.joined().is_some_and(|joined| joined.room > 0)
    }

    /// The last bytes that were appended, if so many are here.
    #[inline]
    pub fn last(&mut self, len: u64) -> Option<&mut [u8]> {
        let joined = self.joined()?;
        let from = joined.len.checked_sub(usize::try_from(len).ok()?)?;
        joined.bytes.get_mut(from..joined.len)
    }

    #[inline(always)]
    fn take(&mut self, bytes: &[u8]) -> bool {
        self.joined().is_some_and(|joined| joined.take(bytes))
    }
}

impl<W: Write, C, L> Target<'_, W, C, L> {
    /// Gives the medium what it does not have yet.
    #[inline]
    pub(crate) fn write_out(&mut self) -> Result<(), Stop> {
        let Some(joined) = self.stage.joined() else {
            return Ok(());
        };
        let bytes = joined.unwritten();
        if bytes.is_empty() {
            return Ok(());
        }
        let mut at = self.position.wrapping_sub(bytes.len() as u64);
        match write_full(&mut self.medium, bytes, &mut at) {
            Ok(()) => {
                joined.written = joined.len;
                Ok(())
            }
            Err(error) => {
                self.position = at;
                self.write_failed(error)
            }
        }
    }
}

impl<W: Write, C: Crc32, L: Sum> Target<'_, W, C, L> {
    /// Writes the next bytes of the file, or keeps them for [`write_out`](Self::write_out).
    #[inline(always)]
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if !self.stage.take(bytes) {
            return self.append_beyond(bytes);
        }
        self.position = self.position.wrapping_add(bytes.len() as u64);
        Ok(())
    }

    #[inline(never)]
    fn append_beyond(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.settle()?;
        if bytes.len() <= FULL && self.stage.take(bytes) {
            self.position = self.position.wrapping_add(bytes.len() as u64);
            return Ok(());
        }
        self.format.sum(&mut self.crc, bytes);
        self.store(bytes)
    }

    /// Gives the checksum what it does not have yet.
    #[inline]
    pub(crate) fn sum_up(&mut self) {
        if let Some(joined) = self.stage.joined() {
            self.format.sum(&mut self.crc, joined.unsummed());
            joined.summed = joined.len;
        }
    }

    /// Leaves nothing in the stage.
    pub(crate) fn settle(&mut self) -> Result<(), Stop> {
        self.write_out()?;
        self.sum_up();
        if let Some(joined) = self.stage.joined() {
            (joined.len, joined.written, joined.summed) = (0, 0, 0);
        }
        Ok(())
    }

    /// Before a unit.
    #[inline]
    pub(crate) fn make_room(&mut self) -> Result<(), Stop> {
        match self.stage.joined() {
            Some(joined) if joined.len > FULL => self.settle(),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AMPLE;
    use crate::{
        Crc32Bytewise, Entry, Get, Header, Loader, Memory, Put, Saver, Store, StreamedUnit, Unit, UnitError, Units,
        Writer,
    };
    use core::cell::Cell;
    use embedded_io::{ErrorKind, ErrorType, Seek, SeekFrom, Write};

    /// A medium whose bytes are counted.
    struct Counted<'c> {
        medium: Memory<Vec<u8>>,
        end: &'c Cell<u64>,
    }

    impl<'c> Counted<'c> {
        fn new(end: &'c Cell<u64>) -> Self {
            Self { medium: Memory::new(vec![0; 1 << 20]), end }
        }
    }

    impl ErrorType for Counted<'_> {
        type Error = ErrorKind;
    }

    impl Write for Counted<'_> {
        fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
            let written = self.medium.write(bytes)?;
            self.end.set(self.medium.bytes().len() as u64);
            Ok(written)
        }

        fn flush(&mut self) -> Result<(), ErrorKind> {
            Ok(())
        }
    }

    impl Seek for Counted<'_> {
        fn seek(&mut self, to: SeekFrom) -> Result<u64, ErrorKind> {
            self.medium.seek(to)
        }
    }

    #[test]
    fn a_written_unit_is_on_the_medium() {
        for scratch in [300, AMPLE + 300] {
            written_units_are_on_the_medium(scratch);
        }
    }

    fn written_units_are_on_the_medium(scratch: usize) {
        let (end, mut scratch, mut other) = (Cell::new(0), vec![0; scratch], vec![0; scratch + 2000]);
        let mut writer = Writer::new(Counted::new(&end), Store, Crc32Bytewise, &Header::new(), &mut scratch).unwrap();
        let mut expected = writer.len();
        assert_eq!(end.get(), expected);
        for len in [0u64, 1, 60, 500, 900, 3000, 7] {
            writer.unit(b"unit", len as u32, 1, &mut |put| put.bytes(&vec![1; len as usize])).unwrap();
            expected += 28 + 5 + 1 + len;
            assert_eq!(end.get(), expected);
        }
        let medium = Counted::new(&end);
        let mut writer = Writer::streamed(medium, Store, Crc32Bytewise, &Header::new(), 9, &mut other).unwrap();
        for len in [0u64, 1, 60, 500, 900, 3000, 7] {
            let how = StreamedUnit::default();
            writer.unit(b"unit", len as u32, 1, how, &mut |put| put.bytes(&vec![1; len as usize])).unwrap();
            assert_eq!(end.get(), writer.len());
        }
    }

    /// Bytes, put in pieces.
    struct Pieces {
        bytes: Vec<u8>,
        piece: usize,
    }

    impl Unit for Pieces {
        fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
            self.bytes.chunks(self.piece).try_for_each(|piece| put.bytes(piece))
        }

        fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
            let mut bytes = vec![0; self.bytes.len()];
            get.bytes(&mut bytes)?;
            assert!(bytes == self.bytes);
            Ok(())
        }
    }

    #[test]
    fn units_of_all_lengths_around_the_stage() {
        let entry = Entry::new("pieces", |machine: &mut Vec<Pieces>, at| &mut machine[at as usize]);
        for (most, piece, room) in [(70, 64, 1), (200, 7, 100), (600, 300, 512), (1100, 90, 64), (2500, 2500, 1500)] {
            for room in [room, AMPLE - 1 + room] {
                let mut random = most as u32;
                let mut machine: Vec<_> = (0..200)
                    .map(|_| {
                        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        Pieces { bytes: vec![(random >> 24) as u8; (random >> 8) as usize % most], piece }
                    })
                    .collect();
                let units: Vec<_> = (0..200).map(|at| entry.instance(at)).collect();
                let units = Units::new(&units);
                let (mut storage, mut scratch) = (vec![0; 1 << 20], vec![0; AMPLE + 4000 + room]);
                for streamed in [false, true] {
                    let medium = Memory::new(&mut storage[..]);
                    let len = match streamed {
                        false => Saver::new(medium, Store, &mut scratch[..room]).save(&mut machine, &units),
                        true => {
                            Saver::streamed(medium, Store, &mut scratch[..201 * 16 + room]).save(&mut machine, &units)
                        }
                    };
                    // The load compares lengths and every checksum.
                    let medium = Memory::holding(&storage[..len.unwrap() as usize]);
                    Loader::new(medium, Store, &mut scratch).load(&mut machine, &units).unwrap();
                }
            }
        }
    }
}
