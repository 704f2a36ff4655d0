//! Progress and cancelling: every percent once and in order, following bytes; a wish to stop is heeded at any percent.

use ssm_core::{
    AfterLoad, AfterSave, Archive, Cancel, Entry, Get, LoadError, Loader, Put, SaveError, Saver, Store, Unit,
    UnitError, Units,
};
use ssm_tests::machine::Packing;
use ssm_tests::media::{Broken, Disk};
use std::cell::Cell;
use std::rc::Rc;

/// Units of given sizes; each tells how far it is, and what its last hook was told.
struct Machine(Vec<Part>);

struct Part {
    bytes: usize,
    fails_at: Option<usize>,
    place: Rc<Cell<(usize, usize)>>,
    ok: Option<bool>,
}

const PIECE: usize = 50;

impl Machine {
    fn new(sizes: &[usize]) -> Self {
        let place = Rc::new(Cell::new((0, 0)));
        Machine(sizes.iter().map(|&bytes| Part { bytes, fails_at: None, place: place.clone(), ok: None }).collect())
    }

    fn told(&self) -> Vec<Option<bool>> {
        self.0.iter().map(|part| part.ok).collect()
    }
}

fn units(hints: &[u64]) -> Vec<Entry<Machine>> {
    let entry = Entry::new("part", |machine: &mut Machine, at| &mut machine.0[at as usize]);
    (0..).zip(hints).map(|(at, &hint)| entry.instance(at).size_hint(hint)).collect()
}

impl Part {
    fn pieces(
        &mut self,
        unit: usize,
        mut piece: impl FnMut(&mut [u8]) -> Result<(), UnitError>,
    ) -> Result<(), UnitError> {
        for from in (0..self.bytes).step_by(PIECE) {
            if self.fails_at.is_some_and(|at| at <= from) {
                return Err(UnitError::Invalid("as planned"));
            }
            self.place.set((unit, from));
            // Noise, so that packed bytes are as many as plain ones.
            let mut bytes: Vec<u8> =
                (from..self.bytes.min(from + PIECE)).map(|at| (((at * at * 31) >> 5) ^ (at * 7)) as u8).collect();
            piece(&mut bytes)?;
        }
        Ok(())
    }
}

impl Unit for Part {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        let unit = self.place.get().0 + 1;
        self.pieces(unit, |bytes| put.bytes(bytes))
    }

    fn save_done(&mut self, _: AfterSave, ok: bool) -> Result<(), UnitError> {
        self.ok = Some(ok);
        Ok(())
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        let unit = self.place.get().0 + 1;
        self.pieces(unit, |bytes| get.bytes(bytes))
    }

    fn load_done(&mut self, _: AfterLoad, ok: bool) -> Result<(), UnitError> {
        self.ok = Some(ok);
        Ok(())
    }
}

struct Options<'a> {
    scratch: usize,
    packing: Packing,
    cancel: &'a Cancel,
}

const SCRATCHES: [usize; 3] = [1, 64, 4096];

fn save(
    machine: &mut Machine,
    hints: &[u64],
    options: &Options<'_>,
    progress: &mut dyn FnMut(u8),
) -> (Result<u64, SaveError<Broken>>, Vec<u8>) {
    let mut disk = Disk::new();
    let saved = Saver::new(&mut disk, &mut *options.packing.encoder(), &mut vec![0; options.scratch])
        .progress(progress)
        .cancel(options.cancel)
        .save(machine, &Units::new(&units(hints)));
    (saved, disk.into_bytes())
}

fn load(
    machine: &mut Machine,
    file: &[u8],
    options: &Options<'_>,
    progress: &mut dyn FnMut(u8),
) -> Result<(), LoadError<Broken>> {
    let entries = units(&vec![0; machine.0.len()]);
    let units = Units::new(&entries);
    Loader::new(Disk::holding(file), ssm_std::decoder(), &mut vec![0; options.scratch])
        .progress(progress)
        .cancel(options.cancel)
        .load(machine, &units)
        .map(|_| ())
}

fn each(mut test: impl FnMut(&Options<'_>)) {
    for packing in [Packing::Store, Packing::Lzf, Packing::Zlib] {
        for scratch in SCRATCHES {
            test(&Options { scratch, packing, cancel: &Cancel::new() });
        }
    }
}

fn all() -> Vec<u8> {
    (0..=100).collect()
}

#[test]
fn every_percent_once_and_in_order_whatever_the_hints_are() {
    each(|options| {
        for sizes in [&[][..], &[0], &[10], &[5000, 1], &[1, 300, 0, 3000]] {
            let good: Vec<u64> = sizes.iter().map(|&size| size as u64).collect();
            for hints in [
                good.clone(),
                vec![0; sizes.len()],
                vec![u64::MAX; sizes.len()],
                vec![1 << 30; sizes.len()],
                vec![3; sizes.len()],
            ] {
                let mut seen = Vec::new();
                let (saved, file) = save(&mut Machine::new(sizes), &hints, options, &mut |percent| seen.push(percent));
                saved.unwrap();
                assert_eq!(seen, all(), "{sizes:?} {hints:?}");
                seen.clear();
                load(&mut Machine::new(sizes), &file, options, &mut |percent| seen.push(percent)).unwrap();
                assert_eq!(seen, all(), "{sizes:?}");
            }
        }
    });
}

#[test]
fn a_failure_ends_below_100() {
    each(|options| {
        let sizes = [1000, 3000, 500];
        let hints = [1000, 3000, 500];
        let (_, file) = save(&mut Machine::new(&sizes), &hints, options, &mut |_| ());
        for unit in 0..3 {
            for at in [0, 400, 2950] {
                if at >= sizes[unit] {
                    continue;
                }
                let mut machine = Machine::new(&sizes);
                machine.0[unit].fails_at = Some(at);
                let mut seen = Vec::new();
                save(&mut machine, &hints, options, &mut |percent| seen.push(percent)).0.unwrap_err();
                assert!(seen.len() < 100 && seen.len() >= 20, "{seen:?}");
                assert_eq!(seen, all()[..seen.len()]);
                let mut machine = Machine::new(&sizes);
                machine.0[unit].fails_at = Some(at);
                let mut seen = Vec::new();
                load(&mut machine, &file, options, &mut |percent| seen.push(percent)).unwrap_err();
                assert!(seen.len() < 100 && seen.len() >= 20, "{seen:?}");
                assert_eq!(seen, all()[..seen.len()]);
            }
        }
    });
}

#[test]
fn percents_follow_bytes_and_not_units() {
    // The second of three units has nearly all bytes, so it gets nearly all of the percents from 20 to 98, evenly.
    let sizes = [100, 50_000, 100];
    let hints = [100, 50_000, 100];
    let check = |seen: Vec<(usize, usize, u8)>, what: &str| {
        let big: Vec<_> = seen.iter().filter(|(unit, ..)| *unit == 2).collect();
        assert!(big.len() >= 74, "{what}: {seen:?}");
        for (_, at, percent) in big.iter().filter(|(.., percent)| (22..97).contains(percent)) {
            let expected = 20 + at * 78 / 50_000;
            assert!(
                expected.abs_diff(usize::from(*percent)) <= 2,
                "{what}: {percent} at byte {at}, {expected} expected"
            );
        }
        assert!(seen.iter().filter(|(unit, ..)| *unit == 1).count() <= 2, "{what}");
    };
    for scratch in SCRATCHES.map(|scratch| scratch.min(512)) {
        let cancel = Cancel::new();
        let options = Options { scratch, packing: Packing::Store, cancel: &cancel };
        let mut machine = Machine::new(&sizes);
        let mut file = Vec::new();
        let place = machine.0[0].place.clone();
        let mut seen = Vec::new();
        let saved = save(&mut machine, &hints, &options, &mut |percent| {
            seen.push((place.get().0, place.get().1, percent));
        });
        saved.0.unwrap();
        file.extend(saved.1);
        check(seen, "save");
        let mut machine = Machine::new(&sizes);
        let place = machine.0[0].place.clone();
        let mut seen = Vec::new();
        load(&mut machine, &file, &options, &mut |percent| {
            seen.push((place.get().0, place.get().1, percent));
        })
        .unwrap();
        check(seen, "load");
    }
}

#[test]
fn a_wish_to_stop_at_any_percent() {
    let sizes = [500, 2000, 30];
    let hints = [500, 2000, 30];
    each(|options| {
        let (_, file) = save(&mut Machine::new(&sizes), &hints, options, &mut |_| ());
        for at in 0..=100 {
            let cancel = Cancel::new();
            let options = Options { cancel: &cancel, ..*options };
            let mut last = 0;
            let mut progress = |percent| {
                last = percent;
                if percent == at {
                    cancel.cancel();
                }
            };
            let mut machine = Machine::new(&sizes);
            let (saved, bytes) = save(&mut machine, &hints, &options, &mut progress);
            let opened = Archive::open(Disk::holding(bytes), Store, [0; 64]);
            // From 99 on it is too late: the file is valid already.
            if at < 99 {
                assert_eq!(saved, Err(SaveError::Cancelled), "percent {at}");
                assert!(opened.is_err() && last < 99);
                assert_eq!(machine.told(), [Some(false); 3], "percent {at}");
            } else {
                assert!(saved.is_ok() && opened.is_ok() && last == 100);
            }

            cancel.reset();
            let mut machine = Machine::new(&sizes);
            let mut last = 0;
            let mut progress = |percent| {
                last = percent;
                if percent == at {
                    cancel.cancel();
                }
            };
            let loaded = load(&mut machine, &file, &options, &mut progress);
            if at < 99 {
                assert_eq!(loaded, Err(LoadError::Cancelled), "percent {at}");
                assert!(last < 99);
                // While the file is checked no hook was called yet.
                let told = machine.told();
                assert!(told == [Some(false); 3] || (told == [None; 3] && at < 20), "percent {at}: {told:?}");
            } else {
                assert_eq!((loaded, last), (Ok(()), 100));
            }
        }
    });
}

#[test]
fn a_wish_that_was_there_before() {
    each(|options| {
        let (_, file) = save(&mut Machine::new(&[100]), &[0], options, &mut |_| ());
        options.cancel.cancel();
        let mut machine = Machine::new(&[100]);
        assert_eq!(save(&mut machine, &[0], options, &mut |_| ()).0, Err(SaveError::Cancelled));
        assert_eq!(machine.told(), [Some(false)]);
        assert_eq!(load(&mut machine, &file, options, &mut |_| ()), Err(LoadError::Cancelled));
    });
}

/// A unit that has no end but the wish of somebody else.
struct Endless;

impl Unit for Endless {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        loop {
            put.bytes(&[0; 4096])?;
        }
    }

    fn load(&mut self, _: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        Ok(())
    }
}

/// Takes everything and keeps nothing.
struct Sink;

impl embedded_io::ErrorType for Sink {
    type Error = Broken;
}

impl embedded_io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Broken> {
        Ok(())
    }
}

impl embedded_io::Seek for Sink {
    fn seek(&mut self, _: embedded_io::SeekFrom) -> Result<u64, Broken> {
        Ok(0)
    }
}

#[test]
fn another_thread_stops_a_save() {
    let cancel = Cancel::new();
    let (started, start) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let stop = &cancel;
        scope.spawn(move || {
            start.recv().unwrap();
            stop.cancel();
        });
        let mut tell = |percent| {
            if percent == 20 {
                started.send(()).unwrap();
            }
        };
        const UNITS: Units<Endless> = Units::new(&[Entry::new("endless", |machine, _| machine).size_hint(1)]);
        let saved =
            Saver::new(Sink, Store, &mut [0; 64]).progress(&mut tell).cancel(&cancel).save(&mut Endless, &UNITS);
        assert_eq!(saved, Err(SaveError::Cancelled));
    });
}
