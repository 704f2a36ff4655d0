//! Units: the parts of a machine that save and load themselves.

use crate::stream::{Get, Put};
use core::fmt;
use core::num::NonZero;

/// The longest name that a unit may register with, in bytes.
pub const MAX_NAME: usize = 47;

/// What a unit may be asked, phase by phase (DESIGN.md, "Three phases").
///
/// Only [`save`](Self::save) and [`load`](Self::load) must be there; a unit without data leaves them to
/// [`Entry::without_data`](crate::Entry::without_data) and puts nothing.
///
/// The error that a hook returns, or the first that a put or get met, becomes the operation's.
pub trait Unit {
    /// Before any unit is saved: stop what changes the state.
    fn save_prep(&mut self, after: AfterSave) -> Result<(), UnitError> {
        let _ = after;
        Ok(())
    }

    /// Puts the state.
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError>;

    /// Before the first pass of a live save, while the machine runs: begin to note what changes. Called for entries that
    /// are [`live`](crate::Entry::live), as are the next two.
    fn live_prep(&mut self, after: AfterSave) -> Result<(), UnitError> {
        let _ = after;
        Ok(())
    }

    /// Puts what is worth it while the machine runs; `pass` counts from 0. What changes afterwards must come in a later
    /// pass or in [`save`](Self::save), which is called once when the machine has stopped.
    fn live(&mut self, put: &mut Put<'_>, pass: u32) -> Result<(), UnitError> {
        let _ = (put, pass);
        Ok(())
    }

    /// Whether another pass is worth it, asked behind each pass that the unit took part in.
    fn live_vote(&mut self, pass: u32) -> Result<Vote, UnitError> {
        let _ = pass;
        Ok(Vote::Leave)
    }

    /// After the last unit was saved, or the save failed: called for every unit whose `save_prep` or `live_prep` was called.
    /// `ok` is whether nothing has failed so far; the file becomes valid only after the last of these calls.
    fn save_done(&mut self, after: AfterSave, ok: bool) -> Result<(), UnitError> {
        let _ = (after, ok);
        Ok(())
    }

    /// Before any unit is loaded, and after the file was checked.
    fn load_prep(&mut self, after: AfterLoad) -> Result<(), UnitError> {
        let _ = after;
        Ok(())
    }

    /// Gets the state that was saved with `version`.
    ///
    /// What is left of the unit's data afterwards is skipped in a 1.x file, as the format allows; a unit that wants to be
    /// strict ends with `get.skip_rest()? == 0`. In a 2.0 file it is an error, unless the unit ends with
    /// [`Get::skip_rest`]. Fields that an old version does not have keep what they had: set them before.
    ///
    /// A unit of a live save comes several times: [`Get::pass`] tells which pass it is.
    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError>;

    /// After the last unit was loaded, or the load failed: called for every unit whose `load_prep` was called.
    /// `ok` is whether nothing has failed so far.
    fn load_done(&mut self, after: AfterLoad, ok: bool) -> Result<(), UnitError> {
        let _ = (after, ok);
        Ok(())
    }
}

/// What happens to the machine after a save.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum AfterSave {
    /// It goes on: a snapshot.
    #[default]
    Continue,
    /// It is destroyed: suspended to disk.
    Destroy,
}

/// What a unit says behind a pass of a live save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Vote {
    /// Much has changed again: another pass is worth it.
    Again,
    /// Little has changed: the machine may be stopped for the final pass.
    Done,
    /// As [`Done`](Self::Done), and the unit takes part in no other pass but the final one.
    Leave,
}

/// What happens to the machine after a load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum AfterLoad {
    /// It runs.
    #[default]
    Resume,
    /// It is only looked at: unknown units are skipped, and a unit may read beyond its data (Q24).
    Debug,
}

/// Whose a unit is: who may take it out of the registry again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Owner {
    /// The machine itself.
    #[default]
    Internal,
    /// The device with this number.
    Device(u32),
    /// The driver with this number.
    Driver(u32),
    /// Somebody outside the machine, with this number.
    External(u32),
}

/// A unit's name and instance, unique in a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UnitId<'n> {
    /// 1 to 47 bytes of ASCII in a registry.
    pub name: &'n str,
    /// Tells units of one name apart.
    pub instance: u32,
}

impl<'n> UnitId<'n> {
    /// The unit `name`, `instance`.
    pub const fn new(name: &'n str, instance: u32) -> Self {
        Self { name, instance }
    }
}

impl fmt::Display for UnitId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.instance)
    }
}

/// Why a unit could not be saved or loaded, as the unit sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UnitError {
    /// The layer below failed; the operation knows how. Pass it on with `?`.
    Stream,
    /// More was read than the unit has.
    End,
    /// The unit has more than was read, which a 2.0 file does not allow; [`Get::skip_rest`] passes over it.
    Rest,
    /// The unit cannot load this version of its data.
    Version(u32),
    /// The unit's own reason, such as a value that its device cannot have.
    Invalid(&'static str),
    /// A value is too large for the width that the file or the reader gives it: 32 bits. In two halves, as a `u64` would
    /// make every result of a put or get larger; see [`overflow`](Self::overflow).
    Overflow {
        /// The upper half of the value.
        high: u32,
        /// The lower half of the value.
        low: u32,
    },
    /// A string is longer than the format or the reader's buffer allows, in bytes.
    TooLong {
        /// Its length.
        found: u32,
        /// The largest that is allowed here.
        max: u32,
    },
    /// A struct marker is not there (SPEC.md, "Structs").
    Marker {
        /// What is there.
        found: u32,
        /// What should be.
        expected: u32,
    },
    /// A string is not UTF-8.
    Utf8,
}

impl UnitError {
    /// [`Overflow`](Self::Overflow) with the value that was found.
    pub const fn overflow(found: u64) -> Self {
        Self::Overflow { high: (found >> 32) as u32, low: found as u32 }
    }

    /// A short and stable word for the kind of failure.
    pub const fn kind(&self) -> &'static str {
        match self {
            UnitError::Stream => "stream",
            UnitError::End => "unit-end",
            UnitError::Rest => "unit-rest",
            UnitError::Version(_) => "unit-version",
            UnitError::Invalid(_) => "invalid",
            UnitError::Overflow { .. } => "overflow",
            UnitError::TooLong { .. } => "too-long",
            UnitError::Marker { .. } => "marker",
            UnitError::Utf8 => "utf-8",
        }
    }
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            UnitError::Stream => f.write_str("the stream below failed"),
            UnitError::End => f.write_str("read past the end of the unit"),
            UnitError::Rest => f.write_str("data of the unit was left over"),
            UnitError::Version(found) => write!(f, "version {found} is not supported"),
            UnitError::Invalid(why) => f.write_str(why),
            UnitError::Overflow { high, low } => {
                let found = u64::from(high) << 32 | u64::from(low);
                write!(f, "value {found:#x} found, at most 0xffffffff expected")
            }
            UnitError::TooLong { found, max } => {
                write!(f, "string of {found} bytes found, at most {max} expected")
            }
            UnitError::Marker { found, expected } => {
                write!(f, "struct marker {found:#010x} found, {expected:#010x} expected")
            }
            UnitError::Utf8 => f.write_str("string is not UTF-8"),
        }
    }
}

impl core::error::Error for UnitError {}

/// A unit as a file names it, kept in errors and reports.
///
/// Holds the first 47 bytes of the name, which is all of every name that can be registered. Of a longer one
/// [`Archive`](crate::Archive) gives the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UnitRecord {
    name: [u8; MAX_NAME],
    /// One more than the name's bytes, or than 48. Never zero, so that an `Option` of this takes no more room.
    name_end: NonZero<u8>,
    /// The instance.
    pub instance: u32,
    /// The version of the unit's data.
    pub version: u32,
    /// The file offset of the unit's header in bytes.
    pub offset: u64,
}

impl UnitRecord {
    /// `name` may hold the start of the name only.
    #[inline(never)]
    pub(crate) fn new(name: &[u8], name_len: usize, instance: u32, version: u32, offset: u64) -> Self {
        let name_end = NonZero::<u8>::MIN.saturating_add(name_len.min(MAX_NAME.wrapping_add(1)) as u8);
        let mut record = Self { name: [0; MAX_NAME], name_end, instance, version, offset };
        crate::copy::copy(&mut record.name, name.get(..name_len).unwrap_or(name));
        record
    }

    /// A unit outside the execute phase, where it has no place in the file.
    pub(crate) fn of(id: UnitId<'_>, version: u32) -> Self {
        Self::new(id.name.as_bytes(), id.name.len(), id.instance, version, 0)
    }

    /// The name's bytes, the first 47 of them.
    pub fn name(&self) -> &[u8] {
        self.name.get(..self.name_len()).unwrap_or(&self.name)
    }

    fn name_len(&self) -> usize {
        usize::from(self.name_end.get()).wrapping_sub(1)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for UnitRecord {
    fn format(&self, f: defmt::Formatter<'_>) {
        let Self { instance, version, offset, .. } = self;
        defmt::write!(
            f,
            "unit {=[u8]:a}/{=u32} version {=u32} at offset {=u64}",
            self.name(),
            instance,
            version,
            offset
        );
    }
}

impl fmt::Debug for UnitRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for UnitRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.name_len() > MAX_NAME { ".." } else { "" };
        let Self { instance, version, offset, .. } = self;
        write!(f, "unit {}{more}/{instance} version {version} at offset {offset}", self.name().escape_ascii())
    }
}
