//! The plain bytes of one unit, out of a file.

use crate::codec::{Decode, DecodeError, Input};
use crate::load::LoadError;
use crate::medium::{Located, Medium};
use crate::progress::Progress;
use crate::stream::{Get, Source, Widths};
use crate::unit::{AfterLoad, UnitError};
use crate::wire::FormatError;
use embedded_io::{ErrorType, Read, Seek};

/// Reads the packed bytes of one unit, never past its end, and decodes them.
pub(crate) struct UnitSource<'a, 'p, R: ErrorType, D> {
    medium: &'a mut Medium<R>,
    codec: &'a mut D,
    packed: &'a mut [u8],
    progress: &'a mut Progress<'p>,
    unit: Located,
    /// The part of `packed` that holds bytes.
    from: usize,
    to: usize,
    /// The file offset of the next packed byte to read.
    at: u64,
    tag_read: bool,
    failed: Option<Failure<R::Error>>,
}

enum Failure<E> {
    Io(E),
    Format(u64, FormatError),
    Cancelled,
}

impl<'a, 'p, R: Read + Seek, D: Decode> UnitSource<'a, 'p, R, D> {
    pub fn new(
        medium: &'a mut Medium<R>,
        codec: &'a mut D,
        packed: &'a mut [u8],
        progress: &'a mut Progress<'p>,
        unit: Located,
    ) -> Self {
        Self {
            medium,
            codec,
            packed,
            progress,
            unit,
            from: 0,
            to: 0,
            at: unit.data_at(),
            tag_read: false,
            failed: None,
        }
    }

    /// Lets `read` get the unit's values and turns what went wrong into the operation's error.
    pub fn run<T>(
        mut self,
        buffer: &mut [u8],
        widths: &mut Widths,
        after: AfterLoad,
        read: impl FnOnce(&mut Get<'_>) -> Result<T, UnitError>,
    ) -> Result<T, LoadError<R::Error>> {
        let mut get = Get::new(&mut self, buffer, widths, after);
        let returned = read(&mut get);
        let (status, at) = (get.status(), get.offset());
        let record = self.unit.record;
        // What the stream met first counts, whatever the unit made of it.
        let error = match (status.err().or(returned.as_ref().err().copied()), returned) {
            (None, Ok(value)) => match self.failed {
                Some(Failure::Cancelled) => return Err(LoadError::Cancelled),
                Some(Failure::Io(error)) => return Err(LoadError::Io(error)),
                // Damage beyond what the unit wanted is none of its business.
                Some(Failure::Format(..)) | None => return Ok(value),
            },
            (Some(error), _) | (None, Err(error)) => error,
        };
        Err(match (self.failed, error) {
            (Some(Failure::Cancelled), _) => LoadError::Cancelled,
            (Some(Failure::Io(error)), UnitError::Stream) => LoadError::Io(error),
            (Some(Failure::Format(offset, error)), UnitError::Stream) => {
                LoadError::Format { offset, unit: Some(record), error }
            }
            (_, error) => LoadError::Unit { unit: record, phase: crate::save::Phase::Execute, at, error },
        })
    }

    /// Packed bytes of the unit that were not read from the medium yet.
    fn left_in_file(&self) -> u64 {
        self.unit.end().saturating_sub(self.at)
    }

    /// Reads packed bytes to the start of `into`, or of the own buffer; how many.
    fn fetch(&mut self, into: Option<&mut [u8]>) -> usize {
        if self.progress.is_cancelled() {
            self.failed = Some(Failure::Cancelled);
            return 0;
        }
        let own = into.is_none();
        let into = into.unwrap_or(self.packed);
        let n = usize::try_from(self.unit.end().saturating_sub(self.at)).unwrap_or(usize::MAX).min(into.len());
        let piece = into.get_mut(..n).unwrap_or(&mut []);
        match self.medium.read_at(self.at, piece) {
            Ok(read) if read == n => {
                self.at = self.at.saturating_add(n as u64);
                self.progress.advance_to(self.at);
                if own {
                    (self.from, self.to) = (0, n);
                }
                n
            }
            Ok(read) => {
                let error = FormatError::Truncated { needed: n as u64, found: read as u64 };
                self.failed = Some(Failure::Format(self.at, error));
                0
            }
            Err(error) => {
                self.failed = Some(Failure::Io(error));
                0
            }
        }
    }

    /// The tag byte is looked at with the first read of more than nothing (Q16).
    fn begin(&mut self) -> bool {
        if self.tag_read {
            return true;
        }
        let mut tag = [0];
        if self.left_in_file() == 0 || self.fetch(Some(&mut tag)) == 0 {
            return false;
        }
        let [tag] = tag;
        if !self.codec.reset(tag) {
            self.failed = Some(Failure::Format(self.unit.data_at(), FormatError::Codec { tag }));
            return false;
        }
        self.tag_read = true;
        true
    }

    /// One step of the codec into `plain`; `None` at the end or after a failure.
    fn step(&mut self, plain: &mut [u8]) -> Option<usize> {
        if self.from == self.to && self.left_in_file() > 0 && self.fetch(None) == 0 {
            return None;
        }
        let input = if self.left_in_file() == 0 { Input::End } else { Input::More };
        let packed = self.packed.get(self.from..self.to).unwrap_or(&[]);
        let step = match self.codec.decode(packed, plain, input) {
            Ok(step) => step,
            Err(error) => {
                let error = match error {
                    DecodeError::Corrupt => FormatError::Packed,
                    DecodeError::End => FormatError::PackedEnd,
                    DecodeError::Window => FormatError::Window,
                };
                let held = self.to.saturating_sub(self.from);
                self.failed = Some(Failure::Format(self.at.saturating_sub(held as u64), error));
                return None;
            }
        };
        self.from = self.from.saturating_add(step.read).min(self.to);
        if step.read == 0 && step.written == 0 {
            // Nothing taken and nothing given with input at hand breaks a codec's contract: an end, not a loop.
            if self.from < self.to {
                self.failed = Some(Failure::Format(self.at, FormatError::Packed));
                return None;
            }
            if self.left_in_file() == 0 {
                return None;
            }
        }
        Some(step.written)
    }
}

impl<R: Read + Seek, D: Decode> Source for UnitSource<'_, '_, R, D> {
    fn read(&mut self, plain: &mut [u8]) -> usize {
        if plain.is_empty() || self.failed.is_some() || !self.begin() {
            return 0;
        }
        let mut filled = 0usize;
        while let Some(rest) = plain.get_mut(filled..)
            && !rest.is_empty()
        {
            let n = if self.codec.is_transparent() {
                let piece = rest.len().min(128 << 10);
                match self.fetch(rest.get_mut(..piece)) {
                    0 => break,
                    n => n,
                }
            } else {
                match self.step(rest) {
                    Some(n) => n,
                    None => break,
                }
            };
            filled = filled.saturating_add(n);
        }
        filled
    }

    fn is_failed(&self) -> bool {
        self.failed.is_some()
    }

    fn left(&self) -> Option<u64> {
        match (self.tag_read, self.left_in_file()) {
            (false, 0) => Some(0),
            (true, left) if self.codec.is_transparent() => Some(left),
            _ => None,
        }
    }
}
