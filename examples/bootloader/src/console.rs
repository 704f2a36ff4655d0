//! The console, semihosting's: one line out with one call, one line in.

use core::fmt::Arguments;
use heapless::String;
use semihosting::io::{self, Read, Write};
use semihosting::process::exit;

/// Bytes of a line.
pub const LINE: usize = 96;

/// Prints a line. It is written at once, so that an interruption seldom tears it.
pub fn print(line: Arguments<'_>) {
    let mut text = String::<LINE>::new();
    let fits = core::fmt::write(&mut text, line).is_ok() && text.push('\n').is_ok();
    // Nobody can be told about a console that is not there.
    if !fits || io::stdout().and_then(|mut out| out.write_all(text.as_bytes())).is_err() {
        exit(2);
    }
}

/// Prints a line, with the arguments of `format!`.
macro_rules! say {
    ($($arguments:tt)*) => { $crate::console::print(format_args!($($arguments)*)) };
}
pub(crate) use say;

/// Waits for a line. What is too long for one is cut off.
pub fn line() -> String<LINE> {
    let mut text = String::new();
    let Ok(mut input) = io::stdin() else { return text };
    loop {
        let mut byte = [0];
        match input.read(&mut byte) {
            Ok(1) if byte != *b"\n" => {
                let _ = text.push(char::from(byte[0]));
            }
            _ => return text,
        }
    }
}
