//! QEMU's AArch64 `virt`, at EL1 with the MMU off. The interrupt is one that the interrupt controller sends itself.
#![no_std]
#![no_main]

mod section;

use aarch64_rt::{ExceptionHandlers, RegisterStateRef, entry, exception_handlers};
use core::arch::asm;
use program::Space;
use serial::{Line, Pl011, Uart};

type Serial = Pl011<0x0900_0000>;

/// Registers of the interrupt controller, a GICv2: distributor and interface to the core.
const DISTRIBUTOR_CONTROL: *mut u32 = 0x0800_0000 as *mut u32;
const SOFTWARE_INTERRUPT: *mut u32 = 0x0800_0f00 as *mut u32;
const CORE_CONTROL: *mut u32 = 0x0801_0000 as *mut u32;
const CORE_PRIORITY_MASK: *mut u32 = 0x0801_0004 as *mut u32;
const CORE_ACKNOWLEDGE: *mut u32 = 0x0801_000c as *mut u32;
const CORE_END: *mut u32 = 0x0801_0010 as *mut u32;
/// Sends software interrupt 0 to the sending core.
const TO_SELF: u32 = 0b10 << 24;

struct Board;

impl program::Board for Board {
    type Line = Line<Serial>;

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
        // SAFETY: the register is there on this machine, and a write to it is one whole action.
        unsafe { SOFTWARE_INTERRUPT.write_volatile(TO_SELF) };
    }
}

struct Handlers;

exception_handlers!(Handlers);

impl ExceptionHandlers for Handlers {
    extern "C" fn irq_current(_: RegisterStateRef) {
        // SAFETY: only this handler touches these two registers.
        let interrupt = unsafe { CORE_ACKNOWLEDGE.read_volatile() };
        program::interrupted();
        // SAFETY: as above.
        unsafe { CORE_END.write_volatile(interrupt) };
    }

    extern "C" fn sync_current(_: RegisterStateRef) {
        semihosted::fault()
    }
}

entry!(main);
fn main(_: u64, _: u64, _: u64, _: u64) -> ! {
    // SAFETY: the registers are there on this machine, nobody else uses them, and the handlers are in place.
    unsafe {
        DISTRIBUTOR_CONTROL.write_volatile(1);
        CORE_PRIORITY_MASK.write_volatile(0xff);
        CORE_CONTROL.write_volatile(1);
        asm!("msr daifclr, #2");
    }
    Serial::start();
    let inflating = Some(program::inflating!());
    program::run::<Board>(Space { inflating, ..program::space!(4 KiB, window 8192) });
    program::run::<Board>(program::space!(64 KiB, window 8192));
    semihosted::succeed()
}
