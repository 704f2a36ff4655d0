//! How far an operation is, and the wish to stop it.

#[cfg(feature = "critical-section")]
use core::cell::Cell;
#[cfg(not(feature = "critical-section"))]
use core::sync::atomic::{AtomicBool, Ordering};

/// A wish to stop, set by another context: an interrupt handler, a thread, a signal.
///
/// It needs atomic loads and stores only, so it works on targets without compare-and-swap; with the feature
/// `critical-section` it uses that instead, for targets without atomics.
///
/// ```
/// static CANCEL: ssm_core::Cancel = ssm_core::Cancel::new();
/// assert!(!CANCEL.is_cancelled());
/// CANCEL.cancel();
/// assert!(CANCEL.is_cancelled());
/// ```
#[derive(Debug)]
pub struct Cancel(Wish);

#[cfg(not(feature = "critical-section"))]
type Wish = AtomicBool;
#[cfg(feature = "critical-section")]
type Wish = critical_section::Mutex<Cell<bool>>;

impl Cancel {
    /// No wish yet.
    #[cfg(not(feature = "critical-section"))]
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// No wish yet.
    #[cfg(feature = "critical-section")]
    pub const fn new() -> Self {
        Self(critical_section::Mutex::new(Cell::new(false)))
    }

    /// Asks the operation to stop at its next step. Never blocks.
    pub fn cancel(&self) {
        self.set(true);
    }

    /// Takes the wish back, to use the token again.
    pub fn reset(&self) {
        self.set(false);
    }

    #[cfg(not(feature = "critical-section"))]
    fn set(&self, wish: bool) {
        self.0.store(wish, Ordering::Release);
    }

    #[cfg(feature = "critical-section")]
    fn set(&self, wish: bool) {
        critical_section::with(|section| self.0.borrow(section).set(wish));
    }

    /// Whether the wish is there.
    #[cfg(not(feature = "critical-section"))]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Whether the wish is there.
    #[cfg(feature = "critical-section")]
    pub fn is_cancelled(&self) -> bool {
        critical_section::with(|section| self.0.borrow(section).get())
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

/// Percent when preparing is over, when the units are over, and at success.
pub(crate) const PREPARED: u8 = 19;
pub(crate) const EXECUTED: u8 = 98;
const EXECUTE_FROM: u8 = 20;
const ALL: u8 = 100;

/// Percent arithmetic of one operation: reported one by one, only upwards.
pub(crate) struct Progress<'p> {
    callback: Option<&'p mut dyn FnMut(u8)>,
    cancel: Option<&'p Cancel>,
    next: u8,
    /// The percents that the bytes below are mapped to.
    from: u8,
    to: u8,
    done: u64,
    total: u64,
}

impl<'p> Progress<'p> {
    pub const fn new() -> Self {
        Self { callback: None, cancel: None, next: 0, from: 0, to: 0, done: 0, total: 0 }
    }

    pub fn set_callback(&mut self, callback: &'p mut dyn FnMut(u8)) {
        self.callback = Some(callback);
    }

    pub fn set_cancel(&mut self, cancel: &'p Cancel) {
        self.cancel = Some(cancel);
    }

    /// Whether anybody wants to know how far it is.
    pub fn is_watched(&self) -> bool {
        self.callback.is_some()
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(Cancel::is_cancelled)
    }

    /// Reports every percent up to `percent` that was not reported yet.
    #[inline(never)]
    pub fn reach(&mut self, percent: u8) {
        let Some(callback) = &mut self.callback else {
            return;
        };
        while self.next <= percent.min(ALL) {
            callback(self.next);
            self.next = self.next.wrapping_add(1);
        }
    }

    /// `done` of `total` steps of preparing.
    pub fn prepare(&mut self, done: u64, total: u64) {
        if self.is_watched() {
            self.reach(share(done, total, 0, PREPARED));
        }
    }

    /// Preparing is to go through `total` bytes.
    pub fn check(&mut self, total: u64) {
        (self.from, self.to, self.done, self.total) = (0, PREPARED, 0, total);
    }

    /// Preparing is over; `total` bytes are expected.
    pub fn execute(&mut self, total: u64) {
        self.reach(PREPARED);
        (self.from, self.to, self.done, self.total) = (EXECUTE_FROM, EXECUTED, 0, total);
    }

    /// `bytes` more are through.
    pub fn advance(&mut self, bytes: u64) {
        self.advance_to(self.done.wrapping_add(bytes));
    }

    /// `done` bytes are through in all; of a stream of unknown length nothing can be said.
    pub fn advance_to(&mut self, done: u64) {
        self.done = done.min(self.total);
        if self.is_watched() {
            self.reach(share(self.done, self.total, self.from, self.to));
        }
    }

    pub fn finish(&mut self) {
        self.reach(ALL);
    }
}

/// `from` and the part of the way to `to` that `done` of `total` is.
#[inline(never)]
fn share(done: u64, total: u64, from: u8, to: u8) -> u8 {
    let (mut done, mut total) = (done.min(total), total);
    // Scaled down to 24 bits, so that 32-bit arithmetic does: a device has no fast 64-bit division.
    while total >> 24 != 0 {
        (done, total) = (done >> 1, total >> 1);
    }
    let part = (done as u32).wrapping_mul(to.wrapping_sub(from).into()).checked_div(total as u32).unwrap_or(0);
    from.wrapping_add(part as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_percent_once_and_in_order() {
        let mut seen = Vec::new();
        let mut callback = |percent| seen.push(percent);
        let mut progress = Progress::new();
        progress.set_callback(&mut callback);
        progress.prepare(1, 2);
        progress.prepare(2, 2);
        progress.execute(u64::MAX);
        progress.advance(u64::MAX / 2);
        progress.advance_to(5);
        progress.advance_to(u64::MAX);
        progress.finish();
        progress.finish();
        assert_eq!(seen, (0..=100).collect::<Vec<u8>>());
    }

    #[test]
    fn shares() {
        assert_eq!(share(0, 0, 20, 98), 20);
        assert_eq!(share(1, 2, 20, 98), 59);
        assert_eq!(share(2, 2, 20, 98), 98);
        assert_eq!(share(u64::MAX, u64::MAX, 20, 98), 98);
        assert_eq!(share(9, 10, 0, PREPARED), 17);
    }
}
