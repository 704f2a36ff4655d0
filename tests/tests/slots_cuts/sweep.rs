//! One program on a flash, cut at every byte of all that it writes and erases.

use super::medium::Medium;
use embedded_io::{Read, Write};
use ssm_core::{CommitError, Slots};
use ssm_tests::flash::{Cut, Fault, Flash, Model, Operation, Pick};

/// Bytes of a commit record; its place is known to nobody but this test and the documentation.
pub const RECORD_LEN: usize = 56;

/// How a flash is split, and how large the states are.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub slots: u8,
    pub blocks: usize,
    pub len: usize,
}

/// What is done to the slots. States are told apart by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Save this state, then erase the slot for the one after it.
    SaveAndPrepare(u8),
    /// Fail in the middle of this state, save it whole at the second try.
    FailAndSave(u8),
    Rollback,
    EraseAll,
}

/// Where a cut fell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    Erase,
    Header,
    Data,
    Commit,
    OldErase,
    Rollback,
    EraseAll,
}

/// What a mount found after a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Old,
    New,
    Lost,
}

/// Which kind of flash the slots are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Plain,
    /// Words that were cut off cannot be read.
    Ecc,
    /// It erases to zeros, and the slots see it through the adapter that inverts.
    Inverted,
}

/// A flash with slots, and what it holds now: the number of the latest state and of the one before.
#[derive(Clone)]
pub struct Store<const R: usize, const W: usize, const E: usize, const B: usize> {
    pub flash: Flash<R, W, E>,
    pub shape: Shape,
    pub kind: Kind,
    /// The buffer of the slots, and that of the adapter.
    buffers: [[u8; B]; 2],
    pub latest: Option<u8>,
    pub previous: Option<u8>,
}

/// The bytes of a state: noise, with runs of what erased and dead flash look like.
pub fn state(number: u8, len: usize) -> Vec<u8> {
    let mut noise = u32::from(number) * 2 + 1;
    (0..len)
        .map(|at| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match at / 8 % 5 {
                1 if number.is_multiple_of(2) => 0xff,
                2 => 0,
                _ => (noise >> 24) as u8,
            }
        })
        .collect()
}

impl<const R: usize, const W: usize, const E: usize, const B: usize> Store<R, W, E, B> {
    /// A flash that never was erased.
    pub fn new(shape: Shape, kind: Kind) -> Self {
        let len = E * shape.blocks * usize::from(shape.slots);
        // Reads in large units need a flash that ends with one.
        let flash = Flash::holding(state(200, len.next_multiple_of(R)));
        let flash = if kind == Kind::Ecc { flash.with_ecc() } else { flash };
        Self { flash, shape, kind, buffers: [[0; B]; 2], latest: None, previous: None }
    }

    /// The same after so many saves.
    pub fn with_saves(shape: Shape, kind: Kind, saves: u8) -> Self {
        let mut store = Self::new(shape, kind);
        for number in 1..=saves {
            store.save(number);
        }
        store
    }

    fn slots(&mut self) -> Slots<'_, Medium<'_, R, W, E>> {
        let range = 0..(E * self.shape.blocks * usize::from(self.shape.slots)) as u32;
        let [buffer, inverted] = &mut self.buffers;
        let medium = Medium::of(&mut self.flash, self.kind, inverted);
        Slots::mount_with(medium, range, self.shape.slots, buffer, ssm_core::Crc32Bytewise).unwrap()
    }

    fn save(&mut self, number: u8) {
        let bytes = state(number, self.shape.len);
        self.slots().save(|out| out.write_all(&bytes)).unwrap();
        (self.previous, self.latest) = (self.latest, Some(number));
    }

    /// The whole of the latest state.
    pub fn find(&mut self) -> Option<Vec<u8>> {
        let mut slots = self.slots();
        let latest = slots.latest()?;
        let mut reader = slots.read(&latest).unwrap();
        let mut bytes = vec![0; latest.len() as usize];
        reader.read_exact(&mut bytes).unwrap();
        assert_eq!(reader.read(&mut [0]), Ok(0));
        Some(bytes)
    }

    fn is(&self, found: &Option<Vec<u8>>, number: Option<u8>) -> bool {
        *found == number.map(|number| state(number, self.shape.len))
    }

    /// Mounts and runs; `true` if it came to its end before the power went.
    fn run(&mut self, program: Program) -> bool {
        let len = self.shape.len;
        let mut slots = self.slots();
        match program {
            Program::SaveAndPrepare(number) => {
                let bytes = state(number, len);
                let saved = slots.save(|out| out.write_all(&bytes)).is_ok();
                // What was acknowledged counts, whatever the next erase meets.
                let _ = slots.prepare();
                saved
            }
            Program::FailAndSave(number) => {
                let bytes = state(number, len);
                let failed = slots.save(|out| {
                    out.write_all(&bytes[..len / 2]).map_err(Some)?;
                    Err::<(), Option<Failed>>(None)
                });
                match failed {
                    Err(CommitError::Save(None)) => slots.save(|out| out.write_all(&bytes)).is_ok(),
                    _ => false,
                }
            }
            Program::Rollback => slots.rollback().is_ok(),
            Program::EraseAll => slots.erase_all().is_ok(),
        }
    }

    /// What the program makes the latest state, and the one before.
    fn outcome(&self, program: Program) -> (Option<u8>, Option<u8>) {
        match program {
            Program::SaveAndPrepare(number) | Program::FailAndSave(number) => (Some(number), self.latest),
            Program::Rollback => (self.previous, None),
            Program::EraseAll => (None, None),
        }
    }

    /// Writes and erases of the program, and where each belongs.
    fn operations(&self, program: Program) -> Vec<(Row, Operation)> {
        let mut whole = self.clone();
        whole.flash.reset_counts();
        let start = whole.flash.steps();
        assert!(whole.run(program), "{program:?}");
        let slot_len = E * self.shape.blocks;
        let mut operations = whole.flash.operations().to_vec();
        let target = operations[0].offset as usize;
        operations.iter_mut().for_each(|operation| operation.step -= start);
        let row = |operation: &Operation| {
            let offset = operation.offset as usize;
            let content = (offset / slot_len * slot_len).next_multiple_of(W) + RECORD_LEN.next_multiple_of(W);
            match program {
                Program::Rollback => Row::Rollback,
                Program::EraseAll => Row::EraseAll,
                _ if operation.erase && offset == target => Row::Erase,
                _ if operation.erase => Row::OldErase,
                _ if offset < content => Row::Commit,
                _ if offset == content => Row::Header,
                _ => Row::Data,
            }
        };
        operations.iter().map(|operation| (row(operation), *operation)).collect()
    }

    /// How many steps the program has.
    pub fn steps(&self, program: Program) -> u64 {
        self.operations(program).iter().map(|(_, operation)| u64::from(operation.len)).sum()
    }

    /// The steps of the first operation of this row.
    pub fn steps_of(&self, program: Program, row: Row) -> std::ops::Range<u64> {
        let operations = self.operations(program);
        let (_, first) = operations.iter().find(|(of, _)| *of == row).expect("a row of the program");
        first.step..first.step + u64::from(first.len)
    }

    /// Cuts at every byte, under every model, with each of these picks; what is left goes to `each`, with the power on
    /// again.
    pub fn sweep(&self, program: Program, picks: &[Pick], each: &mut dyn FnMut(Row, Model, Outcome, Self)) {
        for (row, operation) in self.operations(program) {
            for ahead in 0..u64::from(operation.len) {
                for model in Model::ALL {
                    if model.is_of_erases() && !operation.erase {
                        continue;
                    }
                    let step = operation.step + ahead;
                    for pick in if model == Model::Prefix { &picks[..1] } else { picks } {
                        let pick = match *pick {
                            Pick::Seed(seed) => Pick::Seed(seed ^ step << 8),
                            bits => bits,
                        };
                        let (outcome, left) = self.cut(program, Cut { step, model, pick });
                        each(row, model, outcome, left);
                    }
                }
            }
        }
    }

    /// The rows of the steps of a program, for cuts at random.
    pub fn row_of(&self, program: Program, step: u64) -> Row {
        let operations = self.operations(program);
        let found = operations.iter().rev().find(|(_, operation)| operation.step <= step);
        found.expect("a step of the program").0
    }

    /// Runs into one cut, and mounts what is left. What was acknowledged must be there.
    pub fn cut(&self, program: Program, cut: Cut) -> (Outcome, Self) {
        let mut left = self.clone();
        left.flash.cut(cut);
        let acknowledged = left.run(program);
        assert!(left.flash.is_off(), "{cut:?} is behind the end of {program:?}");
        left.flash.power_on();
        let (new, previous) = self.outcome(program);
        let found = left.find();
        let outcome = if self.is(&found, self.latest) && !acknowledged {
            Outcome::Old
        } else if self.is(&found, new) {
            (left.latest, left.previous) = (new, previous);
            Outcome::New
        } else {
            Outcome::Lost
        };
        (outcome, left)
    }

    /// After whatever happened, a save succeeds and a fresh mount finds it.
    pub fn recovers(&mut self) -> bool {
        let bytes = state(99, self.shape.len);
        let saved = self.slots().save(|out| out.write_all(&bytes));
        saved.is_ok_and(|saved| self.slots().latest() == Some(saved)) && self.find() == Some(bytes)
    }
}

/// The error of a closure of these tests.
pub type Failed = ssm_core::FlashError<Fault>;
