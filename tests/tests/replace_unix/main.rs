//! Saving to a path on Unix: owners, modes, access lists, names, folders and disks as the machine has them.
//!
//! What needs another user, a mount or a limit runs this program again as a child, with the test [`children::in_a_child`] alone. As
//! root, children are other users; a normal user's children are himself, and the same must hold.

#![cfg(unix)]

mod children;
mod disks;
mod owners;

use rustix::process::geteuid;
use ssm_core::{Entry, Get, Put, Unit, UnitError, Units};
use ssm_std::{Codec, LoadOptions, SaveOptions, load_from_path, save_to_path};
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const OLD: &[u8] = b"an old state";

/// Some memory, which looks at the folder while it is saved.
struct Ram {
    bytes: Vec<u8>,
    look: Option<PathBuf>,
    /// The modes of the temporary files that it saw.
    seen: Vec<u32>,
}

impl Ram {
    fn new(len: usize) -> Self {
        Self {
            bytes: (0..len as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect(),
            look: None,
            seen: Vec::new(),
        }
    }
}

impl Unit for Ram {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(&self.bytes)?;
        if let Some(folder) = &self.look {
            let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
            let temporary = entries.filter(|entry| entry.file_name().as_bytes().starts_with(b".ssm-"));
            self.seen.extend(temporary.map(|entry| entry.metadata().unwrap().mode() & 0o7777));
        }
        Ok(())
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(&mut self.bytes)
    }
}

const UNITS: Units<Ram> = Units::new(&[Entry::new("ram", |ram: &mut Ram, _| ram)]);

fn save(path: impl AsRef<Path>, ram: &mut Ram) -> Result<u64, String> {
    let options = SaveOptions { codec: Codec::Store, ..SaveOptions::default() };
    save_to_path(path, ram, &UNITS, options).map_err(|error| {
        assert!(error.is_io(), "{error}");
        error.to_string()
    })
}

#[track_caller]
fn is_new(path: &Path) {
    load_from_path(path, &mut Ram::new(1000), &UNITS, LoadOptions::default()).unwrap();
}

fn names(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().as_bytes().to_vec()).collect();
    names.sort();
    names
}

fn is_root() -> bool {
    geteuid().is_root()
}

/// A folder that every user can reach, and an old state in it.
fn old_state(mode: u32) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    let path = folder.path().join("state");
    fs::write(&path, OLD).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

/// Owner, group and mode.
fn access(path: &Path) -> (u32, u32, u32) {
    let metadata = fs::symlink_metadata(path).unwrap();
    (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777)
}
