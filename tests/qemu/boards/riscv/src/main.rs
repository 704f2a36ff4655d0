//! QEMU's RISC-V `virt`, 32 and 64 bits. The interrupt is the machine's software interrupt.
#![no_std]
#![no_main]

use program::Space;
use riscv::interrupt::Interrupt;
use serial::{Line, Ns16550, Registers, Uart};

/// The software interrupt of hart 0 in the core-local interruptor: raised while it is 1.
const SOFTWARE_INTERRUPT: *mut u32 = 0x0200_0000 as *mut u32;

const UART: *mut u8 = 0x1000_0000 as *mut u8;

/// The registers of the UART, in memory.
struct UartRegisters;

impl Registers for UartRegisters {
    fn read(register: u8) -> u8 {
        // SAFETY: the registers are there on this machine, and only the driver touches them.
        unsafe { UART.add(register.into()).read_volatile() }
    }

    fn write(register: u8, value: u8) {
        // SAFETY: as above.
        unsafe { UART.add(register.into()).write_volatile(value) };
    }
}

type Serial = Ns16550<UartRegisters>;

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
    Serial::start();
    let inflating = Some(program::inflating!());
    program::run::<Board>(Space { inflating, ..program::space!(4 KiB, window 8192) });
    program::run::<Board>(program::space!(64 KiB, window 8192));
    semihosted::succeed()
}
