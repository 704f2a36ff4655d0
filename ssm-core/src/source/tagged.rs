//! Unit data of 1.x: a tag byte that names the codec, then what the codec makes of the plain bytes.

use super::ahead::{LARGE, TaggedBlocks, WANTED};
use super::{Body, Damage, PIECE, UnitSource};
use crate::codec::{Ahead, Decode, tag};
use crate::io::Stop;
use embedded_io::{Read, Seek};

/// Where in a unit of a 1.x file a source is; at first before its first byte.
#[derive(Default)]
pub(crate) struct Tagged {
    /// Packed bytes that were read.
    read: u64,
    tag: Option<u8>,
}

type TaggedSource<'a, 'p, R, D> = UnitSource<'a, 'p, R, D, Tagged>;

impl<R: Read + Seek, D: Decode> Body<R, D> for Tagged {
    const STRICT: bool = false;

    fn left(source: &TaggedSource<'_, '_, R, D>) -> u64 {
        source.unit.end.wrapping_sub(source.unit.data_at).wrapping_sub(source.body.read)
    }

    #[inline(never)]
    fn fetch(source: &mut TaggedSource<'_, '_, R, D>, into: &mut [u8]) -> Result<usize, Stop> {
        if source.progress.is_cancelled() {
            return Err(source.medium.cancelled());
        }
        let n = usize::try_from(Self::left(source)).unwrap_or(usize::MAX).min(into.len());
        let at = source.unit.data_at.wrapping_add(source.body.read);
        source.medium.read_exact_at(at, into.get_mut(..n).unwrap_or_default())?;
        source.body.read = source.body.read.wrapping_add(n as u64);
        source.progress.advance_to(source.medium.position());
        Ok(n)
    }

    fn fill(source: &mut TaggedSource<'_, '_, R, D>, plain: &mut [u8], filled: &mut usize) -> Result<(), Stop> {
        if !begin(source)? {
            return Ok(());
        }
        while let Some(rest) = plain.get_mut(*filled..)
            && !rest.is_empty()
        {
            let n = if !source.codec.is_transparent() {
                match is_large(source, rest.len()) {
                    true => match ahead(source, |codec, blocks| codec.decode_ahead(rest, blocks))? {
                        0 => source.step(rest)?,
                        n => n,
                    },
                    false => source.step(rest)?,
                }
            } else if Self::left(source) > 0 {
                let piece = rest.len().min(PIECE);
                Self::fetch(source, rest.get_mut(..piece).unwrap_or_default())?
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

    fn pass(source: &mut TaggedSource<'_, '_, R, D>, len: usize) -> Result<usize, Stop> {
        match begin(source)? && is_large(source, len) {
            true => ahead(source, |codec, blocks| codec.check_ahead(len, blocks)),
            false => Ok(0),
        }
    }

    fn is_optional(_source: &mut TaggedSource<'_, '_, R, D>) -> Result<bool, Stop> {
        Ok(false)
    }

    fn pass_over(_source: &mut TaggedSource<'_, '_, R, D>) -> Result<(), Stop> {
        Ok(())
    }

    fn plain_left(source: &TaggedSource<'_, '_, R, D>) -> Option<u64> {
        match (source.body.tag.is_some(), Self::left(source)) {
            (false, 0) => Some(0),
            (true, left) if source.codec.is_transparent() => Some(left),
            _ => None,
        }
    }
}

/// The tag byte is looked at with the first read of more than nothing (Q16). `false` in a unit without any.
fn begin<R: Read + Seek, D: Decode>(source: &mut TaggedSource<'_, '_, R, D>) -> Result<bool, Stop> {
    if source.body.tag.is_some() {
        return Ok(true);
    }
    if Tagged::left(source) == 0 {
        return Ok(false);
    }
    let mut tag = [0];
    Tagged::fetch(source, &mut tag)?;
    let [tag] = tag;
    if !source.codec.reset(tag) {
        return Err(source.damaged(Damage::Tag(tag)));
    }
    source.body.tag = Some(tag);
    Ok(true)
}

/// Whether so much is wanted, and left, that it pays to read it ahead.
fn is_large<R: Read + Seek, D: Decode>(source: &TaggedSource<'_, '_, R, D>, plain: usize) -> bool {
    plain >= WANTED
        && Tagged::left(source) >= LARGE
        && source.body.tag == Some(tag::LZF)
        && source.medium.reads_ahead
        && source.codec.reads_ahead()
}

/// Decodes whole blocks from the next one on; how many plain bytes. 0 where the usual way must be gone.
#[inline(never)]
fn ahead<R: Read + Seek, D: Decode>(
    source: &mut TaggedSource<'_, '_, R, D>,
    decode: impl FnOnce(&mut D, &mut TaggedBlocks<'_, '_, R>) -> Ahead,
) -> Result<usize, Stop> {
    let held = source.held.1.wrapping_sub(source.held.0) as u64;
    let (end, left) = (source.unit.end, Tagged::left(source).wrapping_add(held));
    let (medium, progress) = (&mut *source.medium, &mut *source.progress);
    let mut blocks = TaggedBlocks { medium, progress, at: end.wrapping_sub(left), end };
    let ahead = decode(source.codec, &mut blocks);
    if ahead.plain > 0 {
        let at = ahead.damaged.unwrap_or(blocks.at);
        source.body.read = at.wrapping_sub(source.unit.data_at);
        source.held = (0, 0);
    } else {
        // Damage in what is held is said to be so far before where the medium is.
        source.medium.go(source.unit.data_at.wrapping_add(source.body.read))?;
    }
    Ok(ahead.plain)
}
