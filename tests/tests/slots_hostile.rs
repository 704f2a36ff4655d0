//! Images that nobody saved: mounting any of them ends, reads a bounded number of times, never panics, and never finds what
//! was not committed; then saving works, or says why it does not.

use embedded_io::{Read, Write};
use embedded_storage::nor_flash::ReadNorFlash;
use proptest::prelude::*;
use ssm_core::{CommitError, Crc32, Crc32Bytewise, MountError, Saved, Slots};
use ssm_tests::flash::{Flash, page};

const SLOT: usize = 256;
const RECORD: usize = 56;
const BUFFER: usize = 32;

type Nor = Flash<1, 4, 128>;

fn mount(flash: &mut Nor, slots: u8) -> Slots<'static, &mut Nor> {
    let before = flash.counts();
    let range = 0..flash.capacity() as u32;
    let mounted = Slots::mount_with(&mut *flash, range.clone(), slots, page::<BUFFER>(), Crc32Bytewise).unwrap();
    let latest = mounted.latest();
    let counts = mounted.into_inner().counts();
    // At the very worst every slot has a valid record and all contents are damaged: all records once for each. What is not
    // right is read twice.
    let slots_ = u64::from(slots);
    let records = 2 * slots_ * (slots_ + 2) * RECORD.div_ceil(BUFFER) as u64;
    let contents = 2 * slots_ * SLOT.div_ceil(BUFFER) as u64;
    assert!(counts.reads - before.reads <= records + contents, "{} reads", counts.reads - before.reads);
    assert_eq!((counts.writes, counts.erases), (before.writes, before.erases), "a mount changes nothing");
    let slots = Slots::mount_with(flash, range, slots, page::<BUFFER>(), Crc32Bytewise).unwrap();
    assert_eq!(slots.latest(), latest);
    slots
}

/// A commit record as SLOTS.md describes it.
fn record(slot_len: u32, generation: u64, len: u32, crc: u32) -> [u8; RECORD] {
    let mut half = b"SLOT".to_vec();
    half.extend(slot_len.to_le_bytes());
    half.extend(generation.to_le_bytes());
    half.extend(len.to_le_bytes());
    half.extend(crc.to_le_bytes());
    half.extend(Crc32Bytewise.update(0, &half).to_le_bytes());
    let complement: Vec<u8> = half.iter().map(|byte| !byte).collect();
    [half, complement].concat().try_into().unwrap()
}

fn content(slots: &mut Slots<'static, &mut Nor>, saved: &Saved) -> Vec<u8> {
    let mut bytes = vec![0; saved.len() as usize];
    slots.read(saved).unwrap().read_exact(&mut bytes).unwrap();
    bytes
}

/// Whatever was there: a save works and is found again, unless the generations were exhausted by a forged record.
fn then_saves(flash: &mut Nor, count: u8) {
    let mut slots = mount(flash, count);
    match slots.save(|out| out.write_all(b"after all")) {
        Ok(saved) => {
            let mut slots = mount(flash, count);
            assert_eq!(slots.latest(), Some(saved));
            assert_eq!(content(&mut slots, &saved), b"after all");
        }
        Err(CommitError::Generations) => {
            slots.erase_all().unwrap();
            assert_eq!(slots.save(|out| out.write_all(b"after all")).unwrap().generation(), 1);
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// What a slot holds that was forged.
#[derive(Clone, Debug)]
enum Forged {
    Noise(Vec<u8>),
    Constant(u8),
    /// A valid record of a content that is whole or not.
    Record {
        generation: u64,
        len: u32,
        whole: bool,
        seed: Vec<u8>,
        slot_len: u32,
    },
}

fn forged() -> impl Strategy<Value = Forged> {
    let noise = || prop::collection::vec(any::<u8>(), SLOT);
    let generation = prop_oneof![0..4u64, any::<u64>(), Just(u64::MAX), Just(u64::MAX - 1)];
    let len = prop_oneof![0..=(SLOT - RECORD) as u32, 0..300u32, any::<u32>()];
    let slot_len = prop_oneof![9 => Just(SLOT as u32), 1 => any::<u32>()];
    prop_oneof![
        noise().prop_map(Forged::Noise),
        prop_oneof![Just(0), Just(255), any::<u8>()].prop_map(Forged::Constant),
        (generation, len, any::<bool>(), noise(), slot_len).prop_map(|(generation, len, whole, seed, slot_len)| {
            Forged::Record { generation, len, whole, seed, slot_len }
        }),
    ]
}

impl Forged {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Forged::Noise(bytes) => bytes.clone(),
            Forged::Constant(byte) => vec![*byte; SLOT],
            Forged::Record { generation, len, whole, seed, slot_len } => {
                let mut bytes = seed.clone();
                let covered = &bytes[RECORD..][..(*len as usize).min(SLOT - RECORD)];
                let crc = Crc32Bytewise.update(0, covered) ^ u32::from(!whole);
                bytes[..RECORD].copy_from_slice(&record(*slot_len, *generation, *len, crc));
                bytes
            }
        }
    }

    /// Its generation, if a mount may take it.
    fn valid(&self) -> Option<u64> {
        match self {
            Forged::Record { generation, len, whole: true, slot_len, .. }
                if *len as usize <= SLOT - RECORD && *slot_len as usize == SLOT =>
            {
                Some(*generation)
            }
            _ => None,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 4 * SLOT), count in 2..=8u8) {
        let mut flash = Nor::holding(bytes);
        prop_assert_eq!(mount(&mut flash, count).latest(), None);
        then_saves(&mut flash, count);
    }

    #[test]
    fn forged_slots(forged in prop::collection::vec(forged(), 2..7)) {
        let mut flash = Nor::holding(forged.iter().flat_map(Forged::bytes).collect::<Vec<u8>>());
        let range = 0..flash.capacity() as u32;
        if forged.iter().all(|forged| forged.bytes()[..RECORD] == [0; RECORD]) {
            let count = forged.len() as u8;
            let refused = Slots::mount_with(&mut flash, range, count, &mut [0; BUFFER], Crc32Bytewise).err();
            prop_assert_eq!(refused, Some(MountError::ErasesToZeros));
            return Ok(());
        }
        let count = forged.len() as u8;
        let newest = (0..).zip(&forged).filter_map(|(slot, forged)| Some((forged.valid()?, slot))).max();
        let mut slots = mount(&mut flash, count);
        let latest = slots.latest();
        prop_assert_eq!(latest.map(|saved| (saved.generation(), saved.slot())), newest);
        if let Some(latest) = latest {
            let bytes = forged[usize::from(latest.slot())].bytes();
            prop_assert_eq!(content(&mut slots, &latest), &bytes[RECORD..][..latest.len() as usize]);
            // Going back ends, too.
            for _ in 0..count {
                if slots.rollback().is_err() {
                    break;
                }
            }
            prop_assert!(slots.rollback().is_err());
        }
        then_saves(&mut flash, count);
    }
}

#[test]
fn every_flipped_bit_of_two_slots() {
    let (old, new) = ([0xa5; 150], [0x3c; 120]);
    let mut flash = Nor::blank(2 * SLOT);
    let mut slots = Slots::mount(&mut flash, 0..2 * SLOT as u32, page::<BUFFER>()).unwrap();
    slots.save(|out| out.write_all(&old)).unwrap();
    let latest = slots.save(|out| out.write_all(&new)).unwrap();
    assert_eq!((latest.slot(), latest.generation()), (1, 2));
    for offset in 0..2 * SLOT {
        for bit in 0..8 {
            let mut flash = flash.clone();
            flash.flip(offset as u32, 1 << bit);
            let mut slots = mount(&mut flash, 2);
            let found = slots.latest().unwrap();
            let expected = if (SLOT..SLOT + RECORD + new.len()).contains(&offset) { &old[..] } else { &new };
            assert_eq!(content(&mut slots, &found), expected, "bit {bit} of byte {offset}");
            // There is a way back only to what is whole.
            let whole = offset >= RECORD + old.len() && offset < SLOT || offset >= SLOT + RECORD + new.len();
            assert_eq!(slots.rollback().is_ok(), whole, "bit {bit} of byte {offset}");
            then_saves(&mut flash, 2);
        }
    }
}

#[test]
fn the_golden_files_are_no_slots() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut files = 0;
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut bytes = std::fs::read(path).unwrap();
            bytes.resize(bytes.len().next_multiple_of(2 * SLOT).max(2 * SLOT), 0xff);
            let range = 0..bytes.len() as u32;
            let mut flash = Nor::holding(bytes);
            let mut slots = Slots::mount(&mut flash, range, page::<BUFFER>()).unwrap();
            assert_eq!(slots.latest(), None);
            slots.save(|out| out.write_all(b"after all")).unwrap();
            files += 1;
        }
    }
    assert!(files > 10, "{files} golden files");
}

#[test]
fn a_record_is_valid_for_its_own_split_only() {
    let mut flash = Nor::blank(4 * SLOT);
    let mut slots = Slots::mount(&mut flash, 0..4 * SLOT as u32, page::<BUFFER>()).unwrap();
    slots.save(|out| out.write_all(b"in the first half")).unwrap();
    assert_eq!(flash.bytes()[..RECORD], record(2 * SLOT as u32, 1, 17, Crc32Bytewise.update(0, b"in the first half")));
    assert!(mount(&mut flash.clone(), 2).latest().is_some());
    let mut slots = mount(&mut flash, 4);
    assert_eq!(slots.latest(), None);
    let (at, found) = slots.other_split().expect("the record of the other split");
    assert_eq!((at, found.slot_len, found.generation), (0, 2 * SLOT as u32, 1));
}
