//! Writing a file unit by unit: what a save and a converter have in common.

use crate::codec::Encode;
use crate::crc32::{Crc32, RunningCrc};
use crate::error::{Phase, SaveError};
use crate::io::Stop;
use crate::log::{debug, error};
use crate::progress::Progress;
use crate::stream::{Put, Widths};
use crate::unit::{AfterSave, UnitError, UnitRecord};
use crate::wire::Header;
use crate::wire::streamed::FINAL_PASS;
use embedded_io::{ErrorType, Seek, Write};

mod output;
mod patched;
mod records;
mod stage;
mod streamed;

use output::Target;
pub(crate) use output::{Framing, Output, UnitStart};
pub use patched::Patched;
use stage::Stage;
pub use streamed::Streamed;

/// Writes a file unit by unit: of format 1.2 ([`new`](Self::new)) or 2.0 ([`streamed`](Self::streamed)).
///
/// The medium is empty, at position 0 and never read. The file becomes valid with the last write of
/// [`finish`](Self::finish); if anything fails before, throw it away.
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
pub struct Writer<'s, W: ErrorType, E, C, L = Patched> {
    output: Output<'s, W, E, C, L>,
    plain: &'s mut [u8],
    pub(crate) header: Header,
    pub(crate) after: AfterSave,
}

/// What is told about a unit of a 2.0 file beside its name, instance and version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct StreamedUnit {
    /// The live pass, from 0 on; `None` is the final one.
    pub pass: Option<u32>,
    /// Whether a reader that does not know the unit may skip it: see [`Entry::optional`](crate::Entry::optional).
    pub optional: bool,
}

impl<'s, W: Write + Seek, E: Encode, C: Crc32> Writer<'s, W, E, C> {
    /// Starts a file of format 1.2 with the fields of `header`; its format, size and checksum do not matter.
    ///
    /// `scratch` is one byte or more. With a codec a little more than half of it collects plain bytes and the rest takes
    /// packed ones; without ([`Store`](crate::Store)) all of it collects plain bytes. Until the end the header says size 0.
    pub fn new(
        medium: W,
        codec: E,
        crc: C,
        header: &Header,
        scratch: &'s mut [u8],
    ) -> Result<Self, SaveError<W::Error>> {
        let mut writer = Self::start(medium, codec, crc, scratch);
        writer.header = *header;
        writer.begin(0).map_err(|Stop| writer.error())?;
        Ok(writer)
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
        let unit = UnitStart { name, instance, version, pass: FINAL_PASS, optional: false, guess: 0 };
        self.write(&unit, save).map_err(|Stop| self.error())
    }

    /// Writes the end record, then size and checksum into the header: only now the file is valid. Its length in bytes.
    ///
    /// The medium is flushed before and after; whether that makes it durable is the medium's to say.
    pub fn finish(mut self) -> Result<u64, SaveError<W::Error>> {
        self.commit().map_err(|Stop| self.error())?;
        Ok(self.output.target.position)
    }
}

impl<'s, W: Write, E: Encode, C: Crc32> Writer<'s, W, E, C, Streamed<'s>> {
    /// Starts a file of format 2.0 with the fields of `header`; its format and checksum do not matter, but whether it
    /// says that the file is live, so that units come several times.
    ///
    /// `scratch` is 16 bytes for each of up to `units` units (65535 at most) that differ in name or instance, and one byte
    /// or more for their data. A codec packs blocks of whole KiB: 1989 bytes more make blocks of 1 KiB, 7945 blocks of
    /// 4 KiB, the largest.
    pub fn streamed(
        medium: W,
        codec: E,
        crc: C,
        header: &Header,
        units: usize,
        scratch: &'s mut [u8],
    ) -> Result<Self, SaveError<W::Error>> {
        let mut writer = Self::start(medium, codec, crc, scratch);
        writer.header = *header;
        writer.output.target.format.is_live = header.stream.is_some_and(|stream| stream.is_live);
        writer.begin(units).map_err(|Stop| writer.error())?;
        Ok(writer)
    }

    /// Writes one unit. `name` is 1 to 47 bytes without NUL.
    pub fn unit(
        &mut self,
        name: &[u8],
        instance: u32,
        version: u32,
        how: StreamedUnit,
        save: &mut dyn FnMut(&mut Put<'_>) -> Result<(), UnitError>,
    ) -> Result<(), SaveError<W::Error>> {
        let (pass, optional) = (how.pass.unwrap_or(FINAL_PASS), how.optional);
        let unit = UnitStart { name, instance, version, pass, optional, guess: 0 };
        self.write(&unit, save).map_err(|Stop| self.error())
    }

    /// Writes the end unit, the directory and, last, the footer: only now the file is valid. Its length in bytes.
    ///
    /// The medium is flushed before the footer and after it; whether that makes it durable is the medium's to say.
    pub fn finish(mut self) -> Result<u64, SaveError<W::Error>> {
        self.commit().map_err(|Stop| self.error())?;
        Ok(self.output.target.position)
    }

    /// Units come several times, once per pass.
    pub(crate) fn set_live(&mut self) {
        self.output.target.format.is_live = true;
    }

    /// Takes this many bytes of the scratch; before anything was written.
    pub(crate) fn take_scratch(&mut self, bytes: usize) -> Option<&'s mut [u8]> {
        let (taken, rest) = core::mem::take(&mut self.plain).split_at_mut_checked(bytes)?;
        self.plain = rest;
        Some(taken)
    }

    /// What was written is not wanted any more.
    pub(crate) fn give_up(&mut self) -> Result<(), Stop> {
        self.output.target.cancelled()
    }
}

impl<'s, W: Write, E: Encode, C: Crc32, L: Default> Writer<'s, W, E, C, L> {
    /// A writer that has not written its header yet: see [`begin`](Self::begin).
    pub(crate) fn start(medium: W, codec: E, crc: C, scratch: &'s mut [u8]) -> Self {
        let target = Target {
            medium,
            crc: RunningCrc::new(crc),
            stage: Stage::new(scratch.len()),
            position: 0,
            budget: 0,
            progress: Progress::new(),
            failed: None,
            format: L::default(),
        };
        let output = Output { codec, packed: &mut [], target };
        Self { output, plain: scratch, header: Header::new(), after: AfterSave::Continue }
    }

    /// The same with another way to compute CRC-32; before anything was written.
    pub(crate) fn with_crc32<D>(self, crc: D) -> Writer<'s, W, E, D, L> {
        let Self { output, plain, header, after } = self;
        let Output { codec, packed, target } = output;
        let Target { medium, crc: _, stage, position, budget, progress, failed, format } = target;
        let target = Target { medium, crc: RunningCrc::new(crc), stage, position, budget, progress, failed, format };
        let output = Output { codec, packed, target };
        Writer { output, plain, header, after }
    }
}

impl<'s, W: Write, E: Encode, C: Crc32, L> Writer<'s, W, E, C, L>
where
    Output<'s, W, E, C, L>: Framing<'s>,
{
    /// Writes the header of a file of up to `units` units.
    pub(crate) fn begin(&mut self, units: usize) -> Result<(), Stop> {
        if let Err(error) = self.header.check_writable() {
            return self.output.target.stop(SaveError::Header(error));
        }
        self.plain = self.output.divide(core::mem::take(&mut self.plain), units)?;
        self.output.begin(&mut self.header)?;
        self.write_out()
    }

    /// Writes one unit.
    pub(crate) fn write(
        &mut self,
        unit: &UnitStart<'_>,
        save: &mut dyn FnMut(&mut Put<'_>) -> Result<(), UnitError>,
    ) -> Result<(), Stop> {
        self.append(unit, save)?;
        self.write_out()
    }

    /// Writes one unit, which the medium has behind the next [`write_out`](Self::write_out).
    pub(crate) fn append(
        &mut self,
        unit: &UnitStart<'_>,
        save: &mut dyn FnMut(&mut Put<'_>) -> Result<(), UnitError>,
    ) -> Result<(), Stop> {
        let start = self.output.target.position;
        let longest = <Output<'s, W, E, C, L> as Framing<'s>>::MAX_NAME;
        if !(1..=longest).contains(&unit.name.len()) || unit.name.contains(&0) {
            let error = UnitError::Invalid(<Output<'s, W, E, C, L> as Framing<'s>>::NAME);
            return self.execute_failed(unit, start, 0, error);
        }
        self.output.target.check_cancel()?;
        self.output.open(unit)?;
        self.output.target.budget = unit.guess;

        let widths = Widths::of(&self.header);
        let mut put = Put::new(&mut self.output, self.plain, widths, self.after);
        let returned = save(&mut put);
        // A unit that failed says so first: what it put is not worth another failure.
        let flushed = if returned.is_ok() { put.flush() } else { put.status() };
        let (at, touched) = (put.offset(), put.is_touched());
        // What the stream met first counts, whatever the unit made of it.
        if let Err(error) = flushed.and(returned) {
            return self.execute_failed(unit, start, at, error);
        }
        let _len = self.output.close(touched)?;
        self.output.target.spend(u64::MAX);
        debug!("saved unit {=[u8]:a}/{=u32}: {=u64} plain bytes in {=u64}", unit.name, unit.instance, at, _len);
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn execute_failed(&mut self, unit: &UnitStart<'_>, start: u64, at: u64, error: UnitError) -> Result<(), Stop> {
        let unit = UnitRecord::new(unit.name, unit.name.len(), unit.instance, unit.version, start);
        self.unit_failed(unit, Phase::Execute, at, error)
    }

    pub(crate) fn commit(&mut self) -> Result<(), Stop> {
        self.output.target.check_cancel()?;
        self.output.commit()?;
        self.output.target.progress.finish();
        Ok(())
    }
}

impl<'s, W: Write, E, C, L> Writer<'s, W, E, C, L> {
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
        self.output.target.stop(SaveError::Unit { unit, phase, at, error })
    }

    pub(crate) fn write_out(&mut self) -> Result<(), Stop> {
        self.output.target.write_out()
    }

    pub(crate) fn progress(&mut self) -> &mut Progress<'s> {
        &mut self.output.target.progress
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.output.target.failed.is_some()
    }

    /// The file's length so far.
    pub(crate) fn len(&self) -> u64 {
        self.output.target.position
    }

    /// The file's length so far, or what failed first.
    pub(crate) fn outcome(&mut self) -> Result<u64, SaveError<W::Error>> {
        match self.output.target.failed.take() {
            None => Ok(self.output.target.position),
            Some(error) => Err(error),
        }
    }

    pub(crate) fn error(&mut self) -> SaveError<W::Error> {
        self.output.target.failed.take().unwrap_or(SaveError::Cancelled)
    }

    pub(crate) fn check_cancel(&mut self) -> Result<(), Stop> {
        self.output.target.check_cancel()
    }
}
