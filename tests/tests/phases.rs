//! Who is called when, in what order, after which failure: every hook of four units fails, alone and together with any
//! other, and the calls are compared with those that the rule of three phases makes.

use ssm_core::embedded_io::{Read, Seek, Write};
use ssm_core::{
    AfterLoad, AfterSave, Archive, Entry, Get, Header, LoadError, Loader, Phase, Put, SaveError, Saver, Store, Unit,
    UnitError, Units,
};
use ssm_tests::independent::decode;
use ssm_tests::media::{Broken, Disk, Failing, Loading, OneWay, ReadOnly};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

const PHASES: [Phase; 3] = [Phase::Prepare, Phase::Execute, Phase::Done];
/// Of the four units, the one with hooks only.
const HOOKS_ONLY: usize = 2;
/// Bytes of a unit's data.
const DATA: [u8; 20] = *b"the state of a unit\n";

/// A hook of a unit, what it was told of the plans for the machine (whether they are the first kind), and `ok`.
type Call = (Phase, usize, bool, Option<bool>);

/// How a hook fails. What a hook other than `save` and `load` can do is to return an error.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// By what it returns.
    Returned,
    /// By setting a failure and returning success.
    Set,
    /// By setting a failure and returning another one.
    SetAndReturned,
    /// By putting a string that is too long, or getting past the end of the data, and returning success.
    Refused,
    /// The same, and then asking for what does not fail.
    RefusedBefore,
}

const WAYS: [Way; 5] = [Way::Returned, Way::Set, Way::SetAndReturned, Way::Refused, Way::RefusedBefore];

fn reason(phase: Phase, unit: usize) -> UnitError {
    let reasons = match phase {
        Phase::Prepare => ["p0", "p1", "p2", "p3"],
        Phase::Vote => ["v0", "v1", "v2", "v3"],
        Phase::Execute => ["x0", "x1", "x2", "x3"],
        Phase::Done => ["d0", "d1", "d2", "d3"],
    };
    UnitError::Invalid(reasons[unit])
}

struct Machine([Probe; 4]);

struct Probe {
    unit: usize,
    script: Rc<Script>,
}

struct Script {
    failing: Vec<(Phase, usize)>,
    way: Way,
    calls: RefCell<Vec<Call>>,
}

impl Machine {
    fn new(failing: &[(Phase, usize)], way: Way) -> (Self, Rc<Script>) {
        let script = Rc::new(Script { failing: failing.to_vec(), way, calls: RefCell::default() });
        (Machine(std::array::from_fn(|unit| Probe { unit, script: script.clone() })), script)
    }
}

/// The units in this order.
fn units(order: [u32; 4]) -> [Entry<Machine>; 4] {
    order.map(|unit| {
        let entry = Entry::new("unit", |machine: &mut Machine, unit| &mut machine.0[unit as usize]).instance(unit);
        if unit == HOOKS_ONLY as u32 { entry.without_data() } else { entry }
    })
}

impl Probe {
    fn hook(&self, phase: Phase, first_plan: bool, ok: Option<bool>) -> Result<(), UnitError> {
        self.script.calls.borrow_mut().push((phase, self.unit, first_plan, ok));
        if self.script.failing.contains(&(phase, self.unit)) { Err(reason(phase, self.unit)) } else { Ok(()) }
    }
}

impl Unit for Probe {
    fn save_prep(&mut self, after: AfterSave) -> Result<(), UnitError> {
        self.hook(Phase::Prepare, after == AfterSave::Continue, None)
    }

    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        let failed = self.hook(Phase::Execute, put.after() == AfterSave::Continue, None);
        let _ = put.bytes(&DATA);
        let Err(error) = failed else { return Ok(()) };
        let other = UnitError::Invalid("a later one");
        match self.script.way {
            Way::Returned => return Err(error),
            Way::Set => _ = put.fail(error),
            Way::SetAndReturned => {
                put.fail(error);
                return Err(put.fail(other)).map_err(|_| other);
            }
            Way::Refused => _ = put.string(&vec![0; (1 << 20) + 1]),
            Way::RefusedBefore => {
                let _ = put.string(&vec![0; (1 << 20) + 1]);
                let _ = put.bytes(&[]);
                let _ = put.u64(1);
            }
        }
        Ok(())
    }

    fn save_done(&mut self, after: AfterSave, ok: bool) -> Result<(), UnitError> {
        self.hook(Phase::Done, after == AfterSave::Continue, Some(ok))
    }

    fn load_prep(&mut self, after: AfterLoad) -> Result<(), UnitError> {
        self.hook(Phase::Prepare, after == AfterLoad::Resume, None)
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        let failed = self.hook(Phase::Execute, get.after() == AfterLoad::Resume, None);
        let mut data = DATA;
        if get.bytes(&mut data).is_ok() {
            assert_eq!((data, version), (DATA, 1));
        }
        let Err(error) = failed else { return Ok(()) };
        let other = UnitError::Version(version);
        match self.script.way {
            Way::Returned => return Err(error),
            Way::Set => _ = get.fail(error),
            Way::SetAndReturned => {
                get.fail(error);
                return Err(get.fail(other)).map_err(|_| other);
            }
            Way::Refused => _ = get.u8(),
            Way::RefusedBefore => {
                let _ = get.u8();
                let _ = get.read(&mut [0]);
                let _ = get.skip_rest();
            }
        }
        Ok(())
    }

    fn load_done(&mut self, after: AfterLoad, ok: bool) -> Result<(), UnitError> {
        self.hook(Phase::Done, after == AfterLoad::Resume, Some(ok))
    }
}

/// The rule: prepare in order up to the first failure; execute the units with data in their order, if nothing failed, up
/// to the first failure; done for all that were prepared, each told whether anything failed so far.
fn rule(
    order: [u32; 4],
    executed: &[usize],
    failing: &[(Phase, usize)],
    first_plan: bool,
) -> (Vec<Call>, Option<(Phase, usize)>) {
    let mut calls = Vec::new();
    let mut failed = None;
    let mut prepared = Vec::new();
    for unit in order.map(|unit| unit as usize) {
        if failed.is_none() {
            calls.push((Phase::Prepare, unit, first_plan, None));
            prepared.push(unit);
            failed = failing.iter().copied().find(|it| *it == (Phase::Prepare, unit));
        }
    }
    for &unit in executed {
        if failed.is_none() {
            calls.push((Phase::Execute, unit, first_plan, None));
            failed = failing.iter().copied().find(|it| *it == (Phase::Execute, unit));
        }
    }
    for unit in prepared {
        calls.push((Phase::Done, unit, first_plan, Some(failed.is_none())));
        failed = failed.or(failing.iter().copied().find(|it| *it == (Phase::Done, unit)));
    }
    (calls, failed)
}

/// No failure, each hook alone, each two of them.
fn failures() -> Vec<Vec<(Phase, usize)>> {
    let all: Vec<_> = PHASES.into_iter().flat_map(|phase| (0..4).map(move |unit| (phase, unit))).collect();
    let mut sets = vec![vec![]];
    for (at, &first) in all.iter().enumerate() {
        sets.push(vec![first]);
        sets.extend(all[at + 1..].iter().map(|&second| vec![first, second]));
    }
    assert_eq!(sets.len(), 1 + 12 + 66);
    sets
}

/// What the operation says of a hook that failed.
fn said(way: Way, refused: UnitError, (phase, unit): (Phase, usize)) -> UnitError {
    match (phase, way) {
        (Phase::Execute, Way::Refused | Way::RefusedBefore) => refused,
        _ => reason(phase, unit),
    }
}

/// The formats that are written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Written {
    Patched,
    Streamed,
}

const FORMATS: [Written; 2] = [Written::Patched, Written::Streamed];

impl Written {
    fn save<W: Write + Seek>(
        self,
        medium: W,
        after: AfterSave,
        machine: &mut Machine,
        units: &Units<Machine>,
    ) -> Result<u64, SaveError<W::Error>> {
        let mut scratch = [0; 5 * 16 + 64];
        match self {
            Written::Patched => Saver::new(medium, Store, &mut scratch[..64]).after(after).save(machine, units),
            Written::Streamed => Saver::streamed(OneWay(medium), Store, &mut scratch).after(after).save(machine, units),
        }
    }

    /// The ways to load such a file.
    fn loadings(self) -> &'static [Loading] {
        match self {
            Written::Patched => &[Loading::Unverified, Loading::Verified],
            Written::Streamed => &Loading::ALL,
        }
    }
}

fn load<R: Read + Seek>(
    loading: Loading,
    medium: R,
    scratch: &mut [u8],
    after: AfterLoad,
    machine: &mut Machine,
    units: &Units<Machine>,
) -> Result<Header, LoadError<R::Error>> {
    match loading {
        Loading::Unverified => Loader::unverified(medium, Store, scratch).after(after).load(machine, units),
        Loading::Verified => Loader::new(medium, Store, scratch).after(after).load(machine, units),
        Loading::Streaming => Loader::streaming(ReadOnly(medium), Store, scratch).after(after).load(machine, units),
    }
}

const ORDERS: [[u32; 4]; 3] = [[0, 1, 2, 3], [2, 3, 1, 0], [3, 0, 1, 2]];

fn with_data(order: [u32; 4]) -> Vec<usize> {
    order.into_iter().map(|unit| unit as usize).filter(|&unit| unit != HOOKS_ONLY).collect()
}

#[test]
fn saves() {
    let refused = UnitError::TooLong { found: (1 << 20) + 1, max: 1 << 20 };
    for (failing, way) in failures().into_iter().flat_map(|failing| WAYS.map(|way| (failing.clone(), way))) {
        let plans = [AfterSave::Continue, AfterSave::Destroy];
        let cases = FORMATS.into_iter().flat_map(|format| ORDERS.map(|order| (format, order)));
        for ((format, order), after) in cases.flat_map(|case| plans.map(|after| (case, after))) {
            let context = format!("{failing:?} {way:?} {format:?} {order:?} {after:?}");
            let (mut machine, script) = Machine::new(&failing, way);
            let mut disk = Disk::new();
            let saved = format.save(&mut disk, after, &mut machine, &Units::new(&units(order)));
            let (calls, failed) = rule(order, &with_data(order), &failing, after == AfterSave::Continue);
            assert_eq!(*script.calls.borrow(), calls, "{context}");
            let opened = Archive::open(Disk::holding(disk.bytes()), Store, [0; 64]);
            match (failed, saved) {
                (None, Ok(len)) => {
                    assert_eq!(len, disk.bytes().len() as u64);
                    assert!(opened.is_ok(), "{context}");
                }
                (Some(first), Err(SaveError::Unit { unit, phase, at, error })) => {
                    assert_eq!((phase, unit.instance as usize), first, "{context}");
                    assert_eq!((unit.name(), unit.version), (&b"unit"[..], 1));
                    assert_eq!((unit.offset > 80, at > 0), (phase == Phase::Execute, phase == Phase::Execute));
                    assert_eq!(error, said(way, refused, first), "{context}");
                    assert!(opened.is_err(), "{context}");
                }
                (_, saved) => panic!("{context}: {saved:?}"),
            }
        }
    }
}

fn saved(format: Written, order: [u32; 4]) -> Vec<u8> {
    let mut disk = Disk::new();
    format
        .save(&mut disk, AfterSave::Continue, &mut Machine::new(&[], Way::Set).0, &Units::new(&units(order)))
        .unwrap();
    disk.into_bytes()
}

#[test]
fn loads_execute_in_the_order_of_the_file() {
    let after = [AfterLoad::Resume, AfterLoad::Debug];
    let all = FORMATS.into_iter().flat_map(|format| ORDERS.map(|order| (format, order)));
    let files: BTreeMap<_, _> =
        all.map(|(format, order)| ((format == Written::Streamed, order), saved(format, order))).collect();
    for (failing, way) in failures().into_iter().flat_map(|failing| WAYS.map(|way| (failing.clone(), way))) {
        for (file_order, order) in ORDERS.into_iter().flat_map(|file| ORDERS.map(|order| (file, order))) {
            let ways = FORMATS.into_iter().flat_map(|format| format.loadings().iter().map(move |it| (format, *it)));
            for ((format, loading), after) in ways.flat_map(|way| after.map(|after| (way, after))) {
                let file = &files[&(format == Written::Streamed, file_order)];
                let context =
                    format!("{failing:?} {way:?} {order:?} of {file_order:?} {format:?} {loading:?} {after:?}");
                let (mut machine, script) = Machine::new(&failing, way);
                let disk = Disk::holding(&**file);
                let loaded = load(loading, disk, &mut [0; 64], after, &mut machine, &Units::new(&units(order)));
                // A load for debugging forgives a unit that reads past its data.
                let forgiven = after == AfterLoad::Debug && matches!(way, Way::Refused | Way::RefusedBefore);
                let fails: Vec<_> =
                    failing.iter().copied().filter(|(phase, _)| !(forgiven && *phase == Phase::Execute)).collect();
                let (calls, failed) = rule(order, &with_data(file_order), &fails, after == AfterLoad::Resume);
                assert_eq!(*script.calls.borrow(), calls, "{context}");
                match (failed, loaded) {
                    (None, Ok(header)) => assert!(header.file_len == file.len() as u64 || format == Written::Streamed),
                    (Some(first), Err(LoadError::Unit { unit, phase, error, .. })) => {
                        assert_eq!((phase, unit.instance as usize), first, "{context}");
                        assert_eq!((unit.offset > 80), (phase == Phase::Execute), "{context}");
                        assert_eq!(error, said(way, UnitError::End, first), "{context}");
                    }
                    (_, loaded) => panic!("{context}: {loaded:?}"),
                }
            }
        }
    }
}

#[test]
fn a_save_tells_of_the_medium_even_if_the_unit_does_not() {
    let order = ORDERS[0];
    let file = saved(Written::Patched, order);
    // Bytes moved before the hook of each unit: the file up to its data, and a length patched into each unit before.
    let mut archive = Archive::open(Disk::holding(&*file), Store, [0; 64]).unwrap();
    let mut records = archive.units();
    let mut before = Vec::new();
    let mut end = 0;
    while let Some(unit) = records.next_unit().unwrap() {
        before.push(unit.offset() + unit.record_len() - unit.packed_len() + 8 * before.len() as u64);
        end = unit.offset() + unit.record_len() + 8 * before.len() as u64;
    }
    assert_eq!(before.len(), 4, "three units and the built-in one");
    let moved = file.len() as u64 + 4 * 8 + 12;
    for at in 0..moved {
        let (mut machine, script) = Machine::new(&[], Way::Set);
        let mut scratch = [0; 16];
        let medium = Failing::at_byte(Disk::new(), at);
        let saved = Saver::new(medium, Store, &mut scratch).save(&mut machine, &Units::new(&units(order)));
        assert_eq!(saved, Err(SaveError::Io(Broken::at(at))));
        let mut calls = Vec::new();
        if at >= 80 {
            calls.extend((0..4).map(|unit| (Phase::Prepare, unit, true, None)));
            let executed = with_data(order).into_iter().zip(&before[1..]).filter(|(_, before)| at >= **before);
            calls.extend(executed.map(|(unit, _)| (Phase::Execute, unit, true, None)));
            calls.extend((0..4).map(|unit| (Phase::Done, unit, true, Some(at >= end))));
        }
        assert_eq!(*script.calls.borrow(), calls, "byte {at}");
    }
    let (mut machine, _) = Machine::new(&[], Way::Set);
    let medium = Failing::at_byte(Disk::new(), moved);
    assert_eq!(
        Saver::new(medium, Store, &mut [0; 16]).save(&mut machine, &Units::new(&units(order))),
        Ok(file.len() as u64)
    );
}

#[test]
fn a_streamed_save_tells_of_the_medium_even_if_the_unit_does_not() {
    let order = ORDERS[0];
    let file = saved(Written::Streamed, order);
    let records = decode(&file).units;
    // The hook of a unit is called behind its header.
    let before: Vec<u64> = records.iter().map(|unit| unit.offset + 44 + unit.name.len() as u64 + 1).collect();
    let last = records.last().unwrap();
    let end = before.last().unwrap() + 2 + last.plain.len() as u64 + 16;
    for at in 0..file.len() as u64 {
        let (mut machine, script) = Machine::new(&[], Way::Set);
        let medium = Failing::at_byte(Disk::new(), at);
        let saved = Written::Streamed.save(medium, AfterSave::Continue, &mut machine, &Units::new(&units(order)));
        assert_eq!(saved, Err(SaveError::Io(Broken::at(at))));
        let mut calls = Vec::new();
        if at >= 64 {
            calls.extend((0..4).map(|unit| (Phase::Prepare, unit, true, None)));
            let executed = with_data(order).into_iter().zip(&before[1..]).filter(|(_, before)| at >= **before);
            calls.extend(executed.map(|(unit, _)| (Phase::Execute, unit, true, None)));
            calls.extend((0..4).map(|unit| (Phase::Done, unit, true, Some(at >= end))));
        }
        assert_eq!(*script.calls.borrow(), calls, "byte {at}");
    }
}

#[test]
fn a_load_tells_of_the_medium_even_if_the_unit_does_not() {
    let (entries, executed) = (units(ORDERS[0]), with_data(ORDERS[1]));
    let all = Units::new(&entries);
    for (format, loading) in
        FORMATS.into_iter().flat_map(|format| format.loadings().iter().map(move |it| (format, *it)))
    {
        let file = saved(format, ORDERS[1]);
        let mut after_hooks = 0;
        for at in 0.. {
            let (mut machine, script) = Machine::new(&[], Way::Set);
            let mut medium = Failing::at_call(Disk::holding(&*file), at);
            let loaded = load(loading, &mut medium, &mut [0; 16], AfterLoad::Resume, &mut machine, &all);
            let calls = script.calls.borrow();
            if !medium.is_broken() {
                assert!(loaded.is_ok());
                assert_eq!(*calls, rule(ORDERS[0], &executed, &[], true).0);
                break;
            }
            assert_eq!(loaded, Err(LoadError::Io(Broken::at(at))));
            if !calls.is_empty() {
                after_hooks += 1;
                let met = calls.iter().filter(|call| call.0 == Phase::Execute).count();
                let mut expected = rule(ORDERS[0], &executed[..met], &[], true).0;
                expected.iter_mut().for_each(|call| call.3 = call.3.and(Some(false)));
                assert_eq!(*calls, expected, "{format:?} {loading:?}, call {at}");
            }
        }
        assert!(after_hooks > 10);
    }
}

#[test]
fn what_a_unit_says_first_is_not_replaced_by_what_the_medium_says_later() {
    // The unit's bytes still wait in the buffer when it fails; the medium would refuse them.
    for format in FORMATS {
        let (mut machine, _) = Machine::new(&[(Phase::Execute, 0)], Way::Returned);
        let header_end = saved(format, ORDERS[0]).windows(5).position(|name| name == b"unit\0").unwrap() as u64 + 5;
        // In 1.2 the length of the built-in unit is written a second time before.
        let before = header_end + if format == Written::Patched { 8 } else { 0 };
        let medium = Failing::at_byte(Disk::new(), before);
        let saved = format.save(medium, AfterSave::Continue, &mut machine, &Units::new(&units(ORDERS[0])));
        assert!(matches!(saved, Err(SaveError::Unit { error: UnitError::Invalid("x0"), .. })), "{saved:?}");
    }
}
