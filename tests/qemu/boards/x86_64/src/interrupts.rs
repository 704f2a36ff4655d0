//! One interrupt, which the core's interrupt controller sends itself; every exception is a fault.

use core::arch::asm;
use program::static_cell::ConstStaticCell;

/// Registers of the local interrupt controller.
const END: *mut u32 = 0xfee0_00b0 as *mut u32;
const SPURIOUS: *mut u32 = 0xfee0_00f0 as *mut u32;
const COMMAND: *mut u32 = 0xfee0_0300 as *mut u32;
const ENABLED: u32 = 0x1ff;
const TO_SELF: u32 = 1 << 18;

const EXCEPTIONS: usize = 32;
/// The interrupt's number.
const VECTOR: usize = 32;

/// A gate to code of 64 bits: halves of the address around selector, stack and type.
#[derive(Clone, Copy)]
#[repr(C)]
struct Gate {
    low: u16,
    selector: u16,
    stack: u8,
    kind: u8,
    middle: u16,
    high: u32,
    reserved: u32,
}

impl Gate {
    const NONE: Self = Self { low: 0, selector: 0, stack: 0, kind: 0, middle: 0, high: 0, reserved: 0 };

    fn to(entry: unsafe extern "C" fn()) -> Self {
        let at = entry as usize as u64;
        Self {
            low: at as u16,
            selector: 8,
            stack: 1,
            kind: 0x8e,
            middle: (at >> 16) as u16,
            high: (at >> 32) as u32,
            reserved: 0,
        }
    }
}

#[repr(C, packed)]
struct TablePointer {
    limit: u16,
    table: *const Gate,
}

static TABLE: ConstStaticCell<[Gate; VECTOR + 1]> = ConstStaticCell::new([Gate::NONE; VECTOR + 1]);

unsafe extern "C" {
    fn interrupt_entry();
    fn fault_entry();
}

/// Puts the handlers in place and lets interrupts in.
pub fn enable() {
    let table = TABLE.take();
    table[..EXCEPTIONS].fill(Gate::to(fault_entry));
    table[VECTOR] = Gate::to(interrupt_entry);
    let pointer = TablePointer { limit: (size_of_val(table) - 1) as u16, table: table.as_ptr() };
    // SAFETY: the table lives for ever and its gates lead to code that returns as an interrupt must, or never.
    unsafe {
        asm!("lidt [{}]", in(reg) &pointer, options(nostack));
        SPURIOUS.write_volatile(ENABLED);
        asm!("sti", options(nostack));
    }
}

/// Raises the interrupt.
pub fn raise() {
    // SAFETY: the register is there on this machine, and a write to it is one whole action.
    unsafe { COMMAND.write_volatile(TO_SELF | VECTOR as u32) };
}

#[unsafe(no_mangle)]
extern "C" fn interrupt_handler() {
    program::interrupted();
    // SAFETY: as above; only handlers write it.
    unsafe { END.write_volatile(0) };
}
