//! The Z80 computer of `ssm-examples` once more, without std and without a heap: the same program, the same units, the
//! same files, another processor core.
//!
//! The host's emulator runs on the crate `iz80`, which needs std; this one runs on `rustzx-z80`. A file that either wrote
//! is a file of both, because it holds the registers of a Z80 and not the insides of a core.

#![no_std]

#[path = "../../../src/clock.rs"]
mod clock;
mod console;
mod machine;
mod ram;
mod z80;

pub use clock::{CLOCK_V1, CLOCK_V2, Clock};
pub use console::{Console, TYPE_AHEAD};
pub use machine::{Machine, UNITS};
pub use ram::{RAM_SIZE, Ram};
pub use z80::{REGISTERS_V1, Registers, Z80};
