//! Media that move few bytes at a time, break, are interrupted or are full, under whole saves and loads.

use ssm_core::{Entry, Get, LoadError, Loader, LzfEncoder, Memory, Put, SaveError, Saver, Unit, UnitError, Units};
use ssm_tests::machine::{Machine, Packing, STREAM_SCRATCH, UNITS};
use ssm_tests::media::{Broken, Disk, Failing, Loading, OneWay, Short, WriteOnly};

/// With the last one pieces are joined before they are written.
const SCRATCHES: [usize; 5] = [1, 7, 64, 4096, 20_000];

fn each(mut test: impl FnMut(Packing, usize)) {
    for packing in Packing::ALL {
        for scratch in SCRATCHES {
            test(packing, scratch);
        }
    }
}

fn short(disk: &mut Disk, most: usize, seed: Option<u64>) -> Short<&mut Disk> {
    match seed {
        None => Short::at_most(disk, most),
        Some(seed) => Short::random(disk, most, seed),
    }
}

#[test]
fn short_writes_give_the_same_bytes_and_short_reads_the_same_machine() {
    let mut machine = Machine::new(3000, 1);
    each(|packing, scratch| {
        let file = machine.save(&mut *packing.encoder(), scratch);
        for most in [1, 3, 1000] {
            for seed in [None, Some(7)] {
                let mut disk = Disk::new();
                let medium = WriteOnly(short(&mut disk, most, seed));
                let len = Saver::new(medium, &mut *packing.encoder(), &mut vec![0xaa; scratch])
                    .save(&mut machine, &UNITS)
                    .unwrap();
                assert_eq!(len, file.len() as u64);
                assert!(disk.bytes() == file, "{packing:?}, scratch {scratch}, {most} bytes a call");

                let mut disk = Disk::holding(&*file);
                let mut loaded = machine.blank();
                Loader::new(short(&mut disk, most, seed), ssm_std::decoder(), &mut vec![0xaa; scratch])
                    .load(&mut loaded, &UNITS)
                    .unwrap();
                assert!(loaded.same_state(&machine), "{packing:?}, scratch {scratch}, {most} bytes a call");
            }
        }
    });
}

#[test]
fn any_scratch_reads_what_any_scratch_wrote() {
    let mut machine = Machine::new(5000, 2);
    each(|packing, scratch| {
        let file = machine.save(&mut *packing.encoder(), scratch);
        for scratch in SCRATCHES {
            let mut loaded = machine.blank();
            loaded.load(&file, scratch).unwrap();
            assert!(loaded.same_state(&machine), "{packing:?}");
        }
    });
}

#[test]
fn an_interrupted_medium_is_asked_again() {
    let mut machine = Machine::new(300, 3);
    each(|packing, scratch| {
        let file = machine.save(&mut *packing.encoder(), scratch);
        let mut disk = Disk::new();
        let medium = Failing::interrupted(Short::at_most(&mut disk, 5), 2);
        Saver::new(medium, &mut *packing.encoder(), &mut vec![0; scratch]).save(&mut machine, &UNITS).unwrap();
        assert!(disk.bytes() == file);
        let mut loaded = machine.blank();
        let medium = Failing::interrupted(Short::at_most(&mut disk, 5), 2);
        Loader::new(medium, ssm_std::decoder(), &mut vec![0; scratch]).load(&mut loaded, &UNITS).unwrap();
        assert!(loaded.same_state(&machine));
    });
}

#[test]
fn a_save_reports_the_call_that_failed_whichever_it_is() {
    let machine = Machine::new(200, 4);
    each(|packing, scratch| {
        for once in [false, true] {
            for call in 0.. {
                let mut machine = machine.clone();
                let mut disk = Disk::new();
                let medium = Failing::at_call(&mut disk, call);
                let mut medium = if once { medium.once() } else { medium };
                let mut codec = packing.encoder();
                let saved = Saver::new(&mut medium, &mut *codec, &mut vec![0; scratch]).save(&mut machine, &UNITS);
                if !medium.is_broken() {
                    saved.unwrap();
                    assert_eq!(machine.hooks.ok, Some(true));
                    break;
                }
                assert_eq!(saved, Err(SaveError::Io(Broken::at(call))), "{packing:?}, scratch {scratch}");
                assert_eq!(machine.hooks.done, machine.hooks.prepared);
                assert_eq!(machine.hooks.prepared, u32::from(call > 0), "the header is written before any hook");
            }
        }
    });
}

#[test]
fn a_load_reports_the_call_that_failed_whichever_it_is() {
    let mut machine = Machine::new(200, 5);
    each(|packing, scratch| {
        let file = machine.save(&mut *packing.encoder(), 4096);
        for once in [false, true] {
            for call in 0.. {
                let mut loaded = machine.blank();
                let medium = Failing::at_call(Disk::holding(&*file), call);
                let mut medium = if once { medium.once() } else { medium };
                let result =
                    Loader::new(&mut medium, ssm_std::decoder(), &mut vec![0; scratch]).load(&mut loaded, &UNITS);
                if !medium.is_broken() {
                    result.unwrap();
                    assert!(loaded.same_state(&machine));
                    assert_eq!(loaded.hooks.ok, Some(true));
                    break;
                }
                let context = format!("{packing:?}, scratch {scratch}, once {once}");
                assert_eq!(result, Err(LoadError::Io(Broken::at(call))), "{context}");
                assert_eq!(loaded.hooks.done, loaded.hooks.prepared);
                assert_eq!(loaded.hooks.ok, (loaded.hooks.prepared > 0).then_some(false));
            }
        }
    });
}

/// Gets one byte of many.
struct Modest;

impl Unit for Modest {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        // Noise, so that its packed bytes are more than one buffer.
        (0..500u32).try_for_each(|at| put.u8((at.wrapping_mul(2_654_435_761) >> 24) as u8))
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.u8().map(drop)
    }
}

#[test]
fn a_failure_is_not_lost_with_bytes_that_were_read_ahead() {
    const UNITS: Units<Modest> = Units::new(&[Entry::new("modest", |machine, _| machine)]);
    let mut disk = Disk::new();
    let codec = LzfEncoder::<256>::with_block(20);
    Saver::new(&mut disk, codec, &mut [0; 64]).save(&mut Modest, &UNITS).unwrap();
    for call in 0.. {
        let mut medium = Failing::at_call(&mut disk, call).once();
        let loaded = Loader::new(&mut medium, ssm_std::decoder(), &mut [0; 200]).load(&mut Modest, &UNITS);
        if !medium.is_broken() {
            loaded.unwrap();
            break;
        }
        assert_eq!(loaded, Err(LoadError::Io(Broken::at(call))));
    }
}

#[test]
fn a_full_medium() {
    let mut machine = Machine::new(200, 6);
    each(|packing, scratch| {
        let file = machine.save(&mut *packing.encoder(), scratch);
        for room in 0..=file.len() {
            let medium = Memory::new(vec![0; room]);
            let mut codec = packing.encoder();
            let mut saving = machine.clone();
            let saved = Saver::new(medium, &mut *codec, &mut vec![0; scratch]).save(&mut saving, &UNITS);
            match saved {
                Ok(_) => assert_eq!(room, file.len()),
                Err(SaveError::Full { offset }) => assert!(offset == room as u64 && room < file.len()),
                other => panic!("{other:?}"),
            }
            assert_eq!(saving.hooks.done - machine.hooks.done, u32::from(room >= 80));
        }
    });
}

/// The same media under saves of 2.0, and under all loaders of them.
mod streamed {
    use super::*;

    fn scratch(block: usize) -> Vec<u8> {
        vec![0xaa; STREAM_SCRATCH + block]
    }

    #[test]
    fn short_writes_give_the_same_bytes_and_short_reads_the_same_machine() {
        let mut machine = Machine::new(6000, 1);
        each(|packing, block| {
            let file = machine.stream(&mut *packing.encoder(), block);
            for most in [1, 3, 1000] {
                for seed in [None, Some(7)] {
                    let mut disk = Disk::new();
                    let medium = OneWay(short(&mut disk, most, seed));
                    let len = Saver::streamed(medium, &mut *packing.encoder(), &mut scratch(block))
                        .save(&mut machine, &UNITS)
                        .unwrap();
                    assert_eq!(len, file.len() as u64);
                    assert!(disk.bytes() == file, "{packing:?}, block {block}, {most} bytes a call");
                    for loading in Loading::ALL {
                        let mut disk = Disk::holding(&*file);
                        let mut loaded = machine.blank();
                        loading
                            .load(short(&mut disk, most, seed), &mut vec![0xaa; block], &mut loaded, &UNITS)
                            .unwrap();
                        assert!(loaded.same_state(&machine), "{packing:?}, {loading:?}, {block}, {most} bytes a call");
                    }
                }
            }
        });
    }

    #[test]
    fn an_interrupted_medium_is_asked_again() {
        let mut machine = Machine::new(1300, 3);
        each(|packing, block| {
            let file = machine.stream(&mut *packing.encoder(), block);
            let mut disk = Disk::new();
            let medium = OneWay(Failing::interrupted(Short::at_most(&mut disk, 5), 2));
            Saver::streamed(medium, &mut *packing.encoder(), &mut scratch(block)).save(&mut machine, &UNITS).unwrap();
            assert!(disk.bytes() == file);
            for loading in Loading::ALL {
                let mut loaded = machine.blank();
                let medium = Failing::interrupted(Short::at_most(Disk::holding(&*file), 5), 2);
                loading.load(medium, &mut vec![0; block], &mut loaded, &UNITS).unwrap();
                assert!(loaded.same_state(&machine));
            }
        });
    }

    #[test]
    fn a_save_reports_the_call_that_failed_whichever_it_is() {
        let machine = Machine::new(1300, 4);
        each(|packing, block| {
            for once in [false, true] {
                for call in 0.. {
                    let mut machine = machine.clone();
                    let mut disk = Disk::new();
                    let medium = Failing::at_call(&mut disk, call);
                    let mut medium = if once { medium.once() } else { medium };
                    let mut codec = packing.encoder();
                    let saved =
                        Saver::streamed(&mut medium, &mut *codec, &mut scratch(block)).save(&mut machine, &UNITS);
                    if !medium.is_broken() {
                        saved.unwrap();
                        assert_eq!(machine.hooks.ok, Some(true));
                        break;
                    }
                    assert_eq!(saved, Err(SaveError::Io(Broken::at(call))), "{packing:?}, block {block}");
                    assert_eq!(machine.hooks.done, machine.hooks.prepared);
                    assert_eq!(machine.hooks.prepared, u32::from(call > 0), "the header is written before any hook");
                }
            }
        });
    }

    #[test]
    fn a_load_reports_the_call_that_failed_whichever_it_is() {
        let mut machine = Machine::new(1300, 5);
        for packing in [Packing::Store, Packing::Lzf] {
            for scratch in [7, 4096] {
                let file = machine.stream(&mut *packing.encoder(), 4096);
                for (loading, once) in Loading::ALL.into_iter().flat_map(|loading| [(loading, false), (loading, true)])
                {
                    for call in 0.. {
                        let mut loaded = machine.blank();
                        let medium = Failing::at_call(Disk::holding(&*file), call);
                        let mut medium = if once { medium.once() } else { medium };
                        let result = loading.load(&mut medium, &mut vec![0; scratch], &mut loaded, &UNITS);
                        if !medium.is_broken() {
                            result.unwrap();
                            assert!(loaded.same_state(&machine));
                            assert_eq!(loaded.hooks.ok, Some(true));
                            break;
                        }
                        let context = format!("{packing:?}, {loading:?}, scratch {scratch}, once {once}, call {call}");
                        assert_eq!(result, Err(LoadError::Io(Broken::at(call))), "{context}");
                        assert_eq!(loaded.hooks.done, loaded.hooks.prepared);
                        assert_eq!(loaded.hooks.ok, (loaded.hooks.prepared > 0).then_some(false), "{context}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_full_medium() {
        let mut machine = Machine::new(1300, 6);
        for packing in [Packing::Store, Packing::Lzf] {
            for block in [1, 4096, 20_000] {
                let file = machine.stream(&mut *packing.encoder(), block);
                for room in 0..=file.len() {
                    let medium = Memory::new(vec![0; room]);
                    let mut codec = packing.encoder();
                    let mut saving = machine.clone();
                    let saved = Saver::streamed(medium, &mut *codec, &mut scratch(block)).save(&mut saving, &UNITS);
                    match saved {
                        Ok(_) => assert_eq!(room, file.len()),
                        Err(SaveError::Full { offset }) => assert!(offset == room as u64 && room < file.len()),
                        other => panic!("{other:?}"),
                    }
                    assert_eq!(saving.hooks.done - machine.hooks.done, u32::from(room >= 64));
                }
            }
        }
    }

    #[test]
    fn a_stream_is_read_up_to_its_end_and_not_further() {
        let mut machine = Machine::new(1300, 7);
        for packing in [Packing::Store, Packing::Lzf] {
            let file = machine.stream(&mut *packing.encoder(), 4096);
            // Two files on one line, and noise behind them.
            let mut line = Memory::holding([&file[..], &file, b"noise"].concat());
            for _ in 0..2 {
                let mut loaded = machine.blank();
                let mut scratch = [0; 300];
                let loader = ssm_core::Loader::streaming(&mut line, ssm_std::decoder(), &mut scratch);
                loader.load(&mut loaded, &UNITS).unwrap();
                assert!(loaded.same_state(&machine));
            }
            let mut rest = [0; 9];
            assert_eq!(ssm_core::embedded_io::Read::read(&mut line, &mut rest), Ok(5));
            assert_eq!(rest[..5], *b"noise");
        }
    }
}
