//! The critical section of a single core: interrupts are masked.

use core::arch::asm;
use critical_section::{Impl, RawRestoreState, set_impl};

struct Masked;
set_impl!(Masked);

// SAFETY: with one core and its interrupts masked nothing else runs.
unsafe impl Impl for Masked {
    unsafe fn acquire() -> RawRestoreState {
        let mask: u64;
        // SAFETY: masking interrupts breaks nothing; no `nomem`, so that accesses stay behind it.
        unsafe { asm!("mrs {}, daif", "msr daifset, #2", out(reg) mask, options(nostack)) };
        mask
    }

    unsafe fn release(mask: RawRestoreState) {
        // SAFETY: this is what `acquire` found.
        unsafe { asm!("msr daif, {}", in(reg) mask, options(nostack)) };
    }
}
