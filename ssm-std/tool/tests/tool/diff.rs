//! `ssm diff`: what two files hold that is not the same.

use crate::files::{FINAL, Streamed, Unit, change, kept, live, names, noise, pass, state, streamed};
use crate::{Run, golden, manifest, ssm};
use serde_json::{Value, json};
use ssm_core::{Header, WriterVersion};
use ssm_std::Codec;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn diff(a: &Path, b: &Path, more: &[&str]) -> Run {
    ssm([&["diff", a.to_str().unwrap(), b.to_str().unwrap()], more].concat())
}

/// What `diff --json` says of two files.
fn json(a: &Path, b: &Path) -> Value {
    let run = diff(a, b, &["--json"]);
    assert_eq!(run.error, "");
    let json = run.json();
    assert_eq!(run.code, Some(if json["same"] == true { 0 } else { 4 }));
    json
}

/// What differs between two files with these units.
fn differences(a: &[Unit<'_>], b: &[Unit<'_>]) -> Value {
    let ((_a, a), (_b, b)) = (state(&Header::new(), Codec::Lzf, a), state(&Header::new(), Codec::Store, b));
    let one_way = json(&a, &b);
    let other_way = json(&b, &a);
    // The other way round it is the same with the sides exchanged.
    for (here, there) in [("a", "b"), ("only_in_a", "only_in_b"), ("units_only_in_a", "units_only_in_b")] {
        assert_eq!((&one_way[here], &one_way[there]), (&other_way[there], &other_way[here]));
    }
    assert_eq!(one_way["units_changed"], other_way["units_changed"]);
    one_way
}

#[test]
fn the_same_state_in_every_format_and_codec_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.sav");
    for file in manifest("good") {
        let name = file["file"].as_str().unwrap();
        let is_live = file["units"].as_array().unwrap().iter().any(|unit| unit["pass"].is_u64());
        let ways: &[&[&str]] = match is_live {
            true => &[&["--to", "2.0", "--codec", "store"]],
            false => &[&["--to", "1.2", "--codec", "zlib"], &["--to", "2.0", "--codec", "lzf"]],
        };
        for way in ways {
            let run = ssm([&["convert", name, out.to_str().unwrap()], *way].concat());
            if run.code == Some(2) && run.error.contains("name of ") {
                continue;
            }
            run.noted();
            let found = json(&golden(name), &out);
            let units = file["units"].as_array().unwrap().len();
            assert_eq!(
                (&found["same"], &found["a"]["units"], &found["b"]["units"]),
                (&json!(true), &json!(units), &json!(units))
            );
            let text = diff(&out, &golden(name), &[]).fine();
            assert!(text.text().ends_with("\nthe same state\n"), "{name}: {}", text.text());
        }
    }
}

#[test]
fn json_has_the_documented_keys_in_order() {
    let ((folder_a, a), (folder_b, b)) = (
        state(&Header::new(), Codec::Lzf, &[(b"cpu", 1, 2, b"0123456789abcdefghij"), (b"here", 0, 3, b"x")]),
        state(&Header::new(), Codec::Lzf, &[(b"cpu", 1, 4, b"0123X567Y9abcdefghijk"), (b"th\xe9re", 7, 1, b"")]),
    );
    let run = diff(&a, &b, &["--json"]);
    let expected = format!(
        concat!(
            r#"{{"same":false,"a":{{"file":"{a}","format":"1.2","units":2,"plain_bytes":21}},"#,
            r#""b":{{"file":"{b}","format":"1.2","units":2,"plain_bytes":21}},"header":[],"#,
            r#""units_only_in_a":1,"only_in_a":[{{"name":"here","instance":0,"pass":null,"version":3,"plain_bytes":1}}],"#,
            r#""units_only_in_b":1,"only_in_b":[{{"name":"th\\xe9re","instance":7,"pass":null,"version":1,"plain_bytes":0}}],"#,
            r#""units_changed":1,"changed":[{{"name":"cpu","instance":1,"pass":null,"versions":[2,4],"plain_bytes":[20,21],"#,
            r#""differing_bytes":2,"differing_ranges":1,"ranges":[{{"offset":4,"bytes":5}}]}}],"notes":[]}}"#,
            "\n"
        ),
        a = a.display(),
        b = b.display()
    );
    assert_eq!((run.code, run.text(), run.error.as_str()), (Some(4), &*expected, ""));
    drop((folder_a, folder_b));
}

#[test]
fn for_people() {
    let a: [Unit<'_>; 3] = [(b"cpu", 0, 2, &[7; 3000]), (b"here", 0, 3, b"x"), (b"ram", 0, 1, b"abc")];
    let mut cpu = [7; 3000];
    for at in [0x10, 0x11, 0x100, 0x200, 0x300, 0x400] {
        cpu[at] = 8;
    }
    let b: [Unit<'_>; 2] = [(b"cpu", 0, 2, &cpu), (b"ram", 0, 2, b"abcd")];
    let ((_a, a), (_b, b)) = (state(&Header::new(), Codec::Lzf, &a), state(&Header::new(), Codec::Lzf, &b));
    let expected = "\
unit here/0 only in A: version 3, 1 byte
unit cpu/0: 6 bytes of 2.9 KiB (3000) differ, in 5 ranges
  at 0x00000010  2 bytes
  at 0x00000100  1 byte
  .. and 3 ranges more
unit ram/0: version 1 in A, 2 in B; 3 bytes in A, 4 bytes in B
different: 2 units changed, 1 only in A, 0 only in B
";
    let run = diff(&a, &b, &["--ranges", "2"]);
    assert_eq!((run.code, run.error.as_str()), (Some(4), ""));
    assert!(run.text().ends_with(expected), "{}", run.text());
}

/// One byte changed at every place of a unit that is longer than what is read at a time.
#[test]
fn a_changed_byte_is_found_where_it_is() {
    let plain = noise(300_000);
    let places = (0..70).chain([131_070, 131_071, 131_072, 131_073, 262_143, 262_144, 299_998, 299_999]);
    for at in places {
        let mut other = plain.clone();
        other[at] ^= 0x80;
        let found = differences(&[(b"ram", 0, 1, &plain)], &[(b"ram", 0, 1, &other)]);
        let changed = &found["changed"][0];
        assert_eq!(changed["ranges"], json!([{ "offset": at, "bytes": 1 }]));
        assert_eq!((&changed["differing_bytes"], &changed["differing_ranges"]), (&json!(1), &json!(1)));
    }
}

/// A unit that ends earlier in one file, at places around those at which it is read.
#[test]
fn lengths_differ_at_every_cut() {
    let plain = noise(262_150);
    for len in [0, 1, 63, 131_071, 131_072, 131_073, 262_143, 262_144, 262_145, 262_149] {
        let found = differences(
            &[(b"ram", 0, 1, &plain), (b"z", 0, 1, b"1")],
            &[(b"ram", 0, 1, &plain[..len]), (b"z", 0, 1, b"1")],
        );
        let changed = &found["changed"][0];
        assert_eq!(changed["plain_bytes"], json!([262_150, len]));
        assert_eq!((&changed["differing_bytes"], &found["units_changed"]), (&json!(0), &json!(1)));
    }
}

#[test]
fn the_order_of_units_does_not_matter() {
    let units: Vec<Unit<'_>> =
        vec![(b"a", 0, 1, b"1"), (b"b", 0, 1, b"2"), (b"b", 1, 1, b"3"), (b"c", 0, 1, b"4"), (b"d", 9, 1, b"5")];
    // Every order of five.
    let mut orders: Vec<Vec<usize>> = vec![vec![]];
    for count in 1..=units.len() {
        orders = orders
            .iter()
            .flat_map(|order| (0..count).map(|at| [&order[..at], &[count - 1], &order[at..]].concat()))
            .collect();
    }
    assert_eq!(orders.len(), 120);
    for (number, order) in orders.iter().enumerate() {
        let mut other: Vec<Unit<'_>> = order.iter().map(|&index| units[index]).collect();
        if number % 8 == 0 {
            assert_eq!(differences(&units, &other)["same"], true, "{order:?}");
        }
        if number % 12 == 0 {
            let changed = other.iter_mut().find(|(name, instance, ..)| (*name, *instance) == (b"b", 1)).unwrap();
            changed.3 = b"X";
            other.retain(|(name, ..)| *name != b"a");
            let found = differences(&units, &other);
            assert_eq!(
                (&found["units_changed"], &found["changed"][0]["instance"]),
                (&json!(1), &json!(1)),
                "{order:?}"
            );
            assert_eq!((&found["only_in_a"][0]["name"], &found["units_only_in_b"]), (&json!("a"), &json!(0)));
        }
    }
}

/// The first of a name is compared with the first, the second with the second, in whatever order others are.
#[test]
fn units_of_the_same_name_are_told_apart_by_their_order() {
    let twice: [Unit<'_>; 3] = [(b"a", 0, 1, b"1"), (b"a", 0, 1, b"2"), (b"b", 0, 1, b"3")];
    let moved: [Unit<'_>; 3] = [(b"b", 0, 1, b"3"), (b"a", 0, 1, b"1"), (b"a", 0, 1, b"2")];
    assert_eq!(differences(&twice, &moved)["same"], true);
    let turned: [Unit<'_>; 3] = [(b"b", 0, 1, b"3"), (b"a", 0, 1, b"2"), (b"a", 0, 1, b"1")];
    assert_eq!(differences(&twice, &turned)["units_changed"], 2);
    let found = differences(&twice, &moved[..2]);
    assert_eq!((&found["units_only_in_a"], &found["units_changed"]), (&json!(1), &json!(0)));
}

#[test]
fn widths_and_notes_are_a_part_of_the_state_and_the_writer_is_not() {
    let note = |value: &[u8]| [b"\x03\0\0\0OSE", &[value.len() as u8, 0, 0, 0][..], value, &[0; 8]].concat();
    let (yes, no) = (note(b"true"), note(b"f\x1b"));
    let writer = WriterVersion { major: 3, minor: 1, build: 4, revision: 1 };
    let narrow = Header { gc_ptr_bytes: Some(4), ..Header::new() }.by(writer);
    let (_a, a) = state(&Header::new(), Codec::Lzf, &[(b"SSM", 0, 1, &yes)]);
    let (_b, b) = state(&narrow, Codec::Lzf, &[(b"SSM", 0, 1, &no)]);
    let found = json(&a, &b);
    assert_eq!(found["header"], json!([{ "field": "gc_ptr_bytes", "a": 8, "b": 4 }]));
    assert_eq!(found["notes"], json!([{ "name": "OSE", "a": "true", "b": "f\\u{1b}" }]));
    let text = diff(&a, &b, &[]);
    assert!(text.text().contains("header gc_ptr_bytes: 8 in A, 4 in B\n"), "{}", text.text());
    assert!(text.text().contains("note OSE: true in A, f\\u{1b} in B\n"), "{}", text.text());
    let (_c, c) = state(&Header::new().by(writer), Codec::Zlib, &[(b"SSM", 0, 1, &yes)]);
    assert_eq!(json(&a, &c)["same"], true);
    // The width alone is a difference; what one file does not record is none.
    let (_d, d) = state(&narrow, Codec::Lzf, &[(b"SSM", 0, 1, &yes)]);
    let found = json(&a, &d);
    assert_eq!((&found["same"], &found["units_changed"]), (&json!(false), &json!(0)));
    assert_eq!(json(&golden("v11-nounits.sav"), &golden("v12-nounits.sav"))["header"], json!([]));
    assert!(json(&a, &golden("v12-nounits.sav"))["notes"][0]["b"].is_null());
}

#[test]
fn passes_of_live_saves_are_compared_with_the_same_pass() {
    let (_a, a) = live();
    assert_eq!(json(&a, &a)["same"], true);
    let units: [Streamed<'_>; 4] = [
        (b"ram", 0, 3, pass(0), &[1; 9000]),
        (b"ram", 0, 3, pass(1), b"dirtx"),
        (b"ram", 0, 3, pass(2), b"more"),
        (b"ram", 0, 3, FINAL, b"last"),
    ];
    let (_b, b) = streamed(&Header::new(), Codec::Store, &units);
    let found = json(&a, &b);
    assert_eq!((&found["units_changed"], &found["changed"][0]["pass"]), (&json!(1), &json!(1)));
    assert_eq!((&found["units_only_in_b"], &found["only_in_b"][0]["pass"]), (&json!(1), &json!(2)));
    let text = diff(&a, &b, &[]);
    assert!(text.text().contains("unit ram/0 of pass 2 only in B: version 3, 4 bytes\n"), "{}", text.text());
    assert!(text.text().contains("unit ram/0 of pass 1: 1 byte of 5 bytes differs, in 1 range\n"), "{}", text.text());
}

/// Nothing is shown of two files of which one is damaged, and the error names that one.
#[test]
fn damage_is_one_error_that_names_the_file() {
    let good = golden("v12-multi.sav");
    let mut damaged = 0;
    for file in manifest("bad") {
        let name = format!("../bad/{}", file["file"].as_str().unwrap());
        if ssm(["verify", &name]).code == Some(0) {
            continue;
        }
        damaged += 1;
        let bad = golden(&name);
        for (a, b) in [(&good, &bad), (&bad, &good), (&bad, &bad)] {
            for more in [&[][..], &["--json"]] {
                let run = diff(a, b, more);
                assert_eq!((run.code, run.text()), (Some(1), ""), "{name}");
                assert!(run.said().starts_with(&format!("error: {}: ", bad.display())), "{name}: {}", run.error);
                assert_eq!(run.said().lines().count(), 1, "{name}: {}", run.error);
            }
        }
    }
    assert!(damaged >= 38, "{damaged}");
}

/// Every bit of a 2.0 file that units have: whatever is compared first, damage is never called a difference.
#[test]
fn a_flipped_bit_of_a_2_0_file_is_damage_and_no_difference() {
    let units: [Streamed<'_>; 2] = [(b"ram", 0, 1, FINAL, &[1; 100]), (b"cpu", 0, 1, FINAL, b"regs")];
    let (_a, a) = streamed(&Header::new(), Codec::Lzf, &units);
    let (folder, b) = streamed(&Header::new(), Codec::Lzf, &units);
    let sound = fs::read(&a).unwrap();
    for at in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&b, &bytes).unwrap();
        let verdict = ssm(["verify".as_ref(), b.as_os_str()]).code;
        assert_eq!(verdict, Some(1), "byte {at}");
        let run = diff(&a, &b, &[]);
        assert_eq!((run.code, run.text()), (Some(1), ""), "byte {at}: {}", run.error);
    }
    assert_eq!(names(folder.path()), ["streamed.sav"]);
}

#[test]
fn a_missing_file_is_named() {
    let (_folder, a) = state(&Header::new(), Codec::Lzf, &[(b"a", 0, 1, b"1")]);
    let a = a.to_str().unwrap();
    for arguments in [["diff", a, "no-such-file"], ["diff", "no-such-file", a]] {
        ssm(arguments).failed(3, "error: no-such-file: cannot open: No such file or directory (os error 2)\n");
    }
    ssm(["diff", "-", "-"]).failed(2, "error: standard input: can be one of the two files only\n");
    assert_eq!(ssm(["diff", a]).code, Some(2));
}

#[test]
fn one_of_the_files_may_be_a_pipe() {
    let (_a, a) = state(&Header::new(), Codec::Lzf, &[(b"a", 0, 1, &noise(200_000))]);
    let bytes = fs::read(&a).unwrap();
    let name = a.to_str().unwrap();
    for arguments in [["diff", "-", name], ["diff", name, "-"]] {
        let run = crate::pipes::piped(&bytes, &arguments).fine();
        assert!(run.text().contains("standard input: format 1.2, 1 unit"), "{}", run.text());
    }
    let run = crate::pipes::piped(&bytes[..bytes.len() - 1], &["diff", name, "-"]);
    assert_eq!((run.code, run.text()), (Some(1), ""));
    assert!(run.error.starts_with("error: standard input: "), "{}", run.error);
}

/// More units than are remembered: fine in the same order, refused in another.
#[test]
fn a_flood_of_units() {
    const UNITS: usize = 263_000;
    let all: Vec<String> = (0..UNITS).map(|number| number.to_string()).collect();
    let mut units: Vec<Unit<'_>> = all.iter().map(|name| (name.as_bytes(), 0, 1, &b"x"[..])).collect();
    let (_a, a) = state(&Header::new(), Codec::Store, &units);
    units[5].3 = b"y";
    let (_b, b) = state(&Header::new(), Codec::Store, &units);
    let found = json(&a, &b);
    assert_eq!((&found["units_changed"], &found["changed"][0]["name"]), (&json!(1), &json!("5")));
    units.swap(0, 1);
    let (folder, c) = state(&Header::new(), Codec::Store, &units);
    let run = diff(&a, &c, &[]);
    assert_eq!((run.code, run.text()), (Some(2), ""));
    assert!(run.said().contains("units in another order than the other file, and too many"), "{}", run.error);
    // Of many that differ the first are listed and all are counted.
    let every: Vec<Unit<'_>> = units.iter().take(1500).map(|unit| (unit.0, unit.1, 2, unit.3)).collect();
    let (_d, d) = state(&Header::new(), Codec::Store, &every);
    let (_e, e) = state(&Header::new(), Codec::Store, &units[..1500]);
    let found = json(&d, &e);
    assert_eq!((&found["units_changed"], found["changed"].as_array().unwrap().len()), (&json!(1500), 1000));
    assert!(diff(&d, &e, &[]).text().contains("\n.. and 500 units more\n"));
    drop(folder);
}

/// A gigabyte of which a unit is longer in one file, in the memory of a small program.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_files() {
    let (_folder, [a, b]) = large();
    let run = crate::run_in_little_memory(&["diff", a.to_str().unwrap(), b.to_str().unwrap(), "--json"]);
    assert_eq!((run.code, run.error.as_str()), (Some(4), ""));
    let changed = &run.json()["changed"][0];
    assert_eq!(changed["plain_bytes"], json!([200 << 20, (200 << 20) - 1]));
    assert_eq!(changed["differing_bytes"], 0);
}

/// Two files of 2.0 with 200 MiB of zeros, one byte less in the second.
#[cfg(target_os = "linux")]
fn large() -> (TempDir, [std::path::PathBuf; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let zeros = vec![0; 200 << 20];
    let paths = [0, 1].map(|less| {
        let units: [Streamed<'_>; 2] = [(b"ram", 0, 1, FINAL, &zeros[less..]), (b"cpu", 0, 1, FINAL, b"regs")];
        let (_written, path) = streamed(&Header::new(), Codec::Lzf, &units);
        let to = folder.path().join(less.to_string());
        fs::copy(path, &to).unwrap();
        to
    });
    (folder, paths)
}

#[test]
fn a_checksum_that_does_not_fit_is_told_before_any_difference() {
    let (_a, a) = state(&Header::new(), Codec::Store, &[(b"a", 0, 1, b"1")]);
    let (_b, b) = state(&Header::new(), Codec::Store, &[(b"a", 0, 1, b"2")]);
    let mut bytes = fs::read(&b).unwrap();
    bytes[41] ^= 1;
    fs::write(&b, bytes).unwrap();
    let run = diff(&a, &b, &[]);
    assert_eq!((run.code, run.text()), (Some(1), ""));
    assert!(run.said().starts_with(&format!("error: {}: offset 40: checksum ", b.display())), "{}", run.error);
    // Also where the units are in another order, so that the file is not read from its start to its end.
    let (_c, c) = state(&Header::new(), Codec::Store, &[(b"a", 0, 1, b"1"), (b"b", 0, 1, b"2")]);
    let (_d, d) = state(&Header::new(), Codec::Store, &[(b"b", 0, 1, b"2"), (b"a", 0, 1, b"1")]);
    assert_eq!(diff(&c, &d, &[]).code, Some(0));
    let mut bytes = fs::read(&d).unwrap();
    bytes[41] ^= 1;
    fs::write(&d, bytes).unwrap();
    for (first, second) in [(&c, &d), (&d, &c)] {
        let run = diff(first, second, &[]);
        assert_eq!((run.code, run.text()), (Some(1), ""));
        assert!(run.said().starts_with(&format!("error: {}: offset 40: checksum ", d.display())), "{}", run.error);
    }
    // With the right one it is a difference.
    change(&b, |_| ());
    assert_eq!(diff(&a, &b, &[]).code, Some(4));
    assert_eq!(kept(&b).len(), 1);
}
