//! A small Z80 computer that saves and resumes, and what its programs share.
//!
//! [`Machine`] is the computer: its processor, memory, console and clock are the units of a saved state. [`state`] saves
//! and loads it, [`terminal`] connects it to a person or a pipe, [`interactive`] and [`story`] are the two forms of the
//! program `emulator`, [`live`] is that of `live`.

mod clock;
mod console;
mod machine;
mod page_set;
mod pages;
mod ram;
mod z80;

pub mod interactive;
pub mod live;
pub mod percent;
pub mod state;
pub mod story;
pub mod terminal;

pub use clock::{CLOCK_V1, CLOCK_V2, Clock};
pub use console::{Console, TYPE_AHEAD};
pub use machine::{LIVE_UNITS, Machine, UNITS};
pub use page_set::{PAGES, PageSet};
pub use pages::{END_OF_PAGES, FEW, PAGE_SIZE, Pages};
pub use ram::{RAM_SIZE, Ram};
pub use z80::{REGISTERS_V1, Registers, Z80};
