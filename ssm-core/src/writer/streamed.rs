//! Format 2.0: records, a directory and a footer; nothing is patched, so the medium only writes.

use super::output::{Framing, Output, Target, UnitStart};
use super::records::{CODE_AT, CODE_PER_KIB, KIB, is_zero, lzf_record, raw_head, records, zero_record};
use super::stage::Sum;
use crate::codec::Encode;
use crate::crc32::{Crc32, RunningCrc};
use crate::error::SaveError;
use crate::io::Stop;
use crate::unit::MAX_NAME;
use crate::wire::streamed::{
    DirectoryEntry, DirectoryHead, ENTRY_LEN, FINAL_PASS, Footer, MAX_BLOCK, MAX_ENTRIES, STREAM_HEADER_CRC,
    StreamUnit, TERMINATOR_BODY_LEN, TERMINATOR_HEAD, Terminator, UNIT_CRC_AT,
};
use crate::wire::{Format, Header, StreamFields, set_field};
use embedded_io::Write;

/// Files of format 2.0, on a medium that can write.
#[derive(Default)]
pub struct Streamed<'s> {
    /// Where the units are, in the form that the file ends with.
    entries: &'s mut [[u8; ENTRY_LEN]],
    used: usize,
    /// Behind the entry that was met last: units come in the same order pass by pass.
    next: usize,
    /// Whether units come several times.
    pub(crate) is_live: bool,
    /// Whether the unit's records are marked as important (Q31).
    important: bool,
    /// The file offsets of the unit and of its first record.
    unit_at: u64,
    data_at: u64,
}

impl Sum for Streamed<'_> {
    fn sum<C: Crc32>(&mut self, crc: &mut RunningCrc<C>, bytes: &[u8]) {
        crc.append(bytes);
    }
}

impl<'s, W: Write, E: Encode, C: Crc32> Framing<'s> for Output<'s, W, E, C, Streamed<'s>> {
    const MAX_NAME: usize = MAX_NAME;
    const NAME: &'static str = "a unit's name is 1 to 47 bytes without NUL";

    fn divide(&mut self, scratch: &'s mut [u8], units: usize) -> Result<&'s mut [u8], Stop> {
        let directory = units.saturating_mul(ENTRY_LEN);
        if units > MAX_ENTRIES as usize {
            return self.target.stop(SaveError::TooManyUnits { max: MAX_ENTRIES });
        }
        let Some((entries, rest)) = scratch.split_at_mut_checked(directory).filter(|(_, rest)| !rest.is_empty()) else {
            return self.target.scratch(directory.saturating_add(1));
        };
        self.target.format.entries = entries.as_chunks_mut().0;
        let packed_len = if self.codec.is_transparent() {
            0
        } else {
            // As many KiB as fit with their plain bytes, 4 at most; where not even one does, large puts still pack.
            match rest.len() / (KIB + CODE_PER_KIB + CODE_AT) {
                0 if rest.len() < CODE_PER_KIB + CODE_AT + 16 => 0,
                kib => kib.clamp(1, 4).wrapping_mul(CODE_PER_KIB).wrapping_add(CODE_AT),
            }
        };
        let (packed, plain) = rest.split_at_mut_checked(packed_len).unwrap_or_default();
        self.packed = packed;
        Ok(plain)
    }

    fn begin(&mut self, header: &mut Header) -> Result<(), Stop> {
        let stream = StreamFields {
            units: self.target.format.entries.len() as u32,
            is_checked: true,
            is_live: self.target.format.is_live,
            max_block: match self.max_block() {
                0 => MAX_BLOCK as u32,
                bytes => bytes as u32,
            },
        };
        (header.format, header.stream, header.file_len) = (Format::V2_0, Some(stream), 0);
        let mut bytes = header.emit_stream(&stream);
        header.crc = self.target.crc.crc32().update(0, &bytes);
        set_field(&mut bytes, STREAM_HEADER_CRC, header.crc.to_le_bytes());
        self.target.append(&bytes)
    }

    fn open(&mut self, unit: &UnitStart<'_>) -> Result<(), Stop> {
        let target = &mut self.target;
        target.make_room()?;
        let name_len = (unit.name.len() as u32).saturating_add(1);
        (target.format.unit_at, target.format.important) = (target.position, !unit.optional);
        target.enter(unit.name, unit.instance)?;
        let header = target.unit_header(unit.version, unit.instance, unit.pass, name_len);
        target.unit(header, unit.name, &[0])?;
        target.format.data_at = target.position;
        Ok(())
    }

    fn pack(&mut self, mut plain: &[u8]) -> Result<(), Stop> {
        if let blocks @ [_, ..] = plain.as_chunks().0
            && self.max_block() == MAX_BLOCK
        {
            let through = self.pack_ahead(blocks)?;
            plain = plain.get(through..).unwrap_or(&[]);
        }
        while !plain.is_empty() {
            self.target.check_cancel()?;
            let taken = self.record(plain)?;
            plain = plain.get(taken..).unwrap_or(&[]);
            self.target.spend(taken as u64);
        }
        Ok(())
    }

    fn close(&mut self, _touched: bool) -> Result<u64, Stop> {
        let target = &mut self.target;
        target.append(&TERMINATOR_HEAD)?;
        let len = target.position.wrapping_sub(target.format.data_at).wrapping_add(TERMINATOR_BODY_LEN as u64);
        let terminator = Terminator { crc: Some(target.stream_crc()), len };
        target.append(&terminator.emit())?;
        Ok(target.position.wrapping_sub(target.format.unit_at))
    }

    fn commit(&mut self) -> Result<(), Stop> {
        let target = &mut self.target;
        target.make_room()?;
        let end = target.unit_header(0, 0, FINAL_PASS, 0);
        target.unit(end, &[], &[])?;
        let count = target.directory()?;
        let mut footer = Footer { offset: target.position, stream_crc: target.stream_crc(), count, crc: 0 }.emit();
        let crc = target.crc.crc32().update(0, &footer);
        set_field(&mut footer, Footer::CRC_AT, crc.to_le_bytes());
        target.write_out()?;
        // All before it is on the medium when the footer makes the file valid.
        target.flush()?;
        target.append(&footer)?;
        target.write_out()?;
        target.flush()
    }
}

impl<'s, W: Write, E: Encode, C: Crc32> Output<'s, W, E, C, Streamed<'s>> {
    /// The largest block that can be packed, in bytes.
    fn max_block(&self) -> usize {
        (self.packed.len() / CODE_PER_KIB).wrapping_mul(KIB)
    }

    /// Lets the codec make the records of many blocks, if it has a faster way for that; how many bytes of them.
    fn pack_ahead(&mut self, blocks: &[[u8; MAX_BLOCK]]) -> Result<usize, Stop> {
        let Self { codec, target, .. } = self;
        let important = target.format.important;
        let (mut through, mut done) = (0usize, Ok(()));
        let pack =
            |encoder: &mut dyn Encode, plain: &[u8], packed: &mut [u8]| records(encoder, important, plain, packed);
        codec.encode_blocks(blocks.as_flattened(), MAX_BLOCK, &pack, &mut |packed, taken| {
            if done.is_ok() {
                through = through.wrapping_add(taken);
                done = target.take(taken, |target| target.append(packed));
            }
            done.is_ok()
        });
        done.map(|()| through)
    }

    /// Writes one record of the start of `plain`; how many bytes of it.
    fn record(&mut self, plain: &[u8]) -> Result<usize, Stop> {
        let max_block = self.max_block();
        let Self { codec, packed, target } = self;
        let important = target.format.important;
        let largest = plain.len().min(MAX_BLOCK);
        let whole = largest & !(KIB - 1);
        let block = whole.min(max_block);
        for zeros in [whole, block] {
            if zeros > 0 && plain.get(..zeros).is_some_and(is_zero) {
                target.append(&zero_record(important, zeros))?;
                return Ok(zeros);
            }
        }
        if block > 0
            && let Some(plain) = plain.get(..block)
            && let Some((from, to)) = lzf_record(codec, important, plain, packed)
        {
            return target.append(packed.get(from..to).unwrap_or(&[])).map(|()| block);
        }
        let len = if whole == 0 {
            largest
        } else if block > 0 {
            block
        } else {
            whole
        };
        let (head, head_len) = raw_head(important, len);
        target.append(head.get(..head_len).unwrap_or(&[]))?;
        target.append(plain.get(..len).unwrap_or(plain))?;
        Ok(len)
    }
}

impl<'s, W: Write, C: Crc32> Target<'s, W, C, Streamed<'s>> {
    /// The checksum of the file so far.
    fn stream_crc(&mut self) -> u32 {
        self.sum_up();
        self.crc.value()
    }

    fn unit_header(&mut self, version: u32, instance: u32, pass: u32, name_len: u32) -> StreamUnit {
        let (offset, stream_crc) = (self.position, self.stream_crc());
        StreamUnit { offset, stream_crc, crc: 0, version, instance, pass, flags: 0, name_len }
    }

    #[inline(never)]
    fn unit(&mut self, header: StreamUnit, name: &[u8], nul: &[u8]) -> Result<(), Stop> {
        let mut bytes = header.emit();
        if self.stage.joins() {
            self.append(&bytes)?;
            self.append(name)?;
            self.append(nul)?;
            // All of it is there: room was made.
            if let Some(all) = self.stage.last(self.position.wrapping_sub(header.offset)) {
                let value = self.crc.crc32().update(0, all);
                set_field(all, UNIT_CRC_AT, value.to_le_bytes());
            }
            return Ok(());
        }
        let crc = self.crc.crc32();
        let value = crc.update(0, &bytes);
        let value = crc.update(value, name);
        let value = crc.update(value, nul);
        set_field(&mut bytes, UNIT_CRC_AT, value.to_le_bytes());
        self.append(&bytes)?;
        self.append(name)?;
        self.append(nul)
    }

    /// Notes in the directory where this unit is; the last of its name and instance counts.
    fn enter(&mut self, name: &[u8], instance: u32) -> Result<(), Stop> {
        let entry = DirectoryEntry { offset: self.position, instance, name_crc: self.crc.crc32().update(0, name) };
        let Streamed { entries, used, next, is_live, .. } = &mut self.format;
        let is_it = |bytes: &[u8; ENTRY_LEN]| {
            let other = DirectoryEntry::parse(bytes);
            (other.instance, other.name_crc) == (instance, entry.name_crc)
        };
        let mut at = *used;
        if *is_live {
            let (before, behind) = entries.get(..*used).unwrap_or(&[]).split_at_checked(*next).unwrap_or_default();
            let found = behind.iter().position(is_it).map(|at| at.wrapping_add(before.len()));
            at = found.or_else(|| before.iter().position(is_it)).unwrap_or(at);
        }
        let max = entries.len() as u32;
        let Some(place) = entries.get_mut(at) else {
            return self.stop(SaveError::TooManyUnits { max });
        };
        *place = entry.emit();
        *next = at.wrapping_add(1);
        *used = (*next).max(*used);
        Ok(())
    }

    /// Writes the directory; how many entries.
    fn directory(&mut self) -> Result<u32, Stop> {
        let entries = core::mem::take(&mut self.format.entries);
        let entries = entries.get(..self.format.used).unwrap_or(&[]);
        let mut head = DirectoryHead { crc: 0, count: entries.len() as u32 };
        let crc = self.crc.crc32();
        head.crc = crc.update(0, &head.emit());
        head.crc = crc.update(head.crc, entries.as_flattened());
        self.append(&head.emit())?;
        self.append(entries.as_flattened())?;
        Ok(head.count)
    }
}
