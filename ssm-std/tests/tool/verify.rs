use crate::files::state;
use crate::{manifest, ssm};
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
  format 1.2, 36807 bytes, 9 units, all decoded
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
fn json_has_the_documented_keys_in_order() {
    let expected = "{\"ok\":true,\"format\":\"1.2\",\"file_bytes\":36807,\"units\":9}\n";
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
    let every = [
        FormatError::Truncated { needed: 1, found: 0 },
        FormatError::Magic,
        FormatError::Version { found: *b"2.0" },
        FormatError::Writer { field: "revision", found: 0, max: 1 },
        FormatError::Width { field: "host bits", found: 0 },
        FormatError::Machine,
        FormatError::Size { stored: 0, actual: 1 },
        FormatError::Crc { stored: 0, computed: 1 },
        FormatError::UnitMagic { found: [0; 8] },
        FormatError::UnitName { found: 0 },
        FormatError::UnitLength { found: 0, min: 1, max: 1 },
        FormatError::Codec { tag: 0 },
        FormatError::Packed,
        FormatError::PackedEnd,
        FormatError::Window,
    ];
    let mut expected: Vec<&str> = every.iter().map(FormatError::kind).chain(["io"]).collect();
    let mut documented = documented_kinds();
    expected.sort_unstable();
    documented.sort_unstable();
    assert_eq!(documented, expected);
    // No variant was forgotten above: the source has as many arms that give a word.
    let source = include_str!("../../../ssm-core/src/wire/error.rs");
    let words = source.lines().filter(|line| line.contains("FormatError::") && line.contains("=> \"")).count();
    assert_eq!(words, every.len());
}

#[test]
fn the_help_names_the_tail_that_is_not_covered() {
    let help = ssm(["verify", "--help"]).fine();
    assert!(help.text().contains("the last 36 bytes in format 1.2, 20 in\n"), "{}", help.text());
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
