use crate::files::{change, state};
use crate::{assert_narrow, manifest, ssm};
use serde_json::{Value, json};
use ssm_core::Header;
use ssm_std::Codec;

#[test]
fn for_people() {
    let expected = "\
format                  1.2
writer                  version 2.0.51, revision 40980
host                    64 bits
guest-physical address  8 bytes
guest pointer           8 bytes
file                    35.9 KiB (36807)
checksum                0x1474e77f, right
units                   9
note OSE                true
";
    assert_eq!(ssm(["info", "v12-multi.sav"]).fine().text(), expected);
    let expected = "\
format                  1.1
writer                  not recorded
host                    not recorded
guest-physical address  not recorded
guest pointer           not recorded
file                    92 bytes
checksum                0x9c4d3309, right
units                   0
";
    assert_eq!(ssm(["info", "v11-nounits.sav"]).fine().text(), expected);
}

#[test]
fn json_has_the_documented_keys_in_order() {
    let expected = concat!(
        r#"{"format":"1.2","writer":{"major":2,"minor":0,"build":51,"revision":40980},"#,
        r#""host_bits":64,"gc_phys_bytes":8,"gc_ptr_bytes":8,"file_bytes":36807,"units":9,"#,
        r#""notes":[["OSE","true"]],"notes_left_out":0,"checksum":"right","stream":null}"#,
        "\n"
    );
    assert_eq!(ssm(["info", "v12-multi.sav", "--json"]).fine().text(), expected);
}

#[test]
fn json_of_every_good_file_says_what_the_manifest_says() {
    for file in manifest("good") {
        let name = file["file"].as_str().unwrap();
        let header = &file["header"];
        let format = header["format"].as_str().unwrap().trim_start_matches('V');
        let (writer, widths) = match &format[..3] {
            "1.2" | "2.0" => {
                let [major, minor] = [&header["ver_major"], &header["ver_minor"]];
                let [build, revision] = [&header["ver_build"], &header["svn_rev"]];
                let writer = json!({ "major": major, "minor": minor, "build": build, "revision": revision });
                let widths = ["host_bits", "cbGCPhys", "cbGCPtr"].map(|field| header[field].clone());
                (writer, widths)
            }
            "1.1" => (Value::Null, [Value::Null, Value::Null, Value::Null]),
            "1.0" if header["header_size"] == 60 => (Value::Null, [json!(32), json!(4), json!(4)]),
            "1.0" => (Value::Null, [json!(64), json!(4), json!(4)]),
            other => panic!("{name}: format {other}"),
        };
        let [host_bits, gc_phys_bytes, gc_ptr_bytes] = widths;
        let expected = json!({
            "format": &format[..3],
            "writer": writer,
            "host_bits": host_bits,
            "gc_phys_bytes": gc_phys_bytes,
            "gc_ptr_bytes": gc_ptr_bytes,
            "file_bytes": file["size"],
            "units": file["units"].as_array().unwrap().len(),
        });
        let mut info = ssm(["info", "--json", name]).noted().json();
        assert_eq!(info["checksum"], "right", "{name}");
        let stream = match header["fFlags"].as_u64() {
            None => Value::Null,
            Some(flags) => json!({
                "units_registered": header["cUnits"],
                "checked": true,
                "live": flags & 2 != 0,
                "largest_block": header["cbMaxDecompr"],
                "passes": file["units"].as_array().unwrap().iter().filter_map(|unit| unit["pass"].as_u64()).max()
                    .map_or(0, |pass| pass + 1),
            }),
        };
        assert_eq!(info["stream"], stream, "{name}");
        info.as_object_mut()
            .unwrap()
            .retain(|key, _| !["notes", "notes_left_out", "checksum", "stream"].contains(&&**key));
        assert_eq!(info, expected, "{name}");
    }
}

#[test]
fn a_damaged_file_is_shown_only_unchecked() {
    let crc = "../bad/v12-crc-field.sav";
    let words = "\
error: ../bad/v12-crc-field.sav: offset 40: checksum 0x1474e77f found, 0x1474e77e expected
  tip: --unchecked shows what is left of a damaged file
";
    ssm(["info", crc]).failed(1, words);
    ssm(["info", crc, "--json"]).failed(1, words);
    let unchecked = ssm(["info", crc, "--unchecked"]).fine();
    assert!(unchecked.text().contains("checksum                0x1474e77e, not checked\n"), "{}", unchecked.text());
    assert!(unchecked.text().contains("units                   9\n"), "{}", unchecked.text());
    assert_eq!(ssm(["info", crc, "--unchecked", "--json"]).fine().json()["checksum"], "unchecked");

    let half = ssm(["info", "../bad/v12-trunc-half.sav", "--unchecked", "--json"]);
    assert_eq!(half.code, Some(1));
    assert_eq!((half.json()["file_bytes"].clone(), half.json()["units"].clone()), (json!(18403), Value::Null));
    assert_eq!(
        half.said(),
        "error: ../bad/v12-trunc-half.sav: offset 5873: unit length 30906 found, 34 to 12502 expected\n"
    );
}

#[test]
fn notes_are_escaped_and_may_be_unreadable() {
    let notes = b"\x07\0\0\0pro\x1bgra\x02\0\0\0ok\0\0\0\0\0\0\0\0";
    let (_folder, path) = state(&Header::new(), Codec::Store, &[(b"SSM", 0, 1, notes)]);
    let run = ssm(["info".as_ref(), path.as_os_str()]).fine();
    assert!(run.text().ends_with("\nnote pro\\u{1b}gra       ok\n"), "{}", run.text());

    change(&path, |bytes| bytes[80 + 16] = 2);
    let run = ssm(["info".as_ref(), path.as_os_str()]).fine();
    let text: Vec<&str> = run.text().lines().collect();
    assert!(text[8].starts_with("notes                   not readable: unit SSM/0 version 2"), "{}", run.text());
    assert_narrow(run.text());
    let json = ssm(["info".as_ref(), path.as_os_str(), "--json".as_ref()]).fine().json();
    assert_eq!((&json["notes"], &json["notes_left_out"]), (&Value::Null, &Value::Null));
}

/// The plain bytes of a built-in unit with these notes.
fn notes<'n>(pairs: impl IntoIterator<Item = (&'n str, &'n str)>) -> Vec<u8> {
    let mut plain = Vec::new();
    for (name, value) in pairs.into_iter().chain([("", "")]) {
        for string in [name, value] {
            plain.extend((string.len() as u32).to_le_bytes());
            plain.extend(string.as_bytes());
        }
    }
    plain
}

#[test]
fn of_many_notes_the_first_are_shown() {
    let names: Vec<String> = (0..250).map(|number| format!("n{number}")).collect();
    let plain = notes(names.iter().map(|name| (&**name, "v")));
    let (_folder, path) = state(&Header::new(), Codec::Lzf, &[(b"SSM", 0, 1, &plain)]);
    let run = ssm(["info".as_ref(), path.as_os_str()]).fine();
    assert!(run.text().ends_with("\nnote n99                v\n.. and 150 more\n"), "{}", run.text());
    assert_eq!(run.text().lines().filter(|line| line.starts_with("note ")).count(), 100);
    let json = ssm(["info".as_ref(), path.as_os_str(), "--json".as_ref()]).fine().json();
    let first: Vec<_> = names[..100].iter().map(|name| json!([name, "v"])).collect();
    assert_eq!((&json["notes"], &json["notes_left_out"]), (&Value::from(first), &json!(150)));
}

#[cfg(target_os = "linux")]
#[test]
fn a_flood_of_notes_takes_no_memory() {
    let plain = notes(std::iter::repeat_n(("n", ""), 1_000_000));
    let (_folder, path) = state(&Header::new(), Codec::Zlib, &[(b"SSM", 0, 1, &plain)]);
    let run = crate::run_in_little_memory(&["info", path.to_str().unwrap()]).fine();
    assert!(run.text().ends_with("\n.. and 999900 more\n"), "{}", run.text());
}

#[test]
fn long_notes_fit_80_columns() {
    let (long, words, name) = ("x".repeat(1000), "word ".repeat(100), "n".repeat(120));
    let plain = notes([("long", &*long), ("words", &*words), (&*name, "value")]);
    let (_folder, path) = state(&Header::new(), Codec::Lzf, &[(b"SSM", 0, 1, &plain)]);
    let run = ssm(["info".as_ref(), path.as_os_str()]).fine();
    assert_narrow(run.text());
    assert!(run.text().contains(&format!("\nnote long               {}\n{}xx", "x".repeat(56), " ".repeat(24))));
    assert_eq!(run.text().matches('x').count(), 1000 + "checksum 0x".matches('x').count());
    assert_eq!(run.text().matches("word").count(), 101);
}
