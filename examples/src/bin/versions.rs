//! Old files in newer code: a timer that grew twice, with one layout table per version, in a machine that got a speaker.
//!
//! A table stays as it was once files with it exist; a new version is a new table. What an old layout does not have gets
//! the value that the device had then, never what the machine happens to hold. A version from the future is refused.

use ssm_core::{
    Crc32Bytewise, Entry, Field, Get, Header, LoadError, Loader, Missing, Policy, Put, Report, Store, Unit, UnitError,
    Units, Writer, fields,
};
use ssm_std::{FromStd, decoder};
use std::error::Error;
use std::io::{self, Cursor};

/// The timer as it is today, version 3.
#[derive(Debug, PartialEq)]
struct Timer {
    count: u16,
    running: bool,
    /// Since version 2; timers before it divided by 1.
    divider: u32,
    /// Since version 3; timers before it had none.
    alarms: [u16; 2],
}

impl Default for Timer {
    fn default() -> Self {
        Self { count: 0, running: false, divider: 1, alarms: [0; 2] }
    }
}

const TIMER_V1: &[Field<Timer>] = fields![Timer: count, running];
const TIMER_V2: &[Field<Timer>] = fields![Timer: count, running, divider];
const TIMER_V3: &[Field<Timer>] = fields![Timer: count, running, divider, alarms];

impl Unit for Timer {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.fields(self, TIMER_V3)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        let table = match version {
            1 => TIMER_V1,
            2 => TIMER_V2,
            3 => TIMER_V3,
            other => return Err(UnitError::Version(other)),
        };
        *self = Self::default();
        get.fields(self, table)
    }
}

/// New with version 3 of the timer: older files have no such unit.
#[derive(Debug, Default)]
struct Speaker {
    volume: u8,
}

const SPEAKER_V1: &[Field<Speaker>] = fields![Speaker: volume];

impl Unit for Speaker {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.fields(self, SPEAKER_V1)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        if version == 1 { get.fields(self, SPEAKER_V1) } else { Err(UnitError::Version(version)) }
    }
}

#[derive(Debug, Default)]
struct Machine {
    timer: Timer,
    speaker: Speaker,
}

static UNITS: Units<Machine> = Units::new(&[
    Entry::new("timer", |machine: &mut Machine, _| &mut machine.timer).version(3),
    Entry::new("speaker", |machine: &mut Machine, _| &mut machine.speaker),
]);

fn main() -> Result<(), Box<dyn Error>> {
    for (version, table) in [(1, TIMER_V1), (2, TIMER_V2), (3, TIMER_V3)] {
        let mut file = file_of_version(version, table)?;
        // It has run before: nothing of this may shine through.
        let mut machine = Machine {
            timer: Timer { count: 9, running: false, divider: 9, alarms: [9, 9] },
            speaker: Speaker { volume: 9 },
        };
        println!("timer version {version}:");
        load(&mut file, &mut machine)?;
        println!("  {:?}, {:?}", machine.timer, machine.speaker);
    }
    println!("timer version 4:");
    match load(&mut file_of_version(4, TIMER_V3)?, &mut Machine::default()) {
        Ok(()) => Err("version 4 was loaded".into()),
        Err(error) => {
            println!("  refused: {error}");
            Ok(())
        }
    }
}

/// Loads a file; a unit that it does not have is reported, and gets what a machine of that time had.
fn load(file: &mut Cursor<Vec<u8>>, machine: &mut Machine) -> Result<(), LoadError<io::Error>> {
    let mut missing = Vec::new();
    let mut report = |what| {
        if let Report::Missing(id) = what {
            println!("  unit {id} is not in the file");
            missing.push(id.name);
        }
    };
    Loader::new(FromStd::new(file), decoder(), &mut [0; 512])
        .policy(Policy { missing: Missing::Report, ..Policy::default() })
        .report(&mut report)
        .load(machine, &UNITS)?;
    if missing.contains(&"speaker") {
        machine.speaker = Speaker::default();
    }
    Ok(())
}

/// What a program of that time saved.
fn file_of_version(version: u32, table: &[Field<Timer>]) -> Result<Cursor<Vec<u8>>, Box<dyn Error>> {
    let timer = Timer { count: 1000, running: true, divider: 8, alarms: [250, 750] };
    let mut file = Cursor::new(Vec::new());
    let mut scratch = [0; 512];
    let mut writer = Writer::new(FromStd::new(&mut file), Store, Crc32Bytewise, &Header::new(), &mut scratch)?;
    writer.unit(b"timer", 0, version, &mut |put| put.fields(&timer, table))?;
    if version >= 3 {
        writer.unit(b"speaker", 0, 1, &mut |put| put.fields(&Speaker { volume: 5 }, SPEAKER_V1))?;
    }
    writer.finish()?;
    Ok(file)
}
