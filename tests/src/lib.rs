//! What the tests share.

pub mod flash;
pub mod golden;
pub mod independent;
pub mod machine;
pub mod media;
pub mod mutation;
pub mod pieces;
pub mod reference;
pub mod targets;
pub mod values;

/// The project's front page; its example runs as a test.
#[doc = include_str!("../../README.md")]
pub mod readme {}
