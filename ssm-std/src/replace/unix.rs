//! The steps on Unix.

mod access;

use super::temporary::Temporary;
use super::{Folder, folder_of};
use access::Access;
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// The folder of a file on a disk.
pub(super) struct Disk {
    target: PathBuf,
    folder: PathBuf,
    /// To sync it, if it can be opened at all.
    handle: Option<File>,
    /// Who may do what with the old file.
    old: Option<Access>,
    /// Who may do what with the file that the new one is taken out of.
    source: Option<Access>,
}

impl Disk {
    pub fn new(target: PathBuf, old: Option<&Metadata>, source: Option<&File>) -> io::Result<Self> {
        let folder = folder_of(&target);
        let old = old.map(|old| Access::of_path(&target, old));
        let source = source.map(Access::of_file).transpose()?;
        Ok(Self { target, folder, handle: None, old, source })
    }

    /// The mode that the new file may have, as far as the old file and the source say.
    fn mode_for(&self, new: &Access) -> u32 {
        let old = self.old.as_ref().map_or(0o777, |old| old.mode_for(new));
        // The owner of the new file was able to read the source.
        let source = self.source.as_ref().map_or(0o777, |source| 0o700 | source.mode_for(new));
        old & source
    }

    fn create_with(&self, mode: u32) -> io::Result<Temporary> {
        Temporary::create(&self.folder, OpenOptions::new().read(true).write(true).create_new(true).mode(mode))
    }
}

/// Every name is taken as it is.
pub(super) fn check_name(_: &Path) -> io::Result<()> {
    Ok(())
}

impl Folder for Disk {
    type File = Temporary;

    fn check_old(&mut self) -> io::Result<()> {
        let Some(old) = &self.old else { return Ok(()) };
        if old.mode & 0o222 == 0 {
            // The system lets root write it all the same.
            let words = format!("mode {:03o} lets nobody write to it", old.mode);
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
        }
        // Without waiting for whoever holds a lease on it.
        OpenOptions::new().write(true).custom_flags(OFlags::NONBLOCK.bits() as _).open(&self.target).map(|_| ())
    }

    fn create(&mut self) -> io::Result<Temporary> {
        // Opened first: behind the rename it is too late to be told of too many open files.
        self.handle = open_folder(&self.folder)?;
        match (&self.old, &self.source) {
            (Some(old), _) => self.create_with(0o600 & old.mode),
            (None, None) => self.create_with(0o666),
            (None, Some(_)) => {
                // What the process's umask leaves of a mode shows only in a new file; the first one tells its group.
                let file = self.create_with(0o600)?;
                match 0o666 & self.mode_for(&Access::of_file(file.as_file())?) {
                    0o600 => Ok(file),
                    wider => self.create_with(wider),
                }
            }
        }
    }

    fn keep_owner(&mut self, file: &mut Temporary) -> io::Result<()> {
        let Some(old) = &self.old else { return Ok(()) };
        let new = Access::of_file(file.as_file())?;
        if (new.owner, new.group) == (old.owner, old.group) {
            return Ok(());
        }
        // What comes out of another's file is not given to a third.
        let may_own = self.source.as_ref().is_none_or(|source| source.owner == old.owner);
        let owner = may_own.then_some(old.owner);
        // A user may give a file to another group of his, but not to another user.
        fchown(file.as_file(), owner, Some(old.group)).or_else(|_| fchown(file.as_file(), None, Some(old.group)))
    }

    fn keep_permissions(&mut self, file: &mut Temporary) -> io::Result<()> {
        let Some(old) = &self.old else { return Ok(()) };
        let mut new = Access::of_file(file.as_file())?;
        if new.acl != old.acl {
            // What cannot be kept closes the file to others, below.
            let _ = old.copy_acl(file.as_file());
            new = Access::of_file(file.as_file())?;
        }
        let mode = self.mode_for(&new);
        if mode == new.mode { Ok(()) } else { file.as_file().set_permissions(Permissions::from_mode(mode)) }
    }

    fn check_new(&mut self, file: &mut Temporary) -> io::Result<()> {
        if self.old.is_none() && self.source.is_none() {
            return Ok(());
        }
        let new = Access::of_file(file.as_file())?;
        let allowed = self.mode_for(&new);
        if new.mode & !allowed == 0 {
            return Ok(());
        }
        let words = format!("the file system gives it mode {:03o}, and {allowed:03o} was wanted", new.mode);
        Err(io::Error::new(io::ErrorKind::PermissionDenied, words))
    }

    fn sync(&mut self, file: &mut Temporary) -> io::Result<()> {
        file.as_file().sync_all()
    }

    fn rename(&mut self, file: &mut Temporary) -> io::Result<()> {
        file.rename(&self.target, |from, to| fs::rename(from, to))
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        sync_open_folder(self.handle.as_ref())
    }
}

/// Opens a folder to sync it, or nothing where it cannot be opened for that, such as one that may not be listed.
pub(super) fn open_folder(folder: &Path) -> io::Result<Option<File>> {
    match File::open(folder) {
        Err(error) if has_no_folder_sync(&error) => Ok(None),
        opened => opened.map(Some),
    }
}

pub(super) fn sync_open_folder(folder: Option<&File>) -> io::Result<()> {
    folder.map_or(Ok(()), File::sync_all)
}

/// Whether an answer to a sync means that the file system has no such operation.
pub(crate) fn has_no_sync(error: &io::Error) -> bool {
    let answers = [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP];
    Errno::from_io_error(error).is_some_and(|errno| answers.contains(&errno))
}

/// Whether an answer to opening a folder, or to its sync, means that there is no such operation for this folder.
pub(super) fn has_no_folder_sync(error: &io::Error) -> bool {
    let answers = [Errno::ACCESS, Errno::PERM, Errno::BADF, Errno::ISDIR];
    has_no_sync(error) || Errno::from_io_error(error).is_some_and(|errno| answers.contains(&errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(folder: &Path, mode: u32) -> Disk {
        let target = folder.join("state");
        let _ = fs::remove_file(&target);
        fs::write(&target, b"old").unwrap();
        fs::set_permissions(&target, Permissions::from_mode(mode)).unwrap();
        let old = target.metadata().unwrap();
        Disk::new(target, Some(&old), None).unwrap()
    }

    /// From its first moment on; then it gets what the old file had.
    #[test]
    fn the_temporary_file_is_never_more_open_than_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        for mode in 0..=0o777 {
            let mut disk = disk(folder.path(), mode);
            let mut file = disk.create().unwrap();
            let mode_of = |file: &Temporary| Access::of_file(file.as_file()).unwrap().mode;
            assert_eq!(mode_of(&file) & !(mode & 0o600), 0, "{mode:03o}");
            disk.keep_owner(&mut file).unwrap();
            disk.keep_permissions(&mut file).unwrap();
            disk.check_new(&mut file).unwrap();
            assert_eq!(mode_of(&file), mode);
        }
    }

    /// A file system that gives modes as it likes, which is no matter as long as it does not open the file.
    #[test]
    fn a_new_file_that_is_more_open_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for mode in (0..=0o777).step_by(5) {
            let mut disk = disk(folder.path(), mode);
            let mut file = disk.create().unwrap();
            for given in 0..=0o777 {
                file.as_file().set_permissions(Permissions::from_mode(given)).unwrap();
                assert_eq!(disk.check_new(&mut file).is_ok(), given & !mode == 0, "{mode:03o} {given:03o}");
            }
        }
    }
}
