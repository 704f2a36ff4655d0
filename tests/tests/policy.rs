//! What a load makes of a file that does not fit the machine. All of it is decided before any hook is called.

use ssm_core::{
    AfterLoad, Archive, Crc32Bytewise, Entry, Get, Header, LoadError, Loader, Missing, Owner, Policy, Put, Registry,
    Report, Saver, Store, Unit, UnitError, UnitId, Units, Unknown, Writer,
};
use ssm_tests::media::{Broken, Disk};

/// One value, and how many hooks were called.
#[derive(Default)]
struct Part {
    value: u64,
    calls: Vec<&'static str>,
}

type Machine = [Part; 3];

impl Unit for Part {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u64(self.value)
    }

    fn load_prep(&mut self, _: AfterLoad) -> Result<(), UnitError> {
        self.calls.push("prepare");
        Ok(())
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        self.calls.push("load");
        if version != 1 {
            return Err(UnitError::Version(version));
        }
        self.value = get.u64()?;
        Ok(())
    }

    fn load_done(&mut self, _: AfterLoad, ok: bool) -> Result<(), UnitError> {
        self.calls.push(if ok { "done well" } else { "done badly" });
        Ok(())
    }
}

const UNITS: Units<Machine> = Units::new(&[UNIT, UNIT.instance(1), UNIT.instance(2).without_data()]);
const UNIT: Entry<Machine> = Entry::new("part", |machine: &mut Machine, at| &mut machine[at as usize]);

type Given<'a> = (&'a str, u32, u32, &'a [u8]);
const FIRST: Given<'static> = ("part", 0, 1, &[1, 0, 0, 0, 0, 0, 0, 0]);
const SECOND: Given<'static> = ("part", 1, 1, &[2, 0, 0, 0, 0, 0, 0, 0]);
const THIRD: Given<'static> = ("part", 2, 1, &[3, 0, 0, 0, 0, 0, 0, 0]);
const UNKNOWN: Given<'static> = ("other", 0, 9, b"whatever");
const LONG: Given<'static> = ("part, with a name that is longer than any that can be registered here", 0, 1, b"");
const SSM: Given<'static> = ("SSM", 0, 1, &[0; 8]);

fn file(units: &[Given<'_>]) -> Vec<u8> {
    let mut disk = Disk::new();
    let mut scratch = [0; 64];
    let mut writer = Writer::new(&mut disk, Store, Crc32Bytewise, &Header::new(), &mut scratch).unwrap();
    for (name, instance, version, bytes) in units {
        writer.unit(name.as_bytes(), *instance, *version, &mut |put| put.bytes(bytes)).unwrap();
    }
    writer.finish().unwrap();
    disk.into_bytes()
}

struct Outcome {
    loaded: Result<Header, LoadError<Broken>>,
    reports: Vec<Report>,
    machine: Machine,
}

impl Outcome {
    fn values(&self) -> [u64; 2] {
        [self.machine[0].value, self.machine[1].value]
    }

    /// The error's kind; no hook was called.
    fn refused(&self) -> &'static str {
        assert!(self.machine.iter().all(|part| part.calls.is_empty()), "{:?}", self.loaded);
        self.loaded.unwrap_err().kind()
    }

    fn reported(&self) -> Vec<String> {
        let text = |report: &Report| match report {
            Report::Skipped(unit) => format!("skipped {}/{}", unit.name().escape_ascii(), unit.instance),
            Report::Missing(id) => format!("missing {id}"),
            other => format!("{other:?}"),
        };
        self.reports.iter().map(text).collect()
    }
}

fn load_after(units: &[Given<'_>], policy: Policy, after: AfterLoad) -> Outcome {
    let mut machine = Machine::default();
    let mut reports = Vec::new();
    let mut report = |what| reports.push(what);
    let mut scratch = [0; 32];
    let loader = Loader::new(Disk::holding(file(units)), Store, &mut scratch);
    let loaded = loader.policy(policy).after(after).report(&mut report).load(&mut machine, &UNITS);
    Outcome { loaded, reports, machine }
}

fn load(units: &[Given<'_>], unknown: Unknown, missing: Missing) -> Outcome {
    load_after(units, Policy { unknown, missing }, AfterLoad::Resume)
}

#[test]
fn a_file_that_fits() {
    for units in [&[SSM, FIRST, SECOND][..], &[SECOND, FIRST], &[SECOND, SSM, FIRST]] {
        let outcome = load(units, Unknown::Refuse, Missing::Refuse);
        outcome.loaded.unwrap();
        assert_eq!(outcome.values(), [1, 2]);
        assert_eq!(outcome.reports, []);
        assert_eq!(outcome.machine[0].calls, ["prepare", "load", "done well"]);
        assert_eq!(outcome.machine[2].calls, ["prepare", "done well"]);
    }
}

#[test]
fn unknown_units() {
    let units = [UNKNOWN, FIRST, LONG, SECOND, UNKNOWN];
    let outcome = load(&units, Unknown::Refuse, Missing::Refuse);
    assert_eq!(outcome.refused(), "unknown-unit");
    assert_eq!(outcome.loaded.unwrap_err().offset(), Some(80));
    let long = format!("skipped {}/0", &LONG.0[..47]);
    let skipped = ["skipped other/0", &long, "skipped other/0"];
    for outcome in
        [load(&units, Unknown::Skip, Missing::Refuse), load_after(&units, Policy::default(), AfterLoad::Debug)]
    {
        outcome.loaded.unwrap();
        assert_eq!(outcome.values(), [1, 2]);
        assert_eq!(outcome.reported(), skipped);
    }
    // The name is known and the instance is not, or the other way round.
    for other in [("part", 3, 1, &b""[..]), ("par", 0, 1, b""), ("partt", 0, 1, b""), ("SSM", 1, 1, b"")] {
        let outcome = load(&[FIRST, SECOND, other], Unknown::Refuse, Missing::Refuse);
        assert_eq!(outcome.refused(), "unknown-unit", "{other:?}");
    }
}

#[test]
fn missing_units() {
    for (units, values) in [(&[SSM, SECOND][..], [0, 2]), (&[FIRST], [1, 0]), (&[], [0, 0])] {
        let absent = values.iter().position(|value| *value == 0).unwrap() as u32;
        let outcome = load(units, Unknown::Refuse, Missing::Refuse);
        assert_eq!(outcome.refused(), "missing-unit");
        assert_eq!(outcome.loaded.unwrap_err(), LoadError::MissingUnit(UnitId::new("part", absent)));
        let outcome = load(units, Unknown::Refuse, Missing::Accept);
        outcome.loaded.unwrap();
        assert_eq!((outcome.values(), outcome.reports.len()), (values, 0));
        let outcome = load(units, Unknown::Refuse, Missing::Report);
        outcome.loaded.unwrap();
        let expected: Vec<_> = (0..2).filter(|at| values[*at] == 0).map(|at| format!("missing part/{at}")).collect();
        assert_eq!((outcome.values(), outcome.reported()), (values, expected));
        // A unit that is missing is still prepared and told of the end.
        assert_eq!(outcome.machine[absent as usize].calls, ["prepare", "done well"]);
    }
    let debug = load_after(&[FIRST], Policy::default(), AfterLoad::Debug);
    assert_eq!(debug.refused(), "missing-unit");
}

#[test]
fn units_twice_and_units_that_have_no_data_here() {
    for after in [AfterLoad::Resume, AfterLoad::Debug] {
        for (units, kind) in [
            (&[FIRST, SECOND, FIRST][..], "repeated-unit"),
            (&[SSM, FIRST, SSM, SECOND], "repeated-unit"),
            (&[FIRST, SECOND, THIRD], "without-data"),
        ] {
            let policy = Policy { unknown: Unknown::Skip, missing: Missing::Accept };
            let outcome = load_after(units, policy, after);
            assert_eq!(outcome.refused(), kind);
            assert!(outcome.loaded.unwrap_err().offset() > Some(100), "the later one is named");
        }
    }
}

#[test]
fn every_unit_twice_is_noticed_among_many() {
    // More units than marks have room in place.
    type Many = [Part; 1];
    let entry = Entry::new("part", |machine: &mut Many, _| &mut machine[0]);
    let entries: Vec<_> = (0..150).map(|at| entry.instance(at)).collect();
    let units = Units::new(&entries);
    for twice in 0..150 {
        let mut given: Vec<Given<'_>> = (0..150).map(|at| ("part", at, 1, &[0; 8][..])).collect();
        given.push(given[twice]);
        let mut scratch = [0xff; 34];
        let loader = Loader::new(Disk::holding(file(&given)), Store, &mut scratch);
        let error = loader.load(&mut Many::default(), &units).unwrap_err();
        assert!(matches!(error, LoadError::Repeated(unit) if unit.instance == twice as u32), "{error:?}");
        given.pop();
        given.remove(twice);
        let loader = Loader::new(Disk::holding(file(&given)), Store, &mut scratch);
        let error = loader.load(&mut Many::default(), &units).unwrap_err();
        assert_eq!(error, LoadError::MissingUnit(UnitId::new("part", twice as u32)));
    }
    let mut scratch = [0; 33];
    let loader = Loader::new(Disk::holding(file(&[])), Store, &mut scratch);
    assert_eq!(loader.load(&mut Many::default(), &units).unwrap_err(), LoadError::Scratch { needed: 34 });
}

#[test]
fn versions_and_ends() {
    let newer = ("part", 1, 7, &[0; 8][..]);
    let outcome = load(&[FIRST, newer], Unknown::Refuse, Missing::Refuse);
    let error = outcome.loaded.unwrap_err();
    assert!(
        matches!(&error, LoadError::UnitVersion { unit, oldest: 0, newest: 1 }
            if unit.instance == 1 && unit.version == 7),
        "{error:?}"
    );
    assert_eq!(outcome.refused(), "unit-version");

    for len in 0..8 {
        let short = ("part", 0, 1, &[0xff; 8][..len]);
        let outcome = load(&[short, SECOND], Unknown::Refuse, Missing::Refuse);
        assert_eq!(outcome.loaded.unwrap_err().kind(), "unit-end");
        assert_eq!(outcome.values(), [0, 0], "neither it nor the next is loaded");
        let outcome = load_after(&[short, SECOND], Policy::default(), AfterLoad::Debug);
        outcome.loaded.unwrap();
        assert_eq!(outcome.values(), [0, 2], "the next one is whole");
    }
    // Data left over is skipped.
    let long = ("part", 0, 1, &[1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff][..]);
    assert_eq!(load(&[long, SECOND], Unknown::Refuse, Missing::Refuse).values(), [1, 2]);
}

#[test]
fn the_built_in_unit() {
    let text = |len: u32, fill: u8| [&len.to_le_bytes()[..], &vec![fill; len as usize]].concat();
    let pairs = |name: u32, value: u32| [text(name, b'n'), text(value, b'v'), vec![0; 8]].concat();
    for (version, data, kind) in [
        (1, pairs(127, 1023), None),
        (1, [pairs(127, 1023), b"more".to_vec()].concat(), None),
        (2, pairs(1, 1), Some("unit-version")),
        (1, pairs(128, 1), Some("too-long")),
        (1, pairs(1, 1024), Some("too-long")),
        (1, vec![0; 7], Some("unit-end")),
        (1, vec![], Some("unit-end")),
    ] {
        let units = [("SSM", 0, version, &data[..]), FIRST, SECOND];
        let outcome = load(&units, Unknown::Refuse, Missing::Refuse);
        assert_eq!(outcome.loaded.err().map(|error| error.kind()), kind, "{} bytes", data.len());
        assert_eq!(outcome.machine[0].calls.contains(&"load"), kind.is_none());
        // A verified load looks at it before any hook.
        let (mut machine, mut scratch) = (Machine::default(), [0; 64]);
        let loaded = Loader::new(Disk::holding(file(&units)), Store, &mut scratch).load(&mut machine, &UNITS);
        assert_eq!(loaded.err().map(|error| error.kind()), kind, "{} bytes", data.len());
        assert_eq!(machine.iter().all(|part| part.calls.is_empty()), kind.is_some());
    }
}

#[test]
fn the_built_in_unit_is_first_unless_one_is_registered_before_it() {
    let mut registry = Registry::<Machine, 4>::new();
    registry.register(UNIT).unwrap();
    registry.register_before("SSM", UNIT.instance(1)).unwrap();
    for expected in [&["part/1", "SSM/0", "part/0"][..], &["SSM/0", "part/0"], &["SSM/0"]] {
        let mut disk = Disk::new();
        Saver::new(&mut disk, Store, &mut [0; 64]).save(&mut Machine::default(), &registry.units()).unwrap();
        let mut archive = Archive::open(&mut disk, Store, [0; 64]).unwrap();
        let mut units = archive.units();
        let mut names = Vec::new();
        while let Some(unit) = units.next_unit().unwrap() {
            names.push(format!("{}/{}", unit.name().escape_ascii(), unit.instance()));
        }
        assert_eq!(names, expected);
        let last = registry.units().iter().map(Entry::id).max_by_key(|id| id.instance);
        if let Some(id) = last {
            registry.deregister(Owner::Internal, id).unwrap();
        }
    }
}
