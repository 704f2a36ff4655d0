//! The checks.

use ssm_core::{Entry, Get, Put, Unit, UnitError, Units};
use ssm_std::{Codec, Error, LoadOptions, SaveFormat, SaveOptions, leftovers, load_from_path, save_to_path};
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::os::windows::ffi::OsStringExt;
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::exit;

const FILE_SHARE_READ: u32 = 1;
const FILE_SHARE_WRITE: u32 = 2;
const FILE_SHARE_DELETE: u32 = 4;

struct Ram(Vec<u8>);

impl Unit for Ram {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(&self.0)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(&mut self.0)
    }
}

const UNITS: Units<Ram> = Units::new(&[Entry::new("ram", |ram, _| ram)]);
/// Larger than a buffer, with every pair of bytes that text would translate.
const LEN: usize = 200_000;

fn ram(seed: u8) -> Ram {
    let text = [0x0a, 0x0d, 0x1a, 0x00, seed];
    Ram((0..LEN).map(|at| text[(at * at / 7) % text.len()]).collect())
}

fn save(path: &Path, seed: u8) -> Result<u64, Error> {
    save_to_path(path, &mut ram(seed), &UNITS, SaveOptions::default())
}

/// Whether the file is that of this seed, whole.
fn holds(path: &Path, seed: u8) -> bool {
    let mut loaded = Ram(vec![0; LEN]);
    load_from_path(path, &mut loaded, &UNITS, LoadOptions::default()).is_ok() && loaded.0 == ram(seed).0
}

/// The save fails, the old state stays, and nothing else is in the folder.
fn refused(folder: &Path, path: &Path) -> Result<(), String> {
    match save(path, 2) {
        Ok(_) => return Err("the save succeeds".into()),
        Err(error) if error.is_io() => {}
        Err(error) => return Err(format!("{error}")),
    }
    is_as_before(folder)
}

fn is_as_before(folder: &Path) -> Result<(), String> {
    let left = leftovers(folder).map_err(|error| error.to_string())?;
    if left.is_empty() { Ok(()) } else { Err(format!("left behind: {left:?}")) }
}

fn that(is_so: bool, words: &str) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(words.to_owned()) }
}

/// Whether the script that runs this says that Windows is Wine here, which answers otherwise in a few places.
fn is_wine() -> bool {
    std::env::var_os("SSM_ON_WINE").is_some()
}

type Check = fn(&Path) -> Result<(), String>;

const CHECKS: &[(&str, Check)] = &[
    ("a new file and one that is replaced", |folder| {
        let path = folder.join("state.sav");
        for seed in 1..4 {
            save(&path, seed).map_err(|error| error.to_string())?;
            that(holds(&path, seed), "another state")?;
        }
        for (format, codec) in [(SaveFormat::V1_2, Codec::Zlib), (SaveFormat::V1_2, Codec::Store)] {
            let options = SaveOptions { format, codec, ..SaveOptions::default() };
            save_to_path(&path, &mut ram(9), &UNITS, options).map_err(|error| error.to_string())?;
            that(holds(&path, 9), "another state in 1.2")?;
        }
        is_as_before(folder)
    }),
    ("over a file that is open and shares deleting", |folder| {
        let path = folder.join("open.sav");
        save(&path, 1).map_err(|error| error.to_string())?;
        let open = OpenOptions::new().read(true).open(&path).map_err(|error| error.to_string())?;
        match save(&path, 2) {
            Ok(_) => {}
            // Wine 8 cannot replace an open file.
            Err(error) if is_wine() && error.is_io() => {
                drop(open);
                that(holds(&path, 1), "the old state is gone")?;
                return is_as_before(folder);
            }
            Err(error) => return Err(error.to_string()),
        }
        drop(open);
        that(holds(&path, 2), "another state")?;
        is_as_before(folder)
    }),
    ("over a file that is open and does not share deleting", |folder| {
        let path = folder.join("held.sav");
        save(&path, 1).map_err(|error| error.to_string())?;
        let share = FILE_SHARE_READ | FILE_SHARE_WRITE;
        let held = OpenOptions::new().read(true).share_mode(share).open(&path).map_err(|error| error.to_string())?;
        refused(folder, &path)?;
        that(holds(&path, 1), "the old state is gone")?;
        drop(held);
        save(&path, 3).map_err(|error| error.to_string())?;
        that(holds(&path, 3), "another state behind it")
    }),
    ("over a file that is open for one alone", |folder| {
        let path = folder.join("alone.sav");
        save(&path, 1).map_err(|error| error.to_string())?;
        let held = OpenOptions::new().read(true).share_mode(0).open(&path).map_err(|error| error.to_string())?;
        refused(folder, &path)?;
        drop(held);
        that(holds(&path, 1), "the old state is gone")
    }),
    ("over a file that is locked", |folder| {
        let path = folder.join("locked.sav");
        save(&path, 1).map_err(|error| error.to_string())?;
        let share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
        let held = OpenOptions::new().read(true).write(true).share_mode(share).open(&path);
        let held = held.map_err(|error| error.to_string())?;
        held.lock().map_err(|error| error.to_string())?;
        // A lock is on the bytes of the old file, not on its name: the save may succeed or fail, and is one of both.
        let saved = save(&path, 2);
        drop(held);
        that(holds(&path, if saved.is_ok() { 2 } else { 1 }), "neither the old state nor the new one")?;
        is_as_before(folder)
    }),
    ("over a file that is read-only", |folder| {
        let path = folder.join("read-only.sav");
        save(&path, 1).map_err(|error| error.to_string())?;
        let set = |read_only| -> std::io::Result<()> {
            let mut permissions = fs::metadata(&path)?.permissions();
            permissions.set_readonly(read_only);
            fs::set_permissions(&path, permissions)
        };
        set(true).map_err(|error| error.to_string())?;
        let outcome = refused(folder, &path);
        set(false).map_err(|error| error.to_string())?;
        outcome?;
        that(holds(&path, 1), "the old state is gone")
    }),
    ("names of devices, and names that stand for others", |folder| {
        fs::write(folder.join("taken"), b"somebody's").map_err(|error| error.to_string())?;
        let devices = ["CON", "nul", "Aux.sav", "COM1", "com9.sav", "LPT\u{b9}", "PRN .sav", "CONIN$"];
        for name in devices.into_iter().chain(["taken.", "taken ", "taken. ."]) {
            match save(&folder.join(name), 1) {
                Ok(_) => return Err(format!("{name:?} is saved to")),
                Err(error) => that(error.is_io(), &format!("{name:?}: {error}"))?,
            }
        }
        that(fs::read(folder.join("taken")).is_ok_and(|bytes| bytes == b"somebody's"), "another file was replaced")?;
        for name in ["CONSOLE", "nullify.sav", "COM", "COM10", "LPT.x.sav", ".sav", "a b"] {
            let path = folder.join(name);
            save(&path, 1).map_err(|error| error.to_string())?;
            that(holds(&path, 1), name)?;
        }
        is_as_before(folder)
    }),
    ("long names, and some that are no text", |folder| {
        for len in [1, 100, 200, 240, 250, 255] {
            let path = folder.join("x".repeat(len));
            save(&path, 1).map_err(|error| format!("{len} letters: {error}"))?;
            that(holds(&path, 1), &format!("{len} letters"))?;
        }
        // Two halves of a pair that do not belong together, alone.
        for unit in [0xd800, 0xdc00] {
            let path = folder.join(OsString::from_wide(&[0x61, unit, 0x62]));
            match save(&path, 1) {
                Ok(_) => that(holds(&path, 1), &format!("{unit:#x}"))?,
                // Below Wine names are UTF-8.
                Err(error) if is_wine() => that(error.is_io(), &format!("{unit:#x}: {error}"))?,
                Err(error) => return Err(format!("{unit:#x}: {error}")),
            }
        }
        is_as_before(folder)
    }),
    ("a path of over 260 units", |folder| {
        let mut deep = folder.to_owned();
        for _ in 0..8 {
            deep.push("d".repeat(60));
        }
        fs::create_dir_all(&deep).map_err(|error| error.to_string())?;
        let path = deep.join("state.sav");
        for seed in [1, 2] {
            save(&path, seed).map_err(|error| error.to_string())?;
            that(holds(&path, seed), "another state")?;
        }
        is_as_before(&deep)
    }),
    ("what is no file, and where nothing can be", |folder| {
        fs::create_dir(folder.join("folder")).map_err(|error| error.to_string())?;
        for name in ["folder", "nowhere\\state.sav", "a?b", "a*b"] {
            match save(&folder.join(name), 1) {
                Ok(_) => return Err(format!("{name:?} is saved to")),
                Err(error) => that(error.is_io(), &format!("{name:?}: {error}"))?,
            }
        }
        is_as_before(folder)
    }),
];

pub fn run() {
    let root = PathBuf::from(std::env::args_os().nth(1).expect("a folder to work in"));
    let (mut passed, mut failed) = (0, 0);
    for (at, (name, check)) in CHECKS.iter().enumerate() {
        let folder = root.join(format!("check{at}"));
        let made = fs::create_dir_all(&folder).map_err(|error| error.to_string());
        match made.and_then(|()| check(&folder)) {
            Ok(()) => {
                passed += 1;
                println!("{name} ... ok");
            }
            Err(words) => {
                failed += 1;
                println!("{name} ... FAILED: {words}");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    exit(i32::from(failed > 0));
}
