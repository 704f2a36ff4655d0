//! The ways through a file, from unit to unit.

use crate::codec::Decode;
use crate::crc32::Crc32;
use crate::io::Stop;
use crate::medium::{Located, Medium};
use crate::source::{Anywhere, Body, Onwards, Records, Tagged};
use crate::walk::Walk;
use embedded_io::{ErrorType, Read, Seek};

/// How the units of a file are gone through.
pub(super) trait Way<R: ErrorType, D> {
    type Body<'w>: Body<R, D>
    where
        Self: 'w;

    /// Goes to the unit behind `unit`; `None` at the end.
    fn next(&mut self, medium: &mut Medium<R>, unit: &Located, name: &mut [u8]) -> Result<Option<Located>, Stop>;
    /// Before the first byte of the unit at hand; with `decode` false it will only be passed over.
    fn body(&mut self, decode: bool) -> Self::Body<'_>;
}

/// The way through a 1.x file: from length to length.
pub(super) struct Patched;

impl<R: Read + Seek, D: Decode> Way<R, D> for Patched {
    type Body<'w> = Tagged;

    fn next(&mut self, medium: &mut Medium<R>, unit: &Located, name: &mut [u8]) -> Result<Option<Located>, Stop> {
        medium.unit_at(unit.end, name)
    }

    fn body(&mut self, _decode: bool) -> Tagged {
        Tagged::default()
    }
}

/// The way through a 2.0 file, from record to record.
impl<R: Read, D: Decode, C: Crc32> Way<R, D> for Walk<C> {
    type Body<'w>
        = Records<'w, C, Onwards>
    where
        Self: 'w;

    fn next(&mut self, medium: &mut Medium<R>, _unit: &Located, name: &mut [u8]) -> Result<Option<Located>, Stop> {
        self.next(medium, name)
    }

    fn body(&mut self, decode: bool) -> Records<'_, C, Onwards> {
        Records::new(self, decode)
    }
}

/// The same on a medium that can seek.
pub(super) struct Seekable<C>(pub Walk<C>);

impl<R: Read + Seek, D: Decode, C: Crc32> Way<R, D> for Seekable<C> {
    type Body<'w>
        = Records<'w, C, Anywhere>
    where
        Self: 'w;

    fn next(&mut self, medium: &mut Medium<R>, _unit: &Located, name: &mut [u8]) -> Result<Option<Located>, Stop> {
        self.0.next(medium, name)
    }

    fn body(&mut self, decode: bool) -> Records<'_, C, Anywhere> {
        Records::new(&mut self.0, decode)
    }
}
