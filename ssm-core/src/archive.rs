//! A file opened to be looked at: its units one by one, in any order, without a machine.

use crate::codec::Decode;
use crate::crc32::{Crc32, Crc32Bytewise};
use crate::error::LoadError;
use crate::io::Stop;
use crate::medium::{Located, Medium};
use crate::notes;
use crate::progress::Progress;
use crate::registry::SELF_NAME;
use crate::source::{State, UnitSource};
use crate::stream::{Get, Widths};
use crate::unit::{AfterLoad, UnitError, UnitId, UnitRecord};
use crate::wire::{Header, MAX_FILE_NAME};
use embedded_io::{ErrorType, Read, Seek};

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
pub struct Archive<R: ErrorType, D, B> {
    medium: Medium<R>,
    codec: D,
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

    /// The same with another way to compute CRC-32.
    pub fn open_with(medium: R, codec: D, scratch: B, mut crc: impl Crc32) -> Result<Self, LoadError<R::Error>> {
        let mut archive = Self::open_unchecked(medium, codec, scratch)?;
        let scratch = archive.scratch.as_mut();
        match archive.medium.check(&archive.header, &mut crc, scratch, &mut Progress::new()) {
            Ok(()) => Ok(archive),
            Err(Stop) => Err(archive.medium.error()),
        }
    }

    /// Opens a file by its header alone, to look at what is left of a damaged one. Every structure is still checked when
    /// it is read.
    pub fn open_unchecked(medium: R, codec: D, mut scratch: B) -> Result<Self, LoadError<R::Error>> {
        if scratch.as_mut().is_empty() {
            return Err(LoadError::Scratch { needed: 1 });
        }
        let mut medium = Medium::new(medium);
        match medium.measure().and_then(|()| medium.header()) {
            Ok(header) => Ok(Self { medium, codec, scratch, header, name: [0; MAX_FILE_NAME + 1] }),
            Err(Stop) => Err(medium.error()),
        }
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

    /// The units in the order of the file.
    pub fn units(&mut self) -> Units<'_, R, D, B> {
        Units { at: Some(self.header.len()), archive: self }
    }

    /// The first unit of this name and instance. [`LoadError::NotFound`] only if all unit headers are sound.
    pub fn seek(&mut self, id: UnitId<'_>) -> Result<UnitReader<'_, R, D, B>, LoadError<R::Error>> {
        self.find(id.name.as_bytes(), id.instance)
    }

    /// The same for a name in an unknown encoding of up to 255 bytes.
    pub fn find(&mut self, name: &[u8], instance: u32) -> Result<UnitReader<'_, R, D, B>, LoadError<R::Error>> {
        let mut at = self.header.len();
        while let Some(unit) = self.located(at)? {
            if unit.header.instance == instance && unit.name(&self.name) == Some(name) {
                return Ok(UnitReader { archive: self, unit });
            }
            at = unit.end();
        }
        Err(LoadError::NotFound)
    }

    /// The unit whose header is at `offset`, as [`UnitReader::offset`] gave it; `None` at the end record.
    pub fn unit_at(&mut self, offset: u64) -> NextUnit<'_, R, D, B> {
        Ok(self.located(offset)?.map(|unit| UnitReader { archive: self, unit }))
    }

    fn located(&mut self, at: u64) -> Result<Option<Located>, LoadError<R::Error>> {
        self.medium.unit_at(at, &mut self.name).map_err(|Stop| self.medium.error())
    }

    /// Checks all that can be checked beyond [`open`](Self::open): every unit header, then every unit decoded to its end.
    /// `progress` gets the file offset that was reached. The last bytes of a file are under no checksum (Q1).
    pub fn verify(&mut self, progress: &mut dyn FnMut(u64)) -> Result<(), LoadError<R::Error>> {
        let mut units = self.units();
        while units.next_unit()?.is_some() {}
        let mut units = self.units();
        while let Some(mut unit) = units.next_unit()? {
            unit.plain_len()?;
            progress(unit.offset().saturating_add(unit.record_len()));
        }
        Ok(())
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

/// What [`Units::next_unit`] gives.
pub type NextUnit<'a, R, D, B> = Result<Option<UnitReader<'a, R, D, B>>, LoadError<<R as ErrorType>::Error>>;

/// The units of an [`Archive`], one after the other.
pub struct Units<'a, R: ErrorType, D, B> {
    archive: &'a mut Archive<R, D, B>,
    /// The file offset of the next; `None` behind the last.
    at: Option<u64>,
}

impl<R: Read + Seek, D: Decode, B: AsMut<[u8]>> Units<'_, R, D, B> {
    /// The next unit; `None` behind the last one. (Not an iterator: a unit borrows the archive.)
    pub fn next_unit(&mut self) -> NextUnit<'_, R, D, B> {
        let Some(at) = self.at.take() else {
            return Ok(None);
        };
        let Some(unit) = self.archive.located(at)? else {
            return Ok(None);
        };
        self.at = Some(unit.end());
        Ok(Some(UnitReader { archive: self.archive, unit }))
    }
}

/// One unit of an [`Archive`].
pub struct UnitReader<'a, R: ErrorType, D, B> {
    archive: &'a mut Archive<R, D, B>,
    unit: Located,
}

impl<R: Read + Seek, D: Decode, B: AsMut<[u8]>> UnitReader<'_, R, D, B> {
    /// The whole name, 1 to 255 bytes.
    pub fn name(&self) -> &[u8] {
        self.unit.name(&self.archive.name).unwrap_or(&[])
    }

    /// The instance.
    pub fn instance(&self) -> u32 {
        self.unit.header.instance
    }

    /// The version of its data.
    pub fn version(&self) -> u32 {
        self.unit.header.version
    }

    /// The file offset of its header in bytes.
    pub fn offset(&self) -> u64 {
        self.unit.offset
    }

    /// Bytes of header, name and packed data.
    pub fn record_len(&self) -> u64 {
        self.unit.header.len
    }

    /// Bytes of packed data, with the tag byte.
    pub fn packed_len(&self) -> u64 {
        self.unit.header.packed_len()
    }

    /// The unit as errors name it.
    pub fn record(&self) -> UnitRecord {
        self.unit.record(&self.archive.name)
    }

    /// The tag byte of its codec (see [`tag`](crate::tag)); `None` for a unit that put nothing.
    pub fn codec(&mut self) -> Result<Option<u8>, LoadError<R::Error>> {
        let mut tag = [0];
        if self.packed_len() == 0 {
            return Ok(None);
        }
        let medium = &mut self.archive.medium;
        medium.read_exact_at(self.unit.data_at(), &mut tag).map_err(|Stop| medium.error())?;
        Ok(Some(tag[0]))
    }

    /// Gets values, from the unit's first byte on.
    pub fn read<T>(
        &mut self,
        read: impl FnOnce(&mut Get<'_>) -> Result<T, UnitError>,
    ) -> Result<T, LoadError<R::Error>> {
        let Archive { medium, codec, scratch, header, name } = &mut *self.archive;
        let scratch = scratch.as_mut();
        let half = scratch.len() / 2;
        let (plain, packed) = scratch.split_at_mut_checked(half).unwrap_or_default();
        let progress = &mut Progress::new();
        let (unit, state) = (&self.unit, State::before(&self.unit));
        let source = UnitSource { medium, codec, packed, progress, unit, name, state };
        let mut read = Some(read);
        let mut value = None;
        let outcome = source.run(plain, &mut Widths::of(header), AfterLoad::Resume, &mut |get| {
            let Some(read) = read.take() else {
                return Ok(());
            };
            value = Some(read(get)?);
            Ok(())
        });
        match (outcome, value) {
            (Ok(()), Some(value)) => Ok(value),
            _ => Err(self.archive.medium.error()),
        }
    }

    /// Decodes the unit to its end; the number of its plain bytes.
    pub fn plain_len(&mut self) -> Result<u64, LoadError<R::Error>> {
        self.read(|get| get.skip_rest())
    }
}
