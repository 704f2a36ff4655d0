//! Several files at once, terminals, who may read what is written, help for shells and manuals.

use crate::files::state;
use crate::{command, golden, ssm};
use ssm_core::Header;
use ssm_std::Codec;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn info_of_several_files() {
    let run = ssm(["info", "v12-multi.sav", "no-such-file", "../bad/v12-crc-field.sav", "v11-nounits.sav"]);
    assert_eq!(run.code, Some(3), "the largest exit status");
    let one = |name| ssm(["info", name]).fine().text().to_owned();
    let expected = format!("v12-multi.sav:\n{}\nv11-nounits.sav:\n{}", one("v12-multi.sav"), one("v11-nounits.sav"));
    assert_eq!(run.text(), expected);
    let said = run.said();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("error: no-such-file: cannot open: "), "{said}");
    assert!(lines[1].starts_with("error: ../bad/v12-crc-field.sav: offset 40: checksum "), "{said}");
    assert!(lines[1].ends_with("tip: --unchecked shows what is left of a damaged file"), "{said}");
    assert_eq!(lines.len(), 2);

    let run = ssm(["info", "v12-multi.sav", "../bad/v12-crc-field.sav", "v20-live.sav", "--json"]);
    assert_eq!(run.code, Some(1));
    let lines: Vec<serde_json::Value> = run.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut expected = ssm(["info", "v12-multi.sav", "--json"]).fine().json();
    expected["file"] = "v12-multi.sav".into();
    assert_eq!((lines.len(), &lines[0]), (3, &expected));
    assert_eq!((&lines[1]["file"], &lines[1]["error"]["kind"]), (&"../bad/v12-crc-field.sav".into(), &"crc".into()));
    assert_eq!(lines[2]["format"], "2.0");
    assert!(run.said().contains("note: v20-live.sav: a live save: passes 0 to 2 have units too"), "{}", run.error);

    // Each file has its line, whatever is left of it.
    let files = ["no-such-file", "../bad/v12-trunc-half.sav", "v12-multi.sav"];
    let run = ssm([&["info", "--json", "--unchecked"], &files[..]].concat());
    let lines: Vec<serde_json::Value> = run.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named: Vec<_> = lines.iter().map(|line| line["file"].as_str().unwrap()).collect();
    assert_eq!((run.code, &named[..]), (Some(3), &files[..]));
    assert!(lines[0]["error"].is_object() && lines[1]["units"].is_null() && lines[2]["units"] == 9);

    ssm(["info", "-", "v12-multi.sav", "-"]).failed(2, "error: -: standard input can be read once\n");
}

/// Runs the tool with a terminal as its standard output; its exit status, what the terminal got, standard error.
#[cfg(target_os = "linux")]
fn in_a_terminal(arguments: &[&str]) -> (Option<i32>, Vec<u8>, String) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use std::io::Read;
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let terminal = fs::File::options().read(true).write(true).open(name).unwrap();
    let mut child = command(arguments).stdout(terminal).stderr(Stdio::piped()).spawn().unwrap();
    let mut shown = Vec::new();
    // It ends with an error when no process has the terminal open any more.
    let _ = fs::File::from(master).read_to_end(&mut shown);
    let mut error = String::new();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    (child.wait().unwrap().code(), shown, error)
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_raw_goes_to_a_terminal_unless_it_is_wanted() {
    let (_folder, path) =
        state(&Header::new(), Codec::Store, &[(b"raw", 0, 1, b"\x1b[31m\x07"), (b"\x1bname", 0, 1, b"")]);
    let path = path.to_str().unwrap();
    let (code, shown, error) = in_a_terminal(&["extract", path, "raw"]);
    assert_eq!((code, &*shown), (Some(2), &b""[..]));
    assert!(error.replace("\n  ", " ").contains("give --output OUT, or --output -"), "{error}");
    let (code, shown, error) = in_a_terminal(&["extract", path, "raw", "-o", "-"]);
    assert_eq!((code, &*shown, &*error), (Some(0), &b"\x1b[31m\x07"[..], ""));
    // Text has colours there, and nothing that the file has put in.
    for arguments in [&["list", path][..], &["hexdump", path, "raw"], &["info", path], &["verify", path]] {
        let (code, shown, _) = in_a_terminal(arguments);
        assert_eq!(code, Some(0), "{arguments:?}");
        let shown = String::from_utf8(shown).unwrap();
        assert!(!shown.contains("\x1bname") && !shown.contains('\x07'), "{shown:?}");
    }
}

/// Everything that writes something out of a file, for each mode of the file, of an old target and each umask.
#[cfg(unix)]
#[test]
fn what_is_written_from_a_file_is_no_more_open_than_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    fs::copy(golden("v12-multi.sav"), &input).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let set = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let subcommands = ["extract \"$1\" alpha -o \"$2\"", "convert \"$1\" \"$2\"", "convert - \"$2\" <\"$1\""];
    for from in [0o600, 0o640, 0o644, 0o604, 0o660, 0o666] {
        for umask in [0o000, 0o022, 0o077] {
            for old in [None, Some(0o600), Some(0o644), Some(0o666)] {
                for subcommand in subcommands {
                    set(&input, from);
                    let _ = fs::remove_file(&output);
                    if let Some(old) = old {
                        fs::write(&output, "old").unwrap();
                        set(&output, old);
                    }
                    let script = format!("umask {umask:03o}; \"$0\" {subcommand}");
                    let mut shell = Command::new("sh");
                    shell.args(["-c", &script, env!("CARGO_BIN_EXE_ssm")]).args([&input, &output]);
                    let status = shell.stderr(Stdio::null()).status().unwrap();
                    assert!(status.success(), "{subcommand}");
                    let allowed = old.unwrap_or(0o666 & !umask);
                    let case = format!("{subcommand}, from {from:o}, umask {umask:o}, old {old:?}");
                    assert_eq!(mode(&output), allowed & (0o700 | from), "{case}");
                }
            }
        }
    }
    // In place it keeps what it had.
    set(&input, 0o640);
    ssm(["convert".as_ref(), input.as_os_str(), input.as_os_str()]).noted();
    assert_eq!(mode(&input), 0o640);
}

#[test]
fn shells_can_complete() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = ssm(["completions", shell]).fine();
        for word in ["info", "list", "verify", "extract", "hexdump", "diff", "convert", "slots", "bench", "--unchecked"]
        {
            let is_there = script.text().contains(word.trim_start_matches('-'));
            assert!(is_there, "{shell}: {word}");
        }
    }
    let script = ssm(["completions", "bash"]).fine();
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(&script.bytes).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    // What it completes: the subcommands that begin like that.
    let completes = "eval \"$1\"; COMP_WORDS=(ssm ver); COMP_CWORD=1; _ssm ssm ver ssm; echo \"${COMPREPLY[*]}\"";
    let output = Command::new("bash").args(["-c", completes, "bash", script.text()]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "verify\n");
    assert_eq!(ssm(["completions", "tcsh"]).code, Some(2));
}

#[test]
fn the_manual_has_a_page_for_each_subcommand() {
    let top = ssm(["man"]).fine();
    let subcommands =
        ["info", "list", "verify", "extract", "hexdump", "diff", "convert", "slots", "bench", "completions", "man"];
    for name in subcommands {
        assert!(top.text().contains(&format!("ssm\\-{name}(1)")), "{name}: {}", top.text());
    }
    let pages = subcommands.iter().map(|name| (format!("ssm-{name}"), ssm(["man", name]).fine()));
    for (name, page) in [("ssm".to_owned(), top)].into_iter().chain(pages) {
        let text = page.text();
        assert!(text.contains(&format!(".TH {name} 1")), "{text}");
        let sections = [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS"];
        let places: Vec<_> = sections.map(|section| text.find(section).expect(section)).into();
        assert!(places.is_sorted(), "{places:?}");
        let Ok(mut groff) =
            Command::new("groff").args(["-man", "-Tutf8", "-z"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()
        else {
            continue;
        };
        groff.stdin.take().unwrap().write_all(&page.bytes).unwrap();
        let output = groff.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{name}: {output:?}");
    }
    assert!(ssm(["man"]).fine().text().contains("4  ssm diff"), "exit status");
    ssm(["man", "frobnicate"]).failed(2, "error: ssm man: no subcommand frobnicate\n");
}

/// Each subcommand on each thing that is no saved state: one error, nothing printed, no hang.
#[cfg(unix)]
#[test]
fn what_is_no_saved_state_is_one_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("empty"), b"").unwrap();
    fs::write(path("text"), "no saved state\n".repeat(100)).unwrap();
    fs::create_dir(path("folder")).unwrap();
    let good = golden("v12-multi.sav").to_str().unwrap().to_owned();
    let out = path("out");
    for (file, code) in [("empty", 1), ("text", 1), ("folder", 3), ("missing", 3)] {
        let file = path(file);
        for arguments in [
            &["info", &file][..],
            &["list", &file],
            &["list", &file, "alpha"],
            &["extract", &file, "alpha"],
            &["hexdump", &file, "alpha"],
            &["diff", &file, &good],
            &["diff", &good, &file],
            &["convert", &file, &out],
            &["bench", &file],
            &["slots", &file],
            &["slots", &file, "--extract", "latest", "-o", &out],
        ] {
            let run = ssm(arguments);
            assert_eq!((run.code, run.text()), (Some(code), ""), "{arguments:?}: {}", run.error);
            assert!(run.said().starts_with(&format!("error: {file}: ")), "{arguments:?}: {}", run.error);
            assert_eq!(run.said().lines().count(), 1, "{}", run.error);
        }
    }
    assert!(!fs::exists(&out).unwrap());
}
