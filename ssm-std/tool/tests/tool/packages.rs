//! What the packages of the workspace bring with them.

use std::collections::BTreeSet;
use std::process::Command;

/// Crates in the tree of the library, itself among them.
const MOST_CRATES: usize = 35;

/// The names of all crates that a package is built with on this host.
fn tree(package: &str) -> BTreeSet<String> {
    let mut tree = Command::new(std::env::var_os("CARGO").unwrap());
    tree.args(["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let output = tree.args(["--locked", "--offline"]).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // `NAME vVERSION`, and what is said of it in brackets.
    text.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_library_brings_no_crate_of_the_tool() {
    let library = tree("ssm-std");
    assert!(library.len() <= MOST_CRATES, "{} crates: {library:?}", library.len());
    let is_there = |name: &str| library.iter().any(|found| found.split(' ').next() == Some(name));
    assert!(is_there("ssm-core") && is_there("rayon"), "{library:?}");
    let of_the_tool = ["clap", "clap_builder", "clap_complete", "clap_mangen", "indicatif", "serde", "serde_json"];
    for name in of_the_tool.into_iter().chain(["strsim", "anstream", "textwrap", "roff"]) {
        assert!(!is_there(name), "{name} is in the tree of the library");
    }
    assert!(tree("ssm-tool").len() > library.len());
}
