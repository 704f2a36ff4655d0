//! The SPI NOR flash behind the firmware memory controller (FMC) of an Aspeed AST1030: a Winbond W25Q32 on chip select 0.
//!
//! The controller is used in *user mode*: as long as its control register holds the chip selected, every byte that is
//! written to or read from the window goes out of or comes in from the bus as it is. A command is a byte, an address of three
//! bytes, highest first, and data:
//!
//! | code | command | |
//! |---|---|---|
//! | 9F | read identification | 3 bytes |
//! | 06 | write enable | before each of the next two; it goes out by itself |
//! | 20 | sector erase | 4096 bytes become ones |
//! | 02 | page program | 1 to 256 bytes of one page; bits become zero |
//! | 05 | read status | bit 0 busy, bit 1 write enabled |
//! | 03 | read data | any number of bytes |
//!
//! A write or an erase has happened when its call returns. This is the one file with `unsafe` in it: registers are memory.

use core::ptr;
use ssm_core::embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use ssm_core::embedded_storage::nor_flash::{check_erase, check_read, check_write};

const CONFIGURATION: *mut u32 = 0x7e62_0000 as *mut u32;
const ENABLE_WRITE_0: u32 = 1 << 16;
const CONTROL_0: *mut u32 = 0x7e62_0010 as *mut u32;
const USER_MODE: u32 = 3;
const NOT_SELECTED: u32 = 1 << 2;
const WINDOW: *mut u8 = 0x8000_0000 as *mut u8;

const READ_IDENTIFICATION: u8 = 0x9f;
const WRITE_ENABLE: u8 = 0x06;
const READ_STATUS: u8 = 0x05;
const PAGE_PROGRAM: u8 = 0x02;
const SECTOR_ERASE: u8 = 0x20;
const READ_DATA: u8 = 0x03;

const BUSY: u8 = 1 << 0;
const WRITE_ENABLED: u8 = 1 << 1;

/// Winbond, SPI, 2 to the 22nd bytes.
const W25Q32: [u8; 3] = [0xef, 0x40, 0x16];

const LEN: usize = 4 << 20;
const PAGE: u32 = 256;
const SECTOR: usize = 4096;

/// How often the status is read before the chip counts as broken: an erase takes 400 ms at most, a read more than 10 us.
const PATIENCE: u32 = 100_000;

/// The flash. There is one, so [`open`](Self::open) it once.
#[derive(Debug)]
pub struct Flash {
    _private: (),
}

/// Why the flash did not do what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Another chip answers, or none.
    Identification([u8; 3]),
    /// It ignores the write enable command.
    Protected,
    /// It stays busy.
    Busy,
    /// A range that the flash does not have, or that is not aligned.
    Range(NorFlashErrorKind),
}

/// The bus while the chip is selected.
struct Selected;

impl Selected {
    fn new() -> Self {
        // SAFETY: the register of the controller, which only this file uses.
        unsafe { ptr::write_volatile(CONTROL_0, USER_MODE) };
        Self
    }

    fn send(&mut self, bytes: &[u8]) {
        for byte in bytes {
            // SAFETY: in user mode any address of the window stands for the bus.
            unsafe { ptr::write_volatile(WINDOW, *byte) };
        }
    }

    fn command(&mut self, command: u8, address: u32) {
        let [_, high, middle, low] = address.to_be_bytes();
        self.send(&[command, high, middle, low]);
    }

    fn receive(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            // SAFETY: as above.
            *byte = unsafe { ptr::read_volatile(WINDOW) };
        }
    }
}

impl Drop for Selected {
    fn drop(&mut self) {
        // SAFETY: as in `new`.
        unsafe { ptr::write_volatile(CONTROL_0, USER_MODE | NOT_SELECTED) };
    }
}

impl Flash {
    /// Takes the controller into use and asks the chip what it is.
    pub fn open() -> Result<Self, Error> {
        // SAFETY: the register of the controller, which only this file uses.
        unsafe { ptr::write_volatile(CONFIGURATION, ptr::read_volatile(CONFIGURATION) | ENABLE_WRITE_0) };
        // A command that a reset of the processor has interrupted ends here.
        drop(Selected::new());
        let mut found = [0; 3];
        let mut bus = Selected::new();
        bus.send(&[READ_IDENTIFICATION]);
        bus.receive(&mut found);
        drop(bus);
        if found != W25Q32 {
            return Err(Error::Identification(found));
        }
        let mut flash = Self { _private: () };
        flash.wait()?;
        Ok(flash)
    }

    fn status(&mut self) -> u8 {
        let mut status = [0];
        let mut bus = Selected::new();
        bus.send(&[READ_STATUS]);
        bus.receive(&mut status);
        status[0]
    }

    fn wait(&mut self) -> Result<(), Error> {
        for _ in 0..PATIENCE {
            if self.status() & BUSY == 0 {
                return Ok(());
            }
        }
        Err(Error::Busy)
    }

    fn enable_write(&mut self) -> Result<(), Error> {
        Selected::new().send(&[WRITE_ENABLE]);
        if self.status() & WRITE_ENABLED == 0 { Err(Error::Protected) } else { Ok(()) }
    }
}

impl ErrorType for Flash {
    type Error = Error;
}

impl NorFlashError for Error {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Range(kind) => *kind,
            _ => NorFlashErrorKind::Other,
        }
    }
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Error> {
        check_read(self, offset, bytes.len()).map_err(Error::Range)?;
        let mut bus = Selected::new();
        bus.command(READ_DATA, offset);
        bus.receive(bytes);
        Ok(())
    }

    fn capacity(&self) -> usize {
        LEN
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Error> {
        check_erase(self, from, to).map_err(Error::Range)?;
        for sector in (from..to).step_by(SECTOR) {
            self.enable_write()?;
            Selected::new().command(SECTOR_ERASE, sector);
            self.wait()?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Error> {
        check_write(self, offset, bytes.len()).map_err(Error::Range)?;
        let (mut offset, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            // The chip starts over at the start of a page when it comes to its end.
            let left_of_page = (PAGE - offset % PAGE) as usize;
            let (page, behind) = rest.split_at(left_of_page.min(rest.len()));
            self.enable_write()?;
            let mut bus = Selected::new();
            bus.command(PAGE_PROGRAM, offset);
            bus.send(page);
            drop(bus);
            self.wait()?;
            offset += page.len() as u32;
            rest = behind;
        }
        Ok(())
    }
}
