//! A machine to save: a few registers, some memory, a device of two instances, and a unit with hooks only.

use crate::media::{Broken, Disk, OneWay};
use ssm_core::{
    AfterLoad, AfterSave, Encode, Entry, Get, Header, LoadError, Loader, LzfEncoder, Put, Saver, Unit, UnitError,
    Units, fields,
};

/// The whole machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// A struct behind markers.
    pub cpu: Cpu,
    /// Bulk bytes: text, zeros and noise.
    pub memory: Memory,
    /// One place for two instances.
    pub timers: [Timer; 2],
    /// Counts the calls of hooks.
    pub hooks: Hooks,
}

/// Registers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    registers: [u32; 8],
    counter: u64,
    halted: bool,
}

/// Bytes, behind their number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory(pub Vec<u8>);

/// Small values of several types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timer {
    count: u16,
    label: String,
}

/// How often the hooks were called, and what the last one was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// Calls of `save_prep` and `load_prep`.
    pub prepared: u32,
    /// Calls of `save_done` and `load_done`.
    pub done: u32,
    /// What the last done hook was told.
    pub ok: Option<bool>,
}

/// The units of the machine.
pub const UNITS: Units<Machine> = Units::new(&[
    Entry::new("cpu", |machine: &mut Machine, _| &mut machine.cpu).size_hint(60),
    Entry::new("memory", |machine: &mut Machine, _| &mut machine.memory).version(3).size_hint(1000),
    Entry::new("hooks", |machine: &mut Machine, _| &mut machine.hooks).without_data(),
    TIMER,
    TIMER.instance(1),
]);

/// Bytes of scratch that a save of 2.0 of these units takes beside its blocks.
pub const STREAM_SCRATCH: usize = 16 * (UNITS.entries().len() + 1);

const TIMER: Entry<Machine> =
    Entry::new("timer", |machine: &mut Machine, instance| &mut machine.timers[instance as usize]).size_hint(30);

impl Machine {
    /// A machine with `bytes` bytes of memory, all of its state made from `seed`.
    pub fn new(bytes: usize, seed: u32) -> Self {
        let mut state = seed | 1;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        let memory = (0..bytes)
            .map(|at| match at * 4 / bytes {
                0 => b"ten print hello; twenty goto ten; "[at % 34],
                1 => 0,
                2 => random() as u8,
                _ => (at / 7) as u8,
            })
            .collect();
        Machine {
            cpu: Cpu { registers: std::array::from_fn(|_| random()), counter: random().into(), halted: true },
            memory: Memory(memory),
            timers: std::array::from_fn(|at| Timer { count: random() as u16, label: format!("timer {at}") }),
            hooks: Hooks::default(),
        }
    }

    /// A machine of the same size in its first state, to load into.
    pub fn blank(&self) -> Self {
        Machine {
            cpu: Cpu::default(),
            memory: Memory(vec![0; self.memory.0.len()]),
            timers: Default::default(),
            hooks: Hooks::default(),
        }
    }

    /// Whether the other machine has the same state; hooks are no state.
    pub fn same_state(&self, other: &Self) -> bool {
        (&self.cpu, &self.memory, &self.timers) == (&other.cpu, &other.memory, &other.timers)
    }

    /// The file that this machine makes with a codec and so much scratch.
    pub fn save(&mut self, codec: impl Encode, scratch: usize) -> Vec<u8> {
        let mut disk = Disk::new();
        Saver::new(&mut disk, codec, &mut vec![0; scratch]).save(self, &UNITS).unwrap();
        disk.into_bytes()
    }

    /// The file of 2.0 that this machine makes with a codec and so much scratch for blocks.
    pub fn stream(&mut self, codec: impl Encode, block: usize) -> Vec<u8> {
        let mut disk = Disk::new();
        Saver::streamed(OneWay(&mut disk), codec, &mut vec![0; STREAM_SCRATCH + block]).save(self, &UNITS).unwrap();
        disk.into_bytes()
    }

    /// Loads a file with every codec and so much scratch.
    pub fn load(&mut self, file: &[u8], scratch: usize) -> Result<Header, LoadError<Broken>> {
        Loader::new(Disk::holding(file), ssm_std::decoder(), &mut vec![0; scratch]).load(self, &UNITS)
    }
}

impl Unit for Cpu {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.fields(self, fields![Cpu: registers, counter, halted])
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.fields(self, fields![Cpu: registers, counter, halted])
    }
}

impl Unit for Memory {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u64(self.0.len() as u64)?;
        put.bytes(&self.0)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        if version != 3 {
            return Err(UnitError::Version(version));
        }
        if get.u64()? != self.0.len() as u64 {
            return Err(UnitError::Invalid("another size of memory"));
        }
        get.bytes(&mut self.0)
    }
}

impl Unit for Timer {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u16(self.count)?;
        put.str(&self.label)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        self.count = get.u16()?;
        self.label = get.str(&mut [0; 16])?.into();
        Ok(())
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
        self.ok = Some(ok);
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
        self.ok = Some(ok);
        Ok(())
    }
}

/// The kinds of encoders that the tests go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// No codec.
    Store,
    /// Core's smallest.
    SmallLzf,
    /// Core's with a larger table.
    Lzf,
    /// The host's LZF.
    HostLzf,
    /// The host's zlib.
    Zlib,
}

impl Packing {
    /// All of them.
    pub const ALL: [Packing; 5] = [Packing::Store, Packing::SmallLzf, Packing::Lzf, Packing::HostLzf, Packing::Zlib];

    /// A fresh encoder; `&mut *` of it is a codec.
    pub fn encoder(self) -> Box<dyn Encode> {
        match self {
            Packing::Store => Box::new(ssm_core::Store),
            Packing::SmallLzf => Box::new(LzfEncoder::<256>::new()),
            Packing::Lzf => Box::new(LzfEncoder::<4096>::new()),
            Packing::HostLzf => Box::new(ssm_std::Lzf::new()),
            Packing::Zlib => Box::new(ssm_std::Deflate::default()),
        }
    }
}
