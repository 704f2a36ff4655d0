//! The header (SPEC.md, "Header of 2.0").

use crate::wire::{Format, FormatError, Header, HeaderField, StreamFields, WriterVersion, field, set_field};

/// Bytes of the header, and where its checksum is.
pub(crate) const STREAM_HEADER_LEN: usize = 64;
pub(crate) const STREAM_HEADER_CRC: usize = 60;

const MAGIC: &[u8; 32] = b"\x7fVirtualBox SavedState V2.0\n\0\0\0\0";

/// Whether a file that starts like this is of format 2.0.
pub(crate) fn is_stream(start: &[u8]) -> bool {
    start.first_chunk() == Some(MAGIC)
}

/// Why a file that starts like this is not of format 2.0.
pub(crate) fn not_a_stream(start: &[u8]) -> FormatError {
    let stem = MAGIC.get(..23).unwrap_or(MAGIC);
    if start.get(..23).unwrap_or(start) != stem.get(..start.len().min(23)).unwrap_or(stem) {
        return FormatError::Magic;
    }
    match (start.len(), field(start, 24)) {
        (..32, _) => FormatError::Truncated { needed: STREAM_HEADER_LEN as u64, found: start.len() as u64 },
        (_, found @ [b'1', b'.', b'0'..=b'2']) => FormatError::Patched { found },
        (_, found) => FormatError::Version { found },
    }
}

/// The checksum that a header says it has.
pub(crate) fn stored_header_crc(start: &[u8]) -> u32 {
    u32::from_le_bytes(field(start, STREAM_HEADER_CRC))
}

impl Header {
    /// Reads a header whose magic was seen. The writer's version and the widths are checked later (Q26).
    pub(crate) fn parse_stream(start: &[u8]) -> Result<Header, FormatError> {
        let Some(start) = start.first_chunk::<STREAM_HEADER_LEN>() else {
            return Err(FormatError::Truncated { needed: STREAM_HEADER_LEN as u64, found: start.len() as u64 });
        };
        let u16_at = |at| u16::from_le_bytes(field(start, at));
        let u32_at = |at| u32::from_le_bytes(field(start, at));
        let stream = StreamFields::parse(start)?;
        let writer = WriterVersion { major: u16_at(32), minor: u16_at(34), build: u32_at(36), revision: u32_at(40) };
        let [host_bits, gc_phys_bytes, gc_ptr_bytes] = field(start, 44);
        Ok(Header {
            format: Format::V2_0,
            file_len: 0,
            crc: u32_at(STREAM_HEADER_CRC),
            writer: Some(writer),
            host_bits: Some(host_bits),
            gc_phys_bytes: Some(gc_phys_bytes),
            gc_ptr_bytes: Some(gc_ptr_bytes),
            stream: Some(stream),
        })
    }

    /// Checks the writer's version and the widths, as strictly as a writer's fields (Q26).
    pub(crate) fn check_stream_fields(&self) -> Result<(), FormatError> {
        self.check_writable()
    }

    /// The 64 bytes of a 2.0 header without its checksum, which goes to [`STREAM_HEADER_CRC`].
    pub(crate) fn emit_stream(&self, stream: &StreamFields) -> [u8; STREAM_HEADER_LEN] {
        let mut out = [0; STREAM_HEADER_LEN];
        set_field(&mut out, 0, *MAGIC);
        let patched = self.emit();
        set_field(&mut out, 32, field::<16>(&patched, 64));
        set_field(&mut out, 48, stream.units.to_le_bytes());
        let flags = u32::from(stream.is_checked) | u32::from(stream.is_live) << 1;
        set_field(&mut out, 52, flags.to_le_bytes());
        set_field(&mut out, 56, stream.max_block.to_le_bytes());
        out
    }
}

impl StreamFields {
    fn parse(start: &[u8; STREAM_HEADER_LEN]) -> Result<Self, FormatError> {
        let u32_at = |at| u32::from_le_bytes(field(start, at));
        let bad = |field, found| Err(FormatError::Stream { field, found });
        let reserved = u8::from_le_bytes(field(start, 47));
        let (flags, max_block) = (u32_at(52), u32_at(56));
        if reserved != 0 {
            return bad(HeaderField::Reserved, reserved.into());
        }
        if flags > 3 {
            return bad(HeaderField::Flags, flags);
        }
        if !(1024..=4096).contains(&max_block) || max_block & 255 != 0 {
            return bad(HeaderField::Block, max_block);
        }
        Ok(Self { units: u32_at(48), is_checked: flags & 1 != 0, is_live: flags & 2 != 0, max_block })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of a file without units, written by the original system.
    const STREAM: [u8; 64] = *b"\x7fVirtualBox SavedState V2.0\n\0\0\0\0\
        \x06\0\x01\0\x61\0\0\0\x14\xa0\0\0\x40\x08\x08\0\
        \0\0\0\0\x01\0\0\0\0\x10\0\0CRC!";

    #[test]
    fn a_stream() {
        let header = Header::parse(&STREAM).unwrap();
        assert_eq!((header.format, header.len(), header.file_len), (Format::V2_0, 64, 0));
        assert_eq!(header.writer, Some(WriterVersion { major: 6, minor: 1, build: 97, revision: 40980 }));
        let stream = StreamFields { units: 0, is_checked: true, is_live: false, max_block: 4096 };
        assert_eq!(header.stream, Some(stream));
        assert_eq!(header.emit_stream(&stream)[..60], STREAM[..60]);
        for len in 0..64 {
            assert!(matches!(Header::parse(&STREAM[..len]), Err(FormatError::Truncated { .. })), "{len}");
        }
        let with = |at: usize, value: u8| {
            let mut bad = STREAM;
            bad[at] = value;
            Header::parse(&bad).unwrap_err()
        };
        assert_eq!(with(47, 1), FormatError::Stream { field: HeaderField::Reserved, found: 1 });
        assert_eq!(with(52, 4), FormatError::Stream { field: HeaderField::Flags, found: 4 });
        assert_eq!(with(56, 1), FormatError::Stream { field: HeaderField::Block, found: 4097 });
        assert_eq!(with(57, 32), FormatError::Stream { field: HeaderField::Block, found: 8192 });
        assert_eq!(with(35, 4).kind(), "writer");
        assert_eq!(with(45, 5), FormatError::Width { field: HeaderField::GcPhysBytes, found: 5 });
    }
}
