//! One block of bare LZF code in one piece: the fast way when a whole block and its output are at hand, and all of encoding.

use super::{MAX_DISTANCE, MAX_LITERALS, MAX_MATCH};
use crate::copy::{copy, repeat};

/// Bytes that are copied at once where it does no harm to copy too many: the bytes behind are made later. Two words, so that
/// it is two loads and two stores on every target.
const WIDE: usize = 2 * size_of::<usize>();

/// Decodes the whole of `code` into the whole of `plain`; `false` where it does not give exactly that many bytes.
pub(super) fn decode(code: &[u8], plain: &mut [u8]) -> bool {
    let mut from = 0usize;
    let mut at = 0usize;
    while let Some(&control) = code.get(from) {
        from = from.wrapping_add(1);
        if control < MAX_LITERALS as u8 {
            let run = usize::from(control).wrapping_add(1);
            if run > WIDE || !wide_literals(code, from, plain, at) {
                let literals = code.get(from..from.wrapping_add(run)).unwrap_or(&[]);
                if copy(plain.get_mut(at..).unwrap_or(&mut []), literals) != run {
                    return false;
                }
            }
            at = at.wrapping_add(run);
            from = from.wrapping_add(run);
            continue;
        }
        let mut length = usize::from(control >> 5).wrapping_add(2);
        if length == 9 {
            let Some(&more) = code.get(from) else {
                return false;
            };
            length = length.wrapping_add(usize::from(more));
            from = from.wrapping_add(1);
        }
        let Some(&low) = code.get(from) else {
            return false;
        };
        from = from.wrapping_add(1);
        let distance = (usize::from(control & 31) << 8 | usize::from(low)).wrapping_add(1);
        if !wide_repeat(plain, at, distance, length) && !repeat(plain, at, distance, length) {
            return false;
        }
        at = at.wrapping_add(length);
    }
    at == plain.len()
}

/// Copies [`WIDE`] bytes, where both sides have them.
#[inline]
fn wide_literals(code: &[u8], from: usize, plain: &mut [u8], at: usize) -> bool {
    let from = code.get(from..).and_then(|code| code.first_chunk::<WIDE>());
    let to = plain.get_mut(at..).and_then(|plain| plain.first_chunk_mut::<WIDE>());
    let (Some(from), Some(to)) = (from, to) else {
        return false;
    };
    *to = *from;
    true
}

/// [`repeat`] in steps of [`WIDE`] bytes, where the distance and the room behind allow it.
#[inline]
fn wide_repeat(plain: &mut [u8], at: usize, distance: usize, length: usize) -> bool {
    if distance < WIDE || distance > at || at.wrapping_add(length).wrapping_add(WIDE) > plain.len() {
        return false;
    }
    let mut done = 0usize;
    while done < length {
        let at = at.wrapping_add(done);
        let Some(&chunk) = plain.get(at.wrapping_sub(distance)..).and_then(|from| from.first_chunk::<WIDE>()) else {
            return false;
        };
        let Some(to) = plain.get_mut(at..).and_then(|to| to.first_chunk_mut::<WIDE>()) else {
            return false;
        };
        *to = chunk;
        done = done.wrapping_add(WIDE);
    }
    true
}

/// What [`encode`] did: the plain bytes it packed and the bytes of code they took.
pub(super) struct Encoded {
    pub plain: usize,
    pub code: usize,
}

/// Packs as much of `plain` as fits into `code`. `plain` is at most one block. The table's content does not matter.
///
/// Where `code` is too small for all, the block ends early: nothing is tried twice.
pub(super) fn encode(plain: &[u8], code: &mut [u8], table: &mut [u16]) -> Encoded {
    table.fill(0);
    let shift = 32u32.wrapping_sub(table.len().checked_ilog2().unwrap_or(0));
    // Three bytes are hashed; the fourth is shifted out.
    let hash = |word: u32| (word << 8).wrapping_mul(0x9e37_79b1).wrapping_shr(shift) as usize;
    let mut out = Code { bytes: code, at: 0 };
    let mut literals = 0; // where the pending run of literals starts
    let mut at = 0;
    let mut misses = 0usize;
    while let Some(word) = word_at(plain, at) {
        let Some(slot) = table.get_mut(hash(word)) else {
            break;
        };
        let candidate = usize::from(*slot);
        *slot = at as u16;
        let distance = at.wrapping_sub(candidate);
        let hit = candidate < at
            && distance <= MAX_DISTANCE
            && word_at(plain, candidate).is_some_and(|seen| (seen ^ word) << 8 == 0);
        if !hit {
            // The longer nothing repeats, the larger the steps.
            at = at.wrapping_add(1).wrapping_add(misses >> 5);
            misses = misses.wrapping_add(1);
            continue;
        }
        misses = 0;
        let length = match_length(plain, candidate, at);
        if !out.literals(plain, &mut literals, at) || !out.repeat(distance, length) {
            return Encoded { plain: literals, code: out.at };
        }
        let end = at.wrapping_add(length);
        // One entry near the end of the match helps the next one.
        let last = end.wrapping_sub(2);
        if let Some(word) = word_at(plain, last)
            && let Some(slot) = table.get_mut(hash(word))
        {
            *slot = last as u16;
        }
        at = end;
        literals = end;
    }
    out.literals(plain, &mut literals, plain.len());
    Encoded { plain: literals, code: out.at }
}

fn word_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// How many bytes from `at` on equal those from `earlier` on, 264 at most. Three are known to.
fn match_length(plain: &[u8], earlier: usize, at: usize) -> usize {
    let (Some(a), Some(b)) = (plain.get(earlier..), plain.get(at..)) else {
        return 0;
    };
    let b = b.get(..MAX_MATCH).unwrap_or(b);
    let (a_words, _) = a.as_chunks::<8>();
    let (b_words, b_tail) = b.as_chunks::<8>();
    let mut length = 0usize;
    for (a, b) in a_words.iter().zip(b_words) {
        let difference = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if difference != 0 {
            return length.wrapping_add((difference.trailing_zeros() >> 3) as usize);
        }
        length = length.wrapping_add(8);
    }
    let a_tail = a.get(length..).unwrap_or(&[]);
    length.wrapping_add(a_tail.iter().zip(b_tail).take_while(|(a, b)| a == b).count())
}

/// Tokens into a slice that may be too small.
struct Code<'c> {
    bytes: &'c mut [u8],
    at: usize,
}

impl Code<'_> {
    /// Writes the literals from `*from` to `to` and moves `*from` over what was written; `false` if not all fit.
    fn literals(&mut self, plain: &[u8], from: &mut usize, to: usize) -> bool {
        while *from < to {
            let run = to.wrapping_sub(*from).min(MAX_LITERALS);
            let Some([control, room @ ..]) = self.bytes.get_mut(self.at..) else {
                return false;
            };
            let run = run.min(room.len());
            if run == 0 {
                return false;
            }
            *control = run.wrapping_sub(1) as u8;
            let copied = copy(room, plain.get(*from..from.wrapping_add(run)).unwrap_or(&[]));
            *from = from.wrapping_add(copied);
            self.at = self.at.wrapping_add(copied).wrapping_add(1);
        }
        true
    }

    fn repeat(&mut self, distance: usize, length: usize) -> bool {
        let [low, high] = (distance.wrapping_sub(1) as u16).to_le_bytes();
        let room = self.bytes.get_mut(self.at..).unwrap_or(&mut []);
        let short = length.wrapping_sub(2);
        let used = match room {
            [a, b, ..] if short < 7 => {
                (*a, *b) = ((short as u8) << 5 | high, low);
                2
            }
            [a, b, c, ..] if short >= 7 => {
                (*a, *b, *c) = (7 << 5 | high, short.wrapping_sub(7) as u8, low);
                3
            }
            _ => return false,
        };
        self.at = self.at.wrapping_add(used);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(plain: &[u8], room: usize, entries: usize) -> Encoded {
        let mut code = vec![0; room];
        let mut table = vec![0xffff; entries];
        let done = encode(plain, &mut code, &mut table);
        let mut back = vec![0; done.plain];
        assert!(decode(&code[..done.code], &mut back));
        assert_eq!(back, plain[..done.plain]);
        done
    }

    #[test]
    fn literal_code() {
        let mut code = [0; 64];
        let done = encode(b"aaaaaaaaaabcabcabc", &mut code, &mut [0; 256]);
        assert_eq!(done.plain, 18);
        assert_eq!(code[..done.code], *b"\0a\xe0\x00\x00\x02bca\x60\x02");
    }

    #[test]
    fn every_room_gives_a_sound_prefix() {
        let mut plain = b"the state of the machine is the state of the units of the machine".repeat(20);
        plain.extend((0u32..400).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8));
        let mut last = 0;
        for room in 2..2000 {
            let done = round_trip(&plain, room, 256);
            assert!(done.plain > 0 && done.plain >= last.min(done.plain), "room {room}");
            last = done.plain;
        }
        assert_eq!(last, plain.len());
    }

    #[test]
    fn every_length_of_match() {
        for length in 1..600 {
            let mut plain = vec![7; length];
            plain.extend(b"abcdefgh");
            round_trip(&plain, 4096, 256);
            let done = round_trip(&plain, 4096, 8192);
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
