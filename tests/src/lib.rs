//! What the tests share.

pub mod golden;
pub mod media;
