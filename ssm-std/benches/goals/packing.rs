//! Packing with an encoder that is called as a save does it on one thread.

use ssm_core::{Encode, Input};

/// Packs all of `plain` into `packed`, in pieces of `piece` bytes; how many bytes that makes.
pub fn encode(encoder: &mut impl Encode, plain: &[u8], piece: usize, packed: &mut [u8]) -> usize {
    encoder.reset();
    let mut written = 0;
    for piece in plain.chunks(piece) {
        let mut rest = piece;
        while !rest.is_empty() {
            let step = encoder.encode(rest, &mut packed[written..], Input::More);
            (rest, written) = (&rest[step.read..], written + step.written);
        }
    }
    written
}
