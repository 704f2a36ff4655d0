//! What is known of a saved state without its content.

/// A state that was committed: a note of where it is, not the state itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Saved {
    pub(super) slot: u8,
    pub(super) generation: u64,
    pub(super) len: u32,
    pub(super) crc: u32,
}

impl Saved {
    /// The slot that holds it, counted from 0.
    pub const fn slot(&self) -> u8 {
        self.slot
    }

    /// Its number; every save has a higher one than those before.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Its bytes.
    pub const fn len(&self) -> u32 {
        self.len
    }

    /// Whether it has no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The CRC-32 of its bytes.
    pub const fn crc32(&self) -> u32 {
        self.crc
    }

    /// The order of age. Two states of one generation are in no image that was not forged.
    pub(super) fn age(&self) -> (u64, u8) {
        (self.generation, self.slot)
    }
}
