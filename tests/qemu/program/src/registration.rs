//! The units are registered at run time, in another order than they are saved in, and what must be refused is.

use crate::machine::{CONSOLE, CPU, HOOKS, Machine, RAM, TIMER, TIMER_1};
use ssm_core::{Entry, Owner, RegisterError, Registry, UnitId};

/// A registry with room for all units and no more.
pub type Registered = Registry<Machine, UNITS>;

/// How many units there are.
pub const UNITS: usize = 6;

/// The units: hooks, cpu, timer/0, timer/1, ram, console.
#[inline(never)]
pub fn register() -> Registered {
    let mut units = Registered::new();
    let stranger = Owner::External(1);
    assert_eq!(units.register(RAM), Ok(()));
    assert_eq!(units.register(TIMER_1), Ok(()));
    assert_eq!(units.register(TIMER_1.version(1)), Err(RegisterError::Exists));
    assert_eq!(units.deregister(stranger, UnitId::new("timer", 1)), Err(RegisterError::NotOwner));
    assert_eq!(units.deregister(stranger, UnitId::new("timer", 2)), Err(RegisterError::NotFound));
    assert_eq!(units.deregister_all(Owner::Device(7)), 1);
    assert_eq!(units.register(CONSOLE), Ok(()));
    assert_eq!(units.register_before("ram", TIMER_1), Ok(()));
    assert_eq!(units.register_before("timer", TIMER), Ok(()));
    assert_eq!(units.register_before("timer", CPU), Ok(()));
    assert_eq!(units.register_before("cpu", HOOKS), Ok(()));
    assert_eq!(units.register(CPU.instance(1)), Err(RegisterError::Full));
    assert_eq!(units.register(Entry::new("grün", |machine, _| &mut machine.hooks)), Err(RegisterError::Name));
    assert!(units.units().iter().map(Entry::id).eq([HOOKS, CPU, TIMER, TIMER_1, RAM, CONSOLE].iter().map(Entry::id)));
    units
}
