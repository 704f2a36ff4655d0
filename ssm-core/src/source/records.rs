//! Unit data of 2.0: records up to a terminator.

use super::ahead::Reach;
use super::{Body, PIECE, UnitSource};
use crate::codec::{Decode, tag};
use crate::crc32::Crc32;
use crate::io::Stop;
use crate::walk::Walk;
use crate::wire::FormatError;
use crate::wire::streamed::{Record, RecordKind, TERMINATOR_BODY_LEN, Terminator};
use core::marker::PhantomData;
use embedded_io::Read;

mod ahead;

/// Where in a unit of a 2.0 file a source is.
pub(crate) struct Records<'w, C, S> {
    walk: &'w mut Walk<C>,
    piece: Piece,
    /// Whether the first record that is not the terminator is important.
    first_important: Option<bool>,
    /// Whether packed records are decoded, or their bytes passed over.
    decode: bool,
    reach: PhantomData<S>,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// A record's head.
    Head,
    /// Plain bytes.
    Raw(u32),
    /// Packed bytes of a block.
    Packed(u32),
    /// Zeros that are not in the file.
    Zeros(u32),
    /// Nothing: the terminator was read.
    End,
}

impl<'w, C, S> Records<'w, C, S> {
    /// Before the first record of the unit whose header `walk` has read. With `decode` false, plain bytes are only good to
    /// be passed over.
    pub fn new(walk: &'w mut Walk<C>, decode: bool) -> Self {
        Self { walk, piece: Piece::Head, first_important: None, decode, reach: PhantomData }
    }
}

type RecordSource<'a, 'p, 'w, R, D, C, S> = UnitSource<'a, 'p, R, D, Records<'w, C, S>>;

impl<'w, R: Read, D: Decode, C: Crc32, S: Reach<R>> Body<R, D> for Records<'w, C, S> {
    const STRICT: bool = true;

    fn left(source: &RecordSource<'_, '_, 'w, R, D, C, S>) -> u64 {
        match source.body.piece {
            Piece::Packed(left) => left.into(),
            _ => 0,
        }
    }

    fn fetch(source: &mut RecordSource<'_, '_, 'w, R, D, C, S>, into: &mut [u8]) -> Result<usize, Stop> {
        let (Piece::Raw(left) | Piece::Packed(left)) = source.body.piece else {
            return Ok(0);
        };
        let n = into.len().min(left as usize).min(PIECE);
        source.take(into.get_mut(..n).unwrap_or_default())?;
        source.progress.advance_to(source.medium.position());
        let left = left.wrapping_sub(n as u32);
        source.body.piece = match source.body.piece {
            Piece::Packed(_) => Piece::Packed(left),
            _ if left == 0 => Piece::Head,
            _ => Piece::Raw(left),
        };
        Ok(n)
    }

    fn fill(
        source: &mut RecordSource<'_, '_, 'w, R, D, C, S>,
        plain: &mut [u8],
        filled: &mut usize,
    ) -> Result<(), Stop> {
        while let Some(rest) = plain.get_mut(*filled..)
            && !rest.is_empty()
        {
            let n = match source.body.piece {
                Piece::Head => {
                    let n = match source.is_large() {
                        true => source.ahead(rest.len(), |codec, blocks| codec.decode_ahead(rest, blocks))?,
                        false => 0,
                    };
                    if n == 0 {
                        source.head()?;
                    }
                    n
                }
                Piece::Raw(_) => Self::fetch(source, rest)?,
                Piece::Packed(_) => {
                    let n = source.step(rest)?;
                    if n == 0 {
                        source.body.piece = Piece::Head;
                    }
                    n
                }
                Piece::Zeros(left) => {
                    let n = rest.len().min(left as usize);
                    rest.get_mut(..n).unwrap_or_default().fill(0);
                    source.body.piece =
                        if n == left as usize { Piece::Head } else { Piece::Zeros(left.wrapping_sub(n as u32)) };
                    n
                }
                Piece::End => break,
            };
            *filled = filled.wrapping_add(n);
        }
        Ok(())
    }

    fn pass(source: &mut RecordSource<'_, '_, 'w, R, D, C, S>, len: usize) -> Result<usize, Stop> {
        match source.body.piece == Piece::Head && source.is_large() {
            true => source.ahead(len, |codec, blocks| codec.check_ahead(len, blocks)),
            false => Ok(0),
        }
    }

    /// Reads the first record's head (Q31).
    fn is_optional(source: &mut RecordSource<'_, '_, 'w, R, D, C, S>) -> Result<bool, Stop> {
        if source.body.piece == Piece::Head {
            source.head()?;
        }
        Ok(source.body.first_important == Some(false))
    }

    /// Through the packed buffer.
    fn pass_over(source: &mut RecordSource<'_, '_, 'w, R, D, C, S>) -> Result<(), Stop> {
        loop {
            match source.body.piece {
                Piece::Head => {
                    if !source.is_large() || !source.hop()? {
                        source.head()?;
                    }
                }
                Piece::Packed(0) | Piece::Zeros(_) => source.body.piece = Piece::Head,
                Piece::Raw(_) | Piece::Packed(_) => {
                    // Lent to `fetch` for a moment.
                    let packed = core::mem::take(&mut source.packed);
                    let fetched = Self::fetch(source, packed);
                    source.packed = packed;
                    fetched?;
                }
                Piece::End => return Ok(()),
            }
        }
    }

    fn plain_left(source: &RecordSource<'_, '_, 'w, R, D, C, S>) -> Option<u64> {
        (source.body.piece == Piece::End).then_some(0)
    }
}

impl<R: Read, D: Decode, C: Crc32, S: Reach<R>> RecordSource<'_, '_, '_, R, D, C, S> {
    fn take(&mut self, into: &mut [u8]) -> Result<(), Stop> {
        if self.progress.is_cancelled() {
            return Err(self.medium.cancelled());
        }
        self.body.walk.take(self.medium, into)
    }

    /// Reads what a record starts with, and all of a terminator.
    #[inline(never)]
    fn head(&mut self) -> Result<(), Stop> {
        let at = self.medium.position();
        if self.progress.is_cancelled() {
            return Err(self.medium.cancelled());
        }
        let record = self.body.walk.record(self.medium)?;
        let record = record.map_err(|error| self.damaged_at(at, error))?;
        let mut kib = [0];
        if matches!(record.kind, RecordKind::Lzf | RecordKind::Zero) {
            if record.len > 0 {
                self.take(&mut kib)?;
            }
            let checked = record.check_block(kib[0]);
            checked.map_err(|error| self.damaged_at(at, error))?;
        }
        if record.kind != RecordKind::Terminator {
            self.body.first_important.get_or_insert(record.important);
        }
        let (packed, plain) = (record.len.wrapping_sub(1), record.plain(kib[0]));
        self.body.piece = match record.kind {
            RecordKind::Raw | RecordKind::Zero if plain == 0 => Piece::Head,
            RecordKind::Raw => Piece::Raw(record.len),
            RecordKind::Zero => Piece::Zeros(plain),
            RecordKind::Lzf => {
                if self.body.decode && !self.codec.begin_block(packed as u16, plain as u16) {
                    return Err(self.damaged_at(at, FormatError::Codec { tag: tag::LZF }));
                }
                Piece::Packed(packed)
            }
            RecordKind::Terminator => {
                self.terminator(at, &record)?;
                Piece::End
            }
        };
        Ok(())
    }

    fn terminator(&mut self, at: u64, record: &Record) -> Result<(), Stop> {
        let computed = self.body.walk.stream_crc();
        let mut bytes = [0; TERMINATOR_BODY_LEN];
        if record.len != TERMINATOR_BODY_LEN as u32 {
            let actual = at.wrapping_sub(self.unit.data_at);
            return Err(self.damaged_at(at, FormatError::Terminator { stored: 0, actual }));
        }
        let body_at = self.medium.position();
        self.take(&mut bytes)?;
        self.unit.end = self.medium.position();
        let actual = self.unit.end.wrapping_sub(self.unit.data_at);
        let terminator = Terminator::parse(record, &bytes, actual).map_err(|error| self.damaged_at(at, error))?;
        match (terminator.crc, computed) {
            // Q32: a terminator may do without.
            (Some(stored), Some(computed)) if stored != computed => {
                Err(self.damaged_at(body_at.wrapping_add(2), FormatError::TerminatorCrc { stored, computed }))
            }
            _ => Ok(()),
        }
    }
}
