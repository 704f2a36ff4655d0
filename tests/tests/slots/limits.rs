//! What fits, to the byte, and what cannot be.

use super::{Nor, find, mount, mount_range};
use embedded_io::Write;
use embedded_storage::nor_flash::{NorFlash, NorFlashErrorKind};
use ssm_core::{CommitError, Crc32Bytewise, FlashError, MountError, SaveError, Saver, Slots, Store};
use ssm_tests::flash::{Fault, Flash, page};
use ssm_tests::machine::{Machine, UNITS};
use std::ops::Range;

#[test]
fn a_state_of_any_size_that_fits() {
    for len in [0, 1, 63, 64, 65, 967, 968] {
        let mut flash = Nor::holding([0x5a; 2048]);
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
    let mut flash = Flash::<R, W, E>::holding(vec![0x5a; len]);
    for number in 0..2 * count {
        let mut slots = mount_range(&mut flash, range.clone(), count);
        assert_eq!(slots.capacity(), capacity);
        let bytes = vec![number; capacity as usize];
        slots.save(|out| out.write_all(&bytes)).unwrap();
        assert_eq!(find(&mut mount_range(&mut flash, range.clone(), count)), Some(bytes));
        assert!(flash.bytes()[..range.start as usize].iter().all(|byte| *byte == 0x5a), "outside of the range");
        assert!(flash.bytes()[range.end as usize..].iter().all(|byte| *byte == 0x5a), "outside of the range");
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
    let mut slots = Slots::mount(&mut flash, 0..8 << 12, page::<256>()).unwrap();
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
    assert_eq!(slots.previous(), Some(one));

    // Found out on the way: the medium takes no more.
    let full = slots.save(|out| {
        let taken = out.write(&[1; 2000]).unwrap();
        let full = Err(FlashError::Full);
        assert_eq!((taken, out.write(&[1]), out.write(&[]), out.flush()), (968, full, Ok(0), Ok(())));
        Err::<(), _>("full")
    });
    assert_eq!(full, Err(CommitError::Save("full")));
    assert_eq!(slots.latest(), Some(two));

    assert_eq!(slots.save(|out| out.write_all(&[1; 969])), Err(CommitError::Save(FlashError::Full)));
    let mut machine = Machine::new(1000, 3);
    let full = slots.save(|out| Saver::streamed(out, Store, &mut [0; 300]).save(&mut machine, &UNITS));
    assert!(matches!(full, Err(CommitError::Save(SaveError::Full { .. }))), "{full:?}");

    // And nobody looked.
    let ignored = slots.save(|out| {
        while out.write(&[1; 100]).is_ok() {}
        Ok::<(), ()>(())
    });
    assert_eq!(ignored, Err(CommitError::Incomplete));
    assert_eq!((slots.latest(), find(&mut slots)), (Some(two), Some(b"two".to_vec())));
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
        Slots::mount_with(flash, range, count, &mut vec![0; buffer], Crc32Bytewise).err()
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
    assert_eq!(Slots::mount(Claims::<0, 1, 256>, 0..1024, &mut [0; 64]).err(), geometry);
    assert_eq!(Slots::mount(Claims::<1, 0, 256>, 0..1024, &mut [0; 64]).err(), geometry);
    assert_eq!(Slots::mount(Claims::<1, 1, 0>, 0..1024, &mut [0; 64]).err(), geometry);
    assert_eq!(Slots::mount(Claims::<1, 1, { usize::MAX }>, 0..0, &mut [0; 64]).err(), geometry);
    let failed = |offset| Some(MountError::Flash { offset, error: NorFlashErrorKind::Other });
    // The largest range there is.
    assert_eq!(Slots::mount(Claims::<1, 4, 4096>, 0..u32::MAX - 4095, &mut [0; 64]).err(), failed(0));
    assert_eq!(Slots::mount(Claims::<3, 5, 1>, 0..u32::MAX, &mut [0; 64]).err(), failed(0));
}
