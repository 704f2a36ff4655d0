//! The table that a run prints, and in the README the place where it goes.

use std::fmt::Write as _;
use std::{env, fs};

const BEGIN: &str = "<!-- results: written by cargo bench --bench goals -- --write -->\n";
const END: &str = "<!-- end of results -->\n";

/// What is to be reached.
#[derive(Clone, Copy)]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
    /// A number to know.
    None,
}

impl Goal {
    fn text(self) -> String {
        match self {
            Goal::AtLeast(bound) => format!(">= {bound}"),
            Goal::AtMost(bound) => format!("<= {bound}"),
            Goal::None => "-".to_owned(),
        }
    }

    fn verdict(self, found: f64) -> &'static str {
        match self {
            Goal::AtLeast(bound) if found >= bound => "yes",
            Goal::AtMost(bound) if found <= bound => "yes",
            Goal::None => "",
            _ => "**no**",
        }
    }
}

/// The rows so far.
#[derive(Default)]
pub struct Table {
    text: String,
}

impl Table {
    /// Starts a group of rows.
    pub fn group(&mut self, name: &str) {
        println!("\n{name}");
        let _ = write!(
            self.text,
            "\n{name}:\n\n| what | here | beside | figure | goal | reached |\n|---|--:|---|--:|--:|:-:|\n"
        );
    }

    /// `found` is what the goal is about: a ratio or a rate.
    pub fn row(&mut self, what: &str, here: &str, beside: &str, found: f64, goal: Goal) {
        let figure = if found >= 100.0 { format!("{found:.0}") } else { format!("{found:.2}") };
        let (bound, verdict) = (goal.text(), goal.verdict(found));
        println!("  {what:<52} {here:>16}  {figure:>8}  {bound:>8}  {:<6} {beside}", verdict.replace('*', ""));
        let _ = writeln!(self.text, "| {what} | {here} | {beside} | {figure} | {bound} | {verdict} |");
    }

    /// Puts the table into the README, between its markers.
    pub fn write(&self, remark: &str) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/README.md");
        let readme = fs::read_to_string(path).expect("the README of the benchmarks");
        let (before, rest) = readme.split_once(BEGIN).expect("the marker before the results");
        let (_, after) = rest.split_once(END).expect("the marker behind the results");
        let note = env::var("SSM_BENCH_REMARK").unwrap_or_default();
        let text = format!("{before}{BEGIN}\n{remark} {note}\n{}\n{END}{after}", self.text);
        fs::write(path, text).expect("the README of the benchmarks");
    }
}

/// A rate in MB/s as text.
pub fn mb(rate: f64) -> String {
    format!("{} MB/s", thousands(rate))
}

/// A number with commas.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
