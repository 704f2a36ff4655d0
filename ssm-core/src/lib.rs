#![cfg_attr(not(test), no_std)]
// Which feature an item needs is shown beside it.
#![cfg_attr(docsrs, feature(doc_cfg))]
// All input is hostile: nothing here may panic, whatever a file holds.
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]
#![doc = include_str!("../OVERVIEW.md")]

mod archive;
mod codec;
mod copy;
mod crc32;
mod error;
mod formats;
mod io;
mod judge;
mod live;
mod load;
mod log;
mod medium;
mod notes;
mod policy;
mod progress;
mod registry;
mod save;
#[cfg(feature = "critical-section")]
mod shared;
#[cfg(feature = "nor-flash")]
mod slots;
mod source;
mod stream;
mod unit;
mod walk;
mod wire;
mod writer;

#[doc = include_str!("../SPEC.md")]
pub mod spec {
    #[cfg(doc)]
    use crate::FormatError;
}

#[doc = include_str!("../DESIGN.md")]
pub mod design {}

#[cfg(all(feature = "inflate", feature = "critical-section"))]
#[doc = include_str!("../MICROCONTROLLER.md")]
pub mod microcontroller {}

#[cfg(feature = "nor-flash")]
#[doc = include_str!("../SLOTS.md")]
pub mod nor_flash {}

pub use embedded_io;
#[cfg(feature = "nor-flash")]
pub use embedded_storage;

pub use archive::{Archive, NextUnit, UnitIter, UnitReader};
pub use codec::{
    Ahead, Block, Blocks, Decode, DecodeError, Either, Encode, Input, LzfDecoder, LzfEncoder, Out, Pack, Step, Store,
    tag,
};
#[cfg(feature = "inflate")]
pub use codec::{Inflate, InflateState};
pub use crc32::{Crc32, Crc32Bytewise, Crc32Nibblewise, Crc32Slicing};
pub use error::{LoadError, Phase, SaveError};
pub use formats::{AnyFormat, Formats, FrontToBack, OnlyPatched, OnlyStreamed};
pub use io::Memory;
pub use live::Live;
pub use load::Loader;
pub use policy::{Missing, Policy, Report, Unknown};
pub use progress::Cancel;
pub use registry::{Entry, RegisterError, Registry, SELF_NAME, Units};
pub use save::Saver;
#[cfg(feature = "critical-section")]
pub use shared::SharedRegistry;
#[cfg(feature = "nor-flash")]
pub use slots::{
    CommitError, CommitRecord, EraseError, FlashError, MountError, ReadError, RollbackError, Saved, SlotReader,
    SlotWriter, Slots,
};
pub use stream::{Field, GcPhys, GcPtr, Get, Item, MAX_STRING, Put};
pub use unit::{AfterLoad, AfterSave, MAX_NAME, Owner, Unit, UnitError, UnitId, UnitRecord, Vote};
pub use walk::RecordCounts;
pub use wire::{Format, FormatError, Header, HeaderField, MAX_FILE_NAME, StreamFields, Structure, WriterVersion};
pub use writer::{Patched, Streamed, StreamedUnit, Writer};
