//! The plain bytes of one unit, out of a file. What differs between the formats is in `tagged` (1.x) and `records` (2.0).

use crate::codec::{Decode, DecodeError, Input, Step};
use crate::error::{LoadError, Phase};
use crate::io::Stop;
use crate::log::{debug, error};
use crate::medium::{Located, Medium};
use crate::progress::Progress;
use crate::stream::{Get, Source, Widths};
use crate::unit::{AfterLoad, UnitError};
use crate::wire::FormatError;
use embedded_io::{ErrorType, Read};

mod ahead;
mod records;
mod tagged;

pub(crate) use ahead::{Anywhere, Onwards};
pub(crate) use records::Records;
pub(crate) use tagged::Tagged;

/// The most that is read straight into a unit's memory at a time, so that progress moves and a cancel is heeded.
const PIECE: usize = 128 << 10;

/// Reads the packed bytes of one unit, never past its end, and decodes them. `B` knows where in the unit it is.
pub(crate) struct UnitSource<'a, 'p, R: ErrorType, D, B> {
    pub medium: &'a mut Medium<R>,
    pub codec: &'a mut D,
    pub packed: &'a mut [u8],
    /// The part of `packed` that holds bytes.
    pub held: (usize, usize),
    pub progress: &'a mut Progress<'p>,
    pub unit: &'a mut Located,
    /// The buffer with the unit's name.
    pub name: &'a [u8],
    pub body: B,
}

/// How a format holds the data of a unit.
pub(crate) trait Body<R: ErrorType, D>: Sized {
    /// Whether a load must read all of it, and damage that a unit does not get to is its business all the same.
    const STRICT: bool;

    /// Packed bytes that the codec can still get.
    fn left(source: &UnitSource<'_, '_, R, D, Self>) -> u64;
    /// Reads packed bytes to the start of `into`; how many. There are some left.
    fn fetch(source: &mut UnitSource<'_, '_, R, D, Self>, into: &mut [u8]) -> Result<usize, Stop>;
    /// Fills `plain` from `filled` on with plain bytes; less than all only at the end of the unit.
    fn fill(source: &mut UnitSource<'_, '_, R, D, Self>, plain: &mut [u8], filled: &mut usize) -> Result<(), Stop>;
    /// Passes over up to `len` plain bytes in whole blocks; how many, or 0 where they must be read.
    fn pass(source: &mut UnitSource<'_, '_, R, D, Self>, len: usize) -> Result<usize, Stop>;
    /// Whether the unit says that whoever does not know it may skip it.
    fn is_optional(source: &mut UnitSource<'_, '_, R, D, Self>) -> Result<bool, Stop>;
    /// Goes to the unit's end, where the next one cannot be found otherwise.
    fn pass_over(source: &mut UnitSource<'_, '_, R, D, Self>) -> Result<(), Stop>;
    /// Plain bytes that are left, where that is known.
    fn plain_left(source: &UnitSource<'_, '_, R, D, Self>) -> Option<u64>;
}

/// What is wrong with a unit's packed bytes.
enum Damage {
    Tag(u8),
    Packed(DecodeError),
}

impl<R: Read, D: Decode, B: Body<R, D>> UnitSource<'_, '_, R, D, B> {
    /// Lets `read` get the unit's values and turns what went wrong into the operation's error. `all` is whether
    /// nothing may be left over, where the format demands that.
    #[inline(never)]
    pub fn run(
        &mut self,
        buffer: &mut [u8],
        widths: &mut Widths,
        after: AfterLoad,
        all: bool,
        read: &mut dyn FnMut(&mut Get<'_>) -> Result<(), UnitError>,
    ) -> Result<(), Stop> {
        let pass = self.unit.pass;
        let mut get = Get::new(self, buffer, widths, after, pass);
        let mut returned = read(&mut get);
        let at = get.offset();
        if B::STRICT && all && returned.is_ok() {
            returned = match get.skip_rest() {
                Ok(rest) if rest > 0 && after != AfterLoad::Debug => Err(UnitError::Rest),
                rest => rest.map(|_| ()),
            };
        }
        let status = get.status();
        // What the stream met first counts, whatever the unit made of it.
        match status.and(returned) {
            Ok(()) => match self.medium.failed() {
                // Damage beyond what the unit wanted is none of its business.
                failed @ Some(LoadError::Format { .. }) if !(B::STRICT && all) => *failed = None,
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
            self.medium.position().wrapping_sub(self.unit.data_at)
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

    #[cold]
    #[inline(never)]
    fn damaged(&mut self, damage: Damage) -> Stop {
        let held = self.held.1.wrapping_sub(self.held.0) as u64;
        let undecoded = self.medium.position().wrapping_sub(held);
        let (offset, error) = match damage {
            Damage::Tag(tag) => (undecoded.wrapping_sub(1), FormatError::Codec { tag }),
            Damage::Packed(DecodeError::Corrupt) => (undecoded, FormatError::Packed),
            Damage::Packed(DecodeError::End) => (undecoded, FormatError::PackedEnd),
            Damage::Packed(DecodeError::Window) => (undecoded, FormatError::Window),
        };
        self.damaged_at(offset, error)
    }

    #[cold]
    #[inline(never)]
    fn damaged_at(&mut self, offset: u64, error: FormatError) -> Stop {
        let unit = Some(self.unit.record(self.name));
        self.medium.fail(LoadError::Format { offset, unit, error })
    }

    /// One step of the codec into `plain`; how many bytes, 0 only at the end.
    fn step(&mut self, plain: &mut [u8]) -> Result<usize, Stop> {
        loop {
            if self.held.0 == self.held.1 && B::left(self) > 0 {
                // Lent to `fetch` for a moment.
                let packed = core::mem::take(&mut self.packed);
                let fetched = B::fetch(self, packed);
                self.packed = packed;
                self.held = (0, fetched?);
            }
            let input = if B::left(self) == 0 { Input::End } else { Input::More };
            let held = self.held.1.wrapping_sub(self.held.0);
            let step = self.decode(plain, input).map_err(|error| self.damaged(Damage::Packed(error)))?;
            let idle = step.read == 0 && step.written == 0;
            self.held.0 = self.held.0.wrapping_add(step.read).min(self.held.1);
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
        let packed = self.packed.get(self.held.0..self.held.1).unwrap_or(&[]);
        self.codec.decode(packed, plain, input)
    }
}

impl<R: Read, D: Decode, B: Body<R, D>> Source for UnitSource<'_, '_, R, D, B> {
    fn read(&mut self, plain: &mut [u8]) -> usize {
        let mut filled = 0;
        // What fails is kept in the medium.
        if !plain.is_empty() && self.medium.failed().is_none() {
            let _ = B::fill(self, plain, &mut filled);
        }
        filled
    }

    fn pass(&mut self, len: usize) -> usize {
        if !self.codec.reads_ahead() || self.medium.failed().is_some() {
            return 0;
        }
        B::pass(self, len).unwrap_or(0)
    }

    fn is_failed(&mut self) -> bool {
        self.medium.failed().is_some()
    }

    fn left(&self) -> Option<u64> {
        B::plain_left(self)
    }
}
