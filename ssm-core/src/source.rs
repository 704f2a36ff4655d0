//! The plain bytes of one unit, out of a file.

use crate::codec::{Decode, DecodeError, Input, Step};
use crate::error::{LoadError, Phase};
use crate::io::Stop;
use crate::log::{debug, error};
use crate::medium::{Located, Medium};
use crate::progress::Progress;
use crate::stream::{Get, Source, Widths};
use crate::unit::{AfterLoad, UnitError};
use crate::wire::FormatError;
use embedded_io::{ErrorType, Read, Seek};

/// The most that is read straight into a unit's memory at a time, so that progress moves and a cancel is heeded.
const PIECE: usize = 128 << 10;

/// Reads the packed bytes of one unit, never past its end, and decodes them.
pub(crate) struct UnitSource<'a, 'p, R: ErrorType, D> {
    pub medium: &'a mut Medium<R>,
    pub codec: &'a mut D,
    pub packed: &'a mut [u8],
    pub progress: &'a mut Progress<'p>,
    pub unit: &'a Located,
    /// The buffer with the unit's name.
    pub name: &'a [u8],
    pub state: State,
}

/// Where a [`UnitSource`] is.
pub(crate) struct State {
    /// The part of `packed` that holds bytes.
    from: usize,
    to: usize,
    /// The file offset of the next packed byte to read.
    at: u64,
    tag_read: bool,
}

/// What is wrong with a unit's packed bytes.
enum Damage {
    Tag(u8),
    Packed(DecodeError),
}

impl State {
    /// Before the first byte of `unit`.
    pub fn before(unit: &Located) -> Self {
        Self { from: 0, to: 0, at: unit.data_at(), tag_read: false }
    }
}

impl<R: Read + Seek, D: Decode> UnitSource<'_, '_, R, D> {
    /// Lets `read` get the unit's values and turns what went wrong into the operation's error.
    #[inline(never)]
    pub fn run(
        mut self,
        buffer: &mut [u8],
        widths: &mut Widths,
        after: AfterLoad,
        read: &mut dyn FnMut(&mut Get<'_>) -> Result<(), UnitError>,
    ) -> Result<(), Stop> {
        let mut get = Get::new(&mut self, buffer, widths, after);
        let returned = read(&mut get);
        let (status, at) = (get.status(), get.offset());
        // What the stream met first counts, whatever the unit made of it.
        match status.and(returned) {
            Ok(()) => match self.medium.failed() {
                // Damage beyond what the unit wanted is none of its business.
                failed @ Some(LoadError::Format { .. }) => *failed = None,
                Some(_) => return Err(Stop),
                None => {}
            },
            // Q24
            Err(UnitError::End) if after == AfterLoad::Debug && self.medium.failed().is_none() => {}
            Err(UnitError::Stream) if self.medium.failed().is_some() => return Err(Stop),
            Err(error) => return Err(self.unit_failed(at, error)),
        }
        debug!(
            "read {}: {=u64} plain bytes of {=u64} packed",
            self.unit.record(self.name),
            at,
            self.state.at.wrapping_sub(self.unit.data_at())
        );
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn unit_failed(&mut self, at: u64, error: UnitError) -> Stop {
        let unit = self.unit.record(self.name);
        if !matches!(self.medium.failed(), Some(LoadError::Cancelled)) {
            *self.medium.failed() = None;
        }
        if error != UnitError::Stream {
            error!("{}: {}", unit, error);
        }
        self.medium.fail(LoadError::Unit { unit, phase: Phase::Execute, at, error })
    }

    /// Packed bytes of the unit that were not read from the medium yet.
    fn left_in_file(&self) -> u64 {
        self.unit.end().wrapping_sub(self.state.at)
    }

    #[cold]
    #[inline(never)]
    fn damaged(&mut self, damage: Damage) -> Stop {
        let undecoded = self.state.at.wrapping_sub(self.state.to.wrapping_sub(self.state.from) as u64);
        let (offset, error) = match damage {
            Damage::Tag(tag) => (self.unit.data_at(), FormatError::Codec { tag }),
            Damage::Packed(DecodeError::Corrupt) => (undecoded, FormatError::Packed),
            Damage::Packed(DecodeError::End) => (undecoded, FormatError::PackedEnd),
            Damage::Packed(DecodeError::Window) => (undecoded, FormatError::Window),
        };
        let unit = Some(self.unit.record(self.name));
        self.medium.fail(LoadError::Format { offset, unit, error })
    }

    /// Reads packed bytes to the start of `into`; how many. There are some left.
    #[inline(never)]
    fn fetch(&mut self, into: &mut [u8]) -> Result<usize, Stop> {
        if self.progress.is_cancelled() {
            return Err(self.medium.cancelled());
        }
        let n = usize::try_from(self.left_in_file()).unwrap_or(usize::MAX).min(into.len());
        self.medium.read_exact_at(self.state.at, into.get_mut(..n).unwrap_or_default())?;
        self.state.at = self.state.at.wrapping_add(n as u64);
        self.progress.advance_to(self.state.at);
        Ok(n)
    }

    /// The tag byte is looked at with the first read of more than nothing (Q16). `false` in a unit without any.
    fn begin(&mut self) -> Result<bool, Stop> {
        if self.state.tag_read {
            return Ok(true);
        }
        if self.left_in_file() == 0 {
            return Ok(false);
        }
        let mut tag = [0];
        self.fetch(&mut tag)?;
        let [tag] = tag;
        if !self.codec.reset(tag) {
            return Err(self.damaged(Damage::Tag(tag)));
        }
        self.state.tag_read = true;
        Ok(true)
    }

    /// One step of the codec into `plain`; how many bytes, 0 only at the end.
    fn step(&mut self, plain: &mut [u8]) -> Result<usize, Stop> {
        loop {
            if self.state.from == self.state.to && self.left_in_file() > 0 {
                // Lent to `fetch` for a moment.
                let packed = core::mem::take(&mut self.packed);
                let fetched = self.fetch(packed);
                self.packed = packed;
                (self.state.from, self.state.to) = (0, fetched?);
            }
            let input = if self.left_in_file() == 0 { Input::End } else { Input::More };
            let held = self.state.to.wrapping_sub(self.state.from);
            let step = self.decode(plain, input).map_err(|error| self.damaged(Damage::Packed(error)))?;
            let idle = step.read == 0 && step.written == 0;
            self.state.from = self.state.from.wrapping_add(step.read).min(self.state.to);
            if step.written > 0 || (idle && held == 0 && input == Input::End) {
                return Ok(step.written);
            }
            // Nothing taken and nothing given with input at hand breaks a codec's contract: an end, not a loop.
            if idle && held > 0 {
                return Err(self.damaged(Damage::Packed(DecodeError::Corrupt)));
            }
        }
    }

    /// Out of line, so that what a codec keeps on the stack is not there while the medium is read.
    #[inline(never)]
    fn decode(&mut self, plain: &mut [u8], input: Input) -> Result<Step, DecodeError> {
        let packed = self.packed.get(self.state.from..self.state.to).unwrap_or(&[]);
        self.codec.decode(packed, plain, input)
    }

    fn fill(&mut self, plain: &mut [u8], filled: &mut usize) -> Result<(), Stop> {
        if plain.is_empty() || self.medium.failed().is_some() || !self.begin()? {
            return Ok(());
        }
        while let Some(rest) = plain.get_mut(*filled..)
            && !rest.is_empty()
        {
            let n = if !self.codec.is_transparent() {
                self.step(rest)?
            } else if self.left_in_file() > 0 {
                let piece = rest.len().min(PIECE);
                self.fetch(rest.get_mut(..piece).unwrap_or_default())?
            } else {
                0
            };
            if n == 0 {
                break;
            }
            *filled = filled.wrapping_add(n);
        }
        Ok(())
    }
}

impl<R: Read + Seek, D: Decode> Source for UnitSource<'_, '_, R, D> {
    fn read(&mut self, plain: &mut [u8]) -> usize {
        let mut filled = 0;
        // What fails is kept in the medium.
        let _ = self.fill(plain, &mut filled);
        filled
    }

    fn is_failed(&mut self) -> bool {
        self.medium.failed().is_some()
    }

    fn left(&self) -> Option<u64> {
        match (self.state.tag_read, self.left_in_file()) {
            (false, 0) => Some(0),
            (true, left) if self.codec.is_transparent() => Some(left),
            _ => None,
        }
    }
}
