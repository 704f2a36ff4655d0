//! Machines to save: one large memory, or many small units.

use ssm_core::{Entry, Get, Put, Unit, UnitError, Units};

/// A memory.
pub struct Ram(pub Vec<u8>);

impl Unit for Ram {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(&self.0)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(&mut self.0)
    }
}

/// The memory's unit.
pub const RAM: Units<Ram> = Units::new(&[Entry::new("ram", |machine, _| machine)]);

/// A unit of 64 bytes.
pub struct Cell(pub [u8; 64]);

impl Unit for Cell {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(&self.0)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(&mut self.0)
    }
}

/// Many of them, each with bytes of its own.
pub fn cells(count: u32) -> (Vec<Cell>, Vec<Entry<Vec<Cell>>>) {
    let cells = (0..count).map(|at| Cell(std::array::from_fn(|byte| (at as usize * 7 + byte / 4) as u8))).collect();
    let entry = Entry::new("cell", |machine: &mut Vec<Cell>, at| &mut machine[at as usize]);
    (cells, (0..count).map(|at| entry.instance(at)).collect())
}
