//! Where the work is done: here, or on as many threads as the machine has cores.

use rayon::iter::IndexedParallelIterator;
use rayon::{Scope, ThreadPool};
use std::sync::Arc;

/// Plain bytes of a state that one thread handles faster than others are woken.
const FEW: usize = 1 << 20;

/// Plain bytes until it pays to wake other threads.
#[derive(Clone, Copy, Debug)]
pub struct UntilMany(usize);

impl UntilMany {
    /// From the start, where the number of threads was chosen; 0 leaves the choice to the codec.
    pub fn new(threads: usize) -> Self {
        Self(if threads == 0 { FEW } else { 0 })
    }

    /// So many bytes were handled.
    pub fn pass(&mut self, bytes: usize) {
        self.0 = self.0.saturating_sub(bytes);
    }

    /// Whether so many bytes ahead are enough.
    pub fn is_reached_with(self, ahead: usize) -> bool {
        ahead >= self.0
    }
}

/// A choice of threads.
#[derive(Clone, Debug)]
pub enum Threads {
    /// The caller's alone.
    One,
    /// One for each core, shared by all that choose this.
    All,
    /// As many as this pool has.
    Pool(Arc<ThreadPool>),
}

impl Threads {
    /// This many; 0 is one for each core. Where the system gives no thread, the caller's alone.
    pub fn new(count: usize) -> Self {
        match count {
            0 if rayon::current_num_threads() == 1 => Threads::One,
            0 => Threads::All,
            1 => Threads::One,
            count => match rayon::ThreadPoolBuilder::new().num_threads(count).build() {
                Ok(pool) => Threads::Pool(Arc::new(pool)),
                Err(_) => Threads::One,
            },
        }
    }

    pub fn is_one(&self) -> bool {
        matches!(self, Threads::One)
    }

    /// How many these are.
    pub fn count(&self) -> usize {
        match self {
            Threads::One => 1,
            Threads::All => rayon::current_num_threads(),
            Threads::Pool(pool) => pool.current_num_threads(),
        }
    }

    /// Does `body` on the caller's thread, and elsewhere what it spawns.
    pub fn scope<'s, T>(&self, body: impl FnOnce(&Scope<'s>) -> T) -> T {
        match self {
            Threads::Pool(pool) => pool.in_place_scope(body),
            _ => rayon::in_place_scope(body),
        }
    }

    /// Does `work` on every item.
    pub fn each<I>(&self, items: I, work: impl Fn(I::Item) + Sync + Send)
    where
        I: IndexedParallelIterator,
        I::Item: Send,
    {
        match self {
            Threads::Pool(pool) => pool.install(|| items.for_each(work)),
            _ => items.for_each(work),
        }
    }
}
