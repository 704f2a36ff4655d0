use crate::files::{change, state};
use crate::{manifest, ssm};
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
file                    36807 bytes
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
        r#""host_bits":64,"gc_phys_bytes":8,"gc_ptr_bytes":8,"file_bytes":36807,"units":9}"#,
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
            "1.2" => {
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
        assert_eq!(ssm(["info", "--json", name]).fine().json(), expected, "{name}");
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

    let half = ssm(["info", "../bad/v12-trunc-half.sav", "--unchecked", "--json"]);
    assert_eq!(half.code, Some(1));
    assert_eq!((half.json()["file_bytes"].clone(), half.json()["units"].clone()), (json!(18403), Value::Null));
    assert_eq!(
        half.error,
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
    let last = run.text().lines().last().unwrap();
    assert!(last.starts_with("notes                   not readable: unit SSM/0 version 2"), "{last}");
}
