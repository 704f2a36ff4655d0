//! What to make of a file whose units are not those of the machine.

use crate::unit::{UnitId, UnitRecord};

/// What to make of units that a file has and the machine does not, and the other way round.
///
/// The built-in unit is always known and may always be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Policy {
    /// Units of the file that are not registered.
    pub unknown: Unknown,
    /// Registered units that the file does not have.
    pub missing: Missing,
}

/// What to make of a unit that is not registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Unknown {
    /// The load fails before any unit is touched.
    #[default]
    Refuse,
    /// It is skipped and reported. A load with [`AfterLoad::Debug`](crate::AfterLoad::Debug) always does that.
    Skip,
}

/// What to make of a registered unit that the file does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Missing {
    /// The load fails before any unit is touched.
    #[default]
    Refuse,
    /// It is accepted, as the format allows: the unit keeps the state it has.
    Accept,
    /// It is accepted and reported.
    Report,
}

/// What a load did differently from what was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Report {
    /// A unit of the file was skipped.
    Skipped(UnitRecord),
    /// A registered unit is not in the file and keeps the state it has.
    Missing(UnitId<'static>),
}
