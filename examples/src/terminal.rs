//! Where the machine's console ends: at a person's terminal, character by character, or at a pipe.
//!
//! Standard input is read by a thread of its own, so that the machine runs on while nobody types. A person's keys can do
//! more than type: they save, leave, and stop a BASIC program that does not listen. Out of a pipe come
//! characters, and the same control characters among them: [`Event::Interrupt`] alone is left out there, because a Ctrl-C
//! that is typed in its turn stops a program too.

use crossterm::event::{self, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::terminal;
use std::io::{self, IsTerminal, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Characters that are read ahead of the machine.
const READ_AHEAD: usize = 64;

/// What happened at the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A key for the machine.
    Key(u8),
    /// Ctrl-C: stop the BASIC program now.
    Interrupt,
    /// Ctrl-S.
    Save,
    /// Ctrl-X.
    SaveAndLeave,
    /// Ctrl-D.
    Leave,
}

/// Standard input and output.
pub struct Terminal {
    events: Receiver<Event>,
    is_person: bool,
    has_ended: bool,
}

impl Terminal {
    /// Takes the terminal over, if it is one, until the value is dropped.
    pub fn open() -> io::Result<Self> {
        let is_person = io::stdin().is_terminal();
        let (sender, events) = sync_channel(READ_AHEAD);
        if is_person {
            terminal::enable_raw_mode()?;
            thread::spawn(move || read_keys(&sender));
        } else {
            thread::spawn(move || read_pipe(&sender));
        }
        Ok(Self { events, is_person, has_ended: false })
    }

    /// Whether somebody sits there.
    pub fn is_person(&self) -> bool {
        self.is_person
    }

    /// Whether standard input is over and everything of it was taken.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// What happened next, if anything did.
    pub fn poll(&mut self) -> Option<Event> {
        match self.events.try_recv() {
            Ok(event) => Some(event),
            Err(std::sync::mpsc::TryRecvError::Empty) => None,
            Err(std::sync::mpsc::TryRecvError::Disconnected) => {
                self.has_ended = true;
                None
            }
        }
    }

    /// Waits for what happens next; `None` at the end of standard input.
    pub fn wait(&mut self) -> Option<Event> {
        let event = self.events.recv().ok();
        self.has_ended = event.is_none();
        event
    }

    /// Shows what the machine printed. Only a terminal in raw mode needs its carriage returns.
    pub fn print(&self, output: &[u8]) -> io::Result<()> {
        let mut stdout = StandardOutput(io::stdout().lock());
        if self.is_person {
            stdout.write_all(output)?;
        } else {
            stdout.write_all(&without_returns(output))?;
        }
        stdout.flush()
    }

    /// Tells the person something that is not of the machine.
    pub fn tell(&self, line: &str) {
        let end = if self.is_person { "\r\n" } else { "\n" };
        // Nobody can be told that standard error is closed.
        let _ = write!(io::stderr(), "[{line}]{end}");
    }
}

/// Standard output, with errors that name it.
pub struct StandardOutput(pub io::StdoutLock<'static>);

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(name_output)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(name_output)
    }
}

fn name_output(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write to standard output: {error}"))
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.is_person {
            let _ = terminal::disable_raw_mode();
        }
    }
}

/// Text in the manner of a pipe: lines end with a line feed only.
pub fn without_returns(output: &[u8]) -> Vec<u8> {
    output.iter().copied().filter(|byte| *byte != b'\r').collect()
}

/// A character as the machine's keyboard gives it: capitals only, as Tiny BASIC expects, and Return ends a line.
pub fn machine_key(byte: u8) -> u8 {
    match byte {
        b'\n' => b'\r',
        other => other.to_ascii_uppercase(),
    }
}

fn read_keys(sender: &SyncSender<Event>) {
    while let Ok(event) = event::read() {
        let event::Event::Key(key) = event else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let event = match (key.code, key.modifiers.contains(KeyModifiers::CONTROL)) {
            (KeyCode::Char('c'), true) => Event::Interrupt,
            (KeyCode::Char('s'), true) => Event::Save,
            (KeyCode::Char('x'), true) => Event::SaveAndLeave,
            (KeyCode::Char('d'), true) => Event::Leave,
            (KeyCode::Char('o'), true) => Event::Key(0x0f),
            (KeyCode::Char(character), false) if character.is_ascii() => Event::Key(machine_key(character as u8)),
            (KeyCode::Enter, _) => Event::Key(b'\r'),
            (KeyCode::Backspace | KeyCode::Delete, _) => Event::Key(0x7f),
            _ => continue,
        };
        if sender.send(event).is_err() {
            return;
        }
    }
}

/// An unreadable standard input is one that is over.
fn read_pipe(sender: &SyncSender<Event>) {
    for byte in io::stdin().lock().bytes().map_while(Result::ok) {
        let event = match byte {
            0x04 => Event::Leave,
            0x13 => Event::Save,
            0x18 => Event::SaveAndLeave,
            b'\r' => continue,
            other => Event::Key(machine_key(other)),
        };
        if sender.send(event).is_err() {
            return;
        }
    }
}
