//! Layer 2: values to bytes and back. A unit sees [`Put`] and [`Get`] and nothing below them.

mod field;
mod get;
mod item;
mod put;
mod widths;

pub use field::Field;
pub use get::Get;
pub(crate) use get::Source;
pub use item::{GcPhys, GcPtr, Item};
pub use put::Put;
pub(crate) use put::Sink;
pub(crate) use widths::Widths;

/// The longest string, in bytes (SPEC.md, "Strings").
pub const MAX_STRING: u32 = 1 << 20;

/// Stand around a struct's fields (SPEC.md, "Structs").
const STRUCT_BEGIN: u32 = 0x1920_0102;
const STRUCT_END: u32 = 0x1992_0406;
