//! A progress bar that appears on standard error when that is a terminal and the work turns out to be long.

use indicatif::{ProgressBar, ProgressStyle};
use std::cell::{Cell, OnceCell};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_millis(300);

/// Follows the bytes that are read; shared by a medium and the subcommand that reads it.
pub struct Progress {
    started: Instant,
    wanted: Cell<bool>,
    done: Cell<u64>,
    total: Cell<u64>,
    bar: OnceCell<ProgressBar>,
}

impl Progress {
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            wanted: Cell::new(std::io::stderr().is_terminal()),
            done: Cell::new(0),
            total: Cell::new(0),
            bar: OnceCell::new(),
        }
    }

    /// `bytes` more will be read.
    pub fn expect(&self, bytes: u64) {
        self.total.set(self.total.get().saturating_add(bytes));
        if let Some(bar) = self.bar.get() {
            bar.set_length(self.total.get());
        }
    }

    /// `bytes` more were read.
    pub fn advance(&self, bytes: u64) {
        self.done.set(self.done.get().saturating_add(bytes));
        if !self.wanted.get() || (self.bar.get().is_none() && self.started.elapsed() < PATIENCE) {
            return;
        }
        let total = self.total.get();
        let bar = self.bar.get_or_init(|| {
            let style = ProgressStyle::with_template("{bar:40} {percent:>3}%  {elapsed}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(total).with_style(style).with_elapsed(self.started.elapsed())
        });
        bar.set_position(self.done.get().min(total));
    }

    /// Bytes that were read so far.
    #[cfg(test)]
    pub fn done(&self) -> u64 {
        self.done.get()
    }

    /// Takes the bar away for good.
    pub fn end(&self) {
        self.wanted.set(false);
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
