//! Values of all kinds that a unit can put, and get back.

use ssm_core::{Field, GcPhys, GcPtr, Get, Put, UnitError, fields};

/// A struct in a struct.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "any fields")]
pub struct Inner {
    pub port: u16,
    pub wide: i128,
    pub on: bool,
}

/// A struct with fields of all kinds.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "any fields")]
pub struct Record {
    pub inner: Inner,
    pub bytes: [u8; 5],
    pub words: [u32; 3],
    pub grid: [[i16; 2]; 2],
    pub address: GcPhys,
    pub pointer: GcPtr,
}

/// Its fields in a file.
pub const RECORD: &[Field<Record>] =
    fields![Record: inner.port, inner.wide, inner.on, bytes, words, grid, address, pointer];

/// A value, named as the method of `Put` that takes it.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the methods are documented")]
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
    Bytes(Vec<u8>),
    Str(String),
    String(Vec<u8>),
    Words(Vec<u16>),
    Record(Box<Record>),
    GcPhys(u64),
    GcPtr(u64),
    GcPhys32(u32),
    GcPhys64(u64),
    RcPtr(u32),
    IoPort(u16),
    Selector(u16),
}

impl Value {
    /// Puts it.
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
            Value::Bytes(value) => put.bytes(value),
            Value::Str(value) => put.str(value),
            Value::String(value) => put.string(value),
            Value::Words(value) => put.item(value.as_slice()),
            Value::Record(value) => put.fields(&**value, RECORD),
            Value::GcPhys(value) => put.gc_phys(*value),
            Value::GcPtr(value) => put.gc_ptr(*value),
            Value::GcPhys32(value) => put.gc_phys32(*value),
            Value::GcPhys64(value) => put.gc_phys64(*value),
            Value::RcPtr(value) => put.rc_ptr(*value),
            Value::IoPort(value) => put.io_port(*value),
            Value::Selector(value) => put.selector(*value),
        }
    }

    /// The value that is there, of the type of this one.
    pub fn got(&self, get: &mut Get<'_>) -> Result<Value, UnitError> {
        Ok(match self {
            Value::Bool(_) => Value::Bool(get.bool()?),
            Value::U8(_) => Value::U8(get.u8()?),
            Value::U16(_) => Value::U16(get.u16()?),
            Value::U32(_) => Value::U32(get.u32()?),
            Value::U64(_) => Value::U64(get.u64()?),
            Value::U128(_) => Value::U128(get.u128()?),
            Value::I8(_) => Value::I8(get.i8()?),
            Value::I16(_) => Value::I16(get.i16()?),
            Value::I32(_) => Value::I32(get.i32()?),
            Value::I64(_) => Value::I64(get.i64()?),
            Value::I128(_) => Value::I128(get.i128()?),
            Value::Bytes(value) => {
                let mut bytes = vec![0; value.len()];
                get.bytes(&mut bytes)?;
                Value::Bytes(bytes)
            }
            Value::Str(value) => Value::Str(get.str(&mut vec![0; value.len()])?.to_owned()),
            Value::String(value) => Value::String(get.string(&mut vec![0; value.len() + 9])?.to_owned()),
            Value::Words(value) => {
                let mut words = vec![0; value.len()];
                get.item(words.as_mut_slice())?;
                Value::Words(words)
            }
            Value::Record(_) => {
                let mut record = Box::<Record>::default();
                get.fields(&mut *record, RECORD)?;
                Value::Record(record)
            }
            Value::GcPhys(value) if value % 2 == 0 || *value > u32::MAX.into() => Value::GcPhys(get.gc_phys()?),
            Value::GcPhys(_) => Value::GcPhys(get.gc_phys_u32()?.into()),
            Value::GcPtr(value) if value % 2 == 0 || *value > u32::MAX.into() => Value::GcPtr(get.gc_ptr()?),
            Value::GcPtr(_) => Value::GcPtr(get.gc_ptr_u32()?.into()),
            Value::GcPhys32(_) => Value::GcPhys32(get.gc_phys32()?),
            Value::GcPhys64(_) => Value::GcPhys64(get.gc_phys64()?),
            Value::RcPtr(_) => Value::RcPtr(get.rc_ptr()?),
            Value::IoPort(_) => Value::IoPort(get.io_port()?),
            Value::Selector(_) => Value::Selector(get.selector()?),
        })
    }

    /// Bytes of the value in a file, by the rules of the format.
    pub fn len(&self, phys: u8, ptr: u8) -> u64 {
        match self {
            Value::Bool(_) | Value::U8(_) | Value::I8(_) => 1,
            Value::U16(_) | Value::I16(_) | Value::IoPort(_) | Value::Selector(_) => 2,
            Value::U32(_) | Value::I32(_) | Value::GcPhys32(_) | Value::RcPtr(_) => 4,
            Value::U64(_) | Value::I64(_) | Value::GcPhys64(_) => 8,
            Value::U128(_) | Value::I128(_) => 16,
            Value::Bytes(value) => value.len() as u64,
            Value::String(value) => 4 + value.len() as u64,
            Value::Str(value) => 4 + value.len() as u64,
            Value::Words(value) => 2 * value.len() as u64,
            Value::Record(_) => 4 + 2 + 16 + 1 + 5 + 12 + 8 + u64::from(phys) + u64::from(ptr) + 4,
            Value::GcPhys(_) => phys.into(),
            Value::GcPtr(_) => ptr.into(),
        }
    }
}
