//! Whether the units of a file are those of the machine, as the policy wants it.

use crate::medium::Located;
use crate::policy::{Missing, Policy, Report, Unknown};
use crate::registry::{Entry, Marks, Place};
use crate::unit::UnitId;

/// Looks at the units of a file as they come.
pub(crate) struct Judge<'r, 'm> {
    policy: Policy,
    report: Option<&'r mut dyn FnMut(Report)>,
    /// The units that came.
    met: Marks<'m>,
    /// Those that came in the live pass at hand, and in the final one.
    in_live: Marks<'m>,
    in_final: Marks<'m>,
    pass: Option<u32>,
}

/// What to make of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Sound,
    /// Not registered, and the policy does not mind.
    Skipped,
    /// Not registered; only an optional unit may be that.
    Unknown,
    /// It came before in this pass.
    Repeated,
    /// Registered with hooks only.
    WithoutData,
    /// The entry of this index does not load this version.
    Version(usize),
    /// It is of a live pass, and its final one came before.
    Order,
}

impl<'r, 'm> Judge<'r, 'm> {
    /// Bytes of marks for this many entries.
    pub const fn bytes(entries: usize) -> usize {
        Marks::bytes(entries).saturating_mul(3)
    }

    /// `marks` is of [`bytes`](Self::bytes).
    pub fn new(policy: Policy, report: Option<&'r mut dyn FnMut(Report)>, entries: usize, marks: &'m mut [u8]) -> Self {
        let each = Marks::bytes(entries);
        let (met, rest) = marks.split_at_mut_checked(each).unwrap_or_default();
        let (live, last) = rest.split_at_mut_checked(each).unwrap_or_default();
        let (met, in_live, in_final) = (Marks::over(met), Marks::over(live), Marks::over(last));
        Self { policy, report, met, in_live, in_final, pass: None }
    }

    #[inline(never)]
    pub fn unit<M>(&mut self, place: Place, unit: &Located, units: &[Entry<M>]) -> Verdict {
        if unit.pass.is_some() && self.pass != unit.pass {
            self.pass = unit.pass;
            self.in_live.clear();
        }
        match place {
            Place::LiveControl => return Verdict::Sound,
            Place::Unknown if self.policy.unknown == Unknown::Skip => return Verdict::Skipped,
            Place::Unknown => return Verdict::Unknown,
            Place::SelfUnit => {}
            Place::Entry(index) => match units.get(index) {
                Some(entry) if !entry.has_data() => return Verdict::WithoutData,
                Some(entry) if !entry.admits(unit.version) => return Verdict::Version(index),
                _ => {}
            },
        }
        self.met.mark(place);
        let is_final = unit.pass.is_none();
        // Behind its final pass a unit has nothing more to say.
        if !is_final && self.in_final.is_placed(place) {
            return Verdict::Order;
        }
        let in_pass = if is_final { &mut self.in_final } else { &mut self.in_live };
        if in_pass.mark(place) { Verdict::Repeated } else { Verdict::Sound }
    }

    /// Behind the last unit: the first that must be there and is not.
    #[inline(never)]
    pub fn missing<M>(&mut self, units: &[Entry<M>]) -> Option<UnitId<'static>> {
        for (at, entry) in units.iter().enumerate() {
            if entry.has_data() && !self.met.is_marked(at) {
                match self.policy.missing {
                    Missing::Refuse => return Some(entry.id()),
                    Missing::Accept => {}
                    Missing::Report => self.tell(Report::Missing(entry.id())),
                }
            }
        }
        None
    }

    pub fn tell(&mut self, what: Report) {
        if let Some(report) = &mut self.report {
            report(what);
        }
    }
}
