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
            ssm(["convert", out, out, "--codec", codec]).fine();
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

#[test]
fn lzf_unless_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new.sav");
    ssm(["convert".as_ref(), "v12-store-multi.sav".as_ref(), out.as_os_str()]).fine();
    let list = ssm(["list".as_ref(), "--json".as_ref(), out.as_os_str()]).fine().json();
    assert_eq!(list[0]["codec"], "lzf");
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
    ssm(["convert", "v11-gcptr4-gcptr.sav", to, "--gc-ptr-bytes", "4"]).fine();
    assert_eq!((header(to).gc_phys_bytes, header(to).gc_ptr_bytes), (Some(8), Some(4)));
    ssm(["convert", "v11-gcptr4-gcptr.sav", to, "--gc-phys-bytes", "4", "--gc-ptr-bytes", "8"]).fine();
    assert_eq!((header(to).gc_phys_bytes, header(to).gc_ptr_bytes), (Some(4), Some(8)));
    ssm(["convert", "v12-multi.sav", to, "--gc-ptr-bytes", "8"]).fine();
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
        "warning: {}: minor version 1001 found, 1 to 1000 expected; {} says version 1.0.0, revision 1\n",
        path.display(),
        out.display()
    );
    assert_eq!((run.code, run.said()), (Some(0), expected));
    assert_eq!(header(&out).writer, Some(WriterVersion::UNSPECIFIED));
    assert_eq!(kept(&out), kept(&path));
}
