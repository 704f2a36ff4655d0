//! QEMU's `microvm`, built for the host's own target with its own core library, so that it needs no other toolchain. It has
//! no semihosting: files come in through QEMU's configuration device and go out as frames on its debug port.
#![no_std]
#![no_main]

mod interrupts;
mod memory;
mod port;

use core::fmt::Write;
use core::panic::PanicInfo;
use program::Space;
use serial::{Line, Ns16550, Uart};

core::arch::global_asm!(include_str!("boot.s"));

/// What the exit device is told; QEMU's exit code is twice that and one more.
const SUCCEEDED: u32 = 16;
const PANICKED: u32 = 50;
const FAULTED: u32 = 51;

type Serial = Ns16550<port::UartRegisters>;

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
        port::read_file(name, into)
    }

    fn write(name: &str, bytes: &[u8]) {
        port::write_frame(name, bytes);
    }

    fn log(line: &str) {
        port::write_frame("", line.as_bytes());
    }

    fn interrupt() {
        interrupts::raise();
    }
}

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    interrupts::enable();
    Serial::start();
    let inflating = Some(program::inflating!());
    program::run::<Board>(Space { inflating, ..program::space!(4 KiB, window 8192) });
    program::run::<Board>(program::space!(64 KiB, window 8192));
    port::exit(SUCCEEDED)
}

#[unsafe(no_mangle)]
extern "C" fn fault() -> ! {
    port::exit(FAULTED)
}

/// The core library of this target refers to it; nothing unwinds here.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    let mut text = port::Text::default();
    let _ = write!(text, "{info}");
    text.send();
    port::exit(PANICKED)
}
