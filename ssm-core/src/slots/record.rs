//! The commit record: what makes a slot hold a state (SLOTS.md, "Commit record").
//!
//! It stands beside its own complement. A write that was cut off leaves ones where zeros belong, an erase that was cut off
//! makes ones of zeros; either breaks the pair for certain, not just probably.

use crate::copy::copy;
use crate::crc32::Crc32;

/// Bytes of a record with its complement.
pub(super) const RECORD_LEN: usize = CommitRecord::LEN;
const HALF: usize = 28;
const MAGIC: [u8; 4] = *b"SLOT";

/// What a commit record says: for tools that look for states in the image of a flash whose geometry they do not know.
/// [`Slots`](crate::Slots) read the records of a flash that they know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitRecord {
    /// Bytes of each slot, so that a store split in another way is told apart.
    pub slot_len: u32,
    /// Every save has a higher one than those before.
    pub generation: u64,
    /// Bytes of content. Whether they fit into the slot is not checked.
    pub len: u32,
    /// The CRC-32 of the content.
    pub crc: u32,
}

impl CommitRecord {
    /// Bytes of a record.
    pub const LEN: usize = 2 * HALF;

    /// The bytes that every record begins with.
    pub const MAGIC: [u8; 4] = MAGIC;

    pub(super) fn to_bytes(self, crc: &mut impl Crc32) -> [u8; RECORD_LEN] {
        let mut bytes = [0; RECORD_LEN];
        let (half, complement) = bytes.split_at_mut(HALF);
        let mut rest = &mut *half;
        for field in [
            &MAGIC[..],
            &self.slot_len.to_le_bytes(),
            &self.generation.to_le_bytes(),
            &self.len.to_le_bytes(),
            &self.crc.to_le_bytes(),
        ] {
            let written = copy(rest, field);
            rest = rest.get_mut(written..).unwrap_or_default();
        }
        let own = crc.update(0, half.get(..HALF - 4).unwrap_or(&[]));
        copy(half.get_mut(HALF - 4..).unwrap_or_default(), &own.to_le_bytes());
        for (inverted, byte) in complement.iter_mut().zip(half) {
            *inverted = !*byte;
        }
        bytes
    }

    /// Whether a record that was cut off could read so: a write that was cut off leaves more ones, so all ones of the magic
    /// bytes are there, and not nothing at all.
    pub(super) fn may_be_torn(bytes: &[u8; Self::LEN]) -> bool {
        bytes.iter().zip(MAGIC).all(|(byte, magic)| byte & magic == magic) && bytes.iter().any(|byte| *byte != 0xff)
    }

    /// What these bytes say; `None` unless they are exactly those of a record.
    pub fn parse(bytes: &[u8; Self::LEN], crc: &mut impl Crc32) -> Option<Self> {
        let word = |at: usize| bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes);
        let record = Self {
            slot_len: word(4)?,
            generation: u64::from(word(12)?) << 32 | u64::from(word(8)?),
            len: word(16)?,
            crc: word(20)?,
        };
        (record.to_bytes(crc) == *bytes).then_some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Crc32Bytewise;
    use proptest::prelude::*;

    fn parse(bytes: &[u8; RECORD_LEN]) -> Option<CommitRecord> {
        CommitRecord::parse(bytes, &mut Crc32Bytewise)
    }

    fn records() -> impl Strategy<Value = CommitRecord> {
        let generations = prop_oneof![any::<u64>(), 0..3u64, Just(u64::MAX)];
        (any::<u32>(), generations, any::<u32>(), any::<u32>())
            .prop_map(|(slot_len, generation, len, crc)| CommitRecord { slot_len, generation, len, crc })
    }

    #[test]
    fn neither_all_ones_nor_all_zeros_nor_any_other_constant() {
        for byte in 0..=255 {
            assert_eq!(parse(&[byte; RECORD_LEN]), None);
        }
    }

    #[test]
    fn the_bytes() {
        let record = CommitRecord { slot_len: 0x2000, generation: 7, len: 0x1234, crc: 0xcbf4_3926 };
        let bytes = record.to_bytes(&mut Crc32Bytewise);
        assert_eq!(bytes[..24], *b"SLOT\0\x20\0\0\x07\0\0\0\0\0\0\0\x34\x12\0\0\x26\x39\xf4\xcb");
        assert_eq!(bytes[24..28], Crc32Bytewise.update(0, &bytes[..24]).to_le_bytes());
        assert!(bytes[..28].iter().zip(&bytes[28..]).all(|(byte, inverted)| byte ^ inverted == 0xff));
    }

    proptest! {
        #[test]
        fn a_record_is_read_as_it_was_written(record in records()) {
            prop_assert_eq!(parse(&record.to_bytes(&mut Crc32Bytewise)), Some(record));
        }

        #[test]
        fn any_change_in_one_direction_is_noticed(record in records(), mask: [u8; 32], more: [u8; 24]) {
            let whole = record.to_bytes(&mut Crc32Bytewise);
            let masks = [&mask[..], &more].concat();
            let ones = std::array::from_fn(|at| whole[at] | masks[at]);
            prop_assert_eq!(parse(&ones).is_some(), ones == whole);
            let zeros = std::array::from_fn(|at| whole[at] & masks[at]);
            prop_assert_eq!(parse(&zeros).is_some(), zeros == whole);
        }

        #[test]
        fn one_changed_bit_is_noticed(record in records(), bit in 0..RECORD_LEN * 8) {
            let mut bytes = record.to_bytes(&mut Crc32Bytewise);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(parse(&bytes), None);
        }
    }
}
