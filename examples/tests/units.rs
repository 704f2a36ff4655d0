//! What the machine's units take from a file and what they refuse.

use ssm_core::{Crc32Bytewise, Header, LoadError, Loader, Put, Store, Unit, UnitError, Writer};
use ssm_examples::{CLOCK_V1, Clock, Machine, REGISTERS_V1, Registers, TYPE_AHEAD, UNITS};
use ssm_std::{FromStd, decoder};
use std::io::{self, Cursor};

type Save<'a> = &'a mut dyn FnMut(&mut Put<'_>) -> Result<(), UnitError>;

/// Loads a sound file in which one unit was put otherwise.
fn load_with(name: &str, version: u32, save: Save<'_>) -> Result<Machine, UnitError> {
    let mut file = Cursor::new(Vec::new());
    let mut scratch = [0; 512];
    let mut writer = Writer::new(FromStd::new(&mut file), Store, Crc32Bytewise, &Header::new(), &mut scratch).unwrap();
    let mut machine = Machine::new();
    for entry in UNITS.entries() {
        let id = entry.id();
        let unit: &mut dyn Unit = match id.name {
            "cpu" => &mut machine.cpu,
            "ram" => &mut machine.ram,
            "console" => &mut machine.console,
            _ => &mut machine.clock,
        };
        if id.name == name {
            writer.unit(name.as_bytes(), 0, version, save).unwrap();
        } else {
            writer.unit(id.name.as_bytes(), 0, entry.data_version(), &mut |put| unit.save(put)).unwrap();
        }
    }
    writer.finish().unwrap();
    let mut machine = Machine::new();
    machine.run();
    let mut scratch = [0; 512];
    match Loader::new(FromStd::new(file), decoder(), &mut scratch).load(&mut machine, &UNITS) {
        Ok(_) => Ok(machine),
        Err(LoadError::<io::Error>::Unit { error, .. }) => Err(error),
        Err(LoadError::UnitVersion { unit, .. }) => Err(UnitError::Version(unit.version)),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn an_old_clock() {
    let old = Clock { cycles: 1 << 40, instructions: 77 };
    let machine = load_with("clock", 1, &mut |put| put.fields(&old, CLOCK_V1)).unwrap();
    assert_eq!(machine.clock, Clock { cycles: 1 << 40, instructions: 0 });
}

#[test]
fn units_from_the_future() {
    for (name, version) in [("cpu", 2), ("ram", 2), ("console", 2), ("clock", 3), ("clock", 0)] {
        let error = load_with(name, version, &mut |put| put.bytes(&[0; 1 << 16])).err();
        assert_eq!(error, Some(UnitError::Version(version)), "{name}");
    }
}

#[test]
fn a_processor_in_no_possible_mode() {
    let mut registers = Registers { interrupt_mode: 2, ..Registers::default() };
    assert!(load_with("cpu", 1, &mut |put| put.fields(&registers, REGISTERS_V1)).is_ok());
    registers.interrupt_mode = 3;
    let error = load_with("cpu", 1, &mut |put| put.fields(&registers, REGISTERS_V1)).err();
    assert!(matches!(error, Some(UnitError::Invalid(_))), "{error:?}");
}

#[test]
fn too_little_memory() {
    let error = load_with("ram", 1, &mut |put| put.bytes(&[0; (1 << 16) - 1])).err();
    assert_eq!(error, Some(UnitError::End));
}

#[test]
fn keys_up_to_the_limit() {
    let mut machine = Machine::new();
    while machine.console.type_key(b'A') {}
    let full = load_with("console", 1, &mut |put| machine.console.save(put)).unwrap();
    assert!(!full.console.has_room());
    let error = load_with("console", 1, &mut |put| {
        put.u32(0x1920_0102)?;
        put.bytes(&[0; 17])?;
        put.u32(0x1992_0406)?;
        put.string(&[b'A'; TYPE_AHEAD + 1])
    });
    let (found, max) = (TYPE_AHEAD as u32 + 1, TYPE_AHEAD as u32);
    assert_eq!(error.err(), Some(UnitError::TooLong { found, max }));
}
