//! The unit that `extract` and `hexdump` are told to show.

use crate::failure::Failed;
use crate::input::{Archive, Input, Reading};
use crate::name::{WantedName, shown_name};
use crate::output::say_note;
use crate::passes::Passes;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// How many names a message offers, and how alike they must be (the measure is that of clap).
const MOST_SIMILAR: usize = 4;
const SIMILAR: f64 = 0.7;

/// A file and one of its units.
#[derive(clap::Args)]
pub struct UnitArguments {
    /// The saved state, or - for standard input
    pub file: PathBuf,
    /// The unit's name, as ssm list or its JSON shows it: NAME or NAME/INSTANCE
    pub name: OsString,
    /// The unit's instance [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub instance: Option<u32>,
    /// The unit as it was saved in this live pass; unless given, in the final one, or the last if it is not there
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub pass: Option<u32>,
    /// Check nothing but the header, to see what is left of a damaged file
    #[arg(long)]
    pub unchecked: bool,
}

/// A unit that fits what is wanted.
struct Found {
    /// How well its name fits.
    rank: usize,
    name: Vec<u8>,
    offset: u64,
    instance: u32,
    pass: Option<u32>,
    /// All live passes that have it.
    passes: Passes,
}

impl UnitArguments {
    /// Opens the file; the offset of the unit. That it is not there is wrong use. What other passes have of it is told.
    pub fn open(&self) -> Result<(Input, u64), Failed> {
        let mut input = Input::open(&self.file, self.unchecked, 0)?;
        match input.read(|archive| self.find(archive))? {
            Ok(found) => {
                self.tell_other_passes(&input, &found);
                Ok((input, found.offset))
            }
            Err(similar) => {
                let mut message = format!("no unit {}", self.wanted().shown(Some(self.instance.unwrap_or(0))));
                if let Some(pass) = self.pass {
                    message += &format!(" in pass {pass}");
                }
                Err(Failed::usage(&input.path, message + &similar.in_words()))
            }
        }
    }

    fn wanted(&self) -> WantedName {
        WantedName::new(self.name.as_encoded_bytes(), self.instance.is_none())
    }

    fn tell_other_passes(&self, input: &Input, found: &Found) {
        if self.pass.is_some() || found.passes.is_empty() {
            return;
        }
        let (name, instance) = (shown_name(&found.name), found.instance);
        let shown = found.pass.map_or("the final pass".to_owned(), |pass| format!("pass {pass}, the last that has it"));
        let passes = found.passes.in_words();
        let text = format!("a live save: this is unit {name}/{instance} of {shown}; it is in {passes} too (--pass N)");
        input.progress.end();
        say_note(&input.path, &text);
    }

    fn is_of_wanted_pass(&self, found: &Found) -> bool {
        self.pass.is_none() || found.pass == self.pass
    }

    /// The unit, or what is like it.
    fn find(&self, archive: &mut Archive) -> Reading<Result<Found, Similar>> {
        let wanted = self.wanted();
        let mut similar = Similar::to(&self.name, self.pass.is_some());
        let mut best: Option<Found> = None;
        let mut units = archive.units();
        loop {
            let unit = match units.next_unit() {
                Ok(Some(unit)) => unit,
                Ok(None) => break,
                // What lies before the damage can be shown.
                Err(_) if best.as_ref().is_some_and(|found| self.is_of_wanted_pass(found)) => break,
                Err(error) => return Err(error),
            };
            let (instance, pass) = (unit.instance(), unit.pass());
            similar.see(unit.name(), instance, pass);
            let Some(rank) = wanted.rank(unit.name(), instance, Some(self.instance.unwrap_or(0))) else { continue };
            match &mut best {
                Some(best) if rank > best.rank => {}
                Some(best) if rank == best.rank => {
                    best.passes.add(pass);
                    let is_better = match self.pass {
                        Some(_) => best.pass != self.pass && pass == self.pass,
                        // Of the final pass the first, of live ones the last.
                        None => best.pass.is_some(),
                    };
                    if is_better {
                        (best.offset, best.pass) = (unit.offset(), pass);
                    }
                }
                best => {
                    let mut passes = Passes::default();
                    passes.add(pass);
                    *best =
                        Some(Found { rank, name: unit.name().to_vec(), offset: unit.offset(), instance, pass, passes });
                }
            }
        }
        Ok(match best {
            Some(found) if self.is_of_wanted_pass(&found) => Ok(found),
            _ => Err(similar),
        })
    }
}

/// Names like one that is not there.
pub struct Similar {
    wanted: String,
    /// Whether a pass is a part of the name.
    with_pass: bool,
    /// The most alike first.
    names: Vec<(f64, String)>,
}

impl Similar {
    pub fn to(wanted: &OsStr, with_pass: bool) -> Self {
        Self { wanted: wanted.to_string_lossy().to_lowercase(), with_pass, names: Vec::new() }
    }

    /// Looks at a unit that is there.
    pub fn see(&mut self, name: &[u8], instance: u32, pass: Option<u32>) {
        let shown = shown_name(name);
        let likeness = strsim::jaro(&shown.to_lowercase(), &self.wanted);
        let mut named = format!("{shown}/{instance}");
        if let Some(pass) = pass.filter(|_| self.with_pass) {
            named += &format!(" in pass {pass}");
        }
        if likeness >= SIMILAR && !self.names.iter().any(|(_, other)| *other == named) {
            self.names.push((likeness, named));
            self.names.sort_by(|(a, _), (b, _)| b.total_cmp(a));
            self.names.truncate(MOST_SIMILAR);
        }
    }

    /// The end of a message, empty if there is none.
    pub fn in_words(self) -> String {
        let names: Vec<_> = self.names.into_iter().map(|(_, name)| name).collect();
        if names.is_empty() { String::new() } else { format!("; similar: {}", names.join(", ")) }
    }
}
