//! A save of 2.0 with LZF.
#![no_std]
#![no_main]

use firmware::unit::{Machine, RECORDERS, Recorder};
use firmware::{image, once, port, port::Port};
use ssm_core::{LzfEncoder, Saver};

type Encoder = LzfEncoder<256>;

image!({
    let machine = once!(MACHINE: Recorder = Recorder(Machine::new()));
    let scratch = once!(SCRATCH: [u8; 2048] = [0; 2048]);
    let encoder = once!(ENCODER: Encoder = LzfEncoder::new());
    port::output(save(machine, encoder, scratch).into());
});

#[inline(never)]
fn save(machine: &mut Recorder, encoder: &mut Encoder, scratch: &mut [u8]) -> bool {
    Saver::streamed(Port, encoder, scratch).save(machine, &RECORDERS).is_ok()
}
