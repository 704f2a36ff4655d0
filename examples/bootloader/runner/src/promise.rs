//! The promise, checked line by line: what was acknowledged as saved is never lost, and nothing else comes up than the state
//! that was acknowledged last or the one whose save was interrupted.

use crate::board::Line;
use computation::{Computation, STEPS, STEPS_BETWEEN_SAVES};

/// What a boot found behind an interruption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing, and nothing was saved.
    Blank,
    /// The state that was acknowledged last.
    Acknowledged,
    /// The state that was being saved: its save was interrupted behind the commit.
    Committed,
}

/// What the host knows of one computation.
pub struct Promise<'h> {
    host: &'h Host,
    /// The generation and the steps of the state that was acknowledged last.
    acknowledged: Option<(u64, u32)>,
    /// The steps of the state whose save has begun, and not been acknowledged.
    begun: Option<u32>,
    steps: u32,
}

/// The computation without interruption.
pub struct Host {
    /// Hashes of the state, by steps.
    digests: Vec<u64>,
    primes: u32,
}

impl Host {
    pub fn compute() -> Self {
        let mut computation = Computation::new();
        let mut digests = vec![computation.digest()];
        while !computation.is_done() {
            computation.step();
            digests.push(computation.digest());
        }
        Self { digests, primes: computation.primes() }
    }

    pub fn primes(&self) -> u32 {
        self.primes
    }

    fn is_right(&self, steps: u32, digest: u64) -> bool {
        self.digests.get(steps as usize) == Some(&digest)
    }
}

impl<'h> Promise<'h> {
    pub fn new(host: &'h Host) -> Self {
        Self { host, acknowledged: None, begun: None, steps: 0 }
    }

    /// Checks a line. What was found, if the line says it.
    pub fn hear(&mut self, line: &Line) -> Result<Option<Found>, String> {
        let found = match *line {
            Line::Blank => {
                self.require(self.acknowledged.is_none(), line)?;
                (self.begun, self.steps) = (None, 0);
                Some(Found::Blank)
            }
            Line::Resumed { generation, steps, digest } => {
                let found = if self.acknowledged == Some((generation, steps)) {
                    Found::Acknowledged
                } else {
                    self.require(self.begun == Some(steps) && generation == self.next(), line)?;
                    Found::Committed
                };
                self.require(self.steps - steps <= STEPS_BETWEEN_SAVES, line)?;
                self.require(self.host.is_right(steps, digest), line)?;
                (self.acknowledged, self.begun, self.steps) = (Some((generation, steps)), None, steps);
                Some(found)
            }
            Line::Steps(steps) => {
                self.require(steps == self.steps + 1, line)?;
                self.steps = steps;
                None
            }
            Line::Saving { steps, digest } => {
                self.require(self.begun.is_none() && steps == self.steps && self.host.is_right(steps, digest), line)?;
                self.begun = Some(steps);
                None
            }
            Line::Operation(_) => {
                self.require(self.begun.is_some(), line)?;
                None
            }
            Line::Saved { generation, steps } => {
                self.require(self.begun == Some(steps) && generation == self.next(), line)?;
                (self.acknowledged, self.begun) = (Some((generation, steps)), None);
                None
            }
            Line::Done { primes, digest } => {
                let is_right = primes == self.host.primes && self.host.is_right(STEPS, digest);
                self.require(is_right && self.steps == STEPS, line)?;
                None
            }
            Line::Boot | Line::Stopped(_) => None,
            Line::Other(_) => return self.require(false, line).map(|()| None),
        };
        Ok(found)
    }

    /// Whether a save has begun and was not acknowledged.
    pub fn is_saving(&self) -> bool {
        self.begun.is_some()
    }

    /// The generation of the save that has begun.
    fn next(&self) -> u64 {
        self.acknowledged.map_or(1, |(generation, _)| generation + 1)
    }

    fn require(&self, holds: bool, line: &Line) -> Result<(), String> {
        let Self { acknowledged, begun, steps, .. } = self;
        let known = format!("acknowledged {acknowledged:?}, save begun {begun:?}, steps {steps}");
        if holds { Ok(()) } else { Err(format!("the board said {line:?}, but: {known}")) }
    }
}
