//! The C library LZF where it is installed: `liblzf.c`, built when the benchmark runs, as a process that works when it is
//! asked to.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, fs};

/// The process with its blocks.
pub struct Liblzf {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    len: usize,
}

impl Liblzf {
    /// A process that works on these bytes in blocks of `block`; `None` where the library or a C compiler is not installed.
    /// `folder` holds the bytes and the program until it runs.
    pub fn start(folder: &Path, plain: &[u8], block: usize) -> Option<Self> {
        let (program, data) = (folder.join("liblzf"), folder.join("liblzf-data"));
        let found = Command::new("pkg-config").args(["--cflags", "--libs", "liblzf"]).output().ok();
        let found =
            found.filter(|output| output.status.success()).and_then(|output| String::from_utf8(output.stdout).ok());
        let flags = found.unwrap_or_else(|| "-I/usr/include/liblzf -llzf".to_owned());
        let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/goals/liblzf.c");
        let built = Command::new(compiler)
            .args(["-O2", "-o"])
            .args([program.as_os_str(), source.as_ref()])
            .args(flags.split_whitespace())
            .stderr(Stdio::null())
            .status();
        if !built.is_ok_and(|status| status.success()) {
            return None;
        }
        fs::write(&data, plain).unwrap();
        let mut child = Command::new(program)
            .arg(&data)
            .arg(block.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (questions, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut peer = Self { child, questions, answers, len: plain.len() };
        // There is something to unpack, and the file was read.
        peer.encode();
        fs::remove_file(data).unwrap();
        Some(peer)
    }

    /// Packs all; seconds of its thread, and the bytes of all blocks, of which those that do not pack stay as they are.
    pub fn encode(&mut self) -> (f64, usize) {
        self.ask("encode\n")
    }

    /// Unpacks what is packed; the seconds that all bytes would take.
    pub fn decode(&mut self) -> f64 {
        self.ask("decode\n").0
    }

    fn ask(&mut self, question: &str) -> (f64, usize) {
        self.questions.write_all(question.as_bytes()).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        let numbers: Vec<usize> = answer.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let [nanoseconds, done, size] = numbers[..] else { panic!("liblzf answers {answer:?}") };
        (nanoseconds as f64 / 1e9 * self.len as f64 / done as f64, size)
    }
}

impl Drop for Liblzf {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
