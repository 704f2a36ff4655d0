//! Finding the entries of units that a file names, and remembering which were met.

use super::{Entry, SELF_NAME};

/// Written by the original system between the passes of a live save; it says nothing about the machine.
const LIVE_CONTROL: &[u8] = b"SSMLiveControl";

/// Whose data a unit in a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    SelfUnit,
    /// The unit in which the original writers tell how far a live save is.
    LiveControl,
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
        for _ in self.entries {
            let at = if self.next < self.entries.len() { self.next } else { 0 };
            self.next = at.wrapping_add(1);
            if self.entries.get(at).is_some_and(|it| it.instance == instance && it.name.as_bytes() == name) {
                return Place::Entry(at);
            }
        }
        if instance == 0 && name == LIVE_CONTROL { Place::LiveControl } else { Place::Unknown }
    }
}

/// Bytes of marks that need no scratch.
const FIRST: usize = 8;

/// Which entries were met: 64 of them in place, more in bytes of the caller's scratch.
pub(crate) struct Marks<'s> {
    first: [u8; FIRST],
    self_unit: bool,
    more: &'s mut [u8],
}

impl<'s> Marks<'s> {
    /// No marks, in `more` of [`bytes`](Self::bytes).
    pub fn over(more: &'s mut [u8]) -> Self {
        more.fill(0);
        Self { first: [0; FIRST], self_unit: false, more }
    }

    /// Takes all marks away.
    pub fn clear(&mut self) {
        (self.first, self.self_unit) = ([0; FIRST], false);
        self.more.fill(0);
    }

    /// Bytes of scratch for this many entries.
    pub const fn bytes(entries: usize) -> usize {
        entries.div_ceil(8).saturating_sub(FIRST)
    }

    /// Marks a unit; whether it was marked already.
    pub fn mark(&mut self, place: Place) -> bool {
        let Place::Entry(at) = place else {
            return place == Place::SelfUnit && core::mem::replace(&mut self.self_unit, true);
        };
        let was = self.is_marked(at);
        if let Some(byte) = self.byte(at) {
            *byte |= 1 << (at & 7);
        }
        was
    }

    /// Whether a unit was marked.
    pub fn is_placed(&mut self, place: Place) -> bool {
        match place {
            Place::Entry(at) => self.is_marked(at),
            place => place == Place::SelfUnit && self.self_unit,
        }
    }

    /// Whether the entry of this index was marked.
    pub fn is_marked(&mut self, at: usize) -> bool {
        self.byte(at).is_some_and(|byte| *byte & 1 << (at & 7) != 0)
    }

    fn byte(&mut self, at: usize) -> Option<&mut u8> {
        let at = at >> 3;
        self.first.get_mut(at).or_else(|| self.more.get_mut(at.wrapping_sub(FIRST)))
    }
}
