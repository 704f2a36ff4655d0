//! Layer 1: codecs. Slices in, slices out; no I/O, no allocation, any buffer size.
//!
//! A unit's bytes in a file are *packed*: a tag byte that names the codec, then what the codec makes of the *plain* bytes
//! (SPEC.md, "Unit data"). The stream around a codec writes and reads the tag byte; a codec sees what follows it.

mod either;
#[cfg(feature = "inflate")]
mod inflate;
pub(crate) mod lzf;
mod store;

pub use either::Either;
#[cfg(feature = "inflate")]
pub use inflate::{Inflate, InflateState};
pub use lzf::{LzfDecoder, LzfEncoder};
pub use store::Store;

/// The tag bytes of the codecs that files hold.
pub mod tag {
    /// Plain bytes.
    pub const STORE: u8 = 2;
    /// A zlib stream.
    pub const ZLIB: u8 = 3;
    /// Blocks of LZF.
    pub const LZF: u8 = 5;
}

/// Whether more input follows the slice that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Input {
    /// More follows; the codec may hold bytes back.
    More,
    /// This is the end.
    End,
}

/// What one call of a codec did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Step {
    /// Bytes taken from the input slice.
    pub read: usize,
    /// Bytes put at the start of the output slice.
    pub written: usize,
}

/// Why packed bytes do not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DecodeError {
    // From 1 on, so that `None` is zero and a decoder in a static takes no flash.
    /// They are not what an encoder makes.
    Corrupt = 1,
    /// The input ends in the middle of a block or stream.
    End,
    /// A block reaches further back than the decoder's window; a larger window can decode it.
    Window,
}

/// Plain bytes to packed ones.
pub trait Encode {
    /// The tag byte that stands before what [`encode`](Self::encode) writes.
    fn tag(&self) -> u8;

    /// Whether packed bytes are the plain ones, so that a caller may skip [`encode`](Self::encode).
    fn is_transparent(&self) -> bool {
        false
    }

    /// Forgets everything: the next call starts a unit.
    fn reset(&mut self);

    /// Takes bytes from `plain` and puts bytes into `packed`, which is not empty.
    ///
    /// Each call takes or puts at least one byte, unless there is nothing to do: `plain` is empty and either more
    /// [`Input`] follows, or all was said. So, after the last plain byte, call with an empty `plain` and [`Input::End`]
    /// until nothing is written.
    fn encode(&mut self, plain: &[u8], packed: &mut [u8], input: Input) -> Step;
}

/// Packed bytes to plain ones.
pub trait Decode {
    /// Prepares for a unit with this tag byte; `false` when the tag is not known.
    fn reset(&mut self, tag: u8) -> bool;

    /// Whether plain bytes are the packed ones, so that a caller may skip [`decode`](Self::decode).
    /// Valid after [`reset`](Self::reset).
    fn is_transparent(&self) -> bool {
        false
    }

    /// Takes bytes from `packed` and puts bytes into `plain`.
    ///
    /// Each call takes or puts at least one byte, unless `plain` is full, or `packed` is empty and nothing is held back.
    /// With [`Input::End`] and nothing left, it puts nothing at a proper end, and fails with [`DecodeError::End`] in the
    /// middle of a block or stream. After an error the decoder must be reset.
    fn decode(&mut self, packed: &[u8], plain: &mut [u8], input: Input) -> Result<Step, DecodeError>;
}

impl<C: Encode + ?Sized> Encode for &mut C {
    fn tag(&self) -> u8 {
        (**self).tag()
    }

    fn is_transparent(&self) -> bool {
        (**self).is_transparent()
    }

    fn reset(&mut self) {
        (**self).reset();
    }

    fn encode(&mut self, plain: &[u8], packed: &mut [u8], input: Input) -> Step {
        (**self).encode(plain, packed, input)
    }
}

impl<C: Decode + ?Sized> Decode for &mut C {
    fn reset(&mut self, tag: u8) -> bool {
        (**self).reset(tag)
    }

    fn is_transparent(&self) -> bool {
        (**self).is_transparent()
    }

    fn decode(&mut self, packed: &[u8], plain: &mut [u8], input: Input) -> Result<Step, DecodeError> {
        (**self).decode(packed, plain, input)
    }
}
