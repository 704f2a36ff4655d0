//! Checksums and lengths of a file put right, as far as its structure can be followed, so that what is wrong behind them is
//! reached. The layout is that of SPEC.md.

use crate::reference::crc32;

/// Puts them right. Bytes that are no file are left alone.
pub fn repair(file: &mut [u8]) {
    if file.len() < 80 || file[..21] != *b"\x7fVirtualBox SavedStat" {
        return;
    }
    match &file[25..28] {
        b"2.0" => Streamed { file, at: 64 }.repair(),
        _ => patched(file),
    }
}

fn patched(file: &mut [u8]) {
    // 1.0 has two layouts, told apart by what stands where the shorter header ends (Q4).
    let header = match (&file[25..28], word(file, 60)) {
        (b"1.2", _) => 80,
        (b"1.0", Some(1..)) => 60,
        _ => 64,
    };
    let len = file.len();
    file[32..40].copy_from_slice(&(len as u64).to_le_bytes());
    let crc = crc32(&file[44..44 + len - header]);
    put(file, 40, crc);
}

/// A file of 2.0, and how far it was followed.
struct Streamed<'f> {
    file: &'f mut [u8],
    at: usize,
}

impl Streamed<'_> {
    fn repair(&mut self) {
        crc_with_hole(self.file, 0, 64, 60);
        let mut units = Vec::new();
        while let Some(unit) = self.unit() {
            units.push(unit);
        }
        self.end(&units);
    }

    /// A unit with its terminator; `None` at the end unit, and where there is no unit.
    fn unit(&mut self) -> Option<(usize, u32)> {
        let at = self.at;
        let is_end = match self.file.get(at..at + 8)? {
            b"\nUnit\n\0\0" => false,
            b"\nTheEnd\0" => true,
            _ => return None,
        };
        let name = if is_end { 0 } else { word(self.file, at + 40)? as usize % 256 };
        self.file.get(at + 44 + name - 1)?;
        put_long(self.file, at + 8, at as u64);
        self.so_far(at, at + 16);
        crc_with_hole(self.file, at, at + 44 + name, at + 20);
        self.at += 44 + name;
        if is_end {
            return None;
        }
        let name_crc = crc32(&self.file[at + 44..(self.at - 1).max(at + 44)]);
        let data = self.at;
        loop {
            let (kind, body, len) = self.record()?;
            self.at = body + len;
            if kind == 1 {
                self.file.get(body + 13)?;
                match self.file[body] & 1 {
                    1 => self.so_far(body, body + 2),
                    _ => put(self.file, body + 2, 0),
                }
                put_long(self.file, body + 6, (self.at - data) as u64);
                return Some((at, name_crc));
            }
        }
    }

    /// A record's type, where its bytes are and how many.
    fn record(&self) -> Option<(u8, usize, usize)> {
        let kind = self.file.get(self.at)? & 15;
        let lead = usize::from(*self.file.get(self.at + 1)?);
        let more = |at: usize| Some(usize::from(*self.file.get(self.at + 1 + at)?) & 63);
        let (len, size) = match lead {
            0..0x80 => (lead, 1),
            0x80..0xe0 => ((lead & 31) << 6 | more(1)?, 2),
            _ => ((lead & 15) << 12 | more(1)? << 6 | more(2)?, 3),
        };
        Some((kind, self.at + 1 + size, len))
    }

    /// Directory and footer.
    fn end(&mut self, units: &[(usize, u32)]) {
        let at = self.at;
        let Some(count) = word(self.file, at + 12).map(|count| count as usize % 65536) else { return };
        for (entry, (offset, name_crc)) in (0..count).map(|entry| at + 16 + 16 * entry).zip(units) {
            let Some(instance) = word(self.file, offset + 28) else { return };
            put_long(self.file, entry, *offset as u64);
            put(self.file, entry + 8, instance);
            put(self.file, entry + 12, *name_crc);
        }
        let footer = at + 16 + 16 * count;
        if self.file.len() < footer + 32 {
            return;
        }
        crc_with_hole(self.file, at, footer, at + 8);
        put_long(self.file, footer + 8, footer as u64);
        self.so_far(footer, footer + 16);
        put(self.file, footer + 20, count as u32);
        crc_with_hole(self.file, footer, footer + 32, footer + 28);
    }

    /// The CRC of all before `end` to `hole`, if the stream has checksums.
    fn so_far(&mut self, end: usize, hole: usize) {
        let is_checked = self.file[52] & 1 == 1;
        let crc = if is_checked { crc32(&self.file[..end]) } else { 0 };
        put(self.file, hole, crc);
    }
}

/// The CRC of a structure to its place in it, which counts as zeros.
fn crc_with_hole(file: &mut [u8], from: usize, to: usize, hole: usize) {
    put(file, hole, 0);
    let crc = crc32(file.get(from..to).unwrap_or(&[]));
    put(file, hole, crc);
}

fn word(file: &[u8], at: usize) -> Option<u32> {
    file.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

fn put(file: &mut [u8], at: usize, value: u32) {
    if let Some(place) = file.get_mut(at..at + 4) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}

fn put_long(file: &mut [u8], at: usize, value: u64) {
    put(file, at, value as u32);
    put(file, at + 4, (value >> 32) as u32);
}
