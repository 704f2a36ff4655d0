//! The host's side: the same program runs here, and the same machine is written with what only the host has.

use crate::board::SIZES;
use anyhow::{Context, Result, ensure};
use program::{Board, Machine, NOTES, Names, OLD_TIMER, STREAM_SCRATCH, Space, TIMER, register};
use ssm_core::{Encode, LzfEncoder, Memory, RecordCounts, Saver, Store, UnitId, Units};
use ssm_std::{Deflate, FromStd, Lzf, open_path};
use std::cell::RefCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

thread_local! {
    static FOLDER: RefCell<PathBuf> = RefCell::default();
}

/// The host as a board: files in a folder, also for what goes over the line, and an interrupt that is a call.
struct Host;

impl Board for Host {
    type Line = FromStd<File>;

    fn sender(name: &str) -> Self::Line {
        FromStd::new(File::create(path(name)).expect("create a file"))
    }

    fn receiver(name: &str) -> Self::Line {
        FromStd::new(File::open(path(name)).expect("open an input file"))
    }

    fn read(name: &str, into: &mut [u8]) -> usize {
        let bytes = fs::read(path(name)).expect("read an input file");
        into[..bytes.len()].copy_from_slice(&bytes);
        bytes.len()
    }

    fn write(name: &str, bytes: &[u8]) {
        fs::write(path(name), bytes).expect("write a file");
    }

    fn log(_: &str) {}

    fn interrupt() {
        program::interrupted();
    }
}

fn path(name: &str) -> PathBuf {
    FOLDER.with_borrow(|folder| folder.join(name))
}

/// Empties the folder and writes all input files for boards into it, and then all files that a board should write.
pub fn write_files(folder: &Path) -> Result<()> {
    empty(folder)?;
    FOLDER.set(folder.to_owned());
    let spaces = [
        program::space!(4 KiB, window 8192),
        program::space!(16 KiB, window 8192),
        program::space!(64 KiB, window 8192),
    ];
    let inflating = [program::inflating!(), program::inflating!(), program::inflating!()];
    for ((space, inflating), names) in spaces.into_iter().zip(inflating).zip(SIZES) {
        write_inputs(folder, &names)?;
        program::run::<Host>(Space { inflating: Some(inflating), ..space });
        check_records(folder, &names)?;
    }
    Ok(())
}

/// Empties a board's folder and gives it the input files, and nothing that it should write itself.
pub fn copy_inputs(host: &Path, folder: &Path) -> Result<()> {
    empty(folder)?;
    for names in SIZES {
        for name in inputs(&names) {
            fs::copy(host.join(name), folder.join(name)).with_context(|| format!("copy {name}"))?;
        }
    }
    Ok(())
}

/// The names of the files that boards read.
pub fn inputs(names: &Names) -> [&'static str; 6] {
    let Names { host_store, host_lzf, host_lzf_large, host_streamed_large, host_zlib, host_timers_1, .. } = *names;
    [host_store, host_lzf, host_lzf_large, host_streamed_large, host_zlib, host_timers_1]
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))
}

fn write_inputs(folder: &Path, names: &Names) -> Result<()> {
    let ram = names.kib << 10;
    let mut machine = Machine::new(vec![0; ram].leak());
    machine.fill();
    let units = register();
    let mut old = units.clone();
    ensure!(old.deregister_all(TIMER.owned_by()) == 2, "two timers");
    for instance in [0, 1] {
        old.register(OLD_TIMER.instance(instance))?;
    }
    let mut write = |name: &str, codec: &mut dyn Encode, form: Form, units: &Units<Machine>| -> Result<()> {
        let mut file = Memory::new(vec![0; ram * 2 + 4096]);
        let mut scratch = vec![0; 64 << 10];
        match form {
            Form::Patched => Saver::new(&mut file, codec, &mut scratch).notes(NOTES).save(&mut machine, units)?,
            Form::Streamed { scratch: len } => {
                Saver::streamed(&mut file, codec, &mut scratch[..len]).notes(NOTES).save(&mut machine, units)?
            }
        };
        fs::write(folder.join(name), file.bytes()).with_context(|| format!("write {name}"))
    };
    let mut small = LzfEncoder::<4096>::with_block(1024);
    write(names.host_store, &mut Store, Form::Patched, &units.units())?;
    write(names.host_lzf, &mut small, Form::Patched, &units.units())?;
    write(names.host_lzf_large, &mut Lzf::new(), Form::Patched, &units.units())?;
    write(names.host_zlib, &mut Deflate::default(), Form::Patched, &units.units())?;
    write(names.host_timers_1, &mut LzfEncoder::<256>::with_block(1024), Form::Patched, &old.units())?;
    write(names.host_streamed_large, &mut small, Form::Streamed { scratch: 64 << 10 }, &units.units())?;
    write(names.line_store, &mut Store, Form::Streamed { scratch: 64 << 10 }, &units.units())?;
    write(names.line_lzf, &mut small, Form::Streamed { scratch: STREAM_SCRATCH }, &units.units())?;
    let mut damaged = fs::read(folder.join(names.line_lzf))?;
    *damaged.last_mut().context("an empty file")? ^= 0x10;
    fs::write(folder.join(names.line_damaged), damaged).with_context(|| format!("write {}", names.line_damaged))
}

/// What a file is like.
enum Form {
    Patched,
    /// The scratch decides the size of blocks.
    Streamed {
        scratch: usize,
    },
}

/// Every kind of record goes over the line, both ways.
fn check_records(folder: &Path, names: &Names) -> Result<()> {
    for (name, is_packed) in
        [(names.streamed_store, false), (names.line_store, false), (names.streamed_lzf, true), (names.line_lzf, true)]
    {
        let mut archive = open_path(folder.join(name))?;
        let records = archive.seek(UnitId::new("ram", 0))?.records();
        let RecordCounts { raw, lzf, zero, .. } = records.with_context(|| format!("{name} is not of format 2.0"))?;
        ensure!(raw > 0 && (!is_packed || lzf > 0 && zero > 0), "{name} has {raw} raw, {lzf} LZF, {zero} zero records");
    }
    Ok(())
}
