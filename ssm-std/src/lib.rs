//! Saved states on a host: what [`ssm_core`] does, with files, all cores and every codec.
//!
//! - [`save_to_path`] replaces a file so that a failure or a power cut leaves the old one; [`load_from_path`] and
//!   [`open_path`] read it again.
//! - [`replace_file`] and [`replace_file_from`] do the same for any file, [`abandon_saves`] and [`leftovers`] care for what is
//!   left when a process ends in the middle.
//! - [`FileFlash`] is a file or a block device for the slots of [`ssm_core::Slots`].
//! - [`Codec`] chooses how units are packed; [`decoder`] reads them all.
//! - [`Crc32Fast`] is the checksum at the speed of memory.
//!
//! Everything of [`ssm_core`] that a program needs is found there; this crate adds to it and hides nothing.

mod buffered;
mod buffered_writer;
mod codec;
mod crc32;
mod deflate;
mod error;
mod file;
mod flash;
mod format;
mod lzf;
mod replace;

pub use buffered::Buffered;
pub use buffered_writer::BufferedWriter;
pub use codec::{Codec, Decoder, Encoder, decoder};
pub use crc32::Crc32Fast;
pub use deflate::Deflate;
pub use embedded_io_adapters::std::{FromStd, ToStd};
pub use error::{Error, Failure};
pub use file::{
    LoadOptions, PathArchive, SaveOptions, buffered_writer, load_from_path, open_file, open_path, open_path_unchecked,
    save_to_path,
};
pub use flash::{FileFlash, FileFlashError};
pub use format::SaveFormat;
pub use lzf::{Lzf, LzfDecoder};
pub use replace::{abandon_saves, leftovers, replace_file, replace_file_from};
pub use ssm_core;
