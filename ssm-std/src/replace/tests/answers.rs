//! Every answer of the system at every step of a save, and what becomes of the save.

use super::{Fault, OLD, Step, save_with};
use crate::SaveFormat;
use rustix::io::Errno;

/// Bytes of a unit: enough for three writes.
const LEN: u32 = 35_000;

/// What becomes of a save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It succeeds.
    Saved,
    /// It fails, and the old state is there.
    Failed,
    /// It fails, and the new state is there, but might not outlive a power cut.
    NotDurable,
}

/// The steps of the columns below.
const STEPS: [Step; 10] = [
    Step::CheckOld,
    Step::Create,
    Step::Owner,
    Step::Permissions,
    Step::CheckNew,
    Step::Write,
    Step::Seek,
    Step::Sync,
    Step::Rename,
    Step::SyncFolder,
];

/// For each answer one letter for each step: `+` saved, `-` failed, `!` not durable.
#[rustfmt::skip]
const TABLE: [(Errno, &str); 37] = [
    //                      may the old be written
    //                      | create
    //                      | | owner
    //                      | | | permissions
    //                      | | | | not more open
    //                      | | | | | write
    //                      | | | | | | seek
    //                      | | | | | | | sync
    //                      | | | | | | | | rename
    //                      | | | | | | | | | sync of the folder
    // Not allowed: a state that is read-only, or a folder that may not be listed.
    (Errno::PERM,          "- - + + - - - - - +"),
    (Errno::ACCESS,        "- - + + - - - - - +"),
    // Only to be read: nothing is durable there.
    (Errno::ROFS,          "- - + + - - - - - !"),
    // The file system has no such operation.
    (Errno::INVAL,         "+ - + + - - - + - +"),
    (Errno::NOSYS,         "+ - + + - - - + - +"),
    (Errno::NOTSUP,        "+ - + + - - - + - +"),
    (Errno::OPNOTSUPP,     "+ - + + - - - + - +"),
    (Errno::BADF,          "+ - + + - - - - - +"),
    (Errno::ISDIR,         "+ - + + - - - - - +"),
    // A signal came between; the step is done again.
    (Errno::INTR,          "+ + + + + + - + + +"),
    // Everything else fails where the state is at stake.
    (Errno::IO,            "+ - + + - - - - - !"),
    (Errno::NOSPC,         "+ - + + - - - - - !"),
    (Errno::DQUOT,         "+ - + + - - - - - !"),
    (Errno::FBIG,          "+ - + + - - - - - !"),
    (Errno::MFILE,         "+ - + + - - - - - !"),
    (Errno::NFILE,         "+ - + + - - - - - !"),
    (Errno::NOMEM,         "+ - + + - - - - - !"),
    (Errno::NOBUFS,        "+ - + + - - - - - !"),
    (Errno::BUSY,          "+ - + + - - - - - !"),
    (Errno::TXTBSY,        "+ - + + - - - - - !"),
    (Errno::AGAIN,         "+ - + + - - - - - !"),
    (Errno::DEADLK,        "+ - + + - - - - - !"),
    (Errno::NOLCK,         "+ - + + - - - - - !"),
    (Errno::NOENT,         "+ - + + - - - - - !"),
    (Errno::NOTDIR,        "+ - + + - - - - - !"),
    (Errno::EXIST,         "+ - + + - - - - - !"),
    (Errno::XDEV,          "+ - + + - - - - - !"),
    (Errno::NAMETOOLONG,   "+ - + + - - - - - !"),
    (Errno::LOOP,          "+ - + + - - - - - !"),
    (Errno::NXIO,          "+ - + + - - - - - !"),
    (Errno::NODEV,         "+ - + + - - - - - !"),
    (Errno::PIPE,          "+ - + + - - - - - !"),
    (Errno::OVERFLOW,      "+ - + + - - - - - !"),
    (Errno::STALE,         "+ - + + - - - - - !"),
    (Errno::NOTCONN,       "+ - + + - - - - - !"),
    (Errno::HOSTDOWN,      "+ - + + - - - - - !"),
    (Errno::TIMEDOUT,      "+ - + + - - - - - !"),
];

fn outcome(row: &str, step: Step) -> Outcome {
    let letters: Vec<_> = row.split(' ').collect();
    assert_eq!(letters.len(), STEPS.len());
    match letters[STEPS.iter().position(|column| *column == step).unwrap()] {
        "+" => Outcome::Saved,
        "-" => Outcome::Failed,
        "!" => Outcome::NotDurable,
        other => panic!("{other}"),
    }
}

/// The steps of a save that succeeds, and its state.
fn sound(format: SaveFormat) -> (Vec<Step>, Vec<u8>) {
    let (result, disk) = save_with(format, true, None, None, LEN);
    result.unwrap();
    let state = disk.0.borrow();
    (state.log.clone(), state.files[state.names["machine.sav"]].0.clone())
}

#[test]
fn every_answer_at_every_step() {
    let mut tried = 0;
    for format in [SaveFormat::V1_2, SaveFormat::V2_0] {
        let (steps, new) = sound(format);
        for (errno, row) in TABLE {
            for (at, step) in steps.iter().enumerate() {
                // The first and the last of several writes.
                if *step == Step::Write && steps[at - 1] == Step::Write && steps[at + 1] == Step::Write {
                    continue;
                }
                for (has_old, fault) in [(true, Fault::Fails), (false, Fault::Fails), (true, Fault::FailsDone)] {
                    // A write that was interrupted behind a part of its bytes says how many these are.
                    if (errno, *step, fault) == (Errno::INTR, Step::Write, Fault::FailsDone) {
                        continue;
                    }
                    let answer = (errno.raw_os_error(), false);
                    let (result, disk) = save_with(format, has_old, Some((at, fault)), Some(answer), LEN);
                    let state = disk.0.borrow();
                    let what = format!("{errno:?} at step {at}, {step:?}, {fault:?}, {format:?}, {result:?}");
                    let seen = state.names.get("machine.sav").map(|file| &state.files[*file].0[..]);
                    let mut wanted = outcome(row, *step);
                    if (*step, fault, wanted) == (Step::Rename, Fault::FailsDone, Outcome::Failed) {
                        // It was done, whatever the system says.
                        wanted = Outcome::NotDurable;
                    }
                    assert_eq!(result.is_ok(), wanted == Outcome::Saved, "{what}");
                    let kept = if wanted == Outcome::Failed { has_old.then_some(OLD) } else { Some(&new[..]) };
                    assert!(seen == kept, "{what}");
                    if let Err(error) = &result {
                        // The system's words and number, and the file.
                        let words = std::io::Error::from_raw_os_error(errno.raw_os_error()).to_string();
                        assert!(error.to_string().contains(&words), "{what}");
                        assert!(words.ends_with(&format!("(os error {})", errno.raw_os_error())), "{what}");
                        assert!(error.to_string().starts_with("machine.sav: "), "{what}");
                        assert!(error.is_io(), "{what}");
                    }
                    let is_alone = state.names.keys().all(|name| *name == "machine.sav");
                    assert!(is_alone || (*step, fault) == (Step::Create, Fault::FailsDone), "{what}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 2000, "{tried}");
}

/// A disk that goes away in the middle answers so from there on.
#[test]
fn every_answer_from_every_step_on() {
    for format in [SaveFormat::V1_2, SaveFormat::V2_0] {
        let (steps, new) = sound(format);
        for (errno, row) in TABLE {
            // The buffer repeats interrupted writes for ever, as std does.
            if errno == Errno::INTR {
                continue;
            }
            for at in 0..steps.len() {
                let answer = (errno.raw_os_error(), true);
                let (result, disk) = save_with(format, true, Some((at, Fault::Fails)), Some(answer), LEN);
                let state = disk.0.borrow();
                let what = format!("{errno:?} from step {at}, {:?}, {format:?}, {result:?}", steps[at]);
                let seen = &state.files[state.names["machine.sav"]].0[..];
                let outcomes: Vec<_> = steps[at..].iter().map(|step| outcome(row, *step)).collect();
                let is_new = !outcomes.contains(&Outcome::Failed);
                assert!(seen == if is_new { &new[..] } else { OLD }, "{what}");
                let is_ok = outcomes.iter().all(|outcome| *outcome == Outcome::Saved);
                assert_eq!(result.is_ok(), is_ok, "{what}");
            }
        }
    }
}

/// A step that is interrupted again and again fails at last, with the old state in place.
#[test]
fn interrupted_for_ever() {
    let steps = sound(SaveFormat::V2_0).0;
    for (at, step) in steps.iter().enumerate().filter(|(_, step)| **step != Step::Write) {
        if matches!(step, Step::CheckOld | Step::Owner | Step::Permissions) {
            // These do not matter, and the steps behind them are tried by themselves.
            continue;
        }
        let answer = (Errno::INTR.raw_os_error(), true);
        let (result, disk) = save_with(SaveFormat::V2_0, true, Some((at, Fault::Fails)), Some(answer), LEN);
        let state = disk.0.borrow();
        if matches!(step, Step::CheckNew | Step::Create | Step::Sync | Step::Rename) {
            assert!(state.files[state.names["machine.sav"]].0 == OLD, "{step:?}");
        }
        let words = result.unwrap_err().to_string();
        assert!(words.contains("os error 4"), "{step:?}: {words}");
    }
}
