//! Layer 4: loading a machine in three phases (DESIGN.md, "Three phases").

mod running;
mod way;

use crate::codec::Decode;
use crate::crc32::{Crc32, Crc32Bytewise};
use crate::error::LoadError;
use crate::formats::{AnyFormat, Formats, FrontToBack};
use crate::policy::{Policy, Report};
use crate::progress::{Cancel, Progress};
use crate::registry::Units;
use crate::unit::AfterLoad;
use crate::wire::Header;
use core::marker::PhantomData;
use embedded_io::{Read, Seek};
use running::{Decoded, Load};

/// One load of a machine. How much is checked before the first hook of a unit is called depends on how it is made:
///
/// | | medium | formats | checked before any hook |
/// |---|---|---|---|
/// | [`Loader::new`] | `Read + Seek` | all | header, all checksums, every unit header, every record, versions, the policy, and every unit decoded to its end |
/// | [`Loader::unverified`] | `Read + Seek` | all | the same, but decoded only what no checksum covers |
/// | [`Loader::streaming`] | `Read` | 2.0 | the file's header |
///
/// With `new` a damaged or unsuitable file leaves the running machine untouched; all that can still fail is what a unit
/// makes of its own data, and the medium. With `unverified` so can a unit whose packed bytes are under a right checksum and
/// do not decode, which no accident makes; it decodes once instead of twice. With `streaming` the units learn in
/// `load_done(.., false)` that the end did not hold: the machine is then partly loaded, and must be thrown away.
///
/// What no reader can notice: format 1.x has no checksum over its last bytes (Q1), so where the last unit is stored or
/// packed with LZF, up to 8 of its bytes (20 in 1.0 and 1.1) may be other ones. 2.0 has no such gap.
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
    decode_first: Decoded,
    formats: PhantomData<F>,
}

impl<'s, R: Read + Seek, D: Decode> Loader<'s, R, D> {
    /// A load from `medium` with the decoders in `codec`, which decodes every unit to its end before the first hook is
    /// called, and once more to load it. `scratch` is one byte or more, and three more for every eight units beyond 64;
    /// half of it takes packed bytes and half plain ones.
    pub fn new(medium: R, codec: D, scratch: &'s mut [u8]) -> Self {
        Self::with(medium, codec, scratch, Decoded::All)
    }

    /// The same, decoding units only while they load: for a file whose checksums are enough.
    pub fn unverified(medium: R, codec: D, scratch: &'s mut [u8]) -> Self {
        Self::with(medium, codec, scratch, Decoded::Uncovered)
    }
}

impl<'s, R: Read, D: Decode> Loader<'s, R, D, Crc32Bytewise, FrontToBack> {
    /// A load of a 2.0 file from a medium that can only be read, such as a serial line; otherwise as [`new`](Self::new).
    /// Nothing is read behind the file's last byte.
    pub fn streaming(medium: R, codec: D, scratch: &'s mut [u8]) -> Self {
        Self::with(medium, codec, scratch, Decoded::All)
    }
}

impl<'s, R: Read, D: Decode, F> Loader<'s, R, D, Crc32Bytewise, F> {
    fn with(medium: R, codec: D, scratch: &'s mut [u8], decode_first: Decoded) -> Self {
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
    pub fn load<M>(self, machine: &mut M, units: &Units<M>) -> Result<Header, LoadError<R::Error>> {
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
    pub fn load<M>(self, machine: &mut M, units: &Units<M>) -> Result<Header, LoadError<R::Error>> {
        let Self { medium, codec, crc, scratch, policy, after, progress, report, .. } = self;
        let mut load = Load::new(medium, codec, progress, after);
        let done = load.stream(crc, scratch, (policy, report), machine, units);
        load.outcome(done)
    }
}
