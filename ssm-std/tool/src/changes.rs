//! What a conversion changed and what it could not keep, in words.

use crate::output::counted;
use ssm_core::Header;
use ssm_std::{Codec, SaveFormat};
use std::collections::BTreeMap;

/// Changes, counted unit by unit.
#[derive(Default)]
pub struct Changes {
    /// Units by the codecs that they had and have.
    codecs: BTreeMap<(&'static str, &'static str), u64>,
    /// Units that only the final pass may have now.
    without_pass: u64,
    /// Units that a reader may not skip any more.
    without_mark: u64,
    /// Units of the progress of a live save, and older notes, that are left out.
    left_out: u64,
    /// Units that put zero bytes, which is now as if they had put nothing.
    without_data: u64,
}

/// A unit that was copied.
pub struct CopiedUnit {
    pub from: Option<Codec>,
    pub to: Codec,
    pub pass: Option<u32>,
    pub optional: bool,
    /// Whether it put zero bytes, told apart from nothing.
    pub is_empty_put: bool,
}

impl Changes {
    /// Counts a unit that was copied to this format.
    pub fn add(&mut self, unit: &CopiedUnit, format: SaveFormat) {
        if let Some(from) = unit.from.filter(|from| *from != unit.to) {
            *self.codecs.entry((from.as_str(), unit.to.as_str())).or_default() += 1;
        }
        match format {
            SaveFormat::V1_2 => {
                self.without_pass += u64::from(unit.pass.is_some());
                self.without_mark += u64::from(unit.optional);
            }
            SaveFormat::V2_0 => self.without_data += u64::from(unit.is_empty_put),
        }
    }

    /// Counts a unit that was left out.
    pub fn leave_out(&mut self) {
        self.left_out += 1;
    }

    /// What the new file does not have; empty if that is nothing.
    pub fn lost(&self) -> Vec<String> {
        let units = |count| counted(count, "unit");
        let lost = [
            (self.without_pass, format!("the live pass of {}", units(self.without_pass))),
            (self.without_mark, format!("the mark that readers may skip it, of {}", units(self.without_mark))),
            (self.left_out, format!("{} with a live save's progress or older notes", units(self.left_out))),
            (self.without_data, format!("that zero bytes are not nothing, of {}", units(self.without_data))),
        ];
        lost.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words).collect()
    }

    /// All changes in one sentence.
    pub fn in_words(&self, old: &Header, new: &Header, was_format_given: bool) -> String {
        let mut parts = Vec::new();
        if old.format != new.format {
            let why =
                if was_format_given { String::new() } else { format!(" ({} is not written)", old.format.as_str()) };
            parts.push(format!("format {} became {}{why}", old.format.as_str(), new.format.as_str()));
        }
        for ((from, to), count) in &self.codecs {
            parts.push(format!("{} went from {from} to {to}", counted(*count, "unit")));
        }
        parts.extend(header_changes(old, new));
        parts.extend(self.lost().into_iter().map(|lost| format!("lost: {lost}")));
        if parts.is_empty() {
            return format!("nothing changed: format {}, each unit packed as it was", new.format.as_str());
        }
        parts.join("; ")
    }
}

/// Fields of the header that say something else.
fn header_changes(old: &Header, new: &Header) -> Vec<String> {
    let said = |found: Option<String>| found.unwrap_or_else(|| "not recorded".to_owned());
    let number = |value: Option<u8>| value.map(|value| value.to_string());
    let writer = |header: &Header| {
        let writer = header.writer?;
        Some(format!("{}.{}.{} revision {}", writer.major, writer.minor, writer.build, writer.revision))
    };
    let mut fields = vec![
        ("writer", writer(old), writer(new)),
        ("host bits", number(old.host_bits), number(new.host_bits)),
        ("guest-physical address bytes", number(old.gc_phys_bytes), number(new.gc_phys_bytes)),
        ("guest pointer bytes", number(old.gc_ptr_bytes), number(new.gc_ptr_bytes)),
    ];
    if let (Some(old), Some(new)) = (old.stream, new.stream) {
        let yes = |value: bool| Some(if value { "yes" } else { "no" }.to_owned());
        fields.push(("units registered", Some(old.units.to_string()), Some(new.units.to_string())));
        fields.push(("checksum over the data", yes(old.is_checked), yes(new.is_checked)));
        fields.push(("saved live", yes(old.is_live), yes(new.is_live)));
        fields.push(("largest block", Some(old.max_block.to_string()), Some(new.max_block.to_string())));
    }
    let changed = fields.into_iter().filter(|(_, old, new)| old != new);
    changed.map(|(name, old, new)| format!("{name}: {}, was {}", said(new), said(old))).collect()
}
