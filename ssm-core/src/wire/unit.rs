//! Unit headers and the end record (SPEC.md, "Units").

use core::ops::RangeInclusive;

use super::{FormatError, field, set_field};

/// The longest name that is read from a file, in bytes without its NUL.
pub const MAX_FILE_NAME: usize = 255;
/// Bytes of a unit header before the name; the whole end record.
pub(crate) const UNIT_HEADER_LEN: usize = 28;
/// Where the length field stands in a unit header; it is patched after the data was written.
pub(crate) const UNIT_LEN_AT: u64 = 8;

/// What the length of a name may be, its NUL included.
const NAME_LEN: RangeInclusive<u32> = 2..=MAX_FILE_NAME as u32 + 1;

const UNIT: [u8; 8] = *b"\nUnit\n\0\0";
const END: [u8; 8] = *b"\nTheEnd\0";

/// The fixed part of a unit header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UnitHeader {
    /// Bytes of header, name, NUL and packed data.
    pub len: u64,
    pub version: u32,
    pub instance: u32,
    /// Bytes of the name with its NUL.
    pub name_len: u32,
}

/// What stands where a unit may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Unit(UnitHeader),
    /// Its other fields may hold anything (Q13).
    End,
}

impl Mark {
    /// `room` is the number of bytes from the header's first byte to the end of the file.
    pub fn parse(bytes: &[u8; UNIT_HEADER_LEN], room: u64) -> Result<Mark, FormatError> {
        let magic = field(bytes, 0);
        if magic == END {
            return Ok(Mark::End);
        }
        if magic != UNIT {
            return Err(FormatError::UnitMagic { found: magic });
        }
        let u32_at = |at| u32::from_le_bytes(field(bytes, at));
        let unit = UnitHeader {
            len: u64::from_le_bytes(field(bytes, 8)),
            version: u32_at(16),
            instance: u32_at(20),
            name_len: u32_at(24),
        };
        // Q15: the original readers trusted both lengths.
        if !NAME_LEN.contains(&unit.name_len) {
            return Err(FormatError::UnitName { found: unit.name_len });
        }
        let (min, max) = (unit.data_from(), room.saturating_sub(UNIT_HEADER_LEN as u64));
        if !(min..=max).contains(&unit.len) {
            return Err(FormatError::UnitLength { found: unit.len, min, max });
        }
        Ok(Mark::Unit(unit))
    }
}

impl UnitHeader {
    /// Where the packed data starts, counted from the header's first byte.
    pub fn data_from(&self) -> u64 {
        u64::from(self.name_len).saturating_add(UNIT_HEADER_LEN as u64)
    }

    pub fn emit(&self) -> [u8; UNIT_HEADER_LEN] {
        emit(UNIT, self)
    }

    pub fn emit_end() -> [u8; UNIT_HEADER_LEN] {
        emit(END, &UnitHeader { len: UNIT_HEADER_LEN as u64, version: 0, instance: 0, name_len: 0 })
    }
}

fn emit(magic: [u8; 8], unit: &UnitHeader) -> [u8; UNIT_HEADER_LEN] {
    let mut out = [0; UNIT_HEADER_LEN];
    set_field(&mut out, 0, magic);
    set_field(&mut out, 8, unit.len.to_le_bytes());
    set_field(&mut out, 16, unit.version.to_le_bytes());
    set_field(&mut out, 20, unit.instance.to_le_bytes());
    set_field(&mut out, 24, unit.name_len.to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; 28] = *b"\nUnit\n\0\0\x42\0\0\0\0\0\0\0\x01\0\0\0\x07\0\0\0\x04\0\0\0";

    #[test]
    fn parse_and_emit_are_inverse() {
        let Mark::Unit(unit) = Mark::parse(&HEADER, 94).unwrap() else { panic!("an end record") };
        assert_eq!(unit, UnitHeader { len: 66, version: 1, instance: 7, name_len: 4 });
        assert_eq!(unit.data_from(), 32);
        assert_eq!(unit.emit(), HEADER);
    }

    #[test]
    fn lengths_are_bounded_before_use() {
        assert_eq!(Mark::parse(&HEADER, 93), Err(FormatError::UnitLength { found: 66, min: 32, max: 65 }));
        let with = |at: usize, bytes: &[u8]| {
            let mut header = HEADER;
            header[at..at + bytes.len()].copy_from_slice(bytes);
            Mark::parse(&header, 1 << 20).unwrap_err().kind()
        };
        assert_eq!(with(8, &[31, 0, 0, 0, 0, 0, 0, 0]), "unit-length");
        assert_eq!(with(8, &[0; 8]), "unit-length");
        assert_eq!(with(8, &[0xff; 8]), "unit-length");
        assert_eq!(with(24, &[0; 4]), "unit-name");
        assert_eq!(with(24, &[1, 0, 0, 0]), "unit-name");
        assert_eq!(with(24, &[1, 1, 0, 0]), "unit-name");
        assert_eq!(with(24, &[0xff; 4]), "unit-name");
        assert_eq!(with(7, &[1]), "unit-magic");
    }

    #[test]
    fn the_end_record_may_hold_anything() {
        assert_eq!(UnitHeader::emit_end(), *b"\nTheEnd\0\x1c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        let mut end = [0xff; 28];
        end[..8].copy_from_slice(b"\nTheEnd\0");
        assert_eq!(Mark::parse(&end, 28), Ok(Mark::End));
    }
}
