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
    /// The slot takes no more: it is full.
    Full,
    /// The flash failed to write the slot; the save tells what it said, or goes on in the next slot.
    Worn,
    /// A seek to before the first byte or to one that no 64 bits hold.
    Position,
}

impl<E: Debug> Display for FlashError<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => flash(f, error),
            Self::Full => f.write_str("the slot takes no more"),
            Self::Worn => f.write_str("the flash failed to write the slot"),
            Self::Position => f.write_str("a seek to no position"),
        }
    }
}

impl<E: Debug> core::error::Error for FlashError<E> {}

impl<E: NorFlashError> embedded_io::Error for FlashError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Flash(error) if error.kind() == NorFlashErrorKind::Other => ErrorKind::Other,
            Self::Worn => ErrorKind::Other,
            Self::Full => ErrorKind::WriteZero,
            _ => ErrorKind::InvalidInput,
        }
    }
}

/// What is wrong with a slot that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SlotFault<E> {
    /// The flash failed to erase it, to write it, or twice to read it.
    Flash(E),
    /// The flash said that it erased, but what it holds is not all ones.
    NotErased {
        /// The first byte that is not, from the start of the flash.
        offset: u32,
    },
    /// What was written reads back otherwise.
    Mismatch,
}

/// Why slots were not mounted. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum MountError<E> {
    /// No commit record of any slot can be read. Erase the range to begin anew; the states in it are lost then.
    Flash {
        /// Where the first of them cannot be read, in bytes from the start of the flash.
        offset: u32,
        /// What the flash said there.
        error: E,
    },
    /// All commit records that can be read are zeros: this flash erases to zeros, and is used through
    /// [`InvertedFlash`](crate::InvertedFlash). If it does not, erase the range.
    ErasesToZeros,
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

/// Why no slot was erased. None is written before it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EraseError<E> {
    /// No slot but that of the latest state can be used. This is the one that was tried last; with two slots it is the
    /// only one.
    Worn {
        /// The slot, counted from 0.
        slot: u8,
        /// What is wrong with it.
        fault: SlotFault<E>,
    },
    /// The latest state is no longer whole behind the erase of another slot: the driver erases more than it says.
    /// [`Slots::latest`](crate::Slots::latest) is what is left. Told once.
    LatestLost,
    /// The slot is all zeros behind its erase: this flash erases to zeros, and is used through
    /// [`InvertedFlash`](crate::InvertedFlash). Nothing was written.
    ErasesToZeros,
}

/// Why a state was not saved. The state before is still the latest, and a save may be tried again.
///
/// `S` is the error of the closure that made the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CommitError<E, S> {
    /// No slot but that of the latest state can be used. This is the one that was tried last; with two slots it is the
    /// only one. Only if the very last write of a slot failed, or the read behind it, the next mount may find the new
    /// state.
    Worn {
        /// The slot, counted from 0.
        slot: u8,
        /// What is wrong with it.
        fault: SlotFault<E>,
    },
    /// The latest state is no longer whole behind the erase of another slot: the driver erases more than it says.
    /// [`Slots::latest`](crate::Slots::latest) is what is left. Told once.
    LatestLost,
    /// The slot is all zeros behind its erase: this flash erases to zeros, and is used through
    /// [`InvertedFlash`](crate::InvertedFlash). Nothing was written.
    ErasesToZeros,
    /// The closure failed.
    Save(S),
    /// The state is known to be larger than a slot. Nothing was erased or written.
    TooLarge {
        /// Bytes that a slot has room for.
        capacity: u32,
    },
    /// The closure returned success although there was no room.
    Incomplete,
    /// A commit record has the highest generation of all, which no number of saves reaches: it was forged. Erase all.
    Generations,
}

/// Why there was no way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RollbackError<E> {
    /// The slot of the latest state cannot be erased. The state before is the latest in this mount, and the next one
    /// finds either.
    Worn {
        /// The slot, counted from 0.
        slot: u8,
        /// What is wrong with it.
        fault: SlotFault<E>,
    },
    /// The state before is no longer whole behind the erase of the latest: the driver erases more than it says.
    /// [`Slots::latest`](crate::Slots::latest) is what is left. Told once.
    LatestLost,
    /// There is no state before the latest, or it is damaged. Nothing was changed.
    NoPrevious,
}

/// Why a state cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ReadError<E> {
    /// Its commit record cannot be read.
    Flash(E),
    /// Its slot was erased or holds another state by now.
    Gone,
}

impl<E> From<EraseError<E>> for RollbackError<E> {
    fn from(error: EraseError<E>) -> Self {
        match error {
            EraseError::Worn { slot, fault } => Self::Worn { slot, fault },
            // There is a state, so the flash does not erase to zeros.
            EraseError::LatestLost | EraseError::ErasesToZeros => Self::LatestLost,
        }
    }
}

impl<E, S> From<EraseError<E>> for CommitError<E, S> {
    fn from(error: EraseError<E>) -> Self {
        match error {
            EraseError::Worn { slot, fault } => Self::Worn { slot, fault },
            EraseError::LatestLost => Self::LatestLost,
            EraseError::ErasesToZeros => Self::ErasesToZeros,
        }
    }
}

fn flash(f: &mut Formatter<'_>, error: &impl Debug) -> fmt::Result {
    write!(f, "flash: {error:?}")
}

fn worn<E: Debug>(f: &mut Formatter<'_>, slot: u8, fault: &SlotFault<E>) -> fmt::Result {
    write!(f, "slot {slot} is worn: {fault}")
}

const LATEST_LOST: &str = "the erase of another slot took the latest state with it";
const ERASES_TO_ZEROS: &str = "this flash erases to zeros";

impl<E: Debug> Display for SlotFault<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => flash(f, error),
            Self::NotErased { offset } => write!(f, "not erased at {offset:#x}"),
            Self::Mismatch => f.write_str("what was written reads back otherwise"),
        }
    }
}

impl<E: Debug> Display for MountError<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash { offset, error } => write!(f, "no slot can be read, at {offset:#x}: flash: {error:?}"),
            Self::ErasesToZeros => f.write_str(ERASES_TO_ZEROS),
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
            Self::Worn { slot, fault } => worn(f, *slot, fault),
            Self::LatestLost => f.write_str(LATEST_LOST),
            Self::ErasesToZeros => f.write_str(ERASES_TO_ZEROS),
        }
    }
}

impl<E: Debug, S: Display> Display for CommitError<E, S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worn { slot, fault } => worn(f, *slot, fault),
            Self::LatestLost => f.write_str(LATEST_LOST),
            Self::ErasesToZeros => f.write_str(ERASES_TO_ZEROS),
            Self::Save(error) => Display::fmt(error, f),
            Self::TooLarge { capacity } => write!(f, "a slot has room for {capacity} bytes only"),
            Self::Incomplete => f.write_str("the state was not written completely"),
            Self::Generations => f.write_str("there is no higher generation"),
        }
    }
}

impl<E: Debug> Display for RollbackError<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worn { slot, fault } => worn(f, *slot, fault),
            Self::LatestLost => f.write_str(LATEST_LOST),
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

impl<E: Debug> core::error::Error for SlotFault<E> {}
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
