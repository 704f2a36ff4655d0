//! The machine that every form saves: 150 KB in two large arrays and about a hundred small fields.

use serde::{Deserialize, Serialize};

pub const RAM: usize = 128 << 10;
pub const VIDEO: usize = 20 << 10;

/// All of it. `B` is how a form holds bytes: `Vec<u8>`, or the wrapper that tells serde they are bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine<B> {
    pub cpu: Cpu,
    pub ram: B,
    pub video: B,
    pub screen: Screen,
    pub timers: [Timer; 4],
    pub voices: [Voice; 6],
}

/// The same as the next release of the program has it: the screen has got a field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NextMachine<B> {
    pub cpu: Cpu,
    pub ram: B,
    pub video: B,
    pub screen: NextScreen,
    pub timers: [Timer; 4],
    pub voices: [Voice; 6],
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cpu {
    pub registers: [u16; 12],
    pub pc: u16,
    pub sp: u16,
    pub cycles: u64,
    pub interrupt_mode: u8,
    pub interrupts_enabled: bool,
    pub halted: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Screen {
    pub line: u16,
    pub dot: u16,
    pub frame: u32,
    pub scroll_x: u8,
    pub scroll_y: u8,
    pub window_x: u8,
    pub window_y: u8,
    pub palette: [u16; 16],
    pub is_on: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NextScreen {
    pub line: u16,
    pub dot: u16,
    pub frame: u32,
    pub scroll_x: u8,
    pub scroll_y: u8,
    pub window_x: u8,
    pub window_y: u8,
    pub palette: [u16; 16],
    pub is_on: bool,
    /// New; an old state has 0 here.
    #[serde(default)]
    pub brightness: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timer {
    pub count: u16,
    pub reload: u16,
    pub prescaler: u8,
    pub is_running: bool,
    pub raises_interrupt: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Voice {
    pub frequency: u16,
    pub phase: u32,
    pub volume: u8,
    pub envelope: u8,
    pub is_on: bool,
}

impl<B: Clone> Machine<B> {
    /// What the next release makes of this state.
    pub fn next(&self) -> NextMachine<B> {
        let Self { cpu, ram, video, screen, timers, voices } = self.clone();
        let Screen { line, dot, frame, scroll_x, scroll_y, window_x, window_y, palette, is_on } = screen;
        let screen =
            NextScreen { line, dot, frame, scroll_x, scroll_y, window_x, window_y, palette, is_on, brightness: 0 };
        NextMachine { cpu, ram, video, screen, timers, voices }
    }
}

/// A machine in the middle of its work, the same in every run.
pub fn running(ram: Vec<u8>, video: Vec<u8>) -> Machine<Vec<u8>> {
    let mut random = crate::data::Random(7);
    let mut next = || random.next();
    Machine {
        cpu: Cpu {
            registers: std::array::from_fn(|_| next() as u16),
            pc: next() as u16,
            sp: 0xff00 | next() as u16 & 0xfe,
            cycles: next() >> 20,
            interrupt_mode: 1,
            interrupts_enabled: true,
            halted: false,
        },
        ram,
        video,
        screen: Screen {
            line: 100,
            dot: 30,
            frame: next() as u32 >> 12,
            scroll_x: next() as u8,
            scroll_y: next() as u8,
            window_x: 7,
            window_y: 0,
            palette: std::array::from_fn(|_| next() as u16 & 0x7fff),
            is_on: true,
        },
        timers: std::array::from_fn(|at| Timer {
            count: next() as u16,
            reload: next() as u16,
            prescaler: at as u8,
            is_running: at != 3,
            raises_interrupt: at == 0,
        }),
        voices: std::array::from_fn(|at| Voice {
            frequency: next() as u16 & 0x7ff,
            phase: next() as u32,
            volume: next() as u8 & 0xf,
            envelope: next() as u8,
            is_on: at < 4,
        }),
    }
}
