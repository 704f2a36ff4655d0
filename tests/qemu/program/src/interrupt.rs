//! What the board's interrupt handler does: it cancels what runs, and plugs in a device where the registry is shared.

use ssm_core::Cancel;

pub static CANCEL: Cancel = Cancel::new();

/// To be called by the handler of the interrupt that [`Board::interrupt`](crate::Board::interrupt) raises.
pub fn interrupted() {
    #[cfg(feature = "critical-section")]
    shared::plug();
    CANCEL.cancel();
}

/// A registry that the handler and the program share.
#[cfg(feature = "critical-section")]
pub mod shared {
    use super::CANCEL;
    use crate::Board;
    use crate::machine::{CONSOLE, CPU, Machine, RAM, TIMER, TIMER_1};
    use crate::own_files::{Bench, Packing};
    use crate::registration::UNITS;
    use ssm_core::{Entry, Owner, RegisterError, SharedRegistry, UnitId, Units};

    static SHARED: SharedRegistry<Machine, UNITS> = SharedRegistry::new();

    pub(super) fn plug() {
        // Refused with `Exists` when it is plugged in already.
        let _ = SHARED.register_before("ram", TIMER_1);
    }

    /// A device plugged in by the interrupt during a save is in the next one.
    #[inline(never)]
    pub fn run<B: Board>(bench: &mut Bench) {
        B::log("shared registry");
        SHARED.deregister_all(TIMER.owned_by());
        SHARED.deregister_all(Owner::Internal);
        for entry in [CPU, TIMER, RAM] {
            assert_eq!(SHARED.register(entry), Ok(()));
        }
        assert_eq!(SHARED.register_before("ram", CONSOLE), Ok(()));
        save_without::<B>(bench);
        save_and_load_with::<B>(bench);
        assert_eq!(SHARED.register(TIMER_1), Err(RegisterError::Exists));
        assert_eq!(SHARED.deregister(Owner::Internal, UnitId::new("timer", 1)), Err(RegisterError::NotOwner));
    }

    #[inline(never)]
    fn save_without<B: Board>(bench: &mut Bench) {
        let before = SHARED.snapshot();
        assert!(bench.save::<B>(&before.units(), Packing::Lzf, Some(50)).is_err());
        CANCEL.reset();
        check_ids(&before.units(), &[CPU, TIMER, CONSOLE, RAM]);
    }

    #[inline(never)]
    fn save_and_load_with<B: Board>(bench: &mut Bench) {
        let after = SHARED.snapshot();
        check_ids(&after.units(), &[CPU, TIMER, CONSOLE, TIMER_1, RAM]);
        bench.machine.fill();
        let len = bench.save::<B>(&after.units(), Packing::Lzf, None).unwrap();
        bench.machine.clear();
        assert!(bench.load::<B>(&after.units(), len, None).is_ok());
        assert!(bench.machine.is_filled());
    }

    fn check_ids(units: &Units<Machine>, expected: &[Entry<Machine>]) {
        assert!(units.iter().map(Entry::id).eq(expected.iter().map(Entry::id)));
    }
}
