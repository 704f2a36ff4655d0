//! Layer 4: loading a machine in three phases (DESIGN.md, "Three phases").

use crate::codec::Decode;
use crate::crc32::{Crc32, Crc32Bytewise};
use crate::error::{LoadError, Phase};
use crate::formats::{AnyFormat, Formats, FrontToBack};
use crate::io::Stop;
use crate::judge::{Judge, Verdict};
use crate::log::{debug, error};
use crate::medium::{Located, Medium};
use crate::notes::BuiltIn;
use crate::policy::{Policy, Report, Unknown};
use crate::progress::{Cancel, EXECUTED, Progress};
use crate::registry::{Entry, Place, Search};
use crate::source::{Body, Records, Tagged, UnitSource};
use crate::stream::{Get, Widths};
use crate::unit::{AfterLoad, MAX_NAME, Unit, UnitError, UnitRecord};
use crate::walk::Walk;
use crate::wire::Header;
use core::marker::PhantomData;
use embedded_io::{ErrorType, Read, Seek};

/// One load of a machine. How much is checked before the first hook of a unit is called depends on how it is made:
///
/// | | medium | formats | checked before any hook |
/// |---|---|---|---|
/// | [`Loader::new`] | `Read + Seek` | all | header, all checksums, every unit header, every record, versions, the policy |
/// | [`Loader::verified`] | `Read + Seek` | all | the same, and every unit decoded to its end |
/// | [`Loader::streaming`] | `Read` | 2.0 | the file's header |
///
/// With `verified` a damaged or unsuitable file leaves the running machine untouched; all that can still fail is what a
/// unit makes of its own data, and the medium. With `new` so can a unit whose packed bytes are under a right checksum and
/// do not decode, which no accident makes. With `streaming` the units learn in `load_done(.., false)` that the end did not
/// hold: the machine is then partly loaded, and must be thrown away.
///
/// The crate's front page has an example.
pub struct Loader<'s, R, D, C = Crc32Bytewise, F = AnyFormat> {
    medium: R,
    codec: D,
    crc: C,
    scratch: &'s mut [u8],
    policy: Policy,
    after: AfterLoad,
    progress: Progress<'s>,
    report: Option<&'s mut dyn FnMut(Report)>,
    decode_first: bool,
    formats: PhantomData<F>,
}

impl<'s, R: Read + Seek, D: Decode> Loader<'s, R, D> {
    /// A load from `medium` with the decoders in `codec`. `scratch` is one byte or more, and two more for every eight units
    /// beyond 64; half of it takes packed bytes and half plain ones.
    pub fn new(medium: R, codec: D, scratch: &'s mut [u8]) -> Self {
        Self::with(medium, codec, scratch, false)
    }

    /// The same, decoding every unit to its end before the first hook is called, and once more to load it.
    pub fn verified(medium: R, codec: D, scratch: &'s mut [u8]) -> Self {
        Self::with(medium, codec, scratch, true)
    }
}

impl<'s, R: Read, D: Decode> Loader<'s, R, D, Crc32Bytewise, FrontToBack> {
    /// A load of a 2.0 file from a medium that can only be read, such as a serial line; otherwise as [`new`](Self::new).
    /// Nothing is read behind the file's last byte.
    pub fn streaming(medium: R, codec: D, scratch: &'s mut [u8]) -> Self {
        Self::with(medium, codec, scratch, false)
    }
}

impl<'s, R: Read, D: Decode, F> Loader<'s, R, D, Crc32Bytewise, F> {
    fn with(medium: R, codec: D, scratch: &'s mut [u8], decode_first: bool) -> Self {
        Self {
            medium,
            codec,
            crc: Crc32Bytewise,
            scratch,
            policy: Policy::default(),
            after: AfterLoad::Resume,
            progress: Progress::new(),
            report: None,
            decode_first,
            formats: PhantomData,
        }
    }
}

impl<'s, R: Read, D: Decode, C: Crc32, F> Loader<'s, R, D, C, F> {
    /// The same with another way to compute CRC-32.
    pub fn crc32<K: Crc32>(self, crc: K) -> Loader<'s, R, D, K, F> {
        let Self { medium, codec, crc: _, scratch, policy, after, progress, report, decode_first, formats } = self;
        Loader { medium, codec, crc, scratch, policy, after, progress, report, decode_first, formats }
    }

    /// The same with this policy; the default refuses unknown and missing units.
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// The same, telling the units what happens to the machine after the load.
    pub fn after(self, after: AfterLoad) -> Self {
        Self { after, ..self }
    }

    /// The same with a callback that gets every percent from 0 to 100 once and in order; 100 only at success. A stream of
    /// unknown length jumps from 19 to its end.
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
}

impl<'s, R: Read + Seek, D: Decode, C: Crc32, F: Formats> Loader<'s, R, D, C, F> {
    /// The same for these formats only. The others are refused, and their code is not linked:
    /// [`OnlyPatched`](crate::OnlyPatched) or [`OnlyStreamed`](crate::OnlyStreamed).
    pub fn formats<G: Formats>(self, formats: G) -> Loader<'s, R, D, C, G> {
        let _ = formats;
        let Self { medium, codec, crc, scratch, policy, after, progress, report, decode_first, .. } = self;
        let formats = PhantomData;
        Loader { medium, codec, crc, scratch, policy, after, progress, report, decode_first, formats }
    }

    /// Loads the units of `machine` that `units` lists, in the order of the file. The file's header.
    ///
    /// Every unit whose `load_prep` was called gets its `load_done`, whatever happened; the first error is returned. A
    /// load that failed in the execute phase leaves a machine that is partly loaded: throw it away.
    pub fn load<M>(self, machine: &mut M, units: &[Entry<M>]) -> Result<Header, LoadError<R::Error>> {
        let Self { medium, codec, crc, scratch, policy, after, progress, report, decode_first, .. } = self;
        let mut load = Load::new(medium, codec, progress, after);
        let done = load.run::<M, F>(crc, scratch, (policy, report), decode_first, machine, units);
        load.outcome(done)
    }
}

impl<'s, R: Read, D: Decode, C: Crc32> Loader<'s, R, D, C, FrontToBack> {
    /// Loads the units of `machine` that `units` lists, as they come. The file's header.
    ///
    /// Every unit gets its `load_prep` once the header was read, and its `load_done`, whatever happened; the first error is
    /// returned. A load that failed leaves a machine that is partly loaded: throw it away.
    pub fn load<M>(self, machine: &mut M, units: &[Entry<M>]) -> Result<Header, LoadError<R::Error>> {
        let Self { medium, codec, crc, scratch, policy, after, progress, report, .. } = self;
        let mut load = Load::new(medium, codec, progress, after);
        let done = load.stream(crc, scratch, (policy, report), machine, units);
        load.outcome(done)
    }
}

/// A load that runs.
struct Load<'s, R: ErrorType, D> {
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
    /// Decode those that are not loaded.
    decode: bool,
    /// Load those that are registered.
    machine: Option<&'v mut M>,
}

/// How the units of a file are gone through.
trait Way<R: ErrorType, D> {
    type Body<'w>: Body<R, D>
    where
        Self: 'w;

    /// Goes to the unit behind `unit`; `None` at the end.
    fn next(&mut self, medium: &mut Medium<R>, unit: &Located, name: &mut [u8]) -> Result<Option<Located>, Stop>;
    fn body(&mut self, unit: &Located, decode: bool) -> Self::Body<'_>;
}

/// The way through a 1.x file: from length to length.
struct Patched;

impl<R: Read + Seek, D: Decode> Way<R, D> for Patched {
    type Body<'w> = Tagged;

    fn next(&mut self, medium: &mut Medium<R>, unit: &Located, name: &mut [u8]) -> Result<Option<Located>, Stop> {
        medium.unit_at(unit.end, name)
    }

    fn body(&mut self, unit: &Located, _decode: bool) -> Tagged {
        Tagged::before(unit)
    }
}

impl<R: Read, D: Decode, C: Crc32> Way<R, D> for Walk<C> {
    type Body<'w>
        = Records<'w, C>
    where
        Self: 'w;

    fn next(&mut self, medium: &mut Medium<R>, _unit: &Located, name: &mut [u8]) -> Result<Option<Located>, Stop> {
        self.next(medium, name)
    }

    fn body(&mut self, _unit: &Located, decode: bool) -> Records<'_, C> {
        Records::new(self, decode)
    }
}

impl<'s, R: Read, D: Decode> Load<'s, R, D> {
    fn new(medium: R, codec: D, progress: Progress<'s>, after: AfterLoad) -> Self {
        let name = [0; MAX_NAME + 1];
        Self { medium: Medium::new(medium), codec, progress, after, unit: Located::default(), name }
    }

    fn outcome(&mut self, done: Result<Header, Stop>) -> Result<Header, LoadError<R::Error>> {
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
    fn stream<M>(
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
            let errand = Errand { judge: Some(&mut judge), decode: true, machine: Some(machine) };
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
        while let Some(unit) = way.next(&mut self.medium, &self.unit, &mut self.name)? {
            self.unit = unit;
            let place = match unit.name(&self.name) {
                Some(name) if name.len() <= MAX_NAME => search.place(name, unit.instance),
                _ => Place::Unknown,
            };
            let verdict = match &mut errand.judge {
                Some(judge) => judge.unit(place, &unit, units),
                None => Verdict::Sound,
            };
            let loading: Option<&mut dyn Unit> = match (&mut errand.machine, place) {
                (Some(_), Place::SelfUnit) => Some(&mut BuiltIn),
                (Some(machine), Place::Entry(index)) => units.get(index).map(|entry| entry.unit(machine)),
                _ => None,
            };
            let mut source = UnitSource {
                medium: &mut self.medium,
                codec: &mut self.codec,
                packed: &mut *packed,
                held: (0, 0),
                progress: &mut self.progress,
                unit: &mut self.unit,
                name: &self.name,
                body: way.body(&unit, errand.decode || loading.is_some()),
            };
            if verdict == Verdict::Unknown && !W::Body::is_optional(&mut source)? {
                return Err(self.refuse(verdict, units));
            }
            match verdict {
                Verdict::Sound => {}
                Verdict::Skipped | Verdict::Unknown => {
                    if let Some(judge) = &mut errand.judge {
                        judge.tell(Report::Skipped(unit.record(&self.name)));
                    }
                }
                _ => return Err(self.refuse(verdict, units)),
            }
            let version = unit.version;
            match loading {
                Some(unit) => source.run(plain, &mut widths, self.after, true, &mut |get| unit.load(get, version))?,
                None if errand.decode => {
                    let skip = &mut |get: &mut Get<'_>| get.skip_rest().map(|_| ());
                    source.run(plain, &mut widths, AfterLoad::Resume, true, skip)?;
                }
                None => W::Body::pass_over(&mut source)?,
            }
            self.progress.advance_to(self.unit.end);
            self.check_cancel()?;
        }
        match &mut errand.judge {
            Some(judge) => match judge.missing(units) {
                Some(id) => Err(self.medium.fail(LoadError::MissingUnit(id))),
                None => Ok(()),
            },
            None => Ok(()),
        }
    }

    // Errors are built out of line: they are large, and would lie in the frames of their callers.
    #[cold]
    #[inline(never)]
    fn refuse<M>(&mut self, why: Verdict, units: &[Entry<M>]) -> Stop {
        let unit = self.unit.record(&self.name);
        self.medium.fail(match why {
            Verdict::Repeated => LoadError::Repeated(unit),
            Verdict::WithoutData => LoadError::WithoutData(unit),
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
    fn run<M, F: Formats>(
        &mut self,
        mut crc: impl Crc32,
        scratch: &mut [u8],
        policy: (Policy, Option<&mut dyn FnMut(Report)>),
        decode: bool,
        machine: &mut M,
        units: &[Entry<M>],
    ) -> Result<Header, Stop> {
        let header = self.medium.open::<F>(&mut crc, true)?;
        self.progress.check(self.medium.len());
        if F::STREAMED && header.format.is_streamed() {
            self.medium.go(0)?;
            let mut walk = Walk::new(crc);
            walk.header(&mut self.medium)?;
            self.check(&mut walk, &header, scratch, policy, decode, units)?;
            let footer = walk.end(&mut self.medium, &header)?;
            self.medium.check_directory(&footer, walk.crc32(), &mut self.name, scratch)?;
            walk.trust();
            self.medium.go(header.len())?;
            self.execute(&mut walk, &header, scratch, machine, units)?;
        } else if F::PATCHED {
            self.medium.check(&header, &mut crc, scratch, &mut self.progress)?;
            self.check(&mut Patched, &header, scratch, policy, decode, units)?;
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
        decode: bool,
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
            let errand = Errand { judge: None, decode: false, machine: Some(machine) };
            load.units(way, header, scratch, units, errand)?;
            load.executed()
        })
    }
}
