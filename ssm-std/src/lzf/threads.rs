//! Where the work is done: here, or on as many threads as the machine has cores.

use rayon::iter::IndexedParallelIterator;
use rayon::{Scope, ThreadPool};
use std::sync::Arc;

/// Plain bytes of a state that one thread handles faster than others are woken.
const FEW: usize = 1 << 20;

/// How many bytes a codec was given so far: only with many are other threads woken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given(usize);

impl Given {
    /// Adds what was done.
    pub fn add(&mut self, bytes: usize) {
        self.0 = self.0.saturating_add(bytes);
    }

    /// Whether with these bytes ahead there are many.
    pub fn is_many_with(self, ahead: usize) -> bool {
        self.0.saturating_add(ahead) >= FEW
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
