//! Slots on NOR flash as their users see them: save, find, go back, erase; what fails leaves the state before.

mod deeds;
mod failures;
mod faults;
mod limits;
mod streamed;
mod ways;

use embedded_io::Read;
use embedded_storage::nor_flash::NorFlash;
use ssm_core::{Crc32Bytewise, Saved, Slots};
use ssm_tests::flash::{Flash, page};
use std::ops::Range;

type Nor = Flash<1, 4, 256>;
type Mounted<'f, F> = Slots<'static, &'f mut F>;

fn mount<F: NorFlash>(flash: &mut F, count: u8) -> Mounted<'_, F> {
    let range = 0..flash.capacity() as u32;
    mount_range(flash, range, count)
}

fn mount_range<F: NorFlash>(flash: &mut F, range: Range<u32>, count: u8) -> Mounted<'_, F> {
    Slots::mount_with(flash, range, count, page::<64>(), Crc32Bytewise).unwrap()
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
