//! The temporary files of saves: their names, those of this process, and those that a crash left.

use crate::Error;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const PREFIX: &str = ".ssm-";
const DIGITS: usize = 12;
const SUFFIX: &str = ".tmp";

/// How many names are tried. The second is needed once in 2^48 times, unless the system says that every name is taken.
const TRIES: u64 = 16;

/// The temporary files of this process. Whoever holds the lock creates, renames or removes one.
static OPEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn open() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file of its own name, which is removed when it is dropped, unless it was renamed.
pub(super) struct Temporary {
    file: File,
    path: PathBuf,
    is_renamed: bool,
}

impl Temporary {
    /// Creates one. Its name is short and does not depend on the file that it will replace, whose name may be as long as the
    /// file system allows.
    pub fn create(folder: &Path, options: &OpenOptions) -> io::Result<Self> {
        let mut open = open();
        let random = RandomState::new();
        let mut attempt = 0;
        loop {
            let path = folder.join(name(random.hash_one(attempt)));
            attempt += 1;
            match options.open(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < TRIES => {}
                Err(error) => return Err(error),
                Ok(file) => {
                    open.insert(path.clone());
                    return Ok(Self { file, path, is_renamed: false });
                }
            }
        }
    }

    pub fn as_file(&self) -> &File {
        &self.file
    }

    pub fn as_file_mut(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives it another name, by `rename`, which is passed both.
    pub fn rename(&mut self, to: &Path, rename: impl FnOnce(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
        let mut open = open();
        rename(&self.path, to)?;
        open.remove(&self.path);
        self.is_renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_renamed {
            let mut open = open();
            // If it cannot be removed it is a leftover.
            let _ = fs::remove_file(&self.path);
            open.remove(&self.path);
        }
    }
}

fn name(random: u64) -> String {
    format!("{PREFIX}{:0DIGITS$x}{SUFFIX}", random >> (64 - 4 * DIGITS))
}

fn is_name(name: &[u8]) -> bool {
    let digits = name.strip_prefix(PREFIX.as_bytes()).and_then(|name| name.strip_suffix(SUFFIX.as_bytes()));
    digits.is_some_and(|digits| {
        digits.len() == DIGITS && digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Lists the temporary files that saves left in a folder when their process was killed or the power went. They may be
/// removed. Returns their paths, sorted.
///
/// Their names are `.ssm-`, twelve hexadecimal digits in lower case, and `.tmp`; only files of exactly such names are listed,
/// and none that this process is writing. Those of other processes cannot be told from leftovers, so call this while no
/// other one saves to the folder, or look at their age as well.
///
/// # Errors
/// The folder cannot be read.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join(".ssm-00c0ffee1234.tmp"), b"half a state")?;
/// std::fs::write(folder.path().join("machine.sav"), b"")?;
/// for path in ssm_std::leftovers(folder.path())? {
///     std::fs::remove_file(path)?;
/// }
/// assert_eq!(std::fs::read_dir(folder.path())?.count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn leftovers(folder: impl AsRef<Path>) -> Result<Vec<PathBuf>, Error> {
    let folder = folder.as_ref();
    let open = open();
    let list = || {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_open = || open.iter().any(|path| path.file_name() == Some(&*name));
            if is_name(name.as_encoded_bytes()) && entry.file_type()?.is_file() && !is_open() {
                found.push(entry.path());
            }
        }
        found.sort();
        Ok(found)
    };
    list().map_err(|source| Error::io(folder, "list its files", source))
}

/// Removes the temporary files of all saves that this process is in, and then calls `end`, which should end the process:
/// until it returns, no save of another thread begins, and none replaces its file. Returns what `end` returns.
///
/// A program that is ended by a signal calls it where it hears of that, in a thread, because a signal handler may not wait.
/// It waits for a file that is being created or renamed just now, not for a save.
pub fn abandon_saves<T>(end: impl FnOnce() -> T) -> T {
    let open = open();
    for path in open.iter() {
        // Its save may have failed, and be about to remove it.
        let _ = fs::remove_file(path);
    }
    end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(folder: &Path) -> Temporary {
        Temporary::create(folder, OpenOptions::new().write(true).create_new(true)).unwrap()
    }

    #[test]
    fn names_are_short_and_known_again() {
        for random in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
            let name = name(random);
            assert_eq!(name.len(), 21);
            assert!(is_name(name.as_bytes()), "{name}");
        }
        let good = b".ssm-0123456789ab.tmp";
        assert!(is_name(good));
        for at in 0..good.len() {
            let cut = [&good[..at], &good[at + 1..]].concat();
            assert!(!is_name(&cut));
            for byte in 0..=255 {
                let mut other = *good;
                other[at] = byte;
                let is_digit = (5..17).contains(&at) && matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                assert_eq!(is_name(&other), is_digit || other == *good, "{other:?}");
                let longer = [&good[..at], &[byte], &good[at..]].concat();
                assert!(!is_name(&longer));
            }
        }
    }

    #[test]
    fn leftovers_are_files_that_nobody_is_writing() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(".ssm-00c0ffee1234.tmp");
        fs::write(&left, b"half").unwrap();
        fs::create_dir(folder.path().join(".ssm-00c0ffee0000.tmp")).unwrap();
        for name in ["a.sav", ".ssm-00c0ffee123.tmp", ".ssm-00c0ffee1234.tmp~", ".a.sav.XXXXXX.tmp"] {
            fs::write(folder.path().join(name), b"").unwrap();
        }
        let mut temporary = create(folder.path());
        assert_eq!(leftovers(folder.path()).unwrap(), std::slice::from_ref(&left));
        temporary.rename(&folder.path().join("b.sav"), |from, to| fs::rename(from, to)).unwrap();
        drop(temporary);
        assert!(folder.path().join("b.sav").exists());
        assert_eq!(leftovers(folder.path()).unwrap(), [left]);
        let error = leftovers(folder.path().join("nowhere")).unwrap_err();
        assert!(error.to_string().contains("os error"), "{error}");
    }
}
