use crate::files::{change, names, noise, state};
use crate::{manifest, ssm};
use ssm_core::Header;
use ssm_std::{Codec, open_path};
use std::fs;

#[test]
fn plain_bytes_of_every_good_unit() {
    for file in manifest("good") {
        let name = file["file"].as_str().unwrap();
        let mut archive = open_path(crate::golden(name)).unwrap();
        let mut units = archive.units();
        for _ in 0..12 {
            let Some(mut unit) = units.next_unit().unwrap() else { break };
            let mut plain = vec![0; unit.plain_len().unwrap() as usize];
            unit.read(|get| get.bytes(&mut plain)).unwrap();
            let (unit_name, instance) = (std::str::from_utf8(unit.name()).unwrap(), unit.instance().to_string());
            let mut arguments = vec!["extract", name, unit_name, "--instance", &instance];
            let pass = unit.pass().map(|pass| pass.to_string());
            arguments.extend(pass.iter().flat_map(|pass| ["--pass", pass]));
            if unit_name == "SSMLiveControl" {
                continue;
            }
            let run = ssm(arguments).noted();
            assert!(run.bytes == plain, "{name}, {unit_name}/{instance}");
        }
    }
}

#[test]
fn instance_0_unless_told_otherwise() {
    assert_eq!(ssm(["extract", "v12-multi.sav", "alpha"]).fine().bytes, [0xa0, 0, 0, 0]);
    let last = ssm(["extract", "v12-multi.sav", "alpha", "--instance", "4294967295"]).fine();
    assert_eq!(last.bytes, [0xa2, 0, 0, 0]);
    assert_eq!(ssm(["extract", "v12-multi.sav", "zero"]).fine().bytes, b"");
}

#[test]
fn a_unit_that_is_not_there_is_wrong_use_and_names_near_ones() {
    ssm(["extract", "v12-multi.sav", "alhpa"])
        .failed(2, "error: v12-multi.sav: no unit alhpa/0; similar: alpha/0, alpha/1, alpha/4294967295\n");
    ssm(["extract", "v12-multi.sav", "beta"]).failed(2, "error: v12-multi.sav: no unit beta/0; similar: beta/3\n");
    ssm(["hexdump", "v12-multi.sav", "OMEGA"]).failed(2, "error: v12-multi.sav: no unit OMEGA/0; similar: omega/0\n");
    ssm(["extract", "v12-nounits.sav", "alpha"]).failed(2, "error: v12-nounits.sav: no unit alpha/0\n");
    // Told apart from damage that hides it.
    let run = ssm(["extract", "../bad/v12-unit-magic.sav", "alhpa"]);
    assert_eq!(run.code, Some(1), "{}", run.error);
    assert!(run.said().contains("a unit or the end record expected"), "{}", run.error);
}

#[test]
fn into_a_file_as_a_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let extract = |arguments: &[&str]| {
        let mut all = vec!["extract", "-o", out.to_str().unwrap()];
        all.extend(arguments);
        ssm(all)
    };
    extract(&["v12-multi.sav", "alpha"]).fine();
    assert_eq!(fs::read(&out).unwrap(), [0xa0, 0, 0, 0]);
    extract(&["v12-string1m.sav", "string1m"]).fine();
    assert_eq!(fs::metadata(&out).unwrap().len(), 1_048_584);

    fs::write(&out, "old").unwrap();
    assert_eq!(extract(&["v12-multi.sav", "alhpa"]).code, Some(2));
    assert_eq!(extract(&["../bad/v12-lzf-magic.sav", "alpha", "--instance", "1"]).code, Some(1));
    assert_eq!(fs::read(&out).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["out"]);
}

#[test]
fn not_over_the_file_itself() {
    let (folder, path) = state(&Header::new(), Codec::Store, &[(b"ram", 0, 1, b"plain bytes")]);
    let before = fs::read(&path).unwrap();
    let other = folder.path().join(".").join(path.file_name().unwrap());
    for out in [&path, &other] {
        let run = ssm(["extract", path.to_str().unwrap(), "ram", "-o", out.to_str().unwrap()]);
        assert_eq!(run.code, Some(2), "{}", run.error);
        assert!(fs::read(&path).unwrap() == before);
    }
    // `-` is standard output.
    let run = ssm(["extract", path.to_str().unwrap(), "ram", "-o", "-"]).fine();
    assert_eq!(run.bytes, b"plain bytes");
    assert_eq!(ssm(["convert", path.to_str().unwrap(), "-"]).code, Some(2));
}

#[test]
fn what_comes_before_the_damage() {
    let plain = noise(300_000);
    let (_folder, path) = state(&Header::new(), Codec::Lzf, &[(b"ram", 0, 1, &plain)]);
    change(&path, |bytes| {
        let last = bytes.windows(2).rposition(|magic| magic == b"ZV").unwrap();
        bytes[last] = 0;
    });
    let run = ssm(["extract".as_ref(), path.as_os_str(), "ram".as_ref()]);
    assert_eq!(run.code, Some(1));
    assert!(run.said().ends_with("the packed bytes do not decode\n"), "{}", run.error);
    assert!(run.bytes.len() > 200_000 && plain.starts_with(&run.bytes), "{} bytes", run.bytes.len());
}

#[test]
fn names_as_list_shows_them_and_as_they_are() {
    let (_folder, path) = state(&Header::new(), Codec::Store, &[(b"\x01\xff", 0, 1, b"odd")]);
    let shown = ssm(["extract".as_ref(), path.as_os_str(), r"\u{1}\xff".as_ref()]).fine();
    assert_eq!(shown.bytes, b"odd");
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let raw = std::ffi::OsStr::from_bytes(b"\x01\xff");
        assert_eq!(ssm(["extract".as_ref(), path.as_os_str(), raw]).fine().bytes, b"odd");
    }
}

#[test]
fn unchecked_gets_further() {
    let file = "../bad/v12-trunc-half.sav";
    let run = ssm(["extract", file, "alpha"]);
    assert_eq!((run.code, run.text()), (Some(1), ""));
    assert!(run.error.contains("tip: --unchecked"), "{}", run.error);
    assert_eq!(ssm(["extract", file, "alpha", "--unchecked"]).fine().bytes, [0xa0, 0, 0, 0]);
}
