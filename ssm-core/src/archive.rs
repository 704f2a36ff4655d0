//! A file opened to be looked at: its units one by one, in any order, without a machine.

use crate::codec::Decode;
use crate::crc32::{Crc32, Crc32Bytewise};
use crate::error::LoadError;
use crate::formats::AnyFormat;
use crate::io::Stop;
use crate::medium::{Located, Medium};
use crate::notes;
use crate::progress::Progress;
use crate::registry::SELF_NAME;
use crate::source::{Anywhere, Records, UnitSource};
use crate::stream::{Get, Widths};
use crate::unit::{AfterLoad, UnitId};
use crate::walk::{RecordCounts, Walk};
use crate::wire::{Header, MAX_FILE_NAME};
use embedded_io::{ErrorType, Read, Seek};

mod reader;

pub use reader::UnitReader;

/// An opened file. `B` is its scratch: `[u8; N]`, `&mut [u8]`, `Vec<u8>`; one byte or more.
///
/// ```
/// # use ssm_core::{Crc32Bytewise, Header, Memory, Store, Writer};
/// # let mut scratch = [0; 64];
/// # let mut file = Memory::new([0; 512]);
/// # let mut writer = Writer::new(&mut file, Store, Crc32Bytewise, &Header::new(), &mut scratch).unwrap();
/// # writer.unit(b"clock", 0, 1, &mut |put| put.u64(1234)).unwrap();
/// # writer.finish().unwrap();
/// use ssm_core::{Archive, UnitId};
/// let mut archive = Archive::open(&mut file, Store, [0; 256])?;
/// let time = archive.seek(UnitId::new("clock", 0))?.read(|get| get.u64())?;
/// assert_eq!(time, 1234);
/// let mut units = archive.units();
/// while let Some(unit) = units.next_unit()? {
///     assert_eq!((unit.name(), unit.version()), (&b"clock"[..], 1));
/// }
/// # Ok::<(), ssm_core::LoadError<embedded_io::ErrorKind>>(())
/// ```
pub struct Archive<R: ErrorType, D, B, C = Crc32Bytewise> {
    medium: Medium<R>,
    codec: D,
    crc: C,
    scratch: B,
    header: Header,
    /// The name of the unit at hand, with its NUL.
    name: [u8; MAX_FILE_NAME + 1],
}

impl<R: Read + Seek, D: Decode, B: AsMut<[u8]>> Archive<R, D, B> {
    /// Opens a file and checks header, size and checksum; reads all of it once.
    pub fn open(medium: R, codec: D, scratch: B) -> Result<Self, LoadError<R::Error>> {
        Self::open_with(medium, codec, scratch, Crc32Bytewise)
    }

    /// Opens a file by its header alone, to look at what is left of a damaged one. Every structure is still checked when
    /// it is read.
    pub fn open_unchecked(medium: R, codec: D, scratch: B) -> Result<Self, LoadError<R::Error>> {
        Self::open_unchecked_with(medium, codec, scratch, Crc32Bytewise)
    }
}

impl<R: Read + Seek, D: Decode, B: AsMut<[u8]>, C: Crc32> Archive<R, D, B, C> {
    /// As [`open`](Archive::open), with another way to compute CRC-32.
    pub fn open_with(medium: R, codec: D, scratch: B, crc: C) -> Result<Self, LoadError<R::Error>> {
        let mut archive = Self::start(medium, codec, scratch, crc, true)?;
        archive.check()?;
        Ok(archive)
    }

    /// Checks the checksum over the file, where it has one, and what says how long it is: what [`open`](Archive::open) does
    /// and [`open_unchecked`](Archive::open_unchecked) leaves out.
    pub fn check(&mut self) -> Result<(), LoadError<R::Error>> {
        let Archive { medium, scratch, header, crc, .. } = self;
        let (scratch, progress) = (scratch.as_mut(), &mut Progress::new());
        let checked = match header.format.is_streamed() {
            true => medium.check_stream(header, crc, scratch, progress),
            false => medium.check(header, crc, scratch, progress),
        };
        checked.map_err(|Stop| self.medium.error())
    }

    /// As [`open_unchecked`](Archive::open_unchecked), with another way to compute CRC-32.
    pub fn open_unchecked_with(medium: R, codec: D, scratch: B, crc: C) -> Result<Self, LoadError<R::Error>> {
        Self::start(medium, codec, scratch, crc, false)
    }

    fn start(medium: R, codec: D, mut scratch: B, mut crc: C, footer: bool) -> Result<Self, LoadError<R::Error>> {
        if scratch.as_mut().is_empty() {
            return Err(LoadError::Scratch { needed: 1 });
        }
        let mut medium = Medium::new(medium);
        match medium.open::<AnyFormat>(&mut crc, footer) {
            Ok(header) => Ok(Self { medium, codec, crc, scratch, header, name: [0; MAX_FILE_NAME + 1] }),
            Err(Stop) => Err(medium.error()),
        }
    }

    /// Checks that a 2.0 file ends with its footer, which [`verify`](Archive::verify) gets to last. Of a 1.x file, nothing.
    pub fn check_end(&mut self) -> Result<(), LoadError<R::Error>> {
        match self.header.format.is_streamed() {
            true => self.medium.footer(&mut self.crc).map(drop).map_err(|Stop| self.medium.error()),
            false => Ok(()),
        }
    }

    /// Checks the directory of a 2.0 file: its checksum, and that each entry points to a unit of its name and instance. Of a
    /// 1.x file, nothing. Who reads every unit to its end, and checks this and the [end](Self::check_end), has looked at all
    /// that a 2.0 file has.
    pub fn check_directory(&mut self) -> Result<(), LoadError<R::Error>> {
        if !self.header.format.is_streamed() {
            return Ok(());
        }
        let Archive { medium, crc, scratch, name, .. } = self;
        let mut check = || {
            let footer = medium.footer(crc)?;
            medium.directory(&footer, crc, &mut |_, _| ())?;
            medium.check_directory(&footer, crc, name, scratch.as_mut())
        };
        check().map_err(|Stop| medium.error())
    }

    /// What the header says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Bytes of the medium.
    pub fn file_len(&self) -> u64 {
        self.medium.len()
    }

    /// The medium.
    pub fn into_inner(self) -> R {
        self.medium.into_inner()
    }

    /// The units in the order of the file; of a live save once per pass.
    pub fn units(&mut self) -> UnitIter<'_, R, D, B, C> {
        UnitIter { at: Some(self.header.len()), archive: self }
    }

    /// The first unit of this name and instance; of a live save that of the final pass, or the last if it has none there.
    /// [`LoadError::NotFound`] only if all unit headers, or the directory of a 2.0 file, are sound.
    ///
    /// The directory is used where there is one that is sound, otherwise all unit headers are gone through.
    pub fn seek(&mut self, id: UnitId<'_>) -> Result<UnitReader<'_, R, D, B, C>, LoadError<R::Error>> {
        self.find(id.name.as_bytes(), id.instance)
    }

    /// The same for a name in an unknown encoding of up to 255 bytes.
    pub fn find(&mut self, name: &[u8], instance: u32) -> Result<UnitReader<'_, R, D, B, C>, LoadError<R::Error>> {
        if self.header.format.is_streamed() {
            match self.by_directory(name, instance) {
                Ok(Some(at)) => return self.reader_at(at),
                Ok(None) => return Err(LoadError::NotFound),
                Err(Stop) if self.medium.forgive_damage() => {}
                Err(Stop) => return Err(self.medium.error()),
            }
        }
        let (mut at, mut last_live) = (self.header.len(), None);
        while let Some((unit, _)) = self.located(at)? {
            if unit.instance == instance && unit.name(&self.name) == Some(name) {
                if unit.pass.is_none() {
                    return self.reader_at(unit.offset);
                }
                last_live = Some(unit.offset);
            }
            at = unit.end;
        }
        match last_live {
            Some(at) => self.reader_at(at),
            None => Err(LoadError::NotFound),
        }
    }

    /// The unit of this name and instance in a live pass, counted from 0.
    pub fn find_in_pass(
        &mut self,
        name: &[u8],
        instance: u32,
        pass: u32,
    ) -> Result<UnitReader<'_, R, D, B, C>, LoadError<R::Error>> {
        let mut at = self.header.len();
        while let Some((unit, _)) = self.located(at)? {
            if (unit.instance, unit.pass) == (instance, Some(pass)) && unit.name(&self.name) == Some(name) {
                return self.reader_at(unit.offset);
            }
            at = unit.end;
        }
        Err(LoadError::NotFound)
    }

    fn by_directory(&mut self, name: &[u8], instance: u32) -> Result<Option<u64>, Stop> {
        let footer = self.medium.footer(&mut self.crc)?;
        let found = self.medium.find_by_directory(&footer, &mut self.crc, (name, instance), &mut self.name)?;
        Ok(found.map(|unit| unit.offset))
    }

    fn reader_at(&mut self, offset: u64) -> Result<UnitReader<'_, R, D, B, C>, LoadError<R::Error>> {
        match self.located(offset)? {
            Some((unit, records)) => Ok(UnitReader { archive: self, unit, records }),
            None => Err(LoadError::NotFound),
        }
    }

    /// The unit whose header is at `offset`, as [`UnitReader::offset`] gave it; `None` at the end record.
    pub fn unit_at(&mut self, offset: u64) -> NextUnit<'_, R, D, B, C> {
        Ok(self.located(offset)?.map(|(unit, records)| UnitReader { archive: self, unit, records }))
    }

    fn located(&mut self, at: u64) -> Result<Option<Counted>, LoadError<R::Error>> {
        let Self { medium, crc, name, header, .. } = self;
        let found = match header.format.is_streamed() {
            true => medium.stream_unit_at(at, crc, name).map(|found| found.map(|(unit, counts)| (unit, Some(counts)))),
            false => medium.unit_at(at, name).map(|found| found.map(|unit| (unit, None))),
        };
        found.map_err(|Stop| self.medium.error())
    }

    /// Checks all that can be checked beyond [`open`](Archive::open): every unit header, every record and checksum, then
    /// every unit decoded to its end, the directory. `progress` gets the file offset that was reached. The last bytes of a
    /// 1.x file are under no checksum (Q1).
    pub fn verify(&mut self, progress: &mut dyn FnMut(u64)) -> Result<(), LoadError<R::Error>> {
        if self.header.format.is_streamed() {
            return self.verify_stream(progress).map_err(|Stop| self.medium.error());
        }
        let mut units = self.units();
        while units.next_unit()?.is_some() {}
        let mut units = self.units();
        while let Some(mut unit) = units.next_unit()? {
            unit.plain_len()?;
            progress(unit.offset().saturating_add(unit.record_len()));
        }
        Ok(())
    }

    fn verify_stream(&mut self, progress: &mut dyn FnMut(u64)) -> Result<(), Stop> {
        let Archive { medium, codec, crc, scratch, header, name } = self;
        let scratch = scratch.as_mut();
        let half = scratch.len() / 2;
        let (plain, packed) = scratch.split_at_mut_checked(half).unwrap_or_default();
        medium.go(0)?;
        let mut walk = Walk::new(&mut *crc);
        walk.header(medium)?;
        while let Some(mut unit) = walk.next(medium, name)? {
            let mut source = UnitSource {
                medium: &mut *medium,
                codec: &mut *codec,
                packed: &mut *packed,
                held: (0, 0),
                progress: &mut Progress::new(),
                unit: &mut unit,
                name: &*name,
                body: Records::<_, Anywhere>::new(&mut walk, true),
            };
            let skip = &mut |get: &mut Get<'_>| get.skip_rest().map(|_| ());
            source.run(plain, &mut Widths::of(header), AfterLoad::Resume, true, skip)?;
            progress(unit.end);
        }
        let footer = walk.end(medium, header)?;
        medium.check_directory(&footer, walk.crc32(), name, plain)?;
        // A file that goes on has no footer at its end.
        medium.footer(walk.crc32()).map(|_| ())
    }

    /// Gives the pairs of strings of the built-in unit to `note`, in order; none if the file has no such unit.
    /// `buffer` holds a name and a value: 1151 bytes for all that readers accept.
    pub fn notes(&mut self, buffer: &mut [u8], note: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), LoadError<R::Error>> {
        let mut unit = match self.seek(UnitId::new(SELF_NAME, 0)) {
            Err(LoadError::NotFound) => return Ok(()),
            found => found?,
        };
        let version = unit.version();
        unit.read(|get| notes::read(get, version, buffer, note))
    }
}

/// A unit, and the records that it has in a 2.0 file.
type Counted = (Located, Option<RecordCounts>);

/// What [`UnitIter::next_unit`] gives.
pub type NextUnit<'a, R, D, B, C = Crc32Bytewise> =
    Result<Option<UnitReader<'a, R, D, B, C>>, LoadError<<R as ErrorType>::Error>>;

/// The units of an [`Archive`], one after the other.
pub struct UnitIter<'a, R: ErrorType, D, B, C = Crc32Bytewise> {
    archive: &'a mut Archive<R, D, B, C>,
    /// The file offset of the next; `None` behind the last.
    at: Option<u64>,
}

impl<R: Read + Seek, D: Decode, B: AsMut<[u8]>, C: Crc32> UnitIter<'_, R, D, B, C> {
    /// The next unit; `None` behind the last one. (Not an iterator: a unit borrows the archive.)
    pub fn next_unit(&mut self) -> NextUnit<'_, R, D, B, C> {
        let Some(at) = self.at.take() else {
            return Ok(None);
        };
        let Some((unit, records)) = self.archive.located(at)? else {
            return Ok(None);
        };
        self.at = Some(unit.end);
        Ok(Some(UnitReader { archive: self.archive, unit, records }))
    }
}
