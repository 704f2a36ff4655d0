use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Copies chunks of 10 bytes, until so many were taken; how they came out.
fn run(threads: usize, plain: &[u8], pack: &Work<'_, usize>, until: usize) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    Pipeline::default().run(
        &Threads::new(threads),
        Job { plain, chunk: 10, room: 10, pack },
        &mut 0,
        &mut |packed, read| {
            assert_eq!(packed.len(), read);
            out.push(packed.to_vec());
            out.len() < until
        },
    );
    out
}

fn copy(_: &mut usize, plain: &[u8], packed: &mut [u8]) -> Step {
    packed[..plain.len()].copy_from_slice(plain);
    Step { read: plain.len(), written: plain.len() }
}

#[test]
fn chunks_come_in_order() {
    for len in [0, 1, 9, 10, 11, 19, 20, 21, 1000, 9999] {
        let plain: Vec<u8> = (0..len as u32).map(|at| (at * at / 7) as u8).collect();
        for threads in [1, 2, 3, 7, 40] {
            let out = run(threads, &plain, &copy, usize::MAX);
            assert_eq!(out, plain.chunks(10).collect::<Vec<_>>(), "{len}, {threads}");
        }
    }
}

#[test]
fn the_end_is_heeded_at_every_call() {
    let plain: Vec<u8> = (0..200).collect();
    for threads in [1, 2, 7] {
        for until in 1..=20 {
            let out = run(threads, &plain, &copy, until);
            assert_eq!(out, plain.chunks(10).take(until).collect::<Vec<_>>());
        }
    }
}

#[test]
fn no_more_is_packed_ahead_than_there_are_buffers() {
    let plain = [7; 10_000];
    for threads in [2, 3, 7] {
        let packed = AtomicUsize::new(0);
        let mut taken = 0;
        Pipeline::default().run(
            &Threads::new(threads),
            Job {
                plain: &plain,
                chunk: 10,
                room: 10,
                pack: &|tables: &mut usize, plain, room| {
                    packed.fetch_add(1, Ordering::SeqCst);
                    copy(tables, plain, room)
                },
            },
            &mut 0,
            &mut |_, _| {
                assert!(packed.load(Ordering::SeqCst) <= taken + BUFFERS * (threads - 1) + MORE_BUFFERS);
                taken += 1;
                true
            },
        );
        assert_eq!((taken, packed.into_inner()), (1000, 1000));
    }
}

#[test]
fn a_panic_on_any_thread_goes_on_in_the_caller() {
    let plain: Vec<u8> = (0..250).collect();
    for threads in [1, 2, 3, 7] {
        for chunk in 0..25 {
            let pack = |tables: &mut usize, plain: &[u8], packed: &mut [u8]| {
                assert_ne!(plain[0], chunk * 10, "as planned");
                copy(tables, plain, packed)
            };
            let panic = catch_unwind(AssertUnwindSafe(|| run(threads, &plain, &pack, usize::MAX))).unwrap_err();
            let message = panic.downcast_ref::<String>().unwrap();
            assert!(message.contains("as planned"), "{message}");
        }
        let panic = catch_unwind(AssertUnwindSafe(|| {
            let mut out = |_: &[u8], _| panic!("of the caller");
            let job = Job { plain: &plain, chunk: 10, room: 10, pack: &copy };
            Pipeline::default().run(&Threads::new(threads), job, &mut 0, &mut out);
        }));
        assert_eq!(*panic.unwrap_err().downcast_ref::<&str>().unwrap(), "of the caller");
    }
}

#[test]
fn a_piece_that_is_not_all_packed_is_the_last() {
    let plain: Vec<u8> = (0..200).collect();
    let pack = |tables: &mut usize, plain: &[u8], packed: &mut [u8]| match plain[0] {
        100 => Step { read: 3, written: copy(tables, &plain[..3], packed).written },
        _ => copy(tables, plain, packed),
    };
    for threads in [1, 3] {
        assert_eq!(run(threads, &plain, &pack, usize::MAX).concat(), plain[..103]);
    }
}

/// Nothing waits for threads that a pool has not: neither where all are taken, nor where the calling thread runs a worker
/// while it hands out.
#[test]
fn a_pool_without_a_thread_to_spare() {
    let plain: Vec<u8> = (0..250).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let threads = Threads::Pool(std::sync::Arc::new(pool));
    let Threads::Pool(pool) = &threads else { unreachable!() };
    let (is_taken, is_done) = (AtomicUsize::new(0), AtomicBool::new(false));
    pool.in_place_scope(|scope| {
        scope.spawn(|_| {
            is_taken.store(1, Ordering::SeqCst);
            while !is_done.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
        });
        while is_taken.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        let out = pool.install(|| {
            let mut out = Vec::new();
            let job = Job { plain: &plain, chunk: 10, room: 10, pack: &copy };
            Pipeline::default().run(&threads, job, &mut 0, &mut |packed, _| {
                rayon::join(|| (), || ());
                rayon::yield_now();
                out.extend_from_slice(packed);
                true
            });
            out
        });
        is_done.store(true, Ordering::SeqCst);
        assert_eq!(out, plain);
    });
}
