//! The unit that `extract` and `hexdump` are told to show.

use crate::failure::Failed;
use crate::input::{Archive, Input, Reading};
use crate::output::shown_name;
use std::ffi::OsString;
use std::path::PathBuf;

/// How many names a message offers, and how alike they must be (the measure is that of clap).
const MOST_SIMILAR: usize = 4;
const SIMILAR: f64 = 0.7;

/// A file and one of its units.
#[derive(clap::Args)]
pub struct UnitArguments {
    /// The saved state, or - for standard input
    pub file: PathBuf,
    /// The unit's name, as `ssm list` shows it
    pub name: OsString,
    /// The unit's instance
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub instance: u32,
    /// The unit as it was saved in this live pass; unless given, in the final one, or the last if it is not there
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub pass: Option<u32>,
    /// Check nothing but the header, to see what is left of a damaged file
    #[arg(long)]
    pub unchecked: bool,
}

impl UnitArguments {
    /// Opens the file; the offset of the unit. That it is not there is wrong use.
    pub fn open(&self) -> Result<(Input, u64), Failed> {
        let mut input = Input::open(&self.file, self.unchecked, 0)?;
        match input.read(|archive| self.find(archive))? {
            Ok(offset) => Ok((input, offset)),
            Err(similar) => {
                let mut message = format!("no unit {}/{}", shown_name(self.name.as_encoded_bytes()), self.instance);
                if let Some(pass) = self.pass {
                    message += &format!(" in pass {pass}");
                }
                if !similar.is_empty() {
                    message += &format!("; similar: {}", similar.join(", "));
                }
                Err(Failed::usage(&input.path, message))
            }
        }
    }

    /// The offset of the unit, or what is like it.
    fn find(&self, archive: &mut Archive) -> Reading<Result<u64, Vec<String>>> {
        let wanted = self.name.as_encoded_bytes();
        let wanted_text = self.name.to_string_lossy();
        let mut similar: Vec<(f64, String)> = Vec::new();
        let mut last_live = None;
        let mut units = archive.units();
        while let Some(unit) = units.next_unit()? {
            let shown = shown_name(unit.name());
            let is_name = unit.name() == wanted || shown == wanted_text;
            if is_name && unit.instance() == self.instance {
                if unit.pass() == self.pass {
                    return Ok(Ok(unit.offset()));
                }
                last_live = Some(unit.offset());
            }
            let likeness = strsim::jaro(&shown.to_lowercase(), &wanted_text.to_lowercase());
            let mut named = format!("{shown}/{}", unit.instance());
            if let (Some(pass), Some(_)) = (unit.pass(), self.pass) {
                named += &format!(" in pass {pass}");
            }
            if likeness >= SIMILAR && !similar.iter().any(|(_, other)| *other == named) {
                similar.push((likeness, named));
                similar.sort_by(|(a, _), (b, _)| b.total_cmp(a));
                similar.truncate(MOST_SIMILAR);
            }
        }
        if let (Some(offset), None) = (last_live, self.pass) {
            return Ok(Ok(offset));
        }
        Ok(Err(similar.into_iter().map(|(_, name)| name).collect()))
    }
}
