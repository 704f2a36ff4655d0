//! The memory of a real machine, where there is some.

#![allow(dead_code, reason = "not every benchmark uses all")]

use super::mixed;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Names a file that holds the memory of a machine.
const VARIABLE: &str = "SSM_GUEST_RAM";
const MIB: usize = 1 << 20;

/// `len` bytes (whole MiB) of the file that `SSM_GUEST_RAM` names, from all over it, and again from its start where it is
/// smaller; without such a file, [`mixed`] pages.
pub fn guest(len: usize) -> Vec<u8> {
    let Some(path) = std::env::var_os(VARIABLE) else {
        return mixed(len);
    };
    let mut file = File::open(&path).expect("the file that SSM_GUEST_RAM names");
    let (has, wanted) = (file.metadata().unwrap().len() as usize / MIB, len / MIB);
    assert!(has > 0, "the file that SSM_GUEST_RAM names holds a MiB or more");
    let mut out = vec![0; len];
    for (at, place) in out.chunks_mut(MIB).enumerate() {
        let from = if has > wanted { at * has / wanted } else { at % has };
        file.seek(SeekFrom::Start((from * MIB) as u64)).unwrap();
        file.read_exact(place).unwrap();
    }
    out
}

/// What [`guest`] gives, for people.
pub fn guest_name() -> String {
    match std::env::var_os(VARIABLE) {
        Some(_) => "guest memory".to_owned(),
        None => "mixed pages".to_owned(),
    }
}
