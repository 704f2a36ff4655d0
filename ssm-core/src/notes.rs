//! The pairs of strings in the built-in unit, ended by a pair of empty ones (SPEC.md, "The unit SSM").

use crate::registry::SELF_VERSION;
use crate::stream::{Get, Put};
use crate::unit::{Unit, UnitError};

/// The longest name and value that readers accept, in bytes (Q25).
const MAX_NAME: u32 = 127;
const MAX_VALUE: u32 = 1023;

/// Whether readers accept these pairs, and none of them reads as the end.
pub(crate) fn check(notes: &[(&str, &str)]) -> Result<(), UnitError> {
    let sound = |(name, value): &(&str, &str)| {
        (1..=MAX_NAME as usize).contains(&name.len()) && value.len() <= MAX_VALUE as usize
    };
    let why = "one of the writer's notes is no name of 1 to 127 bytes with a value of up to 1023";
    if notes.iter().all(sound) { Ok(()) } else { Err(UnitError::Invalid(why)) }
}

pub(crate) fn put(put: &mut Put<'_>, notes: &[(&str, &str)]) -> Result<(), UnitError> {
    for (name, value) in notes {
        put.str(name)?;
        put.str(value)?;
    }
    put.str("")?;
    put.str("")
}

/// Data of a file that no unit of the machine wants.
pub(crate) enum Unclaimed {
    /// The notes: passed over, checking what can be checked without memory.
    Notes,
    /// Any other: decoded.
    Other,
}

impl Unit for Unclaimed {
    fn save(&mut self, into: &mut Put<'_>) -> Result<(), UnitError> {
        put(into, &[])
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        if let Unclaimed::Other = self {
            return get.skip_rest().map(|_| ());
        }
        check_version(version)?;
        loop {
            let mut len = 0;
            for max in [MAX_NAME, MAX_VALUE] {
                let found = get.u32()?;
                if found > max {
                    return Err(UnitError::TooLong { found, max });
                }
                get.skip(found.into())?;
                len |= found;
            }
            if len == 0 {
                return Ok(());
            }
        }
    }
}

/// Gives each pair to `note`; `buffer` holds a name and a value.
pub(crate) fn read(
    get: &mut Get<'_>,
    version: u32,
    buffer: &mut [u8],
    note: &mut dyn FnMut(&[u8], &[u8]),
) -> Result<(), UnitError> {
    check_version(version)?;
    loop {
        let room = buffer.len().min(MAX_NAME as usize);
        let name_len = get.string(buffer.get_mut(..room).unwrap_or_default())?.len();
        let (name, rest) = buffer.split_at_mut_checked(name_len).unwrap_or_default();
        let room = rest.len().min(MAX_VALUE as usize);
        let value = get.string(rest.get_mut(..room).unwrap_or_default())?;
        if name.is_empty() && value.is_empty() {
            return Ok(());
        }
        note(name, value);
    }
}

fn check_version(version: u32) -> Result<(), UnitError> {
    if version == SELF_VERSION { Ok(()) } else { Err(UnitError::Version(version)) }
}
