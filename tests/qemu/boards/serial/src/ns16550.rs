//! The 16550 of PCs, and of RISC-V's `virt`.

use crate::Uart;
use core::marker::PhantomData;

/// The UART behind these registers.
pub struct Ns16550<R>(PhantomData<R>);

/// How the eight registers of a byte are reached.
pub trait Registers {
    fn read(register: u8) -> u8;
    fn write(register: u8, value: u8);
}

const DATA: u8 = 0;
const QUEUE_CONTROL: u8 = 2;
const LINE_CONTROL: u8 = 3;
const LINE_STATUS: u8 = 5;

/// With queues, which are emptied.
const QUEUED: u8 = 0b111;
const BITS_8: u8 = 0b11;
const HAS_RECEIVED: u8 = 1 << 0;
const HAS_ROOM: u8 = 1 << 5;

impl<R: Registers> Uart for Ns16550<R> {
    fn start() {
        R::write(LINE_CONTROL, BITS_8);
        R::write(QUEUE_CONTROL, QUEUED);
    }

    fn try_send(byte: u8) -> bool {
        let has_room = R::read(LINE_STATUS) & HAS_ROOM != 0;
        if has_room {
            R::write(DATA, byte);
        }
        has_room
    }

    fn try_receive() -> Option<u8> {
        let has_come = R::read(LINE_STATUS) & HAS_RECEIVED != 0;
        has_come.then(|| R::read(DATA))
    }
}
