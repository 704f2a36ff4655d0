//! Bytes as they are.

use super::{Decode, DecodeError, Encode, Input, Step, tag};
use crate::copy::copy;

/// The codec that stores plain bytes (tag 2), in both directions. It needs no memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Store;

impl Encode for Store {
    fn tag(&self) -> u8 {
        tag::STORE
    }

    fn is_transparent(&self) -> bool {
        true
    }

    fn reset(&mut self) {}

    fn encode(&mut self, plain: &[u8], packed: &mut [u8], _: Input) -> Step {
        let n = copy(packed, plain);
        Step { read: n, written: n }
    }
}

impl Decode for Store {
    fn reset(&mut self, tag: u8) -> bool {
        tag == tag::STORE
    }

    fn is_transparent(&self) -> bool {
        true
    }

    fn decode(&mut self, packed: &[u8], plain: &mut [u8], _: Input) -> Result<Step, DecodeError> {
        let n = copy(plain, packed);
        Ok(Step { read: n, written: n })
    }
}
