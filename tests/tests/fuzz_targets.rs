//! The fuzzer's targets without the fuzzer: each over its corpus (`tests/fuzz/corpus`) and over changes of it that are the
//! same in every run.

use ssm_tests::mutation::Mutations;
use ssm_tests::targets;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// The corpus and so many changes of it.
fn replay(name: &str, changes: usize) {
    let (_, target) = targets::ALL.into_iter().find(|(known, _)| *known == name).unwrap();
    let corpus = corpus(name);
    assert!(corpus.len() >= 10, "{} files", corpus.len());
    let changed = Mutations::of(&corpus, 0x5353_4d20_6675_7a7a).take(changes);
    for input in corpus.iter().cloned().chain(changed) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&input))) {
            let digits: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
            eprintln!("{name} broke with these bytes: {digits}");
            resume_unwind(panic);
        }
    }
}

#[test]
fn lzf_encode() {
    replay("lzf_encode", 400);
}

#[test]
fn lzf_decode() {
    replay("lzf_decode", 3000);
}

#[test]
fn load() {
    replay("load", 10_000);
}

#[test]
fn slots() {
    replay("slots", 10_000);
}

#[test]
fn round_trip() {
    replay("round_trip", 150);
}

#[test]
fn every_target_has_a_fuzz_target_and_a_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let mut names: Vec<_> = targets::ALL.iter().map(|(name, _)| name.to_string()).collect();
    names.sort();
    for (folder, end) in [("corpus", ""), ("fuzz_targets", ".rs")] {
        let mut found: Vec<_> = std::fs::read_dir(fuzz.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        assert_eq!(found, names.iter().map(|name| format!("{name}{end}")).collect::<Vec<_>>());
    }
}
