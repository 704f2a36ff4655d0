//! A NOR flash in memory that keeps its users to the rules and loses power where it is told to.
//!
//! - Reads, writes and erases off their grid or behind the end fail, as with any driver.
//! - Writing a word a second time before its block was erased completely is a panic: the test has found a mistake.
//!   A write that was cut off counts, even if it changed nothing; an erase that was cut off does not.
//! - Reads, writes, erases and their bytes are counted, erases also block by block.
//! - Each byte that is written or erased is a step, and power goes at any of them ([`Flash::cut`]). What is left then is told
//!   by a [`Model`]. Until [`Flash::power_on`] every operation fails.
//! - Single operations can fail ([`Flash::break_at`]) and single bits can be stuck ([`Flash::stick`]).
//!
//! ```
//! use ssm_tests::flash::{Cut, Fault, Flash, Model, Pick};
//! use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
//!
//! // Reads single bytes, writes words of 4, erases blocks of 256.
//! let mut flash = Flash::<1, 4, 256>::blank(1024);
//! flash.cut(Cut { step: 5, model: Model::Prefix, pick: Pick::Seed(0) });
//! assert_eq!(flash.write(0, &[0xab; 8]), Err(Fault::PowerOff));
//! flash.power_on();
//! let mut bytes = [0; 8];
//! flash.read(0, &mut bytes).unwrap();
//! assert_eq!(bytes, [0xab, 0xab, 0xab, 0xab, 0xab, 0xff, 0xff, 0xff]);
//! ```

mod power;
#[cfg(test)]
mod tests;

pub use power::{Cut, Model, Pick};

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use std::ops::Range;

/// The flash. It reads, writes and erases in units of so many bytes, which need not be multiples of each other.
#[derive(Clone, Debug)]
pub struct Flash<const READ: usize, const WRITE: usize, const ERASE: usize> {
    bytes: Vec<u8>,
    /// Of each byte, whether it was written since it was erased.
    written: Vec<bool>,
    /// Of each byte, the bits that cannot be changed.
    stuck: Vec<(usize, u8)>,
    erases: Vec<u32>,
    counts: Counts,
    operations: Vec<Operation>,
    broken: Option<u64>,
    steps: u64,
    cut: Option<Cut>,
    off: bool,
}

/// How often and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of `read`.
    pub reads: u64,
    /// Their bytes.
    pub bytes_read: u64,
    /// Calls of `write`.
    pub writes: u64,
    /// Their bytes.
    pub bytes_written: u64,
    /// Calls of `erase`.
    pub erases: u64,
    /// Blocks that they erased.
    pub blocks_erased: u64,
}

/// A write or an erase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Whether it is an erase.
    pub erase: bool,
    /// Where it begins.
    pub offset: u32,
    /// Its bytes.
    pub len: u32,
    /// Its first step, counted from when the flash was made.
    pub step: u64,
}

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Off the grid, or behind the end.
    Rule(NorFlashErrorKind),
    /// The operation that was planted to fail; it did nothing.
    Broken,
    /// The power is off, or went in this operation.
    PowerOff,
}

impl NorFlashError for Fault {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Fault::Rule(kind) => *kind,
            Fault::Broken | Fault::PowerOff => NorFlashErrorKind::Other,
        }
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> Flash<READ, WRITE, ERASE> {
    /// One of `len` bytes, erased.
    pub fn blank(len: usize) -> Self {
        Self { written: vec![false; len], ..Self::holding(vec![0xff; len]) }
    }

    /// One with these contents, all of which count as written.
    pub fn holding(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self {
            written: vec![true; bytes.len()],
            erases: vec![0; bytes.len().div_ceil(ERASE)],
            bytes,
            stuck: Vec::new(),
            counts: Counts::default(),
            operations: Vec::new(),
            broken: None,
            steps: 0,
            cut: None,
            off: false,
        }
    }

    /// What it holds.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was done to it since it was made or the counts were reset.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Starts all counts and the list of operations again; the erases of each block go on.
    pub fn reset_counts(&mut self) {
        self.counts = Counts::default();
        self.operations.clear();
    }

    /// How often each block was erased.
    pub fn erases(&self) -> &[u32] {
        &self.erases
    }

    /// Writes and erases in order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Bytes written and erased since it was made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Plants a power cut; its step counts from here.
    pub fn cut(&mut self, cut: Cut) {
        self.cut = Some(Cut { step: self.steps + cut.step, ..cut });
    }

    /// Whether the power went.
    pub fn is_off(&self) -> bool {
        self.off
    }

    /// Power again, and no cut planted.
    pub fn power_on(&mut self) {
        self.off = false;
        self.cut = None;
    }

    /// Plants a failure: of the operation with this number from here, counted from 0, reads included.
    pub fn break_at(&mut self, operation: u64) {
        self.broken = Some(operation);
    }

    /// Whether a planted failure was not met yet.
    pub fn is_breaking(&self) -> bool {
        self.broken.is_some()
    }

    /// Makes the bits of `mask` at `offset` keep their value.
    pub fn stick(&mut self, offset: u32, mask: u8) {
        self.stuck.push((offset as usize, mask));
    }

    /// Changes a byte behind the back of everybody, as decay does.
    pub fn flip(&mut self, offset: u32, mask: u8) {
        self.bytes[offset as usize] ^= mask;
    }

    fn operate(&mut self) -> Result<(), Fault> {
        if self.off {
            return Err(Fault::PowerOff);
        }
        match self.broken {
            Some(0) => {
                self.broken = None;
                Err(Fault::Broken)
            }
            Some(left) => {
                self.broken = Some(left - 1);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Notes the operation; the cut that falls into it, with its step counted from the operation's first.
    fn begin(&mut self, erase: bool, offset: u32, len: usize) -> Option<Cut> {
        let step = self.steps;
        self.steps += len as u64;
        self.operations.push(Operation { erase, offset, len: len as u32, step });
        let cut = self.cut.filter(|cut| cut.step < self.steps)?;
        self.off = true;
        Some(Cut { step: cut.step - step, ..cut })
    }

    /// What a complete erase does.
    fn fill(&mut self, range: Range<usize>) {
        self.written[range.clone()].fill(false);
        if self.stuck.is_empty() {
            return self.bytes[range].fill(0xff);
        }
        range.for_each(|at| self.set(at, 0xff));
    }

    fn set(&mut self, at: usize, byte: u8) {
        let stuck = self.stuck.iter().filter(|(place, _)| *place == at).fold(0, |all, (_, mask)| all | mask);
        self.bytes[at] = self.bytes[at] & stuck | byte & !stuck;
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> ErrorType for Flash<READ, WRITE, ERASE> {
    type Error = Fault;
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> ReadNorFlash for Flash<READ, WRITE, ERASE> {
    const READ_SIZE: usize = READ;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        self.operate()?;
        check_read(self, offset, bytes.len()).map_err(Fault::Rule)?;
        self.counts.reads += 1;
        self.counts.bytes_read += bytes.len() as u64;
        bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> NorFlash for Flash<READ, WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        self.operate()?;
        check_erase(self, from, to).map_err(Fault::Rule)?;
        let range = from as usize..to as usize;
        self.counts.erases += 1;
        self.counts.blocks_erased += (range.len() / ERASE) as u64;
        self.erases[from as usize / ERASE..to as usize / ERASE].iter_mut().for_each(|count| *count += 1);
        match self.begin(true, from, range.len()) {
            Some(cut) => self.cut_erase(range, cut),
            None => {
                self.fill(range);
                Ok(())
            }
        }
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
        self.operate()?;
        check_write(self, offset, bytes.len()).map_err(Fault::Rule)?;
        self.counts.writes += 1;
        self.counts.bytes_written += bytes.len() as u64;
        let start = offset as usize;
        if let Some(at) = self.written[start..start + bytes.len()].iter().position(|written| *written) {
            panic!("the word with byte {} is written, but was not erased since it was written last", start + at);
        }
        match self.begin(false, offset, bytes.len()) {
            Some(cut) => self.cut_write(start, bytes, cut),
            None => {
                for (at, byte) in (start..).zip(bytes) {
                    // What counts as erased may have stuck bits: a write never makes ones.
                    self.set(at, self.bytes[at] & byte);
                    self.written[at] = true;
                }
                Ok(())
            }
        }
    }
}
