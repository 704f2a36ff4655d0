//! Why an operation failed: one type for saving, one for loading and reading.

use crate::unit::{UnitError, UnitId, UnitRecord};
use crate::wire::FormatError;
use core::fmt;

/// The phases of a save and of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Phase {
    /// Before the first unit's data.
    Prepare,
    /// The vote behind a live pass.
    Vote,
    /// A unit's data.
    Execute,
    /// After the last unit's data.
    Done,
}

/// Why a machine was not saved. There is no valid file then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SaveError<E> {
    /// The medium failed.
    Io(E),
    /// The medium takes no more bytes; `offset` is how far the file came.
    Full {
        /// Bytes written before.
        offset: u64,
    },
    /// A unit failed.
    Unit {
        /// The unit; its offset is that of its header in the file (0 outside the execute phase).
        unit: UnitRecord,
        /// Which of its hooks.
        phase: Phase,
        /// Plain bytes that it had put.
        at: u64,
        /// What it said.
        error: UnitError,
    },
    /// The header fields are not ones that a file may have.
    Header(FormatError),
    /// The encoder neither took nor gave a byte with bytes at hand, against its contract.
    Codec,
    /// The scratch is too small.
    Scratch {
        /// Bytes that would do.
        needed: usize,
    },
    /// There are more units than the directory has room for (format 2.0).
    TooManyUnits {
        /// How many would do.
        max: u32,
    },
    /// The cancel token was set.
    Cancelled,
}

impl<E> SaveError<E> {
    /// A short and stable word for the kind of failure: [`UnitError::kind`], [`FormatError::kind`], or one of `"io"`,
    /// `"full"`, `"codec"`, `"scratch"`, `"too-many-units"`, `"cancelled"`.
    pub const fn kind(&self) -> &'static str {
        match self {
            SaveError::Io(_) => "io",
            SaveError::Full { .. } => "full",
            SaveError::Unit { error, .. } => error.kind(),
            SaveError::Header(error) => error.kind(),
            SaveError::Codec => "codec",
            SaveError::Scratch { .. } => "scratch",
            SaveError::TooManyUnits { .. } => "too-many-units",
            SaveError::Cancelled => "cancelled",
        }
    }
}

impl<E: fmt::Display> fmt::Display for SaveError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SaveError::Io(error) => error.fmt(f),
            SaveError::Full { offset } => write!(f, "no room for more than {offset} bytes"),
            SaveError::Unit { unit, phase, at, error } => display_unit(f, unit, *phase, *at, error),
            SaveError::Header(error) => write!(f, "header: {error}"),
            SaveError::Codec => f.write_str("the encoder is stuck"),
            SaveError::Scratch { needed } => write!(f, "the scratch buffer is too small: {needed} bytes expected"),
            SaveError::TooManyUnits { max } => write!(f, "more units than the {max} that the directory has room for"),
            SaveError::Cancelled => f.write_str("cancelled"),
        }
    }
}

fn display_unit(
    f: &mut fmt::Formatter<'_>,
    unit: &UnitRecord,
    phase: Phase,
    at: u64,
    error: &UnitError,
) -> fmt::Result {
    match phase {
        Phase::Prepare => write!(f, "{unit}, preparing: {error}"),
        Phase::Vote => write!(f, "{unit}, voting: {error}"),
        Phase::Execute => write!(f, "{unit}, after {at} plain bytes: {error}"),
        Phase::Done => write!(f, "{unit}, finishing: {error}"),
    }
}

impl<E: core::error::Error + 'static> core::error::Error for SaveError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            SaveError::Io(error) => Some(error),
            SaveError::Unit { error, .. } => Some(error),
            SaveError::Header(error) => Some(error),
            _ => None,
        }
    }
}

/// Why a file could not be opened, read or loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LoadError<E> {
    /// The medium failed.
    Io(E),
    /// The bytes are not what the format says.
    Format {
        /// The file offset of what is wrong, in bytes.
        offset: u64,
        /// The unit in whose data it is.
        unit: Option<UnitRecord>,
        /// What is wrong.
        error: FormatError,
    },
    /// A unit failed.
    Unit {
        /// The unit; its offset is that of its header in the file (0 outside the execute phase).
        unit: UnitRecord,
        /// Which of its hooks.
        phase: Phase,
        /// Plain bytes that it had read.
        at: u64,
        /// What it said.
        error: UnitError,
    },
    /// A unit of the file is not registered.
    UnknownUnit(UnitRecord),
    /// A registered unit is not in the file.
    MissingUnit(UnitId<'static>),
    /// A unit is in the file twice; this is the second.
    Repeated(UnitRecord),
    /// A unit is in the file that is registered with hooks only.
    WithoutData(UnitRecord),
    /// A unit is in the file with a version that the registered unit does not load: see
    /// [`Entry::oldest`](crate::Entry::oldest).
    UnitVersion {
        /// The unit.
        unit: UnitRecord,
        /// The versions that it loads: from this one
        oldest: u32,
        /// to this one.
        newest: u32,
    },
    /// The archive is sound and has no unit of that name and instance.
    NotFound,
    /// The scratch is too small.
    Scratch {
        /// Bytes that would do.
        needed: usize,
    },
    /// The cancel token was set.
    Cancelled,
}

impl<E> LoadError<E> {
    /// A short and stable word for the kind of failure: [`FormatError::kind`], [`UnitError::kind`], or one of `"io"`,
    /// `"unknown-unit"`, `"missing-unit"`, `"repeated-unit"`, `"without-data"`, `"unit-version"`, `"not-found"`,
    /// `"scratch"`, `"cancelled"`.
    pub const fn kind(&self) -> &'static str {
        match self {
            LoadError::Io(_) => "io",
            LoadError::Format { error, .. } => error.kind(),
            LoadError::Unit { error, .. } => error.kind(),
            LoadError::UnknownUnit(_) => "unknown-unit",
            LoadError::MissingUnit(_) => "missing-unit",
            LoadError::Repeated(_) => "repeated-unit",
            LoadError::WithoutData(_) => "without-data",
            LoadError::UnitVersion { .. } => "unit-version",
            LoadError::NotFound => "not-found",
            LoadError::Scratch { .. } => "scratch",
            LoadError::Cancelled => "cancelled",
        }
    }

    /// The unit that the failure is about, as the file has it.
    pub const fn unit(&self) -> Option<&UnitRecord> {
        match self {
            LoadError::Format { unit: Some(unit), .. }
            | LoadError::Unit { unit, .. }
            | LoadError::UnknownUnit(unit)
            | LoadError::Repeated(unit)
            | LoadError::WithoutData(unit)
            | LoadError::UnitVersion { unit, .. } => Some(unit),
            _ => None,
        }
    }

    /// The place in the file, in bytes: of what is wrong, or of the unit's header.
    pub const fn offset(&self) -> Option<u64> {
        match self {
            LoadError::Format { offset, .. } => Some(*offset),
            _ => match self.unit() {
                Some(unit) => Some(unit.offset),
                None => None,
            },
        }
    }
}

impl<E: fmt::Display> fmt::Display for LoadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Io(error) => error.fmt(f),
            LoadError::Format { offset, unit: None, error } => write!(f, "offset {offset}: {error}"),
            LoadError::Format { offset, unit: Some(unit), error } => write!(f, "{unit}, at {offset}: {error}"),
            LoadError::Unit { unit, phase, at, error } => display_unit(f, unit, *phase, *at, error),
            LoadError::UnknownUnit(unit) => write!(f, "{unit}: not known to this machine"),
            LoadError::MissingUnit(id) => write!(f, "unit {id}: not in the file"),
            LoadError::Repeated(unit) => write!(f, "{unit}: the second of its name and instance"),
            LoadError::WithoutData(unit) => {
                write!(f, "{unit}: this machine's unit has no data to load")
            }
            LoadError::UnitVersion { unit, oldest, newest } => {
                write!(f, "{unit}: version {oldest} to {newest} expected")
            }
            LoadError::NotFound => f.write_str("no unit of that name and instance"),
            LoadError::Scratch { needed } => write!(f, "the scratch buffer is too small: {needed} bytes expected"),
            LoadError::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for LoadError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            LoadError::Io(error) => Some(error),
            LoadError::Format { error, .. } => Some(error),
            LoadError::Unit { error, .. } => Some(error),
            _ => None,
        }
    }
}
