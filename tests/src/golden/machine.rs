//! A machine whose units are those of a good file. They load by comparing what they read with the manifest.

use super::{Good, Item, Items, Reading, read_items};
use ssm_core::{AfterLoad, Entry, Get, MAX_NAME, Put, Unit, UnitError};

/// A hook that was called, with the number of the unit in the file (the built-in one is not counted).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Call {
    Prepare(usize),
    /// With the version of the data.
    Load(usize, u32),
    /// The same of a live pass, with its number.
    LoadPass(usize, u32, u32),
    /// With whether all is well so far.
    Done(usize, bool),
}

/// The units of one good file.
pub struct Machine {
    units: Vec<Loading>,
    /// Its hooks as they were called.
    pub calls: Vec<Call>,
    lent: usize,
    reading: Reading,
    gc_ptr_bytes: Option<u8>,
}

struct Loading {
    name: &'static str,
    instance: u32,
    version: u32,
    /// By pass; `None` is the final one.
    passes: Vec<(Option<u32>, Vec<Item>)>,
}

type Place = fn(&mut Machine, u32) -> &mut dyn Unit;

fn place<const UNIT: usize>(machine: &mut Machine, instance: u32) -> &mut dyn Unit {
    assert_eq!(instance, machine.units[UNIT].instance);
    machine.lent = UNIT;
    machine
}

/// One function per unit, so that each entry leads to its own unit and no other.
macro_rules! places {
    ($($ten:literal)*) => {[$(
        place::<{ $ten }>, place::<{ $ten + 1 }>, place::<{ $ten + 2 }>, place::<{ $ten + 3 }>, place::<{ $ten + 4 }>,
        place::<{ $ten + 5 }>, place::<{ $ten + 6 }>, place::<{ $ten + 7 }>, place::<{ $ten + 8 }>, place::<{ $ten + 9 }>,
    )*]};
}
const PLACES: [Place; 120] = places!(0 10 20 30 40 50 60 70 80 90 100 110);

impl Machine {
    /// The units of `good` but the built-in ones and those whose names are too long to register.
    pub fn of(good: &Good) -> Self {
        let mut units: Vec<Loading> = Vec::new();
        for unit in good.units.iter().filter(|unit| unit.name.len() <= MAX_NAME && !unit.is_built_in()) {
            let Items::List(items) = &unit.items else { panic!("{}: no list of items", unit.name) };
            let pass = (unit.live_pass(), items.clone());
            match units.iter_mut().find(|known| (known.name, known.instance) == (&*unit.name, unit.instance)) {
                Some(known) => known.passes.push(pass),
                None => {
                    let name = String::leak(unit.name.clone());
                    units.push(Loading { name, instance: unit.instance, version: unit.version, passes: vec![pass] });
                }
            }
        }
        let gc_ptr_bytes = good.gc_ptr_bytes_to_set();
        Self { units, calls: Vec::new(), lent: 0, reading: Reading::Exact, gc_ptr_bytes }
    }

    /// The same with units that read in another way.
    pub fn reading(self, reading: Reading) -> Self {
        Self { reading, ..self }
    }

    /// The number of the unit of this name and instance.
    pub fn position(&self, name: &str, instance: u32) -> Option<usize> {
        self.units.iter().position(|unit| (unit.name, unit.instance) == (name, instance))
    }

    /// The calls of a load that succeeds, where the units are registered in this order.
    pub fn calls_of_a_load(&self, good: &Good, order: &[usize]) -> Vec<Call> {
        let loads = good.units.iter().filter_map(|unit| {
            let at = self.position(&unit.name, unit.instance)?;
            Some(match unit.live_pass() {
                Some(pass) => Call::LoadPass(at, unit.version, pass),
                None => Call::Load(at, unit.version),
            })
        });
        let (prepare, done) = (order.iter().map(|at| Call::Prepare(*at)), order.iter().map(|at| Call::Done(*at, true)));
        prepare.chain(loads).chain(done).collect()
    }

    /// The entries of all units in the order of the file.
    pub fn entries(&self) -> Vec<Entry<Self>> {
        let entry = |(unit, place): (&Loading, &Place)| {
            Entry::new(unit.name, *place).instance(unit.instance).version(unit.version)
        };
        assert!(self.units.len() <= PLACES.len());
        self.units.iter().zip(&PLACES).map(entry).collect()
    }
}

impl Unit for Machine {
    fn save(&mut self, _: &mut Put<'_>) -> Result<(), UnitError> {
        unreachable!("it only loads")
    }

    fn load_prep(&mut self, _: AfterLoad) -> Result<(), UnitError> {
        self.calls.push(Call::Prepare(self.lent));
        Ok(())
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        self.calls.push(match get.pass() {
            Some(pass) => Call::LoadPass(self.lent, version, pass),
            None => Call::Load(self.lent, version),
        });
        if let Some(bytes) = self.gc_ptr_bytes {
            get.set_gc_ptr_bytes(bytes)?;
        }
        let unit = &self.units[self.lent];
        if version != unit.version {
            return Err(UnitError::Version(version));
        }
        let passes = &unit.passes;
        // A damaged file may say another pass of a unit that came once.
        let saved = passes.iter().find(|(pass, _)| *pass == get.pass() || passes.len() == 1);
        let Some((_, items)) = saved else {
            return Err(UnitError::Invalid("no such pass was saved"));
        };
        read_items(get, items, self.reading)
    }

    fn load_done(&mut self, _: AfterLoad, ok: bool) -> Result<(), UnitError> {
        self.calls.push(Call::Done(self.lent, ok));
        Ok(())
    }
}
