//! Format 2.0: passes, records, conversions.

use crate::files::{FINAL, Streamed, kept, live, names, noise, pass, state, streamed};
use crate::ssm;
use serde_json::json;
use ssm_core::{Header, StreamedUnit, WriterVersion};
use ssm_std::{Codec, open_path};
use std::fs;

/// Runs the tool with these arguments, of which `@` is the path.
fn on(path: &std::path::Path, arguments: &[&str]) -> crate::Run {
    let path = path.to_str().unwrap();
    ssm(arguments.iter().map(|argument| if *argument == "@" { path } else { argument }))
}

#[test]
fn info_and_list_show_passes() {
    let (_folder, path) = live();
    let words = "a live save: passes 0 and 1 have units too; the notes shown are those of the final one";
    let info = on(&path, &["info", "@"]).saying(&format!("note: {}: {words}\n", path.display()));
    let expected = "\
checksum                right
units                   8
units registered        8
largest block           4 KiB (4096)
saved live              yes: 2 passes and the final one
";
    assert!(info.text().contains(expected), "{}", info.text());
    assert!(info.text().starts_with("format                  2.0\n"), "{}", info.text());
    let info = on(&path, &["info", "@", "--json"]).noted().json();
    let stream = json!({ "units_registered": 8, "checked": true, "live": true, "largest_block": 4096, "passes": 2 });
    assert_eq!(info["stream"], stream);

    let words = "a live save: its units in all passes are listed, passes 0 and 1, and the final one";
    let list = on(&path, &["list", "@"]).saying(&format!("note: {}: {words}\n", path.display()));
    let lines: Vec<&str> = list.text().lines().collect();
    assert_eq!(lines[0], "OFFSET  PACKED           PLAIN  CODEC  VERSION  INSTANCE   PASS  RECORDS  NAME");
    // From behind the version.
    let ends: Vec<&str> = lines[1..9]
        .iter()
        .map(|line| line[line.find("  lzf  ").or(line.find("  store  ")).unwrap()..].trim())
        .collect();
    let ends: Vec<String> =
        ends.iter().map(|end| end.split_whitespace().skip(2).collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "0 0 1 SSM",
        "0 0 3 ram",
        "0 0 1 SSMLiveControl",
        "0 0 1 SSMLiveControl",
        "0 1 1 ram",
        "0 final 1 SSM",
        "0 final 1 ram",
        "0 final 1 screenshot (optional)",
    ];
    assert_eq!(ends, expected);
    let rows = on(&path, &["list", "@", "--json"]).noted().json();
    assert_eq!((&rows[1]["pass"], &rows[6]["pass"]), (&json!(0), &json!(null)));
    assert_eq!(rows[1]["records"], json!({ "raw": 1, "lzf": 2, "zero": 0 }));
    assert_eq!((&rows[6]["optional"], &rows[7]["optional"]), (&json!(false), &json!(true)));

    // What a live save tells of its progress is no warning, though it is there twice.
    assert_eq!(on(&path, &["verify", "@", "--json"]).fine().json()["warnings"], json!([]));
    let text = on(&path, &["verify", "@"]).fine();
    assert!(text.text().ends_with(" 8 units, all decoded\n  every byte is under a checksum\n"), "{}", text.text());
}

#[test]
fn a_unit_of_each_pass() {
    let (_folder, path) = live();
    let extract = |arguments: &[&str]| on(&path, &[&["extract", "@"], arguments].concat());
    let words = "a live save: this is unit ram/0 of the final pass; it is in passes 0 and 1 too (--pass N)";
    let note = format!("note: {}: {words}\n", path.display());
    assert_eq!(extract(&["ram"]).saying(&note).bytes, b"last");
    on(&path, &["hexdump", "@", "ram"]).saying(&note);
    // Who asks for a pass knows of them; what only one pass has is no choice.
    assert_eq!(extract(&["screenshot"]).fine().bytes, b"picture");
    assert_eq!(extract(&["ram", "--pass", "0"]).fine().bytes, [1; 9000]);
    assert_eq!(extract(&["ram", "--pass", "1"]).fine().bytes, b"dirty");
    // The last that there is.
    let words =
        "a live save: this is unit SSMLiveControl/0 of pass 0, the last that has it; it is in pass 0 too (--pass N)";
    let run = extract(&["SSMLiveControl"]).saying(&format!("note: {}: {words}\n", path.display()));
    assert_eq!(run.bytes, [2, 0]);
    let words = "no unit ram/0 in pass 2; similar: ram/0 in pass 0, ram/0 in pass 1, ram/0";
    extract(&["ram", "--pass", "2"]).failed(2, &format!("error: {}: {words}\n", path.display()));
    let dump = on(&path, &["hexdump", "@", "ram", "--pass", "1"]).fine();
    assert_eq!(dump.text(), format!("00000000  64 69 72 74 79{:36}|dirty|\n", ""));
    assert_eq!(extract(&["ram", "--pass", "-1"]).code, Some(2));
    ssm(["extract", "v12-multi.sav", "alpha", "--pass", "0"])
        .failed(2, "error: v12-multi.sav: no unit alpha/0 in pass 0; similar: alpha/0, alpha/1, alpha/4294967295\n");
}

#[test]
fn there_and_back_gives_the_same_bytes() {
    let writer = WriterVersion { major: 3, minor: 0, build: 2, revision: 49928 };
    let header = Header { gc_phys_bytes: Some(4), gc_ptr_bytes: Some(4), host_bits: Some(32), ..Header::new() };
    let (random, zeros) = (noise(300_000), vec![0; 70_000]);
    let units: [crate::files::Unit<'_>; 4] =
        [(b"SSM", 0, 1, &[0; 8]), (b"ram", 0, 7, &random), (b"zeros", u32::MAX, 0, &zeros), (b"cpu", 1, 2, b"regs")];
    let (folder, path) = state(&header.by(writer), Codec::Store, &units);
    for codec in ["store", "lzf"] {
        let (there, back) = (folder.path().join("there"), folder.path().join("back"));
        let [there, back] = [&there, &back].map(|path| path.to_str().unwrap());
        on(&path, &["convert", "@", there, "--to", "2.0", "--codec", codec]).noted();
        let found = *open_path(there).unwrap().header();
        assert_eq!((found.format.as_str(), found.writer), ("2.0", Some(writer)));
        assert_eq!((found.host_bits, found.gc_phys_bytes, found.gc_ptr_bytes), (Some(32), Some(4), Some(4)));
        ssm(["verify", there]).fine();
        assert_eq!(kept(there.as_ref()), kept(&path));
        ssm(["convert", there, back, "--to", "1.2", "--codec", "store"]).noted();
        assert!(fs::read(back).unwrap() == fs::read(&path).unwrap(), "{codec}");
    }
}

#[test]
fn every_pass_and_mark_is_kept_in_2_0() {
    let (folder, path) = live();
    let out = folder.path().join("out.sav");
    on(&path, &["convert", "@", out.to_str().unwrap(), "--to", "2.0"]).noted();
    assert!(fs::read(&out).unwrap() == fs::read(&path).unwrap());
    on(&path, &["convert", "@", out.to_str().unwrap(), "--to", "2.0", "--codec", "store"]).noted();
    let rows = |path| on(path, &["list", "@", "--json"]).noted().json();
    let (old, new) = (rows(&path), rows(&out));
    assert_eq!(new.as_array().unwrap().len(), 8);
    for (old, new) in old.as_array().unwrap().iter().zip(new.as_array().unwrap()) {
        for key in ["name", "instance", "version", "pass", "plain_bytes", "optional"] {
            assert_eq!(old[key], new[key], "{key}");
        }
        assert_eq!(new["codec"], "store");
    }
}

#[test]
fn a_live_save_fits_1_2_only_without_loss() {
    let (folder, path) = live();
    let out = folder.path().join("out.sav");
    let to = out.to_str().unwrap();
    on(&path, &["convert", "@", to, "--to", "1.2"])
        .failed(2, &format!("error: {}: unit ram/0 is in several passes, format 1.2 has one\n", path.display()));
    assert_eq!(names(folder.path()), ["streamed.sav"]);

    let units: [Streamed<'_>; 5] = [
        (b"SSM", 0, 1, pass(0), &[0; 8]),
        (b"once", 5, 2, pass(0), b"in a live pass"),
        (b"SSMLiveControl", 0, 1, pass(0), &[0; 2]),
        (b"SSM", 0, 1, FINAL, &[0; 8]),
        (b"cpu", 0, 1, FINAL, b"regs"),
    ];
    let (_folder, path) = streamed(&Header::new(), Codec::Lzf, &units);
    let words = "format 2.0 became 1.2; lost: the live pass of 1 unit; \
                 lost: 2 units with a live save's progress or older notes";
    on(&path, &["convert", "@", to, "--to", "1.2"]).saying(&format!("note: {to}: {words}\n"));
    on(&path, &["convert", "@", to, "--to", "1.2", "--lossless"]).failed(
        2,
        &format!(
            "error: {}: format 1.2 has no place for the live pass of 1 unit and 2 units with a live save's progress or older notes\n",
            path.display()
        ),
    );
    let expected = [
        (b"once".to_vec(), 5, 2, true, b"in a live pass".to_vec()),
        (b"SSM".to_vec(), 0, 1, true, vec![0; 8]),
        (b"cpu".to_vec(), 0, 1, true, b"regs".to_vec()),
    ];
    assert_eq!(kept(&out), expected);
}

#[test]
fn what_2_0_cannot_hold() {
    let (long, out) = ([b'n'; 60], std::env::temp_dir().join("never-written.sav"));
    let to = out.to_str().unwrap();
    let (_folder, path) = state(&Header::new(), Codec::Store, &[(b"a", 0, 1, b""), (&long, 2, 1, b"")]);
    let name = "n".repeat(60);
    let words = format!("unit {name}/2: name of 60 bytes found, format 2.0 takes 47");
    on(&path, &["convert", "@", to, "--to", "2.0"]).failed(2, &format!("error: {}: {words}\n", path.display()));
    let run = ssm(["convert", "v12-multi.sav", to, "--to", "2.0", "--codec", "zlib"]);
    run.failed(2, "error: v12-multi.sav: format 2.0 has no codec zlib: store or lzf expected, or format 1.2\n");
    ssm(["convert", "v20-multi.sav", to, "--codec", "zlib"])
        .failed(2, "error: v20-multi.sav: format 2.0 has no codec zlib: store or lzf expected, or format 1.2\n");
    assert_eq!(ssm(["convert", "v12-multi.sav", to, "--to", "1.1"]).code, Some(2));
    assert!(!out.exists());
}

#[test]
fn damage_has_a_place_and_a_way_on() {
    let (_folder, path) = live();
    let mut bytes = fs::read(&path).unwrap();
    bytes.pop();
    fs::write(&path, &bytes).unwrap();
    let run = on(&path, &["info", "@"]);
    assert_eq!((run.code, run.text()), (Some(1), ""));
    assert!(run.error.contains("tip: --unchecked"), "{}", run.error);
    let run = on(&path, &["list", "@", "--unchecked"]).noted();
    assert!(run.text().contains("(optional)\n8 units, "), "{}", run.text());
    assert_eq!(on(&path, &["extract", "@", "ram", "--pass", "1", "--unchecked"]).fine().bytes, b"dirty");
    let json = on(&path, &["verify", "@", "--json"]).json();
    assert_eq!((&json["ok"], &json["error"]["kind"]), (&json!(false), &json!("footer")));
}

#[test]
fn a_unit_twice_in_a_pass_is_a_warning() {
    let optional = StreamedUnit { pass: Some(0), optional: true };
    let units: [Streamed<'_>; 3] = [(b"a", 0, 1, pass(0), b""), (b"a", 0, 1, FINAL, b""), (b"a", 0, 1, optional, b"")];
    let (_folder, path) = streamed(&Header::new(), Codec::Store, &units);
    let json = on(&path, &["verify", "@", "--json"]).fine().json();
    let [warning] = &json["warnings"].as_array().unwrap()[..] else { panic!("{json}") };
    assert!(warning.as_str().unwrap().ends_with("is not the first of that name, instance and pass"), "{warning}");
}
