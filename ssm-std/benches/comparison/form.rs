//! What is compared: a form in which the machine is saved.

use crate::machine::{Machine, NextMachine};

/// A form of the saved machine, with the memory in `Bytes`.
pub trait Form {
    /// How the machine holds its memory: plain, or marked as bytes.
    type Bytes: Clone + PartialEq + From<Vec<u8>>;

    /// Packed bytes of the whole machine.
    fn save(&mut self, machine: &mut Machine<Self::Bytes>) -> Vec<u8>;

    /// The machine of these bytes. A program has its machine already; one is made here so that every form does the same.
    fn load(&mut self, bytes: &[u8]) -> Option<Machine<Self::Bytes>>;

    /// The same as the next release of the program does it, whose screen has one more field.
    fn load_next(&mut self, bytes: &[u8]) -> Option<NextMachine<Self::Bytes>>;
}

/// A form with the CRC-32 of its bytes in front of them.
pub struct Checked<F>(pub F);

impl<F: Form> Form for Checked<F> {
    type Bytes = F::Bytes;

    fn save(&mut self, machine: &mut Machine<F::Bytes>) -> Vec<u8> {
        let mut bytes = self.0.save(machine);
        let crc = crc32fast::hash(&bytes);
        bytes.splice(..0, crc.to_le_bytes());
        bytes
    }

    fn load(&mut self, bytes: &[u8]) -> Option<Machine<F::Bytes>> {
        self.0.load(checked(bytes)?)
    }

    fn load_next(&mut self, bytes: &[u8]) -> Option<NextMachine<F::Bytes>> {
        self.0.load_next(checked(bytes)?)
    }
}

fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (crc, rest) = bytes.split_first_chunk()?;
    (u32::from_le_bytes(*crc) == crc32fast::hash(rest)).then_some(rest)
}
