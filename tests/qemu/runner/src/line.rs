//! The host's end of a board's serial line, which is a socket: the board sends its files, then the host sends its own.

use anyhow::{Context, Result, ensure};
use program::{Machine, Names, register};
use ssm_core::Loader;
use ssm_std::{FromStd, decoder};
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Both ends of a line: the host's, which gives up after `patience` without a byte, and the board's.
pub fn pair(patience: Duration) -> Result<(UnixStream, OwnedFd)> {
    let (host, board) = UnixStream::pair().context("make a line")?;
    host.set_read_timeout(Some(patience))?;
    host.set_write_timeout(Some(patience))?;
    Ok((host, board.into()))
}

/// What goes over the line in one run of a board. The files that come are loaded as they come, which tells where they end,
/// and are put into `folder`.
pub fn exchange(line: &mut UnixStream, sizes: &[Names], host: &Path, folder: &Path) -> Result<()> {
    for names in sizes {
        for name in [names.streamed_store, names.streamed_lzf] {
            let file = receive(line, names.kib << 10).with_context(|| format!("receive {name}"))?;
            fs::write(folder.join(name), file)?;
        }
        for name in [names.line_store, names.line_lzf, names.line_damaged] {
            line.write_all(&fs::read(host.join(name))?).with_context(|| format!("send {name}"))?;
        }
    }
    Ok(())
}

/// Loads what comes; its bytes.
fn receive(line: &mut UnixStream, ram: usize) -> Result<Vec<u8>> {
    let mut kept = Kept { line, bytes: Vec::new() };
    let mut machine = Machine::new(vec![0; ram].leak());
    let mut scratch = [0; 4096];
    Loader::streaming(FromStd::new(&mut kept), decoder(), &mut scratch).load(&mut machine, &register().units())?;
    ensure!(machine.is_filled(), "what came is not the machine's state");
    Ok(kept.bytes)
}

/// A line of which everything that is read is kept.
struct Kept<'l> {
    line: &'l mut UnixStream,
    bytes: Vec<u8>,
}

impl Read for Kept<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.line.read(into).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => io::Error::new(io::ErrorKind::TimedOut, "nothing comes any more"),
            _ => error,
        })?;
        self.bytes.extend_from_slice(&into[..len]);
        Ok(len)
    }
}
