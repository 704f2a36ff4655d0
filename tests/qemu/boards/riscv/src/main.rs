//! QEMU's RISC-V `virt`, 32 and 64 bits. The interrupt is the machine's software interrupt.
#![no_std]
#![no_main]

use program::Space;
use riscv::interrupt::Interrupt;

/// The software interrupt of hart 0 in the core-local interruptor: raised while it is 1.
const SOFTWARE_INTERRUPT: *mut u32 = 0x0200_0000 as *mut u32;

struct Board;

impl program::Board for Board {
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
        // SAFETY: the register is there on this machine and nobody else writes it.
        unsafe { SOFTWARE_INTERRUPT.write_volatile(1) };
    }
}

#[riscv_rt::core_interrupt(Interrupt::MachineSoft)]
fn machine_soft() {
    // SAFETY: as above; the program is interrupted and cannot write it now.
    unsafe { SOFTWARE_INTERRUPT.write_volatile(0) };
    program::interrupted();
}

#[unsafe(export_name = "ExceptionHandler")]
fn exception() -> ! {
    semihosted::fault()
}

#[riscv_rt::entry]
fn main() -> ! {
    // SAFETY: the handler is in place, and critical sections are entered by masking.
    unsafe {
        riscv::register::mie::set_msoft();
        riscv::interrupt::enable();
    }
    let inflating = Some(program::inflating!());
    program::run::<Board>(Space { inflating, ..program::space!(4 KiB, window 8192) });
    program::run::<Board>(program::space!(64 KiB, window 8192));
    semihosted::succeed()
}
