//! Live saves of the machine: what is loaded is what stood still at the end, whatever was written between the passes.

use proptest::prelude::*;
use ssm_core::{Live, LoadError, Loader, SaveError, Saver, Store, Vote};
use ssm_examples::{FEW, LIVE_UNITS, Machine, PAGE_SIZE, PAGES, PageSet, UNITS, live};
use ssm_std::{Codec, Encoder, FromStd, decoder};
use std::io::{Cursor, ErrorKind, Write};

type Writes = Vec<(u16, u8)>;

const SCRATCH: usize = 16 << 10;

fn write(machine: &mut Machine, writes: &[(u16, u8)]) {
    writes.iter().for_each(|(address, value)| machine.ram.poke(*address, *value));
}

fn pages_of(writes: &[(u16, u8)]) -> PageSet {
    let mut pages = PageSet::NONE;
    writes.iter().for_each(|(address, _)| pages.insert(usize::from(*address) / PAGE_SIZE));
    pages
}

fn begin<'s, W: Write>(
    line: W,
    codec: Codec,
    scratch: &'s mut [u8],
    machine: &mut Machine,
) -> Result<Live<'s, FromStd<W>, Encoder>, SaveError<std::io::Error>> {
    Saver::streamed(FromStd::new(line), codec.encoder(), scratch).live(machine, &LIVE_UNITS)
}

/// The state as a plain save in 1.2, the same bytes for the same state.
fn state(machine: &mut Machine) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    Saver::new(FromStd::new(&mut file), Store, &mut [0; 4096]).save(machine, &UNITS).unwrap();
    file.into_inner()
}

/// A machine that has run before and has other bytes everywhere.
fn used() -> Machine {
    let mut machine = Machine::new();
    machine.run();
    (0..=u16::MAX).for_each(|address| machine.ram.poke(address, 0xa5));
    machine
}

fn load_streaming(mut file: &[u8]) -> Result<Machine, LoadError<std::io::Error>> {
    let mut machine = used();
    Loader::streaming(FromStd::new(&mut file), decoder(), &mut [0; 4096]).load(&mut machine, &LIVE_UNITS)?;
    Ok(machine)
}

fn load_verified(file: &[u8]) -> Result<Machine, LoadError<std::io::Error>> {
    let mut machine = used();
    let medium = FromStd::new(Cursor::new(file));
    Loader::new(medium, decoder(), &mut [0; 4096]).load(&mut machine, &LIVE_UNITS)?;
    Ok(machine)
}

/// Writes near a few places, so that passes share pages, and anywhere.
fn writes() -> impl Strategy<Value = Writes> {
    let address = prop_oneof![any::<u16>(), 0..1024_u16, 0xff00..=u16::MAX];
    prop::collection::vec((address, any::<u8>()), 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_loaded_machine_is_the_stopped_one(
        before in writes(),
        between in prop::collection::vec((writes(), 0..3000_u64), 1..6),
        codec in prop_oneof![Just(Codec::Store), Just(Codec::Lzf)],
    ) {
        let mut machine = Machine::new();
        write(&mut machine, &before);
        let (mut file, mut scratch) = (Vec::new(), [0; SCRATCH]);
        let mut live = begin(&mut file, codec, &mut scratch, &mut machine).unwrap();
        let mut expected = PageSet::ALL;
        for (writes, cycles) in &between {
            prop_assert_eq!(machine.ram.pages().dirty(), Some(expected));
            let vote = live.pass(&mut machine, &LIVE_UNITS).unwrap();
            prop_assert_eq!(machine.ram.pages().sent(), expected.len());
            prop_assert_eq!(vote, if expected.len() > FEW { Vote::Again } else { Vote::Done });
            write(&mut machine, writes);
            expected = pages_of(writes);
            prop_assert_eq!(machine.ram.pages().dirty(), Some(expected));
            // And the machine itself, wherever these bytes send it.
            machine.run_until(machine.clock.cycles + cycles);
            expected = machine.ram.pages().dirty().unwrap();
        }
        live.finish(&mut machine, &LIVE_UNITS).unwrap();
        prop_assert_eq!(machine.ram.pages().sent(), expected.len());
        prop_assert_eq!(machine.ram.pages().dirty(), None);

        let stopped = state(&mut machine);
        for mut loaded in [load_streaming(&file).unwrap(), load_verified(&file).unwrap()] {
            prop_assert!(loaded.ram == machine.ram);
            prop_assert!(state(&mut loaded) == stopped);
        }
    }
}

/// It spreads its writes over the pages that Tiny BASIC leaves to arrays.
const PROGRAM: &str =
    "10 FOR J=1 TO 9\r20 FOR I=1 TO 60\r30 LET @(I*13)=I*J\r40 PRINT #5,@(I*13)\r50 NEXT I\r60 NEXT J\rRUN\r";

/// A program that is moved anywhere in its run prints the rest at the other end, and ends as where it was.
#[test]
fn a_program_moves_while_it_runs() {
    let mut machine = Machine::new();
    PROGRAM.bytes().for_each(|key| assert!(machine.console.type_key(key)));
    let (mut begins, mut most) = (0, 0);
    while !machine.is_idle() {
        let mut file = Vec::new();
        let passes = live::save(&mut machine, &mut file).unwrap();
        most = most.max(passes[1..].iter().map(|pass| pass.pages).max().unwrap());
        assert_eq!(passes[0].pages, PAGES);
        let [moved, mut there] = [0; 2].map(|_| live::load(&file).unwrap());
        let mut here = std::mem::replace(&mut machine, moved);
        here.console.take_output();
        [&mut here, &mut there].into_iter().for_each(Machine::run);
        assert_eq!(here.console.take_output(), there.console.take_output());
        assert!(state(&mut here) == state(&mut there));
        begins += 1;
    }
    assert!(begins > 2 && most > 2, "{begins} saves, at most {most} pages dirty");
}

/// The bus tells of every write of the processor: PUSH, LD (HL) and LDIR over the end of the address space.
#[test]
fn the_processor_s_writes_are_noted() {
    const LDIR: [u8; 11] = [0x21, 0, 0, 0x11, 0xf0, 0xff, 0x01, 0x20, 0, 0xed, 0xb0];
    const PUSH: [u8; 4] = [0x31, 0x01, 0x50, 0xe5];
    const STORE: [u8; 5] = [0x21, 0xff, 0x7f, 0x36, 0x42];
    for (code, expected) in [(&LDIR[..], &[0, 0xff][..]), (&PUSH[..], &[0x4f, 0x50]), (&STORE[..], &[0x7f])] {
        let mut machine = Machine::new();
        for (address, byte) in (0x2000..).zip(code) {
            machine.ram.poke(address, *byte);
        }
        let mut registers = machine.cpu.registers();
        registers.pc = 0x2000;
        machine.cpu.set_registers(&registers);
        let (mut file, mut scratch) = (Vec::new(), [0; SCRATCH]);
        let mut live = begin(&mut file, Codec::Store, &mut scratch, &mut machine).unwrap();
        live.pass(&mut machine, &LIVE_UNITS).unwrap();
        while usize::from(machine.cpu.registers().pc) < 0x2000 + code.len() {
            machine.step();
        }
        let dirty = machine.ram.pages().dirty().unwrap();
        assert_eq!(dirty.iter().collect::<Vec<_>>(), expected, "{code:02x?}");
        live.abandon(&mut machine, &LIVE_UNITS);
    }
}

/// Writes to every page.
fn write_everywhere(machine: &mut Machine, value: u8) {
    for page in 0..PAGES {
        machine.ram.poke((page * PAGE_SIZE) as u16, value);
    }
}

/// A machine that writes faster than the line takes it is stopped by a limit, and loads as well.
#[test]
fn limits_end_what_would_not_end() {
    for (passes, bytes, expected) in [(3, u64::MAX, 3), (1, u64::MAX, 1), (100, 150_000, 3), (100, 1, 1)] {
        let mut machine = Machine::new();
        let (mut file, mut scratch) = (Vec::new(), [0; SCRATCH]);
        let save = begin(&mut file, Codec::Store, &mut scratch, &mut machine).unwrap();
        let mut live = save.limit_passes(passes).limit_bytes(bytes);
        // The ROM alone would be fewer bytes than its pages: no page is all zeros.
        (0..=u16::MAX).for_each(|address| machine.ram.poke(address, (address % 251) as u8 + 1));
        let mut value = 0;
        while live.pass(&mut machine, &LIVE_UNITS).unwrap() == Vote::Again {
            value += 1;
            assert!(value < 100);
            write_everywhere(&mut machine, value);
        }
        assert_eq!(live.passes(), expected, "{passes} passes, {bytes} bytes");
        assert_eq!(machine.ram.pages().sent(), PAGES);
        live.finish(&mut machine, &LIVE_UNITS).unwrap();
        assert_eq!(machine.ram.pages().sent(), 0);
        assert!(state(&mut load_streaming(&file).unwrap()) == state(&mut machine));
    }
}

/// Takes this many bytes and no more.
struct Torn(usize);

impl Write for Torn {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0 == 0 {
            return Err(ErrorKind::ConnectionReset.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs a live save of two passes into `line`, with writes between.
fn save_live(line: impl Write, machine: &mut Machine) -> Result<u64, SaveError<std::io::Error>> {
    let mut scratch = [0; SCRATCH];
    let mut live = begin(line, Codec::Lzf, &mut scratch, machine)?;
    for value in 1..3 {
        live.pass(machine, &LIVE_UNITS)?;
        write_everywhere(machine, value);
    }
    live.finish(machine, &LIVE_UNITS)
}

/// Wherever the line breaks, the machine has what was written to it, notes nothing any more, and can be saved again.
#[test]
fn a_torn_live_save_leaves_the_machine_running() {
    let mut whole = Vec::new();
    let len = save_live(&mut whole, &mut Machine::new()).unwrap() as usize;
    assert_eq!(whole.len(), len);
    for len in (0..len).step_by(149).chain(len - 60..len) {
        let mut machine = Machine::new();
        assert!(matches!(save_live(Torn(len), &mut machine), Err(SaveError::Io(_))), "{len}");
        assert_eq!(machine.ram.pages().dirty(), None, "{len}");
        machine.ram.poke(0xfedc, 1);
        assert_eq!(machine.ram.pages().dirty(), None, "{len}");
        assert!(load_streaming(&whole[..len]).is_err(), "{len}");
    }
    let mut machine = Machine::new();
    save_live(Torn(len / 2), &mut machine).unwrap_err();
    let mut file = Vec::new();
    save_live(&mut file, &mut machine).unwrap();
    assert!(state(&mut load_verified(&file).unwrap()) == state(&mut machine));
}

#[test]
fn an_abandoned_live_save_leaves_the_machine_running() {
    let mut expected = Machine::new();
    let mut machine = Machine::new();
    for passes in 0..4 {
        let (mut file, mut scratch) = (Vec::new(), [0; SCRATCH]);
        let mut live = begin(&mut file, Codec::Lzf, &mut scratch, &mut machine).unwrap();
        for _ in 0..passes {
            live.pass(&mut machine, &LIVE_UNITS).unwrap();
            machine.run_until(machine.clock.cycles + 1000);
        }
        live.abandon(&mut machine, &LIVE_UNITS);
        assert_eq!(machine.ram.pages().dirty(), None, "{passes}");
        assert!(load_streaming(&file).is_err());
    }
    machine.run();
    expected.run();
    assert_eq!(machine.console.take_output(), expected.console.take_output());
    assert!(state(&mut machine) == state(&mut expected));
}

/// A load in the middle of a live save replaces pages that were sent: all of them have to go again.
#[test]
fn a_load_between_passes_is_a_write_everywhere() {
    let mut other = used();
    let other = state(&mut other);
    for units in [&UNITS, &LIVE_UNITS] {
        let mut machine = Machine::new();
        let (mut file, mut scratch) = (Vec::new(), [0; SCRATCH]);
        let mut live = begin(&mut file, Codec::Lzf, &mut scratch, &mut machine).unwrap();
        live.pass(&mut machine, &LIVE_UNITS).unwrap();
        let medium = FromStd::new(Cursor::new(&other));
        Loader::new(medium, decoder(), &mut [0; 4096]).load(&mut machine, units).unwrap();
        assert_eq!(machine.ram.pages().dirty(), Some(PageSet::ALL));
        live.finish(&mut machine, &LIVE_UNITS).unwrap();
        assert!(state(&mut load_streaming(&file).unwrap()) == other);
    }
}

/// Who does not know version 2 is told so before any unit is touched.
#[test]
fn plain_units_refuse_a_live_save() {
    let mut file = Vec::new();
    save_live(&mut file, &mut Machine::new()).unwrap();
    let mut machine = used();
    let ram = machine.ram.clone();
    let error = Loader::new(FromStd::new(Cursor::new(&file)), decoder(), &mut [0; 4096]).load(&mut machine, &UNITS);
    let Err(LoadError::UnitVersion { unit, oldest: 0, newest: 1 }) = error else { panic!("{error:?}") };
    assert_eq!((unit.name(), unit.version), (&b"ram"[..], 2));
    assert!(machine.ram == ram);
}
