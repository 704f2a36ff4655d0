//! Live saves: which hooks are called in which order, whatever fails and when; votes and limits; that each unit is told the
//! end exactly once; and that the machine that is loaded is the one that was saved.

use ssm_core::{
    AfterSave, Archive, Cancel, Encode, Entry, Get, Phase, Put, SaveError, Saver, Store, Unit, UnitError, Units, Vote,
};
use ssm_tests::machine::Packing;
use ssm_tests::media::{Broken, Disk, Failing, Loading, OneWay};
use std::cell::RefCell;
use std::rc::Rc;

/// A hook of a unit; what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    LivePrepare(usize),
    Live(usize, u32),
    Vote(usize, u32),
    Prepare(usize),
    Save(usize),
    Done(usize, bool),
}
use Call::*;

const PASSES: u32 = 3;
/// Of the four units, those that take part in live passes; unit 2 has hooks only.
const LIVE: [usize; 2] = [0, 3];
const WITH_DATA: [usize; 3] = [0, 1, 3];

/// What a unit votes behind a pass.
type Votes = fn(usize, u32) -> Vote;

struct Script {
    failing: Vec<Call>,
    /// How unit 0 and unit 3 vote, pass by pass.
    votes: Votes,
    /// Set when this hook is called.
    cancel_at: Option<Call>,
    cancel: Cancel,
    calls: RefCell<Vec<Call>>,
}

struct Probe {
    unit: usize,
    script: Rc<Script>,
}

type Machine = [Probe; 4];

fn machine(script: Script) -> (Machine, Rc<Script>) {
    let script = Rc::new(script);
    (std::array::from_fn(|unit| Probe { unit, script: script.clone() }), script)
}

fn script(failing: &[Call], votes: Votes) -> Script {
    Script { failing: failing.to_vec(), votes, cancel_at: None, cancel: Cancel::new(), calls: RefCell::default() }
}

const UNIT: Entry<Machine> = Entry::new("unit", |machine: &mut Machine, unit| &mut machine[unit as usize]);
const UNITS: Units<Machine> =
    Units::new(&[UNIT.live(), UNIT.instance(1), UNIT.instance(2).without_data(), UNIT.instance(3).live()]);
const REASON: UnitError = UnitError::Invalid("as the script says");

impl Probe {
    fn hook(&self, call: Call) -> Result<(), UnitError> {
        self.script.calls.borrow_mut().push(call);
        if self.script.cancel_at == Some(call) {
            self.script.cancel.cancel();
        }
        // Done hooks fail whatever they are told.
        let fails = |failing: &Call| match (failing, call) {
            (Done(unit, _), Done(called, _)) => *unit == called,
            _ => *failing == call,
        };
        if self.script.failing.iter().any(fails) { Err(REASON) } else { Ok(()) }
    }
}

impl Unit for Probe {
    fn save_prep(&mut self, _: AfterSave) -> Result<(), UnitError> {
        self.hook(Prepare(self.unit))
    }

    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u32(1)?;
        self.hook(Save(self.unit))
    }

    fn live_prep(&mut self, after: AfterSave) -> Result<(), UnitError> {
        assert_eq!(after, AfterSave::Destroy);
        self.hook(LivePrepare(self.unit))
    }

    fn live(&mut self, put: &mut Put<'_>, pass: u32) -> Result<(), UnitError> {
        put.u32(pass)?;
        self.hook(Live(self.unit, pass))
    }

    fn live_vote(&mut self, pass: u32) -> Result<Vote, UnitError> {
        self.hook(Vote(self.unit, pass))?;
        Ok((self.script.votes)(self.unit, pass))
    }

    fn save_done(&mut self, after: AfterSave, ok: bool) -> Result<(), UnitError> {
        assert_eq!(after, AfterSave::Destroy);
        self.hook(Done(self.unit, ok))
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.skip_rest().map(drop)
    }
}

/// A save whose passes go on as long as they are voted for, and at most so many.
fn save<W: ssm_core::embedded_io::Write<Error = Broken>>(
    medium: W,
    machine: &mut Machine,
    max: u32,
    cancel: &Cancel,
) -> Result<u64, SaveError<Broken>> {
    let mut scratch = [0; 5 * 16 + 64];
    let saver = Saver::streamed(medium, Store, &mut scratch).after(AfterSave::Destroy).cancel(cancel);
    let mut live = saver.live(machine, &UNITS)?.limit_passes(max);
    loop {
        match live.pass(machine, &UNITS) {
            Ok(Vote::Again) => {}
            Ok(_) => return live.finish(machine, &UNITS),
            Err(error) => {
                let calls = machine[0].script.calls.borrow().len();
                assert_eq!(live.pass(machine, &UNITS), Err(SaveError::Cancelled), "a second error");
                assert_eq!(live.finish(machine, &UNITS), Err(SaveError::Cancelled));
                assert_eq!(machine[0].script.calls.borrow().len(), calls, "hooks behind the end");
                return Err(error);
            }
        }
    }
}

/// The calls that the rule makes, and which one failed first.
fn rule(failing: &[Call], votes: Votes, max: u32) -> (Vec<Call>, Option<Call>) {
    let mut calls = Vec::new();
    let mut failed: Option<Call> = None;
    let call = |calls: &mut Vec<Call>, failed: &mut Option<Call>, call: Call| {
        calls.push(call);
        let fails = failing.iter().any(|it| matches!((it, call), (Done(a, _), Done(b, _)) if *a == b) || *it == call);
        if fails {
            failed.get_or_insert(call);
        }
        failed.is_none()
    };
    let mut prepared = Vec::new();
    for unit in LIVE {
        if failed.is_none() {
            prepared.push(unit);
            call(&mut calls, &mut failed, LivePrepare(unit));
        }
    }
    let mut left = Vec::new();
    for pass in 0.. {
        if failed.is_some() {
            break;
        }
        let here: Vec<usize> = LIVE.into_iter().filter(|unit| !left.contains(unit)).collect();
        let mut again = false;
        let _ = here.iter().all(|unit| call(&mut calls, &mut failed, Live(*unit, pass)))
            && here.iter().all(|unit| {
                let goes_on = call(&mut calls, &mut failed, Vote(*unit, pass));
                match votes(*unit, pass) {
                    Vote::Again => again = true,
                    Vote::Done => {}
                    Vote::Leave => left.push(*unit),
                }
                goes_on
            });
        if !again || pass + 1 >= max {
            break;
        }
    }
    if failed.is_none() {
        prepared = LIVE.to_vec();
        let _ = (0..4).all(|unit| {
            prepared.push(unit);
            call(&mut calls, &mut failed, Prepare(unit))
        });
        let _ = failed.is_none() && WITH_DATA.iter().all(|unit| call(&mut calls, &mut failed, Save(*unit)));
    }
    for unit in (0..4).filter(|unit| prepared.contains(unit)) {
        let ok = failed.is_none();
        call(&mut calls, &mut failed, Done(unit, ok));
    }
    (calls, failed)
}

fn place(call: Call) -> (Phase, usize) {
    match call {
        LivePrepare(unit) | Prepare(unit) => (Phase::Prepare, unit),
        Live(unit, _) | Save(unit) => (Phase::Execute, unit),
        Vote(unit, _) => (Phase::Vote, unit),
        Done(unit, _) => (Phase::Done, unit),
    }
}

/// Unit 0 goes on, unit 3 has had enough after two passes.
fn some_leave(unit: usize, pass: u32) -> Vote {
    match (unit, pass) {
        (0, pass) if pass + 1 < PASSES => Vote::Again,
        (3, 1) => Vote::Leave,
        _ => Vote::Done,
    }
}

fn all_hooks() -> Vec<Call> {
    let live = LIVE.into_iter().flat_map(|unit| (0..PASSES).flat_map(move |pass| [Live(unit, pass), Vote(unit, pass)]));
    let units = (0..4).flat_map(|unit| [Prepare(unit), Done(unit, true)]);
    LIVE.map(LivePrepare).into_iter().chain(live).chain(units).chain(WITH_DATA.map(Save)).collect()
}

fn is_whole(file: &[u8]) -> bool {
    Archive::open(Disk::holding(file), Store, [0; 64]).is_ok()
}

#[test]
fn whatever_hooks_fail() {
    let hooks = all_hooks();
    let mut sets = vec![vec![]];
    for (at, first) in hooks.iter().enumerate() {
        sets.push(vec![*first]);
        sets.extend(hooks[at + 1..].iter().map(|second| vec![*first, *second]));
    }
    let mut failures = 0;
    for failing in sets {
        let (mut machine, script) = machine(script(&failing, some_leave));
        let mut disk = Disk::new();
        let saved = save(OneWay(&mut disk), &mut machine, u32::MAX, &Cancel::new());
        let (calls, failed) = rule(&failing, some_leave, u32::MAX);
        assert_eq!(*script.calls.borrow(), calls, "{failing:?}");
        match (failed, saved) {
            (None, Ok(len)) => assert_eq!(len, disk.bytes().len() as u64),
            (Some(first), Err(SaveError::Unit { unit, phase, at, error })) => {
                assert_eq!((phase, unit.instance as usize), place(first), "{failing:?}");
                assert_eq!((error, at), (REASON, if phase == Phase::Execute { 4 } else { 0 }), "{failing:?}");
                failures += 1;
            }
            (_, saved) => panic!("{failing:?}: {saved:?}"),
        }
        assert_eq!(is_whole(disk.bytes()), failed.is_none(), "{failing:?}");
        // Each unit at most once, and then for good.
        for unit in 0..4 {
            let told = calls.iter().filter(|call| matches!(call, Done(it, _) if *it == unit)).count();
            let prepared = calls.iter().any(|call| matches!(call, Prepare(it) | LivePrepare(it) if *it == unit));
            assert_eq!(told, usize::from(prepared), "{failing:?}, unit {unit}");
        }
    }
    assert!(failures > 200, "{failures}");
}

#[test]
fn votes_and_limits() {
    let voting: [(Votes, u32); 5] = [
        (|_, _| Vote::Again, 7),
        (|_, _| Vote::Done, 7),
        (|_, _| Vote::Leave, 7),
        (|unit, pass| if unit == 3 && pass < 4 { Vote::Again } else { Vote::Leave }, 7),
        // One that leaves is not asked again, whatever it would say.
        (
            |unit, pass| {
                if (unit, pass) == (0, 0) {
                    Vote::Leave
                } else if pass < 2 || unit == 0 {
                    Vote::Again
                } else {
                    Vote::Done
                }
            },
            7,
        ),
    ];
    for (votes, max) in voting {
        for max in [1, 2, max] {
            let (mut machine, script) = machine(script(&[], votes));
            let mut disk = Disk::new();
            save(OneWay(&mut disk), &mut machine, max, &Cancel::new()).unwrap();
            assert_eq!(*script.calls.borrow(), rule(&[], votes, max).0, "at most {max} passes");
            assert!(is_whole(disk.bytes()));
        }
    }
}

#[test]
fn a_limit_of_bytes() {
    let passes = |limit: u64| {
        let (mut machine, _) = machine(script(&[], |_, _| Vote::Again));
        let mut scratch = [0; 5 * 16 + 64];
        let saver = Saver::streamed(OneWay(Disk::new()), Store, &mut scratch).after(AfterSave::Destroy);
        let mut live = saver.live(&mut machine, &UNITS).unwrap().limit_bytes(limit);
        while live.pass(&mut machine, &UNITS).unwrap() == Vote::Again {
            assert!(live.file_len() < limit);
        }
        assert!(live.file_len() >= limit);
        let (passes, len) = (live.passes(), live.file_len());
        assert!(live.finish(&mut machine, &UNITS).unwrap() > len);
        (passes, len)
    };
    let (_, first) = passes(1);
    let (two, second) = passes(first + 1);
    assert_eq!((passes(first).0, two), (1, 2));
    assert_eq!((passes(second).0, passes(second + 1).0), (2, 3));
}

#[test]
fn a_save_that_is_abandoned() {
    for passes in 0..4 {
        let (mut machine, script) = machine(script(&[Done(0, false)], |_, _| Vote::Again));
        let mut disk = Disk::new();
        let mut scratch = [0; 5 * 16 + 64];
        let saver = Saver::streamed(OneWay(&mut disk), Store, &mut scratch).after(AfterSave::Destroy);
        let mut live = saver.live(&mut machine, &UNITS).unwrap();
        for _ in 0..passes {
            live.pass(&mut machine, &UNITS).unwrap();
        }
        let before = script.calls.borrow().len();
        live.abandon(&mut machine, &UNITS);
        assert_eq!(script.calls.borrow()[before..], [Done(0, false), Done(3, false)], "after {passes} passes");
        assert!(!is_whole(disk.bytes()));
    }
    // After a failure there is nothing to give up.
    let (mut machine, script) = machine(script(&[Live(3, 0)], |_, _| Vote::Again));
    let mut scratch = [0; 5 * 16 + 64];
    let saver = Saver::streamed(OneWay(Disk::new()), Store, &mut scratch).after(AfterSave::Destroy);
    let mut live = saver.live(&mut machine, &UNITS).unwrap();
    live.pass(&mut machine, &UNITS).unwrap_err();
    let before = script.calls.borrow().len();
    live.abandon(&mut machine, &UNITS);
    assert_eq!(script.calls.borrow().len(), before);
}

#[test]
fn a_save_that_is_cancelled_in_any_hook() {
    for cancel_at in rule(&[], some_leave, u32::MAX).0 {
        let script = Script { cancel_at: Some(cancel_at), ..script(&[], some_leave) };
        let (mut machine, script) = machine(script);
        let mut disk = Disk::new();
        let saved = save(OneWay(&mut disk), &mut machine, u32::MAX, &script.cancel);
        let calls = script.calls.borrow();
        assert_eq!(saved, Err(SaveError::Cancelled), "{cancel_at:?}");
        assert!(calls.contains(&cancel_at) && !is_whole(disk.bytes()), "{cancel_at:?}");
        for unit in 0..4 {
            let told = calls.iter().filter(|call| matches!(call, Done(it, _) if *it == unit)).count();
            let prepared = calls.iter().any(|call| matches!(call, Prepare(it) | LivePrepare(it) if *it == unit));
            assert_eq!(told, usize::from(prepared), "{cancel_at:?}, unit {unit}");
        }
        // Cancelled before the end of the execute phase, all are told so; in a done hook the file is what fails.
        let is_late = matches!(cancel_at, Done(..));
        assert!(is_late || !calls.iter().any(|call| matches!(call, Done(_, true))), "{cancel_at:?}: {calls:?}");
    }
}

#[test]
fn a_medium_that_fails_at_any_byte() {
    let (mut sound, _) = machine(script(&[], some_leave));
    let mut disk = Disk::new();
    save(OneWay(&mut disk), &mut sound, u32::MAX, &Cancel::new()).unwrap();
    for at in 0..disk.bytes().len() as u64 {
        let (mut machine, script) = machine(script(&[], some_leave));
        let medium = OneWay(Failing::at_byte(Disk::new(), at));
        let saved = save(medium, &mut machine, u32::MAX, &Cancel::new());
        assert_eq!(saved, Err(SaveError::Io(Broken::at(at))));
        let calls = script.calls.borrow();
        for unit in 0..4 {
            let told = calls.iter().filter(|call| matches!(call, Done(it, _) if *it == unit)).count();
            let prepared = calls.iter().any(|call| matches!(call, Prepare(it) | LivePrepare(it) if *it == unit));
            assert_eq!(told, usize::from(prepared), "byte {at}, unit {unit}");
        }
        assert_eq!(calls.is_empty(), at < 64, "the header is written before any hook");
    }
}

#[test]
fn a_scratch_that_is_too_small() {
    let (mut machine, script) = machine(script(&[], some_leave));
    for size in 0..=5 * 16 {
        let mut scratch = vec![0; size];
        let live = Saver::streamed(Disk::new(), Store, &mut scratch).live(&mut machine, &UNITS);
        assert!(matches!(live.err(), Some(SaveError::Scratch { needed: 81 })), "{size} bytes");
    }
    assert!(script.calls.borrow().is_empty());
}

const PAGE: usize = 512;
const MEMORY: usize = 24;

/// Memory that sends the pages which changed.
#[derive(Clone)]
struct Ram {
    pages: Vec<[u8; PAGE]>,
    dirty: Vec<bool>,
    random: u32,
}

impl Ram {
    fn new(seed: u32) -> Self {
        let mut ram = Ram { pages: vec![[0; PAGE]; MEMORY], dirty: vec![false; MEMORY], random: seed | 1 };
        ram.run(40);
        ram
    }

    fn run(&mut self, steps: u32) {
        for _ in 0..steps {
            self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (page, fill) = ((self.random >> 16) as usize % MEMORY, (self.random >> 24) as u8);
            let random = self.random;
            match fill % 3 {
                0 => self.pages[page].fill(0),
                1 => self.pages[page].fill(fill),
                _ => {
                    self.pages[page].iter_mut().enumerate().for_each(|(at, byte)| *byte ^= (random >> (at % 25)) as u8)
                }
            }
            self.dirty[page] = true;
        }
    }

    fn put_dirty(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        let dirty: Vec<usize> = (0..MEMORY).filter(|page| self.dirty[*page]).collect();
        put.u32(dirty.len() as u32)?;
        for page in dirty {
            put.u32(page as u32)?;
            put.bytes(&self.pages[page])?;
            self.dirty[page] = false;
        }
        Ok(())
    }
}

impl Unit for Ram {
    fn live_prep(&mut self, _: AfterSave) -> Result<(), UnitError> {
        self.dirty.fill(true);
        Ok(())
    }

    fn live(&mut self, put: &mut Put<'_>, _: u32) -> Result<(), UnitError> {
        self.put_dirty(put)
    }

    fn live_vote(&mut self, _: u32) -> Result<Vote, UnitError> {
        Ok(Vote::Again)
    }

    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        self.put_dirty(put)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        for _ in 0..get.u32()? {
            let page = get.u32()? as usize;
            get.bytes(self.pages.get_mut(page).ok_or(UnitError::Invalid("no such page"))?)?;
        }
        Ok(())
    }
}

#[test]
fn the_loaded_machine_is_the_one_that_was_saved() {
    type Whole = [Ram; 2];
    let ram = Entry::new("ram", |machine: &mut Whole, at| &mut machine[at as usize]).live();
    let units = [ram, ram.instance(1)];
    let units = Units::new(&units);
    for (seed, packing) in Packing::ALL.into_iter().enumerate() {
        for (passes, block) in [(1, 1), (2, 100), (5, 2100), (3, 9000)] {
            let mut machine = [Ram::new(seed as u32 * 7), Ram::new(99)];
            let mut disk = Disk::new();
            let mut codec = packing.encoder();
            let mut scratch = vec![0; 3 * 16 + block];
            let codec: &mut dyn Encode = &mut *codec;
            let live = Saver::streamed(OneWay(&mut disk), codec, &mut scratch).live(&mut machine, &units).unwrap();
            let mut live = live.limit_passes(passes);
            while live.pass(&mut machine, &units).unwrap() == Vote::Again {
                machine.iter_mut().for_each(|ram| ram.run(9));
            }
            assert_eq!(live.passes(), passes);
            machine.iter_mut().for_each(|ram| ram.run(3));
            live.finish(&mut machine, &units).unwrap();
            for loading in Loading::ALL {
                for scratch in [1, 64, 4096] {
                    let mut loaded = [Ram::new(1), Ram::new(2)];
                    let file = Disk::holding(disk.bytes());
                    let header = loading.load(file, &mut vec![0; scratch], &mut loaded, &units).unwrap();
                    assert!(header.stream.unwrap().is_live);
                    assert!(
                        loaded.iter().zip(&machine).all(|(loaded, saved)| loaded.pages == saved.pages),
                        "{loading:?}"
                    );
                }
            }
        }
    }
}
