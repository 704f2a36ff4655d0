//! Every truncation and every flipped bit of three small files of 2.0: stored, packed with a zero page, live. There are no
//! exceptions: all bytes of a checked stream but the footer are under its checksum over the file, the footer is under one
//! of its own, and no flip leads to another sound file. So each is refused by every reader; those that check before call no
//! hook.

use ssm_core::{
    AfterLoad, Archive, Crc32Slicing, Encode, Entry, Get, LoadError, LzfEncoder, Put, Saver, Store, Unit, UnitError,
    Units, Vote,
};
use ssm_tests::independent::decode;
use ssm_tests::media::{Broken, Disk, Loading, OneWay};

/// A page of memory behind a number, and how many hooks of loads were called.
#[derive(Clone)]
struct Ram {
    page: Vec<u8>,
    calls: u32,
}

impl Unit for Ram {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u32(self.page.len() as u32)?;
        put.bytes(&self.page)
    }

    fn live(&mut self, put: &mut Put<'_>, pass: u32) -> Result<(), UnitError> {
        put.u32(pass)?;
        put.bytes(&self.page[..20])
    }

    fn live_vote(&mut self, pass: u32) -> Result<Vote, UnitError> {
        Ok(if pass < 2 { Vote::Again } else { Vote::Done })
    }

    fn load_prep(&mut self, _: AfterLoad) -> Result<(), UnitError> {
        self.calls += 1;
        Ok(())
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        self.calls += 1;
        get.skip_rest().map(drop)
    }
}

type Machine = [Ram; 2];
const RAM: Entry<Machine> = Entry::new("ram", |machine: &mut Machine, at| &mut machine[at as usize]);
const UNITS: Units<Machine> = Units::new(&[RAM.live(), RAM.instance(1)]);

fn machine(page: usize) -> Machine {
    // Text that packs, then zeros.
    let page: Vec<u8> = (0..page).map(|at| if at < 1024 { b"ten print; "[at % 11] } else { 0 }).collect();
    [Ram { page: page.clone(), calls: 0 }, Ram { page: page[..30].to_vec(), calls: 0 }]
}

fn save(codec: impl Encode, page: usize) -> Vec<u8> {
    let mut disk = Disk::new();
    let mut scratch = [0; 3000];
    Saver::streamed(OneWay(&mut disk), codec, &mut scratch).save(&mut machine(page), &UNITS).unwrap();
    disk.into_bytes()
}

fn files() -> [(&'static str, Vec<u8>); 3] {
    let mut disk = Disk::new();
    let mut scratch = [0; 100];
    let mut machine = machine(40);
    let mut live = Saver::streamed(OneWay(&mut disk), Store, &mut scratch).live(&mut machine, &UNITS).unwrap();
    while live.pass(&mut machine, &UNITS).unwrap() == Vote::Again {}
    live.finish(&mut machine, &UNITS).unwrap();
    let files =
        [("store", save(Store, 100)), ("packed", save(LzfEncoder::<256>::new(), 3072)), ("live", disk.into_bytes())];
    let kinds = |kind| move |record: &ssm_tests::independent::Record| record.kind == kind;
    let packed = decode(&files[1].1);
    assert!(packed.units[1].records.iter().any(kinds(3)) && packed.units[1].records.iter().any(kinds(4)));
    assert_eq!(decode(&files[2].1).units.iter().filter(|unit| unit.pass.is_some()).count(), 4);
    files
}

fn verify(file: &[u8], check_first: bool) -> Result<(), LoadError<Broken>> {
    let disk = Disk::holding(file);
    let archive = match check_first {
        true => Archive::open_with(disk, ssm_std::decoder(), [0; 256], Crc32Slicing),
        false => Archive::open_unchecked_with(disk, ssm_std::decoder(), [0; 256], Crc32Slicing),
    };
    archive?.verify(&mut |_| ())
}

/// Every reader refuses the file.
#[track_caller]
fn assert_refused(file: &[u8], context: &str) {
    for check_first in [true, false] {
        assert!(verify(file, check_first).is_err(), "{context}: accepted, checks first: {check_first}");
    }
    for loading in Loading::ALL {
        let mut machine = machine(30);
        let loaded = loading.load(Disk::holding(file), &mut [0; 256], &mut machine, &UNITS);
        assert!(loaded.is_err(), "{context}: accepted by {loading:?}");
        let calls: u32 = machine.iter().map(|ram| ram.calls).sum();
        assert!(calls == 0 || loading == Loading::Streaming, "{context}: {loading:?} called {calls} hooks");
    }
}

#[test]
fn the_files_are_sound() {
    for (name, file) in files() {
        verify(&file, true).unwrap();
        for loading in Loading::ALL {
            loading.load(Disk::holding(&*file), &mut [0; 256], &mut machine(30), &UNITS).unwrap();
        }
        assert!(file.len() < 2000, "{name}: {} bytes", file.len());
    }
}

#[test]
fn truncated_files_are_refused() {
    for (name, file) in files() {
        for len in 0..file.len() {
            assert_refused(&file[..len], &format!("{name}, {len} bytes"));
            let error = verify(&file[..len], true).unwrap_err();
            let kind = error.kind();
            assert_eq!(kind, if len < 64 { "truncated" } else { "footer" }, "{name}, {len} bytes");
        }
    }
}

#[test]
fn flipped_bits_are_refused() {
    for (name, mut file) in files() {
        for at in 0..file.len() {
            for mask in (0..8).map(|bit| 1 << bit) {
                file[at] ^= mask;
                assert_refused(&file, &format!("{name}, offset {at}, mask {mask:#04x}"));
                file[at] ^= mask;
            }
        }
    }
}

/// With the checksums over the file put right, as nobody does by accident, what is wrong is found by its own check or is
/// another sound file.
#[test]
fn flips_under_right_checksums_never_panic() {
    for (name, original) in files() {
        let mut accepted = 0;
        for at in 64..original.len() - 32 {
            for mask in (0..8).map(|bit| 1 << bit) {
                let mut file = original.clone();
                file[at] ^= mask;
                let footer = file.len() - 32;
                let crc = ssm_core::Crc32::update(&mut Crc32Slicing, 0, &file[..footer]);
                file[footer + 16..footer + 20].copy_from_slice(&crc.to_le_bytes());
                file[footer + 28..].fill(0);
                let crc = ssm_core::Crc32::update(&mut Crc32Slicing, 0, &file[footer..]);
                file[footer + 28..].copy_from_slice(&crc.to_le_bytes());
                // The terminators and headers behind it still tell.
                accepted += u32::from(verify(&file, true).is_ok());
                for loading in Loading::ALL {
                    let mut machine = machine(30);
                    let loaded = loading.load(Disk::holding(&*file), &mut [0; 256], &mut machine, &UNITS);
                    assert!(loaded.is_err(), "{name}, offset {at}, mask {mask:#04x}, {loading:?}");
                }
            }
        }
        assert_eq!(accepted, 0, "{name}");
    }
}
