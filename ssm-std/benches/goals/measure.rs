//! Taking times: several pieces of work in turns, the best of each.
//!
//! What runs on one thread is measured in the time that the processor spent on it, where the system tells that, so that
//! other programs disturb less; what runs on several in time that passes.

use std::time::{Duration, Instant};

/// What time is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// That of the thread on a processor.
    Thread,
    /// That on the wall.
    Wall,
}

/// Work this short is repeated.
const SHORTEST: Duration = Duration::from_millis(20);

impl Time {
    fn now(self, start: Instant) -> Duration {
        #[cfg(target_os = "linux")]
        if self == Time::Thread {
            let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
            return Duration::new(time.tv_sec as u64, time.tv_nsec as u32);
        }
        start.elapsed()
    }

    /// Seconds that one run of `work` takes, over `times` runs.
    fn of(self, times: u32, work: &mut dyn FnMut()) -> f64 {
        let start = Instant::now();
        let from = self.now(start);
        for _ in 0..times {
            work();
        }
        (self.now(start) - from).as_secs_f64() / f64::from(times)
    }
}

/// Seconds that each piece of work takes: the best of so many rounds in turns, behind one that does not count.
pub fn race<const N: usize>(time: Time, rounds: usize, works: [&mut dyn FnMut(); N]) -> [f64; N] {
    race_beside(time, rounds, works, &mut || f64::INFINITY).0
}

/// The same with a peer that takes its own time, in seconds, once in each round.
pub fn race_beside<const N: usize>(
    time: Time,
    rounds: usize,
    mut works: [&mut dyn FnMut(); N],
    peer: &mut dyn FnMut() -> f64,
) -> ([f64; N], f64) {
    let times = works.each_mut().map(|work| {
        let once = time.of(1, work).max(1e-9);
        (SHORTEST.as_secs_f64() / once).ceil().clamp(1.0, 1e6) as u32
    });
    let mut best = [f64::INFINITY; N];
    let mut best_peer = f64::INFINITY;
    for _ in 0..rounds {
        for ((best, work), times) in best.iter_mut().zip(&mut works).zip(times) {
            *best = best.min(time.of(times, work));
        }
        best_peer = best_peer.min(peer());
    }
    (best, best_peer)
}

/// MB/s (of 1,000,000 bytes) that so many bytes in so many seconds are.
pub fn rate(bytes: usize, seconds: f64) -> f64 {
    bytes as f64 / seconds / 1e6
}
