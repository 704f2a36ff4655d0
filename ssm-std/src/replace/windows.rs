//! The steps on Windows, and on other systems that are not Unix: a folder cannot be made durable, and the new file has the
//! access list that its folder gives.

use super::temporary::Temporary;
use super::{Folder, folder_of};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Component, Path, PathBuf};

/// The folder of a file on a disk.
pub(super) struct Disk {
    target: PathBuf,
    folder: PathBuf,
    /// Whether the old file, if there is one, has the attribute "read-only".
    read_only: Option<bool>,
}

impl Disk {
    pub fn new(target: PathBuf, old: Option<&Metadata>, _source: Option<&File>) -> io::Result<Self> {
        let folder = folder_of(&target);
        Ok(Self { target, folder, read_only: old.map(|old| old.permissions().readonly()) })
    }
}

/// Refuses what the system would take for a device or for another file.
pub(super) fn check_name(named: &Path) -> io::Result<()> {
    let is_verbatim =
        matches!(named.components().next(), Some(Component::Prefix(prefix)) if prefix.kind().is_verbatim());
    let reserved = !is_verbatim && named.file_name().is_some_and(|name| is_reserved(&name.to_string_lossy()));
    match reserved {
        true => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "Windows takes this name for a device or for another name"))
        }
        false => Ok(()),
    }
}

/// Whether a file of this name would be a device, or one of another name: dots and spaces at its end are left away.
fn is_reserved(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    if name.ends_with(['.', ' ']) {
        return true;
    }
    let stem = name.split(['.', ':']).next().unwrap_or(name).trim_end_matches(' ').to_uppercase();
    let is_port = |port: &str| {
        let digit = stem.strip_prefix(port).map(|digit| digit.chars().collect::<Vec<_>>());
        matches!(digit.as_deref(), Some(['0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}']))
    };
    DEVICES.contains(&&*stem) || is_port("COM") || is_port("LPT")
}

impl Folder for Disk {
    type File = Temporary;

    fn check_old(&mut self) -> io::Result<()> {
        match self.read_only {
            None => Ok(()),
            Some(true) => Err(io::Error::new(io::ErrorKind::PermissionDenied, "it has the attribute \"read-only\"")),
            Some(false) => OpenOptions::new().write(true).open(&self.target).map(|_| ()),
        }
    }

    fn create(&mut self) -> io::Result<Temporary> {
        Temporary::create(&self.folder, OpenOptions::new().read(true).write(true).create_new(true))
    }

    fn keep_owner(&mut self, _: &mut Temporary) -> io::Result<()> {
        Ok(())
    }

    fn keep_permissions(&mut self, _: &mut Temporary) -> io::Result<()> {
        Ok(())
    }

    fn check_new(&mut self, _: &mut Temporary) -> io::Result<()> {
        Ok(())
    }

    fn sync(&mut self, file: &mut Temporary) -> io::Result<()> {
        file.as_file().sync_all()
    }

    fn rename(&mut self, file: &mut Temporary) -> io::Result<()> {
        file.rename(&self.target, |from, to| fs::rename(from, to))
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A folder cannot be opened as a file; names are as durable as the system makes them.
pub(super) fn open_folder(_: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

pub(super) fn sync_open_folder(_: Option<&File>) -> io::Result<()> {
    Ok(())
}

/// Whether an answer to a sync means that there is no such operation.
pub(crate) fn has_no_sync(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

pub(super) fn has_no_folder_sync(error: &io::Error) -> bool {
    has_no_sync(error)
}
