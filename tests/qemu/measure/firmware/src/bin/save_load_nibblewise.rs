//! A save and a load of 1.x with store.
#![no_std]
#![no_main]

use firmware::unit::{Machine, UNITS};
use firmware::{image, once, port, port::Port};
use ssm_core::{Crc32Nibblewise, Loader, OnlyPatched, Saver, Store};

image!({
    let machine = once!(MACHINE: Machine = Machine::new());
    let scratch = once!(SCRATCH: [u8; 1024] = [0; 1024]);
    port::output(save(machine, scratch).into());
    port::output(load(machine, scratch).into());
});

#[inline(never)]
fn save(machine: &mut Machine, scratch: &mut [u8]) -> bool {
    Saver::new(Port, Store, scratch).crc32(Crc32Nibblewise).save(machine, &UNITS).is_ok()
}

#[inline(never)]
fn load(machine: &mut Machine, scratch: &mut [u8]) -> bool {
    Loader::new(Port, Store, scratch).formats(OnlyPatched).crc32(Crc32Nibblewise).load(machine, &UNITS).is_ok()
}
