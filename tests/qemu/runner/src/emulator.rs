//! One run of QEMU.

use crate::board::{Board, Boot, Files, SIZES};
use crate::{host, line};
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use wait_timeout::ChildExt;

/// No board takes a tenth of it; it only ends a guest that hangs.
const SAFETY_NET: Duration = Duration::from_secs(60);
/// A board whose line has failed has failed, and gets this long to say why.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Runs the firmware with `folder` as its place for files, and sends it over the line what is in `host`; its standard
/// output.
pub fn run(board: &Board, firmware: &Path, folder: &Path, host: &Path) -> Result<Vec<u8>> {
    let (output, errors) = (folder.join("stdout"), folder.join("stderr"));
    let mut qemu = Command::new(board.emulator);
    let (mut line, boards_end) = line::pair(SAFETY_NET)?;
    qemu.current_dir(folder).args(board.arguments).args(["-display", "none", "-monitor", "none"]);
    // The board's end of the line is QEMU's standard input.
    qemu.stdin(boards_end).args(["-chardev", "socket,id=line,fd=0", "-serial", "chardev:line"]);
    match board.boot {
        Boot::Kernel => qemu.arg("-kernel").arg(firmware),
        Boot::Loader => qemu.arg("-device").arg(format!("loader,file={},cpu-num=0", firmware.display())),
    };
    match board.files {
        Files::Semihosting => {
            qemu.args(["-semihosting-config", "enable=on,target=native"]);
        }
        Files::DebugPort => {
            qemu.args(["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]);
            qemu.args(["-chardev", "file,id=out,path=frames", "-device", "isa-debugcon,iobase=0xe9,chardev=out"]);
            for name in SIZES.iter().flat_map(host::inputs) {
                qemu.arg("-fw_cfg").arg(format!("name=opt/ssm/{name},file={name}"));
            }
        }
    }
    let mut child = qemu
        .stdout(File::create(&output)?)
        .stderr(File::create(&errors)?)
        .spawn()
        .with_context(|| format!("start {}", board.emulator))?;
    // It keeps the board's end open; only QEMU may, so that the line ends with it.
    drop(qemu);
    let exchanged = line::exchange(&mut line, board.sizes, host, folder);
    let Some(status) = child.wait_timeout(if exchanged.is_ok() { SAFETY_NET } else { LAST_WORDS })? else {
        child.kill()?;
        child.wait()?;
        exchanged.context("the serial line")?;
        bail!("the board hangs");
    };
    let said = || format!("{}{}", fs::read_to_string(&errors).unwrap_or_default(), text_frames(board, folder));
    ensure!(status.code() == Some(board.success), "{status}: {}", said().trim());
    exchanged.context("the serial line")?;
    if board.files == Files::DebugPort {
        unpack(folder)?;
    }
    Ok(fs::read(&output)?)
}

/// The frames on the debug port: the lengths of name and contents in four bytes each, little endian, then both. A frame
/// without a name is text.
fn frames(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (name_len, behind) = rest.split_first_chunk()?;
        let (len, behind) = behind.split_first_chunk()?;
        let (name, behind) = behind.split_at_checked(u32::from_le_bytes(*name_len) as usize)?;
        let (contents, behind) = behind.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        rest = behind;
        Some((name, contents))
    })
}

fn unpack(folder: &Path) -> Result<()> {
    let bytes = fs::read(folder.join("frames"))?;
    for (name, contents) in frames(&bytes).filter(|(name, _)| !name.is_empty()) {
        let name = Path::new(std::str::from_utf8(name)?);
        ensure!(name.file_name() == Some(name.as_os_str()), "a file outside the board's folder");
        fs::write(folder.join(name), contents)?;
    }
    Ok(())
}

fn text_frames(board: &Board, folder: &Path) -> String {
    if board.files != Files::DebugPort {
        return String::new();
    }
    let bytes = fs::read(folder.join("frames")).unwrap_or_default();
    frames(&bytes)
        .filter(|(name, _)| name.is_empty())
        .map(|(_, text)| format!("{}\n", String::from_utf8_lossy(text)))
        .collect()
}
