//! What one thread packs at a time.

use super::zeros::{is_zero, packed_zeros};
use ssm_core::{Encode, Input, LzfEncoder, Step};

/// Plain bytes that are packed at a time: the largest block.
pub const PIECE: usize = 32768;
/// Room in which a piece fits whatever it holds.
pub const ROOM: usize = PIECE + PIECE / 32 + 64;
/// Entries of the tables: 32 KiB of memory for a piece, 8 KiB for a block of 2.0, which are cleared for each.
const TABLE: usize = 8192;
const BLOCK_TABLE: usize = 2048;
/// Those for a piece of up to this many bytes, such as a unit of a few registers.
const SMALL_TABLE: usize = 256;
pub const SMALL: usize = 512;

/// The encoders of one thread.
#[derive(Default)]
pub struct Tables {
    large: Box<LzfEncoder<TABLE, u32>>,
    /// For pieces of up to [`SMALL`] bytes.
    pub small: Box<LzfEncoder<SMALL_TABLE, u32>>,
    /// For blocks of 2.0.
    pub block: Box<LzfEncoder<BLOCK_TABLE, u32>>,
}

impl Tables {
    /// Packs all of a piece, zeros at the speed of memory; `packed` has room for it.
    pub fn pack(&mut self, piece: &[u8], packed: &mut [u8]) -> Step {
        if piece.len() == PIECE && is_zero(piece) {
            let code = packed_zeros();
            packed[..code.len()].copy_from_slice(code);
            return Step { read: PIECE, written: code.len() };
        }
        self.pack_without_looking(piece, packed)
    }

    /// The same where it is not zeros, or slowly.
    pub fn pack_without_looking(&mut self, piece: &[u8], packed: &mut [u8]) -> Step {
        let step = match piece.len() {
            ..=SMALL => blocks(&mut *self.small, piece, packed),
            _ => blocks(&mut *self.large, piece, packed),
        };
        debug_assert_eq!(step.read, piece.len());
        step
    }

    /// Packs piece by piece as far as there is room.
    pub fn pack_all(&mut self, plain: &[u8], packed: &mut [u8]) -> Step {
        let mut step = Step::default();
        for piece in plain.chunks(PIECE) {
            if packed.len() - step.written < ROOM {
                break;
            }
            let more = self.pack(piece, &mut packed[step.written..]);
            step = Step { read: step.read + more.read, written: step.written + more.written };
        }
        step
    }
}

fn blocks(encoder: &mut impl Encode, piece: &[u8], packed: &mut [u8]) -> Step {
    let mut step = Step::default();
    while step.read < piece.len() {
        let more = encoder.encode(&piece[step.read..], &mut packed[step.written..], Input::More);
        if more == Step::default() {
            break;
        }
        step.read += more.read;
        step.written += more.written;
    }
    step
}
