//! Why the tool stops: what it says, and its exit status.

use crate::name::shown_name;
use crate::output::shown_path;
use ssm_core::LoadError;
use ssm_std::{Error, Failure};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Exit status for a file that is damaged or not a saved state.
pub const DAMAGED: u8 = 1;
/// Exit status for wrong use.
pub const USAGE: u8 = 2;
/// Exit status for a failure of the operating system.
pub const SYSTEM: u8 = 3;
/// Exit status for two saved states that are sound and not the same.
pub const DIFFERENT: u8 = 4;

/// A failure in words, with the details that `verify --json` prints.
pub struct Failed {
    pub code: u8,
    pub path: Option<PathBuf>,
    /// The word of [`LoadError::kind`].
    pub kind: &'static str,
    pub offset: Option<u64>,
    pub unit: Option<String>,
    pub message: String,
}

impl Failed {
    /// Wrong use that only showed when the file was read.
    pub fn usage(path: &Path, message: String) -> Self {
        Self { code: USAGE, path: Some(path.to_owned()), kind: "usage", offset: None, unit: None, message }
    }

    /// Standard output failed.
    pub fn stdout(error: &io::Error) -> Self {
        let message = format!("cannot write to standard output: {error}");
        Self { code: SYSTEM, path: None, kind: "io", offset: None, unit: None, message }
    }

    /// Reading `path` failed. `name` is the whole name of the unit that it is about: `error` holds the start of it only.
    pub fn load(path: &Path, error: LoadError<io::Error>, name: Option<&[u8]>) -> Self {
        let mut message = error.to_string();
        let mut unit = None;
        if let Some(record) = error.unit() {
            let name = name.unwrap_or(record.name());
            let whole = format!(
                "unit {}/{} version {} at offset {}",
                shown_name(name),
                record.instance,
                record.version,
                record.offset
            );
            message = message.replacen(&record.to_string(), &whole, 1);
            unit = Some(shown_name(name));
        }
        let (kind, offset) = (error.kind(), error.offset());
        let code = Self::from(Error::new(path, error)).code;
        Self { code, path: Some(path.to_owned()), kind, offset, unit, message }
    }

    /// Whether it is standard output that failed, so that nothing more can be shown.
    pub fn is_of_output(&self) -> bool {
        self.path.is_none()
    }

    /// For JSON.
    pub fn details(&self) -> Details<'_> {
        Details { kind: self.kind, offset: self.offset, unit: self.unit.as_deref(), message: &self.message }
    }

    /// Whether opening without checks, where that may be done, may get further.
    pub fn has_tip(&self, may_go_unchecked: bool) -> bool {
        may_go_unchecked && matches!(self.kind, "crc" | "size" | "footer" | "footer-crc")
    }
}

/// What JSON says of a failure.
#[derive(serde::Serialize)]
pub struct Details<'a> {
    kind: &'a str,
    offset: Option<u64>,
    unit: Option<&'a str>,
    message: &'a str,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let (kind, offset) = match error.failure() {
            Failure::Load(error) => (error.kind(), error.offset()),
            _ => ("io", None),
        };
        let code = if error.is_io() { SYSTEM } else { DAMAGED };
        let (path, message) = (Some(error.path().to_owned()), error.failure().to_string());
        Self { code, path, kind, offset, unit: None, message }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}: {}", shown_path(path), self.message),
            None => f.write_str(&self.message),
        }
    }
}
