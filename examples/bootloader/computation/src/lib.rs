//! A long computation with a state of 4 KiB: it finds primes and keeps a journal, in which every entry depends on all before.
//!
//! One step that is lost, done twice or done on a damaged state makes another result. The board computes it with
//! interruptions, the host without.

#![no_std]
#![forbid(unsafe_code)]

use ssm_core::{Entry, Field, Get, Put, Unit, UnitError, Units, fields};

/// Steps of the whole computation.
pub const STEPS: u32 = 3600;
/// Steps from one save to the next.
pub const STEPS_BETWEEN_SAVES: u32 = 10;

/// The primes found so far; there is room for those below 8167.
pub struct Primes {
    found: [u16; 1024],
    count: u32,
}

/// The last 512 entries of a chain.
pub struct Journal {
    entries: [u32; 512],
    last: u32,
}

/// The computation.
pub struct Computation {
    primes: Primes,
    journal: Journal,
    clock: Clock,
}

/// How many steps were done.
struct Clock {
    steps: u32,
}

/// What a saved state holds.
pub static UNITS: Units<Computation> = Units::new(&[
    Entry::new("primes", |computation: &mut Computation, _| &mut computation.primes),
    Entry::new("journal", |computation: &mut Computation, _| &mut computation.journal),
    Entry::new("clock", |computation: &mut Computation, _| &mut computation.clock),
]);

impl Computation {
    /// A computation before its first step.
    pub const fn new() -> Self {
        Self {
            primes: Primes { found: [0; 1024], count: 0 },
            journal: Journal { entries: [0; 512], last: 0 },
            clock: Clock { steps: 0 },
        }
    }

    /// Steps that were done.
    pub fn steps(&self) -> u32 {
        self.clock.steps
    }

    /// Whether all steps were done.
    pub fn is_done(&self) -> bool {
        self.clock.steps >= STEPS
    }

    /// One step: one odd number is tried. Nothing happens after the last.
    pub fn step(&mut self) {
        if self.is_done() {
            return;
        }
        let number = 2 * self.clock.steps + 3;
        let is_prime = self.primes.offer(number);
        self.journal.note(self.clock.steps, if is_prime { number } else { !number });
        self.clock.steps += 1;
    }

    /// How many primes were found.
    pub fn primes(&self) -> u32 {
        self.primes.count
    }

    /// A hash of the whole state, 64-bit FNV-1a.
    pub fn digest(&self) -> u64 {
        let found = self.primes.found.iter().map(|prime| u32::from(*prime));
        let words = found.chain(self.journal.entries.iter().copied());
        let words = words.chain([self.primes.count, self.journal.last, self.clock.steps]);
        let bytes = words.flat_map(u32::to_le_bytes);
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }
}

impl Default for Computation {
    fn default() -> Self {
        Self::new()
    }
}

impl Primes {
    /// Whether this odd number is a prime. All below it were offered before.
    fn offer(&mut self, number: u32) -> bool {
        let found = self.found.iter().take(self.count as usize).map(|prime| u32::from(*prime));
        let is_prime = found.take_while(|prime| prime * prime <= number).all(|prime| !number.is_multiple_of(prime));
        if is_prime && let Some(free) = self.found.get_mut(self.count as usize) {
            *free = number as u16;
            self.count += 1;
        }
        is_prime
    }
}

impl Journal {
    fn note(&mut self, step: u32, what: u32) {
        let entry = &mut self.entries[step as usize % 512];
        let mixed = (self.last ^ what).wrapping_mul(0x9e37_79b1) ^ entry.rotate_left(7);
        *entry = mixed ^ mixed >> 15;
        self.last = *entry;
    }
}

const PRIMES_V1: &[Field<Primes>] = fields![Primes: found, count];
const JOURNAL_V1: &[Field<Journal>] = fields![Journal: entries, last];
const CLOCK_V1: &[Field<Clock>] = fields![Clock: steps];

impl Unit for Primes {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.fields(self, PRIMES_V1)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        match version {
            1 => get.fields(self, PRIMES_V1),
            other => Err(UnitError::Version(other)),
        }
    }
}

impl Unit for Journal {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.fields(self, JOURNAL_V1)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        match version {
            1 => get.fields(self, JOURNAL_V1),
            other => Err(UnitError::Version(other)),
        }
    }
}

impl Unit for Clock {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.fields(self, CLOCK_V1)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        match version {
            1 => get.fields(self, CLOCK_V1),
            other => Err(UnitError::Version(other)),
        }
    }
}
