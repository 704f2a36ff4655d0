//! Layer 4: loading a machine in three phases (DESIGN.md, "Three phases").

use crate::codec::Decode;
use crate::crc32::{Crc32, Crc32Bytewise};
use crate::error::{LoadError, Phase};
use crate::io::Stop;
use crate::log::{debug, error};
use crate::medium::{Located, Medium};
use crate::notes::BuiltIn;
use crate::policy::{Missing, Policy, Report, Unknown};
use crate::progress::{Cancel, EXECUTED, Progress};
use crate::registry::{Entry, Marks, Place, Search};
use crate::source::{State, UnitSource};
use crate::stream::Widths;
use crate::unit::{AfterLoad, MAX_NAME, Unit, UnitError, UnitId, UnitRecord};
use crate::wire::Header;
use embedded_io::{ErrorType, Read, Seek};

/// One load of a machine from a medium that can read and seek.
///
/// The file is checked before any unit is touched: header, size, checksum, the header of every unit, and the policy. What
/// only decoding can find, in the packed bytes of a unit, is found while the units load.
///
/// The crate's front page has an example.
pub struct Loader<'s, R, D, C = Crc32Bytewise> {
    medium: R,
    codec: D,
    crc: C,
    scratch: &'s mut [u8],
    policy: Policy,
    after: AfterLoad,
    progress: Progress<'s>,
    report: Option<&'s mut dyn FnMut(Report)>,
}

impl<'s, R: Read + Seek, D: Decode> Loader<'s, R, D> {
    /// A load from `medium` with the decoders in `codec`. `scratch` is one byte or more, and one more for every eight
    /// units beyond 64; half of it takes packed bytes and half plain ones.
    pub fn new(medium: R, codec: D, scratch: &'s mut [u8]) -> Self {
        Self {
            medium,
            codec,
            crc: Crc32Bytewise,
            scratch,
            policy: Policy::default(),
            after: AfterLoad::Resume,
            progress: Progress::new(),
            report: None,
        }
    }
}

impl<'s, R: Read + Seek, D: Decode, C: Crc32> Loader<'s, R, D, C> {
    /// The same with another way to compute CRC-32.
    pub fn crc32<K: Crc32>(self, crc: K) -> Loader<'s, R, D, K> {
        let Self { medium, codec, crc: _, scratch, policy, after, progress, report } = self;
        Loader { medium, codec, crc, scratch, policy, after, progress, report }
    }

    /// The same with this policy; the default refuses unknown and missing units.
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// The same, telling the units what happens to the machine after the load.
    pub fn after(self, after: AfterLoad) -> Self {
        Self { after, ..self }
    }

    /// The same with a callback that gets every percent from 0 to 100 once and in order; 100 only at success.
    pub fn progress(mut self, callback: &'s mut dyn FnMut(u8)) -> Self {
        self.progress.set_callback(callback);
        self
    }

    /// The same with a token that stops the load: it is looked at between units and each time packed bytes are read.
    pub fn cancel(mut self, cancel: &'s Cancel) -> Self {
        self.progress.set_cancel(cancel);
        self
    }

    /// The same with a callback for what the policy let pass.
    pub fn report(self, report: &'s mut dyn FnMut(Report)) -> Self {
        Self { report: Some(report), ..self }
    }

    /// Loads the units of `machine` that `units` lists, in the order of the file. The file's header.
    ///
    /// Every unit whose `load_prep` was called gets its `load_done`, whatever happened; the first error is returned. A
    /// load that failed in the execute phase leaves a machine that is partly loaded: throw it away.
    pub fn load<M>(self, machine: &mut M, units: &[Entry<M>]) -> Result<Header, LoadError<R::Error>> {
        let Self { medium, codec, crc, scratch, policy, after, progress, report } = self;
        let mut load = Load {
            medium: Medium::new(medium),
            codec,
            progress,
            after,
            next: 0,
            unit: Located::default(),
            name: [0; MAX_NAME + 1],
        };
        match load.run(crc, scratch, policy, report, machine, units) {
            Ok(header) => {
                debug!("loaded {=usize} units, {=u64} bytes", units.len(), header.file_len);
                Ok(header)
            }
            Err(Stop) => {
                let error = load.medium.error();
                error!("load failed: {=str} at offset {=u64}", error.kind(), error.offset().unwrap_or(0));
                Err(error)
            }
        }
    }
}

/// A load that runs.
struct Load<'s, R: ErrorType, D> {
    medium: Medium<R>,
    codec: D,
    progress: Progress<'s>,
    after: AfterLoad,
    /// The file offset of the next unit.
    next: u64,
    /// The unit at hand.
    unit: Located,
    /// The name of that unit, with its NUL; a longer one is not registered.
    name: [u8; MAX_NAME + 1],
}

/// Why a unit of the file is not loaded.
enum Refusal {
    Unknown,
    Repeated,
    WithoutData,
}

impl<R: Read + Seek, D: Decode> Load<'_, R, D> {
    /// The three phases; what fails is kept in the medium.
    fn run<M>(
        &mut self,
        mut crc: impl Crc32,
        scratch: &mut [u8],
        policy: Policy,
        report: Option<&mut dyn FnMut(Report)>,
        machine: &mut M,
        units: &[Entry<M>],
    ) -> Result<Header, Stop> {
        self.medium.measure()?;
        // Looked at where it was returned: moving it out would take room for two.
        let read = self.medium.header();
        let Ok(header) = &read else {
            return Err(Stop);
        };
        self.medium.check(header, &mut crc, scratch, &mut self.progress)?;
        self.check_units(header, scratch, units, policy, report)?;
        let mut called = 0usize;
        for entry in units {
            called = called.wrapping_add(1);
            if let Err(error) = entry.unit(machine).load_prep(self.after) {
                self.hook_failed(entry, Phase::Prepare, error);
                break;
            }
        }
        if self.medium.failed().is_none() {
            let _ = self.execute(header, scratch, machine, units);
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
        read
    }

    /// Walks the unit headers: their structure, units twice, and the policy.
    #[inline(never)]
    fn check_units<M>(
        &mut self,
        header: &Header,
        scratch: &mut [u8],
        units: &[Entry<M>],
        policy: Policy,
        mut report: Option<&mut dyn FnMut(Report)>,
    ) -> Result<(), Stop> {
        let Some((mut marks, _)) = Marks::take(units.len(), scratch) else {
            return Err(self.medium.scratch(Marks::bytes(units.len()).wrapping_add(1)));
        };
        let unknown = if self.after == AfterLoad::Debug { Unknown::Skip } else { policy.unknown };
        let mut tell = |what| {
            if let Some(report) = &mut report {
                report(what);
            }
        };
        let mut search = Search::new(units);
        self.next = header.len();
        while let Some(place) = self.next_unit(&mut search)? {
            match place {
                Place::Unknown if unknown == Unknown::Skip => {
                    tell(Report::Skipped(self.unit.record(&self.name)));
                }
                Place::Entry(entry) if units.get(entry).is_some_and(|entry| !entry.has_data()) => {
                    return Err(self.refuse(Refusal::WithoutData));
                }
                Place::Unknown => return Err(self.refuse(Refusal::Unknown)),
                known if marks.mark(known) => return Err(self.refuse(Refusal::Repeated)),
                _ => {}
            }
        }
        for (at, entry) in units.iter().enumerate() {
            if entry.has_data() && !marks.is_marked(at) {
                match policy.missing {
                    Missing::Refuse => return Err(self.missing(entry.id())),
                    Missing::Accept => {}
                    Missing::Report => tell(Report::Missing(entry.id())),
                }
            }
        }
        Ok(())
    }

    // Errors are built out of line: they are large, and would lie in the frames of their callers.
    #[cold]
    #[inline(never)]
    fn refuse(&mut self, why: Refusal) -> Stop {
        let unit = self.unit.record(&self.name);
        self.medium.fail(match why {
            Refusal::Unknown => LoadError::UnknownUnit(unit),
            Refusal::Repeated => LoadError::Repeated(unit),
            Refusal::WithoutData => LoadError::WithoutData(unit),
        })
    }

    #[cold]
    #[inline(never)]
    fn missing(&mut self, id: UnitId<'static>) -> Stop {
        self.medium.fail(LoadError::MissingUnit(id))
    }

    /// Goes to the next unit of the file and finds out whose it is; `None` at the end of the file.
    #[inline(never)]
    fn next_unit<M>(&mut self, search: &mut Search<'_, M>) -> Result<Option<Place>, Stop> {
        let Some(unit) = self.medium.unit_at(self.next, &mut self.name)? else {
            return Ok(None);
        };
        (self.unit, self.next) = (unit, unit.end());
        Ok(Some(match unit.name(&self.name) {
            Some(name) if name.len() <= MAX_NAME => search.place(name, unit.header.instance),
            _ => Place::Unknown,
        }))
    }

    #[inline(never)]
    fn execute<M>(
        &mut self,
        header: &Header,
        scratch: &mut [u8],
        machine: &mut M,
        units: &[Entry<M>],
    ) -> Result<(), Stop> {
        self.progress.execute(header.file_len);
        let half = scratch.len() / 2;
        let (plain, packed) = scratch.split_at_mut_checked(half).unwrap_or_default();
        let mut widths = Widths::of(header);
        let mut search = Search::new(units);
        self.next = header.len();
        while let Some(place) = self.next_unit(&mut search)? {
            let unit: Option<&mut dyn Unit> = match place {
                Place::SelfUnit => Some(&mut BuiltIn),
                Place::Entry(index) => units.get(index).map(|entry| entry.unit(machine)),
                Place::Unknown => None,
            };
            if let Some(unit) = unit {
                let source = UnitSource {
                    medium: &mut self.medium,
                    codec: &mut self.codec,
                    packed,
                    progress: &mut self.progress,
                    unit: &self.unit,
                    name: &self.name,
                    state: State::before(&self.unit),
                };
                let version = self.unit.header.version;
                source.run(plain, &mut widths, self.after, &mut |get| unit.load(get, version))?;
            }
            self.progress.advance_to(self.next);
            self.check_cancel()?;
        }
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
