//! The host's LZF: a large table and the largest blocks, straight from the caller's memory.

use ssm_core::{Encode, Input, LzfEncoder, Step};

/// Entries of the host's table: 64 KiB of memory.
const TABLE: usize = 32768;

/// The encoder of LZF (tag 5) with a large table on the heap and blocks of up to 32768 plain bytes. Same format as
/// [`LzfEncoder`], smaller files.
#[derive(Debug, Default)]
pub struct Lzf(Box<LzfEncoder<TABLE>>);

impl Lzf {
    /// An encoder.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Encode for Lzf {
    fn tag(&self) -> u8 {
        self.0.tag()
    }

    fn reset(&mut self) {
        self.0.reset();
    }

    fn encode(&mut self, plain: &[u8], packed: &mut [u8], input: Input) -> Step {
        self.0.encode(plain, packed, input)
    }

    fn encode_block(&mut self, plain: &[u8], code: &mut [u8]) -> Option<usize> {
        self.0.encode_block(plain, code)
    }
}
