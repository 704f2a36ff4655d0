//! The Z80 computer of the examples as firmware of a Cortex-M3: no operating system, no heap, states in files of the host.
//!
//! Its command line is that of the host's program `headless`:
//!
//! ```text
//! run FILE [CYCLES]           switches the machine on with a BASIC program typed ahead, runs it, saves it
//! resume FROM FILE [CYCLES]   loads a machine, runs on, saves it
//! ```
//!
//! A machine runs until its clock shows CYCLES, or until it waits for a key. What it prints goes to standard output.
//! Exit codes: 0 fine, 1 a file was refused, 2 wrong use, 101 a panic.

#![no_std]
#![no_main]

mod file;

use bare_metal_machine::{Machine, RAM_SIZE, UNITS};
use core::ffi::CStr;
use file::File;
use semihosting::eprintln;
use semihosting::experimental::env;
use semihosting::io::{self, Write};
use semihosting::process::exit;
use ssm_core::{Either, LoadError, Loader, LzfDecoder, LzfEncoder, SaveError, Saver, Store};

/// What somebody types at the prompt.
const PROGRAM: &str = include_str!("../../primes.bas");

/// What a file says about its writer.
const NOTES: &[(&str, &str)] = &[("program", "ssm-examples bare-metal"), ("version", env!("CARGO_PKG_VERSION"))];

/// Bytes of the command line, and of a path in it.
const COMMAND_LINE: usize = 1024;

/// Plain bytes of a block that is written. A reader with 1 KiB for its window can load it.
const BLOCK: usize = 1024;
/// The window for files of any writer.
const WINDOW: usize = 8192;
/// Entries of the hash table.
const TABLE: usize = 256;
const SCRATCH: usize = 2048;

type Encoder = LzfEncoder<TABLE>;
type Decoder = LzfDecoder<[u8; WINDOW]>;

/// The memory of a save and of a load.
struct Buffers {
    encoder: &'static mut Encoder,
    decoder: &'static mut Decoder,
    scratch: &'static mut [u8; SCRATCH],
}

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut MEMORY: [u8; RAM_SIZE] = [0; RAM_SIZE];
    static mut ENCODER: Encoder = Encoder::with_block(BLOCK);
    static mut DECODER: Decoder = Decoder::new([0; WINDOW]);
    static mut SCRATCH_BYTES: [u8; SCRATCH] = [0; SCRATCH];

    let mut buffers = Buffers { encoder: ENCODER, decoder: DECODER, scratch: SCRATCH_BYTES };
    let mut machine = Machine::new(MEMORY);
    exit(match run(&mut machine, &mut buffers) {
        Ok(()) => 0,
        Err(Failure::Use) => {
            eprintln!("bare-metal: run FILE [CYCLES] or resume FROM FILE [CYCLES] expected");
            2
        }
        Err(Failure::Save(error)) => refused(&error),
        Err(Failure::Load(error)) => refused(&error),
    })
}

enum Failure {
    Use,
    Save(SaveError<file::Error>),
    Load(LoadError<file::Error>),
}

fn refused(error: &dyn core::fmt::Display) -> i32 {
    eprintln!("bare-metal: {error}");
    1
}

fn run(machine: &mut Machine, buffers: &mut Buffers) -> Result<(), Failure> {
    let arguments = env::args::<COMMAND_LINE>().map_err(|_| Failure::Use)?;
    // The first is the firmware itself.
    let mut arguments = (&arguments).skip(1).map_while(Result::ok);
    let mut next = || arguments.next();
    match next() {
        Some("run") => {
            for key in PROGRAM.bytes() {
                machine.console.type_key(if key == b'\n' { b'\r' } else { key });
            }
        }
        Some("resume") => load(next().ok_or(Failure::Use)?, machine, buffers)?,
        _ => return Err(Failure::Use),
    }
    let to = next().ok_or(Failure::Use)?;
    let cycles = match next() {
        Some(cycles) => cycles.parse().map_err(|_| Failure::Use)?,
        None => u64::MAX,
    };
    let mut stdout = io::stdout().map_err(|_| Failure::Use)?;
    machine.run_until(cycles, &mut |byte| {
        if byte != b'\r' {
            // Nobody can be told that standard output is closed.
            let _ = stdout.write_all(&[byte]);
        }
    });
    save(to, machine, buffers)
}

fn load(path: &str, machine: &mut Machine, buffers: &mut Buffers) -> Result<(), Failure> {
    let file = with_nul(path, File::open)?.map_err(|error| Failure::Load(LoadError::Io(error)))?;
    let codecs = Either::of(Store, &mut *buffers.decoder);
    Loader::new(file, codecs, buffers.scratch).load(machine, &UNITS).map_err(Failure::Load)?;
    eprintln!("[on the metal: loaded after {} cycles]", machine.clock.cycles);
    Ok(())
}

fn save(path: &str, machine: &mut Machine, buffers: &mut Buffers) -> Result<(), Failure> {
    let file = with_nul(path, File::create)?.map_err(|error| Failure::Save(SaveError::Io(error)))?;
    let saver = Saver::new(file, &mut *buffers.encoder, buffers.scratch).notes(NOTES);
    let len = saver.save(machine, &UNITS).map_err(Failure::Save)?;
    eprintln!("[on the metal: saved {len} bytes after {} cycles]", machine.clock.cycles);
    Ok(())
}

/// A path as the host wants it.
fn with_nul<T>(path: &str, use_it: impl FnOnce(&CStr) -> T) -> Result<T, Failure> {
    let mut bytes = [0; COMMAND_LINE + 1];
    let room = bytes.get_mut(..path.len()).ok_or(Failure::Use)?;
    room.copy_from_slice(path.as_bytes());
    CStr::from_bytes_until_nul(&bytes).map(use_it).map_err(|_| Failure::Use)
}
