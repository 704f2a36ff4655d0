//! The console: a serial line at ports 2 (data) and 3 (status), and a patient typist.
//!
//! It keeps keys until the machine does nothing but look for one, in the machine's own time, exactly as the host's does:
//! otherwise a machine that changes its place would get its keys in another cycle.

use heapless::Deque;
use ssm_core::{Field, Get, Put, Unit, UnitError, fields};

/// Keys that are kept at most.
pub const TYPE_AHEAD: usize = 1024;

/// Stops a BASIC program; does not wait for the machine to listen.
const CTRL_C: u8 = 0x03;
/// Looks for a key that are at most this many cycles apart belong together.
const NEAR: u64 = 100;
/// This many of them in a row mean that the machine waits for a key.
const LISTENING: u8 = 4;

/// The serial line, both ways.
#[derive(Clone, Debug, Default)]
pub struct Console {
    pending: Deque<u8, TYPE_AHEAD>,
    sent: Option<u8>,
    printed: u64,
    last_look: u64,
    looks: u8,
}

/// The layout of version 1; the pending keys follow as a string.
const CONSOLE_V1: &[Field<Console>] = fields![Console: printed, last_look, looks];

impl Console {
    /// Types a key; `false` if too many are pending already.
    pub fn type_key(&mut self, key: u8) -> bool {
        self.pending.push_back(key).is_ok()
    }

    /// Whether the machine can only go on with a key that nobody has typed yet.
    pub fn is_waiting(&self) -> bool {
        self.pending.is_empty() && self.looks >= LISTENING
    }

    /// Bytes printed since power on.
    pub fn printed(&self) -> u64 {
        self.printed
    }

    /// The byte that the last instruction printed, once.
    pub(crate) fn take_sent(&mut self) -> Option<u8> {
        self.sent.take()
    }

    /// Port 3: whether the line takes (bit 0) and has (bit 1) a byte.
    pub(crate) fn status(&mut self, now: u64) -> u8 {
        let near = now.wrapping_sub(self.last_look) <= NEAR;
        self.looks = if near { self.looks.saturating_add(1).min(LISTENING) } else { 0 };
        self.last_look = now;
        let ready = match self.pending.front() {
            Some(&CTRL_C) => true,
            Some(_) => self.looks >= LISTENING,
            None => false,
        };
        if ready { 0b11 } else { 0b01 }
    }

    /// Port 2, in.
    pub(crate) fn receive(&mut self) -> u8 {
        self.looks = 0;
        self.pending.pop_front().unwrap_or(0)
    }

    /// Port 2, out.
    pub(crate) fn send(&mut self, byte: u8) {
        self.looks = 0;
        self.printed = self.printed.wrapping_add(1);
        self.sent = Some(byte);
    }
}

impl Unit for Console {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.fields(self, CONSOLE_V1)?;
        put.string(self.pending.make_contiguous())
    }

    fn load(&mut self, get: &mut Get<'_>, version: u32) -> Result<(), UnitError> {
        if version != 1 {
            return Err(UnitError::Version(version));
        }
        get.fields(self, CONSOLE_V1)?;
        let mut pending = [0; TYPE_AHEAD];
        self.sent = None;
        self.pending.clear();
        // The string is no longer than the buffer, and the queue no shorter.
        for key in get.string(&mut pending)? {
            let _ = self.pending.push_back(*key);
        }
        Ok(())
    }
}
