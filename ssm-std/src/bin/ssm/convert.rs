//! `ssm convert`: any readable file to format 1.2.

use crate::failure::Failed;
use crate::input::{Archive, Input, PIECE, Reading, pieces};
use crate::output::{message, replace};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use ssm_core::{Encode, Header, Memory, SaveError, Store, Writer, WriterVersion};
use ssm_std::{Codec, Crc32Fast, Error, FromStd};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

/// Rewrite a file in format 1.2, packed with another codec
///
/// The units keep their names, instances, versions, plain bytes and order, and the header its fields. The file is
/// checked first, and OUT is replaced as a whole or not at all; it may be the same file as IN.
#[derive(clap::Args)]
pub struct Arguments {
    /// The saved state, of any format that is read
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The new file
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// How to pack the units
    #[arg(long, default_value = Codec::default().as_str(), value_parser = codec())]
    codec: Codec,
    /// What a 1.1 file does not say: how wide a guest-physical address is in its units, 4 or 8 (8 unless given)
    #[arg(long, value_name = "BYTES", value_parser = width())]
    gc_phys_bytes: Option<u8>,
    /// What a 1.1 file does not say: how wide a guest pointer is in its units, 4 or 8 (8 unless given)
    #[arg(long, value_name = "BYTES", value_parser = width())]
    gc_ptr_bytes: Option<u8>,
}

fn codec() -> impl TypedValueParser<Value = Codec> {
    PossibleValuesParser::new(Codec::ALL.map(Codec::as_str)).try_map(|name| name.parse::<Codec>())
}

fn width() -> impl TypedValueParser<Value = u8> {
    PossibleValuesParser::new(["4", "8"]).try_map(|width| width.parse::<u8>())
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failed> {
        let mut input = Input::open(&self.input, false, 1)?;
        let header = self.header(input.read(|archive| Ok(*archive.header()))?)?;
        replace(&self.output, |file| {
            let mut scratch = vec![0; 2 * PIECE];
            let failed = |error: SaveError<io::Error>| Failed::from(Error::new(&self.output, error));
            let writer = Writer::new(FromStd::new(file), self.codec.encoder(), Crc32Fast, &header, &mut scratch);
            let mut writer = writer.map_err(failed)?;
            input.read(|archive| copy_units(archive, &mut writer))?.map_err(failed)?;
            writer.finish().map_err(failed)?;
            Ok(())
        })
    }

    /// The header of the new file.
    fn header(&self, old: Header) -> Result<Header, Failed> {
        let header = Header {
            gc_phys_bytes: self.width("guest-physical address", old.gc_phys_bytes, self.gc_phys_bytes)?,
            gc_ptr_bytes: self.width("guest pointer", old.gc_ptr_bytes, self.gc_ptr_bytes)?,
            ..old
        };
        // Some versions are read, as the original readers did, that none may write.
        match Writer::new(Memory::new([0; 128]), Store, Crc32Fast, &header, &mut [0]) {
            Err(SaveError::Header(error)) => {
                let WriterVersion { major, minor, build, revision } = WriterVersion::UNSPECIFIED;
                let version = format!("version {major}.{minor}.{build}, revision {revision}");
                let (old, new) = (self.input.display(), self.output.display());
                let warning = format!("warning: {old}: {error}; {new} says {version}");
                let _ = writeln!(io::stderr(), "{}", message(&warning, "  "));
                Ok(header.by(WriterVersion::UNSPECIFIED))
            }
            _ => Ok(header),
        }
    }

    fn width(&self, field: &str, old: Option<u8>, given: Option<u8>) -> Result<Option<u8>, Failed> {
        match (old, given) {
            (Some(old), Some(given)) if old != given => {
                Err(Failed::usage(&self.input, format!("its header says {old} {field} bytes, {given} given")))
            }
            _ => Ok(old.or(given)),
        }
    }
}

/// Copies unit by unit in constant memory. The outer error is that of the old file, the inner that of the new one.
fn copy_units<C: Encode>(
    archive: &mut Archive,
    writer: &mut Writer<'_, FromStd<&mut File>, C, Crc32Fast>,
) -> Reading<Result<(), SaveError<io::Error>>> {
    let mut buffer = vec![0; PIECE];
    let mut units = archive.units();
    while let Some(mut unit) = units.next_unit()? {
        let (name, instance, version) = (unit.name().to_vec(), unit.instance(), unit.version());
        let has_data = unit.packed_len() > 0;
        let copied = unit.read(|get| {
            Ok(writer.unit(&name, instance, version, &mut |put| {
                if has_data {
                    // A unit that put nothing but zero bytes stays told apart from one that put nothing.
                    put.bytes(&[])?;
                }
                pieces(get, u64::MAX, &mut buffer, |piece| put.bytes(piece))?
            }))
        })?;
        if copied.is_err() {
            return Ok(copied);
        }
    }
    Ok(Ok(()))
}
