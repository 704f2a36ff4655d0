//! `ssm convert`: any readable file to format 1.2 or 2.0.

use crate::failure::Failed;
use crate::input::{Archive, Input, PIECE, Reading, Unit, pieces};
use crate::output::{message, replace};
use crate::spool::shown;
use crate::survey::{Survey, survey};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use ssm_core::{Header, Memory, Put, SaveError, Store, StreamedUnit, UnitError, Writer, WriterVersion};
use ssm_std::{Codec, Crc32Fast, Error, Failure, SaveFormat, buffered_writer};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

const LONG_HELP: &str = "\
Live saves:
  Format 1.2 has one pass only. A live save whose units are in several passes
  is refused there, since each pass may hold what the others do not. Of the
  built-in units, SSM is taken from the final pass and SSMLiveControl is left
  out. From 2.0 to 2.0 all passes are kept, and which units are optional.

Examples:
  ssm convert old.sav new.sav --codec zlib
  ssm convert machine.sav streamed.sav --to 2.0
  ssh host cat machine.sav | ssm convert - machine.sav";

/// Rewrite a file in format 1.2 or 2.0, packed with another codec
///
/// The units keep their names, instances, versions, plain bytes and order, and the header its fields. The file is
/// checked first, and OUT is replaced as a whole or not at all; it may be the same file as IN.
#[derive(clap::Args)]
#[command(after_long_help = LONG_HELP)]
pub struct Arguments {
    /// The saved state, of any format that is read, or - for standard input
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The new file
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// The format of the new file
    #[arg(long, value_name = "FORMAT", default_value = SaveFormat::default().as_str(), value_parser = format())]
    to: SaveFormat,
    /// How to pack the units; 2.0 has no zlib
    #[arg(long, default_value = Codec::default().as_str(), value_parser = codec())]
    codec: Codec,
    /// What a 1.1 file does not say: how wide a guest-physical address is in its units, 4 or 8 (8 unless given)
    #[arg(long, value_name = "BYTES", value_parser = width())]
    gc_phys_bytes: Option<u8>,
    /// What a 1.1 file does not say: how wide a guest pointer is in its units, 4 or 8 (8 unless given)
    #[arg(long, value_name = "BYTES", value_parser = width())]
    gc_ptr_bytes: Option<u8>,
}

fn format() -> impl TypedValueParser<Value = SaveFormat> {
    PossibleValuesParser::new(SaveFormat::ALL.map(SaveFormat::as_str)).try_map(|name| name.parse::<SaveFormat>())
}

fn codec() -> impl TypedValueParser<Value = Codec> {
    PossibleValuesParser::new(Codec::ALL.map(Codec::as_str)).try_map(|name| name.parse::<Codec>())
}

fn width() -> impl TypedValueParser<Value = u8> {
    PossibleValuesParser::new(["4", "8"]).try_map(|width| width.parse::<u8>())
}

/// Bytes that the directory of a 2.0 file takes for each unit while it is written.
const ENTRY: usize = 16;

impl Arguments {
    pub fn run(&self) -> Result<(), Failed> {
        if (self.to, self.codec) == (SaveFormat::V2_0, Codec::Zlib) {
            let failure = Failure::Codec { codec: self.codec, format: self.to };
            return Err(Failed::usage(shown(&self.input), failure.to_string()));
        }
        let mut input = Input::open(&self.input, false, 1)?;
        let survey = survey(&mut input)?;
        let fits = match self.to {
            SaveFormat::V1_2 => survey.fits_1_2(),
            SaveFormat::V2_0 => survey.fits_2_0(),
        };
        fits.map_err(|why| Failed::usage(&input.path, why))?;
        let header = survey.header(self.header(&input, input.header())?);
        replace(&self.output, |file| match self.to {
            SaveFormat::V1_2 => self.write_patched(&mut input, &header, &survey, file),
            SaveFormat::V2_0 => self.write_streamed(&mut input, &header, &survey, file),
        })
    }

    fn failed(&self, error: SaveError<io::Error>) -> Failed {
        Error::new(&self.output, error).into()
    }

    fn write_patched(
        &self,
        input: &mut Input,
        header: &Header,
        survey: &Survey,
        file: &mut File,
    ) -> Result<(), Failed> {
        let mut scratch = vec![0; 2 * PIECE];
        let failed = |error| self.failed(error);
        let (medium, codec) = (buffered_writer(file), self.codec.encoder());
        let mut writer = Writer::new(medium, codec, Crc32Fast, header, &mut scratch).map_err(failed)?;
        let copied = input.read(|archive| {
            copy_units(archive, &mut |unit, save| {
                if survey.is_left_out(unit) {
                    return Ok(());
                }
                writer.unit(unit.name, unit.instance, unit.version, save)
            })
        })?;
        copied.map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(())
    }

    fn write_streamed(
        &self,
        input: &mut Input,
        header: &Header,
        survey: &Survey,
        file: &mut File,
    ) -> Result<(), Failed> {
        let entries = survey.directory_entries();
        let mut scratch = vec![0; 2 * PIECE + ENTRY * entries];
        let failed = |error| self.failed(error);
        let (medium, codec) = (buffered_writer(file), self.codec.encoder());
        let writer = Writer::streamed(medium, codec, Crc32Fast, header, entries, &mut scratch);
        let mut writer = writer.map_err(failed)?;
        let copied = input.read(|archive| {
            copy_units(archive, &mut |unit, save| {
                let how = StreamedUnit { pass: unit.pass, optional: unit.optional };
                writer.unit(unit.name, unit.instance, unit.version, how, save)
            })
        })?;
        copied.map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(())
    }

    /// The header of the new file.
    fn header(&self, input: &Input, old: Header) -> Result<Header, Failed> {
        let header = Header {
            gc_phys_bytes: self.width(input, "guest-physical address", old.gc_phys_bytes, self.gc_phys_bytes)?,
            gc_ptr_bytes: self.width(input, "guest pointer", old.gc_ptr_bytes, self.gc_ptr_bytes)?,
            ..old
        };
        // Some versions are read, as the original readers did, that none may write.
        match Writer::new(Memory::new([0; 128]), Store, Crc32Fast, &header, &mut [0]) {
            Err(SaveError::Header(error)) => {
                let WriterVersion { major, minor, build, revision } = WriterVersion::UNSPECIFIED;
                let version = format!("version {major}.{minor}.{build}, revision {revision}");
                let (old, new) = (input.path.display(), self.output.display());
                let warning = format!("warning: {old}: {error}; {new} says {version}");
                let _ = writeln!(io::stderr(), "{}", message(&warning, "  "));
                Ok(header.by(WriterVersion::UNSPECIFIED))
            }
            _ => Ok(header),
        }
    }

    fn width(&self, input: &Input, field: &str, old: Option<u8>, given: Option<u8>) -> Result<Option<u8>, Failed> {
        match (old, given) {
            (Some(old), Some(given)) if old != given => {
                Err(Failed::usage(&input.path, format!("its header says {old} {field} bytes, {given} given")))
            }
            _ => Ok(old.or(given)),
        }
    }
}

/// A unit that is copied.
pub struct Copied<'n> {
    pub name: &'n [u8],
    pub instance: u32,
    pub version: u32,
    pub pass: Option<u32>,
    pub optional: bool,
}

type Save<'s> = &'s mut dyn FnMut(&mut Put<'_>) -> Result<(), UnitError>;
type Saved = Result<(), SaveError<io::Error>>;

/// Copies unit by unit in constant memory. The outer error is that of the old file, the inner that of the new one.
fn copy_units(archive: &mut Archive, write: &mut dyn FnMut(&Copied<'_>, Save<'_>) -> Saved) -> Reading<Saved> {
    let mut buffer = vec![0; PIECE];
    let mut units = archive.units();
    while let Some(mut unit) = units.next_unit()? {
        let name = unit.name().to_vec();
        let copied = Copied {
            name: &name,
            instance: unit.instance(),
            version: unit.version(),
            pass: unit.pass(),
            optional: unit.records().is_some_and(|records| records.is_optional),
        };
        let has_data = has_data(&unit);
        let written = unit.read(|get| {
            Ok(write(&copied, &mut |put| {
                if has_data {
                    // A unit that put nothing but zero bytes stays told apart from one that put nothing.
                    put.bytes(&[])?;
                }
                pieces(get, u64::MAX, &mut buffer, |piece| put.bytes(piece))?
            }))
        })?;
        if written.is_err() {
            return Ok(written);
        }
    }
    Ok(Ok(()))
}

/// Format 2.0 does not tell units that put nothing from those that put zero bytes.
fn has_data(unit: &Unit<'_>) -> bool {
    match unit.records() {
        Some(records) => records.raw.max(records.lzf).max(records.zero) > 0,
        None => unit.packed_len() > 0,
    }
}
