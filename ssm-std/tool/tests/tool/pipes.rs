//! What cannot seek: standard input and named pipes.

use crate::files::live;
use crate::{Run, command, golden, ssm};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

/// Runs the tool with bytes on a pipe as its standard input.
pub fn piped(bytes: &[u8], arguments: &[&str]) -> Run {
    let mut child =
        command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A tool that has seen enough closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(bytes);
    let output = child.wait_with_output().unwrap();
    Run { code: output.status.code(), bytes: output.stdout, error: String::from_utf8(output.stderr).unwrap() }
}

#[test]
fn every_subcommand_reads_every_format() {
    let (folder, path) = live();
    let files = ["v10x86-multi.sav", "v11-multi.sav", "v12-multi.sav"].map(golden);
    let [from_pipe, from_file] = ["a", "b"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    for file in files.iter().chain([&path]) {
        let unit = if *file == path { "ram" } else { "alpha" };
        let bytes = fs::read(file).unwrap();
        let subcommands = [
            &["info", "-"][..],
            &["info", "-", "--json"],
            &["list", "-"],
            &["verify", "-"],
            &["verify", "-", "--json"],
            &["extract", "-", unit],
            &["hexdump", "-", unit],
        ];
        for arguments in subcommands {
            let run = piped(&bytes, arguments).noted();
            let named: Vec<&str> =
                arguments.iter().map(|word| if *word == "-" { file.to_str().unwrap() } else { word }).collect();
            let expected = ssm(named).noted().text_or_bytes(file);
            assert_eq!(run.text_or_bytes(Path::new("standard input")), expected, "{arguments:?}");
        }
        piped(&bytes, &["convert", "-", &from_pipe, "--to", "2.0"]).noted();
        ssm(["convert", file.to_str().unwrap(), &from_file, "--to", "2.0"]).noted();
        assert!(fs::read(&from_pipe).unwrap() == fs::read(&from_file).unwrap());
    }
}

impl Run {
    /// What was printed, with the name of the file made equal.
    fn text_or_bytes(&self, name: &Path) -> String {
        String::from_utf8_lossy(&self.bytes).replace(&name.display().to_string(), "NAME")
    }
}

#[test]
fn a_redirected_file_needs_no_copy() {
    let file = || File::open(golden("v12-multi.sav")).unwrap();
    let output = command(["verify", "-"]).stdin(file()).env("TMPDIR", "/nowhere").output().unwrap();
    assert!(output.stdout.starts_with(b"standard input: sound\n"), "{output:?}");
    // From the middle on it is another file.
    let mut middle = file();
    std::io::Seek::seek(&mut middle, std::io::SeekFrom::Start(10)).unwrap();
    let output = command(["verify", "-"]).stdin(middle).output().unwrap();
    assert!(output.stdout.starts_with(b"standard input: not a saved state\n"), "{output:?}");
}

#[test]
fn failures_name_standard_input() {
    let bytes = fs::read(golden("../bad/v12-crc-field.sav")).unwrap();
    let words = "\
error: standard input: offset 40: checksum 0x1474e77f found, 0x1474e77e expected
  tip: --unchecked shows what is left of a damaged file
";
    piped(&bytes, &["list", "-"]).failed(1, words);
    piped(&bytes, &["list", "-", "--unchecked"]).fine();
    piped(&fs::read(golden("v12-multi.sav")).unwrap(), &["extract", "-", "nothing-like-it"])
        .failed(2, "error: standard input: no unit nothing-like-it/0\n");
}

/// It ends at the first bytes: this stream has no end, and no disk has room for it.
#[cfg(target_os = "linux")]
#[test]
fn an_endless_stream_of_something_else() {
    let zeros = File::open("/dev/zero").unwrap();
    let output = command(["info", "-"]).stdin(zeros).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stderr, b"error: standard input: offset 0: not a saved state: the magic was not found\n");
}

#[cfg(unix)]
#[test]
fn a_named_pipe() {
    let (folder, path) = live();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for arguments in [&["verify"][..], &["list"], &["info"]] {
        let child = command(arguments.iter().map(AsRef::as_ref).chain([pipe.as_os_str()]))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        fs::write(&pipe, fs::read(&path).unwrap()).unwrap();
        let output = child.wait_with_output().unwrap();
        let run = Run { code: output.status.code(), bytes: output.stdout, error: String::new() };
        let expected = ssm(arguments.iter().map(AsRef::as_ref).chain([path.as_os_str()])).noted();
        assert_eq!((run.code, run.text_or_bytes(&pipe)), (Some(0), expected.text_or_bytes(&path)));
    }
}
