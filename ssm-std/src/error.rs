//! What went wrong, with which file.

use crate::{Codec, SaveFormat};
use ssm_core::{LoadError, SaveError};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A failure and the path it is about, in one line. [`source`](std::error::Error::source) is what the operating system or a
/// unit said beneath it, not this line again.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    // Boxed: errors of core hold a unit's name.
    failure: Box<Failure>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.failure)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.failure.source()
    }
}

/// What failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The operating system, on the way to or from the file.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was tried: `"open"`, `"create a file in its folder"`, `"replace it"` ..
        doing: &'static str,
        /// What the system said: shown with its words and its number. Where this crate refuses, words of its own.
        source: io::Error,
    },
    /// The format has no such codec.
    #[error("format {format} has no codec {codec}: store or lzf expected, or format 1.2")]
    Codec {
        /// The codec that was asked for.
        codec: Codec,
        /// The format that was asked for.
        format: SaveFormat,
    },
    /// The save.
    #[error(transparent)]
    Save(#[from] SaveError<io::Error>),
    /// The load, or reading from an archive.
    #[error(transparent)]
    Load(#[from] LoadError<io::Error>),
}

impl Error {
    /// A failure about `path`.
    pub fn new(path: impl AsRef<Path>, failure: impl Into<Failure>) -> Self {
        Self { path: path.as_ref().to_owned(), failure: Box::new(failure.into()) }
    }

    pub(crate) fn io(path: &Path, doing: &'static str, source: io::Error) -> Self {
        Self::new(path, Failure::Io { doing, source })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What failed.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Whether the operating system failed, rather than the file or a unit.
    pub fn is_io(&self) -> bool {
        matches!(
            *self.failure,
            Failure::Io { .. }
                | Failure::Save(SaveError::Io(_) | SaveError::Full { .. })
                | Failure::Load(LoadError::Io(_))
        )
    }
}
