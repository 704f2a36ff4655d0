//! A 2.0 file on a medium that can seek: what is found from its end.

use super::{Walk, footer};
use crate::crc32::Crc32;
use crate::formats::Formats;
use crate::io::Stop;
use crate::medium::{Located, Medium};
use crate::progress::Progress;
use crate::wire::streamed::{
    DIRECTORY_COUNT_AT, DIRECTORY_CRC_AT, DIRECTORY_HEAD_LEN, DirectoryEntry, DirectoryHead, ENTRY_LEN, FOOTER_LEN,
    Footer, RecordKind, STREAM_HEADER_LEN, STREAM_UNIT_LEN, StreamMark, is_stream,
};
use crate::wire::{FormatError, HEADER_PROBE, Header, Structure};
use embedded_io::{Read, Seek};

/// How many records of each kind a unit of a 2.0 file has, its terminator aside, and what their heads say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RecordCounts {
    /// Plain bytes.
    pub raw: u64,
    /// Blocks packed with LZF.
    pub lzf: u64,
    /// Zeros that are not in the file.
    pub zero: u64,
    /// Plain bytes in all, if everything decodes.
    pub plain: u64,
    /// Whether one is not important, as in units that readers may skip (Q31).
    pub is_optional: bool,
}

impl<R: Read + Seek> Medium<R> {
    /// Measures the medium and reads the header of a file of one of these formats; of a 2.0 file also the footer, if that
    /// is wanted.
    #[inline(never)]
    pub fn open<F: Formats>(&mut self, crc: &mut impl Crc32, footer: bool) -> Result<Header, Stop> {
        self.measure()?;
        if F::STREAMED {
            let mut start = [0; 32];
            let found = usize::try_from(self.len()).unwrap_or(usize::MAX).min(start.len());
            self.read_exact_at(0, start.get_mut(..found).unwrap_or_default())?;
            if is_stream(&start) || !F::PATCHED {
                return self.open_stream(crc, footer);
            }
        }
        let mut start = [0; HEADER_PROBE];
        let found = self.start(&mut start)?;
        self.header(&start, found)
    }

    #[inline(never)]
    fn open_stream(&mut self, crc: &mut impl Crc32, footer: bool) -> Result<Header, Stop> {
        self.go(0)?;
        let header = Walk::new(&mut *crc).header(self)?;
        if footer {
            self.footer(crc)?;
        }
        header.check_stream_fields().map_err(|error| self.damaged(error.header_offset(true), error))?;
        Ok(header)
    }

    /// Reads the footer of a 2.0 file.
    pub fn footer(&mut self, crc: &mut impl Crc32) -> Result<Footer, Stop> {
        self.go(self.len().saturating_sub(FOOTER_LEN as u64))?;
        footer(self, crc)
    }

    /// Checks the checksum over a 2.0 file, where it has one, reading all of it through `scratch`.
    pub fn check_stream(
        &mut self,
        header: &Header,
        crc: &mut impl Crc32,
        scratch: &mut [u8],
        progress: &mut Progress<'_>,
    ) -> Result<(), Stop> {
        let footer = self.footer(crc)?;
        if !header.stream.is_some_and(|stream| stream.is_checked) {
            return Ok(());
        }
        let computed = self.crc_of(0, footer.offset, crc, scratch, progress)?;
        if computed == footer.stream_crc {
            return Ok(());
        }
        let error = FormatError::Crc { stored: footer.stream_crc, computed };
        Err(self.damaged(footer.offset.wrapping_add(Footer::STREAM_CRC_AT), error))
    }

    /// Reads the head of the directory and gives each entry, with its file offset, to `entry`; then checks its checksum.
    pub fn directory(
        &mut self,
        footer: &Footer,
        crc: &mut impl Crc32,
        entry: &mut dyn FnMut(u64, DirectoryEntry),
    ) -> Result<(), Stop> {
        let at = footer.directory_at();
        let mut bytes = [0; DIRECTORY_HEAD_LEN];
        self.read_exact_at(at, &mut bytes)?;
        let (head, blank) = DirectoryHead::parse(&bytes).map_err(|error| self.damaged(at, error))?;
        let mut computed = crc.update(0, &blank);
        for _ in 0..footer.count {
            let entry_at = self.position();
            let mut bytes = [0; ENTRY_LEN];
            self.read_next(&mut bytes)?;
            computed = crc.update(computed, &bytes);
            entry(entry_at, DirectoryEntry::parse(&bytes));
        }
        if head.count != footer.count {
            let error = FormatError::Directory { stored: head.count, expected: footer.count };
            return Err(self.damaged(at.wrapping_add(DIRECTORY_COUNT_AT), error));
        }
        if computed != head.crc {
            let error = FormatError::StructureCrc { of: Structure::Directory, stored: head.crc, computed };
            return Err(self.damaged(at.wrapping_add(DIRECTORY_CRC_AT), error));
        }
        Ok(())
    }

    /// Checks that every entry of the directory, which was read before, points to a unit of its name and instance (Q33).
    /// As many entries as fit into `scratch` are read at a time, so that a medium is not sent to and fro for each.
    pub fn check_directory(
        &mut self,
        footer: &Footer,
        crc: &mut impl Crc32,
        name: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), Stop> {
        let mut one = [0; ENTRY_LEN];
        let room = match scratch.as_chunks_mut().0 {
            [] => core::slice::from_mut(&mut one),
            room => room,
        };
        let mut at = footer.directory_at().wrapping_add(DIRECTORY_HEAD_LEN as u64);
        let mut left = footer.count as usize;
        while left > 0 {
            let n = room.len().min(left);
            let entries = room.get_mut(..n).unwrap_or_default();
            self.read_exact_at(at, entries.as_flattened_mut())?;
            for bytes in &*entries {
                let entry = DirectoryEntry::parse(bytes);
                if entry.offset != 0 && self.entry_unit(&entry, crc, name)?.is_none() {
                    return Err(self.damaged(at, FormatError::DirectoryEntry { found: entry.offset }));
                }
                at = at.wrapping_add(ENTRY_LEN as u64);
            }
            left = left.saturating_sub(n.max(1));
        }
        Ok(())
    }

    /// The unit that an entry points to, with its name in `name`; `None` if that is not its unit.
    fn entry_unit(
        &mut self,
        entry: &DirectoryEntry,
        crc: &mut impl Crc32,
        name: &mut [u8],
    ) -> Result<Option<Located>, Stop> {
        self.go(entry.offset)?;
        let mut walk = Walk::new(&mut *crc);
        walk.trust();
        let unit = match walk.next(self, name) {
            Ok(unit) => unit,
            Err(Stop) if self.forgive_damage() => None,
            Err(Stop) => return Err(Stop),
        };
        let is_it = |unit: &Located| {
            let name_crc = crc.update(0, unit.name(name).unwrap_or(&[]));
            (unit.instance, name_crc) == (entry.instance, entry.name_crc)
        };
        Ok(unit.filter(is_it))
    }

    /// The final unit of this name and instance, by the directory; `None` if it is not in there. Fails where directory and
    /// unit do not fit.
    pub fn find_by_directory(
        &mut self,
        footer: &Footer,
        crc: &mut impl Crc32,
        wanted: (&[u8], u32),
        name: &mut [u8],
    ) -> Result<Option<Located>, Stop> {
        let wanted_crc = crc.update(0, wanted.0);
        let mut found = None;
        self.directory(footer, crc, &mut |at, entry| {
            let is_it = (entry.instance, entry.name_crc) == (wanted.1, wanted_crc);
            // An offset of 0 (Q33) points to no unit, so that whoever seeks it goes through the file.
            if is_it && (entry.offset != 0 || found.is_none()) {
                found = Some((at, entry));
            }
        })?;
        let Some((at, entry)) = found else {
            return Ok(None);
        };
        match self.entry_unit(&entry, crc, name)? {
            Some(unit) => Ok(Some(unit)),
            None => Err(self.damaged(at, FormatError::DirectoryEntry { found: entry.offset })),
        }
    }

    /// What stands at `offset` of a 2.0 file, its checksums over the stream not looked at: a unit, or `None` for the end.
    pub fn stream_unit_at(
        &mut self,
        offset: u64,
        crc: &mut impl Crc32,
        name: &mut [u8],
    ) -> Result<Option<(Located, RecordCounts)>, Stop> {
        self.go(offset.max(STREAM_HEADER_LEN as u64))?;
        let mut walk = Walk::new(&mut *crc);
        walk.trust();
        match walk.next(self, name)? {
            Some(mut unit) => {
                let records = self.measure_unit(&mut walk, &mut unit)?;
                Ok(Some((unit, records)))
            }
            None => Ok(None),
        }
    }

    /// What a unit header says that the checksum over all before it is.
    pub fn stream_crc_at(&mut self, unit: &Located) -> Result<u32, Stop> {
        let mut bytes = [0; STREAM_UNIT_LEN];
        self.read_exact_at(unit.offset, &mut bytes)?;
        match StreamMark::parse(&bytes) {
            Ok(StreamMark::Unit(header) | StreamMark::End(header)) => Ok(header.stream_crc),
            Err(error) => Err(self.damaged(unit.offset, error)),
        }
    }

    /// Finds the end of a unit, going from record to record.
    fn measure_unit(&mut self, walk: &mut Walk<impl Crc32>, unit: &mut Located) -> Result<RecordCounts, Stop> {
        let mut counts = RecordCounts::default();
        let mut at = unit.data_at;
        loop {
            self.go(at)?;
            let record = walk.record(self)?;
            let record = record.map_err(|error| self.damaged(at, error))?;
            at = self.position().saturating_add(record.len.into());
            if at > self.len() {
                let found = self.len().wrapping_sub(self.position());
                let error = FormatError::Truncated { needed: record.len.into(), found };
                return Err(self.damaged(self.position(), error));
            }
            let mut kib = [0];
            if matches!(record.kind, RecordKind::Lzf | RecordKind::Zero) && record.len > 0 {
                self.read_next(&mut kib)?;
            }
            counts.plain = counts.plain.saturating_add(record.plain(kib[0]).into());
            let count = match record.kind {
                RecordKind::Raw => &mut counts.raw,
                RecordKind::Lzf => &mut counts.lzf,
                RecordKind::Zero => &mut counts.zero,
                RecordKind::Terminator => {
                    unit.end = at;
                    return Ok(counts);
                }
            };
            *count = count.saturating_add(1);
            counts.is_optional |= !record.important;
        }
    }
}
