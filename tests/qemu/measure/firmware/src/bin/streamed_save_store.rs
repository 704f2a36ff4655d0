//! A save of 2.0 with store.
#![no_std]
#![no_main]

use firmware::unit::{Machine, RECORDERS, Recorder};
use firmware::{image, once, port, port::Port};
use ssm_core::{Saver, Store};

image!({
    let machine = once!(MACHINE: Recorder = Recorder(Machine::new()));
    let scratch = once!(SCRATCH: [u8; 1024] = [0; 1024]);
    port::output(save(machine, scratch).into());
});

#[inline(never)]
fn save(machine: &mut Recorder, scratch: &mut [u8]) -> bool {
    Saver::streamed(Port, Store, scratch).save(machine, &RECORDERS).is_ok()
}
