//! Blocks that are read ahead of the one that is decoded, for a codec that decodes several at once.

/// A block of LZF code, without a block header, that was read, and the place for its plain bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Block {
    /// Where its code begins in the packed bytes that were read with it.
    pub from: usize,
    /// Bytes of code; none for a block of zeros.
    pub packed: u16,
    /// Where its plain bytes go in the room that was given for them.
    pub to: usize,
    /// Plain bytes that it makes.
    pub plain: u16,
    /// The file offset where it begins, for whoever gave it.
    pub at: u64,
}

/// Where a codec gets blocks from: a unit's data in a file.
pub trait Blocks {
    /// Reads more of the unit into `packed`, and gives every block that is whole in there, in order, to `found`, as long as that
    /// says that it takes another. How many bytes of `plain`, from its start on, these blocks take; what of them no block makes
    /// is put there at once. 0 where no more blocks come in this way.
    ///
    /// Each block lies in `packed` and in `plain`, behind the one before.
    fn next(&mut self, packed: &mut [u8], plain: &mut [u8], found: &mut dyn FnMut(Block) -> bool) -> usize;
}

/// How far [`Decode::decode_ahead`](super::Decode::decode_ahead) came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ahead {
    /// Plain bytes that are there, from the start on.
    pub plain: usize,
    /// [`Block::at`] of the block behind them, if that does not decode.
    pub damaged: Option<u64>,
}
