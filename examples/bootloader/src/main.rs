//! A bootloader that finds the newest whole state on the flash and resumes a running computation, or begins it, and saves
//! it every few steps. It may lose its power at any time.
//!
//! It tells what it does, one line each, numbers separated by blanks:
//!
//! ```text
//! boot                             then it waits for a line: where to stop (`watch`), anything else is to stop nowhere
//! blank                            there is no state, it starts from the beginning
//! resumed GENERATION STEPS DIGEST  it goes on with this state
//! steps STEPS                      so many are done
//! saving STEPS DIGEST              begins to save
//! erase OFFSET                     the flash is going to erase a sector
//! write OFFSET LEN                 the flash is going to write
//! saved GENERATION STEPS           from now on this state may be relied on
//! stopped POINT OPERATION OFFSET   it halts or resets here, as ordered
//! done PRIMES DIGEST               the result
//! ```
//!
//! Exit codes: 0 done, 1 the flash or a state was refused, 2 no console, 101 a panic, 102 a fault.

#![no_std]
#![no_main]

mod aspeed;
mod console;
mod settled;
mod watch;

use computation::{Computation, STEPS_BETWEEN_SAVES, UNITS};
use console::say;
use core::fmt::Display;
use semihosting::process::exit;
use settled::Settled;
use ssm_core::embedded_storage::nor_flash::NorFlash;
use ssm_core::{Loader, LzfDecoder, LzfEncoder, OnlyStreamed, Saver, Slots};
use watch::{Order, Watch, Watched};

/// Where the slots are: two of 8 KiB. In front of them a real device has its firmware.
const SLOTS: core::ops::Range<u32> = 0x1_0000..0x1_4000;

/// Bytes of a block that is packed, of the window that unpacks it, and of the memory that a save or load works in.
const BLOCK: usize = 2048;
const SCRATCH: usize = 4096;
/// Entries of the hash table.
const TABLE: usize = 256;

type Encoder = LzfEncoder<TABLE>;
type Decoder = LzfDecoder<[u8; BLOCK]>;

/// The memory of saves and loads.
struct Buffers {
    encoder: &'static mut Encoder,
    decoder: &'static mut Decoder,
    scratch: &'static mut [u8; SCRATCH],
}

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut COMPUTATION: Computation = Computation::new();
    static mut ENCODER: Encoder = Encoder::with_block(BLOCK);
    static mut DECODER: Decoder = Decoder::new([0; BLOCK]);
    static mut SCRATCH_BYTES: [u8; SCRATCH] = [0; SCRATCH];

    let mut buffers = Buffers { encoder: ENCODER, decoder: DECODER, scratch: SCRATCH_BYTES };
    say!("boot");
    let watch = Watch::new(Order::parse(&console::line()));
    let flash = aspeed::Flash::open().unwrap_or_else(|error| refused(format_args!("flash: {error:?}")));
    let flash = Settled::new(flash).unwrap_or_else(|error| refused(format_args!("flash: {error:?}")));
    run(Watched { flash, watch: &watch }, &watch, COMPUTATION, &mut buffers);
    say!("done {} {:016x}", COMPUTATION.primes(), COMPUTATION.digest());
    exit(0)
}

fn refused(why: impl Display) -> ! {
    say!("refused {why}");
    exit(1)
}

fn run<F: NorFlash>(flash: F, watch: &Watch, computation: &mut Computation, buffers: &mut Buffers) {
    let mut page = [0; 256];
    let mut slots = Slots::mount(flash, SLOTS, &mut page).unwrap_or_else(|error| refused(error));
    match slots.latest() {
        None => say!("blank"),
        Some(saved) => {
            let reader = slots.read(&saved).unwrap_or_else(|error| refused(error));
            let loader = Loader::new(reader, &mut *buffers.decoder, buffers.scratch).formats(OnlyStreamed);
            loader.load(computation, &UNITS).unwrap_or_else(|error| refused(error));
            say!("resumed {} {} {:016x}", saved.generation(), computation.steps(), computation.digest());
        }
    }
    while !computation.is_done() {
        for _ in 0..STEPS_BETWEEN_SAVES {
            computation.step();
            say!("steps {}", computation.steps());
        }
        say!("saving {} {:016x}", computation.steps(), computation.digest());
        watch.save();
        let saved =
            slots.save(|out| Saver::streamed(out, &mut *buffers.encoder, buffers.scratch).save(computation, &UNITS));
        let saved = saved.unwrap_or_else(|error| refused(error));
        say!("saved {} {}", saved.generation(), computation.steps());
    }
}
