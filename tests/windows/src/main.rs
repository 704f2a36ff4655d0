//! What `save_to_path` promises on Windows, tried there: each check is a function, in a folder of its own. Prints a line for
//! each and ends with how many passed and failed.

#[cfg(windows)]
mod checks;

#[cfg(windows)]
fn main() {
    checks::run();
}

#[cfg(not(windows))]
fn main() {
    panic!("this is for Windows");
}
