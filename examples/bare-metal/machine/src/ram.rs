//! The memory: all 64 KiB that a Z80 can address, wherever the board has room for it.

use ssm_core::{Get, Put, Unit, UnitError};

/// Bytes of memory.
pub const RAM_SIZE: usize = 1 << 16;

/// The memory. The program is copied to its start at power on and may be overwritten.
pub struct Ram(&'static mut [u8; RAM_SIZE]);

impl Ram {
    /// Zeros, with `program` at address 0.
    pub fn new(bytes: &'static mut [u8; RAM_SIZE], program: &[u8]) -> Self {
        bytes.fill(0);
        for (byte, program) in bytes.iter_mut().zip(program) {
            *byte = *program;
        }
        Self(bytes)
    }

    /// The byte at `address`.
    pub fn peek(&self, address: u16) -> u8 {
        self.0[usize::from(address)]
    }

    /// Replaces the byte at `address`.
    pub fn poke(&mut self, address: u16, value: u8) {
        self.0[usize::from(address)] = value;
    }
}

impl Unit for Ram {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(&*self.0)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        match version {
            1 => get.bytes(self.0),
            other => Err(UnitError::Version(other)),
        }
    }
}
