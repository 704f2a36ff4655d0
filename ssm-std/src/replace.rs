//! Replacing a file as a whole or not at all: the steps, which of their failures count, and what they are done on.

use crate::{Error, Failure};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
#[cfg(unix)]
use unix as system;
#[cfg(not(unix))]
use windows as system;

mod temporary;
#[cfg(test)]
mod tests;
#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod windows;

pub(crate) use system::has_no_sync;
pub use temporary::{abandon_saves, leftovers};

/// What a file is replaced in. Its steps do what they say and tell what the system answered; which answers are failures
/// is decided here, above them. Tests have a folder that fails and loses power at every step.
trait Folder {
    /// A new file, which is removed when it is dropped, unless it was renamed.
    type File;

    /// Tries whether the old file, if there is one, may be written.
    fn check_old(&mut self) -> io::Result<()>;
    /// Creates a file with a name of its own, no more open than the old one.
    fn create(&mut self) -> io::Result<Self::File>;
    /// Gives it the owner and the group of the old file.
    fn keep_owner(&mut self, file: &mut Self::File) -> io::Result<()>;
    /// Gives it the permissions of the old file, as far as nobody gains by it.
    fn keep_permissions(&mut self, file: &mut Self::File) -> io::Result<()>;
    /// Fails if somebody may read or write it who may not do that to the old file.
    fn check_new(&mut self, file: &mut Self::File) -> io::Result<()>;
    /// Makes its content durable.
    fn sync(&mut self, file: &mut Self::File) -> io::Result<()>;
    /// Gives it the name of the file that it replaces.
    fn rename(&mut self, file: &mut Self::File) -> io::Result<()>;
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
    match uninterrupted(|| folder.check_old()) {
        Err(error) if is_read_only(&error) => return Err(io("replace it, as it is read-only")(error)),
        // Whatever else keeps it from being written need not keep it from being replaced.
        _ => {}
    }
    let mut file = uninterrupted(|| folder.create()).map_err(io("create a file in its folder"))?;
    // Not every user may give files away, and not every file system has owners and modes.
    let _ = uninterrupted(|| folder.keep_owner(&mut file));
    let _ = uninterrupted(|| folder.keep_permissions(&mut file));
    uninterrupted(|| folder.check_new(&mut file)).map_err(io("keep others from reading it"))?;
    let value = write(&mut file).map_err(|failure| Error::new(named, failure))?;
    match uninterrupted(|| folder.sync(&mut file)) {
        Err(error) if !has_no_sync(&error) => return Err(io("make the new state durable")(error)),
        _ => {}
    }
    rename(folder, &mut file).map_err(io("replace it"))?;
    match uninterrupted(|| folder.sync_folder()) {
        Err(error) if !system::has_no_folder_sync(&error) => Err(io("make its folder durable")(error)),
        _ => Ok(value),
    }
}

/// Renames the file. If that was interrupted behind its work, there is nothing to rename any more.
fn rename<F: Folder>(folder: &mut F, file: &mut F::File) -> io::Result<()> {
    match folder.rename(file) {
        Err(error) if error.kind() == ErrorKind::Interrupted => match uninterrupted(|| folder.rename(file)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            renamed => renamed,
        },
        renamed => renamed,
    }
}

/// Repeats a step that a signal interrupted, some times.
fn uninterrupted<T>(mut step: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 0..64 {
        match step() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
    step()
}

/// Whether the system let nobody write.
fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

/// Replaces a file by what `write` writes, as a whole or not at all. [`save_to_path`](crate::save_to_path) says what is kept of
/// the old file, and what is an error.
pub fn replace_file<T>(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut File) -> Result<T, Failure>,
) -> Result<T, Error> {
    replace_as(path.as_ref(), None, write)
}

/// Replaces a file as [`replace_file`] does, by what `write` takes out of `source`: nobody may read or write the new file who
/// may not do that to `source` as well, apart from the owner of the new file, who made it.
///
/// ```
/// use ssm_std::{Failure, replace_file_from};
/// use std::io::Write;
///
/// let folder = tempfile::tempdir()?;
/// let state = std::fs::File::create(folder.path().join("machine.sav"))?;
/// # #[cfg(unix)]
/// # state.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
/// let memory = folder.path().join("memory.bin");
/// replace_file_from(&memory, &state, |file| {
///     file.write_all(&[0; 4096]).map_err(|source| Failure::Io { doing: "write", source })
/// })?;
/// # #[cfg(unix)]
/// assert_eq!(std::os::unix::fs::MetadataExt::mode(&memory.metadata()?) & 0o077, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn replace_file_from<T>(
    path: impl AsRef<Path>,
    source: &File,
    write: impl FnOnce(&mut File) -> Result<T, Failure>,
) -> Result<T, Error> {
    replace_as(path.as_ref(), Some(source), write)
}

fn replace_as<T>(
    named: &Path,
    source: Option<&File>,
    write: impl FnOnce(&mut File) -> Result<T, Failure>,
) -> Result<T, Error> {
    let io = |doing| move |source| Error::io(named, doing, source);
    system::check_name(named).map_err(io("save to this name"))?;
    let target = match fs::canonicalize(named) {
        Ok(path) => path,
        Err(error) if named.is_symlink() => return Err(io("follow the link")(error)),
        Err(_) => named.to_owned(),
    };
    let old = match fs::metadata(&target) {
        Ok(old) if !old.is_file() => {
            return Err(io("replace it")(io::Error::other("not a regular file")));
        }
        Ok(old) => Some(old),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        // Were it taken for a new file, the new one could be more open.
        Err(error) => return Err(io("look at it")(error)),
    };
    let mut disk = system::Disk::new(target, old.as_ref(), source).map_err(io("look at it"))?;
    replace(&mut disk, named, |file| write(file.as_file_mut()))
}

/// Where a file is.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Makes the names in a folder durable, if the file system can.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match system::open_folder(folder).and_then(|handle| system::sync_open_folder(handle.as_ref())) {
        Err(error) if !system::has_no_folder_sync(&error) => Err(error),
        _ => Ok(()),
    }
}
