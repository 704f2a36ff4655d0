//! The image that the sizes of the others are compared with.
#![no_std]
#![no_main]

use firmware::{image, once, port, unit::Machine};

image!({
    let machine = once!(MACHINE: Machine = Machine::new());
    let scratch = once!(SCRATCH: [u8; 1024] = [0; 1024]);
    port::output(machine.count.wrapping_add(scratch[0].into()));
});
