//! The UART of ARM's Cortex-M System Design Kit.

use crate::Uart;

/// The UART whose registers are at `BASE`.
pub struct Cmsdk<const BASE: usize>;

const DATA: usize = 0x00;
const STATE: usize = 0x04;
const CONTROL: usize = 0x08;
const DIVIDER: usize = 0x10;

const TRANSMITTER_FULL: u32 = 1 << 0;
const RECEIVER_FULL: u32 = 1 << 1;
/// Both ways.
const ENABLED: u32 = 0b11;
/// The smallest that switches it on.
const FASTEST: u32 = 16;

impl<const BASE: usize> Cmsdk<BASE> {
    fn register(offset: usize) -> *mut u32 {
        (BASE + offset) as *mut u32
    }
}

impl<const BASE: usize> Uart for Cmsdk<BASE> {
    fn start() {
        // SAFETY: the registers are there on the machines that name this type, and only it touches them.
        unsafe {
            Self::register(DIVIDER).write_volatile(FASTEST);
            Self::register(CONTROL).write_volatile(ENABLED);
        }
    }

    fn try_send(byte: u8) -> bool {
        // SAFETY: as above.
        unsafe {
            let has_room = Self::register(STATE).read_volatile() & TRANSMITTER_FULL == 0;
            if has_room {
                Self::register(DATA).write_volatile(byte.into());
            }
            has_room
        }
    }

    fn try_receive() -> Option<u8> {
        // SAFETY: as above.
        unsafe {
            let has_come = Self::register(STATE).read_volatile() & RECEIVER_FULL != 0;
            has_come.then(|| Self::register(DATA).read_volatile() as u8)
        }
    }
}
