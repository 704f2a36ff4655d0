//! Unit headers and the end unit (SPEC.md, "Units of 2.0").

use crate::wire::{FormatError, field, set_field};

/// Bytes of a unit header before the name; the whole end unit.
pub(crate) const STREAM_UNIT_LEN: usize = 44;
/// Where its fields are that errors point to, and its checksum.
pub(crate) const UNIT_OFFSET_AT: u64 = 8;
pub(crate) const UNIT_STREAM_CRC_AT: u64 = 16;
pub(crate) const UNIT_CRC_AT: usize = 20;
pub(crate) const UNIT_PASS_AT: u64 = 32;
pub(crate) const UNIT_FLAGS_AT: u64 = 36;
pub(crate) const UNIT_NAME_LEN_AT: u64 = 40;
/// Bytes of the longest name with its NUL.
const STREAM_NAME_MAX: u32 = 48;
/// The pass that is not a live one.
pub(crate) const FINAL_PASS: u32 = u32::MAX;

const UNIT: [u8; 8] = *b"\nUnit\n\0\0";
const END: [u8; 8] = *b"\nTheEnd\0";

/// The fixed part of a unit header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamUnit {
    /// Where the header stands in the file.
    pub offset: u64,
    /// CRC-32 of all before the header; 0 in a stream without checksums.
    pub stream_crc: u32,
    /// CRC-32 of header and name.
    pub crc: u32,
    pub version: u32,
    pub instance: u32,
    pub pass: u32,
    pub flags: u32,
    /// Bytes of the name with its NUL.
    pub name_len: u32,
}

/// What stands where a unit may start. Its fields are not checked yet: see [`StreamUnit::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamMark {
    Unit(StreamUnit),
    End(StreamUnit),
}

impl StreamMark {
    pub fn parse(bytes: &[u8; STREAM_UNIT_LEN]) -> Result<Self, FormatError> {
        let u32_at = |at| u32::from_le_bytes(field(bytes, at));
        let unit = StreamUnit {
            offset: u64::from_le_bytes(field(bytes, 8)),
            stream_crc: u32_at(16),
            crc: u32_at(UNIT_CRC_AT),
            version: u32_at(24),
            instance: u32_at(28),
            pass: u32_at(32),
            flags: u32_at(36),
            name_len: u32_at(40),
        };
        let found = field(bytes, 0);
        if found == END {
            return Ok(StreamMark::End(unit));
        }
        if found != UNIT {
            return Err(FormatError::UnitMagic { found });
        }
        if unit.name_len > STREAM_NAME_MAX {
            return Err(FormatError::UnitName { found: unit.name_len });
        }
        Ok(StreamMark::Unit(unit))
    }
}

impl StreamUnit {
    /// Checks the place and the flags, which comes after the header's checksum.
    pub fn check(&self, offset: u64, stream_crc: u32) -> Result<(), FormatError> {
        if self.offset != offset {
            Err(FormatError::UnitOffset { found: self.offset })
        } else if self.stream_crc != stream_crc {
            Err(FormatError::Crc { stored: self.stream_crc, computed: stream_crc })
        } else if self.flags != 0 {
            Err(FormatError::UnitFlags { found: self.flags })
        } else {
            Ok(())
        }
    }

    /// Checks the fields that an end unit has no use for.
    pub fn check_end(&self) -> Result<(), FormatError> {
        let sound = self.version == 0 && self.instance == 0 && self.pass == FINAL_PASS && self.name_len == 0;
        if sound { Ok(()) } else { Err(FormatError::EndUnit) }
    }

    /// The header without its checksum, which goes to [`UNIT_CRC_AT`]; with no name that of the end unit.
    pub fn emit(&self) -> [u8; STREAM_UNIT_LEN] {
        let mut out = [0; STREAM_UNIT_LEN];
        set_field(&mut out, 0, if self.name_len == 0 { END } else { UNIT });
        set_field(&mut out, 8, self.offset.to_le_bytes());
        set_field(&mut out, 16, self.stream_crc.to_le_bytes());
        set_field(&mut out, 24, self.version.to_le_bytes());
        set_field(&mut out, 28, self.instance.to_le_bytes());
        set_field(&mut out, 32, self.pass.to_le_bytes());
        set_field(&mut out, 36, self.flags.to_le_bytes());
        set_field(&mut out, 40, self.name_len.to_le_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; 44] = *b"\nUnit\n\0\0\x40\0\0\0\0\0\0\0\x11\x22\x33\x44\0\0\0\0\
        \x01\0\0\0\x07\0\0\0\xff\xff\xff\xff\0\0\0\0\x04\0\0\0";

    #[test]
    fn parse_and_emit_are_inverse() {
        let Ok(StreamMark::Unit(unit)) = StreamMark::parse(&HEADER) else { panic!("no unit") };
        assert_eq!((unit.offset, unit.stream_crc, unit.crc), (64, 0x4433_2211, 0));
        assert_eq!((unit.version, unit.instance, unit.pass, unit.name_len), (1, 7, FINAL_PASS, 4));
        assert_eq!(unit.emit(), HEADER);
        assert_eq!(unit.check(64, 0x4433_2211), Ok(()));
        assert_eq!(unit.check(65, 0x4433_2211), Err(FormatError::UnitOffset { found: 64 }));
        assert_eq!(unit.check(64, 5).unwrap_err().kind(), "crc");
        assert_eq!(StreamUnit { flags: 1, ..unit }.check(64, 0x4433_2211).unwrap_err().kind(), "unit-flags");
    }

    #[test]
    fn the_end_unit() {
        let end = StreamUnit { name_len: 0, version: 0, instance: 0, ..unit(HEADER) };
        let bytes = end.emit();
        assert_eq!(bytes[..8], *b"\nTheEnd\0");
        assert_eq!(StreamMark::parse(&bytes), Ok(StreamMark::End(end)));
        assert_eq!(end.check_end(), Ok(()));
        for other in [
            StreamUnit { version: 1, ..end },
            StreamUnit { instance: 1, ..end },
            StreamUnit { pass: 0, ..end },
            StreamUnit { name_len: 1, ..end },
        ] {
            assert_eq!(other.check_end(), Err(FormatError::EndUnit));
        }
    }

    #[test]
    fn magic_and_length_of_the_name() {
        let with = |at: usize, value: u8| {
            let mut bytes = HEADER;
            bytes[at] = value;
            StreamMark::parse(&bytes).unwrap_err().kind()
        };
        assert_eq!(with(0, 0), "unit-magic");
        assert_eq!(with(7, 1), "unit-magic");
        assert_eq!(with(40, 49), "unit-name");
        assert_eq!(with(43, 1), "unit-name");
    }

    fn unit(bytes: [u8; 44]) -> StreamUnit {
        match StreamMark::parse(&bytes) {
            Ok(StreamMark::Unit(unit) | StreamMark::End(unit)) => unit,
            Err(error) => panic!("{error}"),
        }
    }
}
