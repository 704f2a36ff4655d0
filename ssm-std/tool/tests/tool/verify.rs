use crate::files::state;
use crate::{assert_narrow, manifest, ssm};
use serde_json::{Value, json};
use ssm_core::{FormatError, Header};
use ssm_std::Codec;
use std::fs;

/// The words that the help documents.
fn documented_kinds() -> Vec<String> {
    let run = ssm(["verify", "--help"]).fine();
    let lines = run.text().lines().skip_while(|line| !line.ends_with("The kinds:")).skip(1);
    lines.take_while(|line| !line.is_empty()).map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn for_people() {
    let expected = "\
v12-multi.sav: sound
  format 1.2, 35.9 KiB (36807), 9 units, all decoded
  no checksum covers the last 36 bytes (see ssm verify --help)
";
    assert_eq!(ssm(["verify", "v12-multi.sav"]).fine().text(), expected);
    let tail = |name| ssm(["verify", name]).fine().text().lines().last().unwrap().to_owned();
    let expected = |bytes| format!("  no checksum covers the last {bytes} bytes (see ssm verify --help)");
    assert_eq!(tail("v11-empty.sav"), expected(20));
    assert_eq!(tail("v10amd64-empty.sav"), expected(20));
    assert_eq!(tail("v10x86-empty.sav"), expected(16));

    let damaged = ssm(["verify", "../bad/v12-lzf-magic.sav"]);
    let expected = "\
../bad/v12-lzf-magic.sav: damaged (packed)
  unit alpha/1 version 2 at offset 196, at 231: the packed bytes do not decode
";
    assert_eq!((damaged.code, damaged.text(), damaged.error.as_str()), (Some(1), expected, ""));
}

#[test]
fn what_is_no_damage_is_not_called_so() {
    for (bytes, verdict) in [
        (&b"#!/bin/sh\n".repeat(20)[..], "not a saved state"),
        (b"\x7fVirtualBox SavedState V2.1\n\0\0\0\0", "a saved state of another format"),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut bytes = bytes.to_vec();
        bytes.resize(200, 0);
        fs::write(file.path(), &bytes).unwrap();
        let run = ssm(["verify".as_ref(), file.path().as_os_str()]);
        assert_eq!((run.code, run.error.as_str()), (Some(1), ""));
        assert_eq!(run.text().lines().next().unwrap(), format!("{}: {verdict}", file.path().display()));
    }
}

/// The JSON warnings of a file that is sound, and the lines that it is told in.
fn warnings(path: &std::path::Path) -> (Value, String) {
    let json = ssm(["verify".as_ref(), path.as_os_str(), "--json".as_ref()]).fine().json();
    assert_eq!(json["ok"], true);
    (json["warnings"].clone(), ssm(["verify".as_ref(), path.as_os_str()]).fine().text().to_owned())
}

#[test]
fn a_unit_that_is_there_twice_is_a_warning() {
    let units: [(&[u8], u32, u32, &[u8]); 5] =
        [(b"a", 0, 1, b""), (b"a", 1, 1, b""), (b"b", 0, 1, b""), (b"a", 0, 2, b""), (b"a", 0, 3, b"")];
    let (_folder, path) = state(&Header::new(), Codec::Store, &units[..3]);
    assert_eq!(warnings(&path).0, json!([]));
    let (_folder, path) = state(&Header::new(), Codec::Store, &units);
    let (found, text) = warnings(&path);
    let expected = [
        "unit a/0 at offset 173 is not the first of that name and instance",
        "unit a/0 at offset 204 is not the first of that name and instance",
    ];
    assert_eq!(found, json!(expected));
    let [first, second] = expected;
    let start = format!("{}: sound, 5 units; but:\n  {first}\n  {second}\n  format 1.2, ", path.display());
    assert!(text.starts_with(&start), "{text}");

    let (_folder, path) = state(&Header::new(), Codec::Store, &[units[0]; 30]);
    let (found, _) = warnings(&path);
    assert_eq!(found.as_array().unwrap().len(), 11);
    assert_eq!(found[10], "19 more are not the first of their name and instance");
}

#[test]
fn more_units_than_are_remembered_are_not_compared() {
    let mut units: Vec<crate::files::Unit<'_>> = Vec::new();
    units.extend((0..100_000).map(|instance| (&b"a"[..], instance, 1, &b""[..])));
    let (_folder, path) = state(&Header::new(), Codec::Store, &units);
    assert_eq!(warnings(&path).0, json!([]));
    units.push(units[0]);
    let (_folder, path) = state(&Header::new(), Codec::Store, &units);
    let expected = "whether one of the units after the first 100000 is there twice was not checked";
    assert_eq!(warnings(&path).0, json!([expected]));
}

#[test]
fn a_built_in_unit_that_no_load_accepts_is_a_warning() {
    let start = "unit SSM/0 is no list of notes that loads accept: ";
    for name in ["v12-ssm-version-2.sav", "v12-ssm-long-var.sav"] {
        let path = crate::golden("../bad").join(name);
        let (found, text) = warnings(&path);
        assert_eq!(found.as_array().unwrap().len(), 1, "{name}");
        assert!(found[0].as_str().unwrap().starts_with(start), "{found}");
        assert!(text.contains(", 9 units; but:\n  unit SSM/0 is no list of notes"), "{text}");
        assert!(text.lines().skip(1).all(|line| line.len() <= 80), "{text}");
    }
    for plain in [&b""[..], b"\0\0\0", b"\x01\0\0\0n"] {
        let (_folder, path) = state(&Header::new(), Codec::Store, &[(b"SSM", 0, 1, plain)]);
        assert_eq!(warnings(&path).0.as_array().unwrap().len(), 1, "{plain:?}");
        let (_folder, path) = state(&Header::new(), Codec::Store, &[(b"SSM", 1, 1, plain)]);
        assert_eq!(warnings(&path).0, json!([]));
    }
    assert_narrow(ssm(["verify", "--help"]).fine().text());
}

#[test]
fn json_has_the_documented_keys_in_order() {
    let expected = "{\"ok\":true,\"format\":\"1.2\",\"file_bytes\":36807,\"units\":9,\"warnings\":[]}\n";
    assert_eq!(ssm(["verify", "--json", "v12-multi.sav"]).fine().text(), expected);
    let damaged = ssm(["verify", "--json", "../bad/v12-lzf-magic.sav"]);
    let expected = concat!(
        r#"{"ok":false,"error":{"kind":"packed","offset":231,"unit":"alpha","#,
        r#""message":"unit alpha/1 version 2 at offset 196, at 231: the packed bytes do not decode"}}"#,
        "\n"
    );
    assert_eq!((damaged.code, damaged.text(), damaged.error.as_str()), (Some(1), expected, ""));
    let missing = ssm(["verify", "--json", "no-such-file"]);
    assert_eq!((missing.code, missing.error.as_str()), (Some(3), ""));
    assert_eq!(missing.json()["error"]["kind"], "io");
    assert_eq!(missing.json()["error"]["offset"], Value::Null);
}

#[test]
fn every_file_gets_the_verdict_of_the_manifest() {
    let kinds = documented_kinds();
    for file in manifest("bad") {
        let name = file["file"].as_str().unwrap();
        let run = ssm(["verify", "--json", &format!("../bad/{name}")]);
        let verdict = run.json();
        match file["verify"].as_str().unwrap() {
            "reject" => assert_eq!(run.code, Some(1), "{name}"),
            "accept" => assert_eq!(run.code, Some(0), "{name}"),
            _ => assert!(run.code == Some(0) || run.code == Some(1), "{name}"),
        }
        assert_eq!(verdict["ok"], json!(run.code == Some(0)), "{name}");
        if run.code == Some(1) {
            let kind = verdict["error"]["kind"].as_str().unwrap();
            assert!(kinds.iter().any(|known| known == kind), "{name}: {kind}");
        }
    }
    for file in manifest("good") {
        let name = file["file"].as_str().unwrap();
        let run = ssm(["verify", "--json", name]).fine();
        assert_eq!((&run.json()["ok"], &run.json()["file_bytes"]), (&json!(true), &file["size"]), "{name}");
    }
}

#[test]
fn the_help_lists_every_kind() {
    // The source has the words, one in each line that gives one.
    let source = include_str!("../../../../ssm-core/src/wire/error.rs");
    let structures = ["header-crc", "unit-crc", "directory-crc", "footer-crc"];
    let words = source.lines().filter(|line| line.contains("FormatError::") && line.contains("=> \""));
    let words: Vec<&str> = words.map(|line| line.split('"').nth(1).unwrap()).collect();
    assert!(words.len() > 25 && words.contains(&FormatError::EndUnit.kind()), "{words:?}");
    let mut expected: Vec<&str> = words.into_iter().chain(structures).chain(["io"]).collect();
    assert!(structures.iter().all(|word| source.contains(&format!("=> \"{word}\""))));
    let mut documented = documented_kinds();
    expected.sort_unstable();
    documented.sort_unstable();
    assert_eq!(documented, expected);
}

#[test]
fn the_help_names_the_tail_that_is_not_covered() {
    let help = ssm(["verify", "--help"]).fine();
    assert!(help.text().contains("the last 36 bytes in format 1.2, 20 in 1.1 "), "{}", help.text());
    assert!(help.text().lines().all(|line| line.chars().count() <= 80));
}

/// Errors of the library hold the first 47 bytes of a name; the tool says all of it.
#[test]
fn the_whole_name_of_the_damaged_unit() {
    let name = [b'x'; 200];
    let (_folder, path) = state(&Header::new(), Codec::Lzf, &[(&name, 7, 1, b"!")]);
    // The last 8 bytes before the end record are under no checksum; the block's plain length is among them.
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len() - 28;
    bytes[end - 4..end - 2].fill(0);
    fs::write(&path, bytes).unwrap();
    let name = "x".repeat(200);
    let run = ssm(["verify".as_ref(), path.as_os_str(), "--json".as_ref()]);
    assert_eq!(run.code, Some(1));
    assert_eq!(
        (run.json()["error"]["kind"].as_str(), run.json()["error"]["unit"].as_str()),
        (Some("packed"), Some(&*name))
    );
    let message = run.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with(&format!("unit {name}/7 version 1 at offset 80, at ")), "{message}");
}
