//! Any order of what a user may do, against a model.

use super::{content, find, mount};
use embedded_io::Write;
use proptest::prelude::*;
use ssm_tests::flash::Flash;

/// What a user may do between two mounts.
#[derive(Clone, Debug)]
enum Deed {
    Save(Vec<u8>),
    Fail(usize),
    Prepare,
    Rollback,
    EraseAll,
    Remount,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..150);
    let deed = prop_oneof![
        4 => bytes.prop_map(Deed::Save),
        1 => (0..150usize).prop_map(Deed::Fail),
        1 => Just(Deed::Prepare),
        2 => Just(Deed::Rollback),
        1 => Just(Deed::EraseAll),
        3 => Just(Deed::Remount),
    ];
    prop::collection::vec(deed, 1..40)
}

proptest! {
    /// Against a model: a list of states, of which the slots hold the last ones.
    #[test]
    fn any_order_of_deeds(deeds in deeds(), count in 2..6u8) {
        let mut flash = Flash::<2, 8, 128>::holding(vec![0x77; usize::from(count) * 256]);
        let mut states: Vec<Vec<u8>> = Vec::new();
        let mut slots = mount(&mut flash, count);
        let most = usize::from(count);
        for deed in deeds {
            // The slot of the next save holds the oldest state, until it is erased.
            let keep = |states: &mut Vec<Vec<u8>>| drop(states.drain(..states.len().saturating_sub(most - 1)));
            match deed {
                Deed::Save(bytes) => {
                    keep(&mut states);
                    slots.save(|out| out.write_all(&bytes)).unwrap();
                    states.push(bytes);
                }
                Deed::Fail(len) => {
                    keep(&mut states);
                    prop_assert!(slots.save(|out| out.write_all(&vec![0; len]).map_err(|_| ()).and(Err::<(), ()>(()))).is_err());
                }
                Deed::Prepare => {
                    keep(&mut states);
                    slots.prepare().unwrap();
                }
                Deed::Rollback => {
                    prop_assert_eq!(slots.rollback().is_ok(), states.len() > 1);
                    if states.len() > 1 {
                        states.pop();
                    }
                }
                Deed::EraseAll => {
                    slots.erase_all().unwrap();
                    states.clear();
                }
                Deed::Remount => {
                    slots = mount(&mut flash, count);
                }
            }
            prop_assert_eq!(find(&mut slots), states.last().cloned());
            let previous = slots.previous();
            let expected = states.len().checked_sub(2).map(|at| states[at].clone());
            prop_assert_eq!(previous.map(|saved| content(&mut slots, &saved)), expected);
        }
    }
}
