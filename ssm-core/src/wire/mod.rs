//! Layer 0: the bytes of a saved state and nothing else. No I/O, no policy.
//!
//! Each file here is one structure of `SPEC.md`: its constants, a parsed view, `parse` and `emit`, and tests with literal bytes.

mod error;
mod header;
mod part;
pub(crate) mod streamed;
mod unit;

pub use error::FormatError;
pub(crate) use header::{CRC_FROM, HEADER_PROBE, SIZE_AT};
pub use header::{Format, Header, StreamFields, WriterVersion};
pub use part::{HeaderField, Structure};
pub use unit::MAX_FILE_NAME;
pub(crate) use unit::{Mark, UNIT_HEADER_LEN, UNIT_LEN_AT, UnitHeader};

/// The little-endian field at `at`, or zero where `bytes` is too short (callers check lengths first).
pub(crate) fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|tail| tail.first_chunk()).copied().unwrap_or([0; N])
}

/// Writes `value` at `at`; a field beyond the end is dropped (callers size their buffers by constants).
pub(crate) fn set_field<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    if let Some(place) = bytes.get_mut(at..).and_then(|tail| tail.first_chunk_mut()) {
        *place = value;
    }
}
