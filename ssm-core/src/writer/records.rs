//! Records of plain bytes, format 2.0.

use crate::codec::{Encode, Step};
use crate::copy::copy;
use crate::wire::streamed::{MAX_BLOCK, Record, RecordKind};

pub(crate) const KIB: usize = 1024;
/// A packed block is worth it at 15/16 of its plain size, as it was in the original writers.
pub(crate) const CODE_PER_KIB: usize = 960;
/// Bytes in front of a block's code: type, size and plain KiB.
pub(crate) const CODE_AT: usize = 5;

/// The record that stands for this many zeros, whole KiB.
pub(crate) fn zero_record(important: bool, zeros: usize) -> [u8; 3] {
    let ([a, b, ..], _) = Record { kind: RecordKind::Zero, important, len: 1 }.emit();
    [a, b, (zeros / KIB) as u8]
}

/// What stands before `len` bytes that are not packed, and how long it is.
pub(crate) fn raw_head(important: bool, len: usize) -> ([u8; 4], usize) {
    Record { kind: RecordKind::Raw, important, len: len as u32 }.emit()
}

/// Packs a block of whole KiB with its record's head in front; from where to where it is in `packed`.
pub(crate) fn lzf_record<E: Encode + ?Sized>(
    encoder: &mut E,
    important: bool,
    plain: &[u8],
    packed: &mut [u8],
) -> Option<(usize, usize)> {
    let kib = plain.len() / KIB;
    let (front, code) = packed.split_first_chunk_mut::<CODE_AT>()?;
    let len = encoder.encode_block(plain, code.get_mut(..kib.wrapping_mul(CODE_PER_KIB))?)?;
    let record = Record { kind: RecordKind::Lzf, important, len: (len as u32).wrapping_add(1) };
    let (head, head_len) = record.emit();
    let from = CODE_AT.checked_sub(head_len.wrapping_add(1))?;
    for (place, byte) in front.get_mut(from..)?.iter_mut().zip(head) {
        *place = byte;
    }
    *front.last_mut()? = kib as u8;
    Some((from, CODE_AT.wrapping_add(len)))
}

/// Makes the records of the largest blocks in `plain`, one behind the other, as far as `packed` has room.
pub(crate) fn records(encoder: &mut dyn Encode, important: bool, plain: &[u8], packed: &mut [u8]) -> Step {
    let mut step = Step::default();
    for block in plain.as_chunks::<MAX_BLOCK>().0 {
        let room = packed.get_mut(step.written..).unwrap_or(&mut []);
        if room.len() < CODE_AT.wrapping_add(MAX_BLOCK) {
            break;
        }
        let written = if is_zero(block) {
            copy(room, &zero_record(important, MAX_BLOCK))
        } else if let Some((from, to)) = lzf_record(encoder, important, block, room) {
            // Without a gap before it.
            if from > 0
                && let Some(record) = room.get_mut(..to)
            {
                record.copy_within(from.min(record.len()).., 0);
            }
            to.wrapping_sub(from)
        } else {
            let (head, head_len) = raw_head(important, MAX_BLOCK);
            let head_len = copy(room, head.get(..head_len).unwrap_or(&[]));
            head_len.wrapping_add(copy(room.get_mut(head_len..).unwrap_or(&mut []), block))
        };
        step.read = step.read.wrapping_add(MAX_BLOCK);
        step.written = step.written.wrapping_add(written);
    }
    step
}

/// Whether all bytes are zero.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<256>();
    let or = |bytes: &[u8]| bytes.iter().fold(0, |or, byte| or | byte);
    words.iter().all(|word| or(word) == 0) && or(rest) == 0
}
