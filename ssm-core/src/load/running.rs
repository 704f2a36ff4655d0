//! A load that runs: what is done on a way through the file, and the three phases around it.

use super::way::{Patched, Seekable, Way};
use crate::codec::Decode;
use crate::crc32::Crc32;
use crate::error::{LoadError, Phase};
use crate::formats::Formats;
use crate::io::Stop;
use crate::judge::{Judge, Verdict};
use crate::log::{debug, error};
use crate::medium::{Located, Medium};
use crate::notes::Unclaimed;
use crate::policy::{Policy, Report, Unknown};
use crate::progress::{EXECUTED, Progress};
use crate::registry::{Entry, Place, Search};
use crate::source::{Body, UnitSource};
use crate::stream::Widths;
use crate::unit::{AfterLoad, MAX_NAME, Unit, UnitError, UnitId, UnitRecord};
use crate::walk::Walk;
use crate::wire::{FormatError, Header};
use embedded_io::{ErrorType, Read, Seek};

/// A load that runs.
pub(super) struct Load<'s, R: ErrorType, D> {
    medium: Medium<R>,
    codec: D,
    progress: Progress<'s>,
    after: AfterLoad,
    unit: Located,
    /// The name of that unit, with its NUL; a longer one is not registered.
    name: [u8; MAX_NAME + 1],
}

/// What is done with the units of a file on a way through it.
struct Errand<'v, 'r, 'm, M> {
    /// Whether they may be there.
    judge: Option<&'v mut Judge<'r, 'm>>,
    /// Which are decoded, of those that are not loaded.
    decode: Decoded,
    /// Load those that are registered.
    machine: Option<&'v mut M>,
}

/// Which units are decoded to their end to see whether they can be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoded {
    /// None.
    Nothing,
    /// The built-in unit, and what no checksum of a 1.x file covers (Q1).
    Uncovered,
    /// All.
    All,
}

impl<'s, R: Read, D: Decode> Load<'s, R, D> {
    pub(super) fn new(medium: R, codec: D, progress: Progress<'s>, after: AfterLoad) -> Self {
        let name = [0; MAX_NAME + 1];
        Self { medium: Medium::new(medium), codec, progress, after, unit: Located::default(), name }
    }

    pub(super) fn outcome(&mut self, done: Result<Header, Stop>) -> Result<Header, LoadError<R::Error>> {
        match done {
            Ok(header) => {
                debug!("loaded {=u64} bytes", self.medium.position());
                Ok(header)
            }
            Err(Stop) => {
                let error = self.medium.error();
                error!("load failed: {=str} at offset {=u64}", error.kind(), error.offset().unwrap_or(0));
                Err(error)
            }
        }
    }

    /// The three phases around `execute`; what fails is kept in the medium.
    fn phases<M>(
        &mut self,
        machine: &mut M,
        units: &[Entry<M>],
        execute: &mut dyn FnMut(&mut Self, &mut M) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut called = 0usize;
        for entry in units {
            called = called.wrapping_add(1);
            if let Err(error) = entry.unit(machine).load_prep(self.after) {
                self.hook_failed(entry, Phase::Prepare, error);
                break;
            }
        }
        if self.medium.failed().is_none() {
            let _ = execute(self, machine);
        }
        for entry in units.get(..called).unwrap_or(&[]) {
            let ok = self.medium.failed().is_none();
            if let Err(error) = entry.unit(machine).load_done(self.after, ok) {
                self.hook_failed(entry, Phase::Done, error);
            }
        }
        if self.medium.failed().is_some() {
            return Err(Stop);
        }
        self.progress.finish();
        Ok(())
    }

    /// A load front to back, in which everything happens on the one way through the file.
    pub(super) fn stream<M>(
        &mut self,
        crc: impl Crc32,
        scratch: &mut [u8],
        policy: (Policy, Option<&mut dyn FnMut(Report)>),
        machine: &mut M,
        units: &[Entry<M>],
    ) -> Result<Header, Stop> {
        let mut walk = Walk::new(crc);
        let header = walk.header(&mut self.medium)?;
        header.check_stream_fields().map_err(|error| self.medium.damaged(error.header_offset(true), error))?;
        let (mut judge, scratch) = self.judge(policy, units.len(), scratch)?;
        self.phases(machine, units, &mut |load, machine| {
            load.progress.execute(0);
            let errand = Errand { judge: Some(&mut judge), decode: Decoded::All, machine: Some(machine) };
            load.units(&mut walk, &header, scratch, units, errand)?;
            walk.end(&mut load.medium, &header)?;
            load.executed()
        })?;
        Ok(header)
    }

    /// Takes what a judge of this many units needs from the scratch.
    fn judge<'r, 'm>(
        &mut self,
        (policy, report): (Policy, Option<&'r mut dyn FnMut(Report)>),
        units: usize,
        scratch: &'m mut [u8],
    ) -> Result<(Judge<'r, 'm>, &'m mut [u8]), Stop> {
        let unknown = if self.after == AfterLoad::Debug { Unknown::Skip } else { policy.unknown };
        let needed = Judge::bytes(units);
        match scratch.split_at_mut_checked(needed) {
            Some((marks, rest)) if !rest.is_empty() => {
                Ok((Judge::new(Policy { unknown, ..policy }, report, units, marks), rest))
            }
            _ => Err(self.medium.scratch(needed.saturating_add(1))),
        }
    }

    /// Goes through all units of a file.
    fn units<M, W: Way<R, D>>(
        &mut self,
        way: &mut W,
        header: &Header,
        scratch: &mut [u8],
        units: &[Entry<M>],
        mut errand: Errand<'_, '_, '_, M>,
    ) -> Result<(), Stop> {
        let half = scratch.len() / 2;
        let (plain, packed) = scratch.split_at_mut_checked(half).unwrap_or_default();
        let mut widths = Widths::of(header);
        let mut search = Search::new(units);
        self.unit = Located::header(header);
        while let Some(place) = self.next(way, &mut search)? {
            let verdict = match &mut errand.judge {
                Some(judge) => judge.unit(place, &self.unit, units),
                None => Verdict::Sound,
            };
            match verdict {
                Verdict::Sound | Verdict::Unknown => {}
                Verdict::Skipped => self.skipped(&mut errand.judge),
                _ => return Err(self.refuse(verdict, units)),
            }
            let is_check = errand.machine.is_none();
            let decode = match errand.decode {
                Decoded::Nothing => false,
                Decoded::Uncovered => header.is_uncovered(self.unit.end),
                Decoded::All => true,
            };
            let unit: Option<&mut dyn Unit> = match (&mut errand.machine, place) {
                (_, Place::SelfUnit) if !is_check || errand.decode != Decoded::Nothing => Some(&mut Unclaimed::Notes),
                (Some(machine), Place::Entry(index)) => units.get(index).map(|entry| entry.unit(machine)),
                _ if decode => Some(&mut Unclaimed::Other),
                _ => None,
            };
            let optional = verdict == Verdict::Unknown;
            if !self.read(way, (plain, packed), &mut widths, unit, (optional, is_check))? {
                return Err(self.refuse(verdict, units));
            }
            if verdict == Verdict::Unknown {
                self.skipped(&mut errand.judge);
            }
            self.progress.advance_to(self.unit.end);
            self.check_cancel()?;
        }
        match errand.judge.as_mut().and_then(|judge| judge.missing(units)) {
            Some(id) => Err(self.missing(id)),
            None => Ok(()),
        }
    }

    /// Goes to the next unit and finds out whose it is; `None` behind the last.
    #[inline(never)]
    fn next<M, W: Way<R, D>>(&mut self, way: &mut W, search: &mut Search<'_, M>) -> Result<Option<Place>, Stop> {
        let Some(unit) = way.next(&mut self.medium, &self.unit, &mut self.name)? else {
            return Ok(None);
        };
        self.unit = unit;
        Ok(Some(match unit.name(&self.name) {
            Some(name) if name.len() <= MAX_NAME => search.place(name, unit.instance),
            _ => Place::Unknown,
        }))
    }

    /// Lets `unit` load the data at hand, or passes over it. `false`, and nothing done, where it had to be optional and is
    /// not. To its end: whether what `unit` leaves is decoded as well.
    #[inline(never)]
    fn read<W: Way<R, D>>(
        &mut self,
        way: &mut W,
        (plain, packed): (&mut [u8], &mut [u8]),
        widths: &mut Widths,
        unit: Option<&mut dyn Unit>,
        (only_optional, to_its_end): (bool, bool),
    ) -> Result<bool, Stop> {
        let mut source = UnitSource {
            medium: &mut self.medium,
            codec: &mut self.codec,
            packed,
            held: (0, 0),
            progress: &mut self.progress,
            unit: &mut self.unit,
            name: &self.name,
            body: way.body(unit.is_some()),
        };
        if only_optional && !W::Body::is_optional(&mut source)? {
            return Ok(false);
        }
        match unit {
            Some(unit) => {
                let version = source.unit.version;
                source.run(plain, widths, self.after, true, &mut |get| {
                    unit.load(get, version)?;
                    // A 2.0 unit is always read to its end; data of a 1.x unit that nobody wants is packed soundly, too.
                    if to_its_end && !W::Body::STRICT { get.skip_rest().map(|_| ()) } else { Ok(()) }
                })?;
            }
            None => W::Body::pass_over(&mut source)?,
        }
        Ok(true)
    }

    #[cold]
    #[inline(never)]
    fn skipped(&mut self, judge: &mut Option<&mut Judge<'_, '_>>) {
        if let Some(judge) = judge {
            judge.tell(Report::Skipped(self.unit.record(&self.name)));
        }
    }

    #[cold]
    #[inline(never)]
    fn missing(&mut self, id: UnitId<'static>) -> Stop {
        self.medium.fail(LoadError::MissingUnit(id))
    }

    // Errors are built out of line: they are large, and would lie in the frames of their callers.
    #[cold]
    #[inline(never)]
    fn refuse<M>(&mut self, why: Verdict, units: &[Entry<M>]) -> Stop {
        let unit = self.unit.record(&self.name);
        self.medium.fail(match why {
            Verdict::Repeated => LoadError::Repeated(unit),
            Verdict::WithoutData => LoadError::WithoutData(unit),
            Verdict::Order => {
                let error = FormatError::PassOrder { found: self.unit.pass.unwrap_or(u32::MAX) };
                LoadError::Format { offset: self.unit.offset.wrapping_add(32), unit: Some(unit), error }
            }
            Verdict::Version(index) => {
                let (oldest, newest) = units.get(index).map_or((0, 0), Entry::window);
                LoadError::UnitVersion { unit, oldest, newest }
            }
            Verdict::Unknown | Verdict::Skipped | Verdict::Sound => LoadError::UnknownUnit(unit),
        })
    }

    fn executed(&mut self) -> Result<(), Stop> {
        self.progress.reach(EXECUTED);
        self.check_cancel()
    }

    fn check_cancel(&mut self) -> Result<(), Stop> {
        if self.progress.is_cancelled() { Err(self.medium.cancelled()) } else { Ok(()) }
    }

    #[cold]
    #[inline(never)]
    fn hook_failed<M>(&mut self, entry: &Entry<M>, phase: Phase, error: UnitError) {
        let unit = UnitRecord::of(entry.id(), entry.data_version());
        self.medium.fail(LoadError::Unit { unit, phase, at: 0, error });
    }
}

impl<R: Read + Seek, D: Decode> Load<'_, R, D> {
    /// A load that checks the file first, and goes through it again to load.
    pub(super) fn run<M, F: Formats>(
        &mut self,
        mut crc: impl Crc32,
        scratch: &mut [u8],
        policy: (Policy, Option<&mut dyn FnMut(Report)>),
        decode: Decoded,
        machine: &mut M,
        units: &[Entry<M>],
    ) -> Result<Header, Stop> {
        let header = self.medium.open::<F>(&mut crc, true)?;
        self.progress.check(self.medium.len());
        if F::STREAMED && header.format.is_streamed() {
            self.medium.go(0)?;
            let mut way = Seekable(Walk::new(crc));
            way.0.header(&mut self.medium)?;
            self.check(&mut way, &header, scratch, policy, decode, units)?;
            let footer = way.0.end(&mut self.medium, &header)?;
            self.medium.check_directory(&footer, way.0.crc32(), &mut self.name, scratch)?;
            way.0.trust();
            self.medium.go(header.len())?;
            self.execute(&mut way, &header, scratch, machine, units)?;
        } else if F::PATCHED {
            self.medium.check(&header, &mut crc, scratch, &mut self.progress)?;
            // All lengths first: what a wrong one makes of the data is not what is wrong.
            self.check(&mut Patched, &header, scratch, policy, Decoded::Nothing, units)?;
            self.units(&mut Patched, &header, scratch, units, Errand { judge: None, decode, machine: None })?;
            self.execute(&mut Patched, &header, scratch, machine, units)?;
        }
        Ok(header)
    }

    /// The way through the units before any hook is called.
    fn check<M, W: Way<R, D>>(
        &mut self,
        way: &mut W,
        header: &Header,
        scratch: &mut [u8],
        policy: (Policy, Option<&mut dyn FnMut(Report)>),
        decode: Decoded,
        units: &[Entry<M>],
    ) -> Result<(), Stop> {
        let (mut judge, scratch) = self.judge(policy, units.len(), scratch)?;
        let errand = Errand { judge: Some(&mut judge), decode, machine: None };
        self.units(way, header, scratch, units, errand)
    }

    fn execute<M, W: Way<R, D>>(
        &mut self,
        way: &mut W,
        header: &Header,
        scratch: &mut [u8],
        machine: &mut M,
        units: &[Entry<M>],
    ) -> Result<(), Stop> {
        self.phases(machine, units, &mut |load, machine| {
            load.progress.execute(load.medium.len());
            let errand = Errand { judge: None, decode: Decoded::Nothing, machine: Some(machine) };
            load.units(way, header, scratch, units, errand)?;
            load.executed()
        })
    }
}
