//! Replacing a file as a whole or not at all: the steps, and what they are done on.

use crate::{Error, Failure};
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

#[cfg(test)]
mod tests;

/// What a file is replaced in. Tests have one that fails and loses power at every step.
trait Folder {
    /// A new file, which is removed when it is dropped, unless it was renamed.
    type File;

    /// Creates a file with a name of its own.
    fn create(&mut self) -> io::Result<Self::File>;
    /// Gives it the permissions of the file that it will replace.
    fn keep_permissions(&mut self, file: &mut Self::File) -> io::Result<()>;
    /// Makes its content durable.
    fn sync(&mut self, file: &mut Self::File) -> io::Result<()>;
    /// Gives it the name of the file that it replaces.
    fn rename(&mut self, file: Self::File) -> io::Result<()>;
    /// Makes the names in the folder durable.
    fn sync_folder(&mut self) -> io::Result<()>;
}

/// The steps. `named` is what errors call the file.
fn replace<F: Folder, T>(
    folder: &mut F,
    named: &Path,
    write: impl FnOnce(&mut F::File) -> Result<T, Failure>,
) -> Result<T, Error> {
    let io = |doing| move |source| Error::io(named, doing, source);
    let mut file = folder.create().map_err(io("create a file in its folder"))?;
    folder.keep_permissions(&mut file).map_err(io("keep its permissions"))?;
    let value = write(&mut file).map_err(|failure| Error::new(named, failure))?;
    folder.sync(&mut file).map_err(io("make the new state durable"))?;
    folder.rename(file).map_err(io("replace it"))?;
    folder.sync_folder().map_err(io("make its folder durable"))?;
    Ok(value)
}

/// Replaces a file by what `write` writes, as a whole or not at all (see [`save_to_path`](crate::save_to_path)). The new
/// file has the permissions of the old one; a link is followed. What is there and is not a file, such as a device, is refused.
pub fn replace_file<T>(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut File) -> Result<T, Failure>,
) -> Result<T, Error> {
    let named = path.as_ref();
    let target = match fs::canonicalize(named) {
        Ok(path) => path,
        Err(error) if named.is_symlink() => return Err(Error::io(named, "follow the link", error)),
        Err(_) => named.to_owned(),
    };
    let old = fs::metadata(&target).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        return Err(Error::io(named, "replace it", io::Error::other("not a regular file")));
    }
    let folder = folder_of(&target).to_owned();
    let mut disk = Disk { target, folder, permissions: old.map(|old| old.permissions()) };
    replace(&mut disk, named, |file: &mut NamedTempFile| write(file.as_file_mut()))
}

/// Where a file is.
pub(crate) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Makes the names in a folder durable.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file; names are as durable as the system makes them.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The folder of a file on a disk.
struct Disk {
    target: PathBuf,
    folder: PathBuf,
    /// Those of the old file.
    permissions: Option<Permissions>,
}

impl Folder for Disk {
    type File = NamedTempFile;

    fn create(&mut self) -> io::Result<NamedTempFile> {
        let name = self.target.file_name().unwrap_or(OsStr::new("state")).to_string_lossy();
        let prefix = format!(".{name}.");
        let mut temporary = tempfile::Builder::new();
        temporary.prefix(&prefix).suffix(".tmp");
        #[cfg(unix)]
        temporary.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        // Errors come without the temporary file's own name, which means nothing to anybody.
        let plain = |error: io::Error| error.raw_os_error().map_or(error.kind().into(), io::Error::from_raw_os_error);
        temporary.tempfile_in(&self.folder).map_err(plain)
    }

    fn keep_permissions(&mut self, file: &mut NamedTempFile) -> io::Result<()> {
        match self.permissions.take() {
            Some(permissions) => file.as_file().set_permissions(permissions),
            None => Ok(()),
        }
    }

    fn sync(&mut self, file: &mut NamedTempFile) -> io::Result<()> {
        file.as_file().sync_all()
    }

    fn rename(&mut self, file: NamedTempFile) -> io::Result<()> {
        file.persist(&self.target).map(|_| ()).map_err(|error| error.error)
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        sync_folder(&self.folder)
    }
}
