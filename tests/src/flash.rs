//! A NOR flash in memory that keeps its users to the rules and loses power where it is told to.
//!
//! - Reads, writes and erases off their grid or behind the end fail, as with any driver.
//! - Writing a word a second time before its block was erased completely is a panic: the test has found a mistake.
//!   A write that was cut off counts, even if it changed nothing; an erase that was cut off does not.
//! - Reads, writes, erases and their bytes are counted, erases also block by block.
//! - Each byte that is written or erased is a step, and power goes at any of them ([`Flash::cut`]). What is left then is told
//!   by a [`Model`]. Until [`Flash::power_on`] every operation fails.
//! - Single operations can fail ([`Flash::break_at`]), read otherwise once ([`Flash::misread_at`]), and single bits can be stuck
//!   ([`Flash::stick`]) or weak ([`Flash::weaken`]).
//! - With ECC ([`Flash::with_ecc`]) a word that was cut off, or that [decayed](Flash::decay), cannot be read until it is erased.
//! - Blocks can be [worn](Flash::wear), and an erase can take more than it says ([`Flash::erase_in`]).
//! - [`ErasesToZeros`] is a flash whose erased bits are zeros.
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
mod zeros;

pub use power::{Cut, Model, Pick};
pub use zeros::ErasesToZeros;

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
    /// Bits that change when the power comes back.
    weak: Vec<(usize, u8)>,
    /// With ECC, of each byte, whether its word cannot be read.
    unreadable: Option<Vec<bool>>,
    /// Of each block, what fails in it.
    worn: Vec<Option<Wear>>,
    /// Bytes that an erase really takes at once.
    erased_at_once: usize,
    misread: Option<u64>,
    erases: Vec<u32>,
    counts: Counts,
    operations: Vec<Operation>,
    broken: Option<u64>,
    steps: u64,
    cut: Option<Cut>,
    off: bool,
}

/// A buffer for slots that lasts as long as the test does, so that a function can mount them.
pub fn page<const N: usize>() -> &'static mut [u8] {
    Box::leak(Box::new([0; N]))
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

/// What fails in a block that is worn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wear {
    /// To erase it; it stays as it is.
    Erase,
    /// To write it; nothing is written.
    Write,
}

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// ECC: the word with this byte cannot be read.
    Unreadable(u32),
    /// The block is worn.
    Worn,
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
            Fault::Broken | Fault::PowerOff | Fault::Unreadable(_) | Fault::Worn => NorFlashErrorKind::Other,
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
            worn: vec![None; bytes.len().div_ceil(ERASE)],
            bytes,
            stuck: Vec::new(),
            weak: Vec::new(),
            unreadable: None,
            erased_at_once: ERASE,
            misread: None,
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

    /// Power again, and no cut planted. Weak bits read otherwise from now on.
    pub fn power_on(&mut self) {
        self.off = false;
        self.cut = None;
        for (at, mask) in std::mem::take(&mut self.weak) {
            self.bytes[at] ^= mask;
        }
    }

    /// The same flash with ECC.
    pub fn with_ecc(mut self) -> Self {
        self.unreadable = Some(vec![false; self.bytes.len()]);
        self
    }

    /// Makes the word with this byte one that cannot be read until it is erased.
    pub fn decay(&mut self, offset: u32) {
        let word = offset as usize / WRITE * WRITE;
        let end = (word + WRITE).min(self.bytes.len());
        self.unreadable.get_or_insert_with(|| vec![false; self.bytes.len()])[word..end].fill(true);
    }

    /// Makes all words readable again, with what they held: what failed was passing.
    pub fn recover(&mut self) {
        self.unreadable.iter_mut().for_each(|unreadable| unreadable.fill(false));
    }

    /// Whether all of a range can be read.
    pub fn is_readable(&self, range: Range<usize>) -> bool {
        self.unreadable.as_ref().is_none_or(|unreadable| !unreadable[range].contains(&true))
    }

    /// Makes a block fail from now on.
    pub fn wear(&mut self, block: usize, wear: Wear) {
        self.worn[block] = Some(wear);
    }

    /// Makes erases take blocks of this many bytes, whatever they say.
    pub fn erase_in(&mut self, bytes: usize) {
        self.erased_at_once = bytes;
    }

    /// Plants a wrong bit in the read with this number from here, counted from 0; the flash holds the right one.
    pub fn misread_at(&mut self, read: u64) {
        self.misread = Some(read);
    }

    /// Takes back what was planted with [`break_at`](Self::break_at) and [`misread_at`](Self::misread_at).
    pub fn plant_nothing(&mut self) {
        (self.broken, self.misread) = (None, None);
    }

    /// Makes the bits of `mask` at `offset` change when the power comes back.
    pub fn weaken(&mut self, offset: u32, mask: u8) {
        self.weak.push((offset as usize, mask));
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
        if let Some(unreadable) = &mut self.unreadable {
            unreadable[range.clone()].fill(false);
        }
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
        let range = offset as usize..offset as usize + bytes.len();
        if let Some(unreadable) = &self.unreadable
            && let Some(at) = unreadable[range.clone()].iter().position(|unreadable| *unreadable)
        {
            return Err(Fault::Unreadable(offset + at as u32));
        }
        bytes.copy_from_slice(&self.bytes[range]);
        match &mut self.misread {
            Some(0) => {
                self.misread = None;
                let middle = bytes.len() / 2;
                bytes[middle..].iter_mut().take(1).for_each(|byte| *byte ^= 0x10);
            }
            Some(left) => *left -= 1,
            None => {}
        }
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
        if self.worn[from as usize / ERASE..to as usize / ERASE].contains(&Some(Wear::Erase)) {
            return Err(Fault::Worn);
        }
        let once = self.erased_at_once;
        let range = from as usize / once * once..(to as usize).next_multiple_of(once).min(self.bytes.len());
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
        if self.worn[start / ERASE..(start + bytes.len()).div_ceil(ERASE)].contains(&Some(Wear::Write)) {
            return Err(Fault::Worn);
        }
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
