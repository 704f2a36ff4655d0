//! Memory as machines have it, made from a seed. Each page of 4 KiB is of one kind.

mod guest;

#[allow(unused_imports, reason = "not every benchmark uses all")]
pub use guest::{guest, guest_name};

/// A small generator (xorshift64*), so that every run has the same data.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// What a page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Zero bytes.
    Zero,
    /// Words of a small vocabulary with a space behind each.
    Text,
    /// Instructions of eight bytes of which two differ.
    Code,
    /// Records of 32 bytes as a heap has them: pointers into one region, small counters, flags.
    Heap,
    /// Bytes that do not pack.
    Random,
}

#[allow(dead_code, reason = "not every benchmark uses all")]
pub const KINDS: [Kind; 5] = [Kind::Zero, Kind::Text, Kind::Code, Kind::Heap, Kind::Random];

const WORDS: [&str; 16] = [
    "kernel", "page", "table", "virtual", "machine", "state", "saved", "unit", "device", "timer", "memory", "range",
    "handler", "guest", "host", "the",
];

/// `len` bytes of one kind.
pub fn pages(kind: Kind, len: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut out = Vec::with_capacity(len + 64);
    while out.len() < len {
        let r = random.next();
        match kind {
            Kind::Zero => out.resize(len, 0),
            Kind::Text => {
                out.extend_from_slice(WORDS[(r >> 60) as usize].as_bytes());
                out.push(b' ');
            }
            Kind::Code => {
                out.extend([0x48, 0x8b, 0x40 | (r >> 56) as u8 & 0x3f, 0x24, (r >> 48) as u8 & 0x1f, 0x0f, 0x1f, 0])
            }
            Kind::Heap => {
                out.extend((0xffff_8880_0000_0000 | (r >> 20) & 0xfff_ffc0).to_le_bytes());
                out.extend((0xffff_8880_0000_0000 | (r >> 8) & 0xff_ffc0).to_le_bytes());
                out.extend(((r >> 50) as u32).to_le_bytes());
                out.extend([(r >> 3) as u8 & 1, 0, 0, 0]);
                out.extend((r & 0xff).to_le_bytes());
            }
            Kind::Random => out.extend(r.to_le_bytes()),
        }
    }
    out.truncate(len);
    out
}

/// `len` bytes of pages of all kinds: of each eight, two of zeros, one of text, two of code, two of heap, one random.
/// It packs to about half, as the memory of a running system does.
pub fn mixed(len: usize) -> Vec<u8> {
    const TURN: [Kind; 8] =
        [Kind::Zero, Kind::Code, Kind::Heap, Kind::Text, Kind::Zero, Kind::Heap, Kind::Code, Kind::Random];
    let mut out = Vec::with_capacity(len);
    for (page, kind) in (0..len.div_ceil(4096)).zip(TURN.into_iter().cycle()) {
        out.extend(pages(kind, 4096, page as u64 * 0x9e37_79b9 + 1));
    }
    out.truncate(len);
    out
}
