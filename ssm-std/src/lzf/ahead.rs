//! Blocks that are unpacked by other threads while the caller's reads more of them.
//!
//! The caller's thread reads a batch of blocks into a buffer that is used again and again, hands it on with the room for its plain
//! bytes, and unpacks one itself when all buffers are in use. So it never waits for a thread that has not begun, in whatever
//! pool it runs; and a batch whose thread panics comes back like any other. A worker never waits: where it finds no batch it
//! ends, and is started again with the next one. So nothing hangs where a pool runs it on top of the thread that reads, and a
//! slow medium keeps no thread from other work.

use super::threads::Threads;
use rayon::Scope;
use ssm_core::{Ahead, Block, Blocks};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Packed bytes that are read at a time: at least more than one block of any size.
const LEAST: usize = 32 << 10;
const MOST: usize = 256 << 10;
/// Batches at most; 4 MiB.
const BATCHES: usize = 16;
/// Plain bytes of a batch that nobody wants.
const UNWANTED: usize = 256 << 10;
/// Blocks of a batch, which a hostile file may have made tiny.
const BLOCKS: usize = 2048;

/// What was read at a time.
#[derive(Default)]
pub struct Batch {
    packed: Vec<u8>,
    blocks: Vec<Block>,
    /// For plain bytes that nobody wants.
    plain: Vec<u8>,
}

/// Where plain bytes go.
pub enum Room<'p> {
    /// There.
    Wanted(&'p mut [u8]),
    /// Nowhere, but no more than this many.
    Unwanted(usize),
}

impl<'p> Room<'p> {
    fn len(&self) -> usize {
        match self {
            Room::Wanted(plain) => plain.len(),
            Room::Unwanted(most) => *most,
        }
    }

    /// Takes the first so many bytes away, and gives them where they are wanted.
    fn take(&mut self, len: usize) -> Option<&'p mut [u8]> {
        match self {
            Room::Wanted(plain) => plain.split_off_mut(..len),
            Room::Unwanted(most) => {
                *most -= len;
                None
            }
        }
    }
}

/// A batch, with the room for its plain bytes and where that begins.
struct Job<'p> {
    batch: Batch,
    /// In the batch, if there is none.
    plain: Option<&'p mut [u8]>,
    at: usize,
}

impl Job<'_> {
    /// Unpacks block after block; what came out where one is damaged.
    fn unpack(&mut self, block: Unpack) -> Option<Ahead> {
        let Job { batch: Batch { packed, blocks, plain: unwanted }, plain, at } = self;
        let plain = plain.as_deref_mut().unwrap_or(unwanted);
        let is_damaged = |found: &&Block| {
            let code = packed.get(found.from..).and_then(|code| code.get(..found.packed.into()));
            let room = plain.get_mut(found.to..).and_then(|room| room.get_mut(..found.plain.into()));
            code.zip(room).is_none_or(|(code, room)| !block(code, room))
        };
        let damaged = blocks.iter().find(is_damaged)?;
        Some(Ahead { plain: *at + damaged.to, damaged: Some(damaged.at) })
    }
}

/// Unpacks all of `code` to all of `plain`, if it is as long.
type Unpack = fn(code: &[u8], plain: &mut [u8]) -> bool;

fn unpack_block(code: &[u8], plain: &mut [u8]) -> bool {
    if code.is_empty() {
        plain.fill(0);
        return true;
    }
    ssm_core::LzfDecoder::<[u8; 0]>::decode_code(code, plain)
}

/// What the threads share.
struct Queue<'p> {
    state: Mutex<State<'p>>,
    /// A batch came back.
    back: Condvar,
    block: Unpack,
}

struct State<'p> {
    waiting: VecDeque<Job<'p>>,
    /// Batches to read into.
    free: Vec<Batch>,
    workers: usize,
    /// The damage that is nearest to the start.
    damage: Option<Ahead>,
}

/// A job that a thread works on. However that ends, the batch goes back.
struct Taken<'q, 'p> {
    queue: &'q Queue<'p>,
    job: Job<'p>,
    damage: Option<Ahead>,
}

impl Taken<'_, '_> {
    fn unpack(mut self) {
        self.damage = self.job.unpack(self.queue.block);
    }
}

impl Drop for Taken<'_, '_> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.free.push(std::mem::take(&mut self.job.batch));
        if let Some(damage) = self.damage
            && state.damage.is_none_or(|first| damage.plain < first.plain)
        {
            state.damage = Some(damage);
        }
        drop(state);
        self.queue.back.notify_one();
    }
}

impl<'p> Queue<'p> {
    fn new(free: Vec<Batch>, block: Unpack) -> Self {
        let state = State { waiting: VecDeque::new(), free, workers: 0, damage: None };
        Self { state: Mutex::new(state), back: Condvar::new(), block }
    }

    fn lock(&self) -> MutexGuard<'_, State<'p>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taken(&self, job: Job<'p>) -> Taken<'_, 'p> {
        Taken { queue: self, job, damage: None }
    }

    /// A worker, until there is nothing left for it.
    fn work(&self) {
        loop {
            let mut state = self.lock();
            let Some(job) = state.waiting.pop_front() else {
                state.workers -= 1;
                return;
            };
            drop(state);
            self.taken(job).unpack();
        }
    }

    /// A batch to read into, once there is one; `None` after damage.
    fn free(&self) -> Option<Batch> {
        loop {
            let mut state = self.lock();
            if state.damage.is_some() {
                return None;
            }
            if let Some(batch) = state.free.pop() {
                return Some(batch);
            }
            match state.waiting.pop_front() {
                Some(job) => {
                    drop(state);
                    self.taken(job).unpack();
                }
                // All are in the hands of threads that run.
                None => drop(self.back.wait(state).unwrap_or_else(PoisonError::into_inner)),
            }
        }
    }

    /// Reads batch after batch, with up to so many workers, then helps until none waits; how many plain bytes that makes.
    fn read<'q>(
        &'q self,
        scope: &Scope<'q>,
        max_workers: usize,
        mut plain: Room<'p>,
        blocks: &mut dyn Blocks,
    ) -> usize {
        let mut at = 0;
        while plain.len() > 0
            && let Some(mut batch) = self.free()
        {
            // Less towards the end, so that all threads have something to the last.
            let room = (plain.len() / 8).clamp(LEAST, MOST);
            if batch.packed.len() < room {
                batch.packed.resize(room, 0);
            }
            batch.blocks.clear();
            let Batch { packed, blocks: found, plain: unwanted } = &mut batch;
            let to = match &mut plain {
                Room::Wanted(plain) => plain,
                Room::Unwanted(most) => {
                    unwanted.resize(UNWANTED, 0);
                    &mut unwanted[..UNWANTED.min(*most)]
                }
            };
            let made = blocks.next(&mut packed[..room], to, &mut |block| {
                found.push(block);
                found.len() < BLOCKS
            });
            let made = made.min(to.len());
            let to = plain.take(made);
            let mut state = self.lock();
            if made == 0 {
                state.free.push(batch);
                break;
            }
            state.waiting.push_back(Job { batch, plain: to, at });
            if state.workers < max_workers {
                state.workers += 1;
                drop(state);
                scope.spawn(|_| self.work());
            }
            at += made;
        }
        loop {
            let job = self.lock().waiting.pop_front();
            let Some(job) = job else {
                return at;
            };
            self.taken(job).unpack();
        }
    }
}

/// Unpacks what `blocks` gives on several threads; how far that came. `batches` is for use again.
pub fn unpack(threads: &Threads, batches: &mut Vec<Batch>, plain: Room<'_>, blocks: &mut dyn Blocks) -> Ahead {
    unpack_by(unpack_block, threads, batches, plain, blocks)
}

fn unpack_by(
    block: Unpack,
    threads: &Threads,
    batches: &mut Vec<Batch>,
    plain: Room<'_>,
    blocks: &mut dyn Blocks,
) -> Ahead {
    let others = threads.count().saturating_sub(1).min(BATCHES - 1);
    batches.resize_with((2 * others + 2).min(BATCHES), Batch::default);
    let queue = Queue::new(std::mem::take(batches), block);
    let plain = threads.scope(|scope| queue.read(scope, others, plain, blocks));
    let state = queue.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    *batches = state.free;
    state.damage.unwrap_or(Ahead { plain, damaged: None })
}

#[cfg(test)]
mod tests;
