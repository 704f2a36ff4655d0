//! Registers at run time, saves and loads with store and with LZF, in 1.2 and 2.0, with and without seeks. It is never run: that it links is the proof.
//!
//! The panic handler calls a function that does not exist, so the linker refuses the image unless no panic can be reached.
//! There is no global allocator and nothing links `alloc`, so there is no heap. The medium is a pair of volatile registers,
//! so the compiler can know nothing about the bytes that come in.
#![no_std]
#![no_main]

use core::panic::PanicInfo;
use ssm_core::embedded_io::{ErrorKind, ErrorType, Read, Seek, SeekFrom, Write};
use ssm_core::{
    Cancel, Either, Entry, Field, Get, Header, LoadError, Loader, LzfDecoder, LzfEncoder, Missing, OnlyStreamed, Owner,
    Policy, Put, Registry, Saver, Store, Unit, UnitError, UnitId, Unknown, fields,
};
use static_cell::ConstStaticCell;

unsafe extern "C" {
    safe fn a_panic_is_in_the_image() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    a_panic_is_in_the_image()
}

/// Registers of a device that does not exist.
const DATA: *mut u32 = 0x4000_0000 as *mut u32;
const POSITION: *mut u32 = 0x4000_0004 as *mut u32;

fn input(register: *mut u32) -> u32 {
    // SAFETY: the address is outside all memory that the program has.
    unsafe { register.read_volatile() }
}

fn output(register: *mut u32, value: u32) {
    // SAFETY: as above.
    unsafe { register.write_volatile(value) };
}

struct Port;

impl ErrorType for Port {
    type Error = ErrorKind;
}

impl Read for Port {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        let len = input(DATA) as usize;
        into.get_mut(..len).ok_or(ErrorKind::Other)?.fill_with(|| input(DATA) as u8);
        Ok(len)
    }
}

impl Write for Port {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        bytes.iter().for_each(|byte| output(DATA, (*byte).into()));
        Ok(input(DATA) as usize)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl Seek for Port {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, ErrorKind> {
        match to {
            SeekFrom::Start(to) => output(POSITION, to as u32),
            SeekFrom::End(by) | SeekFrom::Current(by) => output(POSITION, by as u32),
        }
        Ok(input(POSITION).into())
    }
}

struct Timer {
    count: u16,
    mode: u8,
    latch: u16,
    memory: [u8; 64],
}

const V1: &[Field<Timer>] = fields![Timer: count, mode];
const V2: &[Field<Timer>] = fields![Timer: count, mode, latch, memory];

impl Unit for Timer {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.str("timer")?;
        put.fields(self, V2)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        get.str(&mut [0; 16])?;
        match version {
            1 => get.fields(self, V1),
            2 => get.fields(self, V2),
            other => Err(UnitError::Version(other)),
        }
    }
}

static MACHINE: ConstStaticCell<Timer> = ConstStaticCell::new(Timer { count: 0, mode: 0, latch: 0, memory: [0; 64] });
static UNITS: ConstStaticCell<Registry<Timer, 8>> = ConstStaticCell::new(Registry::new());
static SCRATCH: ConstStaticCell<[u8; 2304]> = ConstStaticCell::new([0; 2304]);
static ENCODER: ConstStaticCell<LzfEncoder<256>> = ConstStaticCell::new(LzfEncoder::new());
static DECODER: ConstStaticCell<LzfDecoder<[u8; 1024]>> = ConstStaticCell::new(LzfDecoder::new([0; 1024]));
static CANCEL: Cancel = Cancel::new();

const TIMER: Entry<Timer> = Entry::new("timer", |machine, _| machine).version(2).owner(Owner::Device(7));

fn operate() -> Option<()> {
    let (machine, units) = (MACHINE.try_take()?, UNITS.try_take()?);
    let (scratch, encoder, decoder) = (SCRATCH.try_take()?, ENCODER.try_take()?, DECODER.try_take()?);
    loop {
        output(DATA, units.register(TIMER.instance(input(DATA))).is_ok().into());
        output(DATA, units.register_before("timer", TIMER.instance(input(DATA))).is_ok().into());
        output(DATA, units.deregister(Owner::Device(input(DATA)), UnitId::new("timer", input(DATA))).is_ok().into());
        output(DATA, units.deregister_all(Owner::Device(input(DATA))) as u32);

        let mut percent = |percent: u8| output(DATA, percent.into());
        let notes = &[("program", "proof")];
        let stored = Saver::new(Port, Store, scratch).notes(notes).progress(&mut percent).cancel(&CANCEL);
        output(DATA, stored.save(machine, &units.units()).is_ok().into());
        let packed = Saver::new(Port, &mut *encoder, scratch).notes(notes).progress(&mut percent).cancel(&CANCEL);
        output(DATA, packed.save(machine, &units.units()).is_ok().into());

        let stored = Saver::streamed(Port, Store, scratch).notes(notes).progress(&mut percent).cancel(&CANCEL);
        output(DATA, stored.save(machine, &units.units()).is_ok().into());
        let packed = Saver::streamed(Port, &mut *encoder, scratch).notes(notes).progress(&mut percent).cancel(&CANCEL);
        output(DATA, packed.save(machine, &units.units()).is_ok().into());

        let policy = Policy { unknown: Unknown::Skip, missing: Missing::Report };
        let mut report = |_| output(DATA, 1);
        let loaded = Loader::new(Port, Either::of(Store, &mut *decoder), scratch)
            .policy(policy)
            .report(&mut report)
            .progress(&mut percent)
            .cancel(&CANCEL)
            .load(machine, &units.units());
        tell(loaded);
        let loaded = Loader::new(Port, Either::of(Store, &mut *decoder), scratch)
            .formats(OnlyStreamed)
            .policy(policy)
            .report(&mut report)
            .progress(&mut percent)
            .cancel(&CANCEL)
            .load(machine, &units.units());
        tell(loaded);
        let loaded = Loader::streaming(Port, Either::of(Store, &mut *decoder), scratch)
            .policy(policy)
            .report(&mut report)
            .progress(&mut percent)
            .cancel(&CANCEL)
            .load(machine, &units.units());
        tell(loaded);

        #[cfg(feature = "broken")]
        output(DATA, char::from_u32(input(DATA)).unwrap().into());
    }
}

fn tell(loaded: Result<Header, LoadError<ErrorKind>>) {
    match loaded {
        Ok(header) => output(DATA, header.file_len as u32),
        Err(error) => output(DATA, error.kind().len() as u32 + error.offset().unwrap_or(0) as u32),
    }
}

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    operate();
    loop {}
}
