//! LZF in blocks (SPEC.md, "LZF"). Blocks are independent, so any of them can be decoded alone.

mod block;
mod code;
mod decoder;
mod encoder;
#[cfg(test)]
mod tests;
mod wide;

pub use decoder::LzfDecoder;
pub use encoder::LzfEncoder;

/// Bytes of a block's header.
const BLOCK_HEADER: usize = 10;
/// The magic at the start of a block.
const BLOCK_MAGIC: [u8; 2] = *b"ZV";
/// The most packed bytes that a block may have after its header (Q20).
const MAX_PACKED: usize = 16374;
/// The most plain bytes that a block may have (Q20).
const MAX_PLAIN: usize = 32768;
/// The most plain bytes of a block without a header.
const MAX_BARE: usize = 4096;
/// The farthest a match reaches back.
const MAX_DISTANCE: usize = 8192;
/// The longest run of literals and the longest match of one token.
const MAX_LITERALS: usize = 32;
const MAX_MATCH: usize = 264;

/// The lengths of a block: plain bytes 1 to 32768, packed bytes 1 to 16374.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BlockHeader {
    packed: u16,
    plain: u16,
}

impl BlockHeader {
    /// `None` where this is no block header. The checksum field is not looked at: no writer filled it (Q19).
    fn parse(bytes: &[u8; BLOCK_HEADER]) -> Option<Self> {
        let [m0, m1, p0, p1, _, _, _, _, u0, u1] = *bytes;
        let header = Self { packed: u16::from_le_bytes([p0, p1]), plain: u16::from_le_bytes([u0, u1]) };
        let sound = [m0, m1] == BLOCK_MAGIC
            && (1..=MAX_PACKED).contains(&header.packed.into())
            && (1..=MAX_PLAIN).contains(&header.plain.into());
        sound.then_some(header)
    }

    fn emit(self) -> [u8; BLOCK_HEADER] {
        let [[p0, p1], [u0, u1]] = [self.packed.to_le_bytes(), self.plain.to_le_bytes()];
        let [m0, m1] = BLOCK_MAGIC;
        [m0, m1, p0, p1, 0, 0, 0, 0, u0, u1]
    }
}
