//! What a load makes of a file of 2.0 that does not fit the machine; optional units and windows of versions in all formats.
//! Loaders that check before decide all of it before any hook, the one that streams before the unit sees a byte.

use ssm_core::{
    AfterLoad, Crc32Bytewise, Entry, Get, Header, LoadError, Missing, Policy, Put, RegisterError, Report, Saver, Store,
    StreamedUnit, Unit, UnitError, UnitId, Units, Unknown, Writer,
};
use ssm_tests::media::{Broken, Disk, Loading};

/// One value, and the hooks that were called.
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

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        self.calls.push("load");
        self.value = get.u64()?;
        Ok(())
    }

    fn load_done(&mut self, _: AfterLoad, ok: bool) -> Result<(), UnitError> {
        self.calls.push(if ok { "done well" } else { "done badly" });
        Ok(())
    }
}

const UNIT: Entry<Machine> = Entry::new("part", |machine: &mut Machine, at| &mut machine[at as usize]);
const UNITS: Units<Machine> = Units::new(&[UNIT, UNIT.instance(1), UNIT.instance(2).without_data()]);

/// Name, instance, version, pass, whether it is optional, bytes.
type Given<'a> = (&'a str, u32, u32, Option<u32>, bool, &'a [u8]);
const FIRST: Given<'static> = ("part", 0, 1, None, false, &[1, 0, 0, 0, 0, 0, 0, 0]);
const SECOND: Given<'static> = ("part", 1, 1, None, false, &[2, 0, 0, 0, 0, 0, 0, 0]);
const THIRD: Given<'static> = ("part", 2, 1, None, false, &[3, 0, 0, 0, 0, 0, 0, 0]);
const UNKNOWN: Given<'static> = ("other", 0, 9, None, false, b"whatever");
const OPTIONAL: Given<'static> = ("extra", 7, 3, None, true, b"whoever knows it");
const SSM: Given<'static> = ("SSM", 0, 1, None, false, &[0; 8]);

fn streamed(units: &[Given<'_>]) -> Vec<u8> {
    let mut disk = Disk::new();
    let mut scratch = [0; 400];
    let mut writer =
        Writer::streamed(&mut disk, Store, Crc32Bytewise, &Header::new(), units.len(), &mut scratch).unwrap();
    for &(name, instance, version, pass, optional, bytes) in units {
        let how = StreamedUnit { pass, optional };
        writer.unit(name.as_bytes(), instance, version, how, &mut |put| put.bytes(bytes)).unwrap();
    }
    writer.finish().unwrap();
    disk.into_bytes()
}

fn patched(units: &[Given<'_>]) -> Vec<u8> {
    let mut disk = Disk::new();
    let mut scratch = [0; 64];
    let mut writer = Writer::new(&mut disk, Store, Crc32Bytewise, &Header::new(), &mut scratch).unwrap();
    for (name, instance, version, _, _, bytes) in units {
        writer.unit(name.as_bytes(), *instance, *version, &mut |put| put.bytes(bytes)).unwrap();
    }
    writer.finish().unwrap();
    disk.into_bytes()
}

struct Outcome {
    loading: Loading,
    loaded: Result<Header, LoadError<Broken>>,
    reports: Vec<Report>,
    machine: Machine,
}

impl Outcome {
    /// The kind of a refusal: no unit has seen a byte of `untouched`, and no hook was called by a loader that checks before.
    #[track_caller]
    fn refused(&self, untouched: &[usize]) -> &'static str {
        for (at, part) in self.machine.iter().enumerate() {
            match self.loading {
                Loading::Streaming => {
                    assert_eq!((part.calls.first(), part.calls.last()), (Some(&"prepare"), Some(&"done badly")));
                    assert!(!untouched.contains(&at) || part.calls.len() == 2, "{:?}", part.calls);
                }
                _ => assert!(part.calls.is_empty(), "{:?}: {:?}", self.loading, part.calls),
            }
        }
        self.loaded.unwrap_err().kind()
    }

    fn values(&self) -> [u64; 2] {
        self.loaded.unwrap_or_else(|error| panic!("{:?}: {error}", self.loading));
        [self.machine[0].value, self.machine[1].value]
    }
}

fn load_file(file: &[u8], loading: Loading, policy: Policy, units: &Units<Machine>) -> Outcome {
    let mut machine = Machine::default();
    let mut reports = Vec::new();
    let disk = Disk::holding(file);
    let loaded = loading.load_with(disk, &mut [0; 32], policy, &mut |what| reports.push(what), &mut machine, units);
    Outcome { loading, loaded, reports, machine }
}

fn each(units: &[Given<'_>], policy: Policy, mut see: impl FnMut(Outcome)) {
    for loading in Loading::ALL {
        see(load_file(&streamed(units), loading, policy, &UNITS));
    }
}

fn policies() -> impl Iterator<Item = Policy> {
    let missing = [Missing::Refuse, Missing::Accept, Missing::Report];
    let unknown = [Unknown::Refuse, Unknown::Skip];
    unknown.into_iter().flat_map(move |unknown| missing.map(|missing| Policy { unknown, missing }))
}

#[test]
fn optional_units_are_skipped_under_every_policy() {
    for policy in policies() {
        for units in [&[OPTIONAL, FIRST, SECOND][..], &[SSM, FIRST, OPTIONAL, SECOND], &[FIRST, SECOND, OPTIONAL]] {
            each(units, policy, |outcome| {
                assert_eq!(outcome.values(), [1, 2]);
                let [Report::Skipped(unit)] = outcome.reports[..] else { panic!("{:?}", outcome.reports) };
                assert_eq!((unit.name(), unit.instance, unit.version), (&b"extra"[..], 7, 3));
            });
        }
    }
    // One that puts nothing is not marked (Q31).
    let empty = ("extra", 7, 3, None, true, &b""[..]);
    each(&[FIRST, SECOND, empty], Policy::default(), |outcome| assert_eq!(outcome.refused(&[]), "unknown-unit"));
    // Those that are known are loaded as any other, and must be there as any other.
    let known = ("part", 1, 1, None, true, SECOND.5);
    each(&[FIRST, known], Policy::default(), |outcome| {
        assert_eq!((outcome.values(), outcome.reports.len()), ([1, 2], 0))
    });
    each(&[known], Policy::default(), |outcome| assert_eq!(outcome.refused(&[0]), "missing-unit"));
    // 1.x has no place for it.
    for loading in [Loading::Unverified, Loading::Verified] {
        let outcome = load_file(&patched(&[FIRST, SECOND, OPTIONAL]), loading, Policy::default(), &UNITS);
        assert_eq!(outcome.refused(&[]), "unknown-unit");
    }
}

#[test]
fn a_saver_marks_the_optional_units_of_its_table() {
    const UNITS: Units<Machine> = Units::new(&[UNIT, UNIT.instance(1).optional()]);
    const FIRST_ONLY: Units<Machine> = Units::new(&[UNIT]);
    const SECOND_ONLY: Units<Machine> = Units::new(&[UNIT.instance(1)]);
    let mut machine: Machine = [1, 2, 3].map(|value| Part { value, calls: Vec::new() });
    let mut disk = Disk::new();
    Saver::streamed(&mut disk, Store, &mut [0; 100]).save(&mut machine, &UNITS).unwrap();
    for loading in Loading::ALL {
        let outcome = load_file(disk.bytes(), loading, Policy::default(), &FIRST_ONLY);
        assert_eq!((outcome.values(), outcome.reports.len()), ([1, 0], 1));
        let outcome = load_file(disk.bytes(), loading, Policy::default(), &SECOND_ONLY);
        assert_eq!(outcome.loaded.unwrap_err().kind(), "unknown-unit", "the other is not optional");
    }
}

#[test]
fn versions_outside_the_window_are_refused_before_the_unit_sees_a_byte() {
    let window = |oldest, newest| [UNIT, UNIT.instance(1).version(newest).oldest(oldest), UNITS[2]];
    assert_eq!(Units::checked(&window(5, 2)).map(drop), Err(RegisterError::Versions));
    for (oldest, newest) in [(0, 0), (1, 1), (2, 5), (0, u32::MAX)] {
        let entries = window(oldest, newest);
        let units = Units::new(&entries);
        for version in [0, 1, 2, 3, 5, 6, u32::MAX] {
            let given = [FIRST, ("part", 1, version, None, false, SECOND.5)];
            let admitted = (oldest..=newest).contains(&version);
            let streams = Loading::ALL.map(|loading| (loading, streamed(&given)));
            let patches = [Loading::Unverified, Loading::Verified].map(|loading| (loading, patched(&given)));
            for (loading, file) in streams.into_iter().chain(patches) {
                let outcome = load_file(&file, loading, Policy::default(), &units);
                if admitted {
                    assert_eq!(outcome.values(), [1, 2]);
                    continue;
                }
                assert_eq!(outcome.refused(&[1, 2]), "unit-version", "{oldest} to {newest}, {version}, {loading:?}");
                let Err(LoadError::UnitVersion { unit, oldest: from, newest: to }) = outcome.loaded else { panic!() };
                assert_eq!((unit.instance, unit.version, from, to), (1, version, oldest, newest));
            }
        }
    }
    // In every pass of a live save.
    let passes = [("part", 1, 4, Some(0), false, SECOND.5), FIRST, SECOND];
    for loading in Loading::ALL {
        let outcome = load_file(&streamed(&passes), loading, Policy::default(), &Units::new(&window(1, 3)));
        assert_eq!(outcome.refused(&[0, 1, 2]), "unit-version");
    }
}

#[test]
fn unknown_units() {
    for units in [&[UNKNOWN, FIRST, SECOND][..], &[FIRST, UNKNOWN, SECOND], &[FIRST, SECOND, UNKNOWN]] {
        each(units, Policy::default(), |outcome| {
            let before: &[usize] = if units[0].0 == "other" { &[0, 1, 2] } else { &[2] };
            assert_eq!(outcome.refused(before), "unknown-unit");
        });
        each(units, Policy { unknown: Unknown::Skip, ..Policy::default() }, |outcome| {
            assert_eq!((outcome.values(), outcome.reports.len()), ([1, 2], 1));
        });
    }
    for other in
        [("part", 3, 1, None, false, &b""[..]), ("par", 0, 1, None, false, b""), ("SSM", 1, 1, None, false, b"")]
    {
        each(&[FIRST, SECOND, other], Policy::default(), |outcome| assert_eq!(outcome.refused(&[]), "unknown-unit"));
    }
}

#[test]
fn the_units_of_the_library_itself_are_known() {
    let control = |pass| ("SSMLiveControl", 0, 1, pass, false, &[0x10, 0x27][..]);
    let units = [SSM, control(Some(0)), FIRST, control(None), control(None), SECOND, control(None)];
    each(&units, Policy::default(), |outcome| assert_eq!((outcome.values(), outcome.reports.len()), ([1, 2], 0)));
}

#[test]
fn missing_units() {
    for (units, values) in [(&[SSM, SECOND][..], [0, 2]), (&[FIRST], [1, 0]), (&[], [0, 0])] {
        let absent = values.iter().position(|value| *value == 0).unwrap() as u32;
        each(units, Policy::default(), |outcome| {
            assert_eq!(outcome.refused(&[absent as usize]), "missing-unit");
            assert_eq!(outcome.loaded, Err(LoadError::MissingUnit(UnitId::new("part", absent))));
        });
        for missing in [Missing::Accept, Missing::Report] {
            each(units, Policy { missing, ..Policy::default() }, |outcome| {
                assert_eq!(outcome.values(), values);
                let reported = values.iter().filter(|value| **value == 0).count();
                assert_eq!(outcome.reports.len(), if missing == Missing::Report { reported } else { 0 });
                assert_eq!(outcome.machine[absent as usize].calls, ["prepare", "done well"]);
            });
        }
    }
}

#[test]
fn units_twice_in_a_pass_and_units_that_have_no_data_here() {
    let live = |unit: Given<'static>, pass| (unit.0, unit.1, unit.2, Some(pass), unit.4, unit.5);
    for policy in policies() {
        for (units, kind) in [
            (&[FIRST, SECOND, FIRST][..], "repeated-unit"),
            (&[SSM, FIRST, SSM, SECOND], "repeated-unit"),
            (&[live(FIRST, 0), live(SECOND, 0), live(FIRST, 0), FIRST, SECOND], "repeated-unit"),
            // Q34
            (&[FIRST, live(FIRST, 0), FIRST, SECOND], "pass-order"),
            (&[live(FIRST, 1), live(SECOND, 0), FIRST, SECOND], "pass-order"),
            (&[FIRST, live(SECOND, 0), live(FIRST, 1), SECOND], "pass-order"),
            (&[FIRST, SECOND, THIRD], "without-data"),
        ] {
            each(units, policy, |outcome| assert_eq!(outcome.refused(&[2]), kind));
        }
    }
    // Once per pass is how live saves are.
    let units = [live(FIRST, 0), live(FIRST, 1), live(SECOND, 1), FIRST, SECOND];
    each(&units, Policy::default(), |outcome| {
        assert_eq!(outcome.values(), [1, 2]);
        assert_eq!(outcome.machine[0].calls, ["prepare", "load", "load", "load", "done well"]);
    });
}

#[test]
fn data_left_over_and_data_that_is_short() {
    for len in (0..17).filter(|len| *len != 8) {
        let bytes = [0xff; 17];
        let odd = ("part", 0, 1, None, false, &bytes[..len]);
        each(&[odd, SECOND], Policy::default(), |outcome| {
            assert_eq!(outcome.loaded.unwrap_err().kind(), if len < 8 { "unit-end" } else { "unit-rest" });
            assert_eq!(outcome.machine[1].calls, ["prepare", "done badly"], "the next unit is not touched");
        });
    }
}
