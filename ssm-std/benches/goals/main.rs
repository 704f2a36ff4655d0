//! What the project is to reach, measured beside its peers in one run: a table with a row for each goal.
//!
//! `cargo bench --bench goals` runs all groups, `-- save` those whose name has that word; `-- --write` puts the table into
//! the README beside this. The guest memory is the file that `SSM_GUEST_RAM` names, or else mixed pages; files go to the
//! folder that `SSM_BENCH_FOLDER` names, or else to `/dev/shm`, which is memory.
//!
//! A group runs its peers in turns and takes the best of several rounds of each.

#[path = "../data/mod.rs"]
mod data;

mod codecs;
mod liblzf;
mod machine;
mod measure;
mod packing;
mod rewind;
mod table;
mod tool;
mod units;
mod whole;

use std::path::{Path, PathBuf};
use table::Table;

/// A name, and what is measured.
type Group = (&'static str, fn(&mut Table, &Path));

const GROUPS: [Group; 6] = [
    ("lzf", codecs::run),
    ("save-load", whole::run),
    ("zero-random", whole::run_kinds),
    ("units", units::run),
    ("rewind-values", |table, _| rewind::run(table)),
    ("tool-memory", tool::run),
];

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if tool::child(&arguments) {
        return;
    }
    let words: Vec<_> = arguments.iter().filter(|word| !word.starts_with("--")).collect();
    let parent = std::env::var_os("SSM_BENCH_FOLDER").map_or_else(|| PathBuf::from("/dev/shm"), PathBuf::from);
    let folder = tempfile::Builder::new().prefix("ssm-bench").tempdir_in(parent).expect("a folder to work in");
    let mut table = Table::default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("?").to_owned();
    let remark = format!("Measured on {cores} cores, {}, with a load of {load} at the start.", data::guest_name());
    println!("{remark}");
    for (name, run) in GROUPS {
        if words.is_empty() || words.iter().any(|word| name.contains(word.as_str())) {
            run(&mut table, folder.path());
        }
    }
    if arguments.iter().any(|word| word == "--write") {
        table.write(&remark);
    }
}
