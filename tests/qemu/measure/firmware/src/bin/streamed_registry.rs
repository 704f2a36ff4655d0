//! A save of 2.0 with LZF and a load of store and LZF front to back, of units that are registered at run time.
#![no_std]
#![no_main]

use firmware::unit::{ENTRY, Machine};
use firmware::{image, once, port, port::Port};
use ssm_core::{Either, Loader, LzfDecoder, LzfEncoder, Owner, RegisterError, Registry, Saver, Store, UnitId};

type Registered = Registry<Machine, 8>;
type Encoder = LzfEncoder<256>;
type Decoder = LzfDecoder<[u8; 1024]>;

image!({
    let machine = once!(MACHINE: Machine = Machine::new());
    let scratch = once!(SCRATCH: [u8; 2304] = [0; 2304]);
    let units = once!(UNITS_AT_HAND: Registered = Registry::new());
    let encoder = once!(ENCODER: Encoder = LzfEncoder::new());
    let decoder = once!(DECODER: Decoder = LzfDecoder::new([0; 1024]));
    port::output(register(units).is_ok().into());
    port::output(save(machine, units, encoder, scratch).into());
    port::output(load(machine, units, decoder, scratch).into());
});

#[inline(never)]
fn register(units: &mut Registered) -> Result<(), RegisterError> {
    let unit = ENTRY;
    units.register(unit)?;
    units.register_before("machine", unit.instance(port::input()))?;
    units.deregister(Owner::Device(port::input()), UnitId::new("machine", port::input()))?;
    Ok(())
}

#[inline(never)]
fn save(machine: &mut Machine, units: &Registered, encoder: &mut Encoder, scratch: &mut [u8]) -> bool {
    Saver::streamed(Port, encoder, scratch).save(machine, &units.units()).is_ok()
}

#[inline(never)]
fn load(machine: &mut Machine, units: &Registered, decoder: &mut Decoder, scratch: &mut [u8]) -> bool {
    Loader::streaming(Port, Either::of(Store, decoder), scratch).load(machine, &units.units()).is_ok()
}
