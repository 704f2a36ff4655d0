//! Nordic's UART of the nRF51: tasks are started, events tell that they are done.

use crate::Uart;
use core::hint::spin_loop;

/// The UART whose registers are at `BASE`.
pub struct Nrf51<const BASE: usize>;

const START_RECEIVER: usize = 0x000;
const START_TRANSMITTER: usize = 0x008;
const RECEIVED: usize = 0x108;
const SENT: usize = 0x11c;
const ENABLE: usize = 0x500;
const RECEIVE_DATA: usize = 0x518;
const TRANSMIT_DATA: usize = 0x51c;

const ENABLED: u32 = 4;

impl<const BASE: usize> Nrf51<BASE> {
    fn read(offset: usize) -> u32 {
        // SAFETY: the register is there on the machines that name this type, and only it touches it.
        unsafe { ((BASE + offset) as *const u32).read_volatile() }
    }

    fn write(offset: usize, value: u32) {
        // SAFETY: as above.
        unsafe { ((BASE + offset) as *mut u32).write_volatile(value) }
    }
}

impl<const BASE: usize> Uart for Nrf51<BASE> {
    fn start() {
        Self::write(ENABLE, ENABLED);
        Self::write(START_TRANSMITTER, 1);
        Self::write(START_RECEIVER, 1);
    }

    /// There is always room, as it waits until the byte has left: nothing else tells that there is room for the next.
    fn try_send(byte: u8) -> bool {
        Self::write(TRANSMIT_DATA, byte.into());
        while Self::read(SENT) == 0 {
            spin_loop();
        }
        Self::write(SENT, 0);
        true
    }

    fn try_receive() -> Option<u8> {
        if Self::read(RECEIVED) == 0 {
            return None;
        }
        // Cleared first: reading the byte sets it again if another one has come.
        Self::write(RECEIVED, 0);
        Some(Self::read(RECEIVE_DATA) as u8)
    }
}
