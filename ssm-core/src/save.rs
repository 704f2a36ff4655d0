//! Layer 4: saving a machine in three phases (DESIGN.md, "Three phases").

use crate::codec::Encode;
use crate::crc32::{Crc32, Crc32Bytewise};
use crate::error::{Phase, SaveError};
use crate::io::Stop;
use crate::log::{debug, error};
use crate::notes;
use crate::progress::{Cancel, EXECUTED};
use crate::registry::{Entry, SELF_NAME, SELF_VERSION};
use crate::unit::{AfterSave, UnitError, UnitId, UnitRecord};
use crate::wire::Header;
use crate::writer::Writer;
use embedded_io::{ErrorType, Seek, Write};

/// Every unit counts for this many bytes of progress beside its guess.
const UNIT_SHARE: u64 = 64;

/// One save of a machine to a medium that can write and seek; it is never read.
///
/// The medium is empty and at position 0. The header becomes valid with the very last write, so a save that fails, is
/// cancelled or loses power leaves no valid file.
///
/// The crate's front page has an example.
pub struct Saver<'s, W: ErrorType, E, C = Crc32Bytewise> {
    writer: Writer<'s, W, E, C>,
    notes: &'s [(&'s str, &'s str)],
}

impl<'s, W: Write + Seek, E: Encode> Saver<'s, W, E> {
    /// A save to `medium` with `codec`. `scratch` is one byte or more; a larger one gives larger blocks
    /// (see [`Writer::new`]).
    pub fn new(medium: W, codec: E, scratch: &'s mut [u8]) -> Self {
        Self { writer: Writer::start(medium, codec, Crc32Bytewise, scratch), notes: &[] }
    }
}

impl<'s, W: Write + Seek, E: Encode, C: Crc32> Saver<'s, W, E, C> {
    /// The same with another way to compute CRC-32.
    pub fn crc32<D: Crc32>(self, crc: D) -> Saver<'s, W, E, D> {
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

    /// The same with a token that stops the save: it is looked at between units and every 128 KiB at the latest.
    pub fn cancel(mut self, cancel: &'s Cancel) -> Self {
        self.writer.progress().set_cancel(cancel);
        self
    }

    /// Saves the units of `machine` that `units` lists, the built-in unit first. The file's length in bytes.
    ///
    /// Every unit whose `save_prep` was called gets its `save_done`, whatever happened; the first error is returned.
    pub fn save<M>(mut self, machine: &mut M, units: &[Entry<M>]) -> Result<u64, SaveError<W::Error>> {
        // What fails is kept in the writer.
        let _ = run(&mut self.writer, self.notes, machine, units);
        let outcome = self.writer.outcome();
        match &outcome {
            Ok(_len) => debug!("saved {=usize} units, {=u64} bytes", units.len(), *_len),
            Err(_error) => error!("save failed: {=str}", _error.kind()),
        }
        outcome
    }
}

fn run<M, W: Write + Seek, E: Encode, C: Crc32>(
    writer: &mut Writer<'_, W, E, C>,
    notes: &[(&str, &str)],
    machine: &mut M,
    units: &[Entry<M>],
) -> Result<(), Stop> {
    check(writer, notes)?;
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
    for entry in units.get(..called).unwrap_or(&[]) {
        if let Err(error) = entry.unit(machine).save_done(after, !writer.is_failed()) {
            hook_failed(writer, entry, Phase::Done, error);
        }
    }
    if writer.is_failed() { Err(Stop) } else { writer.commit() }
}

fn check<W: Write + Seek, E: Encode, C: Crc32>(
    writer: &mut Writer<'_, W, E, C>,
    notes: &[(&str, &str)],
) -> Result<(), Stop> {
    if let Err(error) = notes::check(notes) {
        let unit = UnitRecord::of(UnitId::new(SELF_NAME, 0), SELF_VERSION);
        return writer.unit_failed(unit, Phase::Prepare, 0, error);
    }
    writer.begin()
}

fn hook_failed<M, W: Write + Seek, E: Encode, C: Crc32>(
    writer: &mut Writer<'_, W, E, C>,
    entry: &Entry<M>,
    phase: Phase,
    error: UnitError,
) {
    let _ = writer.unit_failed(UnitRecord::of(entry.id(), entry.data_version()), phase, 0, error);
}

fn execute<M, W: Write + Seek, E: Encode, C: Crc32>(
    writer: &mut Writer<'_, W, E, C>,
    machine: &mut M,
    units: &[Entry<M>],
    notes: &[(&str, &str)],
) -> Result<(), Stop> {
    let share = |entry: &Entry<M>| entry.guessed_size().min(u64::MAX >> 24).wrapping_add(UNIT_SHARE);
    writer.progress().execute(units.iter().fold(UNIT_SHARE, |sum, entry| sum.wrapping_add(share(entry))));
    let mut notes_put = false;
    let mut units = units.iter().peekable();
    loop {
        // The built-in unit comes before the first that is not ahead of it.
        if !notes_put && !units.peek().is_some_and(|entry| entry.is_ahead()) {
            notes_put = true;
            writer
                .unit_of_size(SELF_NAME.as_bytes(), 0, SELF_VERSION, UNIT_SHARE, &mut |put| notes::put(put, notes))?;
        }
        let Some(entry) = units.next() else { break };
        if !entry.has_data() {
            writer.progress().advance(share(entry));
            continue;
        }
        let id = entry.id();
        let unit = entry.unit(machine);
        writer.unit_of_size(id.name.as_bytes(), id.instance, entry.data_version(), share(entry), &mut |put| {
            unit.save(put)
        })?;
    }
    writer.progress().reach(EXECUTED);
    writer.check_cancel()
}
