use crate::{assert_narrow, golden, manifest, ssm};
use std::fs;

/// The sizes are those that a conversion makes; the speeds are as they happen to be.
#[test]
fn sizes_are_those_of_a_conversion() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["v12-multi.sav", "v12-empty.sav"] {
        let measured = ssm(["bench", "--json", name]).fine().json();
        let units = measured["units"].as_array().unwrap();
        let listed = ssm(["list", "--json", name]).fine().json();
        for codec in ["lzf", "zlib"] {
            let to = folder.path().join(codec);
            ssm(["convert", "--codec", codec, golden(name).to_str().unwrap(), to.to_str().unwrap()]).noted();
            let converted = ssm(["list", "--json", to.to_str().unwrap()]).fine().json();
            let (listed, converted) = (listed.as_array().unwrap(), converted.as_array().unwrap());
            assert_eq!((units.len(), converted.len()), (listed.len(), listed.len()));
            for ((unit, now), converted) in units.iter().zip(listed).zip(converted) {
                for field in ["name", "instance", "pass", "plain_bytes"] {
                    assert_eq!(unit[field], now[field]);
                }
                assert_eq!(unit["now"]["packed_bytes"], now["packed_bytes"]);
                if now["plain_bytes"] != 0 {
                    // In a file there is a tag in front.
                    let tagged = unit[codec]["packed_bytes"].as_u64().unwrap() + 1;
                    assert_eq!(tagged, converted["packed_bytes"].as_u64().unwrap(), "{unit}");
                }
            }
        }
        let sum = units.iter().map(|unit| unit["plain_bytes"].as_u64().unwrap()).sum::<u64>();
        assert_eq!(measured["total"]["plain_bytes"], sum);
    }
}

#[test]
fn speeds_where_there_is_enough_to_measure() {
    let measured = ssm(["bench", "--json", "v12-string1m.sav"]).fine().json();
    assert!(measured["total"]["lzf"]["encode_mb_s"].as_f64().unwrap() > 0.0);
    assert!(measured["crc_mb_s"].as_f64().unwrap() > 0.0);
    let measured = ssm(["bench", "--json", "v12-empty.sav"]).fine().json();
    assert!(measured["total"]["zlib"]["decode_mb_s"].is_null());
}

#[test]
fn every_good_file_and_no_bad_one() {
    for file in manifest("good") {
        let name = file["file"].as_str().unwrap();
        let run = ssm(["bench", name]).fine();
        let rows = ssm(["list", "--json", name]).noted().json().as_array().unwrap().len();
        assert_eq!(run.text().lines().count(), rows + 3, "{}", run.text());
    }
    assert_eq!(ssm(["bench", "../bad/v12-unit-magic.sav"]).code, Some(1));
    let empty = tempfile::NamedTempFile::new().unwrap();
    fs::write(empty.path(), "no saved state").unwrap();
    assert_eq!(ssm(["bench", empty.path().to_str().unwrap()]).code, Some(1));
    assert_narrow(ssm(["bench", "--help"]).fine().text());
}
