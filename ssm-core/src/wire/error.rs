//! What the bytes are not.

use core::fmt;

/// A field of the header whose range is checked; the value is its offset in format 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum HeaderField {
    /// The writer's major version.
    Major = 64,
    /// The writer's minor version.
    Minor = 66,
    /// The writer's build.
    Build = 68,
    /// The writer's revision.
    Revision = 72,
    /// The host's pointer width in bits.
    HostBits = 76,
    /// The width of a guest-physical address in bytes.
    GcPhysBytes = 77,
    /// The width of a guest pointer in bytes.
    GcPtrBytes = 78,
}

impl fmt::Display for HeaderField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HeaderField::Major => "major version",
            HeaderField::Minor => "minor version",
            HeaderField::Build => "build",
            HeaderField::Revision => "revision",
            HeaderField::HostBits => "host bits",
            HeaderField::GcPhysBytes => "guest-physical address bytes",
            HeaderField::GcPtrBytes => "guest pointer bytes",
        })
    }
}

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
        /// The field: one of the last three.
        field: HeaderField,
        /// Its value.
        found: u8,
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
        /// The header's CRC-32.
        stored: u32,
        /// The CRC-32 of the covered bytes.
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
    /// Where in the header the field is that this error is about, in bytes from its start.
    pub(crate) const fn header_offset(&self) -> u64 {
        match self {
            FormatError::Writer { field, .. } | FormatError::Width { field, .. } => *field as u64,
            FormatError::Version { .. } => 23,
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
            FormatError::Writer { .. } => "writer",
            FormatError::Width { .. } => "width",
            FormatError::Machine => "machine",
            FormatError::Size { .. } => "size",
            FormatError::Crc { .. } => "crc",
            FormatError::UnitMagic { .. } => "unit-magic",
            FormatError::UnitName { .. } => "unit-name",
            FormatError::UnitLength { .. } => "unit-length",
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
            FormatError::Version { found: [b'1', b'.', b'0'..=b'2'] } => {
                f.write_str("other bytes found behind the magic's version, a line feed and zeros expected")
            }
            FormatError::Version { found } => {
                write!(f, "saved state of format {} found, 1.0, 1.1 or 1.2 expected", found.escape_ascii())
            }
            FormatError::Writer { field, found, max } => {
                write!(f, "{field} {found} found, 1 to {max} expected")
            }
            FormatError::Width { field, found } => write!(
                f,
                "{found} {field} found, {} expected",
                if field == HeaderField::HostBits { "32 or 64" } else { "4 or 8" }
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
            FormatError::UnitMagic { found } => {
                write!(f, "\"{}\" found, a unit or the end record expected", found.escape_ascii())
            }
            FormatError::UnitName { found } => {
                write!(f, "unit name of {found} bytes found, 1 to 255 bytes and then the only NUL expected")
            }
            FormatError::UnitLength { found, min, max } => {
                write!(f, "unit length {found} found, {min} to {max} expected")
            }
            FormatError::Codec { tag } => write!(f, "codec tag {tag} found, which this reader does not have"),
            FormatError::Packed => f.write_str("the packed bytes do not decode"),
            FormatError::PackedEnd => f.write_str("the unit ends inside a packed block or stream"),
            FormatError::Window => f.write_str("a packed block reaches further back than the decoder's window"),
        }
    }
}

impl core::error::Error for FormatError {}
