//! A 2.0 file that is read front to back: its header, its units' headers, directory and footer, and the checksum over all.

use crate::crc32::{Crc32, RunningCrc, crc_with_hole};
use crate::io::Stop;
use crate::medium::{Located, Medium};
use crate::wire::streamed::{
    DIRECTORY_COUNT_AT, DIRECTORY_CRC_AT, DIRECTORY_HEAD_LEN, DirectoryEntry, DirectoryHead, ENTRY_LEN, FINAL_PASS,
    FOOTER_LEN, Footer, MAX_RECORD_HEAD, Record, STREAM_HEADER_CRC, STREAM_HEADER_LEN, STREAM_UNIT_LEN, StreamMark,
    UNIT_CRC_AT, UNIT_FLAGS_AT, UNIT_NAME_LEN_AT, UNIT_OFFSET_AT, UNIT_PASS_AT, UNIT_STREAM_CRC_AT, is_stream,
    not_a_stream, size_bytes, stored_header_crc,
};
use crate::wire::{FormatError, Header, Structure};
use embedded_io::Read;

mod seek;

pub use seek::RecordCounts;

/// A way through a file.
pub(crate) struct Walk<C> {
    crc: RunningCrc<C>,
    /// Whether the checksum over the stream is there and is compared.
    is_checked: bool,
    /// The live pass that came last.
    pass: Option<u32>,
}

impl<C: Crc32> Walk<C> {
    pub fn new(crc: C) -> Self {
        Self { crc: RunningCrc::new(crc), is_checked: true, pass: None }
    }

    /// The checksum so far; `None` where it is not computed.
    pub fn stream_crc(&self) -> Option<u32> {
        self.is_checked.then_some(self.crc.value())
    }

    pub fn crc32(&mut self) -> &mut C {
        self.crc.crc32()
    }

    /// The way begins again, and the checksum over the stream is not looked at: it was before.
    pub fn trust(&mut self) {
        (self.is_checked, self.pass) = (false, None);
    }

    /// Goes on with this checksum, in a file that has checksums.
    pub fn prime(&mut self, header: &Header, stream_crc: u32) {
        self.is_checked = header.stream.is_some_and(|stream| stream.is_checked);
        self.crc.set(stream_crc);
    }

    /// Fills `into` with the next bytes of the file.
    pub fn take<R: Read>(&mut self, medium: &mut Medium<R>, into: &mut [u8]) -> Result<(), Stop> {
        medium.read_next(into)?;
        self.passed(into);
        Ok(())
    }

    /// Accounts for the next bytes of the file, which were read.
    pub fn passed(&mut self, bytes: &[u8]) {
        if self.is_checked {
            self.crc.append(bytes);
        }
    }

    /// Reads what the next record starts with; the inner error is that of its bytes.
    pub fn record<R: Read>(&mut self, medium: &mut Medium<R>) -> Result<Result<Record, FormatError>, Stop> {
        let mut bytes = [0; MAX_RECORD_HEAD];
        let (start, rest) = bytes.split_at_mut(2);
        self.take(medium, start)?;
        let more = start.last().and_then(|first| size_bytes(*first)).unwrap_or(1).wrapping_sub(1);
        self.take(medium, rest.get_mut(..more).unwrap_or_default())?;
        Ok(Record::parse(bytes.get(..more.wrapping_add(2)).unwrap_or(&bytes)))
    }

    /// Reads the header of the file, whose first byte comes next. The writer's version and the widths are not checked.
    #[inline(never)]
    pub fn header<R: Read>(&mut self, medium: &mut Medium<R>) -> Result<Header, Stop> {
        let mut bytes = [0; STREAM_HEADER_LEN];
        let found = medium.read_up_to(&mut bytes)?;
        let start = bytes.get(..found).unwrap_or(&bytes);
        if !is_stream(start) {
            let error = not_a_stream(start);
            return Err(medium.damaged(error.header_offset(true), error));
        }
        let header = match found {
            STREAM_HEADER_LEN => {
                let computed = crc_with_hole(self.crc.crc32(), start, STREAM_HEADER_CRC, &[]);
                let stored = stored_header_crc(start);
                match computed == stored {
                    true => Header::parse_stream(start),
                    false => Err(FormatError::StructureCrc { of: Structure::Header, stored, computed }),
                }
            }
            _ => Header::parse_stream(start),
        };
        let header = header.map_err(|error| match error {
            FormatError::Truncated { .. } => medium.damaged(0, error),
            error => medium.damaged(error.header_offset(true), error),
        })?;
        self.prime(&header, 0);
        medium.has_stream_crc = self.is_checked;
        self.crc.append(start);
        Ok(header)
    }

    /// Reads the header of the next unit, and its name with the NUL into `name`, of 48 bytes or more; `None` at the end
    /// unit.
    #[inline(never)]
    pub fn next<R: Read>(&mut self, medium: &mut Medium<R>, name: &mut [u8]) -> Result<Option<Located>, Stop> {
        let offset = medium.position();
        let stream_crc = self.stream_crc();
        let mut bytes = [0; STREAM_UNIT_LEN];
        self.take(medium, &mut bytes)?;
        let (unit, is_end) = match StreamMark::parse(&bytes) {
            Ok(StreamMark::Unit(unit)) => (unit, false),
            Ok(StreamMark::End(unit)) if unit.name_len == 0 => (unit, true),
            Ok(StreamMark::End(_)) => return Err(medium.damaged(offset, FormatError::EndUnit)),
            Err(error @ FormatError::UnitName { .. }) => {
                return Err(medium.damaged(offset.wrapping_add(UNIT_NAME_LEN_AT), error));
            }
            Err(error) => return Err(medium.damaged(offset, error)),
        };
        let name = name.get_mut(..unit.name_len as usize).unwrap_or_default();
        self.take(medium, name)?;
        let bad_name = FormatError::UnitName { found: unit.name_len };
        let nul = name.iter().position(|byte| *byte == 0).map_or(0, |at| at.wrapping_add(1));
        if nul != name.len() {
            return Err(medium.damaged(offset.wrapping_add(STREAM_UNIT_LEN as u64), bad_name));
        }
        let computed = crc_with_hole(self.crc.crc32(), &bytes, UNIT_CRC_AT, name);
        if computed != unit.crc {
            let error = FormatError::StructureCrc { of: Structure::Unit, stored: unit.crc, computed };
            return Err(medium.damaged(offset.wrapping_add(UNIT_CRC_AT as u64), error));
        }
        let unchecked = if medium.has_stream_crc { unit.stream_crc } else { 0 };
        if let Err(error) = unit.check(offset, stream_crc.unwrap_or(unchecked)) {
            let field = match error {
                FormatError::UnitOffset { .. } => UNIT_OFFSET_AT,
                FormatError::Crc { .. } => UNIT_STREAM_CRC_AT,
                _ => UNIT_FLAGS_AT,
            };
            return Err(medium.damaged(offset.wrapping_add(field), error));
        }
        if is_end {
            return match unit.check_end() {
                Ok(()) => Ok(None),
                Err(error) => Err(medium.damaged(offset, error)),
            };
        }
        if name.len() < 2 {
            return Err(medium.damaged(offset.wrapping_add(UNIT_NAME_LEN_AT), bad_name));
        }
        let pass = (unit.pass != FINAL_PASS).then_some(unit.pass);
        if pass.is_some() {
            if pass < self.pass {
                return Err(
                    medium.damaged(offset.wrapping_add(UNIT_PASS_AT), FormatError::PassOrder { found: unit.pass })
                );
            }
            self.pass = pass;
        }
        let (version, instance, name_len) = (unit.version, unit.instance, unit.name_len);
        let data_at = medium.position();
        Ok(Some(Located { offset, data_at, end: 0, version, instance, name_len, pass }))
    }

    /// Reads the directory and the footer, with which the file ends.
    #[inline(never)]
    pub fn end<R: Read>(&mut self, medium: &mut Medium<R>, header: &Header) -> Result<Footer, Stop> {
        let at = medium.position();
        let mut bytes = [0; DIRECTORY_HEAD_LEN];
        self.take(medium, &mut bytes)?;
        let (head, blank) = DirectoryHead::parse(&bytes).map_err(|error| medium.damaged(at, error))?;
        let mut computed = self.crc.crc32().update(0, &blank);
        let revision = header.writer.map_or(0, |writer| writer.revision);
        let mut bad_entry = None;
        for _ in 0..head.count {
            let entry_at = medium.position();
            let mut bytes = [0; ENTRY_LEN];
            self.take(medium, &mut bytes)?;
            computed = self.crc.crc32().update(computed, &bytes);
            if let (None, Err(error)) = (bad_entry, DirectoryEntry::parse(&bytes).check(at, revision)) {
                bad_entry = Some((entry_at, error));
            }
        }
        if computed != head.crc {
            let error = FormatError::StructureCrc { of: Structure::Directory, stored: head.crc, computed };
            return Err(medium.damaged(at.wrapping_add(DIRECTORY_CRC_AT), error));
        }
        if let Some((at, error)) = bad_entry {
            return Err(medium.damaged(at, error));
        }
        let computed = self.stream_crc();
        let footer = footer(medium, self.crc.crc32())?;
        if let Some(computed) = computed
            && computed != footer.stream_crc
        {
            let error = FormatError::Crc { stored: footer.stream_crc, computed };
            return Err(medium.damaged(footer.offset.wrapping_add(Footer::STREAM_CRC_AT), error));
        }
        if head.count != footer.count {
            let error = FormatError::Directory { stored: head.count, expected: footer.count };
            return Err(medium.damaged(at.wrapping_add(DIRECTORY_COUNT_AT), error));
        }
        Ok(footer)
    }
}

/// Reads the footer, whose first byte comes next, and checks all of it but the checksum over the stream.
#[inline(never)]
pub(crate) fn footer<R: Read>(medium: &mut Medium<R>, crc: &mut impl Crc32) -> Result<Footer, Stop> {
    let at = medium.position();
    let mut bytes = [0; FOOTER_LEN];
    medium.read_next(&mut bytes)?;
    let footer = Footer::parse(&bytes, at).map_err(|error| medium.damaged(at, error))?;
    let computed = crc_with_hole(crc, &bytes, Footer::CRC_AT, &[]);
    if computed != footer.crc {
        let error = FormatError::StructureCrc { of: Structure::Footer, stored: footer.crc, computed };
        return Err(medium.damaged(at.wrapping_add(Footer::CRC_AT as u64), error));
    }
    if !medium.has_stream_crc && footer.stream_crc != 0 {
        let error = FormatError::Crc { stored: footer.stream_crc, computed: 0 };
        return Err(medium.damaged(at.wrapping_add(Footer::STREAM_CRC_AT), error));
    }
    Ok(footer)
}
