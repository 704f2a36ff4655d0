//! A table of entries that was checked: what operations take.

use super::{Entry, MAX_NAME, RegisterError, SELF_NAME};
use core::ops::Deref;

/// The units of a machine `M` in the order in which they are saved: a table of entries whose names can stand in a file and
/// tell the units apart. What every save and load takes.
///
/// A table that is known while compiling is a constant, and does not compile if it is wrong:
/// ```
/// # use ssm_core::{Entry, Get, Put, Unit, UnitError, Units};
/// # struct Nothing; impl Unit for Nothing {
/// #     fn save(&mut self, _: &mut Put<'_>) -> Result<(), UnitError> { Ok(()) }
/// #     fn load(&mut self, _: &mut Get<'_>, _: u32) -> Result<(), UnitError> { Ok(()) }
/// # }
/// # struct Machine { cpu: Nothing, ram: Nothing }
/// const UNITS: Units<Machine> =
///     Units::new(&[Entry::new("cpu", |machine, _| &mut machine.cpu), Entry::new("ram", |machine, _| &mut machine.ram)]);
/// # assert_eq!(UNITS.len(), 2);
/// ```
/// ```compile_fail,E0080
/// # use ssm_core::{Entry, Get, Put, Unit, UnitError, Units};
/// # struct Nothing; impl Unit for Nothing {
/// #     fn save(&mut self, _: &mut Put<'_>) -> Result<(), UnitError> { Ok(()) }
/// #     fn load(&mut self, _: &mut Get<'_>, _: u32) -> Result<(), UnitError> { Ok(()) }
/// # }
/// # struct Machine { cpu: Nothing, ram: Nothing }
/// const TWICE: Units<Machine> =
///     Units::new(&[Entry::new("cpu", |machine, _| &mut machine.cpu), Entry::new("cpu", |machine, _| &mut machine.ram)]);
/// # assert_eq!(TWICE.len(), 2);
/// ```
/// A table that is made at run time goes through [`Registry`](crate::Registry), which checks each entry as it is registered,
/// or through [`checked`](Self::checked).
pub struct Units<'u, M>(&'u [Entry<M>]);

impl<'u, M> Units<'u, M> {
    /// The units of these entries, for a constant.
    ///
    /// # Panics
    ///
    /// If [`checked`](Self::checked) refuses the table. In a constant that is an error of the compiler, and nothing of it is
    /// in the program; at run time take [`checked`](Self::checked).
    #[allow(clippy::panic, reason = "it is for constants, where it is a message of the compiler")]
    pub const fn new(entries: &'u [Entry<M>]) -> Self {
        match check(entries) {
            Ok(()) => Self(entries),
            Err(RegisterError::Name) => panic!("a unit's name is 1 to 47 bytes of ASCII without NUL"),
            Err(RegisterError::Versions) => panic!("the oldest version that a unit loads is newer than its own"),
            Err(_) => panic!("two units have one name and instance, or one is called as the built-in unit, \"SSM\""),
        }
    }

    /// The units of these entries.
    ///
    /// Each entry is compared with those before it, except with those of a run in which names and instances rise: a table
    /// of many instances of one name costs one comparison for each.
    ///
    /// # Errors
    ///
    /// [`RegisterError::Name`] if a name is not 1 to 47 bytes of ASCII without NUL, [`RegisterError::Exists`] if two entries
    /// have the same name and instance, or one those of the built-in unit ("SSM", 0), [`RegisterError::Versions`] if an entry
    /// does not load its own version: what was saved from such a table could not be loaded again.
    pub const fn checked(entries: &'u [Entry<M>]) -> Result<Self, RegisterError> {
        match check(entries) {
            Ok(()) => Ok(Self(entries)),
            Err(error) => Err(error),
        }
    }

    /// The entries, in their order.
    pub const fn entries(&self) -> &'u [Entry<M>] {
        self.0
    }

    /// The units of entries that were checked one by one.
    pub(super) const fn of(entries: &'u [Entry<M>]) -> Self {
        Self(entries)
    }
}

impl<M> Clone for Units<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Units<'_, M> {}

impl<M> Deref for Units<'_, M> {
    type Target = [Entry<M>];

    fn deref(&self) -> &[Entry<M>] {
        self.0
    }
}

/// Whether what is saved of the unit can be loaded by it again: a file can name it, it is not the built-in one, and it takes
/// its own version.
pub(super) const fn check_entry<M>(entry: &Entry<M>) -> Result<(), RegisterError> {
    let name = entry.name.as_bytes();
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(RegisterError::Name);
    }
    let mut rest = name;
    while let [byte, more @ ..] = rest {
        if *byte == 0 || !byte.is_ascii() {
            return Err(RegisterError::Name);
        }
        rest = more;
    }
    if entry.instance == 0 && is_above(name, SELF_NAME.as_bytes()).is_none() {
        return Err(RegisterError::Exists);
    }
    if entry.oldest > entry.version { Err(RegisterError::Versions) } else { Ok(()) }
}

const fn check<M>(entries: &[Entry<M>]) -> Result<(), RegisterError> {
    // Entries from `run` on rise, so none of them is there twice.
    let (mut at, mut run) = (0usize, 0usize);
    let (mut rest, mut before): (_, Option<&Entry<M>>) = (entries, None);
    while let [entry, more @ ..] = rest {
        if let Err(error) = check_entry(entry) {
            return Err(error);
        }
        if let Some(before) = before
            && !matches!(compare(entry, before), Some(true))
        {
            run = at;
        }
        let (mut others, mut left) = (entries, run);
        while let ([other, more @ ..], 1..) = (others, left) {
            if compare(entry, other).is_none() {
                return Err(RegisterError::Exists);
            }
            (others, left) = (more, left.wrapping_sub(1));
        }
        (before, rest, at) = (Some(entry), more, at.wrapping_add(1));
    }
    Ok(())
}

/// Whether the first comes behind the second, by instance and then by name; `None` where they are the same.
const fn compare<M>(entry: &Entry<M>, other: &Entry<M>) -> Option<bool> {
    match entry.instance == other.instance {
        true => is_above(entry.name.as_bytes(), other.name.as_bytes()),
        false => Some(entry.instance > other.instance),
    }
}

/// The same of two names, the shorter first. (`Ord` is not for constants.)
const fn is_above(name: &[u8], other: &[u8]) -> Option<bool> {
    if name.len() != other.len() {
        return Some(name.len() > other.len());
    }
    let (mut name, mut other) = (name, other);
    while let ([byte, more @ ..], [other_byte, other_more @ ..]) = (name, other) {
        if *byte != *other_byte {
            return Some(*byte > *other_byte);
        }
        (name, other) = (more, other_more);
    }
    None
}
