//! What errors name: fields of the header, structures of a file.

use core::fmt;

/// A field of the header whose range is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum HeaderField {
    /// The writer's major version.
    Major,
    /// The writer's minor version.
    Minor,
    /// The writer's build.
    Build,
    /// The writer's revision.
    Revision,
    /// The host's pointer width in bits.
    HostBits,
    /// The width of a guest-physical address in bytes.
    GcPhysBytes,
    /// The width of a guest pointer in bytes.
    GcPtrBytes,
    /// The byte that is always 0 (format 2.0).
    Reserved,
    /// The flags of the stream (format 2.0).
    Flags,
    /// The largest block that the writer packs, in bytes (format 2.0).
    Block,
}

impl HeaderField {
    /// Where the field is in a header of format 1.2 or 2.0, in bytes from its start.
    pub(super) const fn offset(self, streamed: bool) -> u64 {
        let (patched, stream) = match self {
            HeaderField::Major => (64, 32),
            HeaderField::Minor => (66, 34),
            HeaderField::Build => (68, 36),
            HeaderField::Revision => (72, 40),
            HeaderField::HostBits => (76, 44),
            HeaderField::GcPhysBytes => (77, 45),
            HeaderField::GcPtrBytes => (78, 46),
            HeaderField::Reserved => (79, 47),
            HeaderField::Flags => (0, 52),
            HeaderField::Block => (0, 56),
        };
        if streamed { stream } else { patched }
    }
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
            HeaderField::Reserved => "reserved byte",
            HeaderField::Flags => "stream flags",
            HeaderField::Block => "block bytes",
        })
    }
}

/// A structure of a 2.0 file that has a checksum of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Structure {
    /// The file's header.
    Header,
    /// A unit's header.
    Unit,
    /// The directory.
    Directory,
    /// The footer.
    Footer,
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Structure::Header => "header",
            Structure::Unit => "unit header",
            Structure::Directory => "directory",
            Structure::Footer => "footer",
        })
    }
}
