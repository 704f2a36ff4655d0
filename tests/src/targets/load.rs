//! Any bytes as a file: whatever they are, all ways to read them end after a bounded number of reads, agree on whether the
//! file is good as far as their documentation says, and give the same plain bytes.

use super::choices::Choices;
use super::counted::Counted;
use super::repair::repair;
use crate::media::{Broken, Disk, Loading, ReadOnly};
use ssm_core::{
    AfterLoad, Archive, Crc32Slicing, Either, Entry, Get, Inflate, LoadError, Loader, Missing, Policy, Put, Store,
    Unit, UnitError, Units, Unknown,
};
use ssm_std::{Decoder, LzfDecoder};
use std::cell::RefCell;
use std::collections::BTreeMap;

type Opened<'d> = Archive<Counted<Disk>, &'d mut Decoder, Vec<u8>, Crc32Slicing>;
type Result<T> = std::result::Result<T, LoadError<Broken>>;
/// By name, instance and pass.
type Plain = BTreeMap<(Vec<u8>, u32, Option<u32>), Vec<u8>>;

thread_local! {
    /// Of one thread and of two, which are not started for each case.
    static DECODERS: RefCell<[Decoder; 2]> = RefCell::new([1, 2].map(|threads| {
        let inflate = Inflate::new(Box::default(), vec![0; 32768]);
        Either::of(Store, Either::of(LzfDecoder::with_threads(threads), inflate))
    }));
}

const MOST: usize = 1 << 16;
/// Scratch of a second try, in bytes.
const ENOUGH: usize = 9000;

/// See the file's overview. The first byte says whether checksums are repaired, the second how much scratch there is.
pub fn load(data: &[u8]) {
    let mut choices = Choices(&data[..data.len().min(MOST)]);
    let (how, scratch) = (choices.byte(), usize::from(choices.byte()) * 8 + 64);
    let mut file = choices.0.to_vec();
    if how & 1 == 1 {
        repair(&mut file);
    }
    DECODERS.with_borrow_mut(|[one, two]| check(&file, scratch, one, two));
}

fn check(file: &[u8], scratch: usize, one: &mut Decoder, two: &mut Decoder) {
    let verdict = open(file, scratch, one).and_then(|mut archive| archive.verify(&mut |_| ()));
    let again = open(file, ENOUGH, two).and_then(|mut archive| archive.verify(&mut |_| ()));
    assert_eq!(kind(&verdict), kind(&again), "scratch or threads change the verdict");
    let unchecked = open_unchecked(file, scratch, two).and_then(|mut archive| archive.verify(&mut |_| ()));
    assert!(verdict.is_err() || unchecked.is_ok(), "found only without the checks up front: {unchecked:?}");
    let plain = walk(file, scratch, one);
    assert!(verdict.is_err() || plain.is_some(), "verified and not readable");

    let [new, verified, streaming] = Loading::ALL.map(|loading| {
        let loaded = Loaded::of(file, loading, scratch, two);
        let again = Loaded::of(file, loading, ENOUGH, one);
        let [one, other] = [&loaded, &again].map(|loaded| kind(&loaded.outcome));
        // A line may end before or behind what a unit refuses: larger pieces meet the end earlier.
        let both_fail = loading == Loading::Streaming && one != "ok" && other != "ok";
        assert!(one == other || both_fail, "scratch or threads change the load: {one}, {other}");
        loaded
    });
    verified.agrees_with(&verdict);
    match &verified.outcome {
        Ok(()) => {
            let plain = plain.expect("loaded and not readable");
            for (unit, bytes) in &verified.machine.plain {
                assert!(plain.get(unit) == Some(bytes), "a load and a walk give different bytes");
            }
            // A line does not take 1.x.
            let is_streamed = file.starts_with(b"\x7fVirtualBox SavedState V2.0");
            assert_eq!(streaming.outcome.is_ok(), is_streamed, "{:?}", streaming.outcome);
            for other in [Some(&new), Some(&streaming).filter(|_| is_streamed)].into_iter().flatten() {
                assert_eq!(other.outcome, Ok(()));
                assert!(other.machine.plain == verified.machine.plain);
            }
        }
        Err(error) => assert!(new.outcome.is_err() || error.kind() != "crc", "a wrong checksum is loaded"),
    }
    if let Err(LoadError::Format { error, .. }) = &new.outcome {
        let packed = matches!(error.kind(), "packed" | "packed-end" | "codec" | "window");
        assert!(packed || new.machine.hooks == 0, "{error:?} behind hooks");
    }
    if streaming.outcome.is_ok() {
        // Nothing is read behind the footer; of the directory's entries a line cannot tell.
        let outcome = Loaded::of(&file[..streaming.read], Loading::Verified, ENOUGH, one).outcome;
        assert!(matches!(kind(&outcome), "ok" | "directory-entry"), "loaded from a line: {outcome:?}");
    }
}

/// The word for the outcome. Where packed bytes are found to be damaged depends on the pieces that they are read in.
fn kind(outcome: &Result<()>) -> &'static str {
    outcome.as_ref().err().map_or("ok", LoadError::kind)
}

fn counted(file: &[u8]) -> Counted<Disk> {
    // Each way through a file costs a few calls for the smallest unit or record, and there are ten ways or so.
    Counted::new(Disk::holding(file), 10_000 + 100 * file.len() as u64)
}

fn open<'d>(file: &[u8], scratch: usize, decoder: &'d mut Decoder) -> Result<Opened<'d>> {
    Archive::open_with(counted(file), decoder, vec![0; scratch], Crc32Slicing)
}

fn open_unchecked<'d>(file: &[u8], scratch: usize, decoder: &'d mut Decoder) -> Result<Opened<'d>> {
    Archive::open_unchecked_with(counted(file), decoder, vec![0; scratch], Crc32Slicing)
}

/// Reads every unit that can be reached, finds the first ones again, and reads the notes. The plain bytes, if all was sound.
fn walk(file: &[u8], scratch: usize, decoder: &mut Decoder) -> Option<Plain> {
    let mut archive = open_unchecked(file, scratch, decoder).ok()?;
    let is_streamed = archive.header().format.is_streamed();
    let (mut plain, mut places, mut sound) = (Plain::new(), Vec::new(), true);
    let mut units = archive.units();
    loop {
        let Ok(unit) = units.next_unit() else {
            sound = false;
            break;
        };
        let Some(mut unit) = unit else { break };
        let key = (unit.name().to_vec(), unit.instance(), unit.pass());
        if places.len() < 8 {
            places.push((key.clone(), unit.offset()));
        }
        sound &= unit.codec().is_ok();
        let mut bytes = Vec::new();
        let read = unit.read(|get| take_all(get, &mut bytes));
        assert!(read.is_err() || unit.plain_len() == Ok(bytes.len() as u64), "read and not skipped");
        sound &= read.is_ok();
        plain.entry(key).or_default().extend(bytes);
    }
    for ((name, instance, pass), offset) in &places {
        let found = match pass {
            None => archive.find(name, *instance),
            Some(pass) => archive.find_in_pass(name, *instance, *pass),
        };
        match found {
            Ok(unit) => assert_eq!((unit.name(), unit.instance(), unit.pass()), (&name[..], *instance, *pass)),
            // A directory need not name all units (Q33).
            Err(LoadError::NotFound) => assert!(is_streamed, "a unit that was there is gone"),
            Err(error) => assert!(!sound, "{error:?}"),
        }
        assert!(archive.unit_at(*offset).is_ok_and(|unit| unit.is_some()), "a unit that was there is gone");
    }
    let _ = archive.notes(&mut [0; 1151], &mut |_, _| ());
    sound.then_some(plain)
}

fn take_all(get: &mut Get<'_>, all: &mut Vec<u8>) -> std::result::Result<(), UnitError> {
    let mut piece = [0; 777];
    loop {
        match get.read(&mut piece)? {
            0 => return Ok(()),
            read => all.extend(&piece[..read]),
        }
    }
}

/// What became of a load.
struct Loaded {
    outcome: Result<()>,
    machine: Machine,
    /// Bytes that the medium gave.
    read: usize,
}

impl Loaded {
    fn of(file: &[u8], loading: Loading, scratch: usize, decoder: &mut Decoder) -> Self {
        let (mut medium, mut machine) = (counted(file), Machine::default());
        let policy = Policy { unknown: Unknown::Skip, missing: Missing::Accept };
        let scratch = &mut *vec![0; scratch];
        let (from, to) = (&mut medium, &mut machine);
        let outcome = match loading {
            Loading::Unverified => Loader::unverified(from, decoder, scratch).policy(policy).load(to, &UNITS),
            Loading::Verified => Loader::new(from, decoder, scratch).policy(policy).load(to, &UNITS),
            Loading::Streaming => Loader::streaming(ReadOnly(from), decoder, scratch).policy(policy).load(to, &UNITS),
        };
        Self { outcome: outcome.map(drop), machine, read: medium.read }
    }

    /// What `Loader::new` promises beside a check of the whole file.
    fn agrees_with(&self, verdict: &Result<()>) {
        let Err(error) = &self.outcome else {
            return assert_eq!(*verdict, Ok(()), "loaded and not verified");
        };
        // Units that take everything refuse nothing.
        assert_eq!(self.machine.hooks, 0, "{error:?} behind a hook");
        let notes = matches!(error, LoadError::Unit { unit, .. } if unit.name() == b"SSM");
        let unsuitable = matches!(error, LoadError::Repeated(_)) || error.kind() == "pass-order";
        assert!(verdict.is_err() || notes || unsuitable, "verified and not loaded: {error:?}");
    }
}

/// Takes whatever a unit has.
#[derive(Default)]
struct Machine {
    at: &'static str,
    plain: Plain,
    /// How many hooks were called.
    hooks: u32,
}

macro_rules! unit {
    ($name:literal) => {
        Entry::new($name, |machine: &mut Machine, _| {
            machine.at = $name;
            machine
        })
        .version(u32::MAX)
    };
}

/// Some names of the corpus: its other units are not registered.
const UNITS: Units<Machine> = Units::new(&[unit!("scalars"), unit!("gcptr"), unit!("struct"), unit!("zeros1m")]);

impl Unit for Machine {
    fn save(&mut self, _: &mut Put<'_>) -> std::result::Result<(), UnitError> {
        unreachable!("it only loads")
    }

    fn load_prep(&mut self, _: AfterLoad) -> std::result::Result<(), UnitError> {
        self.hooks += 1;
        Ok(())
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> std::result::Result<(), UnitError> {
        self.hooks += 1;
        let bytes = self.plain.entry((self.at.into(), 0, get.pass())).or_default();
        take_all(get, bytes)
    }

    fn load_done(&mut self, _: AfterLoad, _: bool) -> std::result::Result<(), UnitError> {
        self.hooks += 1;
        Ok(())
    }
}
