//! Records in large pieces of a medium that can seek.

use super::super::ahead::{LARGE, Reach, WANTED, read_ahead};
use super::RecordSource;
use crate::codec::{Ahead, Block, Blocks, Decode, tag};
use crate::copy::copy;
use crate::crc32::Crc32;
use crate::io::Stop;
use crate::medium::Medium;
use crate::progress::Progress;
use crate::walk::Walk;
use crate::wire::streamed::{RecordKind, WholeRecord};
use core::marker::PhantomData;
use embedded_io::{ErrorType, Read};

/// The packed records of a unit, and those of zeros. Others are turned to plain bytes at once.
struct RecordBlocks<'a, 'p, R: ErrorType, C, S> {
    medium: &'a mut Medium<R>,
    walk: &'a mut Walk<C>,
    progress: &'a mut Progress<'p>,
    /// The file offset of the next record.
    at: u64,
    reach: PhantomData<S>,
}

impl<R: Read, C: Crc32, S: Reach<R>> Blocks for RecordBlocks<'_, '_, R, C, S> {
    fn next(&mut self, packed: &mut [u8], plain: &mut [u8], found: &mut dyn FnMut(Block) -> bool) -> usize {
        let end = self.medium.len();
        let bytes = read_ahead::<R, S>(self.medium, self.progress, (self.at, end), packed);
        let (mut used, mut to, mut takes) = (0usize, 0usize, true);
        while takes
            && let Some(rest) = bytes.get(used..)
            && let Some(record) = WholeRecord::parse(rest)
            && let Some(place) = plain.get_mut(to..to.wrapping_add(record.plain))
        {
            let data = rest.get(record.head..record.len).unwrap_or(&[]);
            match record.kind {
                RecordKind::Lzf | RecordKind::Zero => {
                    takes = found(Block {
                        from: used.wrapping_add(record.head),
                        packed: data.len() as u16,
                        to,
                        plain: record.plain as u16,
                        at: self.at.wrapping_add(used as u64),
                    })
                }
                RecordKind::Raw | RecordKind::Terminator => _ = copy(place, data),
            }
            used = used.wrapping_add(record.len);
            to = to.wrapping_add(record.plain);
        }
        self.walk.passed(bytes.get(..used).unwrap_or(bytes));
        self.at = self.at.wrapping_add(used as u64);
        self.progress.advance_to(self.at);
        to
    }
}

impl<R: Read, D: Decode, C: Crc32, S: Reach<R>> RecordSource<'_, '_, '_, R, D, C, S> {
    /// Whether so much of the unit came before the next byte that it pays to read more of it ahead.
    #[inline]
    pub(super) fn is_large(&self) -> bool {
        S::BACK
            && self.medium.reads_ahead
            && self.medium.position().wrapping_sub(self.unit.data_at) >= LARGE
            && self.codec.reads_ahead()
    }

    /// Decodes whole records from the next one on, up to `plain` bytes in all; how many. 0 where the usual way must be gone.
    #[inline(never)]
    pub(super) fn ahead(
        &mut self,
        plain: usize,
        decode: impl FnOnce(&mut D, &mut dyn Blocks) -> Ahead,
    ) -> Result<usize, Stop> {
        if !self.body.decode || plain < WANTED || !self.codec.reset(tag::LZF) {
            return Ok(0);
        }
        let at = self.medium.position();
        let (medium, walk, progress) = (&mut *self.medium, &mut *self.body.walk, &mut *self.progress);
        let mut blocks = RecordBlocks::<_, _, S> { medium, walk, progress, at, reach: PhantomData };
        let ahead = decode(self.codec, &mut blocks);
        let at = ahead.damaged.unwrap_or(blocks.at);
        S::go(self.medium, at)?;
        Ok(ahead.plain)
    }

    /// Passes over the whole records of a large piece; `false` where the usual way must be gone.
    #[inline(never)]
    pub(super) fn hop(&mut self) -> Result<bool, Stop> {
        let at = self.medium.position();
        // No more in vain at the unit's end than what came before.
        let passed = usize::try_from(at.wrapping_sub(self.unit.data_at)).unwrap_or(usize::MAX);
        let room = self.packed.len().min(passed);
        let room = self.packed.get_mut(..room).unwrap_or_default();
        let end = self.medium.len();
        let bytes = read_ahead::<R, S>(self.medium, self.progress, (at, end), room);
        let mut rest = bytes;
        while let Some(record) = WholeRecord::parse(rest) {
            rest = rest.get(record.len..).unwrap_or(&[]);
        }
        let used = bytes.len().wrapping_sub(rest.len());
        self.body.walk.passed(bytes.get(..used).unwrap_or(bytes));
        let at = at.wrapping_add(used as u64);
        S::go(self.medium, at)?;
        self.progress.advance_to(at);
        Ok(used > 0)
    }
}
