//! The ways to interrupt the board, and the counts of what came of it.

use crate::board::{Board, Line, new_flash};
use crate::promise::{Found, Host, Promise};
use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

/// How the board was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Killed while it halts at a chosen point of a save.
    Chosen,
    /// Reset by itself at a chosen point of a save.
    Reset,
    /// Killed as soon as it had acknowledged a save.
    Acknowledged,
    /// Killed when it had said a number of lines.
    Random,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Chosen, Self::Reset, Self::Acknowledged, Self::Random];
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Chosen => "killed at a chosen point of a save",
            Self::Reset => "reset at a chosen point of a save",
            Self::Acknowledged => "killed as a save was acknowledged",
            Self::Random => "killed at a random moment",
        })
    }
}

/// One interruption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Interruption {
    kind: Kind,
    /// Whether a save had begun and was not acknowledged.
    in_save: bool,
}

/// Lines after which the board is killed at random, at most: those of two saves.
const RANDOM_LINES: u64 = 70;

pub struct Story<'h> {
    host: &'h Host,
    firmware: PathBuf,
    folder: PathBuf,
    /// The computation that runs; `None` if there is none.
    promise: Option<Promise<'h>>,
    /// What the next boot comes from.
    interrupted: Option<Interruption>,
    found: Vec<(Interruption, Found)>,
    results: usize,
}

/// Why the board is no longer listened to.
#[derive(PartialEq, Eq)]
enum Heard {
    /// It stopped at this point and operation.
    Stopped(String),
    /// It acknowledged as many saves as were asked for.
    Saved,
    /// It said as many lines as were asked for.
    Lines,
    /// It ended with the right result.
    Done,
}

impl<'h> Story<'h> {
    pub fn new(host: &'h Host, firmware: PathBuf, folder: PathBuf) -> Self {
        Self { host, firmware, folder, promise: None, interrupted: None, found: Vec::new(), results: 0 }
    }

    /// How many interruptions of a kind there were.
    pub fn count(&self, kind: Kind) -> usize {
        self.found.iter().filter(|(interruption, _)| interruption.kind == kind).count()
    }

    /// How many of them were in a save.
    pub fn count_in_save(&self, kind: Kind) -> usize {
        self.found.iter().filter(|(interruption, _)| *interruption == Interruption { kind, in_save: true }).count()
    }

    /// How many of them were followed by a boot that found this.
    pub fn count_found(&self, kind: Kind, found: Found) -> usize {
        let it = |(interruption, then): &&(Interruption, Found)| interruption.kind == kind && *then == found;
        self.found.iter().filter(it).count()
    }

    /// How many computations came to their end.
    pub fn results(&self) -> usize {
        self.results
    }

    /// Lets the board save so many times and kills it.
    pub fn ahead(&mut self, saves: u32) -> Result<(), String> {
        let mut board = self.start("go")?;
        self.hear(&mut board, saves, u64::MAX)?;
        self.kill(&mut board, Kind::Acknowledged)
    }

    /// In this save of each boot, counted from 1: before, in and after every operation, until there is no further one.
    ///
    /// In the first one of every boot means that the same save is interrupted again and again. A save ahead of it is one
    /// step onward between two interruptions.
    pub fn kill_everywhere(&mut self, save: u32) -> Result<(), String> {
        let mut points = Points::new("halt", save);
        while let Some(order) = points.next() {
            let mut board = self.start(&order)?;
            let heard = self.hear(&mut board, save, u64::MAX)?;
            if heard != Heard::Done {
                let kind = if heard == Heard::Saved { Kind::Acknowledged } else { Kind::Chosen };
                self.kill(&mut board, kind)?;
                points.note(&heard)?;
            }
        }
        Ok(())
    }

    /// The same with resets; all boots are those of one QEMU.
    pub fn reset_everywhere(&mut self, save: u32) -> Result<(), String> {
        let mut points = Points::new("reset", save);
        let mut board = None;
        while let Some(order) = points.next() {
            let mut running = match board.take() {
                None => self.start(&order)?,
                Some(mut running) => {
                    self.boot(&mut running, &order)?;
                    running
                }
            };
            let heard = self.hear(&mut running, save, u64::MAX)?;
            match heard {
                Heard::Stopped(_) => {
                    self.interrupt(Kind::Reset);
                    board = Some(running);
                }
                Heard::Done => continue,
                Heard::Saved | Heard::Lines => self.kill(&mut running, Kind::Acknowledged)?,
            }
            points.note(&heard)?;
        }
        Ok(())
    }

    /// Kills it `kills` times, each time after a random number of lines, or a little later.
    pub fn kill_at_random(&mut self, kills: usize, seed: u64) -> Result<(), String> {
        let mut random = seed;
        while self.count(Kind::Random) < kills {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            let lines = (random >> 32) % RANDOM_LINES;
            let mut board = self.start("go")?;
            if self.hear(&mut board, u32::MAX, lines)? == Heard::Lines {
                self.kill(&mut board, Kind::Random)?;
            }
        }
        Ok(())
    }

    /// Lets the computation come to its end.
    pub fn finish(&mut self) -> Result<(), String> {
        let mut board = self.start("go")?;
        self.hear(&mut board, u32::MAX, u64::MAX).map(|_| ())
    }

    /// Switches the board on, with a new flash if there is no computation.
    fn start(&mut self, order: &str) -> Result<Board, String> {
        if self.promise.is_none() {
            new_flash(&self.folder)?;
            self.promise = Some(Promise::new(self.host));
            self.interrupted = None;
        }
        let mut board = Board::start(&self.firmware, &self.folder)?;
        self.boot(&mut board, order)?;
        Ok(board)
    }

    fn boot(&mut self, board: &mut Board, order: &str) -> Result<(), String> {
        match board.line()? {
            Some(Line::Boot) => board.order(order),
            other => Err(format!("the board does not boot but says {other:?}")),
        }
    }

    /// Checks what the board says, until it has acknowledged `saves`, or said `lines`, or stops or ends.
    fn hear(&mut self, board: &mut Board, saves: u32, lines: u64) -> Result<Heard, String> {
        let mut saved = 0;
        for _ in 0..lines {
            let line = board.line()?.ok_or("the board went off by itself")?;
            self.check(&line)?;
            match line {
                Line::Stopped(at) => return Ok(Heard::Stopped(at)),
                Line::Saved { .. } => saved += 1,
                Line::Done { .. } => {
                    board.end()?;
                    return Ok(Heard::Done);
                }
                _ => {}
            }
            if saved == saves {
                return Ok(Heard::Saved);
            }
        }
        Ok(Heard::Lines)
    }

    /// Kills the board, and checks what else it had said.
    fn kill(&mut self, board: &mut Board, kind: Kind) -> Result<(), String> {
        board.kill()?;
        while let Some(line) = board.line()? {
            self.check(&line)?;
        }
        self.interrupt(kind);
        Ok(())
    }

    fn interrupt(&mut self, kind: Kind) {
        let interruption = |promise: &Promise<'_>| Interruption { kind, in_save: promise.is_saving() };
        self.interrupted = self.promise.as_ref().map(interruption);
    }

    fn check(&mut self, line: &Line) -> Result<(), String> {
        let promise = self.promise.as_mut().ok_or("no computation runs")?;
        let found = promise.hear(line)?;
        if let Some(found) = found
            && let Some(interruption) = self.interrupted.take()
        {
            self.found.push((interruption, found));
        }
        if let Line::Done { .. } = line {
            self.results += 1;
            (self.promise, self.interrupted) = (None, None);
        }
        Ok(())
    }
}

/// All points of one save, one after another.
struct Points {
    stop: &'static str,
    save: u32,
    operation: u32,
    /// 0 before, 1 in, 2 after.
    point: usize,
    ended: bool,
}

impl Points {
    fn new(stop: &'static str, save: u32) -> Self {
        Self { stop, save, operation: 0, point: 0, ended: false }
    }

    /// The order for the point that was not noted yet.
    fn next(&self) -> Option<String> {
        let point = ["before", "in", "after"][self.point];
        (!self.ended).then(|| format!("{} {} {} {point}", self.stop, self.save, self.operation))
    }

    /// What came of the order. An erase has no point inside; an operation that was not reached is behind the last.
    fn note(&mut self, heard: &Heard) -> Result<(), String> {
        match heard {
            Heard::Stopped(at) => {
                (self.operation, self.point) = match at.as_str() {
                    "before erase" => (self.operation, 2),
                    "before write" => (self.operation, 1),
                    "in write" => (self.operation, 2),
                    "after erase" | "after write" => (self.operation + 1, 0),
                    _ => return Err(format!("the board stopped {at}")),
                }
            }
            _ if self.point == 0 && self.operation > 2 => self.ended = true,
            _ => return Err(format!("the board does not stop as ordered: {:?}", self.next())),
        }
        Ok(())
    }
}
