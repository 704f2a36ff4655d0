//! The power goes at every byte of every write and erase, under every model; then at any two of them. What the mount finds
//! is the old state or the new one, bit for bit, and the next save works. The counts are the crash table of SLOTS.md.
//!
//! `SSM_ALL_CUTS=1` takes more picks of torn bits and words and all pairs of cuts of more geometries: minutes instead of
//! seconds. `SSM_WRITE_TABLES=1` writes the tables into SLOTS.md instead of comparing them; they are those of the stated part.

mod comparison;
mod medium;
mod page;
mod sweep;
mod table;

use page::document;
use ssm_tests::flash::{Cut, Model, Pick};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use sweep::{Kind, Outcome, Program, Row, Shape, Store};
use table::Table;

const SINGLE: [Pick; 4] = [Pick::Bits(0), Pick::Bits(u64::MAX), Pick::Seed(1), Pick::Seed(2)];
const MORE: [Pick; 12] = {
    let mut picks = [Pick::Bits(0); 12];
    picks[1] = Pick::Bits(u64::MAX);
    let mut at = 2;
    while at < picks.len() {
        picks[at] = Pick::Seed(at as u64);
        at += 1;
    }
    picks
};
const PAIRS: [Pick; 1] = [Pick::Seed(3)];

fn all_cuts() -> bool {
    std::env::var_os("SSM_ALL_CUTS").is_some_and(|value| value == "1")
}

/// The sweeps of one geometry.
trait Geometry: Sync {
    fn name(&self) -> String;
    /// Whether no unit of a read reaches from one slot into the next: with ECC the neighbour's words then cannot make it fail.
    fn reads_stay_in_slots(&self) -> bool;
    fn single(&self, kind: Kind, picks: &[Pick]) -> Table;
    fn pairs(&self, kind: Kind, picks: &[Pick]) -> Table;
    fn sampled_pairs(&self, kind: Kind, samples: u64) -> Table;
}

/// Reads, writes and erases in units of `R`, `W` and `E` bytes, through a buffer of `B`.
struct Of<const R: usize, const W: usize, const E: usize, const B: usize>(Shape);

const fn of<const R: usize, const W: usize, const E: usize, const B: usize>(
    slots: u8,
    blocks: usize,
    len: usize,
) -> Of<R, W, E, B> {
    Of(Shape { slots, blocks, len })
}

impl<const R: usize, const W: usize, const E: usize, const B: usize> Of<R, W, E, B> {
    fn check(outcome: Outcome, row: Row, mut left: Store<R, W, E, B>) -> Outcome {
        let allowed = match row {
            Row::Erase | Row::Header | Row::Data => outcome == Outcome::Old,
            Row::OldErase => outcome == Outcome::New,
            _ => true,
        };
        if allowed && left.recovers() { outcome } else { Outcome::Lost }
    }

    fn saves(&self) -> u8 {
        self.0.slots + 1
    }
}

impl<const R: usize, const W: usize, const E: usize, const B: usize> Geometry for Of<R, W, E, B> {
    fn name(&self) -> String {
        let Shape { slots, blocks, len } = self.0;
        format!("read {R}, write {W}, erase {E}, buffer {B}; {slots} slots of {blocks} blocks, states of {len} bytes")
    }

    fn reads_stay_in_slots(&self) -> bool {
        (E * self.0.blocks).is_multiple_of(R)
    }

    fn single(&self, kind: Kind, picks: &[Pick]) -> Table {
        let mut table = Table::default();
        let first = Store::<R, W, E, B>::new(self.0, kind);
        let steady = Store::<R, W, E, B>::with_saves(self.0, kind, self.saves());
        for (store, program) in [
            (&first, Program::SaveAndPrepare(50)),
            (&steady, Program::SaveAndPrepare(50)),
            (&steady, Program::FailAndSave(50)),
            (&steady, Program::Rollback),
            (&steady, Program::EraseAll),
        ] {
            store.sweep(program, picks, &mut |row, model, outcome, left| {
                table.count(row, model, Self::check(outcome, row, left));
            });
        }
        table
    }

    fn pairs(&self, kind: Kind, picks: &[Pick]) -> Table {
        let mut table = Table::default();
        let steady = Store::<R, W, E, B>::with_saves(self.0, kind, self.saves());
        for program in [Program::SaveAndPrepare(50), Program::Rollback] {
            steady.sweep(program, picks, &mut |row, model, outcome, store| {
                if outcome == Outcome::Lost {
                    return table.count(row, model, outcome);
                }
                store.sweep(Program::SaveAndPrepare(51), picks, &mut |row, model, outcome, left| {
                    table.count(row, model, Self::check(outcome, row, left));
                });
            });
        }
        table
    }

    fn sampled_pairs(&self, kind: Kind, samples: u64) -> Table {
        let mut table = Table::default();
        let steady = Store::<R, W, E, B>::with_saves(self.0, kind, self.saves());
        let mut seed = samples;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let programs = [Program::SaveAndPrepare(50), Program::FailAndSave(50), Program::Rollback];
        for _ in 0..samples {
            let mut cut = |store: &Store<R, W, E, B>, program| {
                let step = random(store.steps(program));
                let model = Model::ALL[random(6) as usize];
                let cut = Cut { step, model, pick: Pick::Seed(random(1 << 30)) };
                let (outcome, left) = store.cut(program, cut);
                (store.row_of(program, step), model, outcome, left)
            };
            let (row, model, outcome, store) = cut(&steady, programs[samples as usize % 3]);
            if outcome == Outcome::Lost {
                table.count(row, model, outcome);
                continue;
            }
            let (row, model, outcome, left) = cut(&store, Program::SaveAndPrepare(51));
            table.count(row, model, Self::check(outcome, row, left));
        }
        table
    }
}

/// Flash as it is sold, and as nobody would build it.
static GEOMETRIES: [&dyn Geometry; 14] = [
    &of::<1, 1, 256, 64>(2, 1, 100),
    &of::<1, 1, 2048, 256>(2, 1, 300),
    &of::<4, 4, 512, 64>(2, 1, 200),
    &of::<1, 4, 256, 16>(3, 1, 90),
    &of::<1, 8, 512, 64>(2, 1, 300),
    &of::<1, 16, 256, 128>(2, 2, 250),
    &of::<4, 32, 128, 64>(2, 3, 200),
    &of::<1, 256, 1024, 256>(2, 1, 600),
    &of::<2, 3, 768, 30>(2, 1, 170),
    &of::<3, 5, 64, 16>(2, 4, 100),
    &of::<7, 12, 100, 40>(2, 3, 150),
    &of::<64, 2, 128, 64>(4, 2, 120),
    &of::<1, 64, 16, 64>(2, 13, 60),
    &of::<1, 1, 64, 1>(5, 1, 8),
];

/// Some of them, for what differs little: words of 1 to 64 bytes, with two slots and three.
static INVERTED: [&dyn Geometry; 4] = [
    &of::<1, 1, 256, 64>(2, 1, 100),
    &of::<1, 4, 256, 16>(3, 1, 90),
    &of::<4, 32, 128, 64>(2, 3, 200),
    &of::<7, 12, 100, 40>(2, 3, 150),
];

/// Small enough for all pairs of cuts.
static SMALL: [&dyn Geometry; 5] = [
    &of::<1, 8, 64, 64>(2, 1, 8),
    &of::<1, 1, 64, 64>(2, 1, 5),
    &of::<4, 4, 64, 16>(3, 1, 7),
    &of::<1, 16, 32, 32>(2, 3, 20),
    &of::<2, 3, 20, 7>(2, 4, 10),
];

/// Runs over several geometries on all processors; the tables in their order.
fn each(geometries: &[&'static dyn Geometry], run: impl Fn(&dyn Geometry) -> Table + Sync) -> Table {
    let (next, sum) = (AtomicUsize::new(0), Mutex::new(Table::default()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(geometry) = geometries.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let table = run(*geometry);
                    println!("{}: {} cases, {} lost", geometry.name(), table.cases(), table.lost());
                    sum.lock().unwrap().add(table);
                }
            });
        }
    });
    sum.into_inner().unwrap()
}

fn without_loss(what: &str, table: Table) -> Table {
    println!("{what}: {} cases", table.cases());
    assert_eq!(table.lost(), 0, "{what}:\n{}", table.print());
    table
}

/// The geometries that a flash with ECC can have.
fn with_ecc() -> Vec<&'static dyn Geometry> {
    GEOMETRIES.into_iter().filter(|geometry| geometry.reads_stay_in_slots()).collect()
}

/// The table of a kind of flash, in its part of SLOTS.md.
fn written(what: &str, table: Table) -> Table {
    let table = without_loss(what, table);
    document(what, &format!("\n{} cases:\n\n{}\n", table.cases(), table.print()));
    table
}

#[test]
fn one_cut_anywhere() {
    let table = written("one cut", each(&GEOMETRIES, |geometry| geometry.single(Kind::Plain, &SINGLE)));
    for row in [Row::Commit, Row::Rollback, Row::EraseAll] {
        assert!(table.row(row).any(|[old, new, _]| old > 0 && new > 0), "{row:?} is where it is decided");
    }
    if all_cuts() {
        without_loss("one cut, all", each(&GEOMETRIES, |geometry| geometry.single(Kind::Plain, &MORE)));
    }
}

#[test]
fn one_cut_anywhere_with_ecc() {
    written("one cut, ECC", each(&with_ecc(), |geometry| geometry.single(Kind::Ecc, &SINGLE)));
}

#[test]
fn one_cut_anywhere_of_a_flash_that_erases_to_zeros() {
    written("one cut, inverted", each(&INVERTED, |geometry| geometry.single(Kind::Inverted, &SINGLE)));
}

#[test]
fn any_two_cuts() {
    written("two cuts", each(&SMALL[..3], |geometry| geometry.pairs(Kind::Plain, &PAIRS)));
    if all_cuts() {
        without_loss("two cuts, all", each(&SMALL, |geometry| geometry.pairs(Kind::Plain, &SINGLE[1..])));
    }
}

#[test]
fn any_two_cuts_with_ecc() {
    written("two cuts, ECC", each(&SMALL[..2], |geometry| geometry.pairs(Kind::Ecc, &PAIRS)));
    if all_cuts() {
        without_loss("two cuts, ECC, all", each(&SMALL, |geometry| geometry.pairs(Kind::Ecc, &PAIRS)));
    }
}

#[test]
fn two_cuts_at_random() {
    let samples = if all_cuts() { 100_000 } else { 1000 };
    for kind in [Kind::Plain, Kind::Ecc, Kind::Inverted] {
        let geometries = if kind == Kind::Ecc { with_ecc() } else { GEOMETRIES.to_vec() };
        without_loss("two cuts at random", each(&geometries, |geometry| geometry.sampled_pairs(kind, samples)));
    }
}

/// Cuts in every word of the commit record, with every number as the pick.
fn commit<const R: usize, const W: usize, const E: usize, const B: usize>(
    shape: Shape,
    model: Model,
    picks: u64,
) -> Table {
    let store = Store::<R, W, E, B>::with_saves(shape, Kind::Plain, 3);
    let program = Program::SaveAndPrepare(50);
    let mut table = Table::default();
    for step in store.steps_of(program, Row::Commit).step_by(W) {
        for pick in 0..picks {
            let cut = Cut { step, model, pick: Pick::Bits(pick) };
            let (outcome, left) = store.cut(program, cut);
            table.count(Row::Commit, model, Of::check(outcome, Row::Commit, left));
        }
    }
    table
}

#[test]
fn every_subset_of_the_bits_and_words_of_a_commit() {
    let shape = Shape { slots: 2, blocks: 1, len: 30 };
    let tables = [
        ("all bits of words of 1", commit::<1, 1, 128, 64>(shape, Model::TornWord, 1 << 8)),
        ("all words of 4", commit::<1, 4, 128, 64>(shape, Model::SomeWords, 1 << 14)),
        ("all words of 8", commit::<1, 8, 128, 64>(shape, Model::SomeWords, 1 << 7)),
        ("all words of 16", commit::<1, 16, 128, 64>(shape, Model::SomeWords, 1 << 4)),
    ];
    for (what, table) in tables {
        let table = without_loss(what, table);
        assert!(table.row(Row::Commit).all(|[old, new, _]| new > 0 && old > new));
    }
    if all_cuts() {
        let table = commit::<1, 2, 128, 64>(shape, Model::TornWord, 1 << 16);
        without_loss("all bits of words of 2", table);
    }
}
