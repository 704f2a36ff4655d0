//! One block of bare LZF code in one piece: the fast way when a whole block and its output are at hand, and all of encoding.

use super::code::Code;
use super::{MAX_DISTANCE, MAX_LITERALS, MAX_MATCH};
use crate::copy::{UNALIGNED, WIDE, copy, copy_over, copy_wide, repeat};

/// Decodes the whole of `code` into the whole of `plain`; `false` where it does not give exactly that many bytes.
pub(super) fn decode(code: &[u8], plain: &mut [u8]) -> bool {
    decode_tokens(code, plain, 0) == (code.len(), plain.len())
}

/// Decodes tokens to `plain` from `at` on, up to one that is not whole, is not sound or does not fit: the bytes of code
/// that were used and where the next plain byte goes.
///
/// Where the room behind allows it, [`WIDE`] bytes are copied in place of fewer: those too many are overwritten later.
// It needs all registers of a device.
#[cfg_attr(target_os = "none", inline(never))]
pub(super) fn decode_tokens(code: &[u8], plain: &mut [u8], mut at: usize) -> (usize, usize) {
    let mut left = code;
    while let Some((&control, rest)) = left.split_first() {
        let Some((before, after)) = plain.split_at_mut_checked(at) else {
            break;
        };
        if control < MAX_LITERALS as u8 {
            let run = usize::from(control).wrapping_add(1);
            let Some((literals, behind)) = rest.split_at_checked(run) else {
                break;
            };
            if run <= WIDE
                && let (Some(to), Some(from)) = (after.first_chunk_mut(), rest.first_chunk())
            {
                copy_wide(to, from);
            } else if let Some(to) = after.get_mut(..run) {
                copy(to, literals);
            } else {
                break;
            }
            at = at.wrapping_add(run);
            left = behind;
            continue;
        }
        let Some((&next, mut rest)) = rest.split_first() else {
            break;
        };
        let (mut length, mut low) = (usize::from(control >> 5).wrapping_add(2), next);
        if length == 9 {
            length = length.wrapping_add(next.into());
            let Some((&next, behind)) = rest.split_first() else {
                break;
            };
            (low, rest) = (next, behind);
        }
        let distance = usize::from(u16::from_le_bytes([low, control & 31])).wrapping_add(1);
        let Some(from) = at.checked_sub(distance).and_then(|from| before.get(from..)) else {
            break;
        };
        if length <= WIDE
            && let (Some(to), Some(from)) = (after.first_chunk_mut(), from.first_chunk())
        {
            copy_wide(to, from);
        } else if !copy_over(after, from, length) && !repeat(plain, at, distance, length) {
            break;
        }
        at = at.wrapping_add(length);
        left = rest;
    }
    (code.len().wrapping_sub(left.len()), at)
}

/// What [`encode`] did: the plain bytes it packed and the bytes of code they took.
pub struct Encoded {
    pub plain: usize,
    pub code: usize,
}

/// Packs as much of `plain` as fits into `code`. `plain` is at most one block. The table's content does not matter.
///
/// Where `code` is too small for all, the block ends early: nothing is tried twice. Matches are of four bytes at least:
/// those of three seldom make the code shorter, and always slower.
pub(super) fn encode<const TABLE: usize>(plain: &[u8], code: &mut [u8], table: &mut [u16; TABLE]) -> Encoded {
    encode_with::<TABLE, UNALIGNED>(plain, code, table)
}

/// With `LOADS`, a word at any address is one load; without, bytes are looked at one by one. The code is the same.
#[inline(always)]
fn encode_with<const TABLE: usize, const LOADS: bool>(
    plain: &[u8],
    code: &mut [u8],
    table: &mut [u16; TABLE],
) -> Encoded {
    table.fill(0);
    let mut out = Code::new(code);
    let mut literals = 0; // where the pending run of literals starts
    while let Some((candidate, at)) = find::<TABLE, LOADS>(plain, literals.max(1), table) {
        let length = match_length::<LOADS>(plain, candidate, at);
        literals = out.literals(plain, literals, at);
        if literals != at || !out.repeat(at.wrapping_sub(candidate), length) {
            return Encoded { plain: literals, code: out.len() };
        }
        literals = at.wrapping_add(length);
        // What the match passed over helps the next ones. A small table has room for one entry of it.
        let passed = [at.wrapping_add(1), literals.wrapping_sub(1)];
        for passed in passed.into_iter().take(if TABLE > 1024 { 2 } else { 1 }) {
            if let Some(word) = word_at(plain, passed)
                && let Some(slot) = table.get_mut(hash::<TABLE>(word))
            {
                *slot = passed as u16;
            }
        }
    }
    literals = out.many_literals(plain, literals, plain.len());
    Encoded { plain: literals, code: out.len() }
}

/// Looks for the next match from `at` on, and enters what it passes into the table: where the match lies and where it is
/// repeated. The longer nothing repeats, the larger the steps.
#[cfg_attr(all(target_arch = "arm", not(target_has_atomic = "32")), inline(never))]
fn find<const TABLE: usize, const LOADS: bool>(
    plain: &[u8],
    mut at: usize,
    table: &mut [u16; TABLE],
) -> Option<(usize, usize)> {
    let mut word = word_at(plain, at)?;
    let mut step = 32usize; // in parts of 32
    loop {
        let slot = table.get_mut(hash::<TABLE>(word))?;
        let candidate = *slot;
        *slot = at as u16;
        if is_at::<LOADS>(plain, candidate, word) {
            let candidate = usize::from(candidate);
            if at.wrapping_sub(candidate) <= MAX_DISTANCE {
                return Some((candidate, at));
            }
        }
        at = at.wrapping_add(step >> 5);
        word = if !LOADS && step < 64 {
            word >> 8 | u32::from(*plain.get(at.wrapping_add(3))?) << 24
        } else {
            word_at(plain, at)?
        };
        step = step.wrapping_add(1);
    }
}

#[inline(always)]
fn hash<const TABLE: usize>(word: u32) -> usize {
    word.wrapping_mul(0x9e37_79b1).wrapping_shr(32u32.wrapping_sub(TABLE.ilog2())) as usize
}

#[inline(always)]
fn word_at(bytes: &[u8], at: usize) -> Option<u32> {
    if at > bytes.len().checked_sub(4)? {
        return None;
    }
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

#[inline(always)]
fn is_at<const LOADS: bool>(bytes: &[u8], at: u16, word: u32) -> bool {
    let at = usize::from(at);
    if LOADS {
        return bytes.get(at..at.wrapping_add(4)).is_some_and(|four| four == word.to_le_bytes());
    }
    let is = |more: usize, byte: u32| bytes.get(at.wrapping_add(more)) == Some(&(byte as u8));
    is(0, word) && is(1, word >> 8) && is(2, word >> 16) && is(3, word >> 24)
}

/// How many bytes from `at` on equal those from `earlier` on, 264 at most. Four are known to.
#[cfg_attr(all(target_arch = "arm", not(target_has_atomic = "32")), inline(never))]
fn match_length<const LOADS: bool>(plain: &[u8], earlier: usize, at: usize) -> usize {
    const WORD: usize = size_of::<usize>();
    let (earlier, at) = (earlier.wrapping_add(4), at.wrapping_add(4));
    let (Some(a), Some(b)) = (plain.get(earlier..), plain.get(at..)) else {
        return 4;
    };
    let b = b.get(..MAX_MATCH - 4).unwrap_or(b);
    let mut length = 4usize;
    if LOADS {
        for (a, b) in a.as_chunks::<WORD>().0.iter().zip(b.as_chunks().0) {
            let difference = usize::from_le_bytes(*a) ^ usize::from_le_bytes(*b);
            if difference != 0 {
                return length.wrapping_add((difference.trailing_zeros() >> 3) as usize);
            }
            length = length.wrapping_add(WORD);
        }
    }
    let done = length.wrapping_sub(4);
    let (a, b) = (a.get(done..).unwrap_or(&[]), b.get(done..).unwrap_or(&[]));
    length.wrapping_add(a.iter().zip(b).take_while(|(a, b)| a == b).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<const TABLE: usize>(plain: &[u8], room: usize) -> Encoded {
        let mut code = vec![0; room];
        let done = encode(plain, &mut code, &mut [0xffff; TABLE]);
        let mut back = vec![0; done.plain];
        assert!(decode(&code[..done.code], &mut back));
        assert_eq!(back, plain[..done.plain]);
        done
    }

    #[test]
    fn literal_code() {
        let mut code = [0; 64];
        let done = encode::<256>(b"aaaaaaaaaabcabcabc", &mut code, &mut [0; 256]);
        assert_eq!(done.plain, 18);
        assert_eq!(code[..done.code], *b"\0a\xe0\x00\x00\x02bca\x60\x02");
    }

    #[test]
    fn every_room_gives_a_sound_prefix() {
        let mut plain = b"the state of the machine is the state of the units of the machine".repeat(20);
        plain.extend((0u32..400).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8));
        let mut last = 0;
        for room in 2..2000 {
            let done = round_trip::<256>(&plain, room);
            assert!(done.plain > 0 && done.plain >= last.min(done.plain), "room {room}");
            last = done.plain;
        }
        assert_eq!(last, plain.len());
    }

    #[test]
    fn every_target_makes_the_same_code() {
        let mut plain = Vec::new();
        for at in 0u32..3000 {
            let noise = (at.wrapping_mul(2_654_435_761) >> 20) as usize;
            match noise % 7 {
                0..=2 => {
                    plain.extend_from_within(plain.len().saturating_sub(noise)..plain.len().saturating_sub(noise / 2))
                }
                3 => plain.extend(vec![noise as u8; noise % 300]),
                4 => plain
                    .extend((0..noise as u32 % 200).map(|more| ((at + more).wrapping_mul(2_246_822_519) >> 23) as u8)),
                _ => plain.extend(noise.to_le_bytes()),
            }
            plain.truncate(32768 - 40);
        }
        assert!(plain.len() > 30_000);
        for part in [&plain[..], &plain[..4096], &plain[..700], &plain[3..9], &plain[..3], &plain[..0]] {
            let (mut code, mut other) = (vec![0; 40_000], vec![0; 40_000]);
            let done = encode_with::<256, true>(part, &mut code, &mut [1; 256]);
            let same = encode_with::<256, false>(part, &mut other, &mut [2; 256]);
            assert!(done.plain == same.plain && code[..done.code] == other[..same.code]);
            let done = encode_with::<8192, true>(part, &mut code, &mut [1; 8192]);
            let same = encode_with::<8192, false>(part, &mut other, &mut [2; 8192]);
            assert!(done.plain == same.plain && code[..done.code] == other[..same.code]);
        }
    }

    #[test]
    fn every_length_of_match() {
        for length in 1..600 {
            let mut plain = vec![7; length];
            plain.extend(b"abcdefgh");
            round_trip::<256>(&plain, 4096);
            let done = round_trip::<8192>(&plain, 4096);
            assert!(done.code < 30, "{length}: {}", done.code);
        }
    }

    #[test]
    fn damaged_code_is_refused() {
        let mut plain = [0; 4];
        assert!(decode(b"\x03abcd", &mut plain));
        for bad in
            [&b"\x03abc"[..], b"\x04abcde", b"\x02abc", b"\x00a\x20\x01", b"\x00a\x20", b"\x00a\xe0\0", b"\x20\0", b""]
        {
            assert!(!decode(bad, &mut plain), "{bad:?}");
        }
    }
}
