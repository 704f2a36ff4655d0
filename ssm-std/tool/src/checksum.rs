//! The checksum over a 1.x file, computed while the file is read for something else.

use ssm_core::{Crc32, Header};
use ssm_std::Crc32Fast;
use std::cell::Cell;

/// A checksum that follows what is read from the start of a file on. What is read twice counts once, and what was skipped
/// ends it.
#[derive(Default)]
pub struct Following {
    /// Up to which offset it is computed.
    at: Cell<u64>,
    end: Cell<u64>,
    crc: Cell<u32>,
}

impl Following {
    /// Follows the reading of a file with this header, of which nothing was read yet.
    pub fn start(&self, header: &Header) {
        if !header.format.is_streamed() {
            let end = header.uncovered_from();
            self.at.set(end.saturating_sub(header.crc_len()));
            self.end.set(end);
        }
    }

    /// Takes note of bytes that were read at `position`.
    pub fn pass(&self, position: u64, bytes: &[u8]) {
        let (at, end) = (self.at.get(), self.end.get());
        let skipped = at.checked_sub(position).and_then(|skipped| usize::try_from(skipped).ok());
        let Some(new) = skipped.and_then(|skipped| bytes.get(skipped..)) else { return };
        let wanted = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
        let new = &new[..new.len().min(wanted)];
        if !new.is_empty() {
            self.crc.set(Crc32Fast.update(self.crc.get(), new));
            self.at.set(at + new.len() as u64);
        }
    }

    /// Whether all that the checksum is over was read, and fits it.
    pub fn is_right(&self, header: &Header) -> bool {
        self.at.get() == self.end.get() && self.end.get() > 0 && self.crc.get() == header.crc
    }
}
