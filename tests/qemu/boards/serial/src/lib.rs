//! A serial line as a medium: it is read and written byte by byte, waits, and cannot seek. One driver for each kind of
//! UART, polled.
//!
//! The drivers are for QEMU, whose lines have no speed and need neither pins nor clocks.
#![no_std]

mod cmsdk;
mod nrf51;
mod ns16550;
mod pl011;

pub use cmsdk::Cmsdk;
pub use nrf51::Nrf51;
pub use ns16550::{Ns16550, Registers};
pub use pl011::Pl011;

use core::convert::Infallible;
use core::hint::spin_loop;
use core::marker::PhantomData;
use ssm_core::embedded_io::{ErrorType, Read, Write};

/// A UART at a place that its type knows.
pub trait Uart {
    /// Switches it on: once, as it may forget what it has received.
    fn start();

    /// Sends a byte if there is room for it.
    fn try_send(byte: u8) -> bool;

    /// Takes a byte if one has come.
    fn try_receive() -> Option<u8>;
}

/// The line at a UART that was started.
pub struct Line<U>(PhantomData<U>);

impl<U: Uart> Line<U> {
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<U: Uart> Default for Line<U> {
    fn default() -> Self {
        Self::new()
    }
}

impl<U> ErrorType for Line<U> {
    type Error = Infallible;
}

impl<U: Uart> Read for Line<U> {
    /// Waits for the first byte, and takes those that have come with it.
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Infallible> {
        let mut read = 0;
        while let Some(place) = into.get_mut(read) {
            match U::try_receive() {
                Some(byte) => {
                    *place = byte;
                    read += 1;
                }
                None if read > 0 => break,
                None => spin_loop(),
            }
        }
        Ok(read)
    }
}

impl<U: Uart> Write for Line<U> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for byte in bytes {
            while !U::try_send(*byte) {
                spin_loop();
            }
        }
        Ok(bytes.len())
    }

    /// Bytes leave in order; when they arrive, a line without answers cannot tell.
    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
