//! `ssm slots`: the saved states in the image of a flash.

mod image;

use crate::failure::{DAMAGED, Failed};
use crate::hexdump::number;
use crate::output::{message, not_over_itself, print, print_json, replace, say_note};
use crate::size::{sized, sized_cell};
use clap::builder::styling::{AnsiColor, Style};
use image::{Image, Ranges, Slot, Store};
use serde::Serialize;
use ssm_std::{Error, Failure};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

const LONG_HELP: &str = "\
Where the slots are:
  Without --slots the image is searched for commit records, and slots without
  one are not shown. They are numbered from the start of the image, or from
  --offset, if they lie on multiples of their length from there, or else from the
  first that was found. If an image has several stores, choose one with --offset
  and --length.
  With --slots the range from --offset (0), of --length bytes (up to the end of
  the image), is split as the device did it: evenly, and by whole blocks. If it
  does not divide evenly --erase-size is needed. The content begins behind the
  commit record, at the next word of the flash; words of powers of two up to
  256 bytes are found out, others are given with --write-size.

JSON:
  [{\"offset\":..,\"slot_bytes\":..,\"latest\":..,\"slots\":[
    {\"slot\":..,\"offset\":..,\"generation\":..,\"bytes\":..,\"crc32\":..,
     \"whole\":..,\"error\":..},..]},..]
  One object for each store, with the number of the slot of its latest state, or
  null. With --slots a slot without a commit record is there, and generation,
  bytes and crc32 are null. The error, with --verify, is null or
  {\"kind\":..,\"message\":..}; the kinds are those of ssm verify, and \"content\"
  where the bytes do not have the CRC-32 of their commit record.

Examples:
  ssm slots flash.bin
  ssm slots flash.bin --verify
  ssm slots flash.bin --extract latest -o machine.sav
  ssm slots flash.bin --offset 0x40000 --length 0x20000 --slots 2";

/// List, check and extract the saved states in an image of NOR flash
///
/// The image is a file with the bytes of a flash, as read from a device, or what ssm_std::FileFlash writes. It is never
/// written. The latest state is the whole one with the highest generation; a device goes on with it. If a newer one is
/// there and damaged, --extract latest says so on standard error. Numbers are decimal, or hexadecimal after 0x.
#[derive(clap::Args)]
#[command(after_long_help = LONG_HELP)]
pub struct Arguments {
    /// The image: a file or a block device
    image: PathBuf,
    /// Start at this byte of the image
    #[arg(long, value_name = "N", value_parser = number, allow_hyphen_values = true)]
    offset: Option<u64>,
    /// Go on for this many bytes
    #[arg(long, value_name = "N", value_parser = number, allow_hyphen_values = true)]
    length: Option<u64>,
    /// The range holds this many slots
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..))]
    slots: Option<u8>,
    /// Bytes that the flash erases at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), requires = "slots")]
    erase_size: Option<u32>,
    /// Bytes that the flash writes at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    write_size: Option<u32>,
    /// Check every whole state as ssm verify does; exit status 1 if anything is wrong
    #[arg(long)]
    verify: bool,
    /// Write the state in this slot, or the latest one, to a file
    #[arg(long, value_name = "SLOT|latest", value_parser = choice, requires = "output", conflicts_with_all = ["verify", "json"])]
    extract: Option<Choice>,
    /// The file to replace by it
    #[arg(short, long, value_name = "OUT", requires = "extract")]
    output: Option<PathBuf>,
    /// Print a JSON array with one object for each store (see --help)
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy)]
enum Choice {
    Slot(u64),
    Latest,
}

fn choice(text: &str) -> Result<Choice, String> {
    if text == "latest" {
        Ok(Choice::Latest)
    } else {
        number(text).map(Choice::Slot).map_err(|_| "not a number".to_owned())
    }
}

#[derive(Serialize)]
struct StoreJson {
    offset: u64,
    slot_bytes: u64,
    latest: Option<u64>,
    slots: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    slot: u64,
    offset: u64,
    generation: Option<u64>,
    bytes: Option<u32>,
    crc32: Option<String>,
    whole: bool,
    error: Option<Damage>,
}

#[derive(Serialize)]
struct Damage {
    kind: &'static str,
    message: String,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode, Failed> {
        let mut image = Image::open(&self.image)?;
        let ranges = Ranges {
            offset: self.offset,
            length: self.length,
            slots: self.slots,
            erase_size: self.erase_size,
            write_size: self.write_size,
        };
        let stores = image.stores(&ranges)?;
        if stores.iter().all(|store| store.slots.iter().all(|slot| slot.state.is_none())) {
            return Err(self.damaged("no commit record of a saved state found"));
        }
        if let (Some(choice), Some(output)) = (self.extract, &self.output) {
            not_over_itself(&self.image, output)?;
            let slot = self.choose(&stores, choice)?;
            let written = |written: io::Result<()>| {
                written.map_err(|source| Failed::from(Error::new(output, Failure::Io { doing: "write", source })))
            };
            if let Choice::Latest = choice {
                self.tell_newer(&stores, slot);
            }
            replace(output, &self.image, |file| written(image.copy(slot, file)?))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut shown = Vec::new();
        for store in &stores {
            let latest = store.latest().map(|slot| slot.number);
            let slots = store.slots.iter().map(|slot| self.row(&mut image, slot)).collect::<Result<_, _>>()?;
            shown.push(StoreJson { offset: store.offset, slot_bytes: store.slot_len, latest, slots });
        }
        if self.json {
            print_json(&shown)?
        } else {
            self.print(&shown)?
        }
        let is_sound = |store: &StoreJson| store.latest.is_some() && store.slots.iter().all(|row| row.error.is_none());
        Ok(if self.verify && !shown.iter().all(is_sound) { ExitCode::from(DAMAGED) } else { ExitCode::SUCCESS })
    }

    fn damaged(&self, message: &str) -> Failed {
        Failed { code: DAMAGED, ..Failed::usage(&self.image, message.to_owned()) }
    }

    /// The slot to extract.
    fn choose<'s>(&self, stores: &'s [Store], choice: Choice) -> Result<&'s Slot, Failed> {
        let [store] = stores else {
            let offsets: Vec<_> = stores.iter().map(|store| format!("{:#x}", store.offset)).collect();
            let message = format!("several stores, at {}: choose one with --offset and --length", offsets.join(", "));
            return Err(Failed::usage(&self.image, message));
        };
        match choice {
            Choice::Latest => store.latest().ok_or_else(|| self.damaged("no slot has a state that is whole")),
            Choice::Slot(number) => {
                let slot = store.slots.iter().find(|slot| slot.number == number && slot.state.is_some());
                let slot = slot.ok_or_else(|| Failed::usage(&self.image, format!("no state in slot {number}")))?;
                if slot.is_whole() { Ok(slot) } else { Err(self.damaged(&format!("slot {number}: {CONTENT}"))) }
            }
        }
    }

    /// That the newest state is not the one that is taken, and why.
    fn tell_newer(&self, stores: &[Store], taken: &Slot) {
        let generation = |slot: &Slot| slot.state.map(|state| state.record.generation);
        let newer = stores.iter().flat_map(|store| &store.slots).filter(|slot| generation(slot) > generation(taken));
        let mut newer: Vec<_> = newer.collect();
        newer.sort_by_key(|slot| std::cmp::Reverse(generation(slot)));
        let named = |slot: &Slot| format!("slot {} with generation {}", slot.number, generation(slot).unwrap_or(0));
        let Some(newest) = newer.first() else { return };
        let more = match newer.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more that are newer)"),
        };
        let text = format!("{} is taken: {}{more} is newer, but damaged: {CONTENT}", named(taken), named(newest));
        say_note(&self.image, &text);
    }

    fn row(&self, image: &mut Image, slot: &Slot) -> Result<Row, Failed> {
        let state = slot.state;
        let error = match (self.verify, state) {
            (true, Some(_)) if !slot.is_whole() => Some(Damage { kind: "content", message: CONTENT.to_owned() }),
            (true, Some(_)) => image.verify(slot)?.map(|failed| Damage { kind: failed.kind, message: failed.message }),
            _ => None,
        };
        Ok(Row {
            slot: slot.number,
            offset: slot.offset,
            generation: state.map(|state| state.record.generation),
            bytes: state.map(|state| state.record.len),
            crc32: state.map(|state| format!("{:08x}", state.record.crc)),
            whole: slot.is_whole(),
            error,
        })
    }

    fn print(&self, stores: &[StoreJson]) -> Result<(), Failed> {
        let bold = Style::new().bold();
        let (green, red) = (AnsiColor::Green.on_default().bold(), AnsiColor::Red.on_default().bold());
        print(|out| {
            for StoreJson { offset, slot_bytes, latest, slots } in stores {
                writeln!(out, "store at {offset:#x}, slots of {}", sized(*slot_bytes))?;
                let longest = |cells: &mut dyn Iterator<Item = usize>, head: &str| cells.fold(head.len(), usize::max);
                let digits = &mut slots.iter().filter_map(|row| Some(row.generation?.to_string().len()));
                let generations = longest(digits, "GENERATION");
                let sizes =
                    longest(&mut slots.iter().filter_map(|row| Some(sized_cell(row.bytes?.into()).len())), "BYTES");
                let heads = format!("{:>generations$}  {:>sizes$}", "GENERATION", "BYTES");
                writeln!(out, "{bold}SLOT      OFFSET  {heads}    CRC-32  STATE{bold:#}")?;
                for row in slots {
                    let generation = row.generation.map_or("-".to_owned(), |generation| generation.to_string());
                    let bytes = row.bytes.map_or("-".to_owned(), |bytes| sized_cell(bytes.into()));
                    let crc = row.crc32.as_deref().unwrap_or("-");
                    write!(out, "{:>4}  {:>#10x}  ", row.slot, row.offset)?;
                    write!(out, "{generation:>generations$}  {bytes:>sizes$}  {crc:>8}  ")?;
                    match (&row.error, row.generation) {
                        (_, None) => write!(out, "none")?,
                        (Some(Damage { kind, .. }), _) if row.whole => write!(out, "{red}damaged{red:#} ({kind})")?,
                        (None, _) if row.whole && self.verify => write!(out, "{green}sound{green:#}")?,
                        _ if row.whole => write!(out, "whole")?,
                        _ => write!(out, "{red}damaged{red:#}")?,
                    }
                    writeln!(out, "{}", if *latest == Some(row.slot) { ", latest" } else { "" })?;
                    if let Some(Damage { message, .. }) = &row.error {
                        writeln!(out, "{}", self::message(&format!("      {message}"), "        "))?;
                    }
                }
                if latest.is_none() {
                    writeln!(out, "{red}no state is whole{red:#}")?;
                }
            }
            Ok(())
        })
    }
}

const CONTENT: &str = "the content does not have the CRC-32 of its commit record";
