//! Slots on NOR flash as their users see them: save, find, go back, erase; what fails leaves the state before.

use embedded_io::{Read, Seek, SeekFrom, Write};
use embedded_storage::nor_flash::{NorFlash, NorFlashErrorKind};
use proptest::prelude::*;
use ssm_core::{
    Archive, CommitError, Crc32Bytewise, EraseError, FlashError, Loader, MountError, ReadError, RollbackError, Saved,
    Slots, UnitId,
};
use ssm_tests::flash::{Fault, Flash};
use ssm_tests::machine::{Machine, Packing, UNITS};
use std::ops::Range;

type Nor = Flash<1, 4, 256>;
type Mounted<'f, F> = Slots<&'f mut F, [u8; 64], Crc32Bytewise>;

fn mount<F: NorFlash>(flash: &mut F, count: u8) -> Mounted<'_, F> {
    let range = 0..flash.capacity() as u32;
    mount_range(flash, range, count)
}

fn mount_range<F: NorFlash>(flash: &mut F, range: Range<u32>, count: u8) -> Mounted<'_, F> {
    Slots::mount_with(flash, range, count, [0; 64], Crc32Bytewise).unwrap()
}

fn content<F: NorFlash>(slots: &mut Mounted<'_, F>, saved: &Saved) -> Vec<u8> {
    let mut bytes = vec![0; saved.len() as usize];
    slots.read(saved).unwrap().read_exact(&mut bytes).unwrap();
    bytes
}

fn find<F: NorFlash>(slots: &mut Mounted<'_, F>) -> Option<Vec<u8>> {
    let latest = slots.latest()?;
    Some(content(slots, &latest))
}

#[test]
fn a_state_is_found_again() {
    let mut flash = Nor::holding([0x5a; 2048]);
    let slots = mount(&mut flash, 2);
    assert_eq!((slots.latest(), slots.count(), slots.capacity()), (None, 2, 1024 - 56));
    for number in 1..=5 {
        let bytes = vec![number; usize::from(number) * 100];
        let saved = mount(&mut flash, 2).save(|out| out.write_all(&bytes)).unwrap();
        assert_eq!((saved.generation(), saved.slot()), (u64::from(number), (number - 1) % 2));
        let mut slots = mount(&mut flash, 2);
        assert_eq!((slots.latest(), find(&mut slots)), (Some(saved), Some(bytes)));
    }
}

#[test]
fn a_file_is_loaded_from_its_slot() {
    let mut machine = Machine::new(3000, 1);
    let file = machine.save(Packing::SmallLzf.encoder().as_mut(), 200);
    let mut flash = Flash::<8, 8, 2048>::blank(8 * 2048);
    let mut slots = mount(&mut flash, 2);
    let saved = slots.save_sized(file.len() as u64, |out| file.chunks(7).try_for_each(|piece| out.write_all(piece)));
    let saved = saved.unwrap();
    for scratch in [1, 50, 4096] {
        let mut loaded = machine.blank();
        let medium = slots.read(&saved).unwrap();
        Loader::new(medium, ssm_std::decoder(), &mut vec![0; scratch]).load(&mut loaded, &UNITS).unwrap();
        assert!(loaded.same_state(&machine));
    }
    let medium = slots.read(&saved).unwrap();
    let mut archive = Archive::open(medium, ssm_std::decoder(), [0; 300]).unwrap();
    assert_eq!(archive.file_len(), file.len() as u64);
    assert_eq!(archive.seek(UnitId::new("timer", 1)).unwrap().read(|get| get.u16()).unwrap(), {
        let mut file = Archive::open(ssm_core::Memory::holding(&file[..]), ssm_std::decoder(), [0; 300]).unwrap();
        file.seek(UnitId::new("timer", 1)).unwrap().read(|get| get.u16()).unwrap()
    });
}

#[test]
fn seeks_reach_every_byte() {
    let mut flash = Flash::<5, 3, 500>::blank(2000);
    let mut slots = mount(&mut flash, 2);
    let bytes: Vec<u8> = (0..700).map(|at| (at * 7 % 251) as u8).collect();
    let saved = slots.save(|out| out.write_all(&bytes)).unwrap();
    let mut reader = slots.read(&saved).unwrap();
    assert_eq!((reader.len(), reader.is_empty()), (700, false));
    for stride in [1, 63, 64, 101, 699] {
        for at in (0..700).step_by(stride) {
            for len in [1, 4, 60, 64, 65, 200, 700] {
                let mut into = vec![0; len.min(700 - at)];
                assert_eq!(reader.seek(SeekFrom::Start(at as u64)), Ok(at as u64));
                reader.read_exact(&mut into).unwrap();
                assert_eq!(into, bytes[at..at + into.len()], "{len} bytes at {at}");
            }
        }
    }
    assert_eq!(reader.seek(SeekFrom::End(-1)), Ok(699));
    assert_eq!((reader.read(&mut []), reader.read(&mut [0; 9]), reader.read(&mut [0; 9])), (Ok(0), Ok(1), Ok(0)));
    assert_eq!(reader.seek(SeekFrom::Current(-701)), Err(FlashError::Position));
    for beyond in [701, 1 << 32, (1 << 32) + 5, u64::MAX] {
        assert_eq!(reader.seek(SeekFrom::Start(beyond)), Ok(beyond));
        assert_eq!(reader.read(&mut [0; 9]), Ok(0));
    }
}

#[test]
fn prepare_leaves_nothing_to_erase() {
    let mut flash = Nor::holding([0; 2048]);
    for number in 0..4 {
        let mut slots = mount(&mut flash, 2);
        slots.prepare().unwrap();
        slots.prepare().unwrap();
        let erased = slots.into_inner().counts().erases;
        assert_eq!(erased, number + 1, "the second one has nothing to do");
        let mut slots = mount(&mut flash, 2);
        slots.prepare().unwrap();
        slots.save(|out| out.write_all(&[1; 500])).unwrap();
        let counts = slots.into_inner().counts();
        assert_eq!(counts.erases, number + 2, "a new mount does not know, and erases");
        flash.reset_counts();
        (0..=number).for_each(|_| mount(&mut flash, 2).prepare().unwrap());
    }
}

#[test]
fn with_two_slots_prepare_gives_up_the_way_back() {
    let mut flash = Nor::blank(2048);
    let mut slots = mount(&mut flash, 2);
    slots.save(|out| out.write_all(b"one")).unwrap();
    let two = slots.save(|out| out.write_all(b"two")).unwrap();
    assert_eq!(slots.previous().unwrap().map(|saved| saved.generation()), Some(1));
    slots.prepare().unwrap();
    assert_eq!(slots.previous(), Ok(None));
    assert_eq!(slots.rollback(), Err(RollbackError::NoPrevious));
    assert_eq!(slots.latest(), Some(two));
}

#[test]
fn rollback_step_by_step() {
    let mut flash = Nor::blank(2048);
    let mut slots = mount(&mut flash, 4);
    let saves: Vec<Saved> = (1..=6u8).map(|number| slots.save(|out| out.write_all(&[number; 30])).unwrap()).collect();
    for at in [4, 3, 2] {
        assert_eq!(slots.previous(), Ok(Some(saves[at])));
        assert_eq!(slots.rollback(), Ok(saves[at]));
        assert_eq!(slots.read(&saves[at + 1]).map(drop), Err(ReadError::Gone));
        assert_eq!(find(&mut slots), Some(vec![at as u8 + 1; 30]));
    }
    assert_eq!(slots.rollback(), Err(RollbackError::NoPrevious));
    let erases = slots.into_inner().counts().erases;
    let mut slots = mount(&mut flash, 4);
    assert_eq!(slots.latest(), Some(saves[2]));
    slots.save(|out| out.write_all(b"on")).unwrap();
    slots.rollback().unwrap();
    let again = slots.save(|out| out.write_all(b"again")).unwrap();
    assert_eq!(again.slot(), (saves[2].slot() + 1) % 4);
    assert_eq!(slots.into_inner().counts().erases, erases + 2, "the rollback erased for the save behind it");
    assert_eq!(mount(&mut flash, 4).latest(), Some(again));
}

#[test]
fn no_way_back_to_a_damaged_state() {
    let mut flash = Nor::blank(2048);
    let mut slots = mount(&mut flash, 2);
    let one = slots.save(|out| out.write_all(b"one")).unwrap();
    let two = slots.save(|out| out.write_all(b"two")).unwrap();
    assert_eq!((slots.is_whole(&one), slots.is_whole(&two)), (Ok(true), Ok(true)));
    flash.flip(56, 1);
    let mut slots = mount(&mut flash, 2);
    assert_eq!((slots.slot(0), slots.is_whole(&one)), (Ok(Some(one)), Ok(false)));
    assert_eq!(slots.rollback(), Err(RollbackError::NoPrevious));
    assert_eq!(slots.latest(), Some(two));
    assert_eq!((slots.slot(2), slots.slot(255)), (Ok(None), Ok(None)));
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

#[test]
fn a_state_of_any_size_that_fits() {
    for len in [0, 1, 63, 64, 65, 967, 968] {
        let mut flash = Nor::holding([0; 2048]);
        for number in 0..3 {
            let bytes = vec![number; len];
            let mut slots = mount(&mut flash, 2);
            let saved = slots.save(|out| out.write_all(&bytes)).unwrap();
            assert_eq!((saved.is_empty(), slots.read(&saved).unwrap().is_empty()), (len == 0, len == 0));
            slots.save(|out| out.write_all(&bytes)).unwrap();
            assert_eq!(find(&mut mount(&mut flash, 2)), Some(bytes));
        }
    }
}

/// Saves as much as fits into each slot, and finds it.
fn fills<const R: usize, const W: usize, const E: usize>(len: usize, range: Range<u32>, count: u8, capacity: u32) {
    let mut flash = Flash::<R, W, E>::holding(vec![0; len]);
    for number in 0..2 * count {
        let mut slots = mount_range(&mut flash, range.clone(), count);
        assert_eq!(slots.capacity(), capacity);
        let bytes = vec![number; capacity as usize];
        slots.save(|out| out.write_all(&bytes)).unwrap();
        assert_eq!(find(&mut mount_range(&mut flash, range.clone(), count)), Some(bytes));
        assert!(flash.bytes()[..range.start as usize].iter().all(|byte| *byte == 0), "outside of the range");
        assert!(flash.bytes()[range.end as usize..].iter().all(|byte| *byte == 0), "outside of the range");
    }
}

#[test]
fn every_byte_of_an_uneven_slot() {
    fills::<1, 4, 256>(2048, 512..1536, 2, 512 - 56);
    // The words of the two slots begin at 203 and 301, and are 13 and 14.
    fills::<1, 7, 100>(400, 200..400, 2, 13 * 7 - 56);
    fills::<1, 7, 100>(500, 200..500, 3, 13 * 7 - 56);
    // The last 8 bytes of the flash cannot be read.
    fills::<64, 1, 100>(200, 0..200, 2, 92 - 56);
    // Two blocks are left over.
    fills::<2, 8, 64>(64 * 8, 0..64 * 8, 3, 128 - 56);
}

#[test]
fn no_write_crosses_a_page() {
    let mut flash = Flash::<1, 1, 4096>::blank(8 << 12);
    let mut slots = Slots::mount(&mut flash, 0..8 << 12, [0; 256]).unwrap();
    slots.save(|out| [3; 10_000].chunks(77).try_for_each(|piece| out.write_all(piece))).unwrap();
    let writes: Vec<_> = flash.operations().iter().filter(|operation| !operation.erase).collect();
    assert!(writes.iter().all(|write| write.offset / 256 == (write.offset + write.len - 1) / 256));
    assert_eq!(writes.len(), (10_000usize + 56).div_ceil(256) + 1, "each page once, and the record");
}

#[test]
fn a_state_that_is_too_large() {
    let mut flash = Nor::blank(2048);
    let mut slots = mount(&mut flash, 2);
    let one = slots.save(|out| out.write_all(b"one")).unwrap();
    let two = slots.save(|out| out.write_all(b"two")).unwrap();

    // Known before: nothing is touched.
    let refused = slots.save_sized(969, |_| -> Result<(), ()> { panic!("it was called") });
    assert_eq!(refused, Err(CommitError::TooLarge { capacity: 968 }));
    assert_eq!(slots.save_sized(u64::MAX, |_| Ok::<(), ()>(())), Err(CommitError::TooLarge { capacity: 968 }));
    assert_eq!(slots.previous(), Ok(Some(one)));

    // Found out on the way: the medium takes no more.
    let full = slots.save(|out| {
        let taken = out.write(&[1; 2000]).unwrap();
        assert_eq!((taken, out.write(&[1]), out.write(&[]), out.flush()), (968, Ok(0), Ok(0), Ok(())));
        Err::<(), _>("full")
    });
    assert_eq!(full, Err(CommitError::Save("full")));
    assert_eq!(slots.latest(), Some(two));

    // And nobody looked.
    let ignored = slots.save(|out| {
        while out.write(&[1; 100]).unwrap() > 0 {}
        Ok::<(), ()>(())
    });
    assert_eq!(ignored, Err(CommitError::Incomplete));
    assert_eq!((slots.latest(), find(&mut slots)), (Some(two), Some(b"two".to_vec())));
}

#[test]
fn erase_all_leaves_nothing() {
    let mut flash = Nor::blank(2048);
    let mut slots = mount(&mut flash, 3);
    let one = slots.save(|out| out.write_all(b"one")).unwrap();
    slots.save(|out| out.write_all(b"two")).unwrap();
    slots.erase_all().unwrap();
    assert_eq!((slots.latest(), slots.previous()), (None, Ok(None)));
    assert_eq!(slots.read(&one).map(drop), Err(ReadError::Gone));
    assert_eq!(slots.rollback(), Err(RollbackError::NoPrevious));
    assert_eq!(flash.bytes()[..1536], [0xff; 1536]);
    assert_eq!(mount(&mut flash, 3).latest(), None);

    let mut slots = mount(&mut flash, 3);
    slots.erase_all().unwrap();
    slots.save(|out| out.write_all(b"three")).unwrap();
    assert_eq!(slots.into_inner().counts().erases, 2 + 3 + 3, "what erased all need not be erased again");
}

#[test]
fn erases_are_even_over_the_slots() {
    for count in [2, 3, 7] {
        let mut flash = Nor::holding(vec![0; usize::from(count) * 512]);
        for number in 0..101u8 {
            let mut slots = mount(&mut flash, count);
            if number % 3 == 0 {
                slots.prepare().unwrap();
            }
            slots.save(|out| out.write_all(&[number; 50])).unwrap();
        }
        let erases = flash.erases();
        let (least, most) = (erases.iter().min().unwrap(), erases.iter().max().unwrap());
        assert!(most - least <= 1, "{erases:?}");
        assert_eq!(u64::from(erases.iter().sum::<u32>()), 2 * 101, "one erase for each save");
    }
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
    let mut start = Nor::holding([0; 2048]);
    mount(&mut start, 2).save(|out| out.write_all(&[1; 100])).unwrap();
    mount(&mut start, 2).save(|out| out.write_all(&[2; 200])).unwrap();
    let (mut failures, mut committed) = (0, 0);
    for call in 0.. {
        let mut flash = start.clone();
        break_behind_mount(&mut flash, call);
        let mut slots = mount(&mut flash, 2);
        let two = slots.latest();
        let error = match slots.save(|out| out.write_all(&[3; 300])) {
            Err(error) => error,
            Ok(saved) => {
                assert_eq!(slots.latest(), Some(saved));
                assert!(flash.is_breaking());
                break;
            }
        };
        let broken = Fault::Broken;
        assert!(
            error == CommitError::Flash(broken) || error == CommitError::Save(FlashError::Flash(broken)),
            "{error:?}"
        );
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
    assert!(committed > 0 && failures > 20, "{committed} of {failures}");
}

#[test]
fn after_a_failure_the_same_mount_goes_on() {
    let mut start = Nor::holding([0; 2048]);
    mount(&mut start, 2).save(|out| out.write_all(&[1; 100])).unwrap();
    for call in 0..20 {
        let mut flash = start.clone();
        break_behind_mount(&mut flash, call);
        let mut slots = mount(&mut flash, 2);
        slots.save(|out| out.write_all(&[2; 300])).unwrap_err();
        let saved = slots.save(|out| out.write_all(&[3; 300])).unwrap();
        assert_eq!(find(&mut slots), Some(vec![3; 300]));
        assert_eq!(mount(&mut flash, 2).latest(), Some(saved));
    }
}

#[test]
fn every_read_of_a_mount_that_fails_is_reported() {
    let mut start = Nor::holding([0; 2048]);
    mount(&mut start, 2).save(|out| out.write_all(&[1; 100])).unwrap();
    for call in 0.. {
        let mut flash = start.clone();
        flash.break_at(call);
        match Slots::mount(&mut flash, 0..2048, [0; 64]).map(drop) {
            Err(MountError::Flash(Fault::Broken)) => {}
            Ok(()) => {
                assert!(call > 2 && flash.is_breaking());
                break;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_rollback_that_fails_leaves_one_or_the_other() {
    let mut start = Nor::holding([0; 2048]);
    mount(&mut start, 2).save(|out| out.write_all(&[1; 100])).unwrap();
    mount(&mut start, 2).save(|out| out.write_all(&[2; 200])).unwrap();
    for call in 0.. {
        let mut flash = start.clone();
        break_behind_mount(&mut flash, call);
        let mut slots = mount(&mut flash, 2);
        let rolled_back = slots.rollback();
        if rolled_back.is_ok() {
            assert!(flash.is_breaking());
            break;
        }
        assert_eq!(rolled_back, Err(RollbackError::Flash(Fault::Broken)));
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
        assert_eq!(error, CommitError::NotErased { offset });
        assert_eq!(slots.prepare(), Err(EraseError::NotErased { offset }));
        assert_eq!(find(&mut slots), Some(b"one".to_vec()));
        // One that is 1 and stays: found when it is read back.
        let mut stuck = flash.clone();
        stuck.stick(offset, 0xff);
        let mut slots = mount(&mut stuck, 2);
        let error = slots.save(|out| out.write_all(&[0x55; 100])).unwrap_err();
        assert_eq!(error, CommitError::Mismatch);
        assert_eq!(find(&mut slots), Some(b"one".to_vec()));
        assert_eq!(find(&mut mount(&mut stuck, 2)), Some(b"one".to_vec()));
    }
}

#[test]
fn impossible_ranges_and_sizes_are_refused() {
    fn refusal<const R: usize, const W: usize, const E: usize>(
        len: usize,
        range: Range<u32>,
        count: u8,
        buffer: usize,
    ) -> Option<MountError<Fault>> {
        let flash = Flash::<R, W, E>::blank(len);
        Slots::mount_with(flash, range, count, vec![0; buffer], Crc32Bytewise).err()
    }
    let fine = refusal::<1, 4, 256>(1024, 0..1024, 2, 4);
    assert_eq!(fine, None);
    assert_eq!(refusal::<1, 4, 256>(1024, 256..768, 2, 4), None);
    assert_eq!(refusal::<1, 4, 256>(1024, 0..1280, 2, 4), Some(MountError::Range));
    assert_eq!(refusal::<1, 4, 256>(1024, 1..1024, 2, 4), Some(MountError::Range));
    assert_eq!(refusal::<1, 4, 256>(1024, 0..1000, 2, 4), Some(MountError::Range));
    #[allow(clippy::reversed_empty_ranges)]
    let reversed = refusal::<1, 4, 256>(1024, 512..0, 2, 4);
    assert_eq!(reversed, Some(MountError::Range));
    assert_eq!(refusal::<1, 4, 256>(1024, 0..256, 2, 4), Some(MountError::TooSmall));
    assert_eq!(refusal::<1, 4, 256>(1024, 0..0, 2, 4), Some(MountError::TooSmall));
    assert_eq!(refusal::<1, 4, 256>(1024, 0..1024, 5, 4), Some(MountError::TooSmall));
    for count in [0, 1] {
        assert_eq!(refusal::<1, 4, 256>(1024, 0..1024, count, 4), Some(MountError::TooSmall));
    }
    assert_eq!(refusal::<1, 4, 56>(112, 0..112, 2, 4), Some(MountError::TooSmall), "no room for content");
    assert_eq!(refusal::<1, 4, 60>(120, 0..120, 2, 4), None);
    assert_eq!(refusal::<1, 4, 256>(1024, 0..1024, 2, 3), Some(MountError::Buffer { needed: 4 }));
    assert_eq!(refusal::<16, 4, 256>(1024, 0..1024, 2, 15), Some(MountError::Buffer { needed: 16 }));
    assert_eq!(refusal::<1, 256, 256>(512, 0..512, 2, 256), Some(MountError::TooSmall), "the record fills it");
}

/// A flash that claims units of no size.
struct Claims<const R: usize, const W: usize, const E: usize>;

impl<const R: usize, const W: usize, const E: usize> embedded_storage::nor_flash::ErrorType for Claims<R, W, E> {
    type Error = NorFlashErrorKind;
}

impl<const R: usize, const W: usize, const E: usize> embedded_storage::nor_flash::ReadNorFlash for Claims<R, W, E> {
    const READ_SIZE: usize = R;

    fn read(&mut self, _: u32, _: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        Err(NorFlashErrorKind::Other)
    }

    fn capacity(&self) -> usize {
        usize::MAX
    }
}

impl<const R: usize, const W: usize, const E: usize> NorFlash for Claims<R, W, E> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;

    fn erase(&mut self, _: u32, _: u32) -> Result<(), NorFlashErrorKind> {
        Err(NorFlashErrorKind::Other)
    }

    fn write(&mut self, _: u32, _: &[u8]) -> Result<(), NorFlashErrorKind> {
        Err(NorFlashErrorKind::Other)
    }
}

#[test]
fn flash_that_cannot_be_is_refused() {
    let geometry = Some(MountError::Geometry);
    assert_eq!(Slots::mount(Claims::<0, 1, 256>, 0..1024, [0; 64]).err(), geometry);
    assert_eq!(Slots::mount(Claims::<1, 0, 256>, 0..1024, [0; 64]).err(), geometry);
    assert_eq!(Slots::mount(Claims::<1, 1, 0>, 0..1024, [0; 64]).err(), geometry);
    assert_eq!(Slots::mount(Claims::<1, 1, { usize::MAX }>, 0..0, [0; 64]).err(), geometry);
    let failed = Some(MountError::Flash(NorFlashErrorKind::Other));
    // The largest range there is.
    assert_eq!(Slots::mount(Claims::<1, 4, 4096>, 0..u32::MAX - 4095, [0; 64]).err(), failed);
    assert_eq!(Slots::mount(Claims::<3, 5, 1>, 0..u32::MAX, [0; 64]).err(), failed);
}

/// What a user may do between two mounts.
#[derive(Clone, Debug)]
enum Deed {
    Save(Vec<u8>),
    Fail(usize),
    Prepare,
    Rollback,
    EraseAll,
    Remount,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..150);
    let deed = prop_oneof![
        4 => bytes.prop_map(Deed::Save),
        1 => (0..150usize).prop_map(Deed::Fail),
        1 => Just(Deed::Prepare),
        2 => Just(Deed::Rollback),
        1 => Just(Deed::EraseAll),
        3 => Just(Deed::Remount),
    ];
    prop::collection::vec(deed, 1..40)
}

proptest! {
    /// Against a model: a list of states, of which the slots hold the last ones.
    #[test]
    fn any_order_of_deeds(deeds in deeds(), count in 2..6u8) {
        let mut flash = Flash::<2, 8, 128>::holding(vec![0x77; usize::from(count) * 256]);
        let mut states: Vec<Vec<u8>> = Vec::new();
        let mut slots = mount(&mut flash, count);
        let most = usize::from(count);
        for deed in deeds {
            // The slot of the next save holds the oldest state, until it is erased.
            let keep = |states: &mut Vec<Vec<u8>>| drop(states.drain(..states.len().saturating_sub(most - 1)));
            match deed {
                Deed::Save(bytes) => {
                    keep(&mut states);
                    slots.save(|out| out.write_all(&bytes)).unwrap();
                    states.push(bytes);
                }
                Deed::Fail(len) => {
                    keep(&mut states);
                    prop_assert!(slots.save(|out| out.write_all(&vec![0; len]).map_err(|_| ()).and(Err::<(), ()>(()))).is_err());
                }
                Deed::Prepare => {
                    keep(&mut states);
                    slots.prepare().unwrap();
                }
                Deed::Rollback => {
                    prop_assert_eq!(slots.rollback().is_ok(), states.len() > 1);
                    if states.len() > 1 {
                        states.pop();
                    }
                }
                Deed::EraseAll => {
                    slots.erase_all().unwrap();
                    states.clear();
                }
                Deed::Remount => {
                    slots = mount(&mut flash, count);
                }
            }
            prop_assert_eq!(find(&mut slots), states.last().cloned());
            let previous = slots.previous().unwrap();
            let expected = states.len().checked_sub(2).map(|at| states[at].clone());
            prop_assert_eq!(previous.map(|saved| content(&mut slots, &saved)), expected);
        }
    }
}
