//! Records, the pieces of a unit's data, and the terminator that ends them (SPEC.md, "Records").

use crate::wire::{FormatError, field, set_field};

/// The most plain bytes that a packed or zero record gives.
pub(crate) const MAX_BLOCK: usize = 4096;
/// Bytes of the longest type and size.
pub(crate) const MAX_RECORD_HEAD: usize = 7;
/// A terminator's type and size.
pub(crate) const TERMINATOR_HEAD: [u8; 2] = [0x91, TERMINATOR_BODY_LEN as u8];
/// Bytes of a terminator behind its type and size.
pub(crate) const TERMINATOR_BODY_LEN: usize = 14;

const ALWAYS: u8 = 0x80;
const NEVER: u8 = 0x60;
const IMPORTANT: u8 = 0x10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordKind {
    /// The end of the unit.
    Terminator = 1,
    Raw = 2,
    /// One byte, plain KiB; then a bare LZF block.
    Lzf = 3,
    /// One byte, KiB of zeros.
    Zero = 4,
}

/// The type and size that a record starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub kind: RecordKind,
    /// Cleared in the records of an optional unit; readers of the original system read them all the same (Q31).
    pub important: bool,
    /// Bytes behind the size.
    pub len: u32,
}

impl Record {
    /// `bytes` is the type and the whole size, as many bytes as [`size_bytes`] says.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let Some((&first, size)) = bytes.split_first() else {
            return Err(FormatError::RecordSize);
        };
        if first & (ALWAYS | NEVER) != ALWAYS {
            return Err(FormatError::Record { found: first });
        }
        let kind = match first & 15 {
            1 => RecordKind::Terminator,
            2 => RecordKind::Raw,
            3 => RecordKind::Lzf,
            4 => RecordKind::Zero,
            5 => return Err(FormatError::RecordType { found: first }),
            _ => return Err(FormatError::Record { found: first }),
        };
        let len = parse_size(size).ok_or(FormatError::RecordSize)?;
        Ok(Self { kind, important: first & IMPORTANT != 0, len })
    }

    /// Plain bytes that it gives; `kib` is the first byte of a packed or zero record.
    pub fn plain(&self, kib: u8) -> u32 {
        match self.kind {
            RecordKind::Raw => self.len,
            RecordKind::Lzf | RecordKind::Zero => u32::from(kib).wrapping_mul(1024),
            RecordKind::Terminator => 0,
        }
    }

    /// Checks what a packed or zero record holds: its size in bytes, its first byte.
    pub fn check_block(&self, kib: u8) -> Result<(), FormatError> {
        let plain = self.plain(kib);
        let sound = match self.kind {
            RecordKind::Lzf => {
                (2..=4098).contains(&self.len) && (self.len.wrapping_sub(1)..=MAX_BLOCK as u32).contains(&plain)
            }
            RecordKind::Zero => self.len == 1 && plain <= MAX_BLOCK as u32,
            RecordKind::Raw | RecordKind::Terminator => true,
        };
        if sound { Ok(()) } else { Err(FormatError::Block { len: self.len, kib }) }
    }

    /// Type and size in the shortest form; how many bytes. `len` is below 64 KiB.
    pub fn emit(&self) -> ([u8; 4], usize) {
        let first = ALWAYS | if self.important { IMPORTANT } else { 0 } | self.kind as u8;
        let [low, middle, high] = [self.len & 63, self.len >> 6 & 63, self.len >> 12 & 15].map(|bits| bits as u8);
        match self.len {
            0..0x80 => ([first, self.len as u8, 0, 0], 2),
            0x80..0x800 => ([first, 0xc0 | middle, 0x80 | low, 0], 3),
            _ => ([first, 0xe0 | high, 0x80 | middle, 0x80 | low], 4),
        }
    }
}

/// A sound record, whole in the bytes that it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WholeRecord {
    pub kind: RecordKind,
    /// Bytes before its data or its code.
    pub head: usize,
    /// Bytes in all.
    pub len: usize,
    /// Plain bytes that it gives.
    pub plain: usize,
}

impl WholeRecord {
    /// What `bytes` start with; `None` for terminators, and for all that needs a closer look.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let head = size_bytes(*bytes.get(1)?)?.wrapping_add(1);
        let record = Record::parse(bytes.get(..head)?).ok()?;
        let len = head.checked_add(record.len as usize)?;
        if len > bytes.len() {
            return None;
        }
        let (head, kib) = match record.kind {
            RecordKind::Terminator => return None,
            RecordKind::Raw => (head, 0),
            RecordKind::Lzf | RecordKind::Zero => {
                let kib = *bytes.get(head..len)?.first()?;
                record.check_block(kib).ok()?;
                (head.wrapping_add(1), kib)
            }
        };
        Some(Self { kind: record.kind, head, len, plain: record.plain(kib) as usize })
    }
}

/// How many bytes a size takes that starts with `first`: 1 to 6. `None` where no size does.
pub(crate) fn size_bytes(first: u8) -> Option<usize> {
    // Bit 6 of a longer form is not looked at (Q30).
    match if first & 0x80 == 0 { 0 } else { (first | 0x40).leading_ones() } {
        0 => Some(1),
        n @ 2..=6 => Some(n as usize),
        _ => None,
    }
}

fn parse_size(bytes: &[u8]) -> Option<u32> {
    let (&first, rest) = bytes.split_first()?;
    let count = size_bytes(first)?;
    if bytes.len() != count {
        return None;
    }
    let mask = if count == 1 { 0x7f } else { 0x7fu8.checked_shr(count as u32).unwrap_or(0) };
    let mut size = u32::from(first & mask);
    for &byte in rest {
        if byte & 0xc0 != 0x80 {
            return None;
        }
        size = size << 6 | u32::from(byte & 0x3f);
    }
    // The shorter forms need not be the shortest (Q30).
    let min = [0, 0, 0, 0, 0x1_0000, 0x20_0000, 0x400_0000].get(count).copied().unwrap_or(u32::MAX);
    (size >= min).then_some(size)
}

/// What a terminator holds behind its type and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terminator {
    /// CRC-32 of the file up to and with the terminator's type and size; `None` where the stream is not checked.
    pub crc: Option<u32>,
    /// Bytes of all records of the unit, this one included.
    pub len: u64,
}

impl Terminator {
    /// `actual` is the number of bytes of the unit's records, the terminator included.
    pub fn parse(record: &Record, bytes: &[u8; TERMINATOR_BODY_LEN], actual: u64) -> Result<Self, FormatError> {
        let flags = u16::from_le_bytes(field(bytes, 0));
        let crc = u32::from_le_bytes(field(bytes, 2));
        let len = u64::from_le_bytes(field(bytes, 6));
        let sound = flags <= 1 && (flags == 1 || crc == 0) && record.important && len == actual;
        if !sound {
            return Err(FormatError::Terminator { stored: len, actual });
        }
        Ok(Self { crc: (flags == 1).then_some(crc), len })
    }

    pub fn emit(&self) -> [u8; TERMINATOR_BODY_LEN] {
        let mut out = [0; TERMINATOR_BODY_LEN];
        set_field(&mut out, 0, u16::from(self.crc.is_some()).to_le_bytes());
        set_field(&mut out, 2, self.crc.unwrap_or(0).to_le_bytes());
        set_field(&mut out, 6, self.len.to_le_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_that_is_written_is_read() {
        for len in 0..=0xffff {
            for kind in [RecordKind::Raw, RecordKind::Lzf, RecordKind::Zero] {
                let record = Record { kind, important: len & 1 == 0, len };
                let (bytes, count) = record.emit();
                assert_eq!(size_bytes(bytes[1]), Some(count - 1));
                assert_eq!(Record::parse(&bytes[..count]), Ok(record));
            }
        }
    }

    #[test]
    fn sizes_in_every_form() {
        let size = |bytes: &[u8]| Record::parse(&[&[0x92], bytes].concat()).map(|record| record.len);
        let bad = Err(FormatError::RecordSize);
        assert_eq!(size(&[0x7f]), Ok(0x7f));
        assert_eq!(size(&[0xc1, 0x80]), Ok(0x40)); // two bytes where one would do
        assert_eq!(size(&[0x81, 0x80]), Ok(0x40)); // bit 6 of the first byte is not looked at
        assert_eq!(size(&[0xe0, 0x81, 0x80]), Ok(0x40)); // three
        assert_eq!(size(&[0xe1, 0x80, 0x80]), Ok(4096));
        assert_eq!(size(&[0xf0, 0x8f, 0xbf, 0xbf]), bad); // four where three would do
        assert_eq!(size(&[0xf0, 0x90, 0x80, 0x80]), Ok(0x1_0000));
        assert_eq!(size(&[0xf8, 0x87, 0xbf, 0xbf, 0xbf]), bad);
        assert_eq!(size(&[0xf8, 0x88, 0x80, 0x80, 0x80]), Ok(0x20_0000));
        assert_eq!(size(&[0xfc, 0x83, 0xbf, 0xbf, 0xbf, 0xbf]), bad);
        assert_eq!(size(&[0xfc, 0x84, 0x80, 0x80, 0x80, 0x80]), Ok(0x400_0000));
        assert_eq!(size(&[0xfd, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf]), Ok(0x7fff_ffff));
        assert_eq!(size(&[0xfe, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf]), bad);
        assert_eq!(size(&[0xff]), bad);
        assert_eq!(size(&[0xc1, 0x40]), bad);
        assert_eq!(size(&[0xc1]), bad);
        assert_eq!(size(&[]), bad);
        for first in 0..=255u8 {
            assert_eq!(size_bytes(first).is_none(), first >= 0xfe || (first | 0x40) >= 0xfe, "{first:#x}");
        }
    }

    #[test]
    fn first_bytes() {
        for first in 0..=255u8 {
            let kind = Record::parse(&[first, 1]).map_err(|error| error.kind());
            match first {
                0x81..=0x84 | 0x91..=0x94 => assert_eq!(kind.unwrap().kind as u8, first & 15),
                0x85 | 0x95 => assert_eq!(kind, Err("record-type")),
                _ => assert_eq!(kind, Err("record")),
            }
        }
    }

    #[test]
    fn blocks() {
        let lzf = |len, kib| Record { kind: RecordKind::Lzf, important: true, len }.check_block(kib).is_ok();
        assert!(lzf(2, 1) && lzf(1025, 1) && lzf(4097, 4) && lzf(3, 4));
        assert!(!lzf(1, 1) && !lzf(1026, 1) && !lzf(4098, 4) && !lzf(4099, 4) && !lzf(2, 0) && !lzf(2, 5));
        let zero = |len, kib| Record { kind: RecordKind::Zero, important: true, len }.check_block(kib).is_ok();
        assert!(zero(1, 0) && zero(1, 4));
        assert!(!zero(0, 1) && !zero(2, 1) && !zero(1, 5));
    }

    #[test]
    fn whole_records() {
        let whole = WholeRecord::parse;
        let raw = b"\x92\x03abc";
        assert_eq!(whole(raw), Some(WholeRecord { kind: RecordKind::Raw, head: 2, len: 5, plain: 3 }));
        let lzf = b"\x93\xe0\x80\x84\x04abc";
        assert_eq!(whole(lzf), Some(WholeRecord { kind: RecordKind::Lzf, head: 5, len: 8, plain: 4096 }));
        let zero = b"\x84\x01\x02";
        assert_eq!(whole(zero), Some(WholeRecord { kind: RecordKind::Zero, head: 3, len: 3, plain: 2048 }));
        let empty = b"\x82\0";
        assert_eq!(whole(empty), Some(WholeRecord { kind: RecordKind::Raw, head: 2, len: 2, plain: 0 }));
        for bytes in [&raw[..], lzf, zero, empty] {
            assert_eq!(whole(&[bytes, b"more"].concat()), whole(bytes));
            for cut in 0..bytes.len() {
                assert_eq!(whole(&bytes[..cut]), None, "{cut} of {bytes:x?}");
            }
        }
        let terminator = [&TERMINATOR_HEAD[..], &[0; TERMINATOR_BODY_LEN]].concat();
        for bytes in [
            &terminator[..],
            b"\x83\0more",
            b"\x84\0\x04",
            b"\x84\x01\x05",
            b"\x93\x03\0ab",
            b"\x95\x01a",
            b"\x93\xfea",
        ] {
            assert_eq!(whole(bytes), None, "{bytes:x?}");
        }
    }

    #[test]
    fn terminators() {
        let end = Terminator { crc: Some(0x4433_2211), len: 58 };
        let bytes = end.emit();
        assert_eq!(bytes, *b"\x01\0\x11\x22\x33\x44\x3a\0\0\0\0\0\0\0");
        let record = Record::parse(&TERMINATOR_HEAD).unwrap();
        assert_eq!(Terminator::parse(&record, &bytes, 58), Ok(end));
        assert_eq!(Terminator::parse(&record, &bytes, 57).unwrap_err().kind(), "terminator");
        let unchecked = Terminator { crc: None, len: 16 };
        assert_eq!(Terminator::parse(&record, &unchecked.emit(), 16), Ok(unchecked));
        let with = |at: usize, value: u8| {
            let mut bad = unchecked.emit();
            bad[at] = value;
            Terminator::parse(&record, &bad, 16).is_err()
        };
        assert!(with(0, 2) && with(1, 1) && with(2, 1) && with(13, 1));
        assert!(Terminator::parse(&Record { important: false, ..record }, &bytes, 58).is_err());
    }
}
