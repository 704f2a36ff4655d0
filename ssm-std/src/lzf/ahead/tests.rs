use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Blocks of `PLAIN` bytes, two in each batch, whose code is their number; between them a byte that no block makes.
struct Numbered {
    left: usize,
    made: u64,
}

const PLAIN: usize = 999;
const COUNT: usize = 300;
const LEN: usize = COUNT * (PLAIN + 1);

impl Blocks for Numbered {
    fn next(&mut self, packed: &mut [u8], plain: &mut [u8], found: &mut dyn FnMut(Block) -> bool) -> usize {
        let (mut from, mut to) = (1, 0);
        while from < 4 && self.left > 0 && plain.len() - to > PLAIN {
            packed[from..from + 2].copy_from_slice(&(self.made as u16).to_le_bytes());
            plain[to] = b'|';
            found(Block { from, packed: 2, to: to + 1, plain: PLAIN as u16, at: self.made });
            (self.left, self.made, from, to) = (self.left - 1, self.made + 1, from + 2, to + 1 + PLAIN);
        }
        to
    }
}

fn number(code: &[u8]) -> u16 {
    u16::from_le_bytes([code[0], code[1]])
}

fn fill(code: &[u8], plain: &mut [u8]) -> bool {
    plain.fill(number(code) as u8);
    true
}

fn run(block: Unpack, threads: usize, batches: &mut Vec<Batch>, plain: &mut [u8]) -> Ahead {
    unpack_by(block, &Threads::new(threads), batches, Room::Wanted(plain), &mut Numbered { left: COUNT, made: 0 })
}

fn expected() -> Vec<u8> {
    (0..COUNT).flat_map(|at| [vec![b'|'], vec![at as u8; PLAIN]].concat()).collect()
}

#[test]
fn every_block_goes_to_its_place() {
    for threads in [1, 2, 3, 7, 40] {
        let mut batches = Vec::new();
        for _ in 0..5 {
            let mut plain = vec![0; LEN + 500];
            assert_eq!(run(fill, threads, &mut batches, &mut plain), Ahead { plain: LEN, damaged: None });
            assert!(plain[..LEN] == expected());
            assert!(batches.len() <= BATCHES && batches.iter().all(|batch| batch.packed.len() <= MOST));
        }
        // Room for some of the blocks only.
        let mut plain = vec![0; 100 * (PLAIN + 1) + 7];
        let came = run(fill, threads, &mut batches, &mut plain);
        assert_eq!(came, Ahead { plain: 100 * (PLAIN + 1), damaged: None });
        assert!(plain[..came.plain] == expected()[..came.plain]);
    }
}

#[test]
fn the_first_damaged_block_counts() {
    let block: Unpack = |code, plain| fill(code, plain) && number(code) < 41;
    for threads in [1, 2, 3, 7] {
        let mut plain = vec![0; LEN];
        let came = run(block, threads, &mut Vec::new(), &mut plain);
        assert_eq!(came, Ahead { plain: 41 * (PLAIN + 1) + 1, damaged: Some(41) });
        assert!(plain[..came.plain] == expected()[..came.plain]);
    }
}

#[test]
fn a_block_outside_of_what_was_read_is_damage() {
    struct Outside(Block);
    impl Blocks for Outside {
        fn next(&mut self, _: &mut [u8], _: &mut [u8], found: &mut dyn FnMut(Block) -> bool) -> usize {
            found(self.0);
            usize::MAX
        }
    }
    let inside = Block { from: 0, packed: 5, to: 0, plain: 5, at: 77 };
    for block in [
        Block { from: usize::MAX, ..inside },
        Block { to: usize::MAX, ..inside },
        Block { from: MOST, ..inside },
        Block { to: LEN - 4, ..inside },
    ] {
        let came =
            unpack_by(fill, &Threads::new(2), &mut Vec::new(), Room::Wanted(&mut vec![0; LEN]), &mut Outside(block));
        assert_eq!(came.damaged, Some(77), "{block:?}");
    }
}

/// A panic of any thread reaches the caller, and nobody waits for ever.
#[test]
fn panics_end_the_work() {
    struct Panics(Numbered);
    impl Blocks for Panics {
        fn next(&mut self, packed: &mut [u8], plain: &mut [u8], found: &mut dyn FnMut(Block) -> bool) -> usize {
            assert!(self.0.made < 100, "planted");
            self.0.next(packed, plain, found)
        }
    }
    for threads in [2, 3, 7] {
        for block in [(|_, _| panic!("planted")) as Unpack, |code, plain| {
            assert!(number(code) % 50 != 7, "planted");
            fill(code, plain)
        }] {
            let mut plain = vec![0; LEN];
            let ended = catch_unwind(AssertUnwindSafe(|| run(block, threads, &mut Vec::new(), &mut plain)));
            assert!(ended.is_err());
        }
        let (mut plain, mut blocks) = (vec![0; LEN], Panics(Numbered { left: COUNT, made: 0 }));
        let threads = Threads::new(threads);
        let ended = catch_unwind(AssertUnwindSafe(|| {
            unpack_by(fill, &threads, &mut Vec::new(), Room::Wanted(&mut plain), &mut blocks)
        }));
        assert!(ended.is_err());
    }
}

/// In a pool whose threads are all taken, the caller does all of it.
#[test]
fn nobody_waits_for_threads_that_never_come() {
    for inside in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(inside).build().unwrap();
        let threads = Threads::Pool(pool.into());
        let Threads::Pool(pool) = &threads else { unreachable!() };
        pool.scope(|scope| {
            for _ in 0..inside {
                scope.spawn(|_| {
                    let mut plain = vec![0; LEN];
                    let mut blocks = Numbered { left: COUNT, made: 0 };
                    let came = unpack_by(fill, &threads, &mut Vec::new(), Room::Wanted(&mut plain), &mut blocks);
                    assert_eq!(came, Ahead { plain: LEN, damaged: None });
                    assert!(plain == expected());
                });
            }
        });
    }
}

/// Nor for the caller's thread, where what reads runs other work of the pool on it.
#[test]
fn a_thread_that_reads_may_do_other_work() {
    struct Yields(Numbered);
    impl Blocks for Yields {
        fn next(&mut self, packed: &mut [u8], plain: &mut [u8], found: &mut dyn FnMut(Block) -> bool) -> usize {
            while rayon::yield_now() == Some(rayon::Yield::Executed) {}
            self.0.next(packed, plain, found)
        }
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let threads = Threads::Pool(pool.into());
    let Threads::Pool(pool) = &threads else { unreachable!() };
    let both = || {
        let (mut plain, mut blocks) = (vec![0; LEN], Yields(Numbered { left: COUNT, made: 0 }));
        let came = unpack_by(fill, &threads, &mut Vec::new(), Room::Wanted(&mut plain), &mut blocks);
        assert_eq!(came, Ahead { plain: LEN, damaged: None });
        assert!(plain == expected());
    };
    pool.join(both, both);
}
