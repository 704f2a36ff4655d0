//! The host's LZF: large tables, the largest blocks, several threads. The format is the same, and so are the bytes with any
//! number of threads: blocks know nothing of each other, and where one ends depends on the plain bytes alone.

mod ahead;
mod decoder;
mod encoder;
mod piece;
mod pipeline;
mod threads;
mod zeros;

pub use decoder::LzfDecoder;
pub use encoder::Lzf;
