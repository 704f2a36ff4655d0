//! Layer 4: a save in passes while the machine runs (DESIGN.md, "Live saves").

use crate::codec::Encode;
use crate::crc32::{Crc32, Crc32Bytewise};
use crate::error::{Phase, SaveError};
use crate::io::Stop;
use crate::log::{debug, error};
use crate::notes;
use crate::registry::{Entry, Marks, Place, Units};
use crate::save::{Saver, check_notes, finish, hook_failed, self_unit, unit_of};
use crate::unit::Vote;
use crate::writer::{Streamed, Writer};
use embedded_io::{ErrorType, Write};

/// Passes before the final one, where nobody says otherwise. Each is about as long as the machine changed during the one
/// before, so what 32 of them did not catch up with, more will not.
const MAX_PASSES: u32 = 32;

/// A live save of format 2.0: passes while the machine runs, then a final one. It keeps the medium between passes, and
/// borrows the machine only during one.
///
/// ```
/// # use ssm_core::{Entry, Get, Memory, Put, Saver, Store, Unit, UnitError, Units, Vote};
/// # struct Machine { counter: Counter }
/// # struct Counter(u32);
/// # impl Unit for Counter {
/// #     fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> { put.u32(self.0) }
/// #     fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> { self.0 = get.u32()?; Ok(()) }
/// #     fn live(&mut self, put: &mut Put<'_>, _: u32) -> Result<(), UnitError> { put.u32(self.0) }
/// #     fn live_vote(&mut self, pass: u32) -> Result<Vote, UnitError> { Ok(if pass < 2 { Vote::Again } else { Vote::Done }) }
/// # }
/// # impl Machine { fn run(&mut self) { self.counter.0 += 1; } }
/// const UNITS: Units<Machine> =
///     Units::new(&[Entry::new("counter", |machine: &mut Machine, _| &mut machine.counter).live()]);
/// let mut machine = Machine { counter: Counter(0) };
/// let (mut file, mut scratch) = (Memory::new([0; 1024]), [0; 256]);
///
/// let mut live = Saver::streamed(&mut file, Store, &mut scratch).live(&mut machine, &UNITS)?.limit_passes(20);
/// while live.pass(&mut machine, &UNITS)? == Vote::Again {
///     machine.run();
/// }
/// live.finish(&mut machine, &UNITS)?;
/// # Ok::<(), ssm_core::SaveError<embedded_io::ErrorKind>>(())
/// ```
///
/// The table of units must be the same in all calls. After a failure only the error is left: the units have got their
/// `save_done`, and later calls say [`SaveError::Cancelled`]. A live save that is not wanted any more is
/// [abandoned](Self::abandon); one that is dropped leaves its units prepared.
pub struct Live<'s, W: ErrorType, E, C = Crc32Bytewise> {
    writer: Writer<'s, W, E, C, Streamed<'s>>,
    notes: &'s [(&'s str, &'s str)],
    /// Which units take part in no other pass.
    left: Marks<'s>,
    pass: u32,
    max_passes: u32,
    max_bytes: u64,
    is_over: bool,
}

impl<'s, W: Write, E: Encode, C: Crc32> Saver<'s, W, E, C, Streamed<'s>> {
    /// Begins a live save, whose passes run while the machine does: writes the header and calls `live_prep` of the units
    /// of `machine` that are [`live`](Entry::live).
    ///
    /// If that fails, the units that were called get their `save_done`.
    pub fn live<M>(self, machine: &mut M, units: &Units<M>) -> Result<Live<'s, W, E, C>, SaveError<W::Error>> {
        Live::begin(self, machine, units)
    }
}

impl<'s, W: Write, E: Encode, C: Crc32> Live<'s, W, E, C> {
    fn begin<M>(
        saver: Saver<'s, W, E, C, Streamed<'s>>,
        machine: &mut M,
        units: &[Entry<M>],
    ) -> Result<Self, SaveError<W::Error>> {
        let Saver { mut writer, notes } = saver;
        let Some(left) = writer.take_scratch(Marks::bytes(units.len())).map(Marks::over) else {
            return Err(SaveError::Scratch { needed: Marks::bytes(units.len()).saturating_add(1) });
        };
        let mut live =
            Self { writer, notes, left, pass: 0, max_passes: MAX_PASSES, max_bytes: u64::MAX, is_over: false };
        match live.prepare(machine, units) {
            Ok(()) => Ok(live),
            Err(Stop) => Err(live.writer.error()),
        }
    }

    /// The same with at most this many passes before the final one; the default is 32, as a machine that changes faster
    /// than it is written would never be done.
    pub fn limit_passes(self, passes: u32) -> Self {
        Self { max_passes: passes, ..self }
    }

    /// The same with no other pass but the final one once the file has this many bytes.
    pub fn limit_bytes(self, bytes: u64) -> Self {
        Self { max_bytes: bytes, ..self }
    }

    /// Bytes that were written so far.
    pub fn file_len(&self) -> u64 {
        self.writer.len()
    }

    /// Passes that are over.
    pub fn passes(&self) -> u32 {
        self.pass
    }

    fn prepare<M>(&mut self, machine: &mut M, units: &[Entry<M>]) -> Result<(), Stop> {
        check_notes(&mut self.writer, self.notes)?;
        self.writer.set_live();
        self.writer.begin(units.len().saturating_add(1))?;
        let after = self.writer.after;
        for (at, entry) in units.iter().enumerate() {
            if entry.is_live()
                && let Err(error) = entry.unit(machine).live_prep(after)
            {
                hook_failed(&mut self.writer, entry, Phase::Prepare, error);
                return self.end(machine, units.get(..=at).unwrap_or(units));
            }
        }
        Ok(())
    }

    /// One pass over the live units, then their votes: [`Vote::Again`] if any wants another pass and no limit is reached,
    /// [`Vote::Done`] if the machine may be stopped.
    pub fn pass<M>(&mut self, machine: &mut M, units: &Units<M>) -> Result<Vote, SaveError<W::Error>> {
        if self.is_over {
            return Err(SaveError::Cancelled);
        }
        match self.write(machine, units) {
            Ok(vote) => Ok(vote),
            Err(Stop) => {
                let _ = self.end(machine, units);
                Err(self.failure())
            }
        }
    }

    fn write<M>(&mut self, machine: &mut M, units: &[Entry<M>]) -> Result<Vote, Stop> {
        let (pass, notes) = (self.pass, self.notes);
        if pass == 0 {
            self.writer.write(&self_unit(pass), &mut |put| notes::put(put, notes))?;
        }
        let mut again = false;
        for (at, entry) in units.iter().enumerate().filter(|(_, entry)| entry.is_live()) {
            if self.left.is_marked(at) {
                continue;
            }
            let unit = entry.unit(machine);
            self.writer.write(&unit_of(entry, pass), &mut |put| unit.live(put, pass))?;
        }
        for (at, entry) in units.iter().enumerate().filter(|(_, entry)| entry.is_live()) {
            if self.left.is_marked(at) {
                continue;
            }
            match entry.unit(machine).live_vote(pass) {
                Ok(Vote::Again) => again = true,
                Ok(Vote::Done) => {}
                Ok(Vote::Leave) => {
                    self.left.mark(Place::Entry(at));
                }
                Err(error) => {
                    hook_failed(&mut self.writer, entry, Phase::Vote, error);
                    return Err(Stop);
                }
            }
        }
        debug!("live pass {=u32}: {=u64} bytes so far", pass, self.writer.len());
        self.pass = pass.wrapping_add(1);
        let again = again && self.pass < self.max_passes && self.writer.len() < self.max_bytes;
        Ok(if again { Vote::Again } else { Vote::Done })
    }

    /// The final pass, over all units, as a plain save is; the machine must not run any more. The file's length in bytes.
    pub fn finish<M>(mut self, machine: &mut M, units: &Units<M>) -> Result<u64, SaveError<W::Error>> {
        if self.is_over {
            return Err(SaveError::Cancelled);
        }
        finish(&mut self.writer, self.notes, machine, units, &|entry| entry.is_live());
        if self.writer.is_failed() { Err(self.failure()) } else { Ok(self.writer.len()) }
    }

    /// Gives up: the live units get their `save_done`. What was written is no valid file.
    pub fn abandon<M>(mut self, machine: &mut M, units: &Units<M>) {
        if !self.is_over {
            let _ = self.writer.give_up();
            let _ = self.end(machine, units);
        }
    }

    /// Tells the live units that it is over, and not well.
    fn end<M>(&mut self, machine: &mut M, units: &[Entry<M>]) -> Result<(), Stop> {
        self.is_over = true;
        let after = self.writer.after;
        for entry in units.iter().filter(|entry| entry.is_live()) {
            if let Err(error) = entry.unit(machine).save_done(after, false) {
                hook_failed(&mut self.writer, entry, Phase::Done, error);
            }
        }
        Err(Stop)
    }

    fn failure(&mut self) -> SaveError<W::Error> {
        let error = self.writer.error();
        error!("save failed: {=str}", error.kind());
        error
    }
}
