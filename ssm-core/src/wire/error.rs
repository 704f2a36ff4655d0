//! What the bytes are not.

use super::{HeaderField, Structure};
use core::fmt;

/// A rule of the format that the bytes break, with what was found and what was expected.
///
/// The operation that met it adds the place: see [`LoadError::Format`](crate::LoadError::Format).
/// The check behind each variant is in the "Checks" chapter of `SPEC.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FormatError {
    /// The medium ends before a structure does: `needed` bytes were wanted at the place, `found` are there.
    Truncated {
        /// Bytes that the structure takes.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The first 32 bytes are not the magic of a saved state.
    Magic,
    /// A saved state, but of a format that is not read here, or its magic goes on differently (Q2); the three characters
    /// after the `V`.
    Version {
        /// Such as `*b"2.0"`.
        found: [u8; 3],
    },
    /// A 1.x file, where only files that are read front to back can be read; the three characters after the `V`.
    Patched {
        /// Such as `*b"1.2"`.
        found: [u8; 3],
    },
    /// A field of the writer's version is outside the range that genuine writers use (Q11).
    Writer {
        /// The field: one of the first four.
        field: HeaderField,
        /// Its value.
        found: u32,
        /// The largest value allowed; the smallest is 1.
        max: u32,
    },
    /// A width in the header is neither of the two that exist.
    Width {
        /// The field: one of the three widths.
        field: HeaderField,
        /// Its value.
        found: u8,
    },
    /// A field of a 2.0 header has a value that no writer gives it.
    Stream {
        /// The field: one of the last three.
        field: HeaderField,
        /// Its value.
        found: u32,
    },
    /// The machine's UUID is not nil (Q9).
    Machine,
    /// The size in the header is not the size of the medium. A stored size of 0 is a save that was never finished (Q10).
    Size {
        /// The header's size in bytes.
        stored: u64,
        /// The medium's size in bytes.
        actual: u64,
    },
    /// The checksum does not fit the bytes.
    Crc {
        /// The CRC-32 that the file has.
        stored: u32,
        /// The CRC-32 of the covered bytes; 0 in a 2.0 file whose header says that the stream has none.
        computed: u32,
    },
    /// The checksum that a structure of a 2.0 file has of its own does not fit it.
    StructureCrc {
        /// The structure.
        of: Structure,
        /// Its CRC-32 field.
        stored: u32,
        /// The CRC-32 of its bytes.
        computed: u32,
    },
    /// Neither a unit nor the end record stands where one must.
    UnitMagic {
        /// The eight bytes that stand there.
        found: [u8; 8],
    },
    /// A unit's name is empty, longer than 255 bytes, not terminated, or holds a NUL.
    UnitName {
        /// The length field: bytes of the name and its NUL.
        found: u32,
    },
    /// A unit's length does not hold its own header and name, or reaches beyond the medium.
    UnitLength {
        /// The length field in bytes.
        found: u64,
        /// The smallest that is possible here.
        min: u64,
        /// The largest that is possible here.
        max: u64,
    },
    /// The offset in a 2.0 unit header is not the unit's.
    UnitOffset {
        /// The offset field.
        found: u64,
    },
    /// The flags in a 2.0 unit header are not 0.
    UnitFlags {
        /// The flags field.
        found: u32,
    },
    /// A unit is of an earlier live pass than what stands before it (Q34).
    PassOrder {
        /// Its pass.
        found: u32,
    },
    /// The end unit of a 2.0 file has a field that is not as it must be.
    EndUnit,
    /// The first byte of a record is none that a record starts with.
    Record {
        /// The byte.
        found: u8,
    },
    /// A record of the type that is named in the format and that no reader reads.
    RecordType {
        /// The byte.
        found: u8,
    },
    /// A record's size is not written as it must be, or no size.
    RecordSize,
    /// A packed or zero record has sizes that it cannot have (SPEC.md, "Records").
    Block {
        /// Bytes of the record.
        len: u32,
        /// Its plain bytes in KiB.
        kib: u8,
    },
    /// A field of a unit's terminator is not as it must be.
    Terminator {
        /// Bytes of the unit's records, as the terminator says.
        stored: u64,
        /// Bytes of the unit's records.
        actual: u64,
    },
    /// The checksum in a unit's terminator does not fit the file so far.
    TerminatorCrc {
        /// The terminator's CRC-32.
        stored: u32,
        /// The CRC-32 so far.
        computed: u32,
    },
    /// No directory stands where it must.
    DirectoryMagic,
    /// The directory has another number of entries than the footer says, or too many.
    Directory {
        /// Entries that the directory says.
        stored: u32,
        /// Entries that the footer says; the largest possible number where it is not known yet.
        expected: u32,
    },
    /// An entry of the directory points to where no unit of its name and instance is.
    DirectoryEntry {
        /// The offset that it points to.
        found: u64,
    },
    /// The footer is not at the end of the file, or has a field that is not as it must be.
    Footer,
    /// The unit's first packed byte names a codec that the reader does not have.
    Codec {
        /// The tag byte.
        tag: u8,
    },
    /// The packed bytes of a unit do not decode.
    Packed,
    /// The unit ends in the middle of a packed block or stream (Q17).
    PackedEnd,
    /// A packed block reaches further back than the decoder's window holds. The file may be sound: give a larger window.
    Window,
}

impl FormatError {
    /// Where in the header of a 1.x or a 2.0 file the field is that this error is about, in bytes from its start.
    pub(crate) const fn header_offset(&self, streamed: bool) -> u64 {
        match self {
            FormatError::Writer { field, .. }
            | FormatError::Width { field, .. }
            | FormatError::Stream { field, .. } => field.offset(streamed),
            FormatError::StructureCrc { .. } => 60,
            FormatError::Version { .. } | FormatError::Patched { .. } => 23,
            FormatError::Machine => 48,
            _ => 0,
        }
    }

    /// A short and stable word for the kind of damage, as `ssm verify --json` prints it.
    ///
    /// ```
    /// assert_eq!(ssm_core::FormatError::Magic.kind(), "magic");
    /// ```
    pub const fn kind(&self) -> &'static str {
        match self {
            FormatError::Truncated { .. } => "truncated",
            FormatError::Magic => "magic",
            FormatError::Version { .. } => "version",
            FormatError::Patched { .. } => "patched",
            FormatError::Writer { .. } => "writer",
            FormatError::Width { .. } => "width",
            FormatError::Stream { .. } => "stream-field",
            FormatError::Machine => "machine",
            FormatError::Size { .. } => "size",
            FormatError::Crc { .. } => "crc",
            FormatError::StructureCrc { of, .. } => match of {
                Structure::Header => "header-crc",
                Structure::Unit => "unit-crc",
                Structure::Directory => "directory-crc",
                Structure::Footer => "footer-crc",
            },
            FormatError::UnitMagic { .. } => "unit-magic",
            FormatError::UnitName { .. } => "unit-name",
            FormatError::UnitLength { .. } => "unit-length",
            FormatError::UnitOffset { .. } => "unit-offset",
            FormatError::UnitFlags { .. } => "unit-flags",
            FormatError::PassOrder { .. } => "pass-order",
            FormatError::EndUnit => "end-unit",
            FormatError::Record { .. } => "record",
            FormatError::RecordType { .. } => "record-type",
            FormatError::RecordSize => "record-size",
            FormatError::Block { .. } => "block",
            FormatError::Terminator { .. } => "terminator",
            FormatError::TerminatorCrc { .. } => "terminator-crc",
            FormatError::DirectoryMagic => "directory-magic",
            FormatError::Directory { .. } => "directory",
            FormatError::DirectoryEntry { .. } => "directory-entry",
            FormatError::Footer => "footer",
            FormatError::Codec { .. } => "codec",
            FormatError::Packed => "packed",
            FormatError::PackedEnd => "packed-end",
            FormatError::Window => "window",
        }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            FormatError::Truncated { needed, found } => {
                write!(f, "the file ends early: {found} bytes found, {needed} expected")
            }
            FormatError::Magic => f.write_str("not a saved state: the magic was not found"),
            FormatError::Version { found: [b'1', b'.', b'0'..=b'2'] | [b'2', b'.', b'0'] } => {
                f.write_str("other bytes found behind the magic's version, a line feed and zeros expected")
            }
            FormatError::Version { found } => {
                write!(f, "saved state of format {} found, 1.0, 1.1, 1.2 or 2.0 expected", found.escape_ascii())
            }
            FormatError::Patched { found } => {
                write!(f, "saved state of format {} found, which is not read front to back", found.escape_ascii())
            }
            FormatError::Writer { field, found, max } => {
                write!(f, "{field} {found} found, 1 to {max} expected")
            }
            FormatError::Width { field, found } => write!(
                f,
                "{found} {field} found, {} expected",
                if field == HeaderField::HostBits { "32 or 64" } else { "4 or 8" }
            ),
            FormatError::Stream { field, found } => write!(
                f,
                "{field} {found} found, {} expected",
                match field {
                    HeaderField::Flags => "0 to 3",
                    HeaderField::Block => "1024 to 4096 in steps of 256",
                    _ => "0",
                }
            ),
            FormatError::Machine => f.write_str("machine UUID found, all zeros expected"),
            FormatError::Size { stored: 0, actual } => {
                write!(f, "the save was never finished: size 0 stored, {actual} bytes expected")
            }
            FormatError::Size { stored, actual } => {
                write!(f, "{actual} bytes found, {stored} expected")
            }
            FormatError::Crc { stored, computed } => {
                write!(f, "checksum {computed:#010x} found, {stored:#010x} expected")
            }
            FormatError::StructureCrc { of, stored, computed } => {
                write!(f, "{of}: checksum {computed:#010x} found, {stored:#010x} expected")
            }
            FormatError::UnitMagic { found } => {
                write!(f, "\"{}\" found, a unit or the end record expected", found.escape_ascii())
            }
            FormatError::UnitName { found } => {
                write!(f, "unit name of {found} bytes found: it is empty, too long, or does not end with its only NUL")
            }
            FormatError::UnitLength { found, min, max } => {
                write!(f, "unit length {found} found, {min} to {max} expected")
            }
            FormatError::UnitOffset { found } => write!(f, "unit header of offset {found} found"),
            FormatError::UnitFlags { found } => write!(f, "unit flags {found:#x} found, 0 expected"),
            FormatError::PassOrder { found } => write!(f, "pass {found} found behind a later one"),
            FormatError::EndUnit => f.write_str("the end unit has a field that is not as it must be"),
            FormatError::Record { found } => {
                write!(f, "byte {found:#04x} found, a record of type 1 to 4 expected")
            }
            FormatError::RecordType { found } => {
                write!(f, "named record {found:#04x} found, which no reader reads")
            }
            FormatError::RecordSize => f.write_str("the record's size is not written in its shortest form, or no size"),
            FormatError::Block { len, kib } => {
                write!(f, "packed or zero record of {len} bytes for {kib} KiB found, which cannot be")
            }
            FormatError::Terminator { stored, actual } => {
                write!(f, "unit terminator with a wrong size, flag or length {stored} found, length {actual} expected")
            }
            FormatError::TerminatorCrc { stored, computed } => {
                write!(f, "unit terminator: checksum {computed:#010x} found, {stored:#010x} expected")
            }
            FormatError::DirectoryMagic => f.write_str("no directory found where one is expected"),
            FormatError::Directory { stored, expected } => {
                write!(f, "directory of {stored} entries found, {expected} expected")
            }
            FormatError::DirectoryEntry { found } => {
                write!(f, "directory entry points to {found}, where its unit is not")
            }
            FormatError::Footer => f.write_str("no footer found at the end of the file: it ends early or goes on"),
            FormatError::Codec { tag } => write!(f, "codec tag {tag} found, which this reader does not have"),
            FormatError::Packed => f.write_str("the packed bytes do not decode"),
            FormatError::PackedEnd => f.write_str("the unit ends inside a packed block or stream"),
            FormatError::Window => f.write_str("a packed block reaches further back than the decoder's window"),
        }
    }
}

impl core::error::Error for FormatError {}
