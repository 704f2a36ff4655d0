//! Any image of a flash with slots, some words of which cannot be read, and one read of which is wrong: a mount ends after a bounded number of reads and changes nothing, finds the newest whole
//! state that the layout's description finds and no other, and then everything works or says why not.

use super::choices::Choices;
use crate::flash::Flash;
use crate::reference::crc32;
use embedded_io::{Read, Write};
use embedded_storage::nor_flash::ReadNorFlash;
use ssm_core::{CommitError, Crc32Bytewise, MountError, Saved, Slots};

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
    let faults = Faults {
        decayed: (0..choices.byte() % 4).map(|_| choices.number() as u32 % image.len() as u32).collect(),
        misread: choices.byte().into(),
    };
    match geometry % 3 {
        0 => check::<1, 4, 128>(image, count, content_at(geometry), &faults),
        1 => check::<4, 32, 128>(image, count, content_at(geometry), &faults),
        _ => check::<2, 8, 256>(image, count, content_at(geometry), &faults),
    }
}

/// What is wrong with a flash.
struct Faults {
    /// Bytes whose words cannot be read.
    decayed: Vec<u32>,
    /// The read that gives a wrong bit, counted from the mount.
    misread: u64,
}

impl Faults {
    fn flash<const READ: usize, const WRITE: usize, const ERASE: usize>(
        &self,
        image: &[u8],
    ) -> Flash<READ, WRITE, ERASE> {
        let mut flash = Flash::holding(image).with_ecc();
        self.decayed.iter().for_each(|at| flash.decay(*at));
        flash.misread_at(self.misread);
        flash
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
    Slots<'f, &'f mut Flash<READ, WRITE, ERASE>>;

fn mount<'f, const READ: usize, const WRITE: usize, const ERASE: usize>(
    flash: &'f mut Flash<READ, WRITE, ERASE>,
    count: u8,
    buffer: &'f mut [u8; BUFFER],
) -> Result<Mounted<'f, READ, WRITE, ERASE>, MountError<crate::flash::Fault>> {
    let range = 0..flash.capacity() as u32;
    let before = flash.counts();
    let mounted = Slots::mount_with(&mut *flash, range.clone(), count, &mut *buffer, Crc32Bytewise).map(drop);
    let counts = flash.counts();
    // What `mount_with` says, and each read of the flash may be of a part.
    let all = u64::from(count);
    let most = 4 * all * ((all + 2) * RECORD.div_ceil(BUFFER) as u64 + SLOT.div_ceil(BUFFER) as u64);
    assert!(counts.reads - before.reads <= most, "{} reads", counts.reads - before.reads);
    assert_eq!((counts.writes, counts.erases), (before.writes, before.erases), "a mount changes nothing");
    mounted?;
    Slots::mount_with(flash, range, count, buffer, Crc32Bytewise)
}

fn check<const READ: usize, const WRITE: usize, const ERASE: usize>(
    image: Vec<u8>,
    count: u8,
    content: usize,
    faults: &Faults,
) {
    let mut flash: Flash<READ, WRITE, ERASE> = faults.flash(&image);
    let healthy = flash.clone();
    let readable = |slot: usize, from: usize, to: usize| {
        // A read takes whole units of the flash.
        let start = (slot * SLOT + from) / READ * READ;
        healthy.is_readable(start..(slot * SLOT + to).next_multiple_of(READ).min(image.len()))
    };
    let records: Vec<_> = image
        .chunks(SLOT)
        .enumerate()
        .map(|(slot, bytes)| {
            let record = parse(bytes, content).filter(|_| readable(slot, 0, RECORD))?;
            let len = record.1.len();
            Some((record.0, record.1, record.2 && (len == 0 || readable(slot, content, content + len))))
        })
        .collect();
    let whole = |(slot, record): (u8, &Option<Found<'_>>)| {
        record.filter(|(_, _, whole)| *whole).map(|(generation, ..)| (generation, slot))
    };
    let mut sound: Vec<_> = (0..).zip(&records).filter_map(whole).collect();
    sound.sort();
    let age = |saved: Saved| (saved.generation(), saved.slot());

    let (mut buffer, mut other) = ([0; BUFFER], [0; BUFFER]);
    let mut slots = match mount(&mut flash, count, &mut buffer) {
        Ok(slots) => slots,
        Err(MountError::Flash { offset, .. }) => {
            let all = (0..usize::from(count)).all(|slot| !readable(slot, 0, RECORD));
            return assert!(
                all && !healthy.is_readable(offset as usize / READ * READ..image.len()),
                "mounts at {offset}"
            );
        }
        Err(MountError::ErasesToZeros) => {
            let zeros = |slot: usize| !readable(slot, 0, RECORD) || image[slot * SLOT..][..RECORD] == [0; RECORD];
            return assert!((0..usize::from(count)).all(zeros), "refused as zeros");
        }
        Err(error) => panic!("{error}"),
    };
    assert_eq!(slots.latest().map(age), sound.last().copied(), "another state than the newest whole one");
    let before = sound.len().checked_sub(2).map(|at| sound[at]);
    assert_eq!(slots.previous().map(age), before);
    for (slot, record) in (0..).zip(&records) {
        let found = slots.slot(slot);
        assert_eq!(found.map(|saved| saved.generation()), record.map(|(generation, ..)| generation));
        if let (Some(saved), Some((_, bytes, whole))) = (found, record) {
            assert_eq!(slots.is_whole(&saved), *whole);
            // A reader checks nothing, so the read that is wrong once may be one of these.
            let right = (0..2).any(|_| {
                let mut read = vec![0; saved.len() as usize];
                match slots.read(&saved).unwrap().read_exact(&mut read) {
                    Ok(()) => read == *bytes,
                    Err(_) => !whole,
                }
            });
            assert!(right, "other bytes");
        }
    }
    assert_eq!(slots.slot(count), None);
    // The way back leads through the sound ones and ends.
    for expected in sound.iter().rev().skip(1) {
        assert_eq!(slots.rollback().map(age).ok(), Some(*expected));
    }
    slots.rollback().unwrap_err();

    save_after(&mut Flash::<READ, WRITE, ERASE>::holding(flash.bytes()), count, &mut other);
    save_after(&mut faults.flash::<READ, WRITE, ERASE>(&image), count, &mut other);
}

/// A save works and is found again, unless a forged record has used up the generations.
fn save_after<const READ: usize, const WRITE: usize, const ERASE: usize>(
    flash: &mut Flash<READ, WRITE, ERASE>,
    count: u8,
    buffer: &mut [u8; BUFFER],
) {
    let Ok(mut slots) = mount(flash, count, buffer) else { return };
    let saved = match slots.save(|out| out.write_all(b"after all")) {
        Err(CommitError::Generations) => {
            slots.erase_all().unwrap();
            slots.save(|out| out.write_all(b"after all"))
        }
        saved => saved,
    };
    let saved = saved.unwrap();
    // A reader checks nothing: what is wrong once must not be its read.
    flash.plant_nothing();
    let mut slots = mount(flash, count, buffer).unwrap();
    assert_eq!(slots.latest(), Some(saved));
    let mut read = [0; 9];
    slots.read(&saved).unwrap().read_exact(&mut read).unwrap();
    assert_eq!(&read, b"after all");
}
