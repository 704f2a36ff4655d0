//! Signals that end the tool in the middle of writing a file: its temporary file goes with it.

/// From now on a signal that ends the tool removes the temporary file first; the exit status stays that of the signal.
#[cfg(unix)]
pub fn remove_temporary_files() {
    use std::sync::Once;
    static ONCE: Once = Once::new();
    // Without it a temporary file may stay, which is no reason not to write.
    ONCE.call_once(|| _ = unix::watch());
}

/// The same of Ctrl-C, Ctrl-Break and the end of the console's window.
#[cfg(windows)]
pub fn remove_temporary_files() {
    use std::sync::Once;
    /// What the system itself ends a process with that does not handle Ctrl-C.
    const CONTROL_C_EXIT: i32 = 0xc000_013a_u32 as i32;
    static ONCE: Once = Once::new();
    ONCE.call_once(|| _ = ctrlc::set_handler(|| ssm_std::abandon_saves(|| std::process::exit(CONTROL_C_EXIT))));
}

#[cfg(unix)]
mod unix {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;
    use std::io;
    use std::process::exit;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::thread::Builder;

    /// Bytes of stack for a thread that waits.
    const STACK: usize = 128 << 10;

    pub fn watch() -> io::Result<()> {
        // A file that grows beyond the limit of the process then is a failed write, which removes the temporary file.
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        let ignored = ignored();
        let signals = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored & (1 << (signal - 1)) == 0);
        let mut signals = Signals::new(signals)?;
        let wait = move || {
            if let Some(signal) = signals.forever().next() {
                ssm_std::abandon_saves(|| {
                    let _ = emulate_default_handler(signal);
                    exit(128 + signal)
                })
            }
        };
        Builder::new().stack_size(STACK).spawn(wait).map(|_| ())
    }

    /// The signals that whoever started the tool had it ignore, one bit for each from 1 on: `nohup` does that, and a shell for
    /// what runs in the background. Where the system does not tell, none.
    fn ignored() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
    }
}
