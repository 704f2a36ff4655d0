//! What the Cortex-M boards share. The interrupt is PendSV, which software can raise everywhere.
#![no_std]

use core::marker::PhantomData;
use cortex_m::peripheral::SCB;
use cortex_m_rt::{ExceptionFrame, STACK_PAINT_VALUE, exception};
use program::Space;
use serial::{Line, Uart};

struct Board<U>(PhantomData<U>);

impl<U: Uart> program::Board for Board<U> {
    type Line = Line<U>;

    fn sender(_: &str) -> Self::Line {
        Line::new()
    }

    fn receiver(_: &str) -> Self::Line {
        Line::new()
    }

    fn read(name: &str, into: &mut [u8]) -> usize {
        semihosted::read(name, into)
    }

    fn write(name: &str, bytes: &[u8]) {
        semihosted::write(name, bytes);
    }

    fn log(line: &str) {
        semihosted::log(line);
    }

    fn interrupt() {
        SCB::set_pendsv();
    }
}

#[exception]
fn PendSV() {
    program::interrupted();
}

// SAFETY: it only ends the emulator, which needs nothing of the state that the fault left.
#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    semihosted::fault()
}

/// Runs the program in each of the spaces with the line at the UART, and ends the emulator.
pub fn run<U: Uart>(spaces: impl IntoIterator<Item = Space>) -> ! {
    U::start();
    for space in spaces {
        program::run::<Board<U>>(space);
    }
    let left = stack_left();
    defmt::info!("{=usize} bytes of stack were never used", left);
    assert!(left > 0, "the stack ran into the statics");
    semihosted::succeed()
}

/// Bytes at the end of the stack that were never written: the start-up code painted all of it.
fn stack_left() -> usize {
    unsafe extern "C" {
        static _stack_end: u32;
        static _stack_start: u32;
    }
    let (from, to) = (&raw const _stack_end, &raw const _stack_start);
    let words = (to as usize - from as usize) / 4;
    // SAFETY: the linker script puts the stack between these two, and reading it disturbs nobody.
    (0..words).take_while(|at| unsafe { from.add(*at).read_volatile() } == STACK_PAINT_VALUE).count() * 4
}
