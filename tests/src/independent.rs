//! A second decoder of format 2.0, written from the description of the format alone (SPEC.md) and sharing no code with the
//! library: its own CRC-32, its own LZF. It checks every checksum, offset and count of a file that it has whole in memory,
//! and panics at the first thing that is wrong.

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Major, minor, build, revision.
    pub writer: (u16, u16, u32, u32),
    /// Host bits, bytes of a guest-physical address and of a guest pointer.
    pub widths: [u8; 3],
    /// The number of units that the header claims.
    pub claimed_units: u32,
    /// Whether the stream has checksums, and whether it is a live save.
    pub flags: (bool, bool),
    /// The largest block in bytes.
    pub max_block: u32,
    /// The units in order.
    pub units: Vec<Unit>,
    /// Offset, instance and CRC-32 of the name of each entry of the directory.
    pub directory: Vec<(u64, u32, u32)>,
}

/// A unit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Unit {
    pub offset: u64,
    pub name: Vec<u8>,
    pub instance: u32,
    pub version: u32,
    /// The live pass; `None` is the final one.
    pub pass: Option<u32>,
    pub records: Vec<Record>,
    pub plain: Vec<u8>,
    /// Whether the terminator has its checksum.
    pub is_checked: bool,
}

/// A record, without the terminator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// 2 raw, 3 packed, 4 zeros.
    pub kind: u8,
    /// Its important bit.
    pub important: bool,
    /// Bytes of the size field.
    pub size_bytes: usize,
    /// Plain bytes.
    pub plain: usize,
    /// Bytes behind the size field.
    pub stored: usize,
}

/// Decodes a whole file.
pub fn decode(file: &[u8]) -> File {
    assert_eq!(&file[..32], b"\x7fVirtualBox SavedState V2.0\n\0\0\0\0", "magic");
    assert_eq!(u32_at(file, 60), crc_with_hole(&file[..64], 60), "header CRC");
    let flags = u32_at(file, 52);
    let max_block = u32_at(file, 56);
    assert_eq!(file[47], 0, "reserved byte");
    assert!(flags <= 3 && (1024..=4096).contains(&max_block) && max_block % 256 == 0, "flags, block");
    let is_checked = flags & 1 == 1;
    let mut reader = Reader { file, at: 64, is_checked, units: Vec::new() };
    while reader.unit() {}
    let directory_at = reader.at;
    let directory = reader.directory();
    assert_eq!(file.len(), reader.at + 32, "a footer and nothing behind it");
    reader.footer(directory.len());
    for &(offset, instance, name_crc) in &directory {
        let is_it = |unit: &&Unit| (unit.instance, crc(&unit.name)) == (instance, name_crc);
        let last = reader.units.iter().filter(is_it).last().expect("an entry of a unit");
        assert!(offset == last.offset && (64..directory_at as u64).contains(&offset), "the last unit of that name");
    }
    let mut names: Vec<_> = reader.units.iter().map(|unit| (&unit.name[..], unit.instance)).collect();
    names.sort();
    names.dedup();
    names.retain(|(name, _)| *name != b"SSMLiveControl");
    assert_eq!(directory.len(), names.len(), "an entry for each unit");
    File {
        writer: (u16_at(file, 32), u16_at(file, 34), u32_at(file, 36), u32_at(file, 40)),
        widths: [file[44], file[45], file[46]],
        claimed_units: u32_at(file, 48),
        flags: (is_checked, flags & 2 == 2),
        max_block,
        units: reader.units,
        directory,
    }
}

struct Reader<'f> {
    file: &'f [u8],
    at: usize,
    is_checked: bool,
    units: Vec<Unit>,
}

impl Reader<'_> {
    fn take(&mut self, len: usize) -> &[u8] {
        let taken = &self.file[self.at..self.at + len];
        self.at += len;
        taken
    }

    /// The CRC of all before a place, as the file stores it.
    fn so_far(&self, at: usize) -> u32 {
        if self.is_checked { crc(&self.file[..at]) } else { 0 }
    }

    /// A unit, or the end unit: whether more follow.
    fn unit(&mut self) -> bool {
        let at = self.at;
        let head = &self.file[at..at + 44];
        let is_end = head[..8] == *b"\nTheEnd\0";
        assert!(is_end || head[..8] == *b"\nUnit\n\0\0", "unit magic at {at}");
        let name_len = u32_at(head, 40) as usize;
        let whole = &self.file[at..at + 44 + name_len];
        assert_eq!(u64_at(head, 8), at as u64, "offset of the unit at {at}");
        assert_eq!(u32_at(head, 16), self.so_far(at), "CRC before the unit at {at}");
        assert_eq!(u32_at(head, 20), crc_with_hole(whole, 20), "header CRC of the unit at {at}");
        assert_eq!(u32_at(head, 36), 0, "flags of the unit at {at}");
        let (version, instance, pass) = (u32_at(head, 24), u32_at(head, 28), u32_at(head, 32));
        self.at += whole.len();
        if is_end {
            assert_eq!((version, instance, pass, name_len), (0, 0, u32::MAX, 0), "the end unit");
            return false;
        }
        let (nul, name) = whole[44..].split_last().expect("a name");
        assert!((1..=47).contains(&name.len()) && *nul == 0 && !name.contains(&0), "name of the unit at {at}");
        let name = name.to_vec();
        let data_at = self.at;
        let (mut records, mut plain) = (Vec::new(), Vec::new());
        while let Some((record, bytes)) = self.record() {
            records.push(record);
            plain.extend(bytes);
        }
        // The terminator's type and size were read.
        let (crc, mut is_checked) = (self.so_far(self.at), self.is_checked);
        let body = self.take(14).to_vec();
        match u16_at(&body, 0) {
            1 if is_checked => assert_eq!(u32_at(&body, 2), crc, "terminator CRC of the unit at {at}"),
            0 => {
                assert_eq!(u32_at(&body, 2), 0);
                is_checked = false;
            }
            other => panic!("terminator flags {other:#x} of the unit at {at}"),
        }
        assert_eq!(u64_at(&body, 6), (self.at - data_at) as u64, "terminator length of the unit at {at}");
        let (offset, pass) = (at as u64, (pass != u32::MAX).then_some(pass));
        self.units.push(Unit { offset, name, instance, version, pass, records, plain, is_checked });
        true
    }

    /// A record and its plain bytes; `None` is the terminator, up to its size.
    fn record(&mut self) -> Option<(Record, Vec<u8>)> {
        let at = self.at;
        let first = self.take(1)[0];
        assert_eq!(first & 0xe0, 0x80, "record byte at {at}");
        let (kind, important) = (first & 15, first & 16 != 0);
        let lead = self.take(1)[0];
        let (mut stored, more) = match lead {
            0..=0x7f => (usize::from(lead), 0),
            0xc0..=0xdf => (usize::from(lead & 31), 1),
            0xe0..=0xef => (usize::from(lead & 15), 2),
            other => panic!("size byte {other:#x} at {at}: no record needs it"),
        };
        for byte in self.take(more).to_vec() {
            assert_eq!(byte & 0xc0, 0x80, "size at {at}");
            stored = stored << 6 | usize::from(byte & 0x3f);
        }
        if kind == 1 {
            assert!(important && stored == 14 && more == 0, "terminator at {at}");
            return None;
        }
        let bytes = self.take(stored);
        let plain = match kind {
            2 => bytes.to_vec(),
            3 => {
                let plain = usize::from(bytes[0]) * 1024;
                assert!((2..=4098).contains(&stored) && plain <= 4096 && stored - 1 <= plain, "block at {at}");
                unpack(&bytes[1..], plain)
            }
            4 => {
                assert!(stored == 1 && bytes[0] <= 4, "zeros at {at}");
                vec![0; usize::from(bytes[0]) * 1024]
            }
            other => panic!("record of type {other} at {at}"),
        };
        Some((Record { kind, important, size_bytes: 1 + more, plain: plain.len(), stored }, plain))
    }

    fn directory(&mut self) -> Vec<(u64, u32, u32)> {
        let at = self.at;
        assert_eq!(self.take(8), b"\nDir\n\0\0\0", "directory magic");
        let count = u32_at(self.file, at + 12) as usize;
        assert!(count < 65536);
        let whole = &self.file[at..at + 16 + 16 * count];
        assert_eq!(u32_at(whole, 8), crc_with_hole(whole, 8), "directory CRC");
        self.at = at + whole.len();
        let entry = |entry: &[u8]| (u64_at(entry, 0), u32_at(entry, 8), u32_at(entry, 12));
        whole[16..].chunks(16).map(entry).collect()
    }

    fn footer(&mut self, entries: usize) {
        let at = self.at;
        let (crc, footer) = (self.so_far(at), self.take(32));
        assert_eq!(&footer[..8], b"\nFooter\0", "footer magic");
        assert_eq!(u64_at(footer, 8), at as u64, "footer offset");
        assert_eq!(u32_at(footer, 16), crc, "CRC of all before the footer");
        assert_eq!((u32_at(footer, 20) as usize, u32_at(footer, 24)), (entries, 0), "footer fields");
        assert_eq!(u32_at(footer, 28), crc_with_hole(footer, 28), "footer CRC");
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from(bytes[at]) | u16::from(bytes[at + 1]) << 8
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// The CRC-32 of PKZIP, from a table of one's own.
fn crc(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let (mut value, mut bit) = (index as u32, 0);
            while bit < 8 {
                value = if value & 1 == 1 { value >> 1 ^ 0xedb8_8320 } else { value >> 1 };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |crc, byte| TABLE[(crc as u8 ^ byte) as usize] ^ crc >> 8)
}

/// The same with the four bytes at `hole` as zeros.
fn crc_with_hole(bytes: &[u8], hole: usize) -> u32 {
    let mut bytes = bytes.to_vec();
    bytes[hole..hole + 4].fill(0);
    crc(&bytes)
}

/// Bare LZF code that makes exactly `len` bytes.
fn unpack(code: &[u8], len: usize) -> Vec<u8> {
    let mut plain: Vec<u8> = Vec::with_capacity(len);
    let mut at = 0;
    let mut next = || {
        at += 1;
        code.get(at - 1).copied()
    };
    while let Some(control) = next() {
        if control < 32 {
            for _ in 0..=control {
                plain.push(next().expect("a literal"));
            }
            continue;
        }
        let mut matched = usize::from(control >> 5);
        if matched == 7 {
            matched += usize::from(next().expect("more of a length"));
        }
        let distance = (usize::from(control & 31) << 8 | usize::from(next().expect("a distance"))) + 1;
        for _ in 0..matched + 2 {
            let from = plain.len().checked_sub(distance).expect("a match in the block");
            plain.push(plain[from]);
        }
    }
    assert_eq!(plain.len(), len, "plain bytes of a block");
    plain
}
