//! Deterministic changes to the fuzzer's inputs: flips, cuts, repeats and splices, out of a seed.

/// Makes changed inputs out of given ones.
pub struct Mutations<'c> {
    corpus: &'c [Vec<u8>],
    state: u64,
}

impl<'c> Mutations<'c> {
    /// Of these inputs, of which there is one at least.
    pub fn of(corpus: &'c [Vec<u8>], seed: u64) -> Self {
        assert!(!corpus.is_empty());
        Self { corpus, state: seed | 1 }
    }

    /// Below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 16) as usize % end
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        let end = (at + self.below(9)).min(bytes.len());
        match self.below(8) {
            0 | 1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            2 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xfe, 0xff][self.below(6)],
            3 if at < bytes.len() => bytes[at] = bytes[at].wrapping_add([1, 255][self.below(2)]),
            4 => _ = bytes.drain(at..end),
            5 => bytes.truncate(at),
            6 => {
                let repeated = bytes[at..end].repeat(1 + self.below(4));
                bytes.splice(at..at, repeated);
            }
            _ => {
                let other = &self.corpus[self.below(self.corpus.len())];
                let from = self.below(other.len() + 1);
                bytes.splice(at.., other[from..].iter().copied());
            }
        }
    }
}

impl Iterator for Mutations<'_> {
    type Item = Vec<u8>;

    /// One of the inputs, changed in one to four places.
    fn next(&mut self) -> Option<Vec<u8>> {
        let mut bytes = self.corpus[self.below(self.corpus.len())].clone();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes);
        }
        Some(bytes)
    }
}
