//! The units of the images whose size is measured.

use ssm_core::{Entry, Get, Put, Unit, UnitError, Units};

pub struct Machine {
    pub count: u32,
    pub mode: u16,
    pub memory: [u8; 256],
}

impl Machine {
    pub const fn new() -> Self {
        Self { count: 0, mode: 0, memory: [0; 256] }
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Unit for Machine {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u32(self.count)?;
        put.u16(self.mode)?;
        put.bytes(&self.memory)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        if version != 1 {
            return Err(UnitError::Version(version));
        }
        self.count = get.u32()?;
        self.mode = get.u16()?;
        get.bytes(&mut self.memory)
    }
}

pub const ENTRY: Entry<Machine> = Entry::new("machine", |machine, _| machine);

pub static UNITS: Units<Machine> = Units::new(&[ENTRY]);

/// The same in an image that only saves: its load brings in nothing of the loading side.
pub struct Recorder(pub Machine);

impl Unit for Recorder {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        self.0.save(put)
    }

    fn load(&mut self, _: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        Err(UnitError::Version(version))
    }
}

/// The same in an image that only loads: its save brings in nothing of the saving side.
pub struct Player(pub Machine);

impl Unit for Player {
    fn save(&mut self, _: &mut Put<'_>) -> Result<(), UnitError> {
        Err(UnitError::Invalid("not in this image"))
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        self.0.load(get, version)
    }
}

pub static PLAYERS: Units<Player> = Units::new(&[Entry::new("machine", |machine, _| machine)]);

pub static RECORDERS: Units<Recorder> = Units::new(&[Entry::new("machine", |machine, _| machine)]);
