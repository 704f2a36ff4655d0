//! The computer: a Z80 with 64 KiB of memory, a console and a clock, running Tiny BASIC.

use crate::z80::Bus;
use crate::{Clock, Console, RAM_SIZE, Ram, Z80};
use ssm_core::{Entry, Units};

/// Palo Alto Tiny BASIC; `examples/rom/ORIGIN.md` says where it comes from.
static TINY_BASIC: &[u8] = include_bytes!("../../../rom/tinybasic2dms.bin");

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

/// What a saved state holds: the same names and versions as on the host.
pub static UNITS: Units<Machine> = Units::new(&[
    Entry::new("cpu", |machine: &mut Machine, _| &mut machine.cpu),
    Entry::new("ram", |machine: &mut Machine, _| &mut machine.ram).size_hint(RAM_SIZE as u64),
    Entry::new("console", |machine: &mut Machine, _| &mut machine.console),
    Entry::new("clock", |machine: &mut Machine, _| &mut machine.clock).version(2),
]);

impl Machine {
    /// The computer at power on.
    pub fn new(memory: &'static mut [u8; RAM_SIZE]) -> Self {
        let ram = Ram::new(memory, TINY_BASIC);
        Self { cpu: Z80::new(), ram, console: Console::default(), clock: Clock::default() }
    }

    /// Executes one instruction; the byte it printed, if it did.
    pub fn step(&mut self) -> Option<u8> {
        let Self { cpu, ram, console, clock } = self;
        let cycles = cpu.execute(&mut Parts { ram, console, now: clock.cycles });
        clock.advance(cycles);
        console.take_sent()
    }

    /// Executes instructions until the clock shows `cycles` or more, or the machine is [idle](Self::is_idle).
    pub fn run_until(&mut self, cycles: u64, print: &mut dyn FnMut(u8)) {
        while self.clock.cycles < cycles && !self.is_idle() {
            if let Some(byte) = self.step() {
                print(byte);
            }
        }
    }

    /// Whether running on changes nothing but the time: it waits for a key, or has halted.
    pub fn is_idle(&self) -> bool {
        self.console.is_waiting() || self.cpu.is_halted()
    }
}

/// The machine without its processor, in an instruction that began at `now`.
struct Parts<'m> {
    ram: &'m mut Ram,
    console: &'m mut Console,
    now: u64,
}

impl Bus for Parts<'_> {
    fn peek(&mut self, address: u16) -> u8 {
        self.ram.peek(address)
    }

    fn poke(&mut self, address: u16, value: u8) {
        self.ram.poke(address, value);
    }

    fn port_in(&mut self, port: u8) -> u8 {
        match port {
            2 => self.console.receive(),
            3 => self.console.status(self.now),
            _ => 0xff,
        }
    }

    fn port_out(&mut self, port: u8, value: u8) {
        if port == 2 {
            self.console.send(value);
        }
    }
}
