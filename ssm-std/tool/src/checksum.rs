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

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of 1.2 for a file of this length, over whose bytes the checksum is computed.
    fn header(bytes: &[u8]) -> Header {
        let mut header = Header { file_len: bytes.len() as u64, ..Header::new() };
        let covered = &bytes[44..header.uncovered_from() as usize];
        header.crc = Crc32Fast.update(0, covered);
        header
    }

    fn followed(header: &Header, bytes: &[u8], reads: &[(usize, usize)]) -> bool {
        let following = Following::default();
        following.start(header);
        reads.iter().for_each(|&(from, to)| following.pass(from as u64, &bytes[from..to]));
        following.is_right(header)
    }

    #[test]
    fn what_is_read_in_order_counts_once_and_what_is_skipped_ends_it() {
        let bytes: Vec<u8> = (0..300u32).map(|number| (number * 7 % 251) as u8).collect();
        let header = header(&bytes);
        let end = header.uncovered_from() as usize;
        assert!(followed(&header, &bytes, &[(0, 300)]));
        for cut in 0..=300 {
            assert!(followed(&header, &bytes, &[(0, cut), (cut, 300)]), "{cut}");
            // Read again from anywhere before, as a buffer that is thrown away does.
            assert!(followed(&header, &bytes, &[(0, cut), (cut / 2, 300)]), "{cut}");
            assert_eq!(followed(&header, &bytes, &[(0, cut)]), cut >= end, "{cut}");
            // One byte that was not read is enough, if it is covered.
            let is_covered = (44..end).contains(&cut);
            assert_eq!(!followed(&header, &bytes, &[(0, cut), ((cut + 1).min(300), 300)]), is_covered, "{cut}");
            let mut changed = bytes.clone();
            if let Some(byte) = changed.get_mut(cut) {
                *byte ^= 1;
                assert_eq!(!followed(&header, &changed, &[(0, 300)]), is_covered, "{cut}");
            }
        }
    }
}
