//! One block of bare LZF code, packed for speed where memory is no matter: beside each place the table holds two of its
//! bytes, so that most places which do not match are never looked at.
//!
//! What costs is not the work but waiting: each match decides where the next one is looked for. The first places behind a
//! match are tried without a loop, so that the processor learns each branch by itself, and tokens are put together without
//! branches.

use super::block::Encoded;
use super::code::Code;
use super::{MAX_DISTANCE, MAX_MATCH, MAX_PACKED};

/// An entry of a table that holds none: no place is as far back.
const NONE: u32 = u32::MAX;

/// What [`find`] found.
struct Match {
    from: usize,
    at: usize,
    /// In what the words at the two places differ: not in the first four bytes.
    difference: u64,
}

/// Packs as much of `plain` as fits into `code`, as the narrow [`encode`](super::block::encode) does.
pub(super) fn encode<const TABLE: usize>(plain: &[u8], code: &mut [u8], table: &mut [u32; TABLE]) -> Encoded {
    table.fill(NONE);
    // A number that is known when compiling needs no register.
    match code.len() {
        MAX_PACKED.. => match code.first_chunk_mut::<MAX_PACKED>() {
            Some(code) => tokens(plain, code, table),
            None => Encoded { plain: 0, code: 0 },
        },
        _ => tokens(plain, code, table),
    }
}

#[inline(always)]
fn tokens<const TABLE: usize>(plain: &[u8], code: &mut [u8], table: &mut [u32; TABLE]) -> Encoded {
    let mut out = Code::new(code);
    let mut literals = 0usize; // where the pending run of literals starts
    if let Some(word) = word_at(plain, 0) {
        enter(table, word as u32, 0);
    }
    let mut next = 1;
    while let Some(Match { from, at, difference }) = find(plain, next, table) {
        literals = out.literals(plain, literals, at);
        let len = match difference {
            0 => match_length(plain, from, at),
            _ => (difference.trailing_zeros() >> 3) as usize,
        };
        if literals != at || !out.repeat(at.wrapping_sub(from), len) {
            return Encoded { plain: literals, code: out.len() };
        }
        literals = at.wrapping_add(len);
        next = literals;
        // What the match passed over helps the next ones.
        if let (Some(a), Some(b)) = (word_at(plain, at.wrapping_add(1)), word_at(plain, literals.wrapping_sub(1))) {
            enter(table, a as u32, at.wrapping_add(1));
            enter(table, b as u32, literals.wrapping_sub(1));
        }
    }
    literals = out.many_literals(plain, literals, plain.len());
    Encoded { plain: literals, code: out.len() }
}

/// Looks for the next match from `at` on, and enters what it passes into the table. The longer nothing repeats, the larger
/// the steps.
#[inline(always)]
fn find<const TABLE: usize>(plain: &[u8], mut at: usize, table: &mut [u32; TABLE]) -> Option<Match> {
    let word = word_at(plain, at)?;
    if let found @ Some(_) = probe(plain, at, word, table) {
        return found;
    }
    if let found @ Some(_) = probe(plain, at.wrapping_add(1), word >> 8, table) {
        return found;
    }
    if let found @ Some(_) = probe(plain, at.wrapping_add(2), word >> 16, table) {
        return found;
    }
    if let found @ Some(_) = probe(plain, at.wrapping_add(3), word >> 24, table) {
        return found;
    }
    at = at.wrapping_add(4);
    // In parts of 32. A small table is for pieces so small that time counts more than size.
    let growth = if TABLE > 256 { 1 } else { 4 };
    let mut step = 32usize;
    loop {
        let word = word_at(plain, at)?;
        if let found @ Some(_) = probe(plain, at, word, table) {
            return found;
        }
        at = at.wrapping_add(step >> 5);
        step = step.wrapping_add(growth);
    }
}

/// Enters a place into the table; a match, if the entry that was there is one. The first four bytes of `word` are those at
/// the place.
#[inline(always)]
fn probe<const TABLE: usize>(plain: &[u8], at: usize, word: u64, table: &mut [u32; TABLE]) -> Option<Match> {
    let start = word as u32;
    // The place, where the two bytes agree; otherwise a number above all places.
    let entry = enter(table, start, at) ^ start << 16;
    if (at as u32).wrapping_sub(entry) > MAX_DISTANCE as u32 {
        return None;
    }
    let from = entry as usize;
    let difference = word_at(plain, from)? ^ word_at(plain, at)?;
    if difference as u32 != 0 {
        return None;
    }
    Some(Match { from, at, difference })
}

/// Puts a place with its first two bytes into the table; what was there before.
#[inline(always)]
fn enter<const TABLE: usize>(table: &mut [u32; TABLE], start: u32, at: usize) -> u32 {
    let slot = start.wrapping_mul(0x9e37_79b1).wrapping_shr(32u32.wrapping_sub(TABLE.ilog2())) as usize;
    match table.get_mut(slot) {
        Some(slot) => core::mem::replace(slot, at as u32 | start << 16),
        None => NONE,
    }
}

#[inline(always)]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    if at > bytes.len().wrapping_sub(8) {
        return None;
    }
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}

/// How many bytes from `at` on equal those from `earlier` on, 264 at most. Eight are known to.
#[inline(always)]
fn match_length(plain: &[u8], earlier: usize, at: usize) -> usize {
    if let (Some(a), Some(b)) = (word_at(plain, earlier.wrapping_add(8)), word_at(plain, at.wrapping_add(8)))
        && a != b
    {
        return 8usize.wrapping_add(((a ^ b).trailing_zeros() >> 3) as usize);
    }
    long_match(plain, earlier, at)
}

#[inline(never)]
fn long_match(plain: &[u8], earlier: usize, at: usize) -> usize {
    let (Some(a), Some(b)) = (plain.get(earlier.wrapping_add(8)..), plain.get(at.wrapping_add(8)..)) else {
        return 8;
    };
    let b = b.get(..MAX_MATCH - 8).unwrap_or(b);
    let mut done = 0usize;
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks().0) {
        let difference = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if difference != 0 {
            return done.wrapping_add(8).wrapping_add((difference.trailing_zeros() >> 3) as usize);
        }
        done = done.wrapping_add(8);
    }
    let (a, b) = (a.get(done..).unwrap_or(&[]), b.get(done..).unwrap_or(&[]));
    done.wrapping_add(8).wrapping_add(a.iter().zip(b).take_while(|(a, b)| a == b).count())
}

#[cfg(test)]
mod tests {
    use super::super::block::decode;
    use super::*;

    fn round_trip(plain: &[u8], room: usize) -> Encoded {
        let mut code = vec![0; room];
        let done = encode(plain, &mut code, &mut [7; 256]);
        let mut back = vec![0; done.plain];
        assert!(decode(&code[..done.code], &mut back));
        assert_eq!(back, plain[..done.plain]);
        let mut more = vec![0; room];
        let same = encode(plain, &mut more, &mut [0; 8192]);
        let mut back = vec![0; same.plain];
        assert!(decode(&more[..same.code], &mut back));
        assert_eq!(back, plain[..same.plain]);
        done
    }

    #[test]
    fn literal_code() {
        let mut code = [0; 64];
        let done = encode(b"abcdabcdabcdabcd", &mut code, &mut [0; 256]);
        assert_eq!((done.plain, &code[..done.code]), (16, &b"\x03abcd\xe0\x03\x03"[..]));
    }

    #[test]
    fn every_room_gives_a_sound_prefix() {
        let mut plain = b"the state of the machine is the state of the units of the machine".repeat(20);
        plain.extend((0u32..400).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8));
        for room in 2..2000 {
            let done = round_trip(&plain, room);
            assert!(done.plain > 0, "room {room}");
            assert!(done.plain == plain.len() || done.code + 34 > room, "{} of {room} used", done.code);
        }
        assert_eq!(round_trip(&plain, 2000).plain, plain.len());
    }

    #[test]
    fn every_length_and_place_of_a_match() {
        for length in 1..600 {
            let mut plain = b"0123456789".to_vec();
            plain.extend(std::iter::repeat_n(b"abcdefg", 100).flatten().take(length));
            plain.extend(b"xyz");
            let done = round_trip(&plain, 4096);
            assert!(done.plain == plain.len() && done.code < 48, "{length}: {}", done.code);
            round_trip(&plain[..length.min(plain.len())], 4096);
        }
    }

    #[test]
    fn no_match_reaches_back_too_far() {
        for gap in MAX_DISTANCE - 20..MAX_DISTANCE + 20 {
            let mut plain = b"a state of a machine".to_vec();
            plain.extend((0..(gap - 20) as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8));
            plain.extend(b"a state of a machine");
            assert_eq!(round_trip(&plain, 20_000).plain, plain.len());
        }
    }
}
