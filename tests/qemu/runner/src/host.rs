//! The host's side: the same program runs here, and the same machine is written with what only the host has.

use crate::board::SIZES;
use anyhow::{Context, Result, ensure};
use program::{Board, Machine, NOTES, Names, OLD_TIMER, Space, TIMER, register};
use ssm_core::{Encode, LzfEncoder, Memory, Saver, Store};
use ssm_std::{Deflate, Lzf};
use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

thread_local! {
    static FOLDER: RefCell<PathBuf> = RefCell::default();
}

/// The host as a board: files in a folder, and an interrupt that is a call.
struct Host;

impl Board for Host {
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
        write_inputs(folder, &names, space.ram.len())?;
        program::run::<Host>(Space { inflating: Some(inflating), ..space });
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
pub fn inputs(names: &Names) -> [&'static str; 5] {
    [names.host_store, names.host_lzf, names.host_lzf_large, names.host_zlib, names.host_timers_1]
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))
}

fn write_inputs(folder: &Path, names: &Names, ram: usize) -> Result<()> {
    let mut machine = Machine::new(vec![0; ram].leak());
    machine.fill();
    let units = register();
    let mut old = units.clone();
    ensure!(old.deregister_all(TIMER.owned_by()) == 2, "two timers");
    for instance in [0, 1] {
        old.register(OLD_TIMER.instance(instance))?;
    }
    let mut write = |name: &str, codec: &mut dyn Encode, units: &[_]| -> Result<()> {
        let mut file = Memory::new(vec![0; ram * 2 + 4096]);
        let mut scratch = vec![0; 64 << 10];
        Saver::new(&mut file, codec, &mut scratch).notes(NOTES).save(&mut machine, units)?;
        fs::write(folder.join(name), file.bytes()).with_context(|| format!("write {name}"))
    };
    write(names.host_store, &mut Store, &units)?;
    write(names.host_lzf, &mut LzfEncoder::<4096>::with_block(1024), &units)?;
    write(names.host_lzf_large, &mut Lzf::new(), &units)?;
    write(names.host_zlib, &mut Deflate::default(), &units)?;
    write(names.host_timers_1, &mut LzfEncoder::<256>::with_block(1024), &old)
}
