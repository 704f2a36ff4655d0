//! The structures of format 2.0 (SPEC.md, "Format 2.0"), which is written and read front to back.
//!
//! Each has a checksum of its own, over its bytes with the checksum's field as zeros; a caller that can compute CRC-32
//! compares.

mod directory;
mod header;
mod record;
mod unit;

pub(crate) use directory::{
    DIRECTORY_COUNT_AT, DIRECTORY_CRC_AT, DIRECTORY_HEAD_LEN, DirectoryEntry, DirectoryHead, ENTRY_LEN, FOOTER_LEN,
    Footer, MAX_ENTRIES,
};
pub(crate) use header::{STREAM_HEADER_CRC, STREAM_HEADER_LEN, is_stream, not_a_stream, stored_header_crc};
pub(crate) use record::{
    MAX_BLOCK, MAX_RECORD_HEAD, Record, RecordKind, TERMINATOR_BODY_LEN, TERMINATOR_HEAD, Terminator, WholeRecord,
    size_bytes,
};
pub(crate) use unit::{
    FINAL_PASS, STREAM_UNIT_LEN, StreamMark, StreamUnit, UNIT_CRC_AT, UNIT_FLAGS_AT, UNIT_NAME_LEN_AT, UNIT_OFFSET_AT,
    UNIT_PASS_AT, UNIT_STREAM_CRC_AT,
};
