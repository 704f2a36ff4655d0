use crate::files::{change, kept, names, state};
use crate::{golden, manifest, ssm};
use ssm_core::{Header, WriterVersion};
use ssm_std::{Codec, open_path};
use std::fs;

fn header(path: impl AsRef<std::path::Path>) -> Header {
    Header { file_len: 0, crc: 0, ..*open_path(path).unwrap().header() }
}

#[test]
fn every_good_file_there_and_back_through_every_codec() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.sav");
    for file in manifest("good") {
        let name = file["file"].as_str().unwrap();
        if file["units"].as_array().unwrap().iter().any(|unit| unit["pass"].is_u64()) {
            continue;
        }
        let units = kept(&golden(name));
        let new = Header::new();
        let old = header(golden(name));
        let expected = Header {
            writer: old.writer.or(new.writer),
            host_bits: old.host_bits.or(new.host_bits),
            gc_phys_bytes: old.gc_phys_bytes.or(new.gc_phys_bytes),
            gc_ptr_bytes: old.gc_ptr_bytes.or(new.gc_ptr_bytes),
            ..new
        };
        fs::copy(golden(name), &out).unwrap();
        // Onto itself each time.
        for codec in ["store", "lzf", "zlib", "lzf"] {
            let out = out.to_str().unwrap();
            ssm(["convert", out, out, "--to", "1.2", "--codec", codec]).noted();
            assert!(kept(out.as_ref()) == units, "{name} to {codec}");
            assert_eq!(header(out), expected, "{name} to {codec}");
            let list = ssm(["list", "--json", out]).fine().json();
            let codecs = list.as_array().unwrap().iter().filter_map(|unit| unit["codec"].as_str());
            assert!(codecs.into_iter().all(|found| found == codec), "{name} to {codec}");
            ssm(["verify", out]).fine();
        }
    }
    assert_eq!(names(folder.path()), ["out.sav"]);
}

/// What `list` says of all units but where they are.
fn listed(path: &str) -> Vec<serde_json::Value> {
    let mut units = ssm(["list", "--json", path]).noted().json().as_array().unwrap().clone();
    for unit in &mut units {
        unit.as_object_mut().unwrap().retain(|key, _| !["offset", "packed_bytes", "records"].contains(&&**key));
    }
    units
}

#[test]
fn format_and_codecs_are_kept_unless_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new.sav");
    let out = out.to_str().unwrap();
    let mut formats = std::collections::BTreeSet::new();
    for file in manifest("good") {
        let name = file["file"].as_str().unwrap();
        let run = ssm(["convert", name, out]).noted();
        let (old, new) = (header(golden(name)), header(out));
        let format = old.format.as_str();
        assert_eq!(new.format.as_str(), if format.starts_with("1.") { "1.2" } else { "2.0" }, "{name}");
        assert_eq!(listed(out).len(), listed(name).len(), "{name}");
        for (old, new) in listed(name).iter().zip(listed(out)) {
            for key in ["name", "instance", "version", "pass", "plain_bytes", "codec"] {
                assert_eq!(old[key], new[key], "{name}");
            }
        }
        let nothing = format!("note: {out}: nothing changed: format {format}, each unit packed as it was\n");
        let is_old = format == "1.0" || format == "1.1";
        assert_eq!(
            run.said() == nothing,
            !is_old && old.writer == new.writer && old.stream == new.stream,
            "{}",
            run.said()
        );
        if is_old {
            let words = format!("note: {out}: format {format} became 1.2 ({format} is not written); writer: ");
            assert!(run.said().starts_with(&words), "{}", run.said());
        }
        formats.insert(format);
    }
    assert_eq!(formats.len(), 4);
}

#[test]
fn each_unit_keeps_its_own_codec() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new.sav");
    let out = out.to_str().unwrap();
    let codecs = |path: &str| -> Vec<_> { listed(path).iter().map(|unit| unit["codec"].clone()).collect() };
    let mixed = "v12-mixedzip-multi.sav";
    let said = format!("note: {out}: nothing changed: format 1.2, each unit packed as it was\n");
    ssm(["convert", mixed, out]).saying(&said);
    assert_eq!(codecs(out), codecs(mixed));
    let said = format!("note: {out}: 3 units went from lzf to store; 2 units went from zlib to store\n");
    ssm(["convert", mixed, out, "--codec", "store"]).saying(&said);
    // 2.0 has no zlib, and does not tell zero bytes from nothing.
    let run = ssm(["convert", mixed, out, "--to", "2.0"]).noted();
    let words = format!(
        "note: {out}: format 1.2 became 2.0; 2 units went from zlib to lzf; \
         lost: that zero bytes are not nothing, of 1 unit\n"
    );
    assert_eq!(run.said(), words);
}

#[test]
fn what_has_no_place_is_refused_if_that_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new.sav");
    let out = out.to_str().unwrap();
    let mixed = "v12-mixedzip-multi.sav";
    ssm(["convert", mixed, out, "--to", "2.0", "--lossless"]).failed(
        2,
        &format!("error: {mixed}: format 2.0 has no place for that zero bytes are not nothing, of 1 unit\n"),
    );
    assert!(names(folder.path()).is_empty());
    ssm(["convert", mixed, out, "--lossless"]).noted();
    assert_eq!(names(folder.path()), ["new.sav"]);
}

#[test]
fn the_help_says_what_the_original_reader_cannot_read() {
    let help = ssm(["convert", "--help"]).fine();
    let words = "VirtualBox's own reader does not reliably read zlib units that pack to more\n  than 128 KiB.";
    assert!(help.text().contains(words), "{}", help.text());
    let examples = help.text().split("Examples:").nth(1).unwrap();
    assert!(examples.contains("--codec lzf") && !examples.contains("zlib"), "{examples}");
}

#[test]
fn a_failure_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.sav");
    fs::write(&out, "old").unwrap();
    let arguments = ["convert", "../bad/v12-lzf-magic.sav", out.to_str().unwrap()];
    // What failed is the reading of IN.
    ssm(arguments).failed(
        1,
        "error: ../bad/v12-lzf-magic.sav: unit alpha/1 version 2 at offset 196, at 231: the packed bytes do not decode\n",
    );
    assert_eq!(fs::read(&out).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["out.sav"]);
}

/// A limit on the size of files stands for a full disk.
#[cfg(target_os = "linux")]
#[test]
fn no_room_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.sav");
    fs::write(&out, "old").unwrap();
    for (subcommand, arguments) in [("convert", "\"$1\" \"$2\""), ("extract", "\"$1\" random1m -o \"$2\"")] {
        let script = format!("ulimit -f 512; trap '' XFSZ; exec \"$0\" {subcommand} {arguments}");
        let output = std::process::Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_ssm")])
            .args([golden("v12-random1m.sav"), out.clone()])
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{error}");
        assert!(error.starts_with(&format!("error: {}: ", out.display())), "{error}");
        assert_eq!(fs::read(&out).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["out.sav"]);
    }
}

#[test]
fn widths_that_a_1_1_file_does_not_say() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.sav");
    let to = out.to_str().unwrap();
    ssm(["convert", "v11-gcptr4-gcptr.sav", to, "--gc-ptr-bytes", "4"]).noted();
    assert_eq!((header(to).gc_phys_bytes, header(to).gc_ptr_bytes), (Some(8), Some(4)));
    ssm(["convert", "v11-gcptr4-gcptr.sav", to, "--gc-phys-bytes", "4", "--gc-ptr-bytes", "8"]).noted();
    assert_eq!((header(to).gc_phys_bytes, header(to).gc_ptr_bytes), (Some(4), Some(8)));
    ssm(["convert", "v12-multi.sav", to, "--gc-ptr-bytes", "8"]).noted();
    ssm(["convert", "v12-multi.sav", to, "--gc-ptr-bytes", "4"])
        .failed(2, "error: v12-multi.sav: its header says 8 guest pointer bytes, 4 given\n");
    assert_eq!(ssm(["convert", "v11-multi.sav", to, "--gc-ptr-bytes", "5"]).code, Some(2));
}

/// Minor versions above 1000 are read, and written by nobody.
#[test]
fn a_version_that_cannot_be_written_is_replaced_with_a_warning() {
    let (folder, path) = state(&Header::new(), Codec::Store, &[(b"clock", 0, 1, b"12:34")]);
    change(&path, |bytes| bytes[66..68].copy_from_slice(&1001u16.to_le_bytes()));
    let out = folder.path().join("out.sav");
    let run = ssm(["convert".as_ref(), path.as_os_str(), out.as_os_str()]);
    let expected = format!(
        "warning: {}: minor version 1001 found, 1 to 1000 expected; {out} says version 1.0.0, revision 1\n\
         note: {out}: writer: 1.0.0 revision 1, was 1.1001.0 revision 1\n",
        path.display(),
        out = out.display()
    );
    assert_eq!((run.code, run.said()), (Some(0), expected));
    assert_eq!(header(&out).writer, Some(WriterVersion::UNSPECIFIED));
    assert_eq!(kept(&out), kept(&path));
}
