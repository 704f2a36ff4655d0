//! ARM's PrimeCell UART PL011.

use crate::Uart;

/// The UART whose registers are at `BASE`.
pub struct Pl011<const BASE: usize>;

const DATA: usize = 0x00;
const FLAGS: usize = 0x18;
const LINE_CONTROL: usize = 0x2c;
const CONTROL: usize = 0x30;

const RECEIVER_EMPTY: u32 = 1 << 4;
const TRANSMITTER_FULL: u32 = 1 << 5;
/// 8 bits, with queues.
const BITS_8_QUEUED: u32 = 0x70;
/// Both ways.
const ENABLED: u32 = 0x301;

impl<const BASE: usize> Pl011<BASE> {
    fn register(offset: usize) -> *mut u32 {
        (BASE + offset) as *mut u32
    }
}

impl<const BASE: usize> Uart for Pl011<BASE> {
    fn start() {
        // SAFETY: the registers are there on the machines that name this type, and only it touches them.
        unsafe {
            Self::register(LINE_CONTROL).write_volatile(BITS_8_QUEUED);
            Self::register(CONTROL).write_volatile(ENABLED);
        }
    }

    fn try_send(byte: u8) -> bool {
        // SAFETY: as above.
        unsafe {
            let has_room = Self::register(FLAGS).read_volatile() & TRANSMITTER_FULL == 0;
            if has_room {
                Self::register(DATA).write_volatile(byte.into());
            }
            has_room
        }
    }

    fn try_receive() -> Option<u8> {
        // SAFETY: as above.
        unsafe {
            let has_come = Self::register(FLAGS).read_volatile() & RECEIVER_EMPTY == 0;
            has_come.then(|| Self::register(DATA).read_volatile() as u8)
        }
    }
}
