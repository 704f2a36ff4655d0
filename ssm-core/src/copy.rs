//! Copies that the compiler can see never panic.

/// Bytes that are copied at once: two words, so that it is two loads and two stores on every target.
pub(crate) const WIDE: usize = 2 * size_of::<usize>();

/// Whether a word at any address is one load. Of the Arm cores without it (ARMv6-M) none has atomic operations.
pub(crate) const UNALIGNED: bool = !cfg!(any(
    target_arch = "riscv32",
    target_arch = "riscv64",
    all(target_arch = "arm", not(target_has_atomic = "32"))
));

/// Copies the bytes that both have room for; how many.
// On a device one copy of this code is enough.
#[cfg_attr(target_os = "none", inline(never))]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) -> usize {
    let n = to.len().min(from.len());
    let (to, from) = (to.get_mut(..n).unwrap_or(&mut []), from.get(..n).unwrap_or(&[]));
    if cfg!(target_os = "none") {
        copy_in_words::<UNALIGNED>(to, from);
    } else {
        to.copy_from_slice(from);
    }
    n
}

/// Copies slices of one length, two words at a time, or four.
#[inline(always)]
fn copy_in_words<const FOUR: bool>(mut to: &mut [u8], mut from: &[u8]) {
    let (Some(to_last), Some(from_last)) = (to.last_chunk_mut(), from.last_chunk()) else {
        for (to, from) in to.iter_mut().zip(from) {
            *to = *from;
        }
        return;
    };
    // The last bytes first, as they may overlap those before.
    copy_wide(to_last, from_last);
    if FOUR {
        let (to_pairs, to_rest) = to.as_chunks_mut::<{ 2 * WIDE }>();
        let (from_pairs, from_rest) = from.as_chunks::<{ 2 * WIDE }>();
        for (to, from) in to_pairs.iter_mut().zip(from_pairs) {
            if let ([to, other_to], [from, other_from]) = (to.as_chunks_mut().0, from.as_chunks().0) {
                copy_wide(to, from);
                copy_wide(other_to, other_from);
            }
        }
        (to, from) = (to_rest, from_rest);
    }
    for (to, from) in to.as_chunks_mut().0.iter_mut().zip(from.as_chunks().0) {
        copy_wide(to, from);
    }
}

/// Copies [`WIDE`] bytes as two words: loops of this are left alone, where the compiler makes those of one copy a call of
/// `memcpy`, which is slow on devices.
#[inline(always)]
pub(crate) fn copy_wide(to: &mut [u8; WIDE], from: &[u8; WIDE]) {
    const WORD: usize = size_of::<usize>();
    if let ([to, other_to], [from, other_from]) = (to.as_chunks_mut::<WORD>().0, from.as_chunks::<WORD>().0) {
        (*to, *other_to) = (*from, *other_from);
    }
}

/// Copies `len` bytes and some of those behind, up to a multiple of [`WIDE`]; `false`, and nothing copied, where one of the
/// two has not that many.
#[inline(always)]
pub(crate) fn copy_over(to: &mut [u8], from: &[u8], len: usize) -> bool {
    let chunks = len.wrapping_add(WIDE - 1) / WIDE;
    let (Some(to), Some(from)) = (to.as_chunks_mut().0.get_mut(..chunks), from.as_chunks().0.get(..chunks)) else {
        return false;
    };
    for (to, from) in to.iter_mut().zip(from) {
        copy_wide(to, from);
    }
    true
}

/// Repeats inside `bytes`: `len` bytes from `at - distance` to `at`, which may overlap, so that a pattern of `distance`
/// bytes is continued. `false`, and nothing copied, where that does not lie in `bytes`.
// As `copy`.
#[cfg_attr(target_os = "none", inline(never))]
pub(crate) fn repeat(bytes: &mut [u8], at: usize, distance: usize, len: usize) -> bool {
    let Some((before, after)) = bytes.split_at_mut_checked(at) else {
        return false;
    };
    let Some(pattern) = at.checked_sub(distance).and_then(|from| before.get(from..)) else {
        return false;
    };
    let Some(to) = after.get_mut(..len) else {
        return false;
    };
    if let [byte] = pattern {
        to.fill(*byte);
        return true;
    }
    // What was copied is a longer pattern.
    let mut copied = copy(to, pattern);
    while copied < len {
        let Some((pattern, rest)) = to.split_at_mut_checked(copied) else {
            return false;
        };
        let more = copy(rest, pattern);
        if more == 0 {
            return false;
        }
        copied = copied.wrapping_add(more);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeat_continues_a_pattern_of_any_length() {
        for distance in 1..=20 {
            for len in 0..=60 {
                let mut bytes: Vec<u8> = (0..100).collect();
                let mut expected = bytes.clone();
                for i in 30..30 + len {
                    expected[i] = expected[i - distance];
                }
                assert!(repeat(&mut bytes, 30, distance, len));
                assert_eq!(bytes, expected, "distance {distance}, length {len}");
            }
        }
        let mut bytes = [1, 2, 3, 4];
        assert!(!repeat(&mut bytes, 2, 3, 1));
        assert!(!repeat(&mut bytes, 2, 0, 1));
        assert!(!repeat(&mut bytes, 2, 1, 3));
        assert_eq!(bytes, [1, 2, 3, 4]);
    }

    #[test]
    fn copy_over_copies_what_is_asked_for_and_little_more() {
        let from: Vec<u8> = (1..=100).collect();
        for len in 0..100 {
            for room in 0..=100 {
                let mut to = vec![0; room];
                let done = copy_over(&mut to, &from, len);
                assert_eq!(done, len.next_multiple_of(WIDE) <= room.min(100));
                assert!(!done || to[..len] == from[..len]);
                assert!(to.iter().skip(if done { len.next_multiple_of(WIDE) } else { 0 }).all(|byte| *byte == 0));
            }
        }
    }

    #[test]
    fn copies_in_words_are_copies() {
        let from: Vec<u8> = (1..=200).collect();
        for len in 0..=200 {
            let (mut two, mut four) = (vec![0; len], vec![0; len]);
            copy_in_words::<false>(&mut two, &from[..len]);
            copy_in_words::<true>(&mut four, &from[..len]);
            assert_eq!((&two[..], &four[..]), (&from[..len], &from[..len]));
        }
    }

    #[test]
    fn copy_takes_the_shorter() {
        let mut to = [0; 11];
        assert_eq!(copy(&mut to, b"hello, saved state"), 11);
        assert_eq!(&to, b"hello, save");
        assert_eq!(copy(&mut to, b"J"), 1);
        assert_eq!(&to, b"Jello, save");
    }
}
