//! BBC micro:bit: Cortex-M0 without compare-and-swap, 16 KiB of RAM.
#![no_std]
#![no_main]

use serial::Nrf51;

#[cortex_m_rt::entry]
fn main() -> ! {
    ssm_board_cortex_m::run::<Nrf51<0x4000_2000>>([program::space!(4 KiB, window 1024)])
}
