//! The machine at a terminal: a person types, the machine runs, keys save and leave.

use crate::Machine;
use crate::state::save;
use crate::terminal::{Event, Terminal};
use std::error::Error;
use std::path::Path;

/// Cycles between two looks at the terminal: 12.5 ms of a processor at 4 MHz.
const SLICE: u64 = 50_000;

/// Where a key saves to if nobody said.
const DEFAULT_STATE: &str = "emulator.sav";

/// How it ends.
enum End {
    /// Without a word about saving: the file, if there is one, is written.
    Input,
    /// The state was saved, or need not be.
    Done,
}

/// Runs the machine until the person leaves, the input ends and the machine waits for more, or `cycles` are over.
pub fn interact(mut machine: Machine, state: Option<&Path>, cycles: Option<u64>) -> Result<(), Box<dyn Error>> {
    let mut terminal = Terminal::open()?;
    if terminal.is_person() {
        terminal.tell("Ctrl-S saves, Ctrl-X saves and leaves, Ctrl-D leaves, Ctrl-C stops the BASIC program");
    }
    let limit = cycles.map_or(u64::MAX, |cycles| machine.clock.cycles.saturating_add(cycles));
    match run(&mut machine, &mut terminal, state, limit)? {
        End::Input => state.map_or(Ok(()), |path| save_and_tell(&mut machine, &terminal, path)),
        End::Done => Ok(()),
    }
}

fn run(
    machine: &mut Machine,
    terminal: &mut Terminal,
    state: Option<&Path>,
    limit: u64,
) -> Result<End, Box<dyn Error>> {
    // Out of a pipe, a control key that waits until the machine has done what was typed before it.
    let mut held = None;
    loop {
        terminal.print(&machine.console.take_output())?;
        if machine.cpu.is_halted() {
            terminal.tell("the processor has halted");
            return Ok(End::Input);
        }
        if machine.clock.cycles >= limit {
            return Ok(End::Input);
        }
        let mut event = match held.take() {
            Some(event) => Some(event),
            None if machine.is_idle() => terminal.wait(),
            None => terminal.poll(),
        };
        if event.is_none() && machine.is_idle() && terminal.has_ended() {
            return Ok(End::Input);
        }
        while let Some(what) = event {
            if !terminal.is_person() && !matches!(what, Event::Key(_)) && !machine.is_idle() {
                held = event;
                break;
            }
            let saving = state.unwrap_or(Path::new(DEFAULT_STATE));
            match what {
                Event::Key(key) => _ = machine.console.type_key(key),
                Event::Interrupt => machine.console.interrupt(),
                Event::Leave => return Ok(End::Done),
                Event::Save | Event::SaveAndLeave => match save_and_tell(machine, terminal, saving) {
                    Ok(()) if what == Event::SaveAndLeave => return Ok(End::Done),
                    // A person can try again.
                    Err(error) if terminal.is_person() => terminal.tell(&format!("not saved: {error}")),
                    saved => saved?,
                },
            }
            // A pipe waits, a person's surplus keys are dropped: Ctrl-C must come through.
            let has_room = terminal.is_person() || machine.console.has_room();
            event = if has_room { terminal.poll() } else { None };
        }
        machine.run_until(limit.min(machine.clock.cycles.saturating_add(SLICE)));
    }
}

fn save_and_tell(machine: &mut Machine, terminal: &Terminal, path: &Path) -> Result<(), Box<dyn Error>> {
    let len = save(path, machine, None)?;
    terminal.tell(&format!("saved to {}: {len} bytes after {} cycles", path.display(), machine.clock.cycles));
    Ok(())
}
