use super::*;
use crate::stream::{Get, Put};
use crate::unit::UnitError;
use proptest::prelude::*;

struct Nothing;

impl Unit for Nothing {
    fn save(&mut self, _: &mut Put<'_>) -> Result<(), UnitError> {
        Ok(())
    }

    fn load(&mut self, _: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        Ok(())
    }
}

fn entry(name: &'static str, instance: u32) -> Entry<Nothing> {
    Entry::new(name, |machine, _| machine).instance(instance)
}

fn names<const N: usize>(registry: &Registry<Nothing, N>) -> Vec<(&'static str, u32)> {
    registry.iter().map(|entry| (entry.id().name, entry.id().instance)).collect()
}

#[test]
fn names_are_one_to_47_bytes_of_ascii() {
    const LONG: &str = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
    let mut registry = Registry::<Nothing, 8>::new();
    assert_eq!(registry.register(entry("", 0)), Err(RegisterError::Name));
    assert_eq!(registry.register(entry(LONG, 0)), Err(RegisterError::Name));
    assert_eq!(registry.register(entry("größe", 0)), Err(RegisterError::Name));
    assert_eq!(registry.register(entry("a\0b", 0)), Err(RegisterError::Name));
    assert_eq!(registry.register(entry(&LONG[1..], 0)), Ok(()));
    assert_eq!(registry.len(), 1);
}

#[test]
fn duplicates_and_a_full_registry_are_refused() {
    let mut registry = Registry::<Nothing, 2>::new();
    registry.register(entry("a", 0)).unwrap();
    assert_eq!(registry.register(entry("a", 0).owner(Owner::Device(1))), Err(RegisterError::Exists));
    assert_eq!(registry.register_before("a", entry("a", 0)), Err(RegisterError::Exists));
    assert_eq!(registry.register(entry("SSM", 0)), Err(RegisterError::Exists));
    registry.register(entry("a", 1)).unwrap();
    assert_eq!(registry.register(entry("b", 0)), Err(RegisterError::Full));
    assert_eq!(registry.register_before("a", entry("b", 0)), Err(RegisterError::Full));
}

#[test]
fn before_finds_the_first_of_a_name() {
    let mut registry = Registry::<Nothing, 8>::new();
    registry.register(entry("a", 0)).unwrap();
    registry.register(entry("b", 7)).unwrap();
    registry.register(entry("b", 1)).unwrap();
    registry.register_before("b", entry("c", 0)).unwrap();
    registry.register_before("nobody", entry("d", 0)).unwrap();
    assert_eq!(names(&registry), [("a", 0), ("c", 0), ("b", 7), ("b", 1), ("d", 0)]);
    assert!(registry.iter().all(|entry| !entry.is_ahead()));
}

#[test]
fn a_unit_may_come_before_the_built_in_one() {
    let mut registry = Registry::<Nothing, 8>::new();
    registry.register(entry("a", 0)).unwrap();
    registry.register_before("SSM", entry("first", 0)).unwrap();
    registry.register_before("SSM", entry("second", 0)).unwrap();
    registry.register_before("first", entry("zeroth", 0)).unwrap();
    assert_eq!(names(&registry), [("zeroth", 0), ("first", 0), ("second", 0), ("a", 0)]);
    assert_eq!(registry.iter().map(Entry::is_ahead).collect::<Vec<_>>(), [true, true, true, false]);
}

#[test]
fn only_the_owner_takes_a_unit_out() {
    let mut registry = Registry::<Nothing, 8>::new();
    for (instance, owner) in
        [Owner::Device(1), Owner::Driver(1), Owner::External(1), Owner::Device(1)].into_iter().enumerate()
    {
        registry.register(entry("a", instance as u32).owner(owner)).unwrap();
    }
    registry.register(entry("b", 0)).unwrap();
    assert_eq!(registry.deregister(Owner::Driver(1), UnitId::new("a", 0)), Err(RegisterError::NotOwner));
    assert_eq!(registry.deregister(Owner::Device(2), UnitId::new("a", 0)), Err(RegisterError::NotOwner));
    assert_eq!(registry.deregister(Owner::Device(1), UnitId::new("a", 9)), Err(RegisterError::NotFound));
    assert_eq!(registry.deregister(Owner::Device(1), UnitId::new("a", 0)), Ok(()));
    assert_eq!(registry.deregister_all(Owner::Device(1)), 1);
    assert_eq!(registry.deregister_all(Owner::Device(1)), 0);
    assert_eq!(names(&registry), [("a", 1), ("a", 2), ("b", 0)]);
    assert_eq!(registry.deregister(Owner::Internal, UnitId::new("b", 0)), Ok(()));
}

#[test]
fn a_search_finds_every_unit_from_everywhere() {
    let entries: Vec<_> = (0..5).map(|instance| entry("a", instance)).collect();
    for first in 0..5 {
        for second in 0..5 {
            let mut search = Search::new(&entries);
            assert_eq!(search.place(b"a", first), Place::Entry(first as usize));
            assert_eq!(search.place(b"b", second), Place::Unknown);
            assert_eq!(search.place(b"SSM", 0), Place::SelfUnit);
            assert_eq!(search.place(b"SSM", 1), Place::Unknown);
            assert_eq!(search.place(b"a", second), Place::Entry(second as usize));
        }
    }
}

proptest! {
    #[test]
    fn marks_behave_like_a_set(entries in 0usize..300, at in prop::collection::vec(0usize..300, 0..100)) {
        let mut scratch = vec![0xff; 1000];
        let mut marks = Marks::over(&mut scratch[..Marks::bytes(entries)]);
        let mut model = std::collections::HashSet::new();
        for at in at.into_iter().filter(|at| *at < entries) {
            prop_assert_eq!(marks.mark(Place::Entry(at)), !model.insert(at));
        }
        for at in 0..entries {
            prop_assert_eq!(marks.is_marked(at), model.contains(&at));
        }
    }

    /// Against a plain list: any sequence of operations.
    #[test]
    fn a_registry_behaves_like_a_list(operations in prop::collection::vec((0u8..5, 0u32..4, 0u32..3, 0u32..3), 0..60)) {
        const NAMES: [&str; 4] = ["a", "b", "c", "SSM"];
        let mut registry = Registry::<Nothing, 6>::new();
        let mut model: Vec<(&str, u32, u32)> = Vec::new();
        for (operation, name, instance, owner) in operations {
            let name = NAMES[name as usize];
            let known = model.iter().position(|(n, i, _)| (*n, *i) == (name, instance));
            let refusal = if known.is_some() || (name, instance) == ("SSM", 0) {
                Some(RegisterError::Exists)
            } else {
                (model.len() == 6).then_some(RegisterError::Full)
            };
            let new = entry(name, instance).owner(Owner::Device(owner));
            match operation {
                0 | 1 => {
                    let before = if operation == 0 { "nobody" } else { "b" };
                    let done = if operation == 0 { registry.register(new) } else { registry.register_before(before, new) };
                    prop_assert_eq!(done.err(), refusal);
                    if refusal.is_none() {
                        let at = model.iter().position(|(n, ..)| *n == before).unwrap_or(model.len());
                        model.insert(at, (name, instance, owner));
                    }
                }
                2 | 3 => {
                    let expected = match known {
                        None => Err(RegisterError::NotFound),
                        Some(at) if model[at].2 != owner => Err(RegisterError::NotOwner),
                        Some(at) => {
                            model.remove(at);
                            Ok(())
                        }
                    };
                    prop_assert_eq!(registry.deregister(Owner::Device(owner), UnitId::new(name, instance)), expected);
                }
                _ => {
                    let before = model.len();
                    model.retain(|(.., o)| *o != owner);
                    prop_assert_eq!(registry.deregister_all(Owner::Device(owner)), before - model.len());
                }
            }
            let expected: Vec<_> = model.iter().map(|(n, i, _)| (*n, *i)).collect();
            prop_assert_eq!(names(&registry), expected);
        }
    }
}
