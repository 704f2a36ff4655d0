//! What a conversion must know of all units before it writes the first.

use crate::convert::Copied;
use crate::failure::Failed;
use crate::input::{Archive, Input, Reading};
use crate::name::shown_name;
use crate::warnings::LIVE_CONTROL;
use ssm_core::{Header, MAX_NAME, SELF_NAME};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Entries of the largest directory of a 2.0 file, and units whose passes are compared, as hashes of 64 bits each.
const MOST_UNITS: usize = 65_535;

/// Why a file does not fit a format is kept for the first unit that is the reason.
#[derive(Default)]
pub struct Survey {
    units: usize,
    /// Whether a unit is from a live pass.
    has_passes: bool,
    /// Whether the built-in unit is there in the final pass.
    has_notes: bool,
    long_name: Option<String>,
    in_passes: Option<String>,
}

/// Goes through the headers of all units.
pub fn survey(input: &mut Input) -> Result<Survey, Failed> {
    input.read(|archive| {
        let mut survey = Survey::default();
        survey.first(archive)?;
        if survey.has_passes {
            survey.compare_passes(archive)?;
        }
        Ok(survey)
    })
}

fn is_self(name: &[u8], instance: u32) -> bool {
    name == SELF_NAME.as_bytes() && instance == 0
}

fn is_live_control(name: &[u8], instance: u32) -> bool {
    name == LIVE_CONTROL && instance == 0
}

impl Survey {
    fn first(&mut self, archive: &mut Archive) -> Reading<()> {
        let mut units = archive.units();
        while let Some(unit) = units.next_unit()? {
            self.units += 1;
            self.has_passes |= unit.pass().is_some();
            self.has_notes |= unit.pass().is_none() && is_self(unit.name(), unit.instance());
            let (len, most) = (unit.name().len(), MAX_NAME);
            if len > most && self.long_name.is_none() {
                let (name, instance) = (shown_name(unit.name()), unit.instance());
                self.long_name =
                    Some(format!("unit {name}/{instance}: name of {len} bytes found, format 2.0 takes {most}"));
            }
        }
        Ok(())
    }

    fn compare_passes(&mut self, archive: &mut Archive) -> Reading<()> {
        let hasher = RandomState::new();
        let mut pass_of = HashMap::new();
        let mut units = archive.units();
        while let Some(unit) = units.next_unit()? {
            let (name, instance, pass) = (unit.name(), unit.instance(), unit.pass());
            if is_self(name, instance) || is_live_control(name, instance) {
                continue;
            }
            let key = hasher.hash_one((name, instance));
            if pass_of.len() >= MOST_UNITS && !pass_of.contains_key(&key) {
                self.in_passes = Some(format!("live save of more than {MOST_UNITS} units"));
                return Ok(());
            }
            if *pass_of.entry(key).or_insert(pass) != pass {
                let name = shown_name(name);
                self.in_passes = Some(format!("unit {name}/{instance} is in several passes, format 1.2 has one"));
                return Ok(());
            }
        }
        Ok(())
    }

    /// The header, which says live if there are passes.
    pub fn header(&self, mut header: Header) -> Header {
        if let Some(stream) = &mut header.stream {
            stream.is_live |= self.has_passes;
        }
        header
    }

    /// Whether format 1.2 can hold all, or why not.
    pub fn fits_1_2(&self) -> Result<(), String> {
        self.in_passes.clone().map_or(Ok(()), Err)
    }

    /// Whether format 2.0 can hold all, or why not.
    pub fn fits_2_0(&self) -> Result<(), String> {
        if self.units > MOST_UNITS && !self.has_passes {
            return Err(format!("{} units found, format 2.0 takes {MOST_UNITS}", self.units));
        }
        self.long_name.clone().map_or(Ok(()), Err)
    }

    /// How many entries the directory of a 2.0 file may get.
    pub fn directory_entries(&self) -> usize {
        self.units.min(MOST_UNITS)
    }

    /// Whether a 1.2 file is better without this unit of a live save.
    pub fn is_left_out(&self, unit: &Copied<'_>) -> bool {
        let is_old_notes = self.has_notes && unit.pass.is_some() && is_self(unit.name, unit.instance);
        self.has_passes && (is_old_notes || is_live_control(unit.name, unit.instance))
    }
}
