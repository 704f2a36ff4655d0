//! Interrupts the bootloader again and again, and checks behind each interruption that it goes on where it promised to.
//!
//! ```text
//! bootloader-runner FIRMWARE FOLDER [SEED]
//! ```
//!
//! QEMU is killed at every point of a save; the firmware resets the processor at every point of a save; QEMU is killed at
//! random moments. All are interruptions of one computation. When it ends, its result is compared with the host's, and
//! another begins on a new flash.

mod board;
mod promise;
mod story;

use promise::{Found, Host};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use story::{Kind, Story};

/// Saves ahead of the first interruption, so that a state takes many pages.
const SAVES_AHEAD: u32 = 100;
/// Kills at random moments.
const RANDOM_KILLS: usize = 240;
/// Fewer kills than this would show little.
const FEWEST_KILLS: usize = 200;
const SEED: u64 = 5;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(firmware), Some(folder)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: bootloader-runner FIRMWARE FOLDER [SEED]");
        return ExitCode::from(2);
    };
    let seed = match arguments.next().map(|seed| seed.parse()) {
        None => SEED,
        Some(Ok(seed)) => seed,
        Some(Err(error)) => {
            eprintln!("SEED: {error}");
            return ExitCode::from(2);
        }
    };
    let began = Instant::now();
    let host = Host::compute();
    let mut story = Story::new(&host, PathBuf::from(firmware), PathBuf::from(folder));
    let told = tell(&mut story, seed);
    println!("{:<36}{:>6}{:>11}   {:>9}{:>7}{:>7}", "", "", "", "next boot", "finds", "");
    println!("{:<36}{:>6}{:>11}   {:>9}{:>7}{:>7}", "", "times", "in a save", "old", "new", "blank");
    for kind in Kind::ALL {
        let (times, in_save) = (story.count(kind), story.count_in_save(kind));
        let [old, new, blank] =
            [Found::Acknowledged, Found::Committed, Found::Blank].map(|found| story.count_found(kind, found));
        println!("{:<36}{times:>6}{in_save:>11}   {old:>9}{new:>7}{blank:>7}", kind.to_string());
    }
    if let Err(error) = told {
        eprintln!("FAIL: {error}");
        return ExitCode::FAILURE;
    }
    let resets = story.count(Kind::Reset);
    let kills = Kind::ALL.map(|kind| story.count(kind)).iter().sum::<usize>() - resets;
    let everywhere = [Kind::Chosen, Kind::Reset].map(|kind| story.count_found(kind, Found::Committed) > 0);
    if kills < FEWEST_KILLS || everywhere != [true; 2] {
        eprintln!("FAIL: {kills} kills are too few, or none was between a commit and its acknowledgment");
        return ExitCode::FAILURE;
    }
    println!("{} computations, each ended with the right result: {} primes", story.results(), host.primes());
    println!("{kills} kills and {resets} resets, nothing lost; seed {seed}, {} s", began.elapsed().as_secs());
    ExitCode::SUCCESS
}

fn tell(story: &mut Story<'_>, seed: u64) -> Result<(), String> {
    // The very first save, on a flash that is blank.
    story.kill_everywhere(1)?;
    story.ahead(SAVES_AHEAD)?;
    for save in [1, 2] {
        story.kill_everywhere(save)?;
        story.reset_everywhere(save)?;
    }
    story.kill_at_random(RANDOM_KILLS, seed)?;
    story.finish()
}
