//! A flash that tells of every operation and can be interrupted in any of them.
//!
//! An *operation* is what the chip does in one go: the erase of a sector, the write of a page or less. Where to stop comes as
//! an order when the firmware boots, such as `halt 2 5 in`: in the second save of this boot, in the fifth operation (from 0),
//! when half of its bytes are written. `halt` waits there for the end of the world, `reset` resets the processor.

use crate::console::say;
use core::cell::Cell;
use core::fmt::{self, Display, Formatter};
use ssm_core::embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

/// How to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Wait, until the power goes.
    Halt,
    /// Reset the processor; the flash stays as it is.
    Reset,
}

/// Where in an operation to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before its first byte.
    Before,
    /// When half of its bytes are written. An erase has no such point.
    In,
    /// When it is done, before anybody knows.
    After,
}

impl Display for Point {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::In => "in",
            Self::After => "after",
        })
    }
}

/// Where to stop, and how.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    stop: Stop,
    save: u32,
    operation: u32,
    point: Point,
}

impl Order {
    /// Reads an order; `None` if it says to stop nowhere.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let stop = match words.next()? {
            "halt" => Stop::Halt,
            "reset" => Stop::Reset,
            _ => return None,
        };
        let save = words.next()?.parse().ok()?;
        let operation = words.next()?.parse().ok()?;
        let point = match words.next()? {
            "before" => Point::Before,
            "in" => Point::In,
            "after" => Point::After,
            _ => return None,
        };
        Some(Self { stop, save, operation, point })
    }
}

/// Counts saves and operations, and stops where it was told to.
pub struct Watch {
    order: Option<Order>,
    saves: Cell<u32>,
    operations: Cell<u32>,
}

impl Watch {
    pub fn new(order: Option<Order>) -> Self {
        Self { order, saves: Cell::new(0), operations: Cell::new(0) }
    }

    /// A save begins.
    pub fn save(&self) {
        self.saves.set(self.saves.get() + 1);
        self.operations.set(0);
    }

    fn is_at(&self, point: Point) -> bool {
        self.order.is_some_and(|order| {
            (order.save, order.operation, order.point) == (self.saves.get(), self.operations.get(), point)
        })
    }

    fn reach(&self, point: Point, operation: &str, offset: u32) {
        if self.is_at(point)
            && let Some(order) = self.order
        {
            say!("stopped {point} {operation} {offset:#x}");
            match order.stop {
                Stop::Reset => cortex_m::peripheral::SCB::sys_reset(),
                Stop::Halt => loop {
                    cortex_m::asm::wfi();
                },
            }
        }
        if point == Point::After {
            self.operations.set(self.operations.get() + 1);
        }
    }
}

/// The flash `F`, watched.
pub struct Watched<'w, F> {
    pub flash: F,
    pub watch: &'w Watch,
}

impl<F: ErrorType> ErrorType for Watched<'_, F> {
    type Error = F::Error;
}

impl<F: ReadNorFlash> ReadNorFlash for Watched<'_, F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        self.flash.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.flash.capacity()
    }
}

impl<F: NorFlash> NorFlash for Watched<'_, F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        for block in (from..to).step_by(F::ERASE_SIZE) {
            say!("erase {block:#x}");
            self.watch.reach(Point::Before, "erase", block);
            self.flash.erase(block, block + F::ERASE_SIZE as u32)?;
            self.watch.reach(Point::After, "erase", block);
        }
        Ok(())
    }

    /// Slots write no more than their buffer at once, and that is a page.
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        say!("write {offset:#x} {}", bytes.len());
        self.watch.reach(Point::Before, "write", offset);
        if self.watch.is_at(Point::In) {
            let half = bytes.len() / 2 / F::WRITE_SIZE * F::WRITE_SIZE;
            self.flash.write(offset, bytes.get(..half).unwrap_or(bytes))?;
            self.watch.reach(Point::In, "write", offset);
        }
        self.flash.write(offset, bytes)?;
        self.watch.reach(Point::After, "write", offset);
        Ok(())
    }
}
