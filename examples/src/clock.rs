//! The clock: how long the machine has run, in the time of the machine.

use ssm_core::{Field, Get, Put, Unit, UnitError, fields};

/// How long the machine has run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Cycles of the processor since power on.
    pub cycles: u64,
    /// Instructions since power on.
    pub instructions: u64,
}

/// The layout of version 1, which did not count instructions.
pub const CLOCK_V1: &[Field<Clock>] = fields![Clock: cycles];
/// The layout of version 2.
pub const CLOCK_V2: &[Field<Clock>] = fields![Clock: cycles, instructions];

impl Clock {
    /// One instruction of `cycles` is over.
    pub fn advance(&mut self, cycles: u64) {
        self.cycles = self.cycles.wrapping_add(cycles);
        self.instructions = self.instructions.wrapping_add(1);
    }

    /// Gets the layout of `version`; what it does not have is zero.
    pub fn get(get: &mut Get<'_>, version: u32) -> Result<Self, UnitError> {
        let mut clock = Self::default();
        match version {
            1 => get.fields(&mut clock, CLOCK_V1)?,
            2 => get.fields(&mut clock, CLOCK_V2)?,
            other => return Err(UnitError::Version(other)),
        }
        Ok(clock)
    }
}

impl Unit for Clock {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.fields(self, CLOCK_V2)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        *self = Self::get(get, version)?;
        Ok(())
    }
}
