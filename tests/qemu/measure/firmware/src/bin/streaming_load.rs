//! A load of 2.0 front to back, with store and LZF.
#![no_std]
#![no_main]

use firmware::unit::{Machine, PLAYERS, Player};
use firmware::{image, once, port, port::Port};
use ssm_core::{Either, Loader, LzfDecoder, Store};

type Decoder = LzfDecoder<[u8; 1024]>;

image!({
    let machine = once!(MACHINE: Player = Player(Machine::new()));
    let scratch = once!(SCRATCH: [u8; 1024] = [0; 1024]);
    let decoder = once!(DECODER: Decoder = LzfDecoder::new([0; 1024]));
    port::output(load(machine, decoder, scratch).into());
});

#[inline(never)]
fn load(machine: &mut Player, decoder: &mut Decoder, scratch: &mut [u8]) -> bool {
    Loader::streaming(Port, Either::of(Store, decoder), scratch).load(machine, &PLAYERS).is_ok()
}
