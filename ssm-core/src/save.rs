//! Layer 4: saving a machine in three phases (DESIGN.md, "Three phases").

use crate::codec::Encode;
use crate::crc32::{Crc32, Crc32Bytewise};
use crate::error::{Phase, SaveError};
use crate::io::Stop;
use crate::log::{debug, error};
use crate::notes;
use crate::progress::{Cancel, EXECUTED};
use crate::registry::{Entry, SELF_NAME, SELF_VERSION, Units};
use crate::unit::{AfterSave, UnitError, UnitId, UnitRecord};
use crate::wire::Header;
use crate::wire::streamed::FINAL_PASS;
use crate::writer::{Framing, Output, Patched, Streamed, UnitStart, Writer};
use embedded_io::{ErrorType, Seek, Write};

/// Every unit counts for this many bytes of progress beside its guess.
const UNIT_SHARE: u64 = 64;

/// One save of a machine: of format 1.2 ([`new`](Self::new)) or 2.0 ([`streamed`](Self::streamed)).
///
/// The medium is empty, at position 0 and never read. The file becomes valid with the very last write, so a save that
/// fails, is cancelled or loses power leaves no valid file.
///
/// The crate's front page has an example.
pub struct Saver<'s, W: ErrorType, E, C = Crc32Bytewise, L = Patched> {
    pub(crate) writer: Writer<'s, W, E, C, L>,
    pub(crate) notes: &'s [(&'s str, &'s str)],
}

impl<'s, W: Write + Seek, E: Encode> Saver<'s, W, E> {
    /// A save of format 1.2 to `medium`, which can write and seek, with `codec`. `scratch` is one byte or more; a larger
    /// one gives larger blocks (see [`Writer::new`]).
    pub fn new(medium: W, codec: E, scratch: &'s mut [u8]) -> Self {
        Self { writer: Writer::start(medium, codec, Crc32Bytewise, scratch), notes: &[] }
    }
}

impl<'s, W: Write, E: Encode> Saver<'s, W, E, Crc32Bytewise, Streamed<'s>> {
    /// A save of format 2.0 to `medium`, which can write, such as a serial line. `scratch` is 16 bytes for each unit and 16
    /// more, and one byte or more for blocks (see [`Writer::streamed`]). Small puts are packed only where 1989 bytes are left
    /// for blocks; with less they are stored.
    pub fn streamed(medium: W, codec: E, scratch: &'s mut [u8]) -> Self {
        Self { writer: Writer::start(medium, codec, Crc32Bytewise, scratch), notes: &[] }
    }
}

impl<'s, W: Write, E: Encode, C: Crc32, L: Default> Saver<'s, W, E, C, L> {
    /// The same with another way to compute CRC-32.
    pub fn crc32<D: Crc32>(self, crc: D) -> Saver<'s, W, E, D, L> {
        Saver { writer: self.writer.with_crc32(crc), notes: self.notes }
    }

    /// The same with these header fields: the writer's version and the widths of addresses.
    pub fn header(mut self, header: Header) -> Self {
        self.writer.header = header;
        self
    }

    /// The same with pairs of strings for whoever reads the file, such as `("program", "clock 1.4")`: names of 1 to 127
    /// bytes, values of up to 1023. [`Archive::notes`](crate::Archive::notes) reads them.
    pub fn notes(mut self, notes: &'s [(&'s str, &'s str)]) -> Self {
        self.notes = notes;
        self
    }

    /// The same, telling the units what happens to the machine after the save.
    pub fn after(mut self, after: AfterSave) -> Self {
        self.writer.after = after;
        self
    }

    /// The same with a callback that gets every percent from 0 to 100 once and in order; 100 only at success.
    pub fn progress(mut self, callback: &'s mut dyn FnMut(u8)) -> Self {
        self.writer.progress().set_callback(callback);
        self
    }

    /// The same with a token that stops the save: it is looked at between units and every MiB at the latest.
    pub fn cancel(mut self, cancel: &'s Cancel) -> Self {
        self.writer.progress().set_cancel(cancel);
        self
    }
}

impl<'s, W: Write + Seek, E: Encode, C: Crc32> Saver<'s, W, E, C> {
    /// Saves the units of `machine` that `units` lists, the built-in unit first. The file's length in bytes.
    ///
    /// Every unit whose `save_prep` was called gets its `save_done`, whatever happened; the first error is returned.
    pub fn save<M>(mut self, machine: &mut M, units: &Units<M>) -> Result<u64, SaveError<W::Error>> {
        save(&mut self.writer, self.notes, machine, units)
    }
}

impl<'s, W: Write, E: Encode, C: Crc32> Saver<'s, W, E, C, Streamed<'s>> {
    /// Saves the units of `machine` that `units` lists, the built-in unit first. The file's length in bytes.
    ///
    /// Every unit whose `save_prep` was called gets its `save_done`, whatever happened; the first error is returned.
    pub fn save<M>(mut self, machine: &mut M, units: &Units<M>) -> Result<u64, SaveError<W::Error>> {
        save(&mut self.writer, self.notes, machine, units)
    }
}

fn save<'s, M, W: Write, E: Encode, C: Crc32, L>(
    writer: &mut Writer<'s, W, E, C, L>,
    notes: &[(&str, &str)],
    machine: &mut M,
    units: &[Entry<M>],
) -> Result<u64, SaveError<W::Error>>
where
    Output<'s, W, E, C, L>: Framing<'s>,
{
    // What fails is kept in the writer.
    if check_notes(writer, notes).and_then(|()| writer.begin(units.len().saturating_add(1))).is_ok() {
        finish(writer, notes, machine, units, &|_| false);
    }
    let outcome = writer.outcome();
    match &outcome {
        Ok(_len) => debug!("saved {=usize} units, {=u64} bytes", units.len(), *_len),
        Err(_error) => error!("save failed: {=str}", _error.kind()),
    }
    outcome
}

/// The three phases behind the header. `prepared` tells which units are to be told the end in any case.
pub(crate) fn finish<'s, M, W: Write, E: Encode, C: Crc32, L>(
    writer: &mut Writer<'s, W, E, C, L>,
    notes: &[(&str, &str)],
    machine: &mut M,
    units: &[Entry<M>],
    prepared: &dyn Fn(&Entry<M>) -> bool,
) where
    Output<'s, W, E, C, L>: Framing<'s>,
{
    let after = writer.after;
    let mut called = 0usize;
    for entry in units {
        called = called.wrapping_add(1);
        if let Err(error) = entry.unit(machine).save_prep(after) {
            hook_failed(writer, entry, Phase::Prepare, error);
            break;
        }
        writer.progress().prepare(called as u64, units.len() as u64);
    }
    if !writer.is_failed() {
        let _ = execute(writer, machine, units, notes);
    }
    for (at, entry) in units.iter().enumerate() {
        if (at < called || prepared(entry))
            && let Err(error) = entry.unit(machine).save_done(after, !writer.is_failed())
        {
            hook_failed(writer, entry, Phase::Done, error);
        }
    }
    if !writer.is_failed() {
        let _ = writer.commit();
    }
}

/// Whether readers accept the notes.
pub(crate) fn check_notes<W: Write, E: Encode, C: Crc32, L>(
    writer: &mut Writer<'_, W, E, C, L>,
    notes: &[(&str, &str)],
) -> Result<(), Stop> {
    match notes::check(notes) {
        Ok(()) => Ok(()),
        Err(error) => {
            let unit = UnitRecord::of(UnitId::new(SELF_NAME, 0), SELF_VERSION);
            writer.unit_failed(unit, Phase::Prepare, 0, error)
        }
    }
}

pub(crate) fn hook_failed<M, W: Write, E: Encode, C: Crc32, L>(
    writer: &mut Writer<'_, W, E, C, L>,
    entry: &Entry<M>,
    phase: Phase,
    error: UnitError,
) {
    let _ = writer.unit_failed(UnitRecord::of(entry.id(), entry.data_version()), phase, 0, error);
}

/// The built-in unit of a pass.
pub(crate) fn self_unit(pass: u32) -> UnitStart<'static> {
    let name = SELF_NAME.as_bytes();
    UnitStart { name, instance: 0, version: SELF_VERSION, pass, optional: false, guess: UNIT_SHARE }
}

/// The unit of an entry in a pass.
pub(crate) fn unit_of<M>(entry: &Entry<M>, pass: u32) -> UnitStart<'static> {
    let UnitId { name, instance } = entry.id();
    let guess = entry.guessed_size().min(u64::MAX >> 24).wrapping_add(UNIT_SHARE);
    let (version, optional) = (entry.data_version(), entry.is_optional());
    UnitStart { name: name.as_bytes(), instance, version, pass, optional, guess }
}

fn execute<'s, M, W: Write, E: Encode, C: Crc32, L>(
    writer: &mut Writer<'s, W, E, C, L>,
    machine: &mut M,
    units: &[Entry<M>],
    notes: &[(&str, &str)],
) -> Result<(), Stop>
where
    Output<'s, W, E, C, L>: Framing<'s>,
{
    let share = |entry: &Entry<M>| unit_of(entry, FINAL_PASS).guess;
    if writer.progress().is_watched() {
        writer.progress().execute(units.iter().fold(UNIT_SHARE, |sum, entry| sum.wrapping_add(share(entry))));
    }
    let mut notes_put = false;
    let mut units = units.iter().peekable();
    loop {
        // The built-in unit comes before the first that is not ahead of it.
        if !notes_put && !units.peek().is_some_and(|entry| entry.is_ahead()) {
            notes_put = true;
            writer.append(&self_unit(FINAL_PASS), &mut |put| notes::put(put, notes))?;
        }
        let Some(entry) = units.next() else { break };
        if !entry.has_data() {
            writer.progress().advance(share(entry));
            continue;
        }
        let unit = entry.unit(machine);
        writer.append(&unit_of(entry, FINAL_PASS), &mut |put| unit.save(put))?;
    }
    writer.write_out()?;
    writer.progress().reach(EXECUTED);
    writer.check_cancel()
}
