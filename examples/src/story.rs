//! The whole story: a machine runs a BASIC program half-way, is saved, dropped and resumed, and nobody can tell.

use crate::percent::percent;
use crate::terminal::{machine_key, without_returns};
use crate::{Machine, state};
use std::error::Error;
use std::fs;
use std::io::{self, Write};

/// What somebody types at the prompt.
const PROGRAM: &str = include_str!("../primes.bas");

/// Tells it to `out`. An error if the resumed machine did anything else than the uninterrupted one.
pub fn tell(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("half-way.sav");

    writeln!(out, "A Z80 computer with 64 KiB of memory runs a BASIC program without interruption.")?;
    let mut uninterrupted = booted();
    uninterrupted.run();
    let expected = uninterrupted.console.take_output();
    let cycles = uninterrupted.clock.cycles;
    writeln!(out, "It prints {} bytes in {cycles} cycles.\n", expected.len())?;

    writeln!(out, "Another one boots, is given the same program, and runs half-way:\n")?;
    let mut machine = booted();
    machine.run_until(cycles / 2);
    let mut output = machine.console.take_output();
    show(out, &output)?;

    writeln!(out, "\nIt is stopped in the middle: {}.", position(&machine))?;
    out.flush()?;
    let len = state::save(&path, &mut machine, Some(&mut percent("saving")))?;
    writeln!(out, "Saved to {}: {len} bytes, units packed with LZF.\n", path.display())?;
    writeln!(out, "  {:8} {:>7} {:>12} {:>12}", "unit", "version", "plain bytes", "packed bytes")?;
    for unit in state::units(&path)? {
        let state::SavedUnit { name, version, plain_len, packed_len } = unit;
        writeln!(out, "  {name:8} {version:>7} {plain_len:>12} {packed_len:>12}")?;
    }

    drop(machine);
    writeln!(out, "\nThe machine is dropped. The file is loaded into a fresh one:")?;
    out.flush()?;
    let mut resumed = state::load(&path, Some(&mut percent("loading")))?;
    writeln!(out, "It is where the other one was: {}. It runs to the end:\n", position(&resumed))?;
    resumed.run();
    let rest = resumed.console.take_output();
    show(out, &rest)?;

    let (before, after) = (output.len(), rest.len());
    output.extend(rest);
    if output != expected {
        return Err("the output is not that of the uninterrupted run".into());
    }
    writeln!(out, "\nOutput: {before} + {after} bytes, equal to the {} of the uninterrupted run.", expected.len())?;
    let [a, b] = ["uninterrupted.sav", "resumed.sav"].map(|name| folder.path().join(name));
    state::save(&a, &mut uninterrupted, None)?;
    state::save(&b, &mut resumed, None)?;
    let (a, b) = (fs::read(a)?, fs::read(b)?);
    if a != b {
        return Err("the state at the end is not that of the uninterrupted run".into());
    }
    writeln!(out, "State at the end: both machines saved, two files of {} bytes, equal byte for byte.", a.len())?;
    Ok(())
}

/// A machine at power on, with the program typed ahead.
pub(crate) fn booted() -> Machine {
    let mut machine = Machine::new();
    for byte in PROGRAM.bytes() {
        assert!(machine.console.type_key(machine_key(byte)), "the program fits");
    }
    machine
}

fn position(machine: &Machine) -> String {
    let pc = machine.cpu.registers().pc;
    format!("program counter {pc:#06x}, {} bytes printed, {} cycles", machine.console.printed(), machine.clock.cycles)
}

/// What the machine printed, set apart from what is told about it.
fn show(out: &mut dyn Write, printed: &[u8]) -> io::Result<()> {
    let printed = without_returns(printed);
    // Booting clears the screen with empty lines.
    let from = printed.iter().position(|byte| *byte != b'\n').unwrap_or(0);
    for line in printed[from..].split(|byte| *byte == b'\n') {
        out.write_all(b"  | ")?;
        out.write_all(line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
