//! Stellaris LM3S6965: Cortex-M3, 64 KiB of RAM. Zlib's 43 KiB of statics would fit, but not the 10 KiB of stack
//! that its state takes on the way into its static.
#![no_std]
#![no_main]

use serial::Pl011;

#[cortex_m_rt::entry]
fn main() -> ! {
    ssm_board_cortex_m::run::<Pl011<0x4000_c000>>([
        program::space!(4 KiB, window 1024),
        program::space!(16 KiB, window 1024),
    ])
}
