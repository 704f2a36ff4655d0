//! One unit of an opened file.

use super::Archive;
use crate::codec::{Decode, tag};
use crate::crc32::{Crc32, Crc32Bytewise};
use crate::error::LoadError;
use crate::io::Stop;
use crate::medium::Located;
use crate::progress::Progress;
use crate::source::{Anywhere, Records, Tagged, UnitSource};
use crate::stream::{Get, Widths};
use crate::unit::{AfterLoad, UnitError, UnitRecord};
use crate::walk::{RecordCounts, Walk};
use embedded_io::{ErrorType, Read, Seek};

/// One unit of an [`Archive`].
pub struct UnitReader<'a, R: ErrorType, D, B, C = Crc32Bytewise> {
    pub(super) archive: &'a mut Archive<R, D, B, C>,
    pub(super) unit: Located,
    pub(super) records: Option<RecordCounts>,
}

impl<R: Read + Seek, D: Decode, B: AsMut<[u8]>, C: Crc32> UnitReader<'_, R, D, B, C> {
    /// The whole name, 1 to 255 bytes.
    pub fn name(&self) -> &[u8] {
        self.unit.name(&self.archive.name).unwrap_or(&[])
    }

    /// The instance.
    pub fn instance(&self) -> u32 {
        self.unit.instance
    }

    /// The version of its data.
    pub fn version(&self) -> u32 {
        self.unit.version
    }

    /// The file offset of its header in bytes.
    pub fn offset(&self) -> u64 {
        self.unit.offset
    }

    /// Bytes of header, name and packed data.
    pub fn record_len(&self) -> u64 {
        self.unit.end.saturating_sub(self.unit.offset)
    }

    /// Bytes of packed data, with the tag byte.
    pub fn packed_len(&self) -> u64 {
        self.unit.end.saturating_sub(self.unit.data_at)
    }

    /// The unit as errors name it.
    pub fn record(&self) -> UnitRecord {
        self.unit.record(&self.archive.name)
    }

    /// The live pass that it is from, counted from 0; `None` is the final one, and what every 1.x file has.
    pub fn pass(&self) -> Option<u32> {
        self.unit.pass
    }

    /// How many records it has in a 2.0 file; `None` in older ones.
    pub fn records(&self) -> Option<RecordCounts> {
        self.records
    }

    /// The tag byte of its codec (see [`tag`](crate::tag)); `None` for a unit that put nothing. Units of 2.0 have no tag
    /// byte: LZF where a record is packed with it, otherwise store.
    pub fn codec(&mut self) -> Result<Option<u8>, LoadError<R::Error>> {
        if let Some(records) = self.records {
            return Ok(match (records.lzf, records.raw.saturating_add(records.zero)) {
                (0, 0) => None,
                (0, _) => Some(tag::STORE),
                _ => Some(tag::LZF),
            });
        }
        let mut tag = [0];
        if self.packed_len() == 0 {
            return Ok(None);
        }
        let medium = &mut self.archive.medium;
        medium.read_exact_at(self.unit.data_at, &mut tag).map_err(|Stop| medium.error())?;
        Ok(Some(tag[0]))
    }

    /// Gets values, from the unit's first byte on. In a 2.0 file the checksum is compared if the unit is read to its end.
    pub fn read<T>(
        &mut self,
        read: impl FnOnce(&mut Get<'_>) -> Result<T, UnitError>,
    ) -> Result<T, LoadError<R::Error>> {
        let mut read = Some(read);
        let mut value = None;
        let outcome = self.run(&mut |get| {
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

    fn run(&mut self, read: &mut dyn FnMut(&mut Get<'_>) -> Result<(), UnitError>) -> Result<(), Stop> {
        let Archive { medium, codec, crc, scratch, header, name } = &mut *self.archive;
        let scratch = scratch.as_mut();
        let half = scratch.len() / 2;
        let (plain, packed) = scratch.split_at_mut_checked(half).unwrap_or_default();
        let (progress, widths, after) = (&mut Progress::new(), &mut Widths::of(header), AfterLoad::Resume);
        let mut unit = self.unit;
        if header.format.is_streamed() {
            let stream_crc = medium.stream_crc_at(&unit)?;
            let mut walk = Walk::new(crc);
            walk.prime(header, stream_crc);
            medium.go(unit.offset)?;
            walk.next(medium, name)?;
            let (unit, body) = (&mut unit, Records::<_, Anywhere>::new(&mut walk, true));
            let mut source = UnitSource { medium, codec, packed, held: (0, 0), progress, unit, name, body };
            return source.run(plain, widths, after, false, read);
        }
        let body = Tagged::default();
        let mut source = UnitSource { medium, codec, packed, held: (0, 0), progress, unit: &mut unit, name, body };
        source.run(plain, widths, after, false, read)
    }

    /// Decodes the unit to its end; the number of its plain bytes.
    pub fn plain_len(&mut self) -> Result<u64, LoadError<R::Error>> {
        self.read(|get| get.skip_rest())
    }
}
