//! The memory's unit in pages: what it takes from a file, what it refuses, and its versions.

use ssm_core::{
    Archive, Crc32Bytewise, Header, LoadError, Loader, Put, Saver, Store, StreamFields, StreamedUnit, Unit, UnitError,
    Units, Writer,
};
use ssm_examples::{END_OF_PAGES, LIVE_UNITS, Machine, PAGE_SIZE, PAGES, RAM_SIZE, UNITS};
use ssm_std::{FromStd, decoder};
use std::io::{self, Cursor};

/// One pass of the memory: pages with the byte that fills them, and whether the end is marked.
struct Pass(Vec<(u16, u8)>, bool);

fn put_pass(put: &mut Put<'_>, Pass(pages, is_ended): &Pass) -> Result<(), UnitError> {
    for (page, byte) in pages {
        put.u16(*page)?;
        put.bytes(&[*byte; PAGE_SIZE])?;
    }
    if *is_ended { put.u16(END_OF_PAGES) } else { Ok(()) }
}

fn load(file: &[u8]) -> Result<Machine, LoadError<io::Error>> {
    let mut machine = Machine::new();
    let medium = FromStd::new(Cursor::new(file));
    Loader::new(medium, decoder(), &mut [0; 4096]).load(&mut machine, &LIVE_UNITS)?;
    Ok(machine)
}

/// A sound file with these passes of the memory, the last of them the final one.
fn file(version: u32, passes: &[Pass], rest: &[u8]) -> Vec<u8> {
    let (mut file, mut scratch) = (Vec::new(), [0; 4096]);
    let header = Header {
        stream: Some(StreamFields { units: 4, is_checked: true, is_live: true, max_block: 4096 }),
        ..Header::new()
    };
    let medium = FromStd::new(&mut file);
    let mut writer = Writer::streamed(medium, Store, Crc32Bytewise, &header, 4, &mut scratch).unwrap();
    let Machine { mut cpu, mut console, mut clock, .. } = Machine::new();
    let last = passes.len() - 1;
    for (number, pass) in passes.iter().enumerate() {
        let how = StreamedUnit { pass: (number < last).then_some(number as u32), optional: false };
        let rest = if number == last { rest } else { &[] };
        writer
            .unit(b"ram", 0, version, how, &mut |put| {
                put_pass(put, pass)?;
                put.bytes(rest)
            })
            .unwrap();
    }
    let others: [(&[u8], u32, &mut dyn Unit); 3] =
        [(b"cpu", 1, &mut cpu), (b"console", 1, &mut console), (b"clock", 2, &mut clock)];
    for (name, version, unit) in others {
        let how = StreamedUnit { pass: None, optional: false };
        writer.unit(name, 0, version, how, &mut |put| unit.save(put)).unwrap();
    }
    writer.finish().unwrap();
    file
}

fn error_of(passes: &[Pass], rest: &[u8]) -> Option<UnitError> {
    match load(&file(2, passes, rest)) {
        Ok(_) => None,
        Err(LoadError::Unit { unit, error, .. }) => {
            assert_eq!(unit.name(), b"ram");
            Some(error)
        }
        Err(other) => panic!("{other}"),
    }
}

fn all(byte: u8) -> Vec<(u16, u8)> {
    (0..PAGES as u16).map(|page| (page, byte)).collect()
}

#[test]
fn later_passes_win() {
    let passes = [Pass(all(1), true), Pass(vec![(3, 2), (5, 2), (255, 2)], true), Pass(vec![(5, 3)], true)];
    let mut machine = load(&file(2, &passes, &[])).unwrap();
    for (page, bytes) in machine.ram.pages().bytes().as_chunks::<PAGE_SIZE>().0.iter().enumerate() {
        let expected = match page {
            5 => 3,
            3 | 255 => 2,
            _ => 1,
        };
        assert_eq!(bytes, &[expected; PAGE_SIZE], "page {page}");
    }
}

#[test]
fn a_page_may_come_first_in_any_pass() {
    let (even, odd): (Vec<_>, Vec<_>) = all(9).into_iter().partition(|(page, _)| page % 2 == 0);
    assert_eq!(error_of(&[Pass(vec![], true), Pass(even, true), Pass(odd, true)], &[]), None);
    assert_eq!(error_of(&[Pass(all(1), true)], &[]), None);
}

#[test]
fn refused() {
    let whole = || Pass(all(1), true);
    let none = || Pass(vec![], true);
    let behind = Some(UnitError::Invalid("a page is not behind the one before it"));
    let no_page = Some(UnitError::Invalid("no such page"));
    let in_no_pass = Some(UnitError::Invalid("a page is in no pass"));
    assert_eq!(error_of(&[whole(), none()], &[]), None);
    assert_eq!(error_of(&[whole(), Pass(vec![(256, 1)], true)], &[]), no_page);
    assert_eq!(error_of(&[whole(), Pass(vec![(0xfffe, 1)], true)], &[]), no_page);
    assert_eq!(error_of(&[whole(), Pass(vec![(7, 1), (7, 1)], true)], &[]), behind);
    assert_eq!(error_of(&[Pass(vec![(7, 1), (6, 1)], true), whole()], &[]), behind);
    assert_eq!(error_of(&[whole(), Pass(vec![(7, 1)], false)], &[]), Some(UnitError::End));
    assert_eq!(error_of(&[whole(), Pass(vec![(7, 1)], false)], &[8, 0, 1]), Some(UnitError::End));
    assert_eq!(error_of(&[Pass(all(1), false), none()], &[]), Some(UnitError::End));
    assert_eq!(error_of(&[whole(), none()], &[0]), Some(UnitError::Rest));
    for absent in 0..PAGES {
        let mut pages = all(1);
        pages.remove(absent);
        assert_eq!(error_of(&[Pass(pages, true), none()], &[]), in_no_pass, "{absent}");
    }
}

/// What an earlier load brought is not taken for a part of this one.
#[test]
fn a_used_machine_needs_every_page_too() {
    let mut machine = Machine::new();
    let mut load = |pages| {
        let medium = FromStd::new(Cursor::new(file(2, &[Pass(pages, true)], &[])));
        Loader::new(medium, decoder(), &mut [0; 4096]).load(&mut machine, &LIVE_UNITS).is_ok()
    };
    assert!(load(all(1)));
    assert!(!load(vec![(0, 2)]));
}

/// A version from the future, or from before the first, is refused before anything is loaded.
#[test]
fn versions_outside_the_window() {
    for version in [0, 3] {
        let error = load(&file(version, &[Pass(all(1), true)], &[])).err();
        let Some(LoadError::UnitVersion { unit, oldest: 1, newest: 2 }) = error else { panic!("{error:?}") };
        assert_eq!((unit.name(), unit.version), (&b"ram"[..], version));
    }
}

fn saved(machine: &mut Machine, units: &Units<Machine>, is_streamed: bool) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let (medium, mut scratch) = (FromStd::new(&mut file), [0; 4096]);
    if is_streamed {
        Saver::streamed(medium, Store, &mut scratch).save(machine, units).unwrap();
    } else {
        Saver::new(medium, Store, &mut scratch).save(machine, units).unwrap();
    }
    file.into_inner()
}

/// Plain saves are as they ever were, and whole with either table; both load where live saves do.
#[test]
fn plain_saves_of_both_formats_and_tables() {
    let mut machine = Machine::new();
    machine.run();
    let expected = saved(&mut machine, &UNITS, false);
    for is_streamed in [false, true] {
        for (units, version, len) in [(&UNITS, 1, RAM_SIZE), (&LIVE_UNITS, 2, PAGES * (PAGE_SIZE + 2) + 2)] {
            let file = saved(&mut machine, units, is_streamed);
            let mut archive = Archive::open(FromStd::new(Cursor::new(&file)), decoder(), [0; 4096]).unwrap();
            let mut unit = archive.find(b"ram", 0).unwrap();
            assert_eq!((unit.version(), unit.plain_len().unwrap()), (version, len as u64));
            assert!(saved(&mut load(&file).unwrap(), &UNITS, false) == expected);
        }
    }
}
