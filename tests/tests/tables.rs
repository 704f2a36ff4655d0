//! Tables of units that no load could make sense of are refused before anything is written; and which versions of its data an
//! entry takes.

use embedded_io::{ErrorKind, ErrorType, Seek, SeekFrom, Write};
use ssm_core::{
    Entry, Get, LoadError, Put, RegisterError, Registry, SELF_NAME, Saver, Store, Unit, UnitError, UnitId, Units,
};
use ssm_std::{Codec, Failure, LoadOptions, SaveFormat, SaveOptions, load_from_path, save_to_path};
use ssm_tests::media::{Disk, Loading};

#[derive(Clone, Debug, Default, PartialEq)]
struct Part {
    value: u32,
    hooks: usize,
}

impl Unit for Part {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u32(self.value)
    }

    fn load_prep(&mut self, _: ssm_core::AfterLoad) -> Result<(), UnitError> {
        self.hooks += 1;
        Ok(())
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        self.value = get.u32()?;
        Ok(())
    }
}

type Machine = [Part; 2];

fn first(machine: &mut Machine, _: u32) -> &mut dyn Unit {
    &mut machine[0]
}

fn second(machine: &mut Machine, _: u32) -> &mut dyn Unit {
    &mut machine[1]
}

const LONGEST: &str = "a name of forty-seven bytes, which is all it has";

/// What is wrong with a table, by its second entry beside a sound first one.
fn wrong() -> Vec<(Entry<Machine>, RegisterError)> {
    let entry = |name| Entry::new(name, second);
    vec![
        (entry("first"), RegisterError::Exists),
        (entry("first").version(7).optional(), RegisterError::Exists),
        (entry(SELF_NAME), RegisterError::Exists),
        (entry(""), RegisterError::Name),
        (entry(LONGEST), RegisterError::Name),
        (entry("écran"), RegisterError::Name),
        (entry("a\0b"), RegisterError::Name),
        (entry("\0"), RegisterError::Name),
        (entry("\u{80}"), RegisterError::Name),
        (entry("second").oldest(2), RegisterError::Versions),
        (entry("second").version(0).oldest(u32::MAX), RegisterError::Versions),
    ]
}

#[test]
fn a_bad_table_is_none_and_a_registry_refuses_the_same() {
    assert_eq!(LONGEST.len(), 48);
    let sound = Entry::new("first", first);
    for (entry, error) in wrong() {
        let id = entry.id();
        for table in [[sound, entry], [entry, sound]] {
            assert_eq!(Units::checked(&table).map(drop), Err(error), "{id}");
        }
        // Wherever in a long table.
        for at in [0, 1, 50, 99] {
            let mut table: Vec<_> = (0..100).map(|at| Entry::new("part", second).instance(100 - at)).collect();
            table[at] = entry;
            table[(at + 37) % 100] = sound;
            assert_eq!(Units::checked(&table).map(drop), Err(error), "{id} at {at}");
        }
        let mut registry = Registry::<Machine, 4>::new();
        registry.register(sound).unwrap();
        assert_eq!(registry.register(entry), Err(error), "{id}");
        assert_eq!(registry.register_before("first", entry), Err(error), "{id}");
        assert_eq!(registry.units().len(), 1);
    }
}

/// Every pair of two equal entries is found, whatever stands around it.
#[test]
fn two_of_one_name_and_instance_anywhere() {
    const NAMES: [&str; 5] = ["b", "a", "ab", "ba", "aa"];
    let entry = |at: u32| Entry::new(NAMES[at as usize % 5], first).instance([3, 1, 2][at as usize / 5 % 3]);
    for start in 0..15 {
        for step in [1, 2, 4, 7, 8, 11, 13, 14] {
            let table: Vec<_> = (0..15).map(|at| entry((start + at * step) % 15)).collect();
            assert!(Units::checked(&table).is_ok(), "all differ");
            for at in 0..15 {
                for other in (0..15).filter(|other| *other != at) {
                    let mut table = table.clone();
                    table[at] = table[other];
                    assert_eq!(
                        Units::checked(&table).map(drop),
                        Err(RegisterError::Exists),
                        "{start} {step} {at} {other}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_may_stand_in_a_table() {
    let entry = |name| Entry::new(name, first);
    for entry in
        [entry(&LONGEST[..47]), entry(SELF_NAME).instance(1), entry("ssm"), entry("\u{7f}\u{1}"), entry("x").oldest(1)]
    {
        assert!(Units::checked(&[entry]).is_ok(), "{}", entry.id());
    }
    assert!(Units::<Machine>::checked(&[]).is_ok_and(|units| units.is_empty()));
    // Many instances cost a comparison each, not one with every other.
    let many: Vec<_> = (0..200_000).map(|at| entry("cell").instance(at)).collect();
    assert_eq!(Units::checked(&many).map(|units| units.len()), Ok(200_000));
}

/// Neither reads nor writes: whoever touches it fails.
struct Untouched;

impl ErrorType for Untouched {
    type Error = ErrorKind;
}

impl Write for Untouched {
    fn write(&mut self, _: &[u8]) -> Result<usize, ErrorKind> {
        panic!("written to")
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        panic!("flushed")
    }
}

impl Seek for Untouched {
    fn seek(&mut self, _: SeekFrom) -> Result<u64, ErrorKind> {
        panic!("sought in")
    }
}

#[test]
fn zlib_in_the_default_format_is_refused_before_the_disk_is_touched() {
    const UNITS: Units<Machine> = Units::new(&[Entry::new("first", first)]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("machine.sav");
    let options = SaveOptions { codec: Codec::Zlib, ..SaveOptions::default() };
    assert_eq!(options.format, SaveFormat::V2_0);
    let error = save_to_path(&path, &mut Machine::default(), &UNITS, options).unwrap_err();
    assert!(matches!(error.failure(), Failure::Codec { .. }));
    assert!(error.to_string().contains("1.2"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // Nor by notes that no reader takes.
    let saved = Saver::new(Untouched, Store, &mut [0; 64]).notes(&[("", "x")]).save(&mut Machine::default(), &UNITS);
    assert_eq!(saved.unwrap_err().kind(), "invalid");
}

/// A file of a newer program leaves the running machine as it is: refused before any hook where the medium can seek, and by
/// a line before the unit's own hook. Older ones load, unless the entry says how old.
#[test]
fn an_entry_takes_its_own_version_and_older_ones() {
    let versions = [0, 1, 2, 3, 7, u32::MAX];
    for saved in versions {
        for (own, oldest) in versions.into_iter().flat_map(|own| [0, 1, 2, own].map(|oldest| (own, oldest.min(own)))) {
            let table = |version, oldest| {
                [Entry::new("first", first), Entry::new("second", second).version(version).oldest(oldest)]
            };
            let mut disk = Disk::new();
            let mut machine = [Part { value: 1, hooks: 0 }, Part { value: 2, hooks: 0 }];
            Saver::streamed(&mut disk, Store, &mut [0; 100]).save(&mut machine, &Units::new(&table(saved, 0))).unwrap();
            let mut patched = Disk::new();
            Saver::new(&mut patched, Store, &mut [0; 100]).save(&mut machine, &Units::new(&table(saved, 0))).unwrap();
            let entries = table(own, oldest);
            for (loading, file) in Loading::ALL
                .map(|loading| (loading, &disk))
                .into_iter()
                .chain([(Loading::Unverified, &patched), (Loading::Verified, &patched)])
            {
                let mut running = [Part { value: 8, hooks: 0 }, Part { value: 9, hooks: 0 }];
                let loaded =
                    loading.load(Disk::holding(file.bytes()), &mut [0; 64], &mut running, &Units::new(&entries));
                if (oldest..=own).contains(&saved) {
                    loaded.unwrap();
                    assert_eq!(running.map(|part| part.value), [1, 2]);
                    continue;
                }
                let Err(LoadError::UnitVersion { unit, oldest: from, newest: to }) = loaded else {
                    panic!("{loaded:?}")
                };
                assert_eq!((unit.version, from, to), (saved, oldest, own));
                assert_eq!(running[1].value, 9, "the unit saw a byte");
                let touched = loading == Loading::Streaming;
                assert_eq!(running.clone().map(|part| part.hooks), [usize::from(touched); 2]);
                assert_eq!(running[0].value, if touched { 1 } else { 8 });
            }
        }
    }
}

#[test]
fn the_host_s_defaults() {
    const UNITS: Units<Machine> = Units::new(&[Entry::new("first", first), Entry::new("second", second)]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("machine.sav");
    let mut machine = [Part { value: 1, hooks: 0 }, Part { value: 2, hooks: 0 }];
    save_to_path(&path, &mut machine, &UNITS, SaveOptions::default()).unwrap();
    assert!(std::fs::read(&path).unwrap().starts_with(b"\x7fVirtualBox SavedState V2.0\n"));
    assert!(LoadOptions::default().verify);
    let mut loaded = Machine::default();
    let header = load_from_path(&path, &mut loaded, &UNITS, LoadOptions::default()).unwrap();
    assert_eq!((header.stream.unwrap().is_checked, loaded.map(|part| part.value)), (true, [1, 2]));
    assert_eq!(UNITS[0].id(), UnitId::new("first", 0));
}
