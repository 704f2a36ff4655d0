//! The computer: a Z80 with 64 KiB of memory, a console and a clock, running Tiny BASIC.

use crate::{Clock, Console, RAM_SIZE, Ram, Z80};
use ssm_core::{Entry, Units};

/// Palo Alto Tiny BASIC; `README.md` says where it comes from.
static TINY_BASIC: &[u8] = include_bytes!("../rom/tinybasic2dms.bin");

/// The computer.
pub struct Machine {
    /// The processor.
    pub cpu: Z80,
    /// The memory.
    pub ram: Ram,
    /// The serial line.
    pub console: Console,
    /// The time.
    pub clock: Clock,
}

const CPU: Entry<Machine> = Entry::new("cpu", |machine: &mut Machine, _| &mut machine.cpu);
const RAM: Entry<Machine> = Entry::new("ram", |machine: &mut Machine, _| &mut machine.ram).size_hint(RAM_SIZE as u64);
const PAGED_RAM: Entry<Machine> = Entry::new("ram", |machine: &mut Machine, _| machine.ram.pages())
    .size_hint(RAM_SIZE as u64)
    .version(2)
    .oldest(1)
    .live();
const CONSOLE: Entry<Machine> = Entry::new("console", |machine: &mut Machine, _| &mut machine.console);
const CLOCK: Entry<Machine> = Entry::new("clock", |machine: &mut Machine, _| &mut machine.clock).version(2);

/// What a plain save holds: every part of the machine under its name, with the version of its layout.
pub static UNITS: Units<Machine> = Units::new(&[CPU, RAM, CONSOLE, CLOCK]);

/// What a live save holds: the same machine, with its memory in pages. Loads plain saves too.
pub static LIVE_UNITS: Units<Machine> = Units::new(&[CPU, PAGED_RAM, CONSOLE, CLOCK]);

impl Machine {
    /// The computer at power on.
    pub fn new() -> Self {
        Self { cpu: Z80::new(), ram: Ram::new(TINY_BASIC), console: Console::default(), clock: Clock::default() }
    }

    /// Executes one instruction.
    pub fn step(&mut self) {
        let Self { cpu, ram, console, clock } = self;
        let cycles = cpu.execute(&mut Bus { ram, console, now: clock.cycles });
        clock.advance(cycles);
    }

    /// Executes instructions until the clock shows `cycles` or more, or the machine is [idle](Self::is_idle).
    pub fn run_until(&mut self, cycles: u64) {
        while self.clock.cycles < cycles && !self.is_idle() {
            self.step();
        }
    }

    /// Executes instructions until the machine is [idle](Self::is_idle).
    pub fn run(&mut self) {
        self.run_until(u64::MAX);
    }

    /// Whether running on changes nothing but the time: it waits for a key, or has halted.
    pub fn is_idle(&self) -> bool {
        self.console.is_waiting() || self.cpu.is_halted()
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

/// What the processor sees of the machine while it executes an instruction that began at `now`.
struct Bus<'m> {
    ram: &'m mut Ram,
    console: &'m mut Console,
    now: u64,
}

impl iz80::Machine for Bus<'_> {
    fn peek(&mut self, address: u16) -> u8 {
        self.ram.peek(address)
    }

    fn poke(&mut self, address: u16, value: u8) {
        self.ram.poke(address, value);
    }

    fn port_in(&mut self, address: u16) -> u8 {
        match address as u8 {
            2 => self.console.receive(),
            3 => self.console.status(self.now),
            _ => 0xff,
        }
    }

    fn port_out(&mut self, address: u16, value: u8) {
        if address as u8 == 2 {
            self.console.send(value);
        }
    }
}
