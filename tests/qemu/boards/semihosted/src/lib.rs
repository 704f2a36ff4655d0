//! Files, log and exit codes by semihosting: the same calls on ARM, AArch64 and RISC-V. The log is defmt on the host's
//! standard output; a panic goes to its standard error as text.
#![no_std]

use core::ffi::CStr;
use core::panic::PanicInfo;
use defmt_semihosting as _;
use heapless::Vec;
use semihosting::fs::{self, File};
use semihosting::io::Read;

/// The exit code of a panic.
const PANICKED: i32 = 101;
/// The exit code of a fault, such as an access to memory that is not there.
const FAULTED: i32 = 102;

/// Reads a whole file into the start of `into`; its length in bytes.
pub fn read(name: &str, into: &mut [u8]) -> usize {
    let mut file = with_nul(name, |name| File::open(name)).expect("open a file of the host");
    let mut len = 0;
    loop {
        match file.read(&mut into[len..]).expect("read a file of the host") {
            0 if len == into.len() => panic!("{name} is too large"),
            0 => return len,
            read => len += read,
        }
    }
}

/// Writes a whole file.
pub fn write(name: &str, bytes: &[u8]) {
    with_nul(name, |name| fs::write(name, bytes)).expect("write a file of the host");
}

fn with_nul<T>(name: &str, call: impl FnOnce(&CStr) -> T) -> T {
    let mut bytes = Vec::<u8, 48>::new();
    bytes
        .extend_from_slice(name.as_bytes())
        .and_then(|()| bytes.push(0).map_err(|_| Default::default()))
        .expect("a short name");
    call(CStr::from_bytes_with_nul(&bytes).expect("a name without NUL"))
}

/// Writes a line of log.
pub fn log(line: &str) {
    defmt::info!("{=str}", line);
}

/// Ends the emulator with success.
pub fn succeed() -> ! {
    semihosting::process::exit(0)
}

/// Ends the emulator after a fault.
pub fn fault() -> ! {
    semihosting::process::exit(FAULTED)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    semihosting::eprintln!("{info}");
    semihosting::process::exit(PANICKED)
}
