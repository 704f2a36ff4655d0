//! Media with faults, on embedded-io's traits: each wraps another or a plain [`Disk`], and adds one thing.
//!
//! All of them share the error type [`Broken`], so that a test can tell the fault it planted from any other.

use embedded_io::{ErrorKind, ErrorType, Read, Seek, SeekFrom, Write};
use ssm_core::{Crc32Slicing, Header, LoadError, Loader, Policy, Report, Units};

/// A planted fault, with the number it was planted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The call or the byte at which the medium broke.
    pub at: u64,
    /// What the medium calls it.
    pub kind: ErrorKind,
}

impl Broken {
    /// The fault planted at `at`.
    pub const fn at(at: u64) -> Self {
        Self { at, kind: ErrorKind::Other }
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "broken at {}", self.at)
    }
}

impl std::error::Error for Broken {}

impl embedded_io::Error for Broken {
    fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// A sound medium that grows, like a file on a disk that is never full.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    bytes: Vec<u8>,
    position: u64,
}

impl Disk {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that holds `bytes`, at position 0.
    pub fn holding(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), position: 0 }
    }

    /// What it holds.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it held.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl ErrorType for Disk {
    type Error = Broken;
}

impl Read for Disk {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Broken> {
        let from = self.bytes.len().min(self.position as usize);
        let n = into.len().min(self.bytes.len() - from);
        into[..n].copy_from_slice(&self.bytes[from..from + n]);
        self.position += n as u64;
        Ok(n)
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let from = self.position as usize;
        let end = from + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[from..end].copy_from_slice(bytes);
        self.position = end as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Broken> {
        Ok(())
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, Broken> {
        self.position = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.bytes.len() as u64 + by as u64,
            SeekFrom::Current(by) => self.position + by as u64,
        };
        Ok(self.position)
    }
}

/// Moves a few bytes per call: never more than it was told, and sometimes fewer.
pub struct Short<M> {
    medium: M,
    most: usize,
    random: Option<u64>,
}

impl<M> Short<M> {
    /// At most `most` bytes in each call.
    pub fn at_most(medium: M, most: usize) -> Self {
        Self { medium, most: most.max(1), random: None }
    }

    /// 1 to `most` bytes in each call, in an order that `seed` makes.
    pub fn random(medium: M, most: usize, seed: u64) -> Self {
        Self { medium, most: most.max(1), random: Some(seed) }
    }

    fn share(&mut self, len: usize) -> usize {
        let most = match &mut self.random {
            None => self.most,
            Some(state) => {
                // The generator of Numerical Recipes; its high bits are the good ones.
                *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                1 + (*state >> 33) as usize % self.most
            }
        };
        len.min(most)
    }
}

impl<M: ErrorType> ErrorType for Short<M> {
    type Error = M::Error;
}

impl<M: Read> Read for Short<M> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, M::Error> {
        let n = self.share(into.len());
        self.medium.read(&mut into[..n])
    }
}

impl<M: Write> Write for Short<M> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, M::Error> {
        let n = self.share(bytes.len());
        self.medium.write(&bytes[..n])
    }

    fn flush(&mut self) -> Result<(), M::Error> {
        self.medium.flush()
    }
}

impl<M: Seek> Seek for Short<M> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, M::Error> {
        self.medium.seek(to)
    }
}

/// Breaks at one planted place, and keeps working or stays broken.
pub struct Failing<M> {
    medium: M,
    place: Place,
    /// Calls so far, and bytes moved.
    calls: u64,
    moved: u64,
    once: bool,
    kind: ErrorKind,
    broken: bool,
}

enum Place {
    Call(u64),
    Byte(u64),
    EveryCall(u64),
}

impl<M> Failing<M> {
    fn new(medium: M, place: Place) -> Self {
        Self { medium, place, calls: 0, moved: 0, once: false, kind: ErrorKind::Other, broken: false }
    }

    /// Breaks at call number `call`, from 0; reads, writes, seeks and flushes count.
    pub fn at_call(medium: M, call: u64) -> Self {
        Self::new(medium, Place::Call(call))
    }

    /// Moves `bytes` bytes and then breaks: the piece with the next one is moved up to there.
    pub fn at_byte(medium: M, bytes: u64) -> Self {
        Self::new(medium, Place::Byte(bytes))
    }

    /// Is interrupted at each read and write whose number is a multiple of `calls`, and otherwise sound.
    pub fn interrupted(medium: M, calls: u64) -> Self {
        Self { kind: ErrorKind::Interrupted, ..Self::new(medium, Place::EveryCall(calls)) }
    }

    /// The same, but only one call fails: the next one works again.
    pub fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// Whether the fault was met.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    fn fail(&mut self, at: u64) -> Result<usize, Broken> {
        self.broken = true;
        Err(Broken { at, kind: self.kind })
    }

    /// How many of `len` bytes may move; of calls that move none, whether they work.
    fn call(&mut self, len: usize, moves: bool) -> Result<usize, Broken> {
        let call = self.calls;
        self.calls += 1;
        if self.once && self.broken {
            return Ok(len);
        }
        match self.place {
            Place::Call(at) if call >= at => self.fail(at),
            Place::EveryCall(calls) if moves && call.is_multiple_of(calls) => self.fail(call),
            Place::Byte(at) if moves && len > 0 => match at.saturating_sub(self.moved) {
                0 => self.fail(at),
                left => Ok(len.min(usize::try_from(left).unwrap_or(usize::MAX))),
            },
            _ => Ok(len),
        }
    }
}

impl<M: ErrorType<Error = Broken>> ErrorType for Failing<M> {
    type Error = Broken;
}

impl<M: Read<Error = Broken>> Read for Failing<M>
where
    Self: ErrorType<Error = Broken>,
{
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Broken> {
        let n = self.call(into.len(), true)?;
        let read = self.medium.read(&mut into[..n])?;
        self.moved += read as u64;
        Ok(read)
    }
}

impl<M: Write<Error = Broken>> Write for Failing<M> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let n = self.call(bytes.len(), true)?;
        let written = self.medium.write(&bytes[..n])?;
        self.moved += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> Result<(), Broken> {
        self.call(0, false)?;
        self.medium.flush()
    }
}

impl<M: Seek<Error = Broken>> Seek for Failing<M> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, Broken> {
        self.call(0, false)?;
        self.medium.seek(to)
    }
}

/// Writes and seeks and cannot be read: what compiles with it never reads.
pub struct WriteOnly<M>(pub M);

impl<M: ErrorType> ErrorType for WriteOnly<M> {
    type Error = M::Error;
}

impl<M: Write> Write for WriteOnly<M> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, M::Error> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> Result<(), M::Error> {
        self.0.flush()
    }
}

impl<M: Seek> Seek for WriteOnly<M> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, M::Error> {
        self.0.seek(to)
    }
}

/// Remembers every byte written and where it went, in order; it holds no file itself.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    writes: Vec<(u64, u8)>,
    position: u64,
    end: u64,
}

impl Recording {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bytes were written, those that replaced others included.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// What an empty medium holds after the first `bytes` bytes were written and the power went.
    pub fn replay(&self, bytes: usize) -> Vec<u8> {
        let mut file = Vec::new();
        for &(at, byte) in &self.writes[..bytes] {
            let at = at as usize;
            if file.len() <= at {
                file.resize(at + 1, 0);
            }
            file[at] = byte;
        }
        file
    }
}

impl ErrorType for Recording {
    type Error = Broken;
}

impl Write for Recording {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        self.writes.extend((self.position..).zip(bytes.iter().copied()));
        self.position += bytes.len() as u64;
        self.end = self.end.max(self.position);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Broken> {
        Ok(())
    }
}

impl Seek for Recording {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, Broken> {
        self.position = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.end + by as u64,
            SeekFrom::Current(by) => self.position + by as u64,
        };
        Ok(self.position)
    }
}

/// The three ways to load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loading {
    /// `Loader::unverified`.
    Unverified,
    /// `Loader::new`.
    Verified,
    /// `Loader::streaming`, from a medium that cannot seek.
    Streaming,
}

impl Loading {
    /// All of them.
    pub const ALL: [Loading; 3] = [Loading::Unverified, Loading::Verified, Loading::Streaming];

    /// Loads from a medium with every codec.
    pub fn load<R: Read + Seek, M>(
        self,
        medium: R,
        scratch: &mut [u8],
        machine: &mut M,
        units: &Units<M>,
    ) -> Result<Header, LoadError<R::Error>> {
        self.load_with(medium, scratch, Policy::default(), &mut |_| (), machine, units)
    }

    /// The same under a policy.
    pub fn load_with<R: Read + Seek, M>(
        self,
        medium: R,
        scratch: &mut [u8],
        policy: Policy,
        report: &mut dyn FnMut(Report),
        machine: &mut M,
        units: &Units<M>,
    ) -> Result<Header, LoadError<R::Error>> {
        let codec = ssm_std::decoder();
        let loader = match self {
            Loading::Unverified => Loader::unverified(medium, codec, scratch),
            Loading::Verified => Loader::new(medium, codec, scratch),
            Loading::Streaming => {
                let loader = Loader::streaming(ReadOnly(medium), codec, scratch).crc32(Crc32Slicing);
                return loader.policy(policy).report(report).load(machine, units);
            }
        };
        loader.crc32(Crc32Slicing).policy(policy).report(report).load(machine, units)
    }
}

/// Reads and cannot go anywhere: what compiles with it never seeks.
pub struct ReadOnly<M>(pub M);

impl<M: ErrorType> ErrorType for ReadOnly<M> {
    type Error = M::Error;
}

impl<M: Read> Read for ReadOnly<M> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, M::Error> {
        self.0.read(into)
    }
}

/// Writes and does nothing else: what compiles with it never seeks.
pub struct OneWay<M>(pub M);

impl<M: ErrorType> ErrorType for OneWay<M> {
    type Error = M::Error;
}

impl<M: Write> Write for OneWay<M> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, M::Error> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> Result<(), M::Error> {
        self.0.flush()
    }
}
