//! The board: a QEMU with the firmware and the image of its flash, and what it says.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Bytes of the flash, a W25Q32.
const FLASH_LEN: usize = 4 << 20;
/// The image of the flash, in the folder of the run.
const IMAGE: &str = "flash.bin";
/// Only a board that hangs is silent for so long; nothing else depends on time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A line of the firmware; its `main.rs` lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Boot,
    Blank,
    Resumed {
        generation: u64,
        steps: u32,
        digest: u64,
    },
    Steps(u32),
    Saving {
        steps: u32,
        digest: u64,
    },
    /// The flash is going to erase or write at this offset.
    Operation(u32),
    Saved {
        generation: u64,
        steps: u32,
    },
    /// The point and the operation.
    Stopped(String),
    Done {
        primes: u32,
        digest: u64,
    },
    /// Anything else, such as a refusal.
    Other(String),
}

impl Line {
    fn parse(text: &str) -> Self {
        Self::known(text).unwrap_or_else(|| Self::Other(text.to_owned()))
    }

    fn known(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let kind = words.next()?;
        let rest = words.clone();
        let mut word = || words.next();
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        Some(match kind {
            "boot" => Self::Boot,
            "blank" => Self::Blank,
            "resumed" => {
                Self::Resumed { generation: word()?.parse().ok()?, steps: word()?.parse().ok()?, digest: hex(word()?)? }
            }
            "steps" => Self::Steps(word()?.parse().ok()?),
            "saving" => Self::Saving { steps: word()?.parse().ok()?, digest: hex(word()?)? },
            "erase" | "write" => Self::Operation(hex(word()?.strip_prefix("0x")?)?.try_into().ok()?),
            "saved" => Self::Saved { generation: word()?.parse().ok()?, steps: word()?.parse().ok()? },
            "stopped" => Self::Stopped(rest.take(2).collect::<Vec<_>>().join(" ")),
            "done" => Self::Done { primes: word()?.parse().ok()?, digest: hex(word()?)? },
            _ => return None,
        })
    }
}

/// Makes the image of a flash as it comes from the factory: all ones.
pub fn new_flash(folder: &Path) -> Result<(), String> {
    std::fs::write(folder.join(IMAGE), vec![0xff; FLASH_LEN]).map_err(|error| format!("{IMAGE}: {error}"))
}

/// A board that runs. It is killed when it is dropped.
pub struct Board {
    qemu: Child,
    lines: Receiver<Line>,
}

impl Board {
    /// Switches it on.
    pub fn start(firmware: &Path, folder: &Path) -> Result<Self, String> {
        let mut qemu = Command::new("qemu-system-arm")
            .current_dir(folder)
            .args(["-M", "ast1030-evb,fmc-model=w25q32", "-display", "none", "-monitor", "none", "-serial", "none"])
            .args(["-semihosting-config", "enable=on,target=native", "-drive"])
            .arg(format!("if=mtd,format=raw,file={IMAGE}"))
            .arg("-kernel")
            .arg(firmware)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("qemu-system-arm: {error}"))?;
        let mut output = BufReader::new(qemu.stdout.take().ok_or("QEMU without standard output")?);
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut text = String::new();
            // A line without an end was torn by a kill: nobody was told.
            while output.read_line(&mut text).is_ok() && text.ends_with('\n') {
                if sender.send(Line::parse(text.trim_end())).is_err() {
                    break;
                }
                text.clear();
            }
        });
        Ok(Self { qemu, lines })
    }

    /// Answers the firmware, which asks where to stop when it boots.
    pub fn order(&mut self, order: &str) -> Result<(), String> {
        let input = self.qemu.stdin.as_mut().ok_or("QEMU without standard input")?;
        writeln!(input, "{order}").map_err(|error| format!("standard input of QEMU: {error}"))
    }

    /// The next line; `None` when the board is off.
    pub fn line(&mut self) -> Result<Option<Line>, String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err(format!("nothing was said for {} seconds", PATIENCE.as_secs())),
        }
    }

    /// Takes the power away: SIGKILL. The lines that were said until then are still to be read.
    pub fn kill(&mut self) -> Result<(), String> {
        self.qemu.kill().and_then(|()| self.qemu.wait()).map_err(|error| format!("QEMU was not killed: {error}"))?;
        Ok(())
    }

    /// Waits for the end of a board that said `done`.
    pub fn end(&mut self) -> Result<(), String> {
        let status = self.qemu.wait().map_err(|error| format!("QEMU does not end: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("QEMU ended with {status}")) }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}
