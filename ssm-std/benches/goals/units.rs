//! Many small units, and what one of them costs.

use crate::machine::cells;
use crate::measure::{Time, race};
use crate::table::{Goal, Table, thousands};
use ssm_core::Units;
use ssm_std::{Codec, LoadOptions, SaveFormat, SaveOptions, load_from_path, save_to_path};
use std::fs;
use std::path::Path;

const ROUNDS: usize = 9;
const FORMATS: [(SaveFormat, &[u32]); 2] =
    [(SaveFormat::V1_2, &[100, 1_000, 10_000, 60_000, 100_000]), (SaveFormat::V2_0, &[100, 1_000, 10_000, 60_000])];

pub fn run(table: &mut Table, folder: &Path) {
    own_files(table, folder);
    flat(table, folder);
}

fn own_files(table: &mut Table, folder: &Path) {
    const COUNT: u32 = 10_000;
    table.group("10,000 units of 64 bytes in a file in memory");
    let each = folder.join("each");
    fs::create_dir_all(&each).unwrap();
    let (mut machine, entries) = cells(COUNT);
    let units = Units::new(&entries);
    let (mut other, mut third) = (cells(COUNT).0, cells(COUNT).0);
    let contents: Vec<_> = machine.iter().map(|cell| cell.0).collect();
    let names: Vec<_> = (0..COUNT).map(|at| each.join(at.to_string())).collect();
    let path = folder.join("cells");
    let options = |format, codec| SaveOptions { format, codec, ..SaveOptions::default() };
    let [store, lzf, new, files] = race(
        Time::Wall,
        ROUNDS,
        [
            &mut || _ = save_to_path(&path, &mut machine, &units, options(SaveFormat::V1_2, Codec::Store)).unwrap(),
            &mut || _ = save_to_path(&path, &mut other, &units, options(SaveFormat::V1_2, Codec::Lzf)).unwrap(),
            &mut || _ = save_to_path(&path, &mut third, &units, options(SaveFormat::V2_0, Codec::Lzf)).unwrap(),
            &mut || names.iter().zip(&contents).for_each(|(name, bytes)| fs::write(name, bytes).unwrap()),
        ],
    );
    fs::remove_dir_all(&each).unwrap();
    let speed = |seconds: f64| format!("{} units/s", thousands(f64::from(COUNT) / seconds));
    for (what, seconds) in [("1.2, store", store), ("1.2, LZF", lzf), ("2.0, LZF", new)] {
        let what = format!("{what}, to a file for each");
        table.row(&what, &speed(seconds), &speed(files), files / seconds, Goal::AtLeast(20.0));
    }
}

fn flat(table: &mut Table, folder: &Path) {
    table.group("The cost of a unit of 64 bytes, LZF, in ns: figures are to that at 1,000 units");
    let path = folder.join("cells");
    for (format, counts) in FORMATS {
        let mut costs = Vec::new();
        for &count in counts {
            let (mut machine, entries) = cells(count);
            let units = Units::new(&entries);
            let (mut loaded, _) = cells(count);
            let options = || SaveOptions { format, ..SaveOptions::default() };
            let [save] =
                race(Time::Wall, ROUNDS, [&mut || _ = save_to_path(&path, &mut machine, &units, options()).unwrap()]);
            loaded.iter_mut().for_each(|cell| cell.0.fill(0xff));
            let [load] = race(
                Time::Wall,
                ROUNDS,
                [&mut || _ = load_from_path(&path, &mut loaded, &units, LoadOptions::default()).unwrap()],
            );
            assert!(machine.iter().zip(&loaded).all(|(a, b)| a.0 == b.0));
            costs.push((count, [save, load].map(|seconds| seconds * 1e9 / f64::from(count))));
        }
        let base = costs[1].1;
        for (count, cost) in &costs {
            for (way, (what, base)) in ["save", "load"].into_iter().zip(base).enumerate() {
                let name = format!("{format} {what}, {} units", thousands(f64::from(*count)));
                let goal = if *count > 1000 { Goal::AtMost(1.5) } else { Goal::None };
                table.row(&name, &format!("{} ns", thousands(cost[way])), "", cost[way] / base, goal);
            }
        }
    }
}
