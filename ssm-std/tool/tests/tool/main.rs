//! The tool `ssm`, run as a user runs it: what it prints, what it writes, its exit status.

mod bench;
mod convert;
mod diff;
mod exits;
mod extract;
mod files;
mod hexdump;
mod info;
mod list;
mod manners;
mod names;
mod packages;
mod pipes;
mod signals;
mod slots;
mod streamed;
mod verify;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What a run of the tool came to.
pub struct Run {
    /// The exit status.
    pub code: Option<i32>,
    /// Standard output.
    pub bytes: Vec<u8>,
    /// Standard error.
    pub error: String,
}

impl Run {
    /// Standard output, which is text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    /// Standard output, which is one line of JSON.
    pub fn json(&self) -> serde_json::Value {
        assert!(self.text().ends_with('\n') && self.text().lines().count() == 1, "{}", self.text());
        serde_json::from_slice(&self.bytes).unwrap()
    }

    /// That it went well, silently on standard error.
    #[track_caller]
    pub fn fine(self) -> Self {
        assert_eq!((self.code, self.error.as_str()), (Some(0), ""));
        self
    }

    /// That it went well, with nothing but notes on standard error.
    #[track_caller]
    pub fn noted(self) -> Self {
        let said = self.said();
        assert!(self.code == Some(0) && said.lines().all(|line| line.starts_with("note: ")), "{:?}: {said}", self.code);
        self
    }

    /// That it went well and said this on standard error.
    #[track_caller]
    pub fn saying(self, text: &str) -> Self {
        assert_eq!((self.code, self.said()), (Some(0), unwrapped(text)));
        self
    }

    /// That it ended with this status and these last words, and printed nothing else.
    #[track_caller]
    pub fn failed(self, code: i32, error: &str) {
        assert_eq!((self.code, self.text(), self.said()), (Some(code), "", unwrapped(error)));
    }

    /// Standard error, each message on one line.
    pub fn said(&self) -> String {
        unwrapped(&self.error)
    }
}

/// The tool, to be run in the folder of the golden files.
pub fn command<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssm"));
    command.args(arguments).current_dir(golden("")).stdin(Stdio::null());
    for variable in ["CLICOLOR_FORCE", "NO_COLOR", "CLICOLOR", "COLUMNS"] {
        command.env_remove(variable);
    }
    command
}

/// Runs the tool in the folder of the golden files, with no terminal in sight.
pub fn ssm<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Run {
    let output = command(arguments).output().unwrap();
    Run { code: output.status.code(), bytes: output.stdout, error: String::from_utf8(output.stderr).unwrap() }
}

/// Runs the tool in 64 MiB of memory.
#[cfg(target_os = "linux")]
pub fn run_in_little_memory(arguments: &[&str]) -> Run {
    let mut all = vec!["-c", "ulimit -v 65536 && exec \"$@\"", "sh", env!("CARGO_BIN_EXE_ssm")];
    all.extend(arguments);
    let output = Command::new("sh").args(all).stdin(Stdio::null()).output().unwrap();
    Run { code: output.status.code(), bytes: output.stdout, error: String::from_utf8(output.stderr).unwrap() }
}

/// Text without its hanging indents.
fn unwrapped(text: &str) -> String {
    text.replace("\n  ", " ")
}

/// That no line is wider than 80 columns.
#[track_caller]
pub fn assert_narrow(text: &str) {
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

/// A file of the good ones; the bad ones are in `../bad`.
pub fn golden(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/good")).join(name)
}

/// A manifest by file name.
pub fn manifest(folder: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read(golden("..").join(folder).join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let files = manifest["files"].as_array().unwrap().iter();
    let there = |file: &&serde_json::Value| golden("..").join(folder).join(file["file"].as_str().unwrap()).exists();
    let files: Vec<_> = files.filter(there).cloned().collect();
    assert!(files.len() >= 54, "{} files in {folder}", files.len());
    files
}
