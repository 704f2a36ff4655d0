//! The memory: all 64 KiB that a Z80 can address.

use crate::Pages;
use ssm_core::{Get, Put, Unit, UnitError};

/// Bytes of memory.
pub const RAM_SIZE: usize = 1 << 16;

/// The memory. The program is copied to its start at power on and may be overwritten.
///
/// As a unit it is version 1, the bytes as they are; its [`pages`](Self::pages) are version 2, for live saves.
#[derive(Clone)]
pub struct Ram(Pages);

impl Ram {
    /// Zeros, with `program` at address 0.
    pub fn new(program: &[u8]) -> Self {
        let mut bytes = Box::new([0; RAM_SIZE]);
        for (byte, program) in bytes.iter_mut().zip(program) {
            *byte = *program;
        }
        Self(Pages::new(bytes))
    }

    /// The byte at `address`.
    pub fn peek(&self, address: u16) -> u8 {
        self.0.bytes()[usize::from(address)]
    }

    /// Replaces the byte at `address`.
    pub fn poke(&mut self, address: u16, value: u8) {
        self.0.write(address, value);
    }

    /// The same memory as the unit that a live save takes.
    pub fn pages(&mut self) -> &mut Pages {
        &mut self.0
    }
}

/// Of the bytes; what a live save has yet to send does not count.
impl PartialEq for Ram {
    fn eq(&self, other: &Self) -> bool {
        self.0.bytes() == other.0.bytes()
    }
}

impl Eq for Ram {}

impl Unit for Ram {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(self.0.bytes())
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        match version {
            1 => get.bytes(self.0.replace()),
            other => Err(UnitError::Version(other)),
        }
    }
}
