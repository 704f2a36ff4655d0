//! Units of one file that are packed in different ways.

use ssm_core::{Encode, Input, Out, Pack, Step};
use ssm_std::{Codec, Encoder};
use std::cell::Cell;
use std::rc::Rc;

/// An encoder that packs each unit as it is told before the unit begins.
pub struct PerUnit {
    now: Rc<Cell<Codec>>,
    encoders: [Encoder; Codec::ALL.len()],
}

impl PerUnit {
    /// Packs with the codec that `now` holds.
    pub fn new(now: Rc<Cell<Codec>>) -> Self {
        Self { now, encoders: Codec::ALL.map(Codec::encoder) }
    }

    fn encoder(&mut self) -> &mut Encoder {
        let now = self.now.get();
        let [store, lzf, zlib] = &mut self.encoders;
        match now {
            Codec::Store => store,
            Codec::Lzf => lzf,
            Codec::Zlib => zlib,
        }
    }
}

/// It is never transparent, so that there is room for packed bytes whatever the next unit needs.
impl Encode for PerUnit {
    fn tag(&self) -> u8 {
        let [store, lzf, zlib] = &self.encoders;
        match self.now.get() {
            Codec::Store => store.tag(),
            Codec::Lzf => lzf.tag(),
            Codec::Zlib => zlib.tag(),
        }
    }

    fn reset(&mut self) {
        self.encoder().reset();
    }

    fn encode(&mut self, plain: &[u8], packed: &mut [u8], input: Input) -> Step {
        self.encoder().encode(plain, packed, input)
    }

    fn encode_all(&mut self, plain: &[u8], out: &mut Out<'_>) {
        self.encoder().encode_all(plain, out);
    }

    fn encode_blocks(&mut self, plain: &[u8], block: usize, pack: &Pack<'_>, out: &mut Out<'_>) {
        self.encoder().encode_blocks(plain, block, pack, out);
    }

    fn encode_block(&mut self, plain: &[u8], code: &mut [u8]) -> Option<usize> {
        self.encoder().encode_block(plain, code)
    }
}
