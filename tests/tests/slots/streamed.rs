//! A machine that is saved front to back into a slot, cut off at every byte of every erase and write: what is loaded then
//! is one machine or the other.

use embedded_storage::nor_flash::ReadNorFlash;
use ssm_core::{CommitError, Crc32Bytewise, Loader, LzfDecoder, LzfEncoder, SaveError, Saved, Saver, Slots};
use ssm_tests::flash::{Cut, Fault, Flash, Model, Operation, Pick};
use ssm_tests::machine::{Machine, UNITS};

type Failed = CommitError<Fault, SaveError<ssm_core::FlashError<Fault>>>;

fn mount<const R: usize, const W: usize, const E: usize>(
    flash: &mut Flash<R, W, E>,
) -> Slots<&mut Flash<R, W, E>, [u8; 128], Crc32Bytewise> {
    let range = 0..flash.capacity() as u32;
    Slots::mount(flash, range, [0; 128]).unwrap()
}

fn save<const R: usize, const W: usize, const E: usize>(
    flash: &mut Flash<R, W, E>,
    machine: &mut Machine,
) -> Result<Saved, Failed> {
    let mut scratch = [0; 600];
    mount(flash).save(|out| Saver::streamed(out, LzfEncoder::<256>::new(), &mut scratch).save(machine, &UNITS))
}

fn load<const R: usize, const W: usize, const E: usize>(flash: &mut Flash<R, W, E>, machine: &Machine) -> Machine {
    let mut slots = mount(flash);
    let latest = slots.latest().expect("a state");
    let mut loaded = machine.blank();
    let medium = slots.read(&latest).unwrap();
    let decoder = LzfDecoder::new([0; 2048]);
    Loader::new(medium, decoder, &mut [0; 256]).load(&mut loaded, &UNITS).unwrap();
    loaded
}

fn cuts<const R: usize, const W: usize, const E: usize>(blocks: usize) {
    let [mut oldest, mut old, mut new, mut last] = [1, 3, 5, 7].map(|seed| Machine::new(300, seed));
    let mut start = Flash::<R, W, E>::holding(vec![0x31; 2 * blocks * E]);
    save(&mut start, &mut oldest).unwrap();
    save(&mut start, &mut old).unwrap();
    assert!(load(&mut start, &old).same_state(&old));
    start.reset_counts();
    let first = start.steps();
    let operations = {
        let mut whole = start.clone();
        save(&mut whole, &mut new).unwrap();
        assert!(load(&mut whole, &new).same_state(&new));
        whole.operations().to_vec()
    };
    assert!(operations[0].erase && operations.len() > 4, "{operations:?}");
    let (mut olds, mut news) = (0, 0);
    for Operation { erase, len, step, .. } in operations {
        for step in step - first..step - first + u64::from(len) {
            for model in Model::ALL.into_iter().filter(|model| erase || !model.is_of_erases()) {
                for pick in [Pick::Seed(step), Pick::Seed(!step), Pick::Bits(0), Pick::Bits(u64::MAX)] {
                    let cut = Cut { step, model, pick };
                    let mut flash = start.clone();
                    flash.cut(cut);
                    save(&mut flash, &mut new).unwrap_err();
                    assert!(flash.is_off());
                    flash.power_on();
                    let loaded = load(&mut flash, &old);
                    match (loaded.same_state(&old), loaded.same_state(&new)) {
                        (true, false) => olds += 1,
                        (false, true) => news += 1,
                        _ => panic!("neither: {cut:?}"),
                    }
                    let saved = save(&mut flash, &mut last).unwrap();
                    assert_eq!(mount(&mut flash).latest(), Some(saved));
                    assert!(load(&mut flash, &last).same_state(&last), "{cut:?}");
                }
            }
        }
    }
    assert!(olds > 20_000 && news > 0, "{olds} old, {news} new");
}

#[test]
fn small_words() {
    cuts::<1, 4, 256>(5);
}

#[test]
fn large_words() {
    cuts::<1, 64, 512>(3);
}

#[test]
fn words_and_blocks_that_do_not_fit() {
    cuts::<5, 12, 100>(13);
}
