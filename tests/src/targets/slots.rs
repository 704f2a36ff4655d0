//! Any image of a flash with slots: a mount ends after a bounded number of reads and changes nothing, finds the newest whole
//! state that the layout's description finds and no other, and then everything works or says why not.

use super::choices::Choices;
use crate::flash::Flash;
use crate::reference::crc32;
use embedded_io::{Read, Write};
use embedded_storage::nor_flash::ReadNorFlash;
use ssm_core::{CommitError, Crc32Bytewise, Saved, Slots};

const SLOT: usize = 256;
const RECORD: usize = 56;
const BUFFER: usize = 32;

/// See the file's overview. Some slots are given a record whose checksums are right.
pub fn slots(data: &[u8]) {
    let mut choices = Choices(data);
    let (geometry, count) = (choices.byte(), 2 + choices.byte() % 7);
    let mut image = Vec::new();
    for _ in 0..count {
        let repairs = choices.byte();
        let mut slot = choices.take(SLOT).to_vec();
        slot.resize(SLOT, 0xff);
        if repairs & 1 == 1 {
            repair(&mut slot, content_at(geometry), repairs & 2 == 2);
        }
        image.extend(slot);
    }
    match geometry % 3 {
        0 => check::<1, 4, 128>(image, count, content_at(geometry)),
        1 => check::<4, 32, 128>(image, count, content_at(geometry)),
        _ => check::<2, 8, 256>(image, count, content_at(geometry)),
    }
}

/// Where the content begins: the first word behind the record.
fn content_at(geometry: u8) -> usize {
    RECORD.next_multiple_of([4, 32, 8][usize::from(geometry % 3)])
}

/// Makes a record of the fields that stand there, of a whole content if it is to be.
fn repair(slot: &mut [u8], content: usize, whole: bool) {
    slot[..4].copy_from_slice(b"SLOT");
    slot[4..8].copy_from_slice(&(SLOT as u32).to_le_bytes());
    slot[17] &= 1;
    slot[18..20].fill(0);
    if whole {
        let crc = crc32(covered(slot, content));
        slot[20..24].copy_from_slice(&crc.to_le_bytes());
    }
    let own = crc32(&slot[..24]);
    slot[24..28].copy_from_slice(&own.to_le_bytes());
    let (half, complement) = slot.split_at_mut(28);
    complement.iter_mut().zip(half).for_each(|(inverted, byte)| *inverted = !*byte);
}

fn covered(slot: &[u8], content: usize) -> &[u8] {
    let len = u32::from_le_bytes([slot[16], slot[17], slot[18], slot[19]]) as usize;
    &slot[content..][..len.min(SLOT - content)]
}

/// Generation, content and whether it is whole.
type Found<'i> = (u64, &'i [u8], bool);

/// What a slot holds whose record is valid.
fn parse(slot: &[u8], content: usize) -> Option<Found<'_>> {
    let (half, complement) = slot[..RECORD].split_at(28);
    let word = |at: usize| u32::from_le_bytes([slot[at], slot[at + 1], slot[at + 2], slot[at + 3]]);
    let valid = half.iter().zip(complement).all(|(byte, inverted)| *byte == !inverted)
        && half.starts_with(b"SLOT")
        && word(24) == crc32(&half[..24])
        && word(4) as usize == SLOT
        && word(16) as usize <= SLOT - content;
    let bytes = covered(slot, content);
    valid.then(|| (u64::from(word(12)) << 32 | u64::from(word(8)), bytes, crc32(bytes) == word(20)))
}

type Mounted<'f, const READ: usize, const WRITE: usize, const ERASE: usize> =
    Slots<&'f mut Flash<READ, WRITE, ERASE>, [u8; BUFFER], Crc32Bytewise>;

fn mount<const READ: usize, const WRITE: usize, const ERASE: usize>(
    flash: &mut Flash<READ, WRITE, ERASE>,
    count: u8,
) -> Mounted<'_, READ, WRITE, ERASE> {
    let range = 0..flash.capacity() as u32;
    let before = flash.counts();
    let slots = Slots::mount_with(&mut *flash, range.clone(), count, [0; BUFFER], Crc32Bytewise).unwrap();
    let counts = slots.into_inner().counts();
    // At the worst every slot has a valid record and all contents are damaged: all records once for each.
    let all = u64::from(count);
    let most = all * ((all + 1) * RECORD.div_ceil(BUFFER) as u64 + SLOT.div_ceil(BUFFER) as u64);
    assert!(counts.reads - before.reads <= most, "{} reads", counts.reads - before.reads);
    assert_eq!((counts.writes, counts.erases), (before.writes, before.erases), "a mount changes nothing");
    Slots::mount_with(flash, range, count, [0; BUFFER], Crc32Bytewise).unwrap()
}

fn check<const READ: usize, const WRITE: usize, const ERASE: usize>(image: Vec<u8>, count: u8, content: usize) {
    let mut flash = Flash::<READ, WRITE, ERASE>::holding(&*image);
    let records: Vec<_> = image.chunks(SLOT).map(|slot| parse(slot, content)).collect();
    let whole = |(slot, record): (u8, &Option<Found<'_>>)| {
        record.filter(|(_, _, whole)| *whole).map(|(generation, ..)| (generation, slot))
    };
    let mut sound: Vec<_> = (0..).zip(&records).filter_map(whole).collect();
    sound.sort();
    let age = |saved: Saved| (saved.generation(), saved.slot());

    let mut slots = mount(&mut flash, count);
    assert_eq!(slots.latest().map(age), sound.last().copied(), "another state than the newest whole one");
    let before = sound.len().checked_sub(2).map(|at| sound[at]);
    assert_eq!(slots.previous().unwrap().map(age), before);
    for (slot, record) in (0..).zip(&records) {
        let found = slots.slot(slot).unwrap();
        assert_eq!(found.map(|saved| saved.generation()), record.map(|(generation, ..)| generation));
        if let (Some(saved), Some((_, bytes, whole))) = (found, record) {
            assert_eq!(slots.is_whole(&saved), Ok(*whole));
            let mut read = vec![0; saved.len() as usize];
            slots.read(&saved).unwrap().read_exact(&mut read).unwrap();
            assert!(read == *bytes, "other bytes");
        }
    }
    assert_eq!(slots.slot(count), Ok(None));
    // The way back leads through the sound ones and ends.
    for expected in sound.iter().rev().skip(1) {
        assert_eq!(slots.rollback().map(age).ok(), Some(*expected));
    }
    slots.rollback().unwrap_err();

    for image in [flash.bytes().to_vec(), image] {
        save_after(&mut Flash::<READ, WRITE, ERASE>::holding(image), count);
    }
}

/// A save works and is found again, unless a forged record has used up the generations.
fn save_after<const READ: usize, const WRITE: usize, const ERASE: usize>(
    flash: &mut Flash<READ, WRITE, ERASE>,
    count: u8,
) {
    let mut slots = mount(flash, count);
    let saved = match slots.save(|out| out.write_all(b"after all")) {
        Err(CommitError::Generations) => {
            slots.erase_all().unwrap();
            slots.save(|out| out.write_all(b"after all"))
        }
        saved => saved,
    };
    let saved = saved.unwrap();
    let mut slots = mount(flash, count);
    assert_eq!(slots.latest(), Some(saved));
    let mut read = [0; 9];
    slots.read(&saved).unwrap().read_exact(&mut read).unwrap();
    assert_eq!(&read, b"after all");
}
