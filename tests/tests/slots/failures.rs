//! Closures, operations and cells that fail.

use super::{Nor, find, mount};
use embedded_io::Write;
use ssm_core::{CommitError, EraseError, RollbackError, SlotFault};
use ssm_tests::flash::Fault;

#[test]
fn no_way_back_to_a_damaged_state() {
    let mut flash = Nor::blank(2048);
    let mut slots = mount(&mut flash, 2);
    let one = slots.save(|out| out.write_all(b"one")).unwrap();
    let two = slots.save(|out| out.write_all(b"two")).unwrap();
    assert_eq!((slots.is_whole(&one), slots.is_whole(&two)), (true, true));
    flash.flip(56, 1);
    let mut slots = mount(&mut flash, 2);
    assert_eq!((slots.slot(0), slots.is_whole(&one)), (Some(one), false));
    assert_eq!(slots.rollback(), Err(RollbackError::NoPrevious));
    assert_eq!(slots.latest(), Some(two));
    assert_eq!((slots.slot(2), slots.slot(255)), (None, None));
}

#[test]
fn a_failing_closure_leaves_the_state_before() {
    let mut flash = Nor::blank(2048);
    let mut slots = mount(&mut flash, 2);
    let one = slots.save(|out| out.write_all(b"one")).unwrap();
    for len in [0, 3, 64, 500] {
        let failed = slots.save(|out| {
            out.write_all(&vec![0; len]).unwrap();
            Err::<(), _>("no more")
        });
        assert_eq!(failed, Err(CommitError::Save("no more")));
        assert_eq!((slots.latest(), find(&mut slots)), (Some(one), Some(b"one".to_vec())));
    }
    assert_eq!(mount(&mut flash, 2).latest(), Some(one));
}

#[test]
fn a_closure_that_fails_before_anything_was_written_costs_no_erase() {
    let mut flash = Nor::blank(2048);
    let mut slots = mount(&mut flash, 2);
    for _ in 0..3 {
        let failed = slots.save(|out| out.write_all(b"waiting").map_err(|_| ()).and(Err::<(), ()>(())));
        assert_eq!(failed, Err(CommitError::Save(())));
    }
    slots.save(|out| out.write_all(b"at last")).unwrap();
    assert_eq!(slots.into_inner().counts().erases, 1);
}

#[test]
fn a_closure_that_panics_leaves_the_state_before() {
    let mut flash = Nor::blank(2048);
    let mut slots = mount(&mut flash, 2);
    let one = slots.save(|out| out.write_all(b"one")).unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        slots.save(|out| -> Result<(), ()> {
            out.write_all(&[7; 300]).unwrap();
            std::panic::resume_unwind(Box::new(()))
        })
    }));
    assert!(panicked.is_err());
    assert_eq!((slots.latest(), find(&mut slots)), (Some(one), Some(b"one".to_vec())));
    slots.save(|out| out.write_all(b"two")).unwrap();
    assert_eq!(find(&mut slots), Some(b"two".to_vec()));
}

/// Makes the operation with this number break, counted from behind a mount.
fn break_behind_mount(flash: &mut Nor, call: u64) {
    let before = flash.counts().reads;
    mount(flash, 2);
    let reads = flash.counts().reads - before;
    flash.break_at(reads + call);
}

#[test]
fn every_operation_of_a_save_that_fails_leaves_the_state_before() {
    let mut start = Nor::holding([0x5a; 2048]);
    mount(&mut start, 2).save(|out| out.write_all(&[1; 100])).unwrap();
    mount(&mut start, 2).save(|out| out.write_all(&[2; 200])).unwrap();
    let (mut failures, mut committed, mut repeated) = (0, 0, 0);
    for call in 0.. {
        let mut flash = start.clone();
        break_behind_mount(&mut flash, call);
        let mut slots = mount(&mut flash, 2);
        let two = slots.latest();
        let error = match slots.save(|out| out.write_all(&[3; 300])) {
            Err(error) => error,
            Ok(saved) => {
                assert_eq!((slots.latest(), find(&mut slots)), (Some(saved), Some(vec![3; 300])));
                if flash.is_breaking() {
                    break;
                }
                // A read that failed was made once more.
                repeated += 1;
                continue;
            }
        };
        let fault = SlotFault::Flash(Fault::Broken);
        assert!(matches!(error, CommitError::Worn { slot: 0, fault: found } if found == fault), "{error:?}");
        assert_eq!((slots.latest(), find(&mut slots)), (two, Some(vec![2; 200])));
        // After a restart the new one counts if only its confirmation failed.
        let mut restarted = slots.into_inner().clone();
        let found = find(&mut mount(&mut restarted, 2)).unwrap();
        assert!(found == [2; 200] || found == [3; 300]);
        committed += u32::from(found == [3; 300]);
        failures += 1;
        for flash in [&mut restarted, &mut flash] {
            mount(flash, 2).save(|out| out.write_all(&[4; 400])).unwrap();
            assert_eq!(find(&mut mount(flash, 2)), Some(vec![4; 400]));
        }
    }
    // An erase, six pages and a record; reads before and behind them.
    assert!((failures, committed) == (8, 0) && repeated > 20, "{committed} of {failures}, {repeated}");
}

#[test]
fn after_a_failure_the_same_mount_goes_on() {
    let mut start = Nor::holding([0x5a; 2048]);
    mount(&mut start, 2).save(|out| out.write_all(&[1; 100])).unwrap();
    for call in 0..20 {
        let mut flash = start.clone();
        break_behind_mount(&mut flash, call);
        let mut slots = mount(&mut flash, 2);
        // It succeeds where what broke was a read.
        let _ = slots.save(|out| out.write_all(&[2; 300]));
        let saved = slots.save(|out| out.write_all(&[3; 300])).unwrap();
        assert_eq!(find(&mut slots), Some(vec![3; 300]));
        assert_eq!(mount(&mut flash, 2).latest(), Some(saved));
    }
}

#[test]
fn every_read_of_a_mount_that_fails_is_made_once_more() {
    let mut start = Nor::holding([0x5a; 2048]);
    let saved = mount(&mut start, 2).save(|out| out.write_all(&[1; 100])).unwrap();
    for call in 0.. {
        let mut flash = start.clone();
        flash.break_at(call);
        let slots = mount(&mut flash, 2);
        assert_eq!(slots.latest(), Some(saved));
        if slots.into_inner().is_breaking() {
            assert!(call > 2);
            break;
        }
    }
}

#[test]
fn a_rollback_that_fails_leaves_one_or_the_other() {
    let mut start = Nor::holding([0x5a; 2048]);
    mount(&mut start, 2).save(|out| out.write_all(&[1; 100])).unwrap();
    mount(&mut start, 2).save(|out| out.write_all(&[2; 200])).unwrap();
    for call in 0.. {
        let mut flash = start.clone();
        break_behind_mount(&mut flash, call);
        let mut slots = mount(&mut flash, 2);
        let rolled_back = slots.rollback();
        if rolled_back.is_ok() {
            if slots.into_inner().is_breaking() {
                break;
            }
            continue;
        }
        let fault = SlotFault::Flash(Fault::Broken);
        assert_eq!(rolled_back, Err(RollbackError::Worn { slot: 1, fault }));
        let found = find(&mut slots).unwrap();
        assert!(found == [1; 100] || found == [2; 200]);
        let mut restarted = slots.into_inner().clone();
        let found = find(&mut mount(&mut restarted, 2)).unwrap();
        assert!(found == [1; 100] || found == [2; 200]);
        // The way back may be tried again, or a save.
        let _ = mount(&mut restarted, 2).rollback();
        assert_eq!(find(&mut mount(&mut restarted, 2)), Some(vec![1; 100]));
        mount(&mut flash, 2).save(|out| out.write_all(&[3; 300])).unwrap();
        assert_eq!(find(&mut mount(&mut flash, 2)), Some(vec![3; 300]));
    }
}

#[test]
fn cells_that_do_not_hold_are_noticed() {
    for (offset, mask, before) in [(1024 + 10, 1, 0xfe), (1024 + 60, 0x80, 0x00)] {
        let mut flash = Nor::blank(2048);
        mount(&mut flash, 2).save(|out| out.write_all(b"one")).unwrap();
        // A cell that is 0 and stays: found behind the erase.
        let mut stuck = flash.clone();
        stuck.flip(offset, !before);
        stuck.stick(offset, mask);
        let mut slots = mount(&mut stuck, 2);
        let error = slots.save(|out| out.write_all(&[0xaa; 100])).unwrap_err();
        let fault = SlotFault::NotErased { offset };
        assert!(matches!(error, CommitError::Worn { slot: 1, fault: found } if found == fault), "{error:?}");
        assert_eq!(slots.prepare(), Err(EraseError::Worn { slot: 1, fault }));
        assert_eq!(find(&mut slots), Some(b"one".to_vec()));
        // One that is 1 and stays: found when it is read back.
        let mut stuck = flash.clone();
        stuck.stick(offset, 0xff);
        let mut slots = mount(&mut stuck, 2);
        let error = slots.save(|out| out.write_all(&[0x55; 100])).unwrap_err();
        let fault = SlotFault::Mismatch;
        assert!(matches!(error, CommitError::Worn { slot: 1, fault: found } if found == fault), "{error:?}");
        assert_eq!(find(&mut slots), Some(b"one".to_vec()));
        assert_eq!(find(&mut mount(&mut stuck, 2)), Some(b"one".to_vec()));
    }
}
