//! The directory and the footer at the end of a file (SPEC.md, "Directory" and "Footer").

use crate::wire::{FormatError, field, set_field};

/// Bytes of the directory before its entries, of an entry, of the footer.
pub(crate) const DIRECTORY_HEAD_LEN: usize = 16;
pub(crate) const ENTRY_LEN: usize = 16;
pub(crate) const FOOTER_LEN: usize = 32;
/// Where the directory's checksum and the number of its entries are.
pub(crate) const DIRECTORY_CRC_AT: u64 = 8;
pub(crate) const DIRECTORY_COUNT_AT: u64 = 12;
/// The most entries that a directory may have.
pub(crate) const MAX_ENTRIES: u32 = 65535;

const DIRECTORY: [u8; 8] = *b"\nDir\n\0\0\0";
const FOOTER: [u8; 8] = *b"\nFooter\0";
/// The first revision whose writers never left an offset of 0 (Q33).
const FIRST_WITHOUT_ZERO: u32 = 53365;
const FIRST_UNIT: u64 = 64;

/// What the directory starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DirectoryHead {
    /// CRC-32 of the whole directory with this field as zeros.
    pub crc: u32,
    pub count: u32,
}

impl DirectoryHead {
    /// The head with its checksum as zeros comes back too, for whoever computes it.
    pub fn parse(bytes: &[u8; DIRECTORY_HEAD_LEN]) -> Result<(Self, [u8; DIRECTORY_HEAD_LEN]), FormatError> {
        if field(bytes, 0) != DIRECTORY {
            return Err(FormatError::DirectoryMagic);
        }
        let head = Self { crc: u32::from_le_bytes(field(bytes, 8)), count: u32::from_le_bytes(field(bytes, 12)) };
        if head.count > MAX_ENTRIES {
            return Err(FormatError::Directory { stored: head.count, expected: MAX_ENTRIES });
        }
        Ok((head, Self { crc: 0, ..head }.emit()))
    }

    pub fn emit(&self) -> [u8; DIRECTORY_HEAD_LEN] {
        let mut out = [0; DIRECTORY_HEAD_LEN];
        set_field(&mut out, 0, DIRECTORY);
        set_field(&mut out, 8, self.crc.to_le_bytes());
        set_field(&mut out, 12, self.count.to_le_bytes());
        out
    }
}

/// Where the last unit of a name and instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DirectoryEntry {
    /// The file offset of its header.
    pub offset: u64,
    pub instance: u32,
    /// CRC-32 of the name without its NUL.
    pub name_crc: u32,
}

impl DirectoryEntry {
    pub fn parse(bytes: &[u8; ENTRY_LEN]) -> Self {
        Self {
            offset: u64::from_le_bytes(field(bytes, 0)),
            instance: u32::from_le_bytes(field(bytes, 8)),
            name_crc: u32::from_le_bytes(field(bytes, 12)),
        }
    }

    /// `end` is the offset of the directory, `revision` that of the file's writer.
    pub fn check(&self, end: u64, revision: u32) -> Result<(), FormatError> {
        let sound = (FIRST_UNIT..end).contains(&self.offset) || (self.offset == 0 && revision < FIRST_WITHOUT_ZERO);
        if sound { Ok(()) } else { Err(FormatError::DirectoryEntry { found: self.offset }) }
    }

    pub fn emit(&self) -> [u8; ENTRY_LEN] {
        let mut out = [0; ENTRY_LEN];
        set_field(&mut out, 0, self.offset.to_le_bytes());
        set_field(&mut out, 8, self.instance.to_le_bytes());
        set_field(&mut out, 12, self.name_crc.to_le_bytes());
        out
    }
}

/// The last 32 bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    /// Where it stands.
    pub offset: u64,
    /// CRC-32 of all before it; 0 in a stream without checksums.
    pub stream_crc: u32,
    /// Entries of the directory.
    pub count: u32,
    /// CRC-32 of the footer with this field as zeros.
    pub crc: u32,
}

impl Footer {
    /// Where the footer's checksum is, and that of all before it.
    pub const CRC_AT: usize = 28;
    pub const STREAM_CRC_AT: u64 = 16;

    /// `offset` is where the bytes stand. The checksums are the caller's to compare; a count is checked after them.
    pub fn parse(bytes: &[u8; FOOTER_LEN], offset: u64) -> Result<Self, FormatError> {
        let u32_at = |at| u32::from_le_bytes(field(bytes, at));
        let footer = Self {
            offset: u64::from_le_bytes(field(bytes, 8)),
            stream_crc: u32_at(16),
            count: u32_at(20),
            crc: u32_at(Self::CRC_AT),
        };
        let sound = field(bytes, 0) == FOOTER
            && footer.offset == offset
            && u32_at(24) == 0
            && footer.count <= MAX_ENTRIES
            && footer.directory_at() >= FIRST_UNIT;
        if sound { Ok(footer) } else { Err(FormatError::Footer) }
    }

    /// Where the directory is.
    pub fn directory_at(&self) -> u64 {
        let len = (self.count as u64).wrapping_mul(ENTRY_LEN as u64).wrapping_add(DIRECTORY_HEAD_LEN as u64);
        self.offset.saturating_sub(len)
    }

    /// The footer without its checksum, which goes to [`CRC_AT`](Self::CRC_AT).
    pub fn emit(&self) -> [u8; FOOTER_LEN] {
        let mut out = [0; FOOTER_LEN];
        set_field(&mut out, 0, FOOTER);
        set_field(&mut out, 8, self.offset.to_le_bytes());
        set_field(&mut out, 16, self.stream_crc.to_le_bytes());
        set_field(&mut out, 20, self.count.to_le_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory() {
        let head = DirectoryHead { crc: 0x4433_2211, count: 3 };
        let bytes = head.emit();
        assert_eq!(bytes, *b"\nDir\n\0\0\0\x11\x22\x33\x44\x03\0\0\0");
        let mut blank = bytes;
        blank[8..12].fill(0);
        assert_eq!(DirectoryHead::parse(&bytes), Ok((head, blank)));
        let mut bad = bytes;
        bad[5] = 1;
        assert_eq!(DirectoryHead::parse(&bad), Err(FormatError::DirectoryMagic));
        let many = DirectoryHead { crc: 0, count: 65536 }.emit();
        assert_eq!(DirectoryHead::parse(&many).unwrap_err().kind(), "directory");
    }

    #[test]
    fn entries() {
        let entry = DirectoryEntry { offset: 204, instance: 1, name_crc: 0x4433_2211 };
        assert_eq!(entry.emit(), *b"\xcc\0\0\0\0\0\0\0\x01\0\0\0\x11\x22\x33\x44");
        assert_eq!(DirectoryEntry::parse(&entry.emit()), entry);
        assert_eq!(entry.check(205, 60000), Ok(()));
        assert_eq!(entry.check(204, 60000), Err(FormatError::DirectoryEntry { found: 204 }));
        let early = DirectoryEntry { offset: 63, ..entry };
        assert!(early.check(205, 1).is_err());
        let zero = DirectoryEntry { offset: 0, ..entry };
        assert!(zero.check(205, 53364).is_ok() && zero.check(205, 53365).is_err());
    }

    #[test]
    fn the_footer() {
        let footer = Footer { offset: 124, stream_crc: 0x4433_2211, count: 0, crc: 0 };
        let bytes = footer.emit();
        assert_eq!(bytes, *b"\nFooter\0\x7c\0\0\0\0\0\0\0\x11\x22\x33\x44\0\0\0\0\0\0\0\0\0\0\0\0");
        assert_eq!(Footer::parse(&bytes, 124), Ok(footer));
        assert_eq!(footer.directory_at(), 108);
        assert_eq!(Footer::parse(&bytes, 125), Err(FormatError::Footer));
        for (at, value) in [(0, 0), (8, 1), (22, 1), (24, 1), (20, 3)] {
            let mut bad = bytes;
            bad[at] = value;
            assert_eq!(Footer::parse(&bad, 124), Err(FormatError::Footer), "byte {at}");
        }
    }
}
