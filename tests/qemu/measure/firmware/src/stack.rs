//! How deep the stack gets.

const PAINT: u32 = 0x5a5a_a5a5;
const PAINTED: usize = 8192;

/// The bytes of stack that `run` and all that it calls use.
#[inline(never)]
pub fn high_water(run: &mut dyn FnMut()) -> usize {
    let top = stack_pointer();
    let bottom = (top - PAINTED) as *mut u32;
    for word in 0..PAINTED / 4 {
        // SAFETY: below the stack pointer nothing lives; there are no interrupts and the stack is large.
        unsafe { bottom.add(word).write_volatile(PAINT) };
    }
    run();
    let untouched = (0..PAINTED / 4)
        // SAFETY: as above.
        .take_while(|word| unsafe { bottom.add(*word).read_volatile() } == PAINT)
        .count();
    assert!(untouched > 0, "more stack than was painted");
    PAINTED - untouched * 4
}

fn stack_pointer() -> usize {
    let pointer: usize;
    // SAFETY: it only copies a register.
    #[cfg(target_arch = "arm")]
    unsafe {
        core::arch::asm!("mov {}, sp", out(reg) pointer)
    };
    // SAFETY: as above.
    #[cfg(target_arch = "riscv32")]
    unsafe {
        core::arch::asm!("mv {}, sp", out(reg) pointer)
    };
    pointer
}
