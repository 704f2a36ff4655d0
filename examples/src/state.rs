//! The machine in a file.

use crate::{LIVE_UNITS, Machine, UNITS};
use ssm_std::{Codec, Error, LoadOptions, SaveOptions, load_from_path, open_path, save_to_path};
use std::path::Path;

/// What a file says about its writer.
const NOTES: &[(&str, &str)] = &[("program", "ssm-examples emulator"), ("version", env!("CARGO_PKG_VERSION"))];

/// Saves the machine; the file's length in bytes.
pub fn save(path: &Path, machine: &mut Machine, progress: Option<&mut dyn FnMut(u8)>) -> Result<u64, Error> {
    let options = SaveOptions { codec: Codec::Lzf, notes: NOTES, progress, ..SaveOptions::default() };
    save_to_path(path, machine, &UNITS, options)
}

/// A fresh machine in the state of the file, from a plain save or a live one.
pub fn load(path: &Path, progress: Option<&mut dyn FnMut(u8)>) -> Result<Machine, Error> {
    let mut machine = Machine::new();
    load_from_path(path, &mut machine, &LIVE_UNITS, LoadOptions { progress, ..LoadOptions::default() })?;
    Ok(machine)
}

/// One unit of a file, for people.
pub struct SavedUnit {
    /// Its name.
    pub name: String,
    /// The version of its layout.
    pub version: u32,
    /// Bytes that it put.
    pub plain_len: u64,
    /// Bytes that they take in the file.
    pub packed_len: u64,
}

/// The units of a file.
pub fn units(path: &Path) -> Result<Vec<SavedUnit>, Error> {
    let failed = |error| Error::new(path, error);
    let mut archive = open_path(path)?;
    let mut units = archive.units();
    let mut found = Vec::new();
    while let Some(mut unit) = units.next_unit().map_err(failed)? {
        found.push(SavedUnit {
            name: String::from_utf8_lossy(unit.name()).into_owned(),
            version: unit.version(),
            plain_len: unit.plain_len().map_err(failed)?,
            packed_len: unit.packed_len(),
        });
    }
    Ok(found)
}
