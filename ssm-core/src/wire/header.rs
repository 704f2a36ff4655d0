//! The file header: what it says in all formats, and its four layouts of 1.x (SPEC.md, "Header").

use super::streamed::is_stream;
use super::{FormatError, HeaderField, field, set_field};
use crate::copy::copy;

/// Bytes of the magic, padding included.
const MAGIC_LEN: u64 = 32;
/// Where the size field starts; the CRC field follows it. These 12 bytes are the commit point of a save.
pub(crate) const SIZE_AT: u64 = 32;
/// Where CRC coverage starts in every layout (Q1).
pub(crate) const CRC_FROM: u64 = 44;
/// Bytes to read before [`Header::parse`]: the longest header. Every genuine file is longer (Q18).
pub(crate) const HEADER_PROBE: usize = 80;

/// The magic of the format that is written; the others differ in one digit.
const MAGIC: [u8; 32] = *b"\x7fVirtualBox SavedState V1.2\n\0\0\0\0";
/// Bytes of the magic before the `V`.
const STEM_LEN: usize = 23;
const END_RECORD: u64 = 28;

/// The formats that are read here. [`Format::V1_2`] and [`Format::V2_0`] are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Format {
    /// 1.0 (January to August 2007), from 32-bit hosts with a header of 60 bytes, from 64-bit hosts of 64.
    V1_0,
    /// 1.1 (until December 2008).
    V1_1,
    /// 1.2 (2.1.0 to 3.0.x).
    V1_2,
    /// 2.0 (since 3.1.0): written front to back, nothing is patched.
    V2_0,
}

impl Format {
    /// The number as text, such as `"1.2"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::V1_0 => "1.0",
            Format::V1_1 => "1.1",
            Format::V1_2 => "1.2",
            Format::V2_0 => "2.0",
        }
    }

    /// Whether the file is written and can be read front to back: 2.0.
    pub const fn is_streamed(self) -> bool {
        matches!(self, Format::V2_0)
    }
}

/// What only the header of a 2.0 file says (SPEC.md, "Header of 2.0").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct StreamFields {
    /// Units that were registered with the writer, the built-in ones included; not what the file holds.
    pub units: u32,
    /// Whether the checksums over the stream are there.
    pub is_checked: bool,
    /// Whether the machine ran while a part was saved: units come several times, once per pass.
    pub is_live: bool,
    /// The largest block that the writer packs, in bytes: 1024 to 4096 in steps of 256. Readers allow 4096 always.
    pub max_block: u32,
}

/// The version of the program that wrote a file (formats 1.2 and 2.0).
///
/// Writers keep to major 1 to 1000, minor to 1000, build to 1048576, revision 1 to 10000000, as the strictest of the
/// original readers demands (Q11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WriterVersion {
    /// Major version, 1 to 1000.
    pub major: u16,
    /// Minor version, 0 to 1000 when written.
    pub minor: u16,
    /// Build, 0 to 1048576 when written.
    pub build: u32,
    /// Source revision, 1 to 10000000.
    pub revision: u32,
}

impl WriterVersion {
    /// The version of a program that does not say one.
    pub const UNSPECIFIED: Self = Self { major: 1, minor: 0, build: 0, revision: 1 };
}

/// What the header of a saved state says (SPEC.md, "Header").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Header {
    /// The format of the file.
    pub format: Format,
    /// The size field: bytes of the whole file. 2.0 has none: 0.
    pub file_len: u64,
    /// The CRC field: CRC-32 of the covered bytes (Q1); in 2.0 of the header alone.
    pub crc: u32,
    /// The program that wrote the file; `None` before 1.2.
    pub writer: Option<WriterVersion>,
    /// Pointer width of the host in bits, 32 or 64; `None` in 1.1.
    pub host_bits: Option<u8>,
    /// Width of a guest-physical address in bytes, 4 or 8; `None` in 1.1, where the reader sets it (Q8).
    pub gc_phys_bytes: Option<u8>,
    /// Width of a guest pointer in bytes, 4 or 8; `None` in 1.1, where the reader sets it (Q8).
    pub gc_ptr_bytes: Option<u8>,
    /// What only 2.0 says.
    pub stream: Option<StreamFields>,
}

impl Header {
    /// What a new file says unless told otherwise: an unspecified writer, 64 bits, addresses of 8 bytes. Whoever writes
    /// the file sets the format.
    pub const fn new() -> Self {
        Self {
            format: Format::V1_2,
            file_len: 0,
            crc: 0,
            writer: Some(WriterVersion::UNSPECIFIED),
            host_bits: Some(64),
            gc_phys_bytes: Some(8),
            gc_ptr_bytes: Some(8),
            stream: None,
        }
    }

    /// The same by this version of the writing program.
    pub const fn by(self, writer: WriterVersion) -> Self {
        Self { writer: Some(writer), ..self }
    }

    /// Bytes of the header itself: the first unit starts there. 60, 64 or 80.
    #[inline(never)]
    pub const fn len(&self) -> u64 {
        match (self.format, self.host_bits) {
            (Format::V1_0, Some(32)) => 60,
            (Format::V1_0 | Format::V1_1 | Format::V2_0, _) => 64,
            (Format::V1_2, _) => 80,
        }
    }

    /// A header is never empty.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Bytes that the CRC of a 1.x file covers, from offset 44 on. The end of the file is not among them (Q1).
    pub const fn crc_len(&self) -> u64 {
        self.file_len.saturating_sub(self.len())
    }

    /// The first byte of a 1.x file that no checksum covers; from here on only the structure can be checked (Q1).
    pub const fn uncovered_from(&self) -> u64 {
        CRC_FROM.saturating_add(self.crc_len())
    }

    /// Whether bytes up to `end` reach into what no checksum of a 1.x file covers.
    pub(crate) const fn is_uncovered(&self, end: u64) -> bool {
        !self.format.is_streamed() && end > self.uncovered_from()
    }

    /// Reads a header from the start of a file; `start` is its first 80 bytes, or all of it if it is shorter.
    /// Checks magic, version, widths, UUID and the fields of a stream; the size of a 1.x file is checked against the medium
    /// by [`check_size`](Self::check_size), the checksums by whoever reads the file.
    pub fn parse(start: &[u8]) -> Result<Header, FormatError> {
        if is_stream(start) {
            let header = Self::parse_stream(start)?;
            header.check_stream_fields()?;
            return Ok(header);
        }
        let mut padded = [0; HEADER_PROBE];
        copy(&mut padded, start);
        Self::parse_padded(&padded, start.len())
    }

    /// The same for a 1.x file of which `found` bytes are there, with zeros behind them.
    #[inline(never)]
    pub(crate) fn parse_padded(start: &[u8; HEADER_PROBE], found: usize) -> Result<Header, FormatError> {
        let stem = found.min(STEM_LEN);
        if start.get(..stem) != MAGIC.get(..stem) {
            return Err(FormatError::Magic);
        }
        let found = found as u64;
        if found < MAGIC_LEN {
            return Err(FormatError::Truncated { needed: MAGIC_LEN, found });
        }
        let is_whole = field(start, 23) == *b"V1." && field(start, 27) == *b"\n\0\0\0\0";
        let format = match field(start, 26) {
            [b'0'] if is_whole => Format::V1_0,
            [b'1'] if is_whole => Format::V1_1,
            [b'2'] if is_whole => Format::V1_2,
            _ => return Err(FormatError::Version { found: field(start, 24) }),
        };
        let u16_at = |at| u16::from_le_bytes(field(start, at));
        let u32_at = |at| u32::from_le_bytes(field(start, at));
        let mut header = Header {
            format,
            file_len: u64::from_le_bytes(field(start, SIZE_AT as usize)),
            crc: u32_at(40),
            writer: None,
            host_bits: None,
            gc_phys_bytes: None,
            gc_ptr_bytes: None,
            stream: None,
        };
        match format {
            Format::V1_0 => {
                // Q4: in the 64-bit layout these bytes are the end of the nil UUID, in the other the first unit's magic.
                header.host_bits = Some(if u32_at(60) != 0 { 32 } else { 64 });
                header.gc_phys_bytes = Some(4);
                header.gc_ptr_bytes = Some(4);
            }
            Format::V1_1 | Format::V2_0 => {}
            Format::V1_2 => {
                header.writer = Some(WriterVersion {
                    major: u16_at(64),
                    minor: u16_at(66),
                    build: u32_at(68),
                    revision: u32_at(72),
                });
                let [host_bits, gc_phys_bytes, gc_ptr_bytes] = field(start, 76);
                header.host_bits = Some(host_bits);
                header.gc_phys_bytes = Some(gc_phys_bytes);
                header.gc_ptr_bytes = Some(gc_ptr_bytes);
            }
        }
        let needed = header.len().saturating_add(END_RECORD);
        if found < needed.min(HEADER_PROBE as u64) {
            return Err(FormatError::Truncated { needed, found });
        }
        let uuid: [u8; 16] = field(start, if header.len() == 60 { 44 } else { 48 });
        header.check_fields(uuid == [0; 16])?;
        Ok(header)
    }

    pub(super) fn check_fields(&self, nil_uuid: bool) -> Result<(), FormatError> {
        if let Some(WriterVersion { major, revision, .. }) = self.writer {
            if !(1..=1000).contains(&major) {
                return Err(FormatError::Writer { field: HeaderField::Major, found: major.into(), max: 1000 });
            }
            if !(1..=10_000_000).contains(&revision) {
                return Err(FormatError::Writer { field: HeaderField::Revision, found: revision, max: 10_000_000 });
            }
        }
        match self.host_bits {
            None | Some(32 | 64) => {}
            Some(found) => {
                return Err(FormatError::Width { field: HeaderField::HostBits, found });
            }
        }
        match self.gc_phys_bytes {
            None | Some(4 | 8) => {}
            Some(found) => {
                return Err(FormatError::Width { field: HeaderField::GcPhysBytes, found });
            }
        }
        match self.gc_ptr_bytes {
            None | Some(4 | 8) => {}
            Some(found) => {
                return Err(FormatError::Width { field: HeaderField::GcPtrBytes, found });
            }
        }
        if nil_uuid { Ok(()) } else { Err(FormatError::Machine) }
    }

    /// Checks the size field against the medium's size in bytes.
    pub fn check_size(&self, actual: u64) -> Result<(), FormatError> {
        let needed = self.len().saturating_add(END_RECORD);
        if self.file_len != actual {
            Err(FormatError::Size { stored: self.file_len, actual })
        } else if actual < needed {
            Err(FormatError::Truncated { needed, found: actual })
        } else {
            Ok(())
        }
    }

    /// The 80 bytes of a 1.2 header; a field that an older format does not have becomes its default (64 bits, 8 bytes).
    pub(crate) fn emit(&self) -> [u8; 80] {
        let mut out = [0; 80];
        let writer = self.writer.unwrap_or(WriterVersion::UNSPECIFIED);
        set_field(&mut out, 0, MAGIC);
        set_field(&mut out, 32, self.file_len.to_le_bytes());
        set_field(&mut out, 40, self.crc.to_le_bytes());
        set_field(&mut out, 64, writer.major.to_le_bytes());
        set_field(&mut out, 66, writer.minor.to_le_bytes());
        set_field(&mut out, 68, writer.build.to_le_bytes());
        set_field(&mut out, 72, writer.revision.to_le_bytes());
        set_field(
            &mut out,
            76,
            [self.host_bits.unwrap_or(64), self.gc_phys_bytes.unwrap_or(8), self.gc_ptr_bytes.unwrap_or(8), 0],
        );
        out
    }

    /// The fields that make a file valid: size and CRC, the 12 bytes from [`SIZE_AT`] on.
    pub(crate) fn emit_commit(file_len: u64, crc: u32) -> [u8; 12] {
        let mut out = [0; 12];
        set_field(&mut out, 0, file_len.to_le_bytes());
        set_field(&mut out, 8, crc.to_le_bytes());
        out
    }

    /// Whether a writer may put these fields into a file: the ranges of the strictest original reader (Q11).
    pub(crate) fn check_writable(&self) -> Result<(), FormatError> {
        if let Some(WriterVersion { minor, build, .. }) = self.writer {
            if minor > 1000 {
                return Err(FormatError::Writer { field: HeaderField::Minor, found: minor.into(), max: 1000 });
            }
            if build > 1_048_576 {
                return Err(FormatError::Writer { field: HeaderField::Build, found: build, max: 1_048_576 });
            }
        }
        self.check_fields(true)
    }
}

impl Default for Header {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of an empty file written by the original system, with its end record.
    const NO_UNITS: [u8; 108] = *b"\x7fVirtualBox SavedState V1.2\n\0\0\0\0\
        \x6c\0\0\0\0\0\0\0\xe3\x2a\xcb\x20\0\0\0\0\
        \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
        \x02\0\0\0\x33\0\0\0\x14\xa0\0\0\x40\x08\x08\0\
        \nTheEnd\0\x1c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    #[test]
    fn parse_and_emit_are_inverse() {
        let header = Header::parse(&NO_UNITS).unwrap();
        assert_eq!(header.format, Format::V1_2);
        assert_eq!(header.file_len, 108);
        assert_eq!(header.writer, Some(WriterVersion { major: 2, minor: 0, build: 51, revision: 40980 }));
        assert_eq!((header.host_bits, header.gc_phys_bytes, header.gc_ptr_bytes), (Some(64), Some(8), Some(8)));
        assert_eq!(header.emit(), NO_UNITS[..80]);
        assert_eq!((header.len(), header.crc_len(), header.uncovered_from()), (80, 28, 72));
        header.check_size(108).unwrap();
        assert_eq!(header.check_size(109), Err(FormatError::Size { stored: 108, actual: 109 }));
    }

    #[test]
    fn every_prefix_is_refused() {
        for len in 0..80 {
            let error = Header::parse(&NO_UNITS[..len]).unwrap_err();
            assert!(matches!(error, FormatError::Truncated { .. }), "{len}: {error:?}");
        }
    }

    #[test]
    fn other_files_are_told_apart_from_short_ones() {
        assert_eq!(Header::parse(b"#!/bin/sh"), Err(FormatError::Magic));
        assert!(matches!(Header::parse(b"\x7fVirt"), Err(FormatError::Truncated { .. })));
        assert!(matches!(Header::parse(b""), Err(FormatError::Truncated { .. })));
        let mut newer = NO_UNITS;
        newer[24..27].copy_from_slice(b"2.1");
        assert_eq!(Header::parse(&newer), Err(FormatError::Version { found: *b"2.1" }));
    }

    #[test]
    fn the_four_layouts() {
        let mut old = NO_UNITS;
        old[26] = b'1';
        let header = Header::parse(&old).unwrap();
        assert_eq!((header.format, header.len(), header.host_bits), (Format::V1_1, 64, None));
        old[26] = b'0';
        let header = Header::parse(&old).unwrap();
        assert_eq!((header.format, header.len(), header.host_bits), (Format::V1_0, 64, Some(64)));
        old[60..68].copy_from_slice(b"\nTheEnd\0");
        let header = Header::parse(&old).unwrap();
        assert_eq!((header.format, header.len(), header.host_bits), (Format::V1_0, 60, Some(32)));
    }

    #[test]
    fn fields_out_of_range() {
        let check = |at: usize, value: u8, kind: &str| {
            let mut bad = NO_UNITS;
            bad[at] = value;
            assert_eq!(Header::parse(&bad).unwrap_err().kind(), kind, "byte {at}");
        };
        check(65, 4, "writer");
        check(75, 1, "writer");
        check(76, 33, "width");
        check(77, 3, "width");
        check(78, 2, "width");
        check(55, 1, "machine");
        check(30, 1, "version");
        check(1, 0, "magic");
    }
}
