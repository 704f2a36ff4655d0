//! Format 1.2: lengths, size and checksum are patched into a file that can be sought in.

use super::output::{Framing, Output, PIECE, Target, UnitStart};
use super::stage::Sum;
use crate::codec::{Encode, Input, Step};
use crate::crc32::{Crc32, HeldBack, RunningCrc};
use crate::error::SaveError;
use crate::io::{Stop, WriteFull};
use crate::wire::{CRC_FROM, Format, Header, MAX_FILE_NAME, SIZE_AT, UNIT_LEN_AT, UnitHeader, set_field};
use embedded_io::{Seek, SeekFrom, Write};

/// Files of format 1.2, on a medium that can write and seek.
#[derive(Default)]
pub struct Patched {
    end: HeldBack,
    /// Whether the unit's tag byte was written.
    started: bool,
    /// The file offset of the unit.
    unit_at: u64,
}

impl Sum for Patched {
    fn sum<C: Crc32>(&mut self, crc: &mut RunningCrc<C>, bytes: &[u8]) {
        self.end.append(crc, bytes);
    }
}

impl<'s, W: Write + Seek, E: Encode, C: Crc32> Framing<'s> for Output<'s, W, E, C, Patched> {
    const MAX_NAME: usize = MAX_FILE_NAME;
    const NAME: &'static str = "a unit's name is 1 to 255 bytes without NUL";

    fn divide(&mut self, scratch: &'s mut [u8], _units: usize) -> Result<&'s mut [u8], Stop> {
        if scratch.is_empty() {
            return self.target.scratch(1);
        }
        // The packed part is a little the smaller one: a block that does not pack into it ends early.
        let plain_len = if self.codec.is_transparent() {
            scratch.len()
        } else {
            scratch.len().saturating_sub(16).wrapping_mul(17) / 32
        };
        let (plain, packed) = scratch.split_at_mut_checked(plain_len).unwrap_or_default();
        self.packed = packed;
        Ok(plain)
    }

    fn begin(&mut self, header: &mut Header) -> Result<(), Stop> {
        (header.format, header.stream, header.file_len, header.crc) = (Format::V1_2, None, 0, 0);
        let bytes = header.emit();
        let target = &mut self.target;
        target.format.end.append(&mut target.crc, bytes.get(CRC_FROM as usize..).unwrap_or(&[]));
        target.store(&bytes)
    }

    fn open(&mut self, unit: &UnitStart<'_>) -> Result<(), Stop> {
        let target = &mut self.target;
        target.make_room()?;
        (target.format.unit_at, target.format.started) = (target.position, false);
        let name_len = (unit.name.len() as u32).saturating_add(1);
        let header = UnitHeader { len: 0, version: unit.version, instance: unit.instance, name_len };
        target.append(&header.emit())?;
        target.append(unit.name)?;
        target.append(&[0])
    }

    fn pack(&mut self, mut plain: &[u8]) -> Result<(), Stop> {
        self.start()?;
        let Self { codec, target, .. } = self;
        let (mut through, mut done) = (0usize, Ok(()));
        codec.encode_all(plain, &mut |packed, taken| {
            if done.is_ok() {
                through = through.wrapping_add(taken);
                done = target.take(taken, |target| target.append(packed));
            }
            done.is_ok()
        });
        done?;
        plain = plain.get(through..).unwrap_or(&[]);
        while !plain.is_empty() {
            self.target.check_cancel()?;
            let piece = plain.get(..PIECE).unwrap_or(plain);
            let taken = if self.codec.is_transparent() {
                self.target.append(piece)?;
                piece.len()
            } else {
                let step = self.encode(piece, Input::More)?;
                if step == Step::default() {
                    return self.target.stop(SaveError::Codec);
                }
                step.read
            };
            plain = plain.get(taken..).unwrap_or(&[]);
            self.target.spend(taken as u64);
        }
        Ok(())
    }

    fn close(&mut self, touched: bool) -> Result<u64, Stop> {
        if touched {
            self.start()?;
            if !self.codec.is_transparent() {
                while self.encode(&[], Input::End)?.written > 0 {}
            }
        }
        let target = &mut self.target;
        let (at, end) = (target.format.unit_at, target.position);
        let len = end.wrapping_sub(at);
        let bytes = len.to_le_bytes();
        if let Some(unit) = target.stage.last(len) {
            set_field(unit, UNIT_LEN_AT as usize, bytes);
            return Ok(len);
        }
        target.settle()?;
        target.format.end.patch(&mut target.crc, len.wrapping_sub(UNIT_LEN_AT).wrapping_sub(8), bytes);
        target.seek(at.wrapping_add(UNIT_LEN_AT))?;
        target.store(&bytes)?;
        target.seek(end)?;
        Ok(len)
    }

    fn commit(&mut self) -> Result<(), Stop> {
        let target = &mut self.target;
        target.settle()?;
        target.store(&UnitHeader::emit_end())?;
        let file_len = target.position;
        target.flush()?;
        target.seek(SIZE_AT)?;
        let commit = Header::emit_commit(file_len, target.crc.value());
        target.store(&commit)?;
        target.seek(file_len)?;
        target.flush()
    }
}

impl<W: Write + Seek, E: Encode, C: Crc32> Output<'_, W, E, C, Patched> {
    /// The tag byte comes with the first put, if only of zero bytes (Q16).
    fn start(&mut self) -> Result<(), Stop> {
        if self.target.format.started {
            return Ok(());
        }
        self.target.format.started = true;
        self.codec.reset();
        let tag = self.codec.tag();
        self.target.append(&[tag])
    }

    /// One step of the codec, its packed bytes written.
    fn encode(&mut self, plain: &[u8], input: Input) -> Result<Step, Stop> {
        let step = self.codec.encode(plain, self.packed, input);
        self.target.append(self.packed.get(..step.written).unwrap_or(&[]))?;
        Ok(step)
    }
}

impl<W: Write + Seek, C: Crc32> Target<'_, W, C, Patched> {
    #[inline(never)]
    fn seek(&mut self, to: u64) -> Result<(), Stop> {
        match self.medium.seek(SeekFrom::Start(to)) {
            Ok(_) => {
                self.position = to;
                Ok(())
            }
            Err(error) => self.write_failed(WriteFull::Io(error)),
        }
    }
}
