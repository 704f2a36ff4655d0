//! How far a save or load is: a bar on a terminal, a plain line elsewhere. On standard error either way.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};

/// A callback for the options of a save or load.
pub fn percent(what: &'static str) -> impl FnMut(u8) {
    let style = ProgressStyle::with_template("{msg:8} [{bar:40}] {percent:>3} %").expect("the template is sound");
    let bar = ProgressBar::new(100).with_style(style.progress_chars("=> ")).with_message(what);
    let terminal = stderr().is_terminal();
    move |percent| {
        if terminal {
            bar.set_position(percent.into());
            if percent == 100 {
                bar.finish();
                eprintln!();
            }
            return;
        }
        match percent {
            0 => eprint!("{what:8} 0"),
            100 => eprintln!(" 100 %"),
            _ if percent % 20 == 0 => eprint!(" {percent}"),
            _ => {}
        }
    }
}
