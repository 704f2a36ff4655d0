//! The story of a live save: a machine moves over a serial line into another one while it runs, and nobody can tell.

use crate::story::booted;
use crate::terminal::without_returns;
use crate::{LIVE_UNITS, Machine, UNITS};
use ssm_core::{LoadError, Loader, SaveError, Saver, Vote};
use ssm_std::{Codec, Crc32Fast, FromStd, decoder};
use std::error::Error;
use std::io::{self, Write};

/// Cycles of the processor, at 4 MHz, while the line takes a byte, at 115200 baud.
const CYCLES_PER_BYTE: u64 = 347;
/// Where the machine is when the save begins.
const BEGIN: u64 = 3_000_000;
/// Passes while the machine runs, at most: a program that writes all over the memory would never end them.
const MAX_PASSES: u32 = 8;
const SCRATCH: usize = 16 << 10;

/// What went over the line in one pass.
pub struct Pass {
    /// Pages of memory.
    pub pages: usize,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Saves `machine` to `line` while it runs, as far as the line lets it between two passes; the passes, the last of which is
/// the final one. What the machine prints meanwhile stays in its console.
pub fn save(machine: &mut Machine, line: &mut dyn Write) -> Result<Vec<Pass>, SaveError<io::Error>> {
    let mut scratch = [0; SCRATCH];
    let mut passes = Vec::new();
    let saver = Saver::streamed(FromStd::new(line), Codec::Lzf.encoder(), &mut scratch).crc32(Crc32Fast);
    let mut live = saver.live(machine, &LIVE_UNITS)?.limit_passes(MAX_PASSES);
    let mut before = 0;
    loop {
        let vote = live.pass(machine, &LIVE_UNITS)?;
        let bytes = live.file_len() - before;
        before = live.file_len();
        passes.push(Pass { pages: machine.ram.pages().sent(), bytes });
        // The pass is still on the line, and the machine does not wait for it.
        machine.run_until(machine.clock.cycles + bytes * CYCLES_PER_BYTE);
        if vote != Vote::Again {
            break;
        }
    }
    let bytes = live.finish(machine, &LIVE_UNITS)? - before;
    passes.push(Pass { pages: machine.ram.pages().sent(), bytes });
    Ok(passes)
}

/// The machine at the other end of the line.
pub fn load(mut line: &[u8]) -> Result<Machine, LoadError<io::Error>> {
    let (mut machine, mut scratch) = (Machine::new(), [0; SCRATCH]);
    Loader::streaming(FromStd::new(&mut line), decoder(), &mut scratch)
        .crc32(Crc32Fast)
        .load(&mut machine, &LIVE_UNITS)?;
    Ok(machine)
}

/// What a save of a stopped machine takes: the file.
pub fn save_stopped(machine: &mut Machine, codec: Codec) -> Result<Vec<u8>, SaveError<io::Error>> {
    let (mut file, mut scratch) = (Vec::new(), [0; SCRATCH]);
    Saver::streamed(FromStd::new(&mut file), codec.encoder(), &mut scratch).crc32(Crc32Fast).save(machine, &UNITS)?;
    Ok(file)
}

/// Tells it to `out`; the file. An error if the machine at the other end does anything else than the one here.
pub fn tell(out: &mut dyn Write) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut here = booted();
    here.run_until(BEGIN);
    writeln!(out, "A Z80 computer at 4 MHz has run a BASIC program for {} cycles.", here.clock.cycles)?;
    writeln!(out, "It is saved over a serial line of 115200 baud, and runs on meanwhile.\n")?;
    let mut file = Vec::new();
    let passes = save(&mut here, &mut file)?;
    let stopped = passes.last().map_or(0, |pass| pass.bytes);

    writeln!(out, "  {:>5} {:>6} {:>6} {:>8}", "pass", "pages", "bytes", "ms")?;
    for (number, Pass { pages, bytes }) in passes.iter().enumerate() {
        let name = if number + 1 == passes.len() { "final".to_owned() } else { number.to_string() };
        writeln!(out, "  {name:>5} {pages:>6} {bytes:>6} {:>8}", milliseconds(*bytes))?;
    }
    let plain = save_stopped(&mut here, Codec::Lzf)?.len() as u64;
    let len = file.len();
    writeln!(
        out,
        "\nThe live save has {len} bytes; the machine stands still for the final pass, {} ms.",
        milliseconds(stopped)
    )?;
    writeln!(
        out,
        "A plain save has {plain} bytes: the machine would stand still for all of it, {} ms.",
        milliseconds(plain)
    )?;

    let mut there = load(&file)?;
    writeln!(out, "\nAnother machine has loaded it: {} cycles here, {} there.", here.clock.cycles, there.clock.cycles)?;
    here.console.take_output();
    [&mut here, &mut there].into_iter().for_each(Machine::run);
    let [printed, printed_there] = [&mut here, &mut there].map(|machine| machine.console.take_output());
    if printed_there != printed {
        return Err("the two machines print different things".into());
    }
    if save_stopped(&mut here, Codec::Store)? != save_stopped(&mut there, Codec::Store)? {
        return Err("the two machines end in different states".into());
    }
    let lines = without_returns(&printed).split(|byte| *byte == b'\n').count();
    writeln!(out, "Both go on to the end: {} bytes printed in {lines} lines, equal; states equal too.", printed.len())?;
    Ok(file)
}

fn milliseconds(bytes: u64) -> u64 {
    bytes * CYCLES_PER_BYTE / 4_000
}
