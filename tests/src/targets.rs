//! What the fuzzer drives (`tests/fuzz`), and what an ordinary test replays: functions of any bytes that panic if a promise is
//! broken. Each builds its case out of the bytes, so that mutations of them stay cases.

mod choices;
mod counted;
mod load;
mod lzf_decode;
mod lzf_encode;
mod repair;
mod round_trip;
mod slots;

pub use load::load;
pub use lzf_decode::lzf_decode;
pub use lzf_encode::lzf_encode;
pub use round_trip::round_trip;
pub use slots::slots;

/// A target.
pub type Target = fn(&[u8]);

/// All targets by the names of their folders.
pub const ALL: [(&str, Target); 5] = [
    ("lzf_encode", lzf_encode),
    ("lzf_decode", lzf_decode),
    ("load", load),
    ("slots", slots),
    ("round_trip", round_trip),
];
