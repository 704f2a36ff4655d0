//! Layer 3: which units a machine has, in which order they are saved, and where in the machine they live.

use crate::unit::{MAX_NAME, Owner, Unit, UnitId};
use crate::wire::MAX_FILE_NAME;
use core::fmt;

mod search;
#[cfg(test)]
mod tests;
mod units;

pub(crate) use search::{Marks, Place, Search};
pub use units::Units;

/// The name of the built-in unit, which holds the writer's notes. Its instance is 0 and its version 1.
pub const SELF_NAME: &str = "SSM";
pub(crate) const SELF_VERSION: u32 = 1;

/// A unit of a machine `M`: what it is called, and the place in the machine where it lives.
///
/// The place is a function, not a borrow, so the machine runs freely while the registry exists; it is lent for each
/// operation only. The function's second argument is the instance, so that one function serves an array of devices.
/// ```
/// # use ssm_core::{Entry, Get, Owner, Put, Unit, UnitError, Units};
/// # struct Timer; impl Unit for Timer {
/// #     fn save(&mut self, _: &mut Put<'_>) -> Result<(), UnitError> { Ok(()) }
/// #     fn load(&mut self, _: &mut Get<'_>, _: u32) -> Result<(), UnitError> { Ok(()) }
/// # }
/// struct Machine { timers: [Timer; 2] }
///
/// const TIMER: Entry<Machine> =
///     Entry::new("timer", |machine: &mut Machine, instance| &mut machine.timers[instance as usize & 1]).version(2).owner(Owner::Device(7));
/// static UNITS: Units<Machine> = Units::new(&[TIMER, TIMER.instance(1)]);
/// ```
pub struct Entry<M> {
    name: &'static str,
    instance: u32,
    version: u32,
    owner: Owner,
    size_hint: u64,
    has_data: bool,
    is_live: bool,
    is_optional: bool,
    /// The oldest version of its data that the unit loads.
    oldest: u32,
    /// Whether the unit comes before the built-in one.
    ahead: bool,
    place: fn(&mut M, u32) -> &mut dyn Unit,
}

impl<M> Clone for Entry<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Entry<M> {}

impl<M> Entry<M> {
    /// The unit `name`, 1 to 47 bytes of ASCII, with instance 0, version 1 and [`Owner::Internal`].
    pub const fn new(name: &'static str, place: fn(&mut M, u32) -> &mut dyn Unit) -> Self {
        let owner = Owner::Internal;
        Self {
            name,
            instance: 0,
            version: 1,
            owner,
            size_hint: 0,
            has_data: true,
            is_live: false,
            is_optional: false,
            oldest: 0,
            ahead: false,
            place,
        }
    }

    /// The same with another instance.
    pub const fn instance(self, instance: u32) -> Self {
        Self { instance, ..self }
    }

    /// The same with another version of its data: the one that a save writes, and the newest that a load takes.
    pub const fn version(self, version: u32) -> Self {
        Self { version, ..self }
    }

    /// The same, loading no older version of its data than this one; the default is 0, which is every older version.
    ///
    /// A version that is newer than [the unit's own](Self::version), or older than this, is refused before the unit sees a
    /// byte: by a loader that checks first before any hook, by a streaming one when it meets the unit.
    pub const fn oldest(self, version: u32) -> Self {
        Self { oldest: version, ..self }
    }

    /// The same taking part in the passes of a [live save](crate::Live) while the machine runs; other units take part in
    /// the final pass only.
    pub const fn live(self) -> Self {
        Self { is_live: true, ..self }
    }

    /// The same as a unit that readers may skip if they do not know it, under every policy. Files of format 2.0 say so
    /// if the unit puts anything (Q31); in 1.2 files there is no place for it, and the reader's
    /// [`Policy`](crate::Policy) decides.
    pub const fn optional(self) -> Self {
        Self { is_optional: true, ..self }
    }

    /// The same with another owner.
    pub const fn owner(self, owner: Owner) -> Self {
        Self { owner, ..self }
    }

    /// The same with a guess of how many plain bytes it puts. Used for progress only.
    pub const fn size_hint(self, bytes: u64) -> Self {
        Self { size_hint: bytes, ..self }
    }

    /// The same with hooks only: [`Unit::save`] and [`Unit::load`] are not called, and files hold no such unit.
    pub const fn without_data(self) -> Self {
        Self { has_data: false, ..self }
    }

    /// The unit's name and instance.
    pub const fn id(&self) -> UnitId<'static> {
        UnitId::new(self.name, self.instance)
    }

    /// The version that a save writes.
    pub const fn data_version(&self) -> u32 {
        self.version
    }

    /// Who may take the unit out of the registry.
    pub const fn owned_by(&self) -> Owner {
        self.owner
    }

    /// Whether the unit takes part in live passes.
    pub const fn is_live(&self) -> bool {
        self.is_live
    }

    /// Whether readers may skip the unit.
    pub const fn is_optional(&self) -> bool {
        self.is_optional
    }

    /// The oldest and the newest version that may be shown to the unit.
    pub(crate) fn window(&self) -> (u32, u32) {
        (self.oldest, self.version)
    }

    /// Whether data of this version may be shown to the unit.
    pub(crate) fn admits(&self, version: u32) -> bool {
        (self.oldest..=self.version).contains(&version)
    }

    pub(crate) const fn guessed_size(&self) -> u64 {
        self.size_hint
    }

    /// Whether files hold the unit.
    pub const fn has_data(&self) -> bool {
        self.has_data
    }

    pub(crate) const fn is_ahead(&self) -> bool {
        self.ahead
    }

    pub(crate) fn unit<'m>(&self, machine: &'m mut M) -> &'m mut dyn Unit {
        (self.place)(machine, self.instance)
    }
}

/// The units of a machine `M`, at most `N`, in the order in which they are saved.
///
/// The built-in unit "SSM" needs no entry: it comes first, or where [`register_before`](Self::register_before) puts it.
/// Operations take its [`units`](Self::units). Where the units are known while compiling, a constant [`Units`] does as well
/// and needs no RAM.
pub struct Registry<M, const N: usize> {
    entries: heapless::Vec<Entry<M>, N>,
}

impl<M, const N: usize> Registry<M, N> {
    /// No units yet.
    pub const fn new() -> Self {
        Self { entries: heapless::Vec::new() }
    }

    /// Adds a unit at the end.
    pub fn register(&mut self, entry: Entry<M>) -> Result<(), RegisterError> {
        self.insert(self.entries.len(), entry)
    }

    /// Adds a unit before the first one called `before`, whatever its instance; at the end when there is none.
    /// `"SSM"` is the built-in unit.
    pub fn register_before(&mut self, before: &str, entry: Entry<M>) -> Result<(), RegisterError> {
        let named = self.position(before, None);
        let built_in = before.as_bytes() == SELF_NAME.as_bytes();
        let (at, ahead) = match named {
            Some(at) if !built_in => (at, self.entries.get(at).is_some_and(|other| other.ahead)),
            _ if built_in => (self.entries.iter().filter(|other| other.ahead).count(), true),
            _ => (self.entries.len(), false),
        };
        self.insert(at, Entry { ahead, ..entry })
    }

    /// The units, for a save or a load. Each was checked when it was registered.
    pub fn units(&self) -> Units<'_, M> {
        Units::of(&self.entries)
    }

    fn insert(&mut self, at: usize, entry: Entry<M>) -> Result<(), RegisterError> {
        self.check(&entry)?;
        if self.entries.is_full() {
            return Err(RegisterError::Full);
        }
        // One entry is carried to the end, not the tail moved: `memmove` would cost a device 700 bytes of flash.
        let mut carried = entry;
        for place in self.entries.get_mut(at..).unwrap_or_default() {
            core::mem::swap(place, &mut carried);
        }
        self.entries.push(carried).map_err(|_| RegisterError::Full)
    }

    /// Takes out a unit of this owner.
    pub fn deregister(&mut self, owner: Owner, id: UnitId<'_>) -> Result<(), RegisterError> {
        let Some(at) = self.position(id.name, Some(id.instance)) else {
            return Err(RegisterError::NotFound);
        };
        if self.entries.get(at).is_some_and(|entry| entry.owner != owner) {
            return Err(RegisterError::NotOwner);
        }
        self.remove(at);
        Ok(())
    }

    /// Takes out all units of this owner; how many.
    pub fn deregister_all(&mut self, owner: Owner) -> usize {
        let mut taken = 0usize;
        while let Some(at) = self.entries.iter().position(|entry| entry.owner == owner) {
            self.remove(at);
            taken = taken.wrapping_add(1);
        }
        taken
    }

    fn remove(&mut self, at: usize) {
        let Some(mut carried) = self.entries.pop() else { return };
        for place in self.entries.get_mut(at..).unwrap_or_default().iter_mut().rev() {
            core::mem::swap(place, &mut carried);
        }
    }

    /// Where the first unit of this name is, of this instance if one is given.
    #[inline(never)]
    fn position(&self, name: &str, instance: Option<u32>) -> Option<usize> {
        let is_it = |entry: &Entry<M>| {
            entry.name.as_bytes() == name.as_bytes() && instance.is_none_or(|it| it == entry.instance)
        };
        self.entries.iter().position(is_it)
    }

    fn check(&self, entry: &Entry<M>) -> Result<(), RegisterError> {
        units::check_entry(entry)?;
        match self.position(entry.name, Some(entry.instance)) {
            Some(_) => Err(RegisterError::Exists),
            None => Ok(()),
        }
    }
}

impl<M, const N: usize> Clone for Registry<M, N> {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone() }
    }
}

impl<M, const N: usize> Default for Registry<M, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M, const N: usize> core::ops::Deref for Registry<M, N> {
    type Target = [Entry<M>];

    fn deref(&self) -> &[Entry<M>] {
        &self.entries
    }
}

/// Why a registry did not do what was asked, and is unchanged, or why a table of entries is none of [`Units`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RegisterError {
    /// It holds `N` units already.
    Full,
    /// The name is empty, longer than 47 bytes, or not ASCII without NUL.
    Name,
    /// There is a unit of this name and instance.
    Exists,
    /// There is no such unit.
    NotFound,
    /// The unit belongs to another owner.
    NotOwner,
    /// The oldest version that the unit loads is newer than its own, so it would not load what it saved.
    Versions,
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RegisterError::Full => "the registry is full",
            RegisterError::Name => "a unit's name is 1 to 47 bytes of ASCII",
            RegisterError::Exists => "a unit of this name and instance is registered already",
            RegisterError::NotFound => "no unit of this name and instance is registered",
            RegisterError::NotOwner => "the unit belongs to another owner",
            RegisterError::Versions => "the oldest version that the unit loads is newer than its own",
        })
    }
}

impl core::error::Error for RegisterError {}

const _: () = assert!(MAX_NAME <= MAX_FILE_NAME);
