//! Flash that does not do what it should: words that cannot be read, reads that are wrong once, worn slots, erases that take
//! too much, weak bits, another erased value, another split. What is left goes on, and the only whole state is never erased.

use super::{content, find, mount, mount_range};
use embedded_io::Write;
use embedded_storage::nor_flash::ReadNorFlash;
use proptest::prelude::*;
use ssm_core::{CommitError, EraseError, InvertedFlash, MountError, RollbackError, Saved, SlotFault, Slots};
use ssm_tests::flash::{ErasesToZeros, Fault, Flash, Wear, page};

/// Words of 16 bytes, blocks of 256; slots of one block.
type Nor = Flash<1, 16, 256>;

fn with_states(count: u8, states: u8) -> (Nor, Vec<Saved>) {
    let mut flash = Nor::blank(256 * usize::from(count)).with_ecc();
    let mut slots = mount(&mut flash, count);
    let saved = (1..=states).map(|number| slots.save(|out| out.write_all(&[number; 100])).unwrap()).collect();
    (flash, saved)
}

/// The state of this number is the latest, and a save and a fresh mount work.
fn goes_on(flash: &mut Nor, count: u8, expected: Option<u8>) {
    let mut slots = mount(flash, count);
    assert_eq!(find(&mut slots), expected.map(|number| vec![number; 100]));
    let saved = slots.save(|out| out.write_all(&[77; 100])).unwrap();
    let mut slots = mount(flash, count);
    assert_eq!((slots.latest(), find(&mut slots)), (Some(saved), Some(vec![77; 100])));
}

#[test]
fn a_word_that_cannot_be_read_anywhere() {
    for count in 2..5 {
        for states in 0..=count + 1 {
            let (flash, saved) = with_states(count, states);
            for word in 0..flash.bytes().len() / 16 {
                let mut flash = flash.clone();
                flash.decay(word as u32 * 16);
                let hit = |saved: &&Saved| {
                    let start = usize::from(saved.slot()) * 256;
                    (start..start + 64 + 112).contains(&(word * 16))
                };
                let mut expected = saved.last().map(|saved| saved.generation() as u8);
                if saved.last().as_ref().is_some_and(hit) {
                    expected = expected.map(|number| number - 1).filter(|number| *number > 0);
                }
                goes_on(&mut flash, count, expected);
                // The next saves heal all of it.
                for number in 0..count {
                    mount(&mut flash, count).save(|out| out.write_all(&[number; 100])).unwrap();
                }
                assert!(flash.is_readable(0..flash.bytes().len()), "word {word} of {count} slots");
            }
        }
    }
}

#[test]
fn nothing_at_all_that_can_be_read() {
    let (mut flash, _) = with_states(3, 2);
    for slot in 0..3 {
        flash.decay(slot * 256 + 20);
    }
    let error = Slots::mount_with(&mut flash, 0..768, 3, &mut [0; 64], ssm_core::Crc32Bytewise).err();
    assert_eq!(error, Some(MountError::Flash { offset: 0, error: Fault::Unreadable(16) }));
    // One record is enough to go on.
    use embedded_storage::nor_flash::NorFlash;
    flash.erase(256, 512).unwrap();
    goes_on(&mut flash, 3, None);
}

#[test]
fn one_read_that_fails_or_is_wrong_gives_nothing_up() {
    for count in 2..4 {
        let (flash, saved) = with_states(count, 2);
        let reads = {
            let mut flash = flash.clone();
            flash.reset_counts();
            mount(&mut flash, count);
            flash.counts().reads
        };
        for read in 0..2 * reads {
            // Behind the mount a failure may be that of an erase or write.
            for wrong in if read < reads { &[false, true][..] } else { &[true] } {
                let mut flash = flash.clone();
                if *wrong {
                    flash.misread_at(read)
                } else {
                    flash.break_at(read)
                }
                let mut slots = mount(&mut flash, count);
                assert_eq!(slots.latest().as_ref(), saved.last(), "read {read}, wrong: {wrong}");
                // Nor does a save give up the slot, or the state.
                let new = slots.save(|out| out.write_all(&[9; 100])).unwrap();
                assert_eq!(new.generation(), 3, "read {read}, wrong: {wrong}");
                flash.plant_nothing();
                goes_on(&mut flash, count, Some(9));
            }
        }
    }
}

/// The ways in which a slot fails.
fn fail(flash: &mut Nor, slot: usize, how: usize) {
    match how {
        0 => flash.wear(slot, Wear::Erase),
        1 => flash.wear(slot, Wear::Write),
        // A bit that stays 0, in the record and in the content, and one that stays 1.
        2 | 3 => {
            let at = slot * 256 + [10, 100][how - 2];
            let held = flash.bytes()[at];
            flash.flip(at as u32, held & 4);
            flash.stick(at as u32, 4);
        }
        _ => {
            let at = slot * 256 + 70;
            let held = flash.bytes()[at];
            flash.flip(at as u32, !held & 4);
            flash.stick(at as u32, 4);
        }
    }
}

#[test]
fn with_three_slots_and_more_a_worn_one_is_passed_over() {
    for count in 3..6 {
        for worn in 0..usize::from(count) {
            for how in 0..5 {
                let (mut flash, saved) = with_states(count, count + 1);
                let latest = *saved.last().unwrap();
                if usize::from(latest.slot()) == worn {
                    continue;
                }
                fail(&mut flash, worn, how);
                let mut slots = mount(&mut flash, count);
                let mut before = latest;
                let mut passed_over = false;
                for number in 20..20 + 3 * count {
                    // Bytes in which the stuck bits would be other ones.
                    let bytes = [number & !4; 100];
                    let saved = slots.save(|out| out.write_all(&bytes)).unwrap();
                    assert!(saved.slot() != before.slot() && usize::from(saved.slot()) != worn || how == 4);
                    assert_eq!(content(&mut slots, &saved), bytes);
                    assert!(slots.is_whole(&before), "the state before is not touched");
                    passed_over |= slots.is_worn(worn as u8);
                    before = saved;
                }
                assert!(passed_over || how == 4, "{count} slots, slot {worn}, {how}");
                // A fresh mount knows nothing, and finds out again.
                let mut slots = mount(&mut flash, count);
                assert_eq!((slots.latest(), slots.is_worn(worn as u8)), (Some(before), false));
                slots.prepare().unwrap();
                slots.save(|out| out.write_all(b"on")).unwrap();
            }
        }
    }
}

#[test]
fn with_two_slots_the_error_says_which_is_worn() {
    for how in [0, 1, 2, 3] {
        let (mut flash, saved) = with_states(2, 2);
        fail(&mut flash, 0, how);
        let mut slots = mount(&mut flash, 2);
        for _ in 0..3 {
            let error = slots.save(|out| out.write_all(&[3; 100])).unwrap_err();
            let CommitError::Worn { slot: 0, fault } = error else { panic!("{error:?}") };
            match how {
                0 | 1 => assert_eq!(fault, SlotFault::Flash(Fault::Worn)),
                _ => assert!(matches!(fault, SlotFault::NotErased { .. }), "{fault:?}"),
            }
            assert_eq!((slots.latest(), find(&mut slots)), (Some(saved[1]), Some(vec![2; 100])));
            assert!(slots.is_worn(0));
        }
        if how != 1 {
            assert!(matches!(slots.prepare(), Err(EraseError::Worn { slot: 0, .. })));
        }
        assert_eq!(mount(&mut flash, 2).latest(), Some(saved[1]));
    }
}

/// All other slots fail: the only whole state is not touched, whatever is tried and how often.
#[test]
fn the_only_whole_state_is_never_erased() {
    for count in 2..5 {
        for how in [0, 1, 2, 3] {
            let (mut flash, saved) = with_states(count, count + 2);
            let latest = *saved.last().unwrap();
            for slot in (0..usize::from(count)).filter(|slot| *slot != usize::from(latest.slot())) {
                fail(&mut flash, slot, how);
            }
            for _ in 0..3 {
                let mut slots = mount(&mut flash, count);
                for _ in 0..3 {
                    let _ = slots.prepare();
                    let saved = slots.save(|out| out.write_all(&[9; 100]));
                    assert!(matches!(saved, Err(CommitError::Worn { .. })), "{saved:?}");
                    assert_eq!((slots.latest(), slots.is_whole(&latest)), (Some(latest), true));
                }
                if slots.previous().is_none() {
                    assert_eq!(slots.rollback(), Err(RollbackError::NoPrevious));
                }
            }
        }
    }
}

#[test]
fn an_erase_that_takes_more_than_it_says_is_told() {
    // Slots of three blocks, so that a larger erase takes the record of the neighbour or only its end.
    type Blocks = Flash<1, 4, 64>;
    for really in [128, 192, 256, 384, 512] {
        for states in 1..4 {
            let mut flash = Blocks::blank(3 * 192);
            let mut slots = mount(&mut flash, 3);
            for number in 1..=states {
                // To the very end of the slot.
                slots.save(|out| out.write_all(&[number; 192 - 56])).unwrap();
            }
            let latest = slots.latest().unwrap();
            flash.erase_in(really);
            let mut slots = mount(&mut flash, 3);
            let told = slots.save(|out| out.write_all(b"new"));
            let is_left = slots.is_whole(&latest);
            match told {
                Ok(saved) => {
                    assert!(is_left, "{really}, {states}: nobody was told");
                    assert_eq!(slots.latest(), Some(saved));
                }
                Err(CommitError::LatestLost) => {
                    assert!(!is_left);
                    // What is really left counts from then on.
                    let left = slots.latest();
                    assert!(left.is_none_or(|left| left.generation() < latest.generation()));
                    assert!(left.is_none_or(|left| slots.is_whole(&left)));
                    let _ = slots.save(|out| out.write_all(b"again"));
                    let latest = slots.latest();
                    assert!(latest.is_none_or(|latest| slots.is_whole(&latest)));
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_flash_that_erases_to_zeros() {
    // New from the factory: refused by the mount.
    let mut chip = ErasesToZeros(Nor::blank(1024));
    let refused = Slots::mount(&mut chip, 0..1024, &mut [0; 64]).err();
    assert_eq!(refused, Some(MountError::ErasesToZeros));
    // With something else on it: refused for certain behind the first erase, before anything is written.
    for first in [0, 7] {
        let mut chip = ErasesToZeros(Nor::holding(vec![0x5a; 1024]));
        let mut slots = Slots::mount(&mut chip, 0..1024, page::<64>()).unwrap();
        let told = match first {
            0 => slots.prepare().err().map(|error| error == EraseError::ErasesToZeros),
            _ => slots.save(|out| out.write_all(b"x")).err().map(|error| error == CommitError::ErasesToZeros),
        };
        assert_eq!(told, Some(true));
        assert_eq!(chip.0.counts().writes, 0);
    }
    // Through the adapter it is one as any other.
    for len in [16, 48, 64, 200] {
        let mut buffer = vec![0; len];
        let mut chip = ErasesToZeros(Nor::blank(1024));
        for number in 1..6u8 {
            let inverted = InvertedFlash::new(&mut chip, &mut buffer).unwrap();
            assert_eq!(inverted.capacity(), 1024);
            let mut slots = Slots::mount(inverted, 0..1024, page::<64>()).unwrap();
            slots.save(|out| out.write_all(&[number; 300])).unwrap();
            let inverted = InvertedFlash::new(&mut chip, &mut buffer).unwrap();
            let mut slots = Slots::mount(inverted, 0..1024, page::<64>()).unwrap();
            let latest = slots.latest().unwrap();
            let mut bytes = [0; 300];
            embedded_io::Read::read_exact(&mut slots.read(&latest).unwrap(), &mut bytes).unwrap();
            assert_eq!((bytes, latest.generation()), ([number; 300], number.into()));
        }
    }
    assert!(InvertedFlash::new(ErasesToZeros(Nor::blank(1024)), &mut [0; 15]).is_none());
    // A flash that erases to ones, but refuses to be blank, is another fault.
    let mut flash = Nor::holding(vec![0x5a; 512]);
    flash.wear(0, Wear::Erase);
    let error = mount_range(&mut flash, 0..512, 2).save(|out| out.write_all(b"x"));
    assert!(error.is_ok(), "the other slot is used: {error:?}");
}

#[test]
fn states_of_another_split_are_told_from_an_empty_range() {
    let mut flash = Nor::blank(12 * 256);
    let all = 0..12 * 256;
    assert_eq!(mount_range(&mut flash, all.clone(), 2).other_split(), None);
    for (count, range) in [(2, all.clone()), (3, all.clone()), (6, all.clone()), (12, all.clone()), (2, 256..5 * 256)] {
        for saves in 1..=count {
            let mut flash = Nor::blank(12 * 256);
            let mut slots = mount_range(&mut flash, range.clone(), count);
            let saved: Vec<_> = (0..saves).map(|n| slots.save(|out| out.write_all(&[n; 50])).unwrap()).collect();
            assert_eq!(slots.other_split(), None);
            // (Five slots are as long as six here.)
            for other in [2, 3, 4, 6, 12] {
                let mut slots = mount_range(&mut flash, all.clone(), other);
                let own = slots.latest().is_some();
                let found = slots.other_split();
                assert_eq!(own, range == all && other == count, "{count} slots seen as {other}");
                let expected = (!own).then_some(u32::from(saved[0].slot()) * (range.len() as u32 / u32::from(count)));
                assert_eq!(found.map(|(at, _)| at), expected.map(|at| range.start + at));
                if let Some((_, record)) = found {
                    assert_eq!((record.generation, record.len), (1, 50));
                    assert_eq!(record.slot_len, range.len() as u32 / u32::from(count) / 256 * 256);
                }
            }
        }
    }
}

/// The last bits of a commit record are weak: they read as written at one mount and not at the next. With two slots the
/// state is lost if `prepare` erased the other one in between, as its documentation says; with three it is not.
#[test]
fn weak_bits_of_a_commit_record() {
    for (count, survives) in [(2, false), (3, true)] {
        let (mut flash, saved) = with_states(count, 2);
        let latest = *saved.last().unwrap();
        flash.weaken(u32::from(latest.slot()) * 256 + 55, 0x80);
        let mut slots = mount(&mut flash, count);
        assert_eq!(slots.latest(), Some(latest));
        slots.prepare().unwrap();
        flash.power_on();
        let found = mount(&mut flash, count).latest();
        assert_eq!(found, survives.then_some(saved[0]), "{count} slots");
    }
}

/// A slot that could not be read, nor erased, can be read again after a newer state was saved elsewhere: it does not win, and
/// no generation is there twice.
#[test]
fn a_slot_that_comes_back_is_older_than_what_was_saved_meanwhile() {
    for count in 3..6 {
        for states in 2..=2 * count {
            let (mut flash, saved) = with_states(count, states);
            let lost = saved.last().unwrap();
            flash.decay(u32::from(lost.slot()) * 256);
            flash.wear(lost.slot().into(), Wear::Erase);
            let mut slots = mount(&mut flash, count);
            assert_eq!(slots.latest().as_ref(), saved.iter().nth_back(1));
            let new = slots.save(|out| out.write_all(&[88; 100])).unwrap();
            assert!(new.generation() > lost.generation() && new.slot() != lost.slot());
            flash.recover();
            let mut slots = mount(&mut flash, count);
            assert_eq!((slots.latest(), slots.slot(lost.slot())), (Some(new), Some(*lost)));
        }
    }
}

/// What may happen to slots.
#[derive(Clone, Debug)]
enum Event {
    Save(u8),
    Prepare,
    Rollback,
    Remount,
    /// A word cannot be read any more.
    Decay(u16),
    /// The next operations of this number fail, or read a wrong bit, once.
    Break(u8),
    Misread(u8),
    Wear(u8, bool),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => any::<u8>().prop_map(Event::Save),
        2 => Just(Event::Prepare),
        1 => Just(Event::Rollback),
        3 => Just(Event::Remount),
        2 => any::<u16>().prop_map(Event::Decay),
        3 => (0..60u8).prop_map(Event::Break),
        3 => (0..60u8).prop_map(Event::Misread),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(block, erase)| Event::Wear(block, erase)),
    ];
    prop::collection::vec(event, 1..60)
}

/// A state that was acknowledged, and how its slot looked then.
struct Kept {
    saved: Saved,
    image: Vec<u8>,
}

impl Kept {
    fn of(flash: &Nor, saved: Saved) -> Self {
        Self { saved, image: flash.bytes()[Self::range(&saved)].to_vec() }
    }

    /// Its record and content.
    fn range(saved: &Saved) -> std::ops::Range<usize> {
        let start = usize::from(saved.slot()) * 256;
        start..start + 64 + saved.len() as usize
    }

    /// Whether it is still there, whatever the slots make of it.
    fn is_left(&self, flash: &Nor) -> bool {
        let range = Self::range(&self.saved);
        flash.bytes()[range.clone()] == self.image && flash.is_readable(range.start..range.end.next_multiple_of(16))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever happens in whatever order: a fresh mount finds the newest acknowledged state that is left on the flash, or a
    /// newer one whose acknowledgement failed; and no save, prepare or rollback takes the last one that is left.
    #[test]
    fn any_order_of_faults(events in events(), count in 2..6u8) {
        let mut flash = Nor::blank(256 * usize::from(count)).with_ecc();
        let mut kept: Vec<Kept> = Vec::new();
        for event in events {
            let left_before = kept.iter().any(|kept| kept.is_left(&flash));
            let mut attempted = None;
            match event {
                Event::Decay(at) => flash.decay(u32::from(at) % flash.bytes().len() as u32),
                Event::Break(at) => flash.break_at(at.into()),
                Event::Misread(at) => flash.misread_at(at.into()),
                Event::Wear(block, erase) => {
                    let wear = if erase { Wear::Erase } else { Wear::Write };
                    flash.wear(usize::from(block) % usize::from(count), wear);
                }
                Event::Remount => {}
                Event::Save(number) => {
                    let range = 0..flash.bytes().len() as u32;
                    let saved = Slots::mount_with(&mut flash, range, count, &mut [0; 64], ssm_core::Crc32Bytewise)
                        .ok()
                        .and_then(|mut slots| {
                            let highest = slots.latest().map_or(0, |latest| latest.generation());
                            let saved = slots.save(|out| out.write_all(&[number; 90])).ok();
                            if let Some(saved) = saved {
                                assert_eq!(slots.latest(), Some(saved));
                                assert!(saved.generation() > highest);
                            }
                            saved
                        });
                    match saved {
                        Some(saved) => kept.push(Kept::of(&flash, saved)),
                        None => attempted = Some(number),
                    }
                }
                Event::Prepare => {
                    let range = 0..flash.bytes().len() as u32;
                    if let Ok(mut slots) =
                        Slots::mount_with(&mut flash, range, count, &mut [0; 64], ssm_core::Crc32Bytewise)
                    {
                        let _ = slots.prepare();
                    }
                }
                Event::Rollback => {
                    let range = 0..flash.bytes().len() as u32;
                    if let Ok(mut slots) =
                        Slots::mount_with(&mut flash, range, count, &mut [0; 64], ssm_core::Crc32Bytewise)
                    {
                        let _ = slots.rollback();
                    }
                }
            }
            let decays = matches!(event, Event::Decay(_));
            prop_assert!(!left_before || decays || kept.iter().any(|kept| kept.is_left(&flash)), "{event:?} took the last");

            // A mount without what was planted: what is really there.
            let mut quiet = flash.clone();
            quiet.plant_nothing();
            let expected = kept.iter().filter(|kept| kept.is_left(&flash)).map(|kept| kept.saved).next_back();
            let range = 0..quiet.bytes().len() as u32;
            match Slots::mount_with(&mut quiet, range, count, &mut [0; 64], ssm_core::Crc32Bytewise) {
                Ok(mut slots) => {
                    let found = slots.latest();
                    if found != expected {
                        let unconfirmed = attempted.is_some_and(|number| {
                            found.is_some_and(|found| {
                                let mut bytes = vec![0; found.len() as usize];
                                let read = embedded_io::Read::read_exact(&mut slots.read(&found).unwrap(), &mut bytes);
                                read.is_ok() && bytes == [number; 90]
                            })
                        });
                        prop_assert!(unconfirmed, "{event:?}: {found:?} found, {expected:?} expected");
                        kept.push(Kept::of(&flash, found.unwrap()));
                    }
                }
                Err(MountError::Flash { .. }) => prop_assert_eq!(expected, None),
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
    }
}
