//! A registry that several contexts share: a static, behind the firmware's critical section.

use crate::registry::{Entry, RegisterError, Registry};
use crate::unit::{Owner, UnitId};
use core::cell::RefCell;
use critical_section::Mutex;

/// A [`Registry`] for a static. Each call holds the critical section while entries are looked through, never while bytes
/// move: a save or load works on a [`snapshot`](Self::snapshot).
///
/// ```
/// # use ssm_core::{Entry, Get, Put, SharedRegistry, Unit, UnitError};
/// # struct Machine; impl Unit for Machine {
/// #     fn save(&mut self, _: &mut Put<'_>) -> Result<(), UnitError> { Ok(()) }
/// #     fn load(&mut self, _: &mut Get<'_>, _: u32) -> Result<(), UnitError> { Ok(()) }
/// # }
/// static UNITS: SharedRegistry<Machine, 8> = SharedRegistry::new();
/// UNITS.register(Entry::new("machine", |machine, _| machine))?;
/// assert_eq!(UNITS.snapshot().len(), 1);
/// # Ok::<(), ssm_core::RegisterError>(())
/// ```
pub struct SharedRegistry<M, const N: usize>(Mutex<RefCell<Registry<M, N>>>);

impl<M, const N: usize> SharedRegistry<M, N> {
    /// No units yet.
    pub const fn new() -> Self {
        Self(Mutex::new(RefCell::new(Registry::new())))
    }

    fn with<T>(
        &self,
        change: impl FnOnce(&mut Registry<M, N>) -> Result<T, RegisterError>,
    ) -> Result<T, RegisterError> {
        critical_section::with(|section| match self.0.borrow(section).try_borrow_mut() {
            Ok(mut registry) => change(&mut registry),
            // No code of others runs inside, so nobody else can hold it.
            Err(_) => Err(RegisterError::Full),
        })
    }

    /// See [`Registry::register`].
    pub fn register(&self, entry: Entry<M>) -> Result<(), RegisterError> {
        self.with(|registry| registry.register(entry))
    }

    /// See [`Registry::register_before`].
    pub fn register_before(&self, before: &str, entry: Entry<M>) -> Result<(), RegisterError> {
        self.with(|registry| registry.register_before(before, entry))
    }

    /// See [`Registry::deregister`].
    pub fn deregister(&self, owner: Owner, id: UnitId<'_>) -> Result<(), RegisterError> {
        self.with(|registry| registry.deregister(owner, id))
    }

    /// See [`Registry::deregister_all`].
    pub fn deregister_all(&self, owner: Owner) -> usize {
        self.with(|registry| Ok(registry.deregister_all(owner))).unwrap_or(0)
    }

    /// The registry as it is now, for a save or a load.
    pub fn snapshot(&self) -> Registry<M, N> {
        self.with(|registry| Ok(registry.clone())).unwrap_or_default()
    }
}

impl<M, const N: usize> Default for SharedRegistry<M, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Get, Put};
    use crate::unit::{Unit, UnitError};

    struct Nothing;

    impl Unit for Nothing {
        fn save(&mut self, _: &mut Put<'_>) -> Result<(), UnitError> {
            Ok(())
        }

        fn load(&mut self, _: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
            Ok(())
        }
    }

    #[test]
    fn a_static_is_changed_from_several_threads() {
        static UNITS: SharedRegistry<Nothing, 64> = SharedRegistry::new();
        let entry = |instance| Entry::new("unit", |machine: &mut Nothing, _| machine).instance(instance);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || (0..16).for_each(|n| UNITS.register(entry(thread * 16 + n)).unwrap()));
            }
        });
        assert_eq!(UNITS.register(entry(64)), Err(RegisterError::Full));
        let before = UNITS.snapshot();
        assert_eq!(UNITS.deregister(Owner::Internal, UnitId::new("unit", 7)), Ok(()));
        assert_eq!(UNITS.register_before("unit", entry(99)), Ok(()));
        assert_eq!((before.len(), UNITS.snapshot().len()), (64, 64));
        assert_eq!(UNITS.snapshot()[0].id(), UnitId::new("unit", 99));
        assert_eq!(UNITS.deregister_all(Owner::Internal), 64);
    }
}
