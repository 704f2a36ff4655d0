//! A machine may be stopped between any two instructions: while it boots, while somebody types, while a program runs. The
//! resumed one prints the rest and ends in the same state, byte for byte.

use ssm_core::{Loader, Saver};
use ssm_examples::{Machine, UNITS};
use ssm_std::{Codec, Crc32Fast, FromStd, decoder};
use std::io::Cursor;

const PROGRAM: &str = "10 LET A=1\r20 FOR I=1 TO 8\r30 LET A=A*3-I\r40 PRINT #7,A,RND(9)\r50 GOSUB 80\r60 NEXT I\r70 STOP\r\
    80 IF A>1000 LET A=A-999\r90 RETURN\rRUN\rLIST\r";

fn save(machine: &mut Machine, codec: Codec) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut scratch = vec![0; 4096];
    Saver::new(FromStd::new(&mut file), codec.encoder(), &mut scratch).crc32(Crc32Fast).save(machine, &UNITS).unwrap();
    file.into_inner()
}

fn load(file: &[u8]) -> Machine {
    let mut machine = Machine::new();
    let mut scratch = vec![0; 4096];
    let medium = FromStd::new(Cursor::new(file));
    Loader::new(medium, decoder(), &mut scratch).crc32(Crc32Fast).load(&mut machine, &UNITS).unwrap();
    machine
}

fn booted() -> Machine {
    let mut machine = Machine::new();
    PROGRAM.bytes().for_each(|key| assert!(machine.console.type_key(key)));
    machine
}

fn step_to(machine: &mut Machine, instructions: u64) {
    while machine.clock.instructions < instructions {
        machine.step();
    }
}

/// The uninterrupted run: instructions until the machine waits for more, output, state.
struct Whole {
    instructions: u64,
    output: Vec<u8>,
    state: Vec<u8>,
}

fn whole() -> Whole {
    let mut machine = booted();
    machine.run();
    let output = machine.console.take_output();
    assert!(output.windows(7).any(|text| text == b"   1645"), "{}", String::from_utf8_lossy(&output));
    Whole { instructions: machine.clock.instructions, output, state: save(&mut machine, Codec::Store) }
}

/// Goes on from each of these points on the way of one machine, in a machine of its own.
fn assert_resumes(cuts: impl Iterator<Item = u64>, codec: Codec) {
    let whole = whole();
    let mut machine = booted();
    let mut output = Vec::new();
    for cut in cuts {
        step_to(&mut machine, cut);
        output.extend(machine.console.take_output());
        let mut resumed = load(&save(&mut machine, codec));
        step_to(&mut resumed, whole.instructions);
        assert!(resumed.is_idle(), "cut at {cut}");
        let together = [&output[..], &resumed.console.take_output()].concat();
        assert!(together == whole.output, "cut at {cut}");
        assert!(save(&mut resumed, Codec::Store) == whole.state, "cut at {cut}");
    }
}

#[test]
fn at_points_all_over_a_run() {
    let all = whole().instructions;
    assert!(all > 10_000);
    assert_resumes((0..=250).map(|part| part * all / 250), Codec::Store);
}

#[test]
fn at_every_instruction_of_a_stretch() {
    let all = whole().instructions;
    let middle = all / 2;
    assert_resumes(middle..middle + 200, Codec::Store);
}

#[test]
fn with_every_codec() {
    let all = whole().instructions;
    for codec in Codec::ALL {
        assert_resumes((1..10).map(|part| part * all / 10), codec);
    }
}

/// One machine that is saved, dropped and resumed again and again.
#[test]
fn again_and_again() {
    let whole = whole();
    let mut machine = booted();
    let mut output = Vec::new();
    for part in 1..=100 {
        step_to(&mut machine, part * whole.instructions / 100);
        output.extend(machine.console.take_output());
        machine = load(&save(&mut machine, Codec::Store));
    }
    assert!(output == whole.output);
    assert!(save(&mut machine, Codec::Store) == whole.state);
}

/// The store codec is what the comparisons rest on: the memory is in the file as it is.
#[test]
fn a_single_byte_of_memory_makes_another_state() {
    let mut machine = booted();
    let state = save(&mut machine, Codec::Store);
    machine.ram.poke(0xfedc, 1);
    assert!(save(&mut machine, Codec::Store) != state);
}
