//! Writing a file of format 1.2 unit by unit: what a save and a converter have in common.

use crate::codec::Encode;
use crate::crc32::{Crc32, RunningCrc};
use crate::error::{Phase, SaveError};
use crate::io::Stop;
use crate::log::{debug, error};
use crate::output::Output;
use crate::progress::Progress;
use crate::stream::{Put, Widths};
use crate::unit::{AfterSave, UnitError, UnitRecord};
use crate::wire::{CRC_FROM, Header, MAX_FILE_NAME, SIZE_AT, UNIT_LEN_AT, UnitHeader};
use embedded_io::{ErrorType, Seek, Write};

/// Writes a file of format 1.2, unit by unit, to a medium that can write and seek and is never read.
///
/// The medium is empty and at position 0. Until [`finish`](Self::finish) the header says size 0, so a file that was cut
/// off at any point is not valid; if anything fails, throw it away.
///
/// Most programs use a [`Saver`](crate::Saver), which writes the units of a registry. This is for tools that have units
/// in another form:
/// ```
/// use ssm_core::{Crc32Bytewise, Header, Memory, Store, Writer};
/// let mut scratch = [0; 64];
/// let mut file = Memory::new([0; 512]);
/// let mut writer = Writer::new(&mut file, Store, Crc32Bytewise, &Header::new(), &mut scratch)?;
/// writer.unit(b"clock", 0, 1, &mut |put| put.u64(1234))?;
/// let len = writer.finish()?;
/// assert_eq!(file.bytes().len() as u64, len);
/// # Ok::<(), ssm_core::SaveError<embedded_io::ErrorKind>>(())
/// ```
pub struct Writer<'s, W: ErrorType, E, C> {
    output: Output<'s, W, E, C>,
    plain: &'s mut [u8],
    pub(crate) header: Header,
    pub(crate) after: AfterSave,
}

impl<'s, W: Write + Seek, E: Encode, C: Crc32> Writer<'s, W, E, C> {
    /// Starts a file with the fields of `header`; its format, size and checksum do not matter.
    ///
    /// `scratch` is one byte or more. With a codec a little more than half of it collects plain bytes and the rest takes
    /// packed ones; without ([`Store`](crate::Store)) all of it collects plain bytes.
    pub fn new(
        medium: W,
        codec: E,
        crc: C,
        header: &Header,
        scratch: &'s mut [u8],
    ) -> Result<Self, SaveError<W::Error>> {
        let mut writer = Self::start(medium, codec, crc, scratch);
        writer.header = *header;
        writer.begin().map_err(|Stop| writer.error())?;
        Ok(writer)
    }

    /// A writer that has not written its header yet: see [`begin`](Self::begin).
    pub(crate) fn start(medium: W, codec: E, crc: C, scratch: &'s mut [u8]) -> Self {
        // The packed part is a little the smaller one: a block that does not pack into it ends early.
        let plain_len =
            if codec.is_transparent() { scratch.len() } else { scratch.len().saturating_sub(16).wrapping_mul(17) / 32 };
        let (plain, packed) = scratch.split_at_mut_checked(plain_len).unwrap_or_default();
        let output = Output {
            medium,
            codec,
            crc: RunningCrc::new(crc),
            packed,
            position: 0,
            started: false,
            budget: 0,
            progress: Progress::new(),
            failed: None,
        };
        Self { output, plain, header: Header::new(), after: AfterSave::Continue }
    }

    /// The same with another way to compute CRC-32; before anything was written.
    pub(crate) fn with_crc32<D>(self, crc: D) -> Writer<'s, W, E, D> {
        let Self { output, plain, header, after } = self;
        let Output { medium, codec, crc: _, packed, position, started, budget, progress, failed } = output;
        let crc = RunningCrc::new(crc);
        let output = Output { medium, codec, crc, packed, position, started, budget, progress, failed };
        Writer { output, plain, header, after }
    }

    /// Writes the header without size and checksum.
    pub(crate) fn begin(&mut self) -> Result<(), Stop> {
        let output = &mut self.output;
        (self.header.file_len, self.header.crc) = (0, 0);
        if let Err(error) = self.header.check_writable() {
            return output.stop(SaveError::Header(error));
        }
        if self.plain.is_empty() && output.packed.is_empty() {
            return output.stop(SaveError::Scratch);
        }
        let bytes = self.header.emit();
        output.crc.append(bytes.get(CRC_FROM as usize..).unwrap_or(&[]));
        output.store(&bytes)
    }

    /// Writes one unit. `name` is 1 to 255 bytes without NUL; names of more than 47 bytes are for converters, the
    /// original readers of later formats refuse them.
    pub fn unit(
        &mut self,
        name: &[u8],
        instance: u32,
        version: u32,
        save: &mut dyn FnMut(&mut Put<'_>) -> Result<(), UnitError>,
    ) -> Result<(), SaveError<W::Error>> {
        self.unit_of_size(name, instance, version, 0, save).map_err(|Stop| self.error())
    }

    /// `guess` bytes of the progress belong to this unit.
    pub(crate) fn unit_of_size(
        &mut self,
        name: &[u8],
        instance: u32,
        version: u32,
        guess: u64,
        save: &mut dyn FnMut(&mut Put<'_>) -> Result<(), UnitError>,
    ) -> Result<(), Stop> {
        let start = self.output.position;
        if !(1..=MAX_FILE_NAME).contains(&name.len()) || !name.iter().all(|byte| (1..=u8::MAX).contains(byte)) {
            let error = UnitError::Invalid("a unit's name is 1 to 255 bytes without NUL");
            return self.execute_failed(name, instance, version, start, 0, error);
        }
        self.output.check_cancel()?;
        let mut record = UnitHeader { len: 0, version, instance, name_len: (name.len() as u32).saturating_add(1) };
        self.output.append(&record.emit())?;
        self.output.append(name)?;
        self.output.append(&[0])?;
        self.output.started = false;
        self.output.budget = guess;

        let widths = Widths::of(&self.header);
        let mut put = Put::new(&mut self.output, self.plain, widths, self.after);
        let returned = save(&mut put);
        // A unit that failed says so first: what it put is not worth another failure.
        let flushed = if returned.is_ok() { put.flush() } else { put.status() };
        let (at, touched) = (put.offset(), put.is_touched());
        // What the stream met first counts, whatever the unit made of it.
        if let Err(error) = flushed.and(returned) {
            return self.execute_failed(name, instance, version, start, at, error);
        }
        if touched {
            self.output.end()?;
        }
        self.output.spend(u64::MAX);
        record.len = self.output.position.wrapping_sub(start);
        debug!("saved unit {=[u8]:a}/{=u32}: {=u64} plain bytes in {=u64}", name, instance, at, record.len);
        self.output.patch(start.wrapping_add(UNIT_LEN_AT), record.len)
    }

    /// Keeps a unit's failure, unless something failed before.
    #[cold]
    #[inline(never)]
    pub(crate) fn unit_failed(
        &mut self,
        unit: UnitRecord,
        phase: Phase,
        at: u64,
        error: UnitError,
    ) -> Result<(), Stop> {
        if error != UnitError::Stream {
            error!("{}: {}", unit, error);
        }
        self.output.stop(SaveError::Unit { unit, phase, at, error })
    }

    #[cold]
    #[inline(never)]
    fn execute_failed(
        &mut self,
        name: &[u8],
        instance: u32,
        version: u32,
        start: u64,
        at: u64,
        error: UnitError,
    ) -> Result<(), Stop> {
        let unit = UnitRecord::new(name, name.len(), instance, version, start);
        self.unit_failed(unit, Phase::Execute, at, error)
    }

    /// Writes the end record, then size and checksum into the header: only now the file is valid. Its length in bytes.
    ///
    /// The medium is flushed before and after; whether that makes it durable is the medium's to say.
    pub fn finish(mut self) -> Result<u64, SaveError<W::Error>> {
        self.commit().map_err(|Stop| self.error())?;
        Ok(self.output.position)
    }

    pub(crate) fn commit(&mut self) -> Result<(), Stop> {
        let output = &mut self.output;
        output.check_cancel()?;
        output.store(&UnitHeader::emit_end())?;
        let file_len = output.position;
        output.flush()?;
        output.seek(SIZE_AT)?;
        output.store(&Header::emit_commit(file_len, output.crc.value()))?;
        output.seek(file_len)?;
        output.flush()?;
        output.progress.finish();
        Ok(())
    }

    pub(crate) fn progress(&mut self) -> &mut Progress<'s> {
        &mut self.output.progress
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.output.failed.is_some()
    }

    /// The file's length so far, or what failed first.
    pub(crate) fn outcome(&mut self) -> Result<u64, SaveError<W::Error>> {
        match self.output.failed.take() {
            None => Ok(self.output.position),
            Some(error) => Err(error),
        }
    }

    fn error(&mut self) -> SaveError<W::Error> {
        self.output.failed.take().unwrap_or(SaveError::Cancelled)
    }

    pub(crate) fn check_cancel(&mut self) -> Result<(), Stop> {
        self.output.check_cancel()
    }
}
