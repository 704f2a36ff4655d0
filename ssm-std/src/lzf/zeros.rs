//! Zeros, of which machines have many: found at the speed of memory, and packed once for all.

use super::piece::{PIECE, ROOM, Tables};
use std::sync::OnceLock;

/// Whether all bytes are zero.
pub fn is_zero(bytes: &[u8]) -> bool {
    // Most pages that are not zero show it early.
    let (pieces, rest) = bytes.as_chunks::<256>();
    let or = |bytes: &[u8]| bytes.iter().fold(0, |or, byte| or | byte);
    pieces.iter().all(|piece| or(piece) == 0) && or(rest) == 0
}

/// Whether some bytes of each page are zero.
pub fn looks_zero(bytes: &[u8]) -> bool {
    bytes.chunks(4096).all(|page| is_zero(&page[..page.len().min(32)]))
}

/// What the encoder makes of a whole piece of zeros.
pub fn packed_zeros() -> &'static [u8] {
    static PACKED: OnceLock<Vec<u8>> = OnceLock::new();
    PACKED.get_or_init(|| {
        let mut packed = vec![0; ROOM];
        let step = Tables::default().pack_without_looking(&[0; PIECE], &mut packed);
        packed.truncate(step.written);
        packed
    })
}
