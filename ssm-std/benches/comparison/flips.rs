//! What becomes of a saved machine in which one bit is wrong.
//!
//! A wrong length may make a program ask for more memory than there is, which ends it. So flips are tried in a process of
//! their own, which tells what came of each; where it ends early the next one goes on behind.

use crate::data::Random;
use crate::form::Form;
use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};

pub const FLIPS: usize = 1500;

/// How often each came of it.
#[derive(Clone, Copy, Default)]
pub struct Outcomes {
    pub refused: usize,
    /// Another state than was saved, without an error.
    pub wrong: usize,
    /// A panic, or the end of the process.
    pub died: usize,
    /// The state that was saved: the bit did not matter.
    pub right: usize,
}

/// Starts this program again for the form of this name, as often as it needs.
pub fn count(name: &str) -> Outcomes {
    let mut outcomes = Outcomes::default();
    let mut at = 0;
    while at < FLIPS {
        let program = std::env::current_exe().expect("the name of this program");
        let mut child = Command::new(program)
            .args(["--flips", name, &at.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this program again");
        let begun = at;
        for line in BufReader::new(child.stdout.take().expect("its output")).lines() {
            match line.expect("its lines").as_str() {
                "refused" => outcomes.refused += 1,
                "wrong" => outcomes.wrong += 1,
                "died" => outcomes.died += 1,
                "right" => outcomes.right += 1,
                other => panic!("{name} says {other}"),
            }
            at += 1;
        }
        let ended = child.wait().expect("its end");
        if at < FLIPS {
            assert!(!ended.success(), "{name} ended before its last flip, {begun} to {at}");
            outcomes.died += 1;
            at += 1;
        }
    }
    outcomes
}

/// What the started program does: flips from this one on, a line for each.
pub fn run<F: Form>(form: &mut F, saved: &[u8], from: usize) {
    std::panic::set_hook(Box::new(|_| {}));
    let whole = form.load(saved).expect("the file as it was saved");
    let mut random = Random(0x5eed);
    let mut out = std::io::stdout();
    for at in 0..FLIPS {
        let bit = random.next() as usize % (saved.len() * 8);
        if at < from {
            continue;
        }
        let mut bytes = saved.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let word = match catch_unwind(AssertUnwindSafe(|| form.load(&bytes))) {
            Err(_) => "died",
            Ok(None) => "refused",
            Ok(Some(machine)) if machine == whole => "right",
            Ok(Some(_)) => "wrong",
        };
        writeln!(out, "{word}").and_then(|()| out.flush()).expect("the program that started this one");
    }
}
