//! Measures the firmwares and writes the table, or compares the figures with the table that is there.
//!
//!     table TARGET_DIR TABLE COMPILER [--check]

mod board;
mod figures;
mod image;

use board::Board;
use figures::Figure;
use std::path::Path;
use std::process::ExitCode;

/// A figure may grow by this much without the table being updated: with the compiler that made the table, and with another.
const TOLERANCE: f64 = 0.02;
const TOLERANCE_OTHER: f64 = 0.10;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target_dir, table, compiler, rest @ ..] = &arguments[..] else {
        eprintln!("usage: table TARGET_DIR TABLE COMPILER [--check]");
        return ExitCode::FAILURE;
    };
    let boards = Board::all(Path::new(target_dir));
    let figures = figures::measure(&boards);
    if rest == ["--check"] {
        let text = std::fs::read_to_string(table).expect("read the table");
        return check(&figures, &text, compiler);
    }
    std::fs::write(table, figures::page(&figures, &boards, compiler)).expect("write the table");
    println!("wrote {table}");
    ExitCode::SUCCESS
}

fn check(figures: &[Figure], text: &str, compiler: &str) -> ExitCode {
    let same = text.lines().any(|line| line == figures::compiler_line(compiler));
    let tolerance = if same { TOLERANCE } else { TOLERANCE_OTHER };
    if !same {
        println!("the table was made with another compiler than {compiler}:");
        println!(
            "only bytes are compared, and they may grow by {:.0} % instead of {:.0} %",
            tolerance * 100.,
            TOLERANCE * 100.
        );
    }
    let mut grown = 0;
    let mut compared = 0;
    for figure in figures.iter().filter(|figure| same || figure.is_bytes()) {
        let Some(before) = figure.in_table(text) else {
            println!("not in the table: {}", figure.name);
            grown += 1;
            continue;
        };
        for ((before, now), board) in before.into_iter().zip(&figure.values).zip(Board::NAMES) {
            compared += 1;
            if *now > before * (1. + tolerance) {
                println!("grown on {board}: {}, from {before} to {}", figure.name, figure.shown(*now));
                grown += 1;
            }
        }
    }
    if grown > 0 {
        println!("{grown} figures grew; if that is meant, run tests/qemu/measure.sh and check in the table");
        return ExitCode::FAILURE;
    }
    println!("{compared} figures are within {:.0} % of the table", tolerance * 100.);
    ExitCode::SUCCESS
}
