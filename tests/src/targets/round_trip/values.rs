//! A value of any kind that a unit can put.

use crate::targets::choices::Choices;
use ssm_core::{Get, Header, Put, UnitError, fields};

#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    Bool(bool),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    U128(u128),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(i128),
    GcPhys(u64),
    GcPtr(u64),
    GcPhys32(u32),
    GcPhys64(u64),
    RcPtr(u32),
    IoPort(u16),
    Selector(u16),
    Struct(Registers),
    Text(String),
    String(Vec<u8>),
    Bytes(Vec<u8>),
    /// The same put in pieces of so many bytes.
    Pieces(Vec<u8>, usize),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registers {
    wide: [u64; 2],
    narrow: [u8; 3],
    flag: bool,
}

impl Value {
    /// The next value; `None` behind the unit's last. Large ones take from the `left` bytes.
    pub fn chosen(choices: &mut Choices<'_>, header: &Header, left: &mut usize) -> Option<Self> {
        if choices.is_empty() {
            return None;
        }
        let kind = choices.byte() & 31;
        let guest = |width: Option<u8>, value: u64| if width == Some(4) { value & 0xffff_ffff } else { value };
        Some(match kind {
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
            18 => Value::Struct(Registers {
                wide: [u64::from_le_bytes(choices.array()), u64::MAX],
                narrow: choices.array(),
                flag: true,
            }),
            19 => Value::Text(choices.byte().to_string()),
            20 => {
                let len = choices.byte().into();
                Value::String(choices.take(len).to_vec())
            }
            21..=29 => {
                let piece = choices.number() % 5000 + 1;
                let bytes = choices.plain(*left);
                *left -= bytes.len();
                if kind < 25 { Value::Bytes(bytes) } else { Value::Pieces(bytes, piece) }
            }
            _ => return None,
        })
    }

    /// The same kind and size with other contents.
    pub fn forget(&mut self) {
        match self {
            Value::Bool(value) => *value = !*value,
            Value::U8(value) => *value = !*value,
            Value::U16(value) | Value::IoPort(value) | Value::Selector(value) => *value = !*value,
            Value::U32(value) | Value::GcPhys32(value) | Value::RcPtr(value) => *value = !*value,
            Value::U64(value) | Value::GcPhys(value) | Value::GcPtr(value) | Value::GcPhys64(value) => *value = !*value,
            Value::U128(value) => *value = !*value,
            Value::I8(value) => *value = !*value,
            Value::I16(value) => *value = !*value,
            Value::I32(value) => *value = !*value,
            Value::I64(value) => *value = !*value,
            Value::I128(value) => *value = !*value,
            Value::Struct(value) => *value = Registers::default(),
            Value::Text(value) => value.clear(),
            Value::String(value) => value.clear(),
            Value::Bytes(value) | Value::Pieces(value, _) => value.iter_mut().for_each(|byte| *byte = !*byte),
        }
    }

    pub fn put(&self, put: &mut Put<'_>) -> Result<(), UnitError> {
        match self {
            Value::Bool(value) => put.bool(*value),
            Value::U8(value) => put.u8(*value),
            Value::U16(value) => put.u16(*value),
            Value::U32(value) => put.u32(*value),
            Value::U64(value) => put.u64(*value),
            Value::U128(value) => put.u128(*value),
            Value::I8(value) => put.i8(*value),
            Value::I16(value) => put.i16(*value),
            Value::I32(value) => put.i32(*value),
            Value::I64(value) => put.i64(*value),
            Value::I128(value) => put.i128(*value),
            Value::GcPhys(value) => put.gc_phys(*value),
            Value::GcPtr(value) => put.gc_ptr(*value),
            Value::GcPhys32(value) => put.gc_phys32(*value),
            Value::GcPhys64(value) => put.gc_phys64(*value),
            Value::RcPtr(value) => put.rc_ptr(*value),
            Value::IoPort(value) => put.io_port(*value),
            Value::Selector(value) => put.selector(*value),
            Value::Struct(value) => put.fields(value, fields![Registers: wide, narrow, flag]),
            Value::Text(value) => put.str(value),
            Value::String(value) => put.string(value),
            Value::Bytes(value) => put.bytes(value),
            Value::Pieces(value, piece) => value.chunks(*piece).try_for_each(|piece| put.bytes(piece)),
        }
    }

    pub fn get(&mut self, get: &mut Get<'_>) -> Result<(), UnitError> {
        match self {
            Value::Bool(value) => *value = get.bool()?,
            Value::U8(value) => *value = get.u8()?,
            Value::U16(value) => *value = get.u16()?,
            Value::U32(value) => *value = get.u32()?,
            Value::U64(value) => *value = get.u64()?,
            Value::U128(value) => *value = get.u128()?,
            Value::I8(value) => *value = get.i8()?,
            Value::I16(value) => *value = get.i16()?,
            Value::I32(value) => *value = get.i32()?,
            Value::I64(value) => *value = get.i64()?,
            Value::I128(value) => *value = get.i128()?,
            Value::GcPhys(value) => *value = get.gc_phys()?,
            Value::GcPtr(value) => *value = get.gc_ptr()?,
            Value::GcPhys32(value) => *value = get.gc_phys32()?,
            Value::GcPhys64(value) => *value = get.gc_phys64()?,
            Value::RcPtr(value) => *value = get.rc_ptr()?,
            Value::IoPort(value) => *value = get.io_port()?,
            Value::Selector(value) => *value = get.selector()?,
            Value::Struct(value) => get.fields(value, fields![Registers: wide, narrow, flag])?,
            Value::Text(value) => *value = get.str(&mut [0; 8])?.into(),
            Value::String(value) => *value = get.string(&mut [0; 256])?.to_vec(),
            Value::Bytes(value) => get.bytes(value)?,
            Value::Pieces(value, piece) => value.chunks_mut(*piece + 1).try_for_each(|piece| get.bytes(piece))?,
        }
        Ok(())
    }
}
