//! Names of any bytes: shown without harm, each in a form of its own, and given back.

use crate::files::state;
use crate::{Run, ssm};
use ssm_core::Header;
use ssm_std::Codec;
use std::collections::HashSet;
use std::ffi::OsStr;

const NAMES: [&[u8]; 18] = [
    b"caf\xe9",
    b"caf\\xe9",
    "caf\u{e9}".as_bytes(),
    b"caf\xe8",
    "caf\u{fffd}".as_bytes(),
    b"\x1b[31mred",
    b"a\nb",
    b"a\\nb",
    b"a\\\\nb",
    "\u{60aa}\u{9b54}".as_bytes(),
    b"plain",
    b"plain/1",
    b"two words",
    b"\"quoted'",
    b"\xff\xfe\x80",
    b"\\",
    b"\x7f\x01",
    "\u{202e}turned".as_bytes(),
];

fn on(path: &std::path::Path, arguments: &[&OsStr]) -> Run {
    ssm([&[arguments[0], path.as_os_str()], &arguments[1..]].concat())
}

#[test]
fn every_name_is_shown_without_harm_and_can_be_given_back() {
    let units: Vec<crate::files::Unit<'_>> = NAMES.iter().map(|name| (*name, 0, 1, *name)).collect();
    let (_folder, path) = state(&Header::new(), Codec::Store, &units);
    let list = on(&path, &["list".as_ref()]).fine();
    assert_eq!(list.text().lines().count(), NAMES.len() + 2);
    let list = list.text().to_owned();
    assert!(!list.chars().any(|c| c != '\n' && c.is_control() || c == '\u{202e}'), "{list}");
    let json = on(&path, &["list".as_ref(), "--json".as_ref()]).fine().json();
    let mut seen = HashSet::new();
    for (row, name) in json.as_array().unwrap().iter().zip(NAMES) {
        let shown = row["name"].as_str().unwrap();
        assert!(seen.insert(shown.to_owned()), "{shown} twice");
        assert!(list.lines().any(|line| line.ends_with(&format!("  {shown}"))), "{shown}");
        assert_eq!(on(&path, &["extract".as_ref(), shown.as_ref()]).fine().bytes, name, "{shown}");
        assert_eq!(on(&path, &["hexdump".as_ref(), shown.as_ref()]).fine().code, Some(0));
        let one = on(&path, &["list".as_ref(), shown.as_ref(), "--json".as_ref()]).fine().json();
        assert_eq!(one.as_array().unwrap().len(), 1, "{shown}");
        assert_eq!(one[0], *row);
        let with_instance = format!("{shown}/0");
        assert_eq!(on(&path, &["extract".as_ref(), with_instance.as_ref()]).fine().bytes, name);
    }
    assert_eq!(seen.len(), NAMES.len());
}

/// The bytes themselves are a name too, where they are not what another name is shown as.
#[cfg(unix)]
#[test]
fn the_bytes_of_a_name_are_taken_as_they_are() {
    use std::os::unix::ffi::OsStrExt;
    let units: Vec<crate::files::Unit<'_>> = NAMES.iter().map(|name| (*name, 0, 1, *name)).collect();
    let (_folder, path) = state(&Header::new(), Codec::Store, &units);
    for name in NAMES {
        let is_form_of_another = [&b"caf\\xe9"[..], b"a\\nb", b"a\\\\nb"].contains(&name);
        let run = on(&path, &["extract".as_ref(), OsStr::from_bytes(name)]).fine();
        assert_eq!(run.bytes == name, !is_form_of_another, "{name:?}");
    }
    let (_folder, path) = state(&Header::new(), Codec::Store, &[(b"a\\nb", 0, 1, b"alone")]);
    assert_eq!(on(&path, &["extract".as_ref(), r"a\nb".as_ref()]).fine().bytes, b"alone");
}

#[test]
fn list_of_one_unit() {
    let list = |arguments: &[&str]| ssm([&["list", "v12-multi.sav"], arguments].concat());
    let rows = |arguments: &[&str]| -> Vec<(String, u64)> {
        let json = list(&[arguments, &["--json"]].concat()).fine().json();
        let row =
            |row: &serde_json::Value| (row["name"].as_str().unwrap().to_owned(), row["instance"].as_u64().unwrap());
        json.as_array().unwrap().iter().map(row).collect()
    };
    let alpha = |instance| ("alpha".to_owned(), instance);
    assert_eq!(rows(&["alpha"]), [alpha(0), alpha(1), alpha(4_294_967_295)]);
    assert_eq!(rows(&["alpha/1"]), [alpha(1)]);
    let text = list(&["alpha/1"]).fine();
    let lines: Vec<&str> = text.text().lines().collect();
    assert!(lines.len() == 3 && lines[1].ends_with("  alpha") && lines[2].starts_with("1 unit, "), "{}", text.text());
    list(&["alpha/7"])
        .failed(2, "error: v12-multi.sav: no unit alpha/7; similar: alpha/0, alpha/1, alpha/4294967295\n");
    list(&["nothing-like-it"]).failed(2, "error: v12-multi.sav: no unit nothing-like-it\n");
    assert_eq!(ssm(["extract", "v12-multi.sav", "alpha/1"]).fine().bytes.len(), 304);
    assert_eq!(ssm(["extract", "v12-multi.sav", "alpha/1", "--instance", "1"]).code, Some(2));
    // Of a live save all passes of it.
    let (_folder, path) = crate::files::live();
    let run = on(&path, &["list".as_ref(), "ram".as_ref(), "--json".as_ref()]);
    let json = run.json();
    let passes: Vec<_> = json.as_array().unwrap().iter().map(|row| row["pass"].as_u64()).collect();
    assert_eq!(passes, [Some(0), Some(1), None]);
    assert!(
        run.said().contains("its units of that name in all passes are listed, passes 0 and 1, and the"),
        "{}",
        run.error
    );
}

#[test]
fn names_of_files_do_no_harm_either() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a\x1b[31m\u{202e}b");
    for arguments in [&["info".as_ref()][..], &["verify".as_ref()]] {
        let run = on(&path, arguments);
        assert_eq!(run.code, Some(3));
        assert!(run.error.contains(r"a\u{1b}[31m\u{202e}b: cannot open"), "{}", run.error);
        assert!(!run.error.contains('\x1b'));
    }
    std::fs::copy(crate::golden("v12-multi.sav"), &path).unwrap();
    assert!(!on(&path, &["verify".as_ref()]).fine().text().contains('\x1b'));
}
