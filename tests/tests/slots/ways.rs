//! What a user does, when all goes well.

use super::{Nor, find, mount};
use embedded_io::{Read, Seek, SeekFrom, Write};
use ssm_core::{Archive, FlashError, Loader, ReadError, RollbackError, Saved, UnitId};
use ssm_tests::flash::Flash;
use ssm_tests::machine::{Machine, Packing, UNITS};

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
    let mut flash = Nor::holding([0x5a; 2048]);
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
    assert_eq!(slots.previous().map(|saved| saved.generation()), Some(1));
    slots.prepare().unwrap();
    assert_eq!(slots.previous(), None);
    assert_eq!(slots.rollback(), Err(RollbackError::NoPrevious));
    assert_eq!(slots.latest(), Some(two));
}

#[test]
fn rollback_step_by_step() {
    let mut flash = Nor::blank(2048);
    let mut slots = mount(&mut flash, 4);
    let saves: Vec<Saved> = (1..=6u8).map(|number| slots.save(|out| out.write_all(&[number; 30])).unwrap()).collect();
    for at in [4, 3, 2] {
        assert_eq!(slots.previous(), Some(saves[at]));
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
fn erase_all_leaves_nothing() {
    let mut flash = Nor::blank(2048);
    let mut slots = mount(&mut flash, 3);
    let one = slots.save(|out| out.write_all(b"one")).unwrap();
    slots.save(|out| out.write_all(b"two")).unwrap();
    slots.erase_all().unwrap();
    assert_eq!((slots.latest(), slots.previous()), (None, None));
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
        let mut flash = Nor::holding(vec![0x5a; usize::from(count) * 512]);
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
