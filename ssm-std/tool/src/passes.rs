//! The passes of a live save, in words.

/// Ranges that are told; a file may have more passes than memory has room for.
const MOST_RANGES: usize = 8;

/// Live passes, in the order of a file, which is the order of their numbers.
#[derive(Clone, Debug, Default)]
pub struct Passes {
    /// First and last.
    ranges: Vec<(u32, u32)>,
    has_more: bool,
}

impl Passes {
    /// Adds a unit's pass; the final one is none of these.
    pub fn add(&mut self, pass: Option<u32>) {
        let Some(pass) = pass else { return };
        let has_room = self.ranges.len() < MOST_RANGES;
        match self.ranges.last_mut() {
            Some((first, last)) if (*first..=*last).contains(&pass) => {}
            Some((_, last)) if last.checked_add(1) == Some(pass) => *last = pass,
            _ if has_room => self.ranges.push((pass, pass)),
            _ => self.has_more = true,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many there are of those that are told.
    fn is_one(&self) -> bool {
        !self.has_more && matches!(self.ranges[..], [(first, last)] if first == last)
    }

    /// `pass 0`, `passes 0 to 3 and 7`.
    pub fn in_words(&self) -> String {
        let mut words: Vec<String> = self
            .ranges
            .iter()
            .map(|&(first, last)| match last - first {
                0 => first.to_string(),
                1 => format!("{first}, {last}"),
                _ => format!("{first} to {last}"),
            })
            .collect();
        if self.has_more {
            words.push("more".to_owned());
        }
        let last = words.pop().unwrap_or_default();
        // Two that follow each other are one range, yet two words.
        let listed = if words.is_empty() { last } else { format!("{} and {last}", words.join(", ")) };
        let listed = match listed.split_once(", ") {
            Some((first, second)) if !listed.contains(" and ") => format!("{first} and {second}"),
            _ => listed,
        };
        format!("{} {listed}", if self.is_one() { "pass" } else { "passes" })
    }
}

#[cfg(test)]
mod tests {
    use super::Passes;

    fn words(passes: impl IntoIterator<Item = u32>) -> String {
        let mut all = Passes::default();
        passes.into_iter().for_each(|pass| all.add(Some(pass)));
        all.add(None);
        all.in_words()
    }

    #[test]
    fn ranges_in_words() {
        assert_eq!(words([0]), "pass 0");
        assert_eq!(words([0, 0, 1]), "passes 0 and 1");
        assert_eq!(words([0, 2]), "passes 0 and 2");
        assert_eq!(words([0, 1, 2, 2, 3]), "passes 0 to 3");
        assert_eq!(words([0, 1, 2, 7]), "passes 0 to 2 and 7");
        assert_eq!(words((0..100).map(|pass| 2 * pass)), "passes 0, 2, 4, 6, 8, 10, 12, 14 and more");
        assert_eq!(words([u32::MAX - 1, u32::MAX]), "passes 4294967294 and 4294967295");
        assert!(Passes::default().is_empty());
    }
}
