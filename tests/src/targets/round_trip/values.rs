//! The values of a unit that is made of any bytes.

use crate::targets::choices::Choices;
use crate::values::{Inner, Record, Value};
use ssm_core::{Get, Header, Put, UnitError};

/// A value, and the pieces that its bytes are put in.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    value: Value,
    pieces: Option<usize>,
}

impl Stored {
    /// The next value; `None` behind the unit's last. Large ones take from the `left` bytes.
    pub fn chosen(choices: &mut Choices<'_>, header: &Header, left: &mut usize) -> Option<Self> {
        if choices.is_empty() {
            return None;
        }
        let kind = choices.byte() & 31;
        let guest = |width: Option<u8>, value: u64| if width == Some(4) { value & 0xffff_ffff } else { value };
        let mut pieces = None;
        let value = match kind {
            0 => Value::Bool(choices.byte() & 1 == 1),
            1 => Value::U8(choices.byte()),
            2 => Value::U16(u16::from_le_bytes(choices.array())),
            3 => Value::U32(u32::from_le_bytes(choices.array())),
            4 => Value::U64(u64::from_le_bytes(choices.array())),
            5 => Value::U128(u128::from_le_bytes(choices.array())),
            6 => Value::I8(i8::from_le_bytes(choices.array())),
            7 => Value::I16(i16::from_le_bytes(choices.array())),
            8 => Value::I32(i32::from_le_bytes(choices.array())),
            9 => Value::I64(i64::from_le_bytes(choices.array())),
            10 => Value::I128(i128::from_le_bytes(choices.array())),
            11 => Value::GcPhys(guest(header.gc_phys_bytes, u64::from_le_bytes(choices.array()))),
            12 => Value::GcPtr(guest(header.gc_ptr_bytes, u64::from_le_bytes(choices.array()))),
            13 => Value::GcPhys32(u32::from_le_bytes(choices.array())),
            14 => Value::GcPhys64(u64::from_le_bytes(choices.array())),
            15 => Value::RcPtr(u32::from_le_bytes(choices.array())),
            16 => Value::IoPort(u16::from_le_bytes(choices.array())),
            17 => Value::Selector(u16::from_le_bytes(choices.array())),
            18 => {
                let inner = Inner { port: 0x3f8, wide: i128::from_le_bytes(choices.array()), on: true };
                Value::Record(Box::new(Record { inner, bytes: choices.array(), ..Record::default() }))
            }
            19 => Value::Str(choices.byte().to_string()),
            20 => {
                let len = choices.byte().into();
                Value::String(choices.take(len).to_vec())
            }
            21..=29 => {
                let piece = choices.number() % 5000 + 1;
                let bytes = choices.plain(*left);
                *left -= bytes.len();
                pieces = (kind >= 25).then_some(piece);
                Value::Bytes(bytes)
            }
            _ => return None,
        };
        Some(Self { value, pieces })
    }

    pub fn put(&self, put: &mut Put<'_>) -> Result<(), UnitError> {
        match (&self.value, self.pieces) {
            (Value::Bytes(bytes), Some(piece)) => bytes.chunks(piece).try_for_each(|piece| put.bytes(piece)),
            (value, _) => value.put(put),
        }
    }

    pub fn got(&self, get: &mut Get<'_>) -> Result<Self, UnitError> {
        let value = match (&self.value, self.pieces) {
            (Value::Bytes(bytes), Some(piece)) => {
                let mut bytes = vec![0; bytes.len()];
                bytes.chunks_mut(piece + 1).try_for_each(|piece| get.bytes(piece))?;
                Value::Bytes(bytes)
            }
            (value, _) => value.got(get)?,
        };
        Ok(Self { value, ..*self })
    }
}
