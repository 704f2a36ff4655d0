//! The test flash itself: rules, counts, and what each model leaves.

use super::{Counts, Cut, Fault, Flash, Model, Operation, Pick};
use embedded_storage::nor_flash::{NorFlash, NorFlashErrorKind, ReadNorFlash};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

type Nor = Flash<2, 4, 64>;

fn rewrites(flash: &mut Nor, offset: u32) -> bool {
    catch_unwind(AssertUnwindSafe(|| flash.write(offset, &[0; 4]))).is_err()
}

#[test]
fn off_the_grid_or_behind_the_end() {
    let mut flash = Nor::blank(256);
    let (grid, end) =
        (Err(Fault::Rule(NorFlashErrorKind::NotAligned)), Err(Fault::Rule(NorFlashErrorKind::OutOfBounds)));
    assert_eq!(
        (flash.read(1, &mut [0; 2]), flash.read(0, &mut [0; 3]), flash.read(256, &mut [0; 2])),
        (grid, grid, end)
    );
    assert_eq!((flash.write(2, &[0; 4]), flash.write(0, &[0; 6]), flash.write(252, &[0; 8])), (grid, grid, end));
    assert_eq!((flash.erase(32, 64), flash.erase(0, 32), flash.erase(0, 320)), (grid, grid, end));
    assert_eq!(flash.counts(), Counts::default());
}

#[test]
fn a_word_is_written_once_between_erases() {
    let mut flash = Nor::blank(256);
    flash.write(64, &[0xff; 4]).unwrap();
    assert!(rewrites(&mut flash, 64), "even if only ones were written");
    assert!(!rewrites(&mut flash, 68));
    flash.erase(64, 128).unwrap();
    assert!(!rewrites(&mut flash, 64));
    assert!(rewrites(&mut Nor::holding([0xff; 256]), 0), "what it held at first was not erased here");
}

#[test]
fn what_was_done_is_counted() {
    let mut flash = Nor::blank(256);
    flash.erase(64, 192).unwrap();
    flash.write(64, &[1; 8]).unwrap();
    flash.read(0, &mut [0; 10]).unwrap();
    let counts = Counts { reads: 1, bytes_read: 10, writes: 1, bytes_written: 8, erases: 1, blocks_erased: 2 };
    assert_eq!((flash.counts(), flash.erases(), flash.steps()), (counts, &[0, 1, 1, 0][..], 136));
    let operations = [
        Operation { erase: true, offset: 64, len: 128, step: 0 },
        Operation { erase: false, offset: 64, len: 8, step: 128 },
    ];
    assert_eq!(flash.operations(), operations);
}

/// All that a cut at a step leaves of an operation, over many picks, and what counts as written then.
fn left(model: Model, step: u64, operate: impl Fn(&mut Nor) -> Result<(), Fault>) -> BTreeSet<(Vec<u8>, Vec<bool>)> {
    let mut start = Nor::blank(128);
    start.write(64, &[0x0f; 64]).unwrap();
    let picks = (0..500).map(Pick::Seed).chain([Pick::Bits(0), Pick::Bits(u64::MAX)]);
    picks
        .map(|pick| {
            let mut flash = start.clone();
            flash.cut(Cut { step, model, pick });
            let done = operate(&mut flash);
            assert_eq!(done.is_ok(), model == Model::ErasedTooSoon);
            assert!(flash.is_off());
            assert_eq!(flash.read(0, &mut [0; 2]), Err(Fault::PowerOff));
            flash.power_on();
            (flash.bytes.clone(), flash.written.clone())
        })
        .collect()
}

fn write(flash: &mut Nor) -> Result<(), Fault> {
    flash.write(0, &[0; 12])
}

fn erase(flash: &mut Nor) -> Result<(), Fault> {
    flash.erase(0, 128)
}

#[test]
fn a_write_that_was_cut() {
    let all = left(Model::Prefix, 5, write);
    assert_eq!(all.len(), 1);
    let (bytes, written) = all.first().unwrap();
    assert_eq!((bytes[..5].to_vec(), bytes[5]), (vec![0; 5], 0xff));
    assert_eq!(written[..12], [[true; 8].as_slice(), &[false; 4]].concat());
    assert!(left(Model::Prefix, 0, write).first().unwrap().1[..64].iter().all(|written| !written));

    let all = left(Model::TornWord, 5, write);
    assert!(all.len() > 400, "{} pictures", all.len());
    let words: Vec<u32> = all.iter().map(|(bytes, _)| u32::from_le_bytes(bytes[4..8].try_into().unwrap())).collect();
    assert!(words.contains(&0) && words.contains(&u32::MAX));
    for (bytes, written) in &all {
        assert_eq!((&bytes[..4], &bytes[8..12]), (&[0; 4][..], &[0xff; 4][..]));
        assert_eq!(written[..12], [[true; 8].as_slice(), &[false; 4]].concat(), "a word that was begun is written");
    }

    let all = left(Model::SomeWords, 5, write);
    assert_eq!(all.len(), 8, "the subsets of three words");
    assert!(all.iter().all(|(_, written)| written[..12] == [true; 12]));
}

#[test]
fn an_erase_that_was_cut() {
    let old = [0x0f; 64];
    for (model, least) in [(Model::HalfErased, 500), (Model::ErasedTooSoon, 500), (Model::ZerosFirst, 500)] {
        let all = left(model, 70, erase);
        assert!(all.len() >= least, "{} pictures", all.len());
        for (bytes, written) in &all {
            assert_eq!((&bytes[..64], &written[..64]), (&[0xff; 64][..], &[false; 64][..]), "the first block is done");
            assert!(written[64..].iter().all(|written| *written), "the second is not, whatever it looks like");
            assert!(model == Model::ZerosFirst || bytes[64..].iter().all(|byte| byte & 0x0f == 0x0f));
        }
        assert!(
            all.iter().any(|(bytes, _)| bytes[64..] == old) && all.iter().any(|(bytes, _)| bytes[64..] == [0xff; 64])
        );
    }
    let zeros = left(Model::ZerosFirst, 70, erase);
    assert!(zeros.iter().any(|(bytes, _)| bytes[64..].iter().any(|byte| byte & 0x0f != 0x0f)));
    let prefix = left(Model::Prefix, 70, erase);
    assert_eq!(prefix.first().unwrap().0[64..], [[0xff; 6].as_slice(), &[0x0f; 58]].concat());
    for (bytes, _) in left(Model::SomeWords, 70, erase) {
        assert!(bytes[64..].chunks(4).all(|word| word == [0x0f; 4] || word == [0xff; 4]));
    }
    for (bytes, _) in left(Model::TornWord, 70, erase) {
        assert_eq!((&bytes[64..68], &bytes[72..]), (&[0xff; 4][..], &[0x0f; 56][..]));
    }
}

#[test]
fn numbers_pick_every_subset_of_the_bits() {
    let mut all = BTreeSet::new();
    for bits in 0..256 {
        let mut flash = Flash::<1, 1, 64>::blank(64);
        flash.cut(Cut { step: 0, model: Model::TornWord, pick: Pick::Bits(bits) });
        assert_eq!(flash.write(0, &[0]), Err(Fault::PowerOff));
        all.insert(flash.bytes()[0]);
    }
    assert_eq!(all.len(), 256);
}

#[test]
fn planted_failures() {
    let mut flash = Nor::blank(128);
    flash.break_at(1);
    flash.write(0, &[0; 4]).unwrap();
    assert_eq!(flash.write(4, &[0; 4]), Err(Fault::Broken));
    flash.write(4, &[0; 4]).unwrap();
    flash.stick(8, 0xf0);
    flash.write(8, &[0; 4]).unwrap();
    assert_eq!(flash.bytes()[8..10], [0xf0, 0]);
    flash.flip(9, 1);
    assert_eq!(flash.bytes()[9], 1);
}
