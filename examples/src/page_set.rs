//! A set of pages of the memory, one bit for each.

use crate::{PAGE_SIZE, RAM_SIZE};

/// Pages of the memory.
pub const PAGES: usize = RAM_SIZE / PAGE_SIZE;

/// A set of pages, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSet([u64; PAGES / 64]);

impl PageSet {
    /// Every page.
    pub const ALL: Self = Self([u64::MAX; PAGES / 64]);
    /// No page.
    pub const NONE: Self = Self([0; PAGES / 64]);

    /// Adds `page`, which is less than [`PAGES`].
    pub fn insert(&mut self, page: usize) {
        self.0[page / 64] |= 1 << (page % 64);
    }

    /// Whether `page`, which is less than [`PAGES`], is in the set.
    pub fn contains(&self, page: usize) -> bool {
        self.0[page / 64] >> (page % 64) & 1 != 0
    }

    /// How many pages are in the set.
    pub fn len(&self) -> usize {
        self.0.iter().map(|pages| pages.count_ones() as usize).sum()
    }

    /// Whether no page is in the set.
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// The pages, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        (0..PAGES).filter(|page| self.contains(*page))
    }
}
