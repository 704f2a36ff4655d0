//! Equal state gives equal bytes: nothing of what was in a table, a buffer or the stack before gets into a file.

use proptest::prelude::*;
use ssm_core::{Encode, Saver};
use ssm_tests::independent::decode;
use ssm_tests::machine::{Machine, Packing, STREAM_SCRATCH, UNITS};
use ssm_tests::media::{Disk, Short};
use std::hint::black_box;

fn save(machine: &mut Machine, codec: &mut dyn Encode, scratch: &mut [u8]) -> Vec<u8> {
    let mut disk = Disk::new();
    Saver::new(&mut disk, codec, scratch).save(machine, &UNITS).unwrap();
    disk.into_bytes()
}

/// Leaves a pattern where the next call has its locals.
#[inline(never)]
fn dirty_stack(pattern: u8) {
    black_box(&mut [pattern; 200_000]);
}

#[test]
fn twice_the_same() {
    let mut machine = Machine::new(70_000, 1);
    for packing in Packing::ALL {
        for scratch in [1, 100, 4096, 200_000] {
            let fresh = save(&mut machine, &mut *packing.encoder(), &mut vec![0; scratch]);
            let mut codec = packing.encoder();
            // An encoder and a scratch that are full of something else, and another stack.
            let mut used = vec![0xa5; scratch];
            save(&mut Machine::new(70_001, 99), &mut *codec, &mut used);
            for pattern in [0x00, 0xff, 0x5a] {
                dirty_stack(pattern);
                let again = save(&mut machine, &mut *codec, &mut used);
                assert!(again == fresh, "{packing:?}, scratch {scratch}");
            }
        }
    }
}

/// Another scratch may cut blocks elsewhere; the units hold the same bytes, and that is all that changes.
#[test]
fn what_another_scratch_changes() {
    let mut machine = Machine::new(70_000, 1);
    let plain = |file: Vec<u8>| -> Vec<_> {
        decode(&file).units.into_iter().map(|unit| (unit.name, unit.instance, unit.version, unit.plain)).collect()
    };
    for packing in Packing::ALL {
        let streamed = |machine: &mut Machine, scratch: usize| {
            let mut disk = Disk::new();
            let room = &mut vec![0; STREAM_SCRATCH + scratch];
            Saver::streamed(&mut disk, &mut *packing.encoder(), room).save(machine, &UNITS).unwrap();
            disk.into_bytes()
        };
        let expected = plain(streamed(&mut machine, 1));
        for scratch in [2, 100, 1989, 4096, 200_000] {
            assert!(plain(streamed(&mut machine, scratch)) == expected, "{packing:?}, scratch {scratch}");
            assert!(streamed(&mut machine, scratch) == streamed(&mut machine, scratch));
        }
    }
}

#[test]
fn an_encoder_that_was_left_in_the_middle() {
    let mut machine = Machine::new(3000, 1);
    for packing in Packing::ALL {
        for scratch in [1, 100, 4096] {
            let fresh = save(&mut machine, &mut *packing.encoder(), &mut vec![0; scratch]);
            for room in 0..200 {
                let mut codec = packing.encoder();
                let full = ssm_core::Memory::new(vec![0; 80 + room * 7]);
                let failed =
                    Saver::new(full, &mut *codec, &mut vec![1; scratch]).save(&mut Machine::new(3000, 7), &UNITS);
                if failed.is_ok() {
                    break;
                }
                assert!(save(&mut machine, &mut *codec, &mut vec![2; scratch]) == fresh, "{packing:?}, {scratch}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_the_medium_takes_at_a_time_does_not_matter(
        size in 0usize..3000,
        state: u32,
        most in 1usize..500,
        seed: u64,
        scratch in 1usize..2000,
    ) {
        for packing in Packing::ALL {
            let mut machine = Machine::new(size, state);
            let whole = save(&mut machine, &mut *packing.encoder(), &mut vec![0; scratch]);
            let mut disk = Disk::new();
            Saver::new(Short::random(&mut disk, most, seed), &mut *packing.encoder(), &mut vec![9; scratch])
                .save(&mut machine, &UNITS)
                .unwrap();
            prop_assert!(disk.bytes() == whole, "{packing:?}");
        }
    }
}
