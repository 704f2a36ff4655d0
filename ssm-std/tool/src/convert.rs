//! `ssm convert`: any readable file to format 1.2 or 2.0.

use crate::changes::{Changes, CopiedUnit};
use crate::failure::Failed;
use crate::input::{Archive, Input, PIECE, Reading, Unit, header_of, pieces};
use crate::output::{message, replace, say_note, shown_path};
use crate::per_unit::PerUnit;
use crate::spool::shown;
use crate::survey::{Survey, survey};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use ssm_core::{Header, Memory, Put, SaveError, Store, StreamedUnit, UnitError, Writer, WriterVersion};
use ssm_std::{Codec, Crc32Fast, Error, Failure, SaveFormat, buffered_writer};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;

const LONG_HELP: &str = "\
What is kept:
  The format, unless --to says otherwise; 1.0 and 1.1 are not written and become
  1.2. Each unit's codec, unless --codec says otherwise; 2.0 has no zlib, and
  such units become lzf there. One line on standard error says what changed and
  what has no place in the new file, or that nothing changed. What does not fit
  at all, such as a name that is too long, is refused.

Codecs:
  VirtualBox's own reader does not reliably read zlib units that pack to more
  than 128 KiB. Take lzf for files that go back to it.

Live saves:
  Format 1.2 has one pass only. A live save whose units are in several passes
  is refused there, since each pass may hold what the others do not. Of the
  built-in units, SSM is taken from the final pass and SSMLiveControl is left
  out. From 2.0 to 2.0 all passes are kept, and which units are optional.

Examples:
  ssm convert old.sav new.sav --codec lzf
  ssm convert machine.sav streamed.sav --to 2.0
  ssh host cat machine.sav | ssm convert - machine.sav";

/// Rewrite a file in format 1.2 or 2.0, packed with another codec
///
/// The units keep their names, instances, versions, plain bytes and order, and the header its fields. The file is
/// checked first, and OUT is replaced as a whole or not at all; it may be the same file as IN. It is no more open to
/// others than IN.
#[derive(clap::Args)]
#[command(after_long_help = LONG_HELP)]
pub struct Arguments {
    /// The saved state, of any format that is read, or - for standard input
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The new file
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// The format of the new file; unless given, that of IN, or 1.2 where that is not written
    #[arg(long, value_name = "FORMAT", value_parser = format())]
    to: Option<SaveFormat>,
    /// How to pack all units; unless given, each as it is packed in IN
    #[arg(long, value_parser = codec())]
    codec: Option<Codec>,
    /// Refuse if anything has no place in the new file
    #[arg(long)]
    lossless: bool,
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
        self.refuse_zlib_in_2_0(self.to)?;
        let mut input = Input::open(&self.input, false, 1)?;
        let old = input.header();
        let to = self.to.unwrap_or(match old.format.is_streamed() {
            true => SaveFormat::V2_0,
            false => SaveFormat::V1_2,
        });
        self.refuse_zlib_in_2_0(Some(to))?;
        let survey = survey(&mut input)?;
        let fits = match to {
            SaveFormat::V1_2 => survey.fits_1_2(),
            SaveFormat::V2_0 => survey.fits_2_0(),
        };
        fits.map_err(|why| Failed::usage(&input.path, why))?;
        let header = survey.header(self.header(&input, old)?);
        let mut said = String::new();
        replace(&self.output, &self.input, |file| {
            let changes = match to {
                SaveFormat::V1_2 => self.write_patched(&mut input, &header, &survey, file),
                SaveFormat::V2_0 => self.write_streamed(&mut input, &header, &survey, file),
            }?;
            let lost = changes.lost();
            if self.lossless && !lost.is_empty() {
                let message = format!("format {to} has no place for {}", lost.join(" and "));
                return Err(Failed::usage(&input.path, message));
            }
            let written = header_of(file).map_err(|source| {
                Failed::from(Error::new(&self.output, Failure::Io { doing: "read back its header", source }))
            })?;
            said = changes.in_words(&old, &written.unwrap_or(header), self.to.is_some());
            Ok(())
        })?;
        input.progress.end();
        say_note(&self.output, &said);
        Ok(())
    }

    fn refuse_zlib_in_2_0(&self, to: Option<SaveFormat>) -> Result<(), Failed> {
        let (Some(format @ SaveFormat::V2_0), Some(codec @ Codec::Zlib)) = (to, self.codec) else { return Ok(()) };
        Err(Failed::usage(shown(&self.input), Failure::Codec { codec, format }.to_string()))
    }

    /// The codec of a unit in the new file.
    fn codec_of(&self, unit: &Copied<'_>, format: SaveFormat) -> Codec {
        match self.codec.or(unit.codec).unwrap_or_default() {
            Codec::Zlib if format == SaveFormat::V2_0 => Codec::Lzf,
            codec => codec,
        }
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
    ) -> Result<Changes, Failed> {
        let mut scratch = vec![0; 2 * PIECE];
        let failed = |error| self.failed(error);
        let (now, mut changes) = (Rc::new(Cell::new(Codec::Lzf)), Changes::default());
        let (medium, codec) = (buffered_writer(file), PerUnit::new(Rc::clone(&now)));
        let mut writer = Writer::new(medium, codec, Crc32Fast, header, &mut scratch).map_err(failed)?;
        let copied = input.read(|archive| {
            copy_units(archive, &mut |unit, save| {
                if survey.is_left_out(unit) {
                    changes.leave_out();
                    return Ok(());
                }
                now.set(self.codec_of(unit, SaveFormat::V1_2));
                writer.unit(unit.name, unit.instance, unit.version, save)?;
                changes.add(&unit.copied_to(now.get()), SaveFormat::V1_2);
                Ok(())
            })
        })?;
        copied.map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(changes)
    }

    fn write_streamed(
        &self,
        input: &mut Input,
        header: &Header,
        survey: &Survey,
        file: &mut File,
    ) -> Result<Changes, Failed> {
        let entries = survey.directory_entries();
        let mut scratch = vec![0; 2 * PIECE + ENTRY * entries];
        let failed = |error| self.failed(error);
        let (now, mut changes) = (Rc::new(Cell::new(Codec::Lzf)), Changes::default());
        let (medium, codec) = (buffered_writer(file), PerUnit::new(Rc::clone(&now)));
        let writer = Writer::streamed(medium, codec, Crc32Fast, header, entries, &mut scratch);
        let mut writer = writer.map_err(failed)?;
        let copied = input.read(|archive| {
            copy_units(archive, &mut |unit, save| {
                let how = StreamedUnit { pass: unit.pass, optional: unit.optional };
                now.set(self.codec_of(unit, SaveFormat::V2_0));
                writer.unit(unit.name, unit.instance, unit.version, how, save)?;
                changes.add(&unit.copied_to(now.get()), SaveFormat::V2_0);
                Ok(())
            })
        })?;
        copied.map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(changes)
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
                let (old, new) = (shown_path(&input.path), shown_path(&self.output));
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
    /// How it is packed; `None` if it has no data.
    pub codec: Option<Codec>,
    /// Whether it has data, be it zero bytes.
    has_data: bool,
    /// Whether any byte of it was copied.
    has_bytes: Cell<bool>,
}

impl Copied<'_> {
    /// What became of it.
    fn copied_to(&self, to: Codec) -> CopiedUnit {
        let is_empty_put = self.has_data && !self.has_bytes.get();
        CopiedUnit { from: self.codec, to, pass: self.pass, optional: self.optional, is_empty_put }
    }
}

type Save<'s> = &'s mut dyn FnMut(&mut Put<'_>) -> Result<(), UnitError>;
type Saved = Result<(), SaveError<io::Error>>;

/// Copies unit by unit in constant memory. The outer error is that of the old file, the inner that of the new one.
fn copy_units(archive: &mut Archive, write: &mut dyn FnMut(&Copied<'_>, Save<'_>) -> Saved) -> Reading<Saved> {
    let mut buffer = vec![0; PIECE];
    let mut units = archive.units();
    while let Some(mut unit) = units.next_unit()? {
        let name = unit.name().to_vec();
        let has_data = has_data(&unit);
        let codec = unit.codec()?.and_then(Codec::of_tag);
        let copied = Copied {
            name: &name,
            instance: unit.instance(),
            version: unit.version(),
            pass: unit.pass(),
            optional: unit.records().is_some_and(|records| records.is_optional),
            codec,
            has_data,
            has_bytes: Cell::new(false),
        };
        let written = unit.read(|get| {
            Ok(write(&copied, &mut |put| {
                if has_data {
                    // A unit that put nothing but zero bytes stays told apart from one that put nothing.
                    put.bytes(&[])?;
                }
                pieces(get, u64::MAX, &mut buffer, |piece| {
                    copied.has_bytes.set(true);
                    put.bytes(piece)
                })?
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
