//! Finding the entries of units that a file names, and remembering which were met.

use super::{Entry, SELF_NAME};

/// Whose data a unit in a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    SelfUnit,
    /// The index of an entry.
    Entry(usize),
    Unknown,
}

/// Finds entries by name. Files usually hold the units in the registry's order, so the search starts behind the last hit.
pub(crate) struct Search<'e, M> {
    entries: &'e [Entry<M>],
    next: usize,
}

impl<'e, M> Search<'e, M> {
    pub fn new(entries: &'e [Entry<M>]) -> Self {
        Self { entries, next: 0 }
    }

    /// `name` is whole: longer names than 47 bytes are not looked for.
    pub fn place(&mut self, name: &[u8], instance: u32) -> Place {
        if instance == 0 && name == SELF_NAME.as_bytes() {
            return Place::SelfUnit;
        }
        let (before, behind) = self.entries.split_at_checked(self.next).unwrap_or((self.entries, &[]));
        let is_it = |entry: &Entry<M>| entry.instance == instance && entry.name.as_bytes() == name;
        let behind = behind.iter().position(is_it).map(|at| at.wrapping_add(before.len()));
        match behind.or_else(|| before.iter().position(is_it)) {
            Some(at) => {
                self.next = at.wrapping_add(1);
                Place::Entry(at)
            }
            None => Place::Unknown,
        }
    }
}

/// Which entries were met: 64 of them in place, more in bytes of the caller's scratch.
pub(crate) struct Marks<'s> {
    first: u64,
    self_unit: bool,
    more: &'s mut [u8],
}

impl<'s> Marks<'s> {
    /// Takes what it needs for `entries` marks from the start of `scratch`; `None` if that leaves nothing.
    pub fn take(entries: usize, scratch: &'s mut [u8]) -> Option<(Self, &'s mut [u8])> {
        let (more, rest) = scratch.split_at_mut_checked(Self::bytes(entries))?;
        (!rest.is_empty()).then_some((Self::over(entries, more)?, rest))
    }

    /// The same over `more` alone, which is of [`bytes`](Self::bytes).
    pub fn over(entries: usize, more: &'s mut [u8]) -> Option<Self> {
        more.fill(0);
        (more.len() == Self::bytes(entries)).then_some(Self { first: 0, self_unit: false, more })
    }

    /// Bytes of scratch for this many entries.
    pub const fn bytes(entries: usize) -> usize {
        entries.saturating_sub(64).div_ceil(8)
    }

    /// Marks a unit; whether it was marked already.
    pub fn mark(&mut self, place: Place) -> bool {
        let Place::Entry(at) = place else {
            return place == Place::SelfUnit && core::mem::replace(&mut self.self_unit, true);
        };
        if at < 64 {
            let bit = 1u64 << at;
            let was = self.first & bit != 0;
            self.first |= bit;
            return was;
        }
        let bit = 1u8 << (at & 7);
        let Some(byte) = self.more.get_mut(at.wrapping_sub(64) >> 3) else {
            return false;
        };
        let was = *byte & bit != 0;
        *byte |= bit;
        was
    }

    /// Whether the entry of this index was marked.
    pub fn is_marked(&self, at: usize) -> bool {
        if at < 64 {
            return self.first & 1u64 << at != 0;
        }
        self.more.get(at.wrapping_sub(64) >> 3).is_some_and(|byte| byte & 1u8 << (at & 7) != 0)
    }
}
