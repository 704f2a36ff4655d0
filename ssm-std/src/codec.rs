//! The choice of a codec at run time.

use crate::{Deflate, Lzf, LzfDecoder};
use core::fmt;
use ssm_core::{Either, Encode, Inflate, InflateState, Input, Out, Pack, Step, Store, tag};
use std::str::FromStr;

/// How units are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// Not at all.
    Store,
    /// Fast, by about half.
    #[default]
    Lzf,
    /// Slower and smaller; in format 1.2 only. VirtualBox's own reader (seen with 3.0 and 7.1) takes zlib units that pack to
    /// more than 128 KiB for damaged, those of its own as well: files for it are better packed with LZF.
    Zlib,
}

impl Codec {
    /// All of them.
    pub const ALL: [Codec; 3] = [Codec::Store, Codec::Lzf, Codec::Zlib];

    /// The codec of a tag byte.
    pub fn of_tag(tag: u8) -> Option<Self> {
        match tag {
            tag::STORE => Some(Codec::Store),
            tag::LZF => Some(Codec::Lzf),
            tag::ZLIB => Some(Codec::Zlib),
            _ => None,
        }
    }

    /// Its name: `"store"`, `"lzf"` or `"zlib"`.
    pub fn as_str(self) -> &'static str {
        match self {
            Codec::Store => "store",
            Codec::Lzf => "lzf",
            Codec::Zlib => "zlib",
        }
    }

    /// An encoder with the host's memory.
    pub fn encoder(self) -> Encoder {
        match self {
            Codec::Store => Encoder::Store(Store),
            Codec::Lzf => Encoder::Lzf(Lzf::new()),
            Codec::Zlib => Encoder::Zlib(Deflate::default()),
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Codec {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = |codec: &Codec| codec.as_str() == name;
        Codec::ALL.into_iter().find(known).ok_or_else(|| format!("codec {name:?} found, store, lzf or zlib expected"))
    }
}

/// An encoder of any codec.
pub enum Encoder {
    /// See [`Store`].
    Store(Store),
    /// See [`Lzf`].
    Lzf(Lzf),
    /// See [`Deflate`].
    Zlib(Deflate),
}

impl Encoder {
    fn as_dyn(&self) -> &dyn Encode {
        match self {
            Encoder::Store(codec) => codec,
            Encoder::Lzf(codec) => codec,
            Encoder::Zlib(codec) => codec,
        }
    }

    fn as_dyn_mut(&mut self) -> &mut dyn Encode {
        match self {
            Encoder::Store(codec) => codec,
            Encoder::Lzf(codec) => codec,
            Encoder::Zlib(codec) => codec,
        }
    }
}

impl Encode for Encoder {
    fn tag(&self) -> u8 {
        self.as_dyn().tag()
    }

    fn is_transparent(&self) -> bool {
        self.as_dyn().is_transparent()
    }

    fn reset(&mut self) {
        self.as_dyn_mut().reset();
    }

    fn encode(&mut self, plain: &[u8], packed: &mut [u8], input: Input) -> Step {
        self.as_dyn_mut().encode(plain, packed, input)
    }

    fn encode_all(&mut self, plain: &[u8], out: &mut Out<'_>) {
        self.as_dyn_mut().encode_all(plain, out);
    }

    fn encode_blocks(&mut self, plain: &[u8], block: usize, pack: &Pack<'_>, out: &mut Out<'_>) {
        self.as_dyn_mut().encode_blocks(plain, block, pack, out);
    }

    fn encode_block(&mut self, plain: &[u8], code: &mut [u8]) -> Option<usize> {
        self.as_dyn_mut().encode_block(plain, code)
    }
}

/// A decoder of all codecs, with the host's memory.
pub type Decoder = Either<Store, Either<LzfDecoder, Inflate<Box<InflateState>, Vec<u8>>>>;

/// A decoder of all codecs that reads every file, with windows of 32 KiB.
pub fn decoder() -> Decoder {
    let inflate = Inflate::new(Box::default(), vec![0; 32768]);
    Either::of(Store, Either::of(LzfDecoder::new(), inflate))
}
