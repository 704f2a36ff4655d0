//! The two emulators are one machine: the host's, on the core `iz80`, and the one for the metal, on `rustzx-z80`.

use bare_metal_machine as metal;
use ssm_core::{Crc32Bytewise, Header, LoadError, Loader, LzfDecoder, LzfEncoder, Saver, Store, Unit, Writer};
use ssm_examples::terminal::machine_key;
use ssm_examples::{Machine, Registers, UNITS, live};
use ssm_std::{Codec, Crc32Fast, FromStd, decoder};
use std::io::{self, Cursor};

const PRIMES: &str = include_str!("../primes.bas");

fn host() -> Machine {
    Machine::new()
}

fn on_metal() -> metal::Machine {
    metal::Machine::new(Box::leak(Box::new([0; metal::RAM_SIZE])))
}

fn booted() -> (Machine, metal::Machine) {
    let (mut host, mut metal) = (host(), on_metal());
    for key in PRIMES.bytes().map(machine_key) {
        assert!(host.console.type_key(key) && metal.console.type_key(key));
    }
    (host, metal)
}

/// With the host's own codec and block sizes.
fn save_host(machine: &mut Machine, codec: Codec) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut scratch = vec![0; 65536];
    Saver::new(FromStd::new(&mut file), codec.encoder(), &mut scratch).crc32(Crc32Fast).save(machine, &UNITS).unwrap();
    file.into_inner()
}

/// With the small buffers of the firmware.
fn save_metal(machine: &mut metal::Machine, lzf: bool) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut scratch = [0; 2048];
    let medium = FromStd::new(&mut file);
    if lzf {
        Saver::new(medium, LzfEncoder::<256>::with_block(1024), &mut scratch).save(machine, &metal::UNITS).unwrap();
    } else {
        Saver::new(medium, Store, &mut scratch).save(machine, &metal::UNITS).unwrap();
    }
    file.into_inner()
}

fn load_host(file: &[u8]) -> Machine {
    let mut machine = Machine::new();
    let mut scratch = vec![0; 4096];
    Loader::new(FromStd::new(Cursor::new(file)), decoder(), &mut scratch).load(&mut machine, &UNITS).unwrap();
    machine
}

fn load_metal(file: &[u8]) -> Result<metal::Machine, LoadError<io::Error>> {
    let mut machine = on_metal();
    let mut scratch = [0; 2048];
    let codecs = ssm_core::Either::of(Store, LzfDecoder::new([0; 8192]));
    Loader::new(FromStd::new(Cursor::new(file)), codecs, &mut scratch).load(&mut machine, &metal::UNITS)?;
    Ok(machine)
}

#[test]
fn every_instruction_of_a_program_in_step() {
    let (mut host, mut metal) = booted();
    while host.clock.cycles < 20_000_000 {
        host.step();
        let printed = metal.step();
        assert_eq!(host.console.take_output().first().copied(), printed);
        assert_eq!(host.cpu.registers().pc, metal.cpu.registers().pc);
        assert_eq!(host.clock.cycles, metal.clock.cycles);
    }
    assert!(host.console.printed() > 500, "{}", host.console.printed());
    assert!(save_host(&mut host, Codec::Store) == save_metal(&mut metal, false));
}

/// Every opcode without a prefix, with all flags off and all on, from a file and back into one.
#[test]
fn every_opcode_in_step() {
    const PREFIXES: [u8; 4] = [0xcb, 0xdd, 0xed, 0xfd];
    const SCF_CCF: [u8; 2] = [0x37, 0x3f];
    for opcode in (0..=0xff).filter(|opcode| !PREFIXES.contains(opcode)) {
        for flags in [0, 0xff] {
            let mut expected = host();
            expected.cpu.set_registers(&Registers { af: 0x5a00 | flags, ..REGISTERS });
            for (address, byte) in (REGISTERS.pc..).zip([opcode, 0x02, 0x60]) {
                expected.ram.poke(address, byte);
            }
            let mut found = load_metal(&save_host(&mut expected, Codec::Store)).unwrap();
            expected.step();
            found.step();
            let found = load_host(&save_metal(&mut found, false));
            let [mut a, mut b] = [&expected, &found].map(|machine| machine.cpu.registers());
            if SCF_CCF.contains(&opcode) {
                // The undocumented flags, of which neither core's are in a file.
                (a.af, b.af) = (a.af & !0x28, b.af & !0x28);
            }
            assert_eq!(a, b, "{opcode:#x} with flags {flags:#x}");
            assert_eq!(expected.clock, found.clock, "{opcode:#x} with flags {flags:#x}");
            assert!(expected.ram == found.ram, "{opcode:#x} with flags {flags:#x}");
        }
    }
}

const REGISTERS: Registers = Registers {
    af: 0,
    bc: 0x0203,
    de: 0x5678,
    hl: 0x9abc,
    ix: 0xdef0,
    iy: 0x1357,
    sp: 0x8000,
    pc: 0x4000,
    shadow_af: 0x2468,
    shadow_bc: 0x369c,
    shadow_de: 0x48bf,
    shadow_hl: 0x5af5,
    interrupt_vector: 0x6b,
    refresh: 0x7c,
    interrupt_mode: 2,
    iff1: false,
    iff2: true,
    interrupts_just_enabled: false,
    halted: false,
};

/// From one to the other and back, at points all over a run: each writer's file is the other's, with each one's codec.
#[test]
fn a_machine_that_moves_again_and_again() {
    let (mut whole, mut machine) = booted();
    let mut expected = Vec::new();
    let mut output = Vec::new();
    for part in 1..=40 {
        let cycles = part * 150_000;
        whole.run_until(cycles);
        expected.extend(whole.console.take_output());
        if part % 2 == 0 {
            machine.run_until(cycles, &mut |byte| output.push(byte));
        } else {
            let mut host = load_host(&save_metal(&mut machine, true));
            host.run_until(cycles);
            output.extend(host.console.take_output());
            machine = load_metal(&save_host(&mut host, Codec::Lzf)).unwrap();
        }
        assert!(output == expected, "part {part}");
        assert!(save_metal(&mut machine, false) == save_host(&mut whole, Codec::Store), "part {part}");
    }
    assert!(String::from_utf8(output).unwrap().contains("   13   17"));
}

/// What no program of these two wrote is refused on the metal too.
/// A live save has the memory in pages, which the metal does not know: the host makes a plain save of it.
#[test]
fn a_live_save_reaches_the_metal_through_the_host() {
    let (mut host, _) = booted();
    host.run_until(1_000_000);
    let mut file = Vec::new();
    live::save(&mut host, &mut file).unwrap();
    assert_eq!(load_metal(&file).err().map(|error| error.kind()), Some("unit-version"));
    let plain = save_host(&mut live::load(&file).unwrap(), Codec::Lzf);
    assert!(save_metal(&mut load_metal(&plain).unwrap(), false) == save_host(&mut host, Codec::Store));
}

#[test]
fn refused_on_the_metal() {
    let mut sound = save_host(&mut host(), Codec::Store);
    assert!(load_metal(&sound).is_ok());
    let middle = sound.len() / 2;
    sound[middle] ^= 1;
    assert_eq!(load_metal(&sound).err().map(|error| error.kind()), Some("crc"));

    let future = |name| (name, "unit-version");
    for (name, kind) in ["cpu", "ram", "console", "clock"].map(future).into_iter().chain([("tape", "unknown-unit")]) {
        let mut file = Cursor::new(Vec::new());
        let mut scratch = [0; 512];
        let medium = FromStd::new(&mut file);
        let mut writer = Writer::new(medium, Store, Crc32Bytewise, &Header::new(), &mut scratch).unwrap();
        let metal::Machine { cpu, ram, console, clock } = &mut on_metal();
        let units: [(&str, u32, &mut dyn Unit); 4] =
            [("cpu", 1, cpu), ("ram", 1, ram), ("console", 1, console), ("clock", 2, clock)];
        for (unit, version, place) in units {
            let version = if unit == name { version + 1 } else { version };
            writer.unit(unit.as_bytes(), 0, version, &mut |put| place.save(put)).unwrap();
        }
        if name == "tape" {
            writer.unit(b"tape", 0, 1, &mut |put| put.u8(0)).unwrap();
        }
        writer.finish().unwrap();
        let error = load_metal(&file.into_inner()).err().map(|error| error.kind());
        assert_eq!(error, Some(kind), "{name}");
    }
}
