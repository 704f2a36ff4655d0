//! Layer 1: codecs. Slices in, slices out; no I/O, no allocation, any buffer size.
//!
//! A unit's bytes in a file are *packed*: a tag byte that names the codec, then what the codec makes of the *plain* bytes
//! (SPEC.md, "Unit data"). The stream around a codec writes and reads the tag byte; a codec sees what follows it.

mod ahead;
mod either;
#[cfg(feature = "inflate")]
mod inflate;
pub(crate) mod lzf;
mod store;

pub use ahead::{Ahead, Block, Blocks};
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

/// Takes packed bytes and the number of plain ones that are through with them; `false` asks for no more.
pub type Out<'o> = dyn FnMut(&[u8], usize) -> bool + 'o;

/// Packs a piece into room for it and a 64th more, with the encoder it is given.
pub type Pack<'p> = dyn Fn(&mut dyn Encode, &[u8], &mut [u8]) -> Step + Sync + 'p;

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

    /// Takes bytes from `plain` and puts bytes into `packed`, which is not empty. It may change what is behind those in
    /// `packed` too.
    ///
    /// Each call takes or puts at least one byte, unless there is nothing to do: `plain` is empty and either more
    /// [`Input`] follows, or all was said. So, after the last plain byte, call with an empty `plain` and [`Input::End`]
    /// until nothing is written.
    fn encode(&mut self, plain: &[u8], packed: &mut [u8], input: Input) -> Step;

    /// Packs a large `plain` at once, as [`encode`](Self::encode) would with [`Input::More`] and any room, if the codec has
    /// a faster way for it: several threads, or buffers of its own.
    ///
    /// `out` takes the packed bytes from front to back, each time with how many bytes of `plain` are through with them;
    /// `false` from it is the end. What is not through then is left to `encode`; by default, that is all of it.
    #[inline]
    fn encode_all(&mut self, plain: &[u8], out: &mut Out<'_>) {
        let _ = (plain, out);
    }

    /// The same for a caller that packs by itself, with [`encode_block`](Self::encode_block): `pack` takes pieces of
    /// `plain`, on any thread and in any order, with an encoder for each. A piece is some blocks of `block` bytes; only the
    /// last has what is left.
    #[inline]
    fn encode_blocks(&mut self, plain: &[u8], block: usize, pack: &Pack<'_>, out: &mut Out<'_>) {
        let _ = (plain, block, pack, out);
    }

    /// Packs all of `plain`, 1 to 4096 bytes, as one block of code alone, without a block header; how many
    /// bytes of `code` it took. It may change what is behind those too.
    ///
    /// `None` where it does not fit into `code`, and from codecs that have no such blocks. This has nothing to do with the
    /// unit that [`encode`](Self::encode) is at.
    fn encode_block(&mut self, plain: &[u8], code: &mut [u8]) -> Option<usize> {
        let _ = (plain, code);
        None
    }
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

    /// Prepares for one block of code alone, without a block header, that takes `packed` bytes and makes `plain` ones;
    /// `false` from codecs that have no such blocks. It may be called without a [`reset`](Self::reset) before.
    ///
    /// [`decode`](Self::decode) then takes the block in pieces as usual, and nothing comes after its plain bytes until the
    /// next call of this or of `reset`. It fails with [`DecodeError::Corrupt`] where the block does not have exactly these
    /// sizes: so the block is sound when, after all was taken and given, a call with an empty `packed`, [`Input::End`] and
    /// room in `plain` succeeds.
    fn begin_block(&mut self, packed: u16, plain: u16) -> bool {
        let _ = (packed, plain);
        false
    }

    /// Whether [`decode_ahead`](Self::decode_ahead) may do something, so that large pieces of a file are worth to be read
    /// at once. Always valid.
    fn reads_ahead(&self) -> bool {
        false
    }

    /// Decodes blocks of LZF into `plain` while more are read, until it is nearly full or `blocks` gives no more; how far it
    /// came. It is called after a [`reset`](Self::reset) with [`tag::LZF`].
    ///
    /// More may have been read than was decoded, and what is in `plain` behind that is not specified. The caller then goes
    /// on with [`decode`](Self::decode) or [`begin_block`](Self::begin_block) behind the last block that was decoded. A codec
    /// without threads, or in the middle of a block, does nothing.
    fn decode_ahead(&mut self, plain: &mut [u8], blocks: &mut dyn Blocks) -> Ahead {
        let _ = (plain, blocks);
        Ahead::default()
    }

    /// The same for up to `plain` bytes that nobody wants: they are decoded and thrown away.
    fn check_ahead(&mut self, plain: usize, blocks: &mut dyn Blocks) -> Ahead {
        let _ = (plain, blocks);
        Ahead::default()
    }
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

    #[inline]
    fn encode_all(&mut self, plain: &[u8], out: &mut Out<'_>) {
        (**self).encode_all(plain, out);
    }

    #[inline]
    fn encode_blocks(&mut self, plain: &[u8], block: usize, pack: &Pack<'_>, out: &mut Out<'_>) {
        (**self).encode_blocks(plain, block, pack, out);
    }

    fn encode_block(&mut self, plain: &[u8], code: &mut [u8]) -> Option<usize> {
        (**self).encode_block(plain, code)
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

    fn begin_block(&mut self, packed: u16, plain: u16) -> bool {
        (**self).begin_block(packed, plain)
    }

    fn reads_ahead(&self) -> bool {
        (**self).reads_ahead()
    }

    fn decode_ahead(&mut self, plain: &mut [u8], blocks: &mut dyn Blocks) -> Ahead {
        (**self).decode_ahead(plain, blocks)
    }

    fn check_ahead(&mut self, plain: usize, blocks: &mut dyn Blocks) -> Ahead {
        (**self).check_ahead(plain, blocks)
    }
}
