//! Packing on several threads while the calling one takes what is packed, in order.
//!
//! Workers claim chunks of the plain bytes in order, each with an empty buffer. The calling thread takes the chunk that is
//! next if it is packed, else packs one itself, and waits only where all are claimed or all buffers are. A worker never
//! waits: where it finds no chunk or no buffer it ends, and is started again when there is a buffer. So nothing hangs
//! where a pool has no thread to spare, or runs a worker on top of the calling thread; then that one does more itself.

use super::threads::Threads;
use rayon::Scope;
use ssm_core::Step;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// More do not help: the calling thread has to write what they pack.
const MAX_WORKERS: usize = 15;
/// Buffers for a worker, and for all together: so many chunks may be packed while the system lets one wait for a core.
const BUFFERS: usize = 2;
const MORE_BUFFERS: usize = 6;

/// The encoders and buffers of the threads, kept for the next time.
#[derive(Default)]
pub struct Pipeline<T> {
    tables: Vec<T>,
    buffers: Vec<Buffer>,
}

/// Packs a chunk.
pub type Work<'a, T> = dyn Fn(&mut T, &[u8], &mut [u8]) -> Step + Sync + 'a;

/// Plain bytes that are to be packed, and how.
#[derive(Clone, Copy)]
pub struct Job<'a, T> {
    pub plain: &'a [u8],
    /// Bytes that are packed at a time.
    pub chunk: usize,
    /// Room in which a chunk fits, whatever it holds.
    pub room: usize,
    pub pack: &'a Work<'a, T>,
}

/// A packed chunk.
#[derive(Default)]
struct Buffer {
    packed: Vec<u8>,
    step: Step,
}

struct Shared<'a, T> {
    job: Job<'a, T>,
    chunks: usize,
    max_workers: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    idle: Pipeline<T>,
    /// The chunk that is claimed next.
    next: usize,
    packed: BTreeMap<usize, Buffer>,
    workers: usize,
    is_broken: bool,
}

/// What the calling thread does next.
enum Turn {
    HandOut(Buffer),
    Pack(usize, Buffer),
    End,
}

impl<T: Default + Send> Pipeline<T> {
    /// Packs all of the job with `tables` and as many more as there are threads, and gives it to `out` in order, with how
    /// many plain bytes it is, until that says `false`. A panic of a worker goes on in the caller.
    pub fn run(
        &mut self,
        threads: &Threads,
        job: Job<'_, T>,
        tables: &mut T,
        out: &mut dyn FnMut(&[u8], usize) -> bool,
    ) {
        let chunks = job.plain.len().div_ceil(job.chunk);
        let max_workers = threads.count().min(chunks).saturating_sub(1).min(MAX_WORKERS);
        self.buffers.resize_with(BUFFERS * max_workers + MORE_BUFFERS, Buffer::default);
        let idle = Pipeline { tables: std::mem::take(&mut self.tables), buffers: std::mem::take(&mut self.buffers) };
        let state = State { idle, next: 0, packed: BTreeMap::new(), workers: max_workers, is_broken: false };
        let shared = Shared { job, chunks, max_workers, state: Mutex::new(state), changed: Condvar::new() };
        threads.scope(|scope| {
            (0..max_workers).for_each(|_| scope.spawn(|_| shared.work()));
            shared.lead(scope, tables, out);
        });
        let State { idle, packed, .. } = shared.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        *self = idle;
        self.buffers.extend(packed.into_values());
    }
}

impl<T: Default + Send> Shared<'_, T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chunk(&self, at: usize) -> &[u8] {
        let from = at * self.job.chunk;
        &self.job.plain[from..self.job.plain.len().min(from + self.job.chunk)]
    }

    fn pack(&self, tables: &mut T, at: usize, mut buffer: Buffer) {
        if buffer.packed.len() < self.job.room {
            buffer.packed = vec![0; self.job.room];
        }
        buffer.step = (self.job.pack)(tables, self.chunk(at), &mut buffer.packed);
        self.lock().packed.insert(at, buffer);
        self.changed.notify_one();
    }

    /// A worker, until there is nothing left for it.
    fn work(&self) {
        let guard = OnPanic(self);
        let tables = self.lock().idle.tables.pop();
        let mut tables = tables.unwrap_or_default();
        loop {
            let mut state = self.lock();
            let Some((at, buffer)) = state.claim(self.chunks) else {
                state.idle.tables.push(tables);
                state.workers -= 1;
                break;
            };
            drop(state);
            self.pack(&mut tables, at, buffer);
        }
        drop(guard);
    }

    /// The calling thread.
    fn lead<'s>(&'s self, scope: &Scope<'s>, tables: &mut T, out: &mut dyn FnMut(&[u8], usize) -> bool) {
        let mut at = 0;
        loop {
            match self.turn(at) {
                Turn::HandOut(buffer) => {
                    let Step { read, written } = buffer.step;
                    let goes_on = out(&buffer.packed[..written], read) && read == self.chunk(at).len();
                    at += 1;
                    let mut state = self.lock();
                    state.idle.buffers.push(buffer);
                    if !goes_on {
                        state.next = self.chunks;
                        return;
                    }
                    if state.workers < self.max_workers && state.next < self.chunks {
                        state.workers += 1;
                        scope.spawn(|_| self.work());
                    }
                }
                Turn::Pack(at, buffer) => self.pack(tables, at, buffer),
                Turn::End => return,
            }
        }
    }

    /// What to do when all chunks before `at` were handed out.
    fn turn(&self, at: usize) -> Turn {
        let mut state = self.lock();
        loop {
            if at == self.chunks || state.is_broken {
                return Turn::End;
            }
            if let Some(buffer) = state.packed.remove(&at) {
                return Turn::HandOut(buffer);
            }
            if let Some((at, buffer)) = state.claim(self.chunks) {
                return Turn::Pack(at, buffer);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> State<T> {
    /// The next chunk and a buffer for it, if there are both.
    fn claim(&mut self, chunks: usize) -> Option<(usize, Buffer)> {
        if self.next == chunks {
            return None;
        }
        let buffer = self.idle.buffers.pop()?;
        self.next += 1;
        Some((self.next - 1, buffer))
    }
}

/// Tells the calling thread that a worker is gone.
struct OnPanic<'a, 's, T: Default + Send>(&'a Shared<'s, T>);

impl<T: Default + Send> Drop for OnPanic<'_, '_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().is_broken = true;
            self.0.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
