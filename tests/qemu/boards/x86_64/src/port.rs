//! QEMU's devices behind I/O ports: configuration, debug, exit, and the serial line.

use core::arch::asm;
use core::fmt;
use serial::Registers;

const CONFIG_SELECT: u16 = 0x510;
const CONFIG_DATA: u16 = 0x511;
const DEBUG: u16 = 0xe9;
const EXIT: u16 = 0xf4;
const UART: u16 = 0x3f8;
/// The selector of the configuration's directory.
const DIRECTORY: u16 = 0x19;
const NAME_LEN: usize = 56;

/// Reads a whole file, given as `-fw_cfg name=opt/ssm/NAME`, into the start of `into`; its length.
pub fn read_file(name: &str, into: &mut [u8]) -> usize {
    select(DIRECTORY);
    for _ in 0..u32::from_be_bytes(config()) {
        let len = u32::from_be_bytes(config()) as usize;
        let selector = u16::from_be_bytes(config());
        let _reserved: [u8; 2] = config();
        let path: [u8; NAME_LEN] = config();
        let path = path.split(|byte| *byte == 0).next().unwrap_or(&[]);
        if path.strip_prefix(b"opt/ssm/") == Some(name.as_bytes()) {
            assert!(len <= into.len(), "{name} is too large");
            select(selector);
            into[..len].fill_with(config_byte);
            return len;
        }
    }
    panic!("no file {name}");
}

fn select(selector: u16) {
    // SAFETY: the port belongs to the configuration device, and only this module uses it.
    unsafe { asm!("out dx, ax", in("dx") CONFIG_SELECT, in("ax") selector, options(nomem, nostack)) };
}

fn config<const N: usize>() -> [u8; N] {
    core::array::from_fn(|_| config_byte())
}

fn config_byte() -> u8 {
    let byte: u8;
    // SAFETY: as above.
    unsafe { asm!("in al, dx", in("dx") CONFIG_DATA, out("al") byte, options(nomem, nostack)) };
    byte
}

/// Sends a file to the host, or text if the name is empty.
pub fn write_frame(name: &str, contents: &[u8]) {
    let lens = [name.len() as u32, contents.len() as u32];
    lens.iter().flat_map(|len| len.to_le_bytes()).for_each(debug);
    name.bytes().for_each(debug);
    contents.iter().copied().for_each(debug);
}

fn debug(byte: u8) {
    // SAFETY: the port belongs to the debug device, which only takes bytes.
    unsafe { asm!("out dx, al", in("dx") DEBUG, in("al") byte, options(nomem, nostack)) };
}

/// Ends the emulator.
pub fn exit(code: u32) -> ! {
    loop {
        // SAFETY: the port belongs to the exit device; nothing runs after it.
        unsafe { asm!("out dx, eax", in("dx") EXIT, in("eax") code, options(nomem, nostack)) };
    }
}

/// The registers of the first serial line.
pub struct UartRegisters;

impl Registers for UartRegisters {
    fn read(register: u8) -> u8 {
        let value: u8;
        // SAFETY: the ports belong to the UART, and only its driver uses them.
        unsafe { asm!("in al, dx", in("dx") UART + u16::from(register), out("al") value, options(nomem, nostack)) };
        value
    }

    fn write(register: u8, value: u8) {
        // SAFETY: as above.
        unsafe { asm!("out dx, al", in("dx") UART + u16::from(register), in("al") value, options(nomem, nostack)) };
    }
}

/// Collects a text for one frame.
pub struct Text {
    bytes: [u8; 1024],
    len: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self { bytes: [0; 1024], len: 0 }
    }
}

impl Text {
    /// Sends it to the host.
    pub fn send(&self) {
        write_frame("", &self.bytes[..self.len]);
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.len..];
        let len = text.len().min(room.len());
        room[..len].copy_from_slice(&text.as_bytes()[..len]);
        self.len += len;
        Ok(())
    }
}
