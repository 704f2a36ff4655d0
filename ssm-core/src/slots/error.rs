//! Why an operation on the slots failed: one type per operation.

use core::fmt::{self, Debug, Display, Formatter};
use embedded_io::ErrorKind;
use embedded_storage::nor_flash::{NorFlashError, NorFlashErrorKind};

/// What [`SlotReader`](crate::SlotReader) and [`SlotWriter`](crate::SlotWriter) say: an error of embedded-io.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FlashError<E> {
    /// The flash failed.
    Flash(E),
    /// The slot takes no more: it is full, or a write failed before.
    Full,
    /// A seek to before the first byte or to one that no 64 bits hold.
    Position,
}

impl<E: Debug> Display for FlashError<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => flash(f, error),
            Self::Full => f.write_str("the slot takes no more"),
            Self::Position => f.write_str("a seek to no position"),
        }
    }
}

impl<E: Debug> core::error::Error for FlashError<E> {}

impl<E: NorFlashError> embedded_io::Error for FlashError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Flash(error) if error.kind() == NorFlashErrorKind::Other => ErrorKind::Other,
            Self::Full => ErrorKind::WriteZero,
            _ => ErrorKind::InvalidInput,
        }
    }
}

/// Why slots were not mounted. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum MountError<E> {
    /// The flash failed.
    Flash(E),
    /// The flash says that it reads, writes or erases in units of 0 bytes or of 4 GiB and more.
    Geometry,
    /// The range reaches behind the end of the flash, or does not begin and end at multiples of the erase size.
    Range,
    /// Fewer than two slots, or slots without room for a commit record and one word of content.
    TooSmall,
    /// The buffer is smaller than what is read or written at once.
    Buffer {
        /// Bytes that it must have at least.
        needed: usize,
    },
}

/// Why a slot was not erased. It is not written before it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EraseError<E> {
    /// The flash failed.
    Flash(E),
    /// The flash said that it erased, but what it holds is not all ones.
    NotErased {
        /// The first byte that is not, from the start of the flash.
        offset: u32,
    },
}

/// Why a state was not saved. The state before is still the latest, and a save may be tried again.
///
/// `S` is the error of the closure that made the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CommitError<E, S> {
    /// The flash failed outside of the closure. Only if that was in the very last write, the next mount may find the new
    /// state.
    Flash(E),
    /// The flash said that it erased, but what it holds is not all ones.
    NotErased {
        /// The first byte that is not, from the start of the flash.
        offset: u32,
    },
    /// The closure failed.
    Save(S),
    /// The state is known to be larger than a slot. Nothing was erased or written.
    TooLarge {
        /// Bytes that a slot has room for.
        capacity: u32,
    },
    /// The closure returned success although a write had failed or there was no room.
    Incomplete,
    /// What was written reads back otherwise: worn or broken cells.
    Mismatch,
    /// A commit record has the highest generation of all, which no number of saves reaches: it was forged. Erase all.
    Generations,
}

/// Why there was no way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RollbackError<E> {
    /// The flash failed. If that was in the erase, the state before is the latest in this mount, and the next one
    /// finds either.
    Flash(E),
    /// The flash said that it erased, but what it holds is not all ones; the rest as above.
    NotErased {
        /// The first byte that is not, from the start of the flash.
        offset: u32,
    },
    /// There is no state before the latest, or it is damaged. Nothing was changed.
    NoPrevious,
}

/// Why a state cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ReadError<E> {
    /// The flash failed.
    Flash(E),
    /// Its slot was erased or holds another state by now.
    Gone,
}

impl<E> From<EraseError<E>> for RollbackError<E> {
    fn from(error: EraseError<E>) -> Self {
        match error {
            EraseError::Flash(error) => Self::Flash(error),
            EraseError::NotErased { offset } => Self::NotErased { offset },
        }
    }
}

impl<E, S> From<EraseError<E>> for CommitError<E, S> {
    fn from(error: EraseError<E>) -> Self {
        match error {
            EraseError::Flash(error) => Self::Flash(error),
            EraseError::NotErased { offset } => Self::NotErased { offset },
        }
    }
}

fn flash(f: &mut Formatter<'_>, error: &impl Debug) -> fmt::Result {
    write!(f, "flash: {error:?}")
}

fn not_erased(f: &mut Formatter<'_>, offset: u32) -> fmt::Result {
    write!(f, "not erased at {offset:#x}")
}

impl<E: Debug> Display for MountError<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => flash(f, error),
            Self::Geometry => f.write_str("the flash has a unit of an impossible size"),
            Self::Range => f.write_str("the range is not one of whole blocks of the flash"),
            Self::TooSmall => f.write_str("the range has no room for two slots or more"),
            Self::Buffer { needed } => write!(f, "the buffer has less than {needed} bytes"),
        }
    }
}

impl<E: Debug> Display for EraseError<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => flash(f, error),
            Self::NotErased { offset } => not_erased(f, *offset),
        }
    }
}

impl<E: Debug, S: Display> Display for CommitError<E, S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => flash(f, error),
            Self::NotErased { offset } => not_erased(f, *offset),
            Self::Save(error) => Display::fmt(error, f),
            Self::TooLarge { capacity } => write!(f, "a slot has room for {capacity} bytes only"),
            Self::Incomplete => f.write_str("the state was not written completely"),
            Self::Mismatch => f.write_str("what was written reads back otherwise"),
            Self::Generations => f.write_str("there is no higher generation"),
        }
    }
}

impl<E: Debug> Display for RollbackError<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => flash(f, error),
            Self::NotErased { offset } => not_erased(f, *offset),
            Self::NoPrevious => f.write_str("there is no state before the latest"),
        }
    }
}

impl<E: Debug> Display for ReadError<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => flash(f, error),
            Self::Gone => f.write_str("the state is no longer in its slot"),
        }
    }
}

impl<E: Debug> core::error::Error for MountError<E> {}
impl<E: Debug> core::error::Error for EraseError<E> {}
impl<E: Debug> core::error::Error for RollbackError<E> {}
impl<E: Debug> core::error::Error for ReadError<E> {}

impl<E: Debug, S: core::error::Error + 'static> core::error::Error for CommitError<E, S> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Save(error) => Some(error),
            _ => None,
        }
    }
}
