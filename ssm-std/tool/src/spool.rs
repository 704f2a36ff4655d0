//! What cannot be read at any place, copied to where it can.

use ssm_core::{FormatError, Header};
use ssm_std::{Failure, open_file};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// The path that stands for standard input.
const STDIN: &str = "-";

/// Bytes at the start of a file by which those of other formats are known.
const MAGIC_LEN: u64 = 32;

/// How a path is shown.
pub fn shown(path: &Path) -> &Path {
    if path == Path::new(STDIN) { Path::new("standard input") } else { path }
}

/// Opens a file, a block device, a pipe or, as `-`, standard input. Pipes are copied to a temporary file without a name, in
/// constant memory.
pub fn open(path: &Path) -> Result<File, Failure> {
    let cannot_open = |source| Failure::Io { doing: "open", source };
    let cannot_copy = |source| Failure::Io { doing: "copy it to a temporary file", source };
    if path == Path::new(STDIN) {
        stdin_file().map_or_else(|| spool(io::stdin().lock()), Ok).map_err(cannot_copy)
    } else if is_pipe(path) {
        spool(File::open(path).map_err(cannot_open)?).map_err(cannot_copy)
    } else {
        open_file(path).map_err(cannot_open)
    }
}

/// Standard input, if it is a file at its start, which needs no copy.
#[cfg(unix)]
fn stdin_file() -> Option<File> {
    use std::os::fd::AsFd;
    let mut file = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    (file.metadata().ok()?.is_file() && file.stream_position().ok()? == 0).then_some(file)
}

#[cfg(not(unix))]
fn stdin_file() -> Option<File> {
    None
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}

/// Copies a stream; of what is no saved state only the start, since it may have no end.
fn spool(mut from: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    let mut start = Vec::new();
    from.by_ref().take(MAGIC_LEN).read_to_end(&mut start)?;
    file.write_all(&start)?;
    if !matches!(Header::parse(&start), Err(FormatError::Magic | FormatError::Version { .. })) {
        io::copy(&mut from, &mut file)?;
    }
    file.rewind()?;
    Ok(file)
}
