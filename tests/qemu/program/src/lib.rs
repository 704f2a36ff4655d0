//! One test program for every board and for the host: [`run`] saves a machine, loads it back, refuses damaged files, is
//! cancelled from an interrupt, loads files that the host wrote, and does both over a line. What goes wrong panics;
//! returning is success.
//!
//! The steps are kept apart by `inline(never)`: a small board has a stack for one of them, not for all together.
//!
//! The machine's state depends on nothing but the size of its memory, so that every board must write the same bytes.
#![no_std]

mod host_files;
mod interrupt;
mod machine;
mod own_files;
mod registration;
mod serial;
mod space;

pub use interrupt::interrupted;
pub use machine::{CONSOLE, CPU, Machine, NOTES, OLD_TIMER, TIMER};
pub use registration::{UNITS, register};
pub use serial::STREAM_SCRATCH;
pub use space::{Inflating, Names, Space};
pub use static_cell;

use ssm_core::embedded_io::{Read, Write};

/// What the program needs of the place where it runs.
pub trait Board {
    /// A line to the host that only goes forward. Several files follow each other on it without anything between them.
    type Line: Read + Write;

    /// The line, to send the file that the host calls so.
    fn sender(name: &str) -> Self::Line;

    /// The line, to receive that file.
    fn receiver(name: &str) -> Self::Line;

    /// Reads a whole file of the host into the start of `into`; its length in bytes.
    fn read(name: &str, into: &mut [u8]) -> usize;

    /// Writes a whole file of the host.
    fn write(name: &str, bytes: &[u8]);

    /// Writes a line of log.
    fn log(line: &str);

    /// Raises an interrupt, now or very soon; its handler calls [`interrupted`].
    fn interrupt();
}

/// The whole test.
pub fn run<B: Board>(space: Space) {
    let Space { names, ram, file, scratch, encoder, window, inflating } = space;
    let mut bench = own_files::Bench { machine: Machine::new(ram), file, scratch, encoder, window };
    let units = registration::register();
    own_files::run::<B>(&mut bench, &units.units(), &names);
    #[cfg(feature = "critical-section")]
    interrupt::shared::run::<B>(&mut bench);
    host_files::run::<B>(&mut bench, &units.units(), &names, inflating);
    serial::run::<B>(&mut bench, &units.units(), &names);
}
