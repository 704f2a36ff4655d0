//! The crash table, as counted and as printed in SLOTS.md.

use super::sweep::{Outcome, Row};
use ssm_tests::flash::Model;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How often what was found, by where the cut fell and what it left.
#[derive(Default)]
pub struct Table(BTreeMap<(Row, usize), [u64; 3]>);

impl Table {
    pub fn count(&mut self, row: Row, model: Model, outcome: Outcome) {
        let column = Model::ALL.iter().position(|other| *other == model).unwrap();
        self.0.entry((row, column)).or_default()[outcome as usize] += 1;
    }

    pub fn add(&mut self, other: Self) {
        for (cell, counts) in other.0 {
            let sum = self.0.entry(cell).or_default();
            sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }

    pub fn cases(&self) -> u64 {
        self.0.values().flatten().sum()
    }

    pub fn lost(&self) -> u64 {
        self.0.values().map(|counts| counts[2]).sum()
    }

    /// The cells of a row that have cases.
    pub fn row(&self, row: Row) -> impl Iterator<Item = [u64; 3]> {
        self.0.iter().filter(move |((of, _), _)| *of == row).map(|(_, counts)| *counts)
    }

    /// In the words of SLOTS.md.
    pub fn print(&self) -> String {
        let models = ["prefix", "torn word", "some words", "half erased", "zeros first", "erased too soon"];
        let mut text = format!("| the power went in | {} |\n", models.join(" | "));
        writeln!(text, "|{}", "---|".repeat(models.len() + 1)).unwrap();
        for (row, name) in [
            (Row::Erase, "the erase before the save"),
            (Row::Header, "the first page of content"),
            (Row::Data, "the other content"),
            (Row::Commit, "the commit record"),
            (Row::OldErase, "the erase of the old slot"),
            (Row::Rollback, "a rollback"),
            (Row::EraseAll, "erasing all"),
        ] {
            if self.row(row).next().is_none() {
                continue;
            }
            write!(text, "| {name} ").unwrap();
            for column in 0..models.len() {
                match self.0.get(&(row, column)) {
                    Some([old, new, lost]) => write!(text, "| {old} / {new} / {lost} ").unwrap(),
                    None => write!(text, "| - ").unwrap(),
                }
            }
            writeln!(text, "|").unwrap();
        }
        text
    }
}
