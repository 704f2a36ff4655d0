//! Damaged files of 2.0, each with the error that it must give to a check of the whole file and to every loader, and with
//! the hooks that are called meanwhile: none by a loader that checks before. Q numbers are those of SPEC.md; 1.x is in
//! `damage`.

use ssm_core::{
    Archive, Crc32, Crc32Slicing, LoadError, Loader, MAX_STRING, Missing, Policy, UnitError, UnitId, Units,
};
use ssm_std::{Decoder, decoder};
use ssm_tests::golden::{Bad, Call, Machine, Reading, bad_patched, bad_streamed, good_file};
use ssm_tests::media::{Broken, Disk, Loading, ReadOnly};
use std::collections::BTreeMap;

type Opened = Archive<Disk, Decoder, Vec<u8>, Crc32Slicing>;
type Result<T> = std::result::Result<T, LoadError<Broken>>;
const OK: &str = "ok";

/// A damaged file, and what each says whose units read what was put.
struct Row {
    file: &'static str,
    /// What opening and checking all of it says, and at which offset.
    verify: (&'static str, u64),
    verified: &'static str,
    unverified: &'static str,
    streaming: &'static str,
}

const fn row(file: &'static str, verify: (&'static str, u64), loaders: [&'static str; 3]) -> Row {
    let [verified, unverified, streaming] = loaders;
    Row { file, verify, verified, unverified, streaming }
}

const EXPECTED: &[Row] = &[
    row("v20-dir-magic.sav", ("directory-magic", 76176), ["directory-magic", "directory-magic", "directory-magic"]),
    row("v20-dir-off-0.sav", (OK, 0), [OK, OK, OK]), // either: Q33, an early writer
    row("v20-dir-off.sav", ("directory-entry", 76240), ["directory-entry", "directory-entry", "directory-entry"]),
    row("v20-end-inst.sav", ("end-unit", 76132), ["end-unit", "end-unit", "end-unit"]),
    row("v20-end-ver.sav", ("end-unit", 76132), ["end-unit", "end-unit", "end-unit"]),
    row("v20-footer-count-64k.sav", ("footer", 76336), ["footer", "footer", "footer"]),
    row("v20-footer-crc.sav", ("footer-crc", 76364), ["footer-crc", "footer-crc", "footer-crc"]),
    row("v20-footer-off.sav", ("footer", 76336), ["footer", "footer", "footer"]),
    row("v20-footer-streamcrc.sav", ("crc", 76352), ["crc", "crc", "crc"]),
    row("v20-hdr-crc.sav", ("header-crc", 60), ["header-crc", "header-crc", "header-crc"]),
    row("v20-hdr-gp-5.sav", ("width", 45), ["width", "width", "width"]),
    row("v20-hdr-hb-0.sav", ("width", 44), ["width", "width", "width"]),
    row("v20-hdr-mj-0.sav", ("writer", 32), ["writer", "writer", "writer"]),
    row("v20-hdr-mn-1001.sav", ("writer", 34), ["writer", "writer", "writer"]),
    row("v20-hdr-mx-1025.sav", ("stream-field", 56), ["stream-field", "stream-field", "stream-field"]),
    row("v20-hdr-mx-4097.sav", ("stream-field", 56), ["stream-field", "stream-field", "stream-field"]),
    row("v20-hdr-mx-8192.sav", ("stream-field", 56), ["stream-field", "stream-field", "stream-field"]),
    row("v20-hdr-rev-0.sav", ("writer", 40), ["writer", "writer", "writer"]),
    row("v20-lzf-4099.sav", ("block", 326), ["block", "block", "block"]),
    row("v20-lzf-empty.sav", ("block", 326), ["block", "block", "block"]),
    row("v20-lzf-kb0.sav", ("block", 326), ["block", "block", "block"]),
    row("v20-lzf-long.sav", ("packed", 343), ["packed", "invalid", "invalid"]), // the unit sees a block before its end
    row("v20-magic-byte0.sav", ("magic", 0), ["magic", "magic", "magic"]),
    row("v20-nocrc-flip.sav", (OK, 0), ["invalid", "invalid", "invalid"]), // the format cannot know; the unit sees another value
    row("v20-rec-12.sav", ("record", 326), ["record", "record", "record"]),
    row("v20-rec-90.sav", ("record", 326), ["record", "record", "record"]),
    row("v20-rec-96.sav", ("record", 326), ["record", "record", "record"]),
    row("v20-rec-b2.sav", ("record", 326), ["record", "record", "record"]),
    row("v20-rec-notimportant.sav", (OK, 0), [OK, OK, OK]), // Q31
    row("v20-rec-size-cont.sav", ("record-size", 326), ["record-size", "record-size", "record-size"]),
    row("v20-rec-size-ff.sav", ("record-size", 326), ["record-size", "record-size", "record-size"]),
    row("v20-rec-size-overlong4.sav", ("record-size", 326), ["record-size", "record-size", "record-size"]),
    row("v20-rec-size-overlong6.sav", ("record-size", 326), ["record-size", "record-size", "record-size"]),
    row("v20-string-too-long.sav", (OK, 0), ["too-long", "too-long", "too-long"]), // the file is sound, the value is not
    row("v20-struct-end.sav", (OK, 0), ["marker", "marker", "marker"]),            // the same
    row("v20-term-crc.sav", ("terminator-crc", 637), ["terminator-crc", "terminator-crc", "terminator-crc"]),
    row("v20-term-missing.sav", ("record", 633), ["record", "record", "record"]),
    row("v20-term-nocrc.sav", (OK, 0), [OK, OK, OK]), // either: Q32
    row("v20-term-size.sav", ("terminator", 633), ["terminator", "terminator", "terminator"]),
    row("v20-too-little.sav", (OK, 0), ["unit-rest", "unit-rest", "unit-rest"]), // the file is sound; Q36
    row("v20-trailing-byte.sav", ("footer", 41051), ["footer", "footer", OK]), // Q29: nothing is read behind the footer
    row("v20-trunc-63.sav", ("truncated", 0), ["truncated", "truncated", "truncated"]),
    row("v20-trunc-95.sav", ("footer", 63), ["footer", "footer", "truncated"]),
    row("v20-trunc-last.sav", ("footer", 41049), ["footer", "footer", "truncated"]),
    row("v20-unit-crc.sav", ("unit-crc", 296), ["unit-crc", "unit-crc", "unit-crc"]),
    row("v20-unit-emptyname.sav", ("unit-name", 316), ["unit-name", "unit-name", "unit-name"]),
    row("v20-unit-magic.sav", ("unit-magic", 276), ["unit-magic", "unit-magic", "unit-magic"]),
    row("v20-unit-noname.sav", ("unit-name", 316), ["unit-name", "unit-name", "unit-name"]),
    row("v20-unit-pass-odd.sav", (OK, 0), [OK, OK, OK]), // either: Q34
    row("v20-unit-unterminated.sav", ("unit-name", 320), ["unit-name", "unit-name", "unit-name"]),
    row("v20-zero-kb0.sav", (OK, 0), [OK, OK, OK]), // either: a record of no bytes
    row("v20-zero-size0.sav", ("block", 326), ["block", "block", "block"]),
];

fn file(name: &str) -> Bad {
    bad_streamed().into_iter().find(|bad| bad.file == name).expect("a file of the manifest")
}

fn verify(file: &[u8]) -> Result<()> {
    Archive::open_with(Disk::holding(file), decoder(), vec![0; 4096], Crc32Slicing)?.verify(&mut |_| ())
}

fn open_unchecked(file: &[u8]) -> Opened {
    Archive::open_unchecked_with(Disk::holding(file), decoder(), vec![0; 4096], Crc32Slicing).expect("a header")
}

/// The check without the checksum over the file, which comes first and hides what is wrong.
fn verify_unchecked(file: &[u8]) -> Result<()> {
    let archive = Archive::open_unchecked_with(Disk::holding(file), decoder(), vec![0; 4096], Crc32Slicing);
    archive?.verify(&mut |_| ())
}

fn kind<T>(result: &Result<T>) -> &'static str {
    result.as_ref().err().map_or(OK, LoadError::kind)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Verified,
    Unverified,
    Streaming,
}

/// Loads a damaged file by units that are those of the file before.
fn load(bad: &Bad, how: How, scratch: usize) -> (Result<()>, Vec<Call>) {
    // What is left over is the library's to notice.
    let mut machine = Machine::of(&bad.undamaged()).reading(Reading::Items);
    let entries = machine.entries();
    let units = Units::new(&entries);
    let mut scratch = vec![0; scratch];
    // One of the files was cut down to a unit.
    let policy = Policy { missing: Missing::Accept, ..Policy::default() };
    let (disk, into) = (Disk::holding(bad.bytes()), &mut machine);
    let result = match how {
        How::Streaming => {
            let loader = Loader::streaming(ReadOnly(disk), decoder(), &mut scratch);
            loader.crc32(Crc32Slicing).policy(policy).load(into, &units)
        }
        how => {
            let loader = match how {
                How::Verified => Loader::new(disk, decoder(), &mut scratch),
                _ => Loader::unverified(disk, decoder(), &mut scratch),
            };
            loader.crc32(Crc32Slicing).policy(policy).load(into, &units)
        }
    };
    (result.map(|_| ()), machine.calls)
}

#[test]
fn the_table_has_every_file_once() {
    let files: Vec<String> = bad_streamed().into_iter().map(|bad| bad.file).collect();
    assert_eq!(files, EXPECTED.iter().map(|row| row.file).collect::<Vec<_>>());
}

#[test]
fn checking_the_whole_file() {
    for (bad, row) in bad_streamed().iter().zip(EXPECTED) {
        let result = verify(&bad.bytes());
        let offset = result.as_ref().err().and_then(LoadError::offset).unwrap_or(0);
        assert_eq!((kind(&result), offset), row.verify, "{}: {}: {result:?}", bad.file, bad.damage);
        match &*bad.verify {
            "accept" => assert_eq!(row.verify.0, OK, "{}", bad.file),
            "reject" => assert_ne!(row.verify.0, OK, "{}", bad.file),
            word => assert_eq!(word, "either"),
        }
        // Without the checks up front the same is found, but for a footer that is not where the file ends.
        let is_cut = bad.file.starts_with("v20-trunc-") && row.verify.0 == "footer";
        let expected = if is_cut { "truncated" } else { row.verify.0 };
        assert_eq!(kind(&verify_unchecked(&bad.bytes())), expected, "{}", bad.file);
    }
}

#[test]
fn the_verdict_is_that_of_the_later_reader() {
    for (bad, row) in bad_streamed().iter().zip(EXPECTED) {
        let loaded = bad.results["vbox_7_load"] == "VINF_SUCCESS";
        assert_eq!(row.verified == OK, loaded, "{}", bad.file);
    }
}

/// Whether each unit that was prepared was told the end, and what.
fn is_told(calls: &[Call], ok: bool) -> bool {
    let prepared = calls.iter().filter(|call| matches!(call, Call::Prepare(_))).count();
    prepared == calls.iter().filter(|call| matches!(call, Call::Done(_, told) if *told == ok)).count()
}

/// Files that checking all of them rejects, and whose units an unverified load touches all the same: code under right checksums
/// that does not decode. No accident makes it, so that an unverified load does not look.
const TOUCHED_UNVERIFIED: &[&str] = &["v20-lzf-long.sav"];

#[test]
fn loading() {
    for (bad, row) in bad_streamed().iter().zip(EXPECTED) {
        for scratch in [1, 64, 4096] {
            for (how, expected) in
                [(How::Verified, row.verified), (How::Unverified, row.unverified), (How::Streaming, row.streaming)]
            {
                let (result, calls) = load(bad, how, scratch);
                let context = format!("{}, {how:?}, scratch {scratch}: {result:?}, {calls:?}", bad.file);
                assert_eq!(kind(&result), expected, "{context}");
                assert!(is_told(&calls, result.is_ok()), "{context}");
                if row.verify.0 != OK && how != How::Streaming {
                    let is_touched = how == How::Unverified && TOUCHED_UNVERIFIED.contains(&row.file);
                    assert_eq!(!calls.is_empty(), is_touched, "{context}");
                }
            }
        }
    }
}

#[test]
fn patched_files_that_are_rejected_touch_no_unit_either() {
    let mut rejected = 0;
    for bad in bad_patched() {
        if verify(&bad.bytes()).is_ok() {
            continue;
        }
        rejected += 1;
        for scratch in [1, 4096] {
            let (result, calls) = load(&bad, How::Verified, scratch);
            assert!(result.is_err() && calls.is_empty(), "{}: {calls:?}", bad.file);
        }
    }
    assert!(rejected > 30, "{rejected} files");
}

#[test]
fn seeking_one_unit() {
    // The later reader looks at the directory only; here a unit is found by walking where the directory is damaged.
    let expected = BTreeMap::from([
        ("v20-dir-magic.sav omega/0", OK),
        ("v20-dir-off-0.sav omega/0", OK),
        ("v20-dir-off.sav omega/0", OK),
        ("v20-footer-streamcrc.sav omega/0", OK),
        ("v20-unit-crc.sav alpha/1", "unit-crc"),
        ("v20-unit-magic.sav alpha/1", "unit-magic"),
    ]);
    let mut found = BTreeMap::new();
    for bad in bad_streamed() {
        for sought in bad.results.keys().filter_map(|key| key.strip_prefix("vbox_7_seek ")) {
            let (name, instance) = sought.split_once('/').unwrap();
            let mut archive = open_unchecked(&bad.bytes());
            let unit = archive.seek(UnitId::new(name, instance.parse().unwrap()));
            let value = unit.and_then(|mut unit| unit.read(|get| get.u32()));
            // What the unit starts with, as the later reader found it.
            assert!(value.is_err() || value == Ok(0x244b_8b48));
            found.insert(format!("{} {sought}", bad.file), kind(&value));
        }
    }
    assert!(found.iter().map(|(sought, kind)| (&**sought, *kind)).eq(expected), "{found:?}");
}

#[test]
fn units_whose_directory_entry_is_zero_or_points_elsewhere_are_found() {
    for name in ["v20-dir-off-0.sav", "v20-dir-off.sav"] {
        let bad = file(name);
        let mut archive = open_unchecked(&bad.bytes());
        for unit in bad.undamaged().units {
            let found = archive.seek(UnitId::new(&unit.name, unit.instance));
            assert!(found.is_ok(), "{name}: {}/{}: {:?}", unit.name, unit.instance, found.err());
        }
    }
}

#[test]
fn what_units_say_of_sound_files() {
    for how in [How::Verified, How::Unverified, How::Streaming] {
        let (too_long, _) = load(&file("v20-string-too-long.sav"), how, 64);
        let expected = UnitError::TooLong { found: 2 << 20, max: MAX_STRING };
        assert!(matches!(too_long, Err(LoadError::Unit { error, .. }) if error == expected), "{too_long:?}");
        let (rest, _) = load(&file("v20-too-little.sav"), how, 64);
        assert!(matches!(rest, Err(LoadError::Unit { at: 304, error: UnitError::Rest, .. })), "{rest:?}");
    }
}

/// Puts the checksums of directory and footer right.
fn seal(file: &mut [u8], directory: usize) {
    let footer = file.len() - 32;
    for (from, to, crc_at) in
        [(directory, footer, directory + 8), (0, footer, footer + 16), (footer, footer + 32, footer + 28)]
    {
        if crc_at != footer + 16 {
            file[crc_at..crc_at + 4].fill(0);
        }
        let crc = Crc32Slicing.update(0, &file[from..to]);
        file[crc_at..crc_at + 4].copy_from_slice(&crc.to_le_bytes());
    }
}

#[test]
fn a_directory_that_points_to_other_units_is_refused_and_not_believed() {
    let good = good_file("v20-multi.sav");
    let stream = good.header.streamed.as_ref().unwrap();
    let directory = stream.directory_offset as usize;
    let entry = |index: usize| directory + 16 + 16 * index;
    let mut same = good.bytes();
    seal(&mut same, directory);
    assert!(same == good.bytes(), "sealed as the original was");
    // To another unit, into a unit, to the end unit.
    for offset in [stream.directory[3].offset, stream.directory[1].offset + 1, good.header.end_offset] {
        let mut file = good.bytes();
        file[entry(1)..entry(1) + 8].copy_from_slice(&offset.to_le_bytes());
        seal(&mut file, directory);
        let result = verify(&file);
        assert_eq!(kind(&result), "directory-entry", "offset {offset}");
        assert_eq!(result.unwrap_err().offset(), Some(entry(1) as u64));
        for loading in [Loading::Unverified, Loading::Verified] {
            let mut machine = Machine::of(&good);
            let entries = machine.entries();
            let loaded = loading.load(Disk::holding(&*file), &mut [0; 64], &mut machine, &Units::new(&entries));
            assert_eq!((kind(&loaded), machine.calls.len()), ("directory-entry", 0), "{loading:?}");
        }
        // A search goes through the file then.
        let (sought, mut found) = (&good.units[1], open_unchecked(&file));
        let unit = found.seek(UnitId::new(&sought.name, sought.instance)).unwrap();
        assert_eq!(unit.offset(), sought.offset);
    }
}
