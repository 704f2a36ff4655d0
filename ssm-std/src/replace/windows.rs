//! The steps where there is no more than std: permissions are kept, and folders cannot be made durable.

use super::temporary::Temporary;
use super::{Folder, folder_of};
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::path::{Path, PathBuf};

/// The folder of a file on a disk.
pub(super) struct Disk {
    target: PathBuf,
    folder: PathBuf,
    /// Those of the old file.
    permissions: Option<Permissions>,
}

impl Disk {
    pub fn new(target: PathBuf, old: Option<&Metadata>, _source: Option<&File>) -> io::Result<Self> {
        let folder = folder_of(&target);
        Ok(Self { target, folder, permissions: old.map(Metadata::permissions) })
    }
}

impl Folder for Disk {
    type File = Temporary;

    fn check_old(&mut self) -> io::Result<()> {
        match self.permissions {
            Some(_) => OpenOptions::new().write(true).open(&self.target).map(|_| ()),
            None => Ok(()),
        }
    }

    fn create(&mut self) -> io::Result<Temporary> {
        Temporary::create(&self.folder, OpenOptions::new().read(true).write(true).create_new(true))
    }

    fn keep_owner(&mut self, _: &mut Temporary) -> io::Result<()> {
        Ok(())
    }

    fn keep_permissions(&mut self, file: &mut Temporary) -> io::Result<()> {
        match self.permissions.take() {
            Some(permissions) => file.as_file().set_permissions(permissions),
            None => Ok(()),
        }
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
