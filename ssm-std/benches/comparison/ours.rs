//! The machine in this project's words: format 2.0, a unit for each part.

use crate::form::Form;
use crate::machine::{Cpu, Machine, NextMachine, NextScreen, RAM, Screen, Timer, VIDEO, Voice};
use ssm_core::{Entry, Field, Get, Loader, Memory, Put, Saver, Unit, UnitError, Units, fields};
use ssm_std::{Codec, Crc32Fast, FromStd, decoder};

// What is written for the saved state begins here.
const CPU: &[Field<Cpu>] = fields![Cpu: registers, pc, sp, cycles, interrupt_mode, interrupts_enabled, halted];
const SCREEN: &[Field<Screen>] =
    fields![Screen: line, dot, frame, scroll_x, scroll_y, window_x, window_y, palette, is_on];
const TIMER: &[Field<Timer>] = fields![Timer: count, reload, prescaler, is_running, raises_interrupt];
const VOICE: &[Field<Voice>] = fields![Voice: frequency, phase, volume, envelope, is_on];

macro_rules! units {
    ($($unit:ty: $fields:expr;)+) => {$(
        impl Unit for $unit {
            fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
                put.fields(self, $fields)
            }

            fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
                get.fields(self, $fields)
            }
        }
    )+};
}
units! {
    Cpu: CPU;
    Screen: SCREEN;
    Timer: TIMER;
    Voice: VOICE;
}

/// Memory, which has its size already when a state is loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block(Vec<u8>);

impl Unit for Block {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(&self.0)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(&mut self.0)
    }
}

type Ours = Machine<Block>;
const TIMERS: Entry<Ours> = Entry::new("timer", |machine: &mut Ours, at| &mut machine.timers[at as usize]);
const VOICES: Entry<Ours> = Entry::new("voice", |machine: &mut Ours, at| &mut machine.voices[at as usize]);
const UNITS: Units<Ours> = Units::new(&[
    Entry::new("cpu", |machine, _| &mut machine.cpu),
    Entry::new("ram", |machine, _| &mut machine.ram),
    Entry::new("video", |machine, _| &mut machine.video),
    Entry::new("screen", |machine, _| &mut machine.screen),
    TIMERS,
    TIMERS.instance(1),
    TIMERS.instance(2),
    TIMERS.instance(3),
    VOICES,
    VOICES.instance(1),
    VOICES.instance(2),
    VOICES.instance(3),
    VOICES.instance(4),
    VOICES.instance(5),
]);

fn save(machine: &mut Ours, codec: Codec, scratch: &mut [u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(160 << 10);
    Saver::streamed(FromStd::new(&mut file), codec.encoder(), scratch).crc32(Crc32Fast).save(machine, &UNITS).unwrap();
    file
}

fn load(bytes: &[u8], machine: &mut Ours, scratch: &mut [u8]) -> bool {
    Loader::new(Memory::holding(bytes), decoder(), scratch).crc32(Crc32Fast).load(machine, &UNITS).is_ok()
}
// What is written for the saved state ends here.

/// The screen of the next release: version 2 of its data, which loads version 1 too.
impl Unit for NextScreen {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.fields(self, NEXT_SCREEN)?;
        put.u8(self.brightness)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        get.fields(self, NEXT_SCREEN)?;
        if version > 1 {
            self.brightness = get.u8()?;
        }
        Ok(())
    }
}

const NEXT_SCREEN: &[Field<NextScreen>] =
    fields![NextScreen: line, dot, frame, scroll_x, scroll_y, window_x, window_y, palette, is_on];

type Next = NextMachine<Block>;
const NEXT_TIMERS: Entry<Next> = Entry::new("timer", |machine: &mut Next, at| &mut machine.timers[at as usize]);
const NEXT_VOICES: Entry<Next> = Entry::new("voice", |machine: &mut Next, at| &mut machine.voices[at as usize]);
const NEXT_UNITS: Units<Next> = Units::new(&[
    Entry::new("cpu", |machine, _| &mut machine.cpu),
    Entry::new("ram", |machine, _| &mut machine.ram),
    Entry::new("video", |machine, _| &mut machine.video),
    Entry::new("screen", |machine: &mut Next, _| &mut machine.screen).version(2),
    NEXT_TIMERS,
    NEXT_TIMERS.instance(1),
    NEXT_TIMERS.instance(2),
    NEXT_TIMERS.instance(3),
    NEXT_VOICES,
    NEXT_VOICES.instance(1),
    NEXT_VOICES.instance(2),
    NEXT_VOICES.instance(3),
    NEXT_VOICES.instance(4),
    NEXT_VOICES.instance(5),
]);

impl From<Vec<u8>> for Block {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

/// This project, with a codec.
pub struct Project {
    codec: Codec,
    scratch: Vec<u8>,
}

impl Project {
    pub fn new(codec: Codec) -> Self {
        Self { codec, scratch: vec![0; 64 << 10] }
    }
}

/// The lines that a program has for it.
pub fn lines() -> usize {
    crate::lines_between(
        include_str!("ours.rs"),
        "// What is written for the saved state begins here.",
        "// What is written for the saved state ends here.",
    )
}

impl Form for Project {
    type Bytes = Block;

    fn save(&mut self, machine: &mut Ours) -> Vec<u8> {
        save(machine, self.codec, &mut self.scratch)
    }

    fn load(&mut self, bytes: &[u8]) -> Option<Ours> {
        let mut machine = Ours { ram: Block(vec![0; RAM]), video: Block(vec![0; VIDEO]), ..Ours::default() };
        load(bytes, &mut machine, &mut self.scratch).then_some(machine)
    }

    fn load_next(&mut self, bytes: &[u8]) -> Option<Next> {
        let mut machine = Next { ram: Block(vec![0; RAM]), video: Block(vec![0; VIDEO]), ..Next::default() };
        let loader = Loader::new(Memory::holding(bytes), decoder(), &mut self.scratch).crc32(Crc32Fast);
        loader.load(&mut machine, &NEXT_UNITS).is_ok().then_some(machine)
    }
}
