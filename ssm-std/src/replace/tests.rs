//! Every step of a save fails, or is the last before the power goes: the file is the old one or the new one.

use super::{Folder, replace};
use crate::{Codec, SaveFormat, SaveOptions, file::save_into};
use ssm_core::{Entry, Get, Put, Unit, UnitError, Units};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::rc::Rc;

#[cfg(unix)]
mod answers;

/// A step, as the log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    CheckOld,
    Create,
    Owner,
    Permissions,
    CheckNew,
    Write,
    Seek,
    Sync,
    Rename,
    SyncFolder,
    Remove,
}

/// What happens at the chosen step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It fails, and nothing is done.
    Fails,
    /// It fails, and a part is done: half of a write, all of anything else.
    FailsDone,
    /// The power goes before it.
    CutBefore,
    /// The power goes in it: half of a write is done, all of anything else.
    CutWithin,
}

/// What is on the disk: what programs see, and what is sure to be there after a cut.
#[derive(Default)]
struct State {
    /// File numbers by name, as programs see them.
    names: BTreeMap<&'static str, usize>,
    /// The changes of names that are not durable yet, oldest first, as a journal keeps them.
    journal: Vec<BTreeMap<&'static str, usize>>,
    durable_names: BTreeMap<&'static str, usize>,
    /// By file number: what programs see, and what is durable.
    files: Vec<(Vec<u8>, Vec<u8>)>,
    log: Vec<Step>,
    fault: Option<(usize, Fault)>,
    /// What a step that fails answers, as the system's number, and whether all steps behind it do.
    answer: Option<(i32, bool)>,
    is_dead: bool,
}

impl State {
    /// Counts a step; whether all of it, half, or nothing is done, and whether it succeeds.
    fn step(&mut self, step: Step) -> (Done, io::Result<()>) {
        if self.is_dead {
            return (Done::Nothing, Err(io::Error::other("no power")));
        }
        let at = self.log.len();
        self.log.push(step);
        let failed = || {
            Err(match self.answer {
                Some((number, _)) => io::Error::from_raw_os_error(number),
                None => io::Error::other("the step fails"),
            })
        };
        let lasts = self.answer.is_some_and(|(_, lasts)| lasts);
        match self.fault {
            Some((chosen, fault)) if chosen == at || (lasts && chosen < at) => {
                self.is_dead = matches!(fault, Fault::CutBefore | Fault::CutWithin);
                match fault {
                    Fault::Fails | Fault::CutBefore => (Done::Nothing, failed()),
                    Fault::FailsDone | Fault::CutWithin => (Done::Half, failed()),
                }
            }
            _ => (Done::All, Ok(())),
        }
    }

    fn rename_names(&mut self, change: impl FnOnce(&mut BTreeMap<&'static str, usize>)) {
        change(&mut self.names);
        self.journal.push(self.names.clone());
    }

    /// What the file may hold after a cut, by every way in which what is not durable may be lost.
    fn after_cut(&self) -> Vec<Option<Vec<u8>>> {
        let names = std::iter::once(&self.durable_names).chain(&self.journal);
        names
            .flat_map(|names| match names.get("machine.sav") {
                None => vec![None],
                Some(&file) => {
                    let (seen, durable) = &self.files[file];
                    let torn = seen[..seen.len() / 2].to_vec();
                    vec![Some(durable.clone()), Some(seen.clone()), Some(torn), Some(vec![0; seen.len()])]
                        .into_iter()
                        .take(if seen == durable { 1 } else { 4 })
                        .collect()
                }
            })
            .collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    Nothing,
    Half,
    All,
}

#[derive(Clone, Default)]
struct Disk(Rc<RefCell<State>>);

struct Temporary {
    disk: Disk,
    number: usize,
    position: usize,
    is_renamed: bool,
}

impl Folder for Disk {
    type File = Temporary;

    fn create(&mut self) -> io::Result<Temporary> {
        let mut state = self.0.borrow_mut();
        let (done, result) = state.step(Step::Create);
        let number = state.files.len();
        state.files.push(Default::default());
        if done != Done::Nothing {
            state.rename_names(|names| _ = names.insert(".machine.sav.tmp", number));
        }
        let is_renamed = result.is_err();
        drop(state);
        let file = Temporary { disk: self.clone(), number, position: 0, is_renamed };
        result.map(|()| file)
    }

    fn check_old(&mut self) -> io::Result<()> {
        self.0.borrow_mut().step(Step::CheckOld).1
    }

    fn keep_owner(&mut self, _: &mut Temporary) -> io::Result<()> {
        self.0.borrow_mut().step(Step::Owner).1
    }

    fn keep_permissions(&mut self, _: &mut Temporary) -> io::Result<()> {
        self.0.borrow_mut().step(Step::Permissions).1
    }

    fn check_new(&mut self, _: &mut Temporary) -> io::Result<()> {
        self.0.borrow_mut().step(Step::CheckNew).1
    }

    fn sync(&mut self, file: &mut Temporary) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        let (done, result) = state.step(Step::Sync);
        if done != Done::Nothing {
            let (seen, durable) = &mut state.files[file.number];
            durable.clone_from(seen);
        }
        result
    }

    fn rename(&mut self, file: &mut Temporary) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        let (done, result) = state.step(Step::Rename);
        if done != Done::Nothing {
            state.rename_names(|names| {
                names.remove(".machine.sav.tmp");
                names.insert("machine.sav", file.number);
            });
            file.is_renamed = true;
        }
        drop(state);
        result
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        let (done, result) = state.step(Step::SyncFolder);
        if done != Done::Nothing {
            state.durable_names = state.names.clone();
            state.journal.clear();
        }
        result
    }
}

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.0.borrow_mut();
        let (done, result) = state.step(Step::Write);
        let written = match done {
            Done::Nothing => 0,
            Done::Half => bytes.len() / 2,
            Done::All => bytes.len(),
        };
        let (seen, _) = &mut state.files[self.number];
        seen.resize(seen.len().max(self.position + written), 0);
        seen[self.position..self.position + written].copy_from_slice(&bytes[..written]);
        self.position += written;
        result.map(|()| written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Temporary {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.disk.0.borrow_mut().step(Step::Seek).1?;
        let SeekFrom::Start(at) = to else { panic!("a save seeks from the start") };
        self.position = at as usize;
        Ok(at)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_renamed {
            let mut state = self.disk.0.borrow_mut();
            let (done, _) = state.step(Step::Remove);
            if done != Done::Nothing {
                state.rename_names(|names| _ = names.remove(".machine.sav.tmp"));
            }
        }
    }
}

struct Ram(Vec<u8>);

impl Unit for Ram {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(&self.0)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(&mut self.0)
    }
}

const OLD: &[u8] = b"the old state";

/// Saves over the old state, or where there is none, with a fault or without.
fn save(format: SaveFormat, has_old: bool, fault: Option<(usize, Fault)>) -> (Result<u64, crate::Error>, Disk) {
    save_with(format, has_old, fault, None, 150_000)
}

/// Saves two units of some bytes, with a fault that gives an answer of the system, once or from there on.
fn save_with(
    format: SaveFormat,
    has_old: bool,
    fault: Option<(usize, Fault)>,
    answer: Option<(i32, bool)>,
    len: u32,
) -> (Result<u64, crate::Error>, Disk) {
    let mut disk = Disk::default();
    let mut state = disk.0.borrow_mut();
    state.answer = answer;
    if has_old {
        state.files.push((OLD.to_vec(), OLD.to_vec()));
        state.names.insert("machine.sav", 0);
        state.durable_names = state.names.clone();
    }
    state.fault = fault;
    drop(state);
    // Larger than the buffer, so that there are several writes.
    let mut machine = Ram((0..len).map(|i| (i / 7) as u8).collect());
    let units = ["a", "b"].map(|name| Entry::new(name, |machine: &mut Ram, _| machine));
    let units = Units::new(&units);
    let options = SaveOptions { format, codec: Codec::Store, ..SaveOptions::default() };
    let result = replace(&mut disk, Path::new("machine.sav"), |file| save_into(file, &mut machine, &units, options));
    (result, disk)
}

#[test]
fn every_step_fails_or_is_the_last() {
    let mut cases = 0;
    for format in [SaveFormat::V1_2, SaveFormat::V2_0] {
        let (result, disk) = save(format, true, None);
        result.unwrap();
        let (steps, new) = {
            let state = disk.0.borrow();
            (state.log.len(), state.files[state.names["machine.sav"]].0.clone())
        };
        for has_old in [true, false] {
            let old = has_old.then(|| OLD.to_vec());
            // One more than there are: a removal after a failure is a step too.
            for at in 0..=steps {
                for fault in [Fault::Fails, Fault::FailsDone, Fault::CutBefore, Fault::CutWithin] {
                    let (result, disk) = save(format, has_old, Some((at, fault)));
                    let state = disk.0.borrow();
                    let what = format!("{fault:?} at step {at} {:?} of {format:?}", state.log.get(at));
                    let seen = state.names.get("machine.sav").map(|file| state.files[*file].0.clone());
                    assert!(seen == old || seen.as_deref() == Some(&new[..]), "{what}");
                    for left in state.after_cut() {
                        assert!(left == old || left.as_deref() == Some(&new[..]), "{what}");
                    }
                    match state.log.get(at) {
                        None => assert!(result.is_ok(), "{what}"),
                        // Whether these succeed does not matter to the state.
                        Some(Step::CheckOld | Step::Owner | Step::Permissions) if !state.is_dead => {
                            assert!(result.is_ok() && seen.as_deref() == Some(&new[..]), "{what}");
                        }
                        Some(step) => {
                            assert!(result.is_err(), "{what}");
                            let behind =
                                matches!(step, Step::SyncFolder) || (*step == Step::Rename && fault != Fault::Fails);
                            assert!(behind || seen == old, "{what}: an error, and yet the new state");
                        }
                    }
                    // Nothing else is left behind, unless the power went.
                    let removed = state.names.keys().all(|name| *name == "machine.sav");
                    assert!(state.is_dead || removed || state.log.get(at) == Some(&Step::Create), "{what}");
                    cases += 1;
                }
            }
        }
    }
    assert!(cases > 150, "{cases}");
}

#[test]
fn the_order_of_what_is_made_durable() {
    for format in [SaveFormat::V1_2, SaveFormat::V2_0] {
        let (_, disk) = save(format, true, None);
        let log = disk.0.borrow().log.clone();
        assert_eq!(log[..5], [Step::CheckOld, Step::Create, Step::Owner, Step::Permissions, Step::CheckNew]);
        assert_eq!(log[log.len() - 3..], [Step::Sync, Step::Rename, Step::SyncFolder]);
        let written = &log[5..log.len() - 3];
        assert!(written.iter().all(|step| matches!(step, Step::Write | Step::Seek)));
        assert!(written.iter().filter(|step| **step == Step::Write).count() > 2);
    }
}

/// The test's disk does lose what was not made durable.
#[test]
fn without_sync_the_state_may_be_lost() {
    let (_, disk) = save(SaveFormat::V2_0, true, None);
    let mut state = disk.0.borrow_mut();
    let number = state.names["machine.sav"];
    state.files[number].1.clear();
    assert!(state.after_cut().contains(&Some(Vec::new())));
}
