use crate::files::state;
use crate::{manifest, ssm};
use serde_json::{Value, json};
use ssm_core::Header;
use ssm_std::Codec;

#[test]
fn for_people() {
    let expected = "\
OFFSET  PACKED             PLAIN  CODEC     VERSION    INSTANCE  NAME
    80      24                23  store           1           0  SSM
   136      13                 4  zlib            1           0  alpha
   183     325               304  lzf             2           1  alpha
   542       5                 4  store  4294967295  4294967295  alpha
   581       0                 0  -               9           0  zero
   614       1                 0  lzf             1           0  zeroput
   651    5024    4.9 KiB (5023)  store           0           3  beta
  5708      10                 1  zlib            5           0  a-rather-long-unit-name-0123456789-0123456789-z
  5794   72283  68.4 KiB (70004)  lzf             1           0  omega
9 units, 75.9 KiB (77685) packed, 73.6 KiB (75363) plain
";
    assert_eq!(ssm(["list", "v12-mixedzip-multi.sav"]).fine().text(), expected);
    let expected = "\
OFFSET  PACKED  PLAIN  CODEC  VERSION  INSTANCE  NAME
0 units, 0 bytes packed, 0 bytes plain
";
    assert_eq!(ssm(["list", "v10x86-nounits.sav"]).fine().text(), expected);
}

#[test]
fn ordinary_files_fit_80_columns() {
    for name in ["v12-bound.sav", "v12-mixed8m.sav", "v11-strings.sav", "v12-store-bound.sav"] {
        let run = ssm(["list", name]).fine();
        assert!(run.text().lines().all(|line| line.chars().count() <= 80), "{}", run.text());
    }
}

/// More units than are decoded once only, and more rows than the memory would hold.
#[cfg(target_os = "linux")]
#[test]
fn a_flood_of_units_takes_no_memory() {
    const UNITS: usize = 200_000;
    let names: Vec<String> = (0..UNITS).map(|number| number.to_string()).collect();
    let units: Vec<crate::files::Unit<'_>> = names.iter().map(|name| (name.as_bytes(), 0, 1, &b"xyz"[..])).collect();
    let (_folder, path) = state(&Header::new(), Codec::Store, &units);
    let path = path.to_str().unwrap();
    let run = crate::run_in_little_memory(&["list", path]).fine();
    assert_eq!(run.text().lines().count(), UNITS + 2);
    assert!(run.text().ends_with(
        "      3  store        1         0  199999\n200000 units, 781.3 KiB (800000) packed, 585.9 KiB (600000) plain\n"
    ));
    let run = crate::run_in_little_memory(&["list", "--json", path]).fine();
    let rows = run.json();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), UNITS);
    assert!(rows.iter().zip(&names).all(|(row, name)| row["name"] == **name && row["plain_bytes"] == 3));
}

#[test]
fn json_has_the_documented_keys_in_order() {
    let expected = concat!(
        r#"[{"name":"SSM","instance":0,"version":1,"pass":null,"offset":80,"#,
        r#""packed_bytes":34,"plain_bytes":23,"codec":"lzf","records":null,"optional":null}]"#,
        "\n"
    );
    assert_eq!(ssm(["list", "v12-empty.sav", "--json"]).fine().text(), expected);
    assert_eq!(ssm(["list", "v12-nounits.sav", "--json"]).fine().text(), "[]\n");
}

#[test]
fn json_of_every_good_file_says_what_the_manifest_says() {
    let mut units = 0;
    for file in manifest("good") {
        let is_streamed = file["header"]["format"] == "V2.0";
        let row = |unit: &Value| {
            let number = |key: &str| unit[key].as_u64().unwrap();
            let count = |kind: &str| unit["records"][kind].as_u64().unwrap_or(0);
            let (raw, lzf, zero) = (count("RAW"), count("LZF"), count("ZERO"));
            let streamed_codec = match (lzf, raw + zero) {
                (0, 0) => Value::Null,
                (0, _) => json!("store"),
                _ => json!("lzf"),
            };
            let packed = number("length") + number("offset") - number("data_offset");
            let patched_codec = json!(unit["zip"].as_str().map(str::to_lowercase));
            json!({
                "name": unit["name"],
                "instance": unit["instance"],
                "version": unit["version"],
                "pass": unit["pass"].as_u64(),
                "offset": unit["offset"],
                "packed_bytes": packed,
                "plain_bytes": unit["payload_length"],
                "codec": if is_streamed { streamed_codec } else { patched_codec },
                "records": is_streamed.then(|| json!({ "raw": raw, "lzf": lzf, "zero": zero })),
                "optional": is_streamed.then_some(false),
            })
        };
        let expected: Vec<Value> = file["units"].as_array().unwrap().iter().map(row).collect();
        units += expected.len();
        let name = file["file"].as_str().unwrap();
        assert_eq!(ssm(["list", "--json", name]).noted().json(), Value::Array(expected), "{name}");
    }
    assert!(units > 200, "{units} units");
}

#[test]
fn what_is_left_of_a_damaged_file() {
    let words = "unit alpha/1 version 2 at offset 196, at 230: codec tag 6 found";
    let run = ssm(["list", "../bad/v12-ziptype-6.sav"]);
    assert_eq!((run.code, run.text()), (Some(1), ""));
    assert!(run.said().contains(words), "{}", run.error);

    let run = ssm(["list", "../bad/v12-ziptype-6.sav", "--unchecked"]);
    assert_eq!(run.code, Some(1));
    assert!(run.said().contains(words), "{}", run.error);
    let lines: Vec<&str> = run.text().lines().collect();
    assert_eq!(lines[3], "   196     190                 ?  tag 6           2           1  alpha");
    assert_eq!(lines[9], "  5873   30872  68.4 KiB (70004)  lzf             1           0  omega");

    let run = ssm(["list", "../bad/v12-trunc-half.sav", "--unchecked", "--json"]);
    assert_eq!((run.code, run.json().as_array().unwrap().len()), (Some(1), 8));
}

#[test]
fn names_of_any_bytes_stay_on_their_line() {
    let long = [b'n'; 255];
    let units: [(&[u8], u32, u32, &[u8]); 3] =
        [(b"a\x1b[31m\n\\\xff", 0, 1, b""), ("ger\u{e4}t \u{202e}".as_bytes(), 0, 1, b""), (&long, 0, 1, b"")];
    let (_folder, path) = state(&Header::new(), Codec::Store, &units);
    let run = ssm(["list".as_ref(), path.as_os_str()]).fine();
    let lines: Vec<&str> = run.text().lines().collect();
    assert_eq!(lines[1], r"    80       1      0  store        1         0  a\u{1b}[31m\n\\\xff");
    assert_eq!(lines[2], r"   119       1      0  store        1         0  gerät \u{202e}");
    assert_eq!(lines[3], format!("   159       1      0  store        1         0  {}", "n".repeat(255)));
    let run = ssm(["list".as_ref(), path.as_os_str(), "--json".as_ref()]).fine();
    assert_eq!(run.json()[0]["name"], r"a\u{1b}[31m\n\\\xff");
    assert_eq!(run.json()[2]["name"], "n".repeat(255));
}
