//! The machine: registers, two timers whose layout has two versions, memory, a console with a string and a struct, and a
//! unit of hooks without data.

use ssm_core::{AfterLoad, AfterSave, Entry, Field, GcPhys, GcPtr, Get, Owner, Put, Unit, UnitError, fields};

/// The processor.
pub const CPU: Entry<Machine> = Entry::new("cpu", |machine: &mut Machine, _| &mut machine.state.cpu).size_hint(130);
/// The first timer.
pub const TIMER: Entry<Machine> =
    Entry::new("timer", |machine: &mut Machine, instance| &mut machine.state.timers[instance as usize & 1])
        .version(2)
        .owner(Owner::Device(7))
        .size_hint(15);
/// The second timer.
pub const TIMER_1: Entry<Machine> = TIMER.instance(1);
/// The first timer as an older program saved it.
pub const OLD_TIMER: Entry<Machine> =
    Entry::new("timer", |machine: &mut Machine, instance| &mut machine.old_timers[instance as usize & 1]);
/// The memory.
pub const RAM: Entry<Machine> = Entry::new("ram", |machine: &mut Machine, _| &mut machine.ram).size_hint(4096);
/// The console.
pub const CONSOLE: Entry<Machine> =
    Entry::new("console", |machine: &mut Machine, _| &mut machine.state.console).size_hint(40);
/// Hooks only.
pub const HOOKS: Entry<Machine> = Entry::new("hooks", |machine: &mut Machine, _| &mut machine.hooks).without_data();
/// What the built-in unit holds.
pub const NOTES: &[(&str, &str)] = &[("program", "ssm-board-program")];

/// The whole machine.
pub struct Machine {
    state: State,
    old_timers: [OldTimer; 2],
    ram: Ram,
    /// What the hooks were told.
    pub hooks: Hooks,
}

/// All but the memory.
#[derive(Default, PartialEq, Eq)]
struct State {
    cpu: Cpu,
    timers: [Timer; 2],
    console: Console,
}

#[derive(Default, PartialEq, Eq)]
struct Cpu {
    registers: [u32; 16],
    counter: u64,
    wide: u128,
    balance: i64,
    halted: bool,
    tables: GcPhys,
    stack: GcPtr,
}

#[derive(Default, PartialEq, Eq)]
struct Timer {
    count: u16,
    mode: u8,
    latch: u16,
}

/// What a timer was before it had a latch.
#[derive(Default)]
struct OldTimer(Timer);

#[derive(Default, PartialEq, Eq)]
struct Console {
    title: [u8; 16],
    title_len: usize,
    cursor: Cursor,
}

#[derive(Default, PartialEq, Eq)]
struct Cursor {
    line: u16,
    column: i16,
    visible: bool,
}

struct Ram(&'static mut [u8]);

/// Counts calls of hooks.
#[derive(Default)]
pub struct Hooks {
    /// Calls of `save_prep` and `load_prep`.
    pub prepared: u32,
    /// Calls of `save_done` and `load_done`.
    pub done: u32,
    /// What the last `save_done` or `load_done` was told.
    pub ok: bool,
}

const CPU_V1: &[Field<Cpu>] = fields![Cpu: registers, counter, wide, balance, halted, tables, stack];
const TIMER_V1: &[Field<Timer>] = fields![Timer: count, mode];
const TIMER_V2: &[Field<Timer>] = fields![Timer: count, mode, latch];
const CURSOR_V1: &[Field<Cursor>] = fields![Cursor: line, column, visible];

/// A little random generator, the same everywhere.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

impl Machine {
    /// A machine with this memory and nothing in it.
    pub fn new(ram: &'static mut [u8]) -> Self {
        Machine { state: State::default(), old_timers: Default::default(), ram: Ram(ram), hooks: Hooks::default() }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.state = State::default();
        self.ram.0.fill(0);
        self.hooks = Hooks::default();
    }

    /// Sets everything to the state that the files hold.
    pub fn fill(&mut self) {
        self.state = State::filled();
        self.old_timers = State::filled().timers.map(OldTimer);
        for (byte, value) in self.ram.0.iter_mut().zip(memory()) {
            *byte = value;
        }
    }

    /// Whether everything is in that state.
    pub fn is_filled(&self) -> bool {
        self.state == State::filled() && self.is_memory_filled()
    }

    /// Whether everything is, with the second version's field of the timers still in its first state.
    pub fn is_filled_from_timers_1(&self) -> bool {
        let mut expected = State::filled();
        for timer in &mut expected.timers {
            timer.latch = 0;
        }
        self.state == expected && self.is_memory_filled()
    }

    fn is_memory_filled(&self) -> bool {
        self.ram.0.iter().copied().eq(memory().take(self.ram.0.len()))
    }

    /// Whether everything is forgotten.
    pub fn is_clear(&self) -> bool {
        self.state == State::default() && self.ram.0.iter().all(|byte| *byte == 0)
    }
}

impl State {
    fn filled() -> Self {
        let mut noise = Noise(0x5eed_1234);
        let mut registers = [0; 16];
        for register in &mut registers {
            *register = noise.next();
        }
        let mut timer = || Timer { count: noise.next() as u16, mode: noise.next() as u8, latch: noise.next() as u16 };
        let timers = [timer(), timer()];
        let mut title = [0; 16];
        let text = "grüße, board".as_bytes();
        title[..text.len()].copy_from_slice(text);
        State {
            cpu: Cpu {
                registers,
                counter: 0x0123_4567_89ab_cdef,
                wide: u128::MAX / 3,
                balance: -42,
                halted: true,
                tables: GcPhys(0xfee0_0000),
                stack: GcPtr(0xffff_8000_0000_1000),
            },
            timers,
            console: Console { title, title_len: text.len(), cursor: Cursor { line: 24, column: -1, visible: true } },
        }
    }
}

/// Text, zeros, noise and a ramp, in turns of 256 bytes; the second half of 4 KiB is zeros.
fn memory() -> impl Iterator<Item = u8> {
    let mut noise = Noise(0xfeed_beef);
    (0usize..).map(move |at| match at >> 8 & 15 {
        0 | 4 => b"ten print hello; twenty goto ten; "[at % 34],
        2 | 6 => noise.next() as u8,
        3 | 7 => (at / 7) as u8,
        _ => 0,
    })
}

impl Unit for Cpu {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.fields(self, CPU_V1)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        match version {
            1 => get.fields(self, CPU_V1),
            other => Err(UnitError::Version(other)),
        }
    }
}

impl Unit for Timer {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.fields(self, TIMER_V2)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        match version {
            1 => get.fields(self, TIMER_V1),
            2 => get.fields(self, TIMER_V2),
            other => Err(UnitError::Version(other)),
        }
    }
}

impl Unit for OldTimer {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.fields(&self.0, TIMER_V1)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        match version {
            1 => get.fields(&mut self.0, TIMER_V1),
            newer => Err(UnitError::Version(newer)),
        }
    }
}

impl Unit for Console {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.string(&self.title[..self.title_len])?;
        put.fields(&self.cursor, CURSOR_V1)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        self.title_len = get.str(&mut self.title)?.len();
        get.fields(&mut self.cursor, CURSOR_V1)
    }
}

impl Unit for Ram {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u32(self.0.len() as u32)?;
        put.bytes(self.0)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        if get.u32()? as usize != self.0.len() {
            return Err(UnitError::Invalid("another size of memory"));
        }
        get.bytes(self.0)
    }
}

impl Unit for Hooks {
    fn save_prep(&mut self, _: AfterSave) -> Result<(), UnitError> {
        self.prepared += 1;
        Ok(())
    }

    fn save(&mut self, _: &mut Put<'_>) -> Result<(), UnitError> {
        Err(UnitError::Invalid("a unit without data was asked for some"))
    }

    fn save_done(&mut self, _: AfterSave, ok: bool) -> Result<(), UnitError> {
        self.done += 1;
        self.ok = ok;
        Ok(())
    }

    fn load_prep(&mut self, _: AfterLoad) -> Result<(), UnitError> {
        self.prepared += 1;
        Ok(())
    }

    fn load(&mut self, _: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        Err(UnitError::Invalid("a unit without data was given some"))
    }

    fn load_done(&mut self, _: AfterLoad, ok: bool) -> Result<(), UnitError> {
        self.done += 1;
        self.ok = ok;
        Ok(())
    }
}
