//! What loads refuse though the format allows it: no damage, yet worth a word.

use crate::input::{Archive, Reading};
use crate::name::shown_name;
use ssm_core::LoadError;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// Units whose name and instance are remembered, as hashes of 64 bits each.
const MOST_UNITS: usize = 100_000;

/// Warnings of one kind that are given in full.
const MOST_WARNINGS: usize = 10;

/// The unit in which a live save tells its progress.
pub const LIVE_CONTROL: &[u8] = b"SSMLiveControl";

/// The number of units, and the warnings.
pub fn warnings(archive: &mut Archive) -> Reading<(u64, Vec<String>)> {
    let (count, mut warnings) = repeated(archive)?;
    // A value of the longest length and its name fit.
    match archive.notes(&mut [0; 2048], &mut |_, _| ()) {
        Err(LoadError::Unit { error, at, .. }) => {
            warnings.push(format!("unit SSM/0 is no list of notes that loads accept: at plain byte {at}, {error}"));
        }
        notes => notes?,
    }
    Ok((count, warnings))
}

/// The number of units, and which are not the first of their name and instance.
fn repeated(archive: &mut Archive) -> Reading<(u64, Vec<String>)> {
    let hasher = RandomState::new();
    let is_live = archive.header().stream.is_some_and(|stream| stream.is_live);
    let of_that = if is_live { "name, instance and pass" } else { "name and instance" };
    let mut seen = HashSet::new();
    let (mut count, mut repeated, mut is_cut) = (0u64, 0u64, false);
    let mut warnings = Vec::new();
    let mut units = archive.units();
    while let Some(unit) = units.next_unit()? {
        count += 1;
        // A live save tells its progress as often as it likes.
        if unit.name() == LIVE_CONTROL && unit.instance() == 0 {
            continue;
        }
        if seen.len() >= MOST_UNITS {
            is_cut = true;
        } else if !seen.insert(hasher.hash_one((unit.name(), unit.instance(), unit.pass()))) {
            repeated += 1;
            if warnings.len() < MOST_WARNINGS {
                let (name, instance, offset) = (shown_name(unit.name()), unit.instance(), unit.offset());
                warnings.push(format!("unit {name}/{instance} at offset {offset} is not the first of that {of_that}"));
            }
        }
    }
    let more = repeated.saturating_sub(warnings.len() as u64);
    if more > 0 {
        warnings.push(format!("{more} more are not the first of their {of_that}"));
    }
    if is_cut {
        warnings.push(format!("whether one of the units after the first {MOST_UNITS} is there twice was not checked"));
    }
    Ok((count, warnings))
}
