//! ARM MPS2: Cortex-M3 (AN385) or Cortex-M4 with hardware floating point (AN386), 4 MiB of RAM.
#![no_std]
#![no_main]

use program::Space;
use serial::Cmsdk;

#[cortex_m_rt::entry]
fn main() -> ! {
    let inflating = Some(program::inflating!());
    ssm_board_cortex_m::run::<Cmsdk<0x4000_4000>>([
        Space { inflating, ..program::space!(4 KiB, window 8192) },
        program::space!(64 KiB, window 8192),
    ])
}
