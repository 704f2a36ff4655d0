//! Copies that the compiler can see never panic.

/// Copies the bytes that both have room for; how many.
// On a device one copy of this code is enough; inlined, it may also turn into a `memmove` of 700 bytes.
#[cfg_attr(target_os = "none", inline(never))]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) -> usize {
    let n = to.len().min(from.len());
    let (to_words, to_tail) = to.get_mut(..n).unwrap_or(&mut []).as_chunks_mut::<8>();
    let (from_words, from_tail) = from.get(..n).unwrap_or(&[]).as_chunks::<8>();
    for (to, from) in to_words.iter_mut().zip(from_words) {
        *to = *from;
    }
    for (to, from) in to_tail.iter_mut().zip(from_tail) {
        *to = *from;
    }
    n
}

/// Repeats inside `bytes`: `len` bytes from `at - distance` to `at`, which may overlap, so that a pattern of `distance`
/// bytes is continued. `false`, and nothing copied, where that does not lie in `bytes`.
pub(crate) fn repeat(bytes: &mut [u8], at: usize, distance: usize, len: usize) -> bool {
    let (Some(from), Some(end)) = (at.checked_sub(distance), at.checked_add(len)) else {
        return false;
    };
    if distance == 0 || end > bytes.len() {
        return false;
    }
    let (mut at, mut left) = (at, len);
    // Each round doubles what is there of the pattern.
    while left > 0 {
        let Some((before, after)) = bytes.split_at_mut_checked(at) else {
            return false;
        };
        let pattern = before.get(from..).unwrap_or(&[]);
        let copied = copy(after.get_mut(..left).unwrap_or(&mut []), pattern);
        if copied == 0 {
            return false;
        }
        at = at.saturating_add(copied);
        left = left.saturating_sub(copied);
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
    fn copy_takes_the_shorter() {
        let mut to = [0; 11];
        assert_eq!(copy(&mut to, b"hello, saved state"), 11);
        assert_eq!(&to, b"hello, save");
        assert_eq!(copy(&mut to, b"J"), 1);
        assert_eq!(&to, b"Jello, save");
    }
}
