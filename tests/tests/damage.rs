//! Damaged files, each with the error that it must give: to a check of the whole file, to a loader, to a search for one
//! unit. Where the original readers were wrong or disagreed, the reason for the decision stands beside it; Q numbers are
//! those of SPEC.md.

use ssm_core::embedded_io::ErrorKind;
use ssm_core::{
    AfterLoad, Archive, Crc32Slicing, FormatError, LoadError, Loader, MAX_STRING, Memory, Missing, Policy, Report,
    UnitError, UnitId, Units, Unknown,
};
use ssm_std::{Decoder, decoder};
use ssm_tests::golden::{Bad, Call, Machine, Reading, bad_patched, good_file};
use std::collections::BTreeMap;

type Opened<'f> = Archive<Memory<&'f [u8]>, Decoder, Vec<u8>, Crc32Slicing>;
type Result<T> = std::result::Result<T, LoadError<ErrorKind>>;
const OK: &str = "ok";

/// File, what checking all of it says and at which offset, what a loader says whose units read what was put.
const EXPECTED: &[(&str, &str, u64, &str)] = &[
    ("v11-magic-pad.sav", "version", 23, "version"), // either: Q2, a writer pads with zeros
    ("v12-bool-2.sav", OK, 0, OK),                   // Q22
    ("v12-cbfile-plus1.sav", "size", 32, "size"),
    ("v12-cbgcphys-3.sav", "width", 77, "width"),
    ("v12-cbgcptr-2.sav", "width", 78, "width"),
    ("v12-cbunit-hdr-only.sav", "unit-length", 196, "unit-length"),
    ("v12-cbunit-minus1.sav", "unit-magic", 419, "unit-magic"),
    ("v12-cbunit-plus1.sav", "unit-magic", 421, "unit-magic"),
    ("v12-cchname-0.sav", "unit-name", 196, "unit-name"),
    ("v12-cchname-huge.sav", "unit-name", 196, "unit-name"),
    ("v12-crc-field.sav", "crc", 40, "crc"),
    ("v12-end-fields.sav", OK, 0, OK),     // Q13
    ("v12-gcptr-overflow.sav", OK, 0, OK), // the file is sound; see `narrow_machines_refuse_wide_addresses`
    ("v12-hostbits-0.sav", "width", 76, "width"),
    ("v12-hostbits-33.sav", "width", 76, "width"),
    ("v12-lzf-cbdata-0.sav", "packed", 231, "packed"),
    ("v12-lzf-crc-garbage.sav", OK, 0, OK), // Q19
    ("v12-lzf-extra.sav", OK, 0, OK),       // either: it decodes, and what a unit leaves is skipped
    ("v12-lzf-magic.sav", "packed", 231, "packed"),
    ("v12-lzf-trunc-data.sav", "packed-end", 564, "packed-end"), // Q17; the originals load wrong data
    ("v12-lzf-un-0.sav", "packed", 231, "packed"),
    ("v12-lzf-un-less.sav", "packed", 539, "packed"),
    ("v12-magic-byte0.sav", "magic", 0, "magic"),
    ("v12-missing-unit.sav", OK, 0, "missing-unit"), // the policy decides
    ("v12-no-end.sav", "unit-length", 5873, "unit-length"), // the last unit leaves no room for an end record
    ("v12-reads-too-much-debugit.sav", OK, 0, OK),   // the file is sound; see `reading_too_much`
    ("v12-reserved44-nocrc.sav", "crc", 40, "crc"),
    ("v12-reserved79.sav", OK, 0, OK),                // Q3
    ("v12-ssm-long-var.sav", OK, 0, "too-long"), // either: packed soundly, what it says is for whoever reads it (Q25)
    ("v12-ssm-version-2.sav", OK, 0, "unit-version"), // either: the same
    ("v12-store-short.sav", OK, 0, "unit-end"),  // Q17 does not help: stored bytes have no end of their own
    ("v12-string-too-long.sav", OK, 0, "too-long"),
    ("v12-struct-end.sav", OK, 0, "marker"),
    ("v12-svnrev-10000001.sav", "writer", 72, "writer"),
    ("v12-tail-last-byte.sav", OK, 0, OK), // Q1, Q13
    ("v12-trailing-byte.sav", "size", 32, "size"),
    ("v12-trunc-16.sav", "truncated", 0, "truncated"),
    ("v12-trunc-60.sav", "truncated", 0, "truncated"),
    ("v12-trunc-half.sav", "size", 32, "size"),
    ("v12-unit-magic-byte6.sav", "unit-magic", 196, "unit-magic"),
    ("v12-unit-magic.sav", "unit-magic", 196, "unit-magic"),
    ("v12-unknown-name-debugit.sav", OK, 0, "unknown-unit"), // the policy decides
    ("v12-uuid.sav", "machine", 48, "machine"),              // either: Q9, all readers refuse it
    ("v12-vermajor-1001.sav", "writer", 64, "writer"),
    ("v12-version-1.3.sav", "version", 23, "version"),
    ("v12-zip-empty.sav", OK, 0, "unit-end"), // a unit may be empty; this one's loader wants more
    ("v12-ziptype-0.sav", "codec", 230, "codec"),
    ("v12-ziptype-255.sav", "codec", 230, "codec"),
    ("v12-ziptype-6.sav", "codec", 230, "codec"),
    ("v12-ziptype-8.sav", "codec", 230, "codec"),
    ("v12-zlib-adler.sav", "packed", 367, "packed"), // Q21; see `a_wrong_adler_32_is_seen_at_the_end_of_the_stream`
    ("v12-zlib-header.sav", "packed", 231, "packed"),
    ("v12-zlib-raw-type8.sav", "codec", 230, "codec"), // either: no reader of 1.x units knew the tag before 2022
    ("v12-zlib-trunc.sav", "packed-end", 361, "packed-end"),
];

/// Files that 3.0.2 loads and a plain load here does not, or the other way round.
const LOADED_OTHERWISE: &[&str] =
    &["v11-magic-pad.sav", "v12-gcptr-overflow.sav", "v12-missing-unit.sav", "v12-unknown-name-debugit.sav"];

fn open(file: &[u8]) -> Result<Opened<'_>> {
    Archive::open_with(Memory::holding(file), decoder(), vec![0; 4096], Crc32Slicing)
}

fn verify(file: &[u8]) -> Result<()> {
    open(file)?.verify(&mut |_| ())
}

fn kind<T>(result: &Result<T>) -> &'static str {
    result.as_ref().err().map_or(OK, LoadError::kind)
}

fn file(name: &str) -> Bad {
    bad_patched().into_iter().find(|bad| bad.file == name).expect("a file of the manifest")
}

/// How a file is loaded, by units that are those of the file before it was damaged.
#[derive(Clone, Copy, Default)]
struct Load {
    reading: Reading,
    policy: Policy,
    after: AfterLoad,
}

impl Load {
    fn of(self, bad: &Bad, scratch: usize) -> (Result<()>, Vec<Call>, Vec<Report>) {
        let mut machine = Machine::of(&bad.undamaged()).reading(self.reading);
        let entries = machine.entries();
        let mut reports = Vec::new();
        let result = Loader::new(Memory::holding(bad.bytes()), decoder(), &mut vec![0; scratch])
            .crc32(Crc32Slicing)
            .policy(self.policy)
            .after(self.after)
            .report(&mut |what| reports.push(what))
            .load(&mut machine, &Units::new(&entries));
        (result.map(|_| ()), machine.calls, reports)
    }

    fn result(self, name: &str) -> Result<()> {
        self.of(&file(name), 4096).0
    }
}

#[test]
fn the_table_has_every_file_once() {
    let files: Vec<String> = bad_patched().into_iter().map(|bad| bad.file).collect();
    assert_eq!(files, EXPECTED.iter().map(|row| row.0).collect::<Vec<_>>());
}

#[test]
fn checking_the_whole_file() {
    for (bad, (_, expected, offset, _)) in bad_patched().iter().zip(EXPECTED) {
        let result = verify(&bad.bytes());
        assert_eq!(kind(&result), *expected, "{}: {}", bad.file, bad.damage);
        match &*bad.verify {
            "accept" => assert_eq!(*expected, OK, "{}", bad.file),
            "reject" => assert_ne!(*expected, OK, "{}", bad.file),
            other => assert_eq!(other, "either"),
        }
        if let Err(error) = result {
            assert_eq!(error.offset(), Some(*offset), "{}: {error}", bad.file);
        }
    }
}

#[test]
fn loading() {
    let load = Load { reading: Reading::Items, ..Load::default() };
    for (bad, (_, _, _, expected)) in bad_patched().iter().zip(EXPECTED) {
        for scratch in [1, 7, 4096] {
            let (result, calls, _) = load.of(bad, scratch);
            assert_eq!(kind(&result), *expected, "{}, scratch {scratch}: {}", bad.file, bad.damage);
            // Either no unit was touched, or all that were prepared are told how it ended.
            let prepared = calls.iter().filter(|call| matches!(call, Call::Prepare(_))).count();
            let done = calls.iter().filter(|call| matches!(call, Call::Done(_, ok) if *ok == result.is_ok())).count();
            assert_eq!(prepared, done, "{}", bad.file);
            // Damage is met before any hook; what a unit makes of sound data is its own.
            let in_a_unit = matches!(result, Err(LoadError::Unit { .. })) && !bad.file.starts_with("v12-ssm-");
            assert_eq!(calls.is_empty(), result.is_err() && !in_a_unit, "{}", bad.file);
            assert!(calls.is_empty() || bad.verify != "reject", "{}", bad.file);
        }
        let loaded_by_original = bad.results["vbox_3_0_load"] == "VINF_SUCCESS";
        let otherwise = loaded_by_original != (*expected == OK);
        assert_eq!(otherwise, LOADED_OTHERWISE.contains(&&*bad.file), "{}", bad.file);
    }
}

#[test]
fn seeking_one_unit() {
    // The later reader's answers hold but for the lengths that it trusted (Q15), and for its "end of file".
    let expected = BTreeMap::from([
        ("v12-cbunit-hdr-only.sav omega/0", "unit-length"),
        ("v12-cchname-0.sav omega/0", "unit-name"),
        ("v12-cchname-huge.sav omega/0", "unit-name"),
        ("v12-missing-unit.sav alpha/1", "not-found"),
        ("v12-no-end.sav nosuch/0", "unit-length"),
        ("v12-unit-magic-byte6.sav alpha/1", "unit-magic"),
        ("v12-unit-magic.sav omega/0", "unit-magic"),
    ]);
    let mut found = BTreeMap::new();
    for bad in bad_patched() {
        let bytes = bad.bytes();
        for sought in bad.results.keys().filter_map(|key| key.strip_prefix("vbox_7_seek ")) {
            let (name, instance) = sought.split_once('/').unwrap();
            let mut archive = open(&bytes).unwrap();
            let result = archive.seek(UnitId::new(name, instance.parse().unwrap()));
            found.insert(format!("{} {sought}", bad.file), kind(&result));
        }
    }
    assert!(found.iter().map(|(sought, kind)| (&**sought, *kind)).eq(expected));
}

#[test]
fn seeking_takes_name_and_instance_together() {
    let bytes = good_file("v12-multi.sav").bytes();
    let mut archive = open(&bytes).unwrap();
    for (instance, value) in [(1, 0xa1), (u32::MAX, 0xa2), (0, 0xa0)] {
        let mut unit = archive.seek(UnitId::new("alpha", instance)).unwrap();
        assert_eq!(unit.read(|get| get.u32()).unwrap(), value);
    }
    for (name, instance) in [("alpha", 2), ("alph", 0), ("alphaa", 0), ("beta", 0), ("", 0)] {
        assert_eq!(kind(&archive.seek(UnitId::new(name, instance))), "not-found", "{name}/{instance}");
    }
}

#[test]
fn reading_too_much() {
    let name = "v12-reads-too-much-debugit.sav";
    let reading = Reading::Beyond(70000);
    let result = Load { reading, ..Load::default() }.result(name);
    assert!(matches!(result, Err(LoadError::Unit { at: 4, error: UnitError::End, .. })), "{result:?}");
    // Q24
    Load { reading, after: AfterLoad::Debug, ..Load::default() }.result(name).unwrap();
}

#[test]
fn unknown_units() {
    let bad = file("v12-unknown-name-debugit.sav");
    let policy = Policy { missing: Missing::Accept, ..Policy::default() };
    let Err(LoadError::UnknownUnit(unit)) = (Load { policy, ..Load::default() }).result(&bad.file) else {
        panic!("an unknown unit");
    };
    assert_eq!((unit.name(), unit.instance, unit.version, unit.offset), (&b"alphx"[..], 1, 2, 196));
    // Q24; the unit that it was before the damage is missing then.
    let debug = Load { policy, after: AfterLoad::Debug, ..Load::default() }.of(&bad, 4096);
    let skip = Policy { unknown: Unknown::Skip, ..policy };
    let skipped = Load { policy: skip, ..Load::default() }.of(&bad, 4096);
    for (result, calls, reports) in [debug, skipped] {
        result.unwrap();
        assert_eq!(reports, [Report::Skipped(unit)]);
        assert!(!calls.contains(&Call::Load(1, 2)) && calls.contains(&Call::Load(0, 1)));
    }
}

#[test]
fn missing_units() {
    let bad = file("v12-missing-unit.sav");
    let with = |missing| {
        let policy = Policy { missing, ..Policy::default() };
        Load { policy, ..Load::default() }.of(&bad, 4096)
    };
    let alpha = UnitId::new("alpha", 1);
    assert_eq!(with(Missing::Refuse).0, Err(LoadError::MissingUnit(alpha)));
    let (result, calls, reports) = with(Missing::Accept);
    assert_eq!((result, reports.is_empty()), (Ok(()), true));
    assert!(!calls.contains(&Call::Load(1, 2)) && calls.contains(&Call::Done(1, true)));
    let (result, _, reports) = with(Missing::Report);
    assert_eq!((result, &reports[..]), (Ok(()), &[Report::Missing(alpha)][..]));
}

#[test]
fn narrow_machines_refuse_wide_addresses() {
    let result = Load { reading: Reading::Narrow, ..Load::default() }.result("v12-gcptr-overflow.sav");
    let Err(LoadError::Unit { error, .. }) = result else { panic!("{result:?}") };
    assert_eq!(error, UnitError::overflow(0xffff_8000_1234_5678));
}

#[test]
fn strings_are_bounded_by_the_format() {
    let result = Load::default().result("v12-string-too-long.sav");
    let Err(LoadError::Unit { error, .. }) = result else { panic!("{result:?}") };
    assert_eq!(error, UnitError::TooLong { found: 2 << 20, max: MAX_STRING });
}

#[test]
fn a_wrong_adler_32_is_seen_at_the_end_of_the_stream() {
    let name = "v12-zlib-adler.sav";
    for reading in [Reading::Exact, Reading::Items] {
        assert_eq!(kind(&Load { reading, ..Load::default() }.result(name)), "packed", "{reading:?}");
    }
    // Where units are decoded only while they load, who does not read to the end does not see it.
    for (reading, expected) in [(Reading::Exact, "packed"), (Reading::Items, OK)] {
        let bad = file(name);
        let mut machine = Machine::of(&bad.undamaged()).reading(reading);
        let entries = machine.entries();
        let (bytes, mut scratch) = (bad.bytes(), [0; 4096]);
        let loaded = Loader::unverified(Memory::holding(&*bytes), decoder(), &mut scratch)
            .load(&mut machine, &Units::new(&entries));
        assert_eq!(kind(&loaded), expected, "{reading:?}");
    }
}

#[test]
fn bytes_behind_the_end_record() {
    // Q14: ignored where size and CRC count them.
    let mut bytes = good_file("v12-multi.sav").bytes();
    let last_unit = bytes.len() - 28;
    bytes.extend(b"more");
    let len = bytes.len();
    bytes[32..40].copy_from_slice(&(len as u64).to_le_bytes());
    let covered = 44..44 + len - 80;
    let crc = ssm_core::Crc32::update(&mut Crc32Slicing, 0, &bytes[covered]);
    bytes[40..44].copy_from_slice(&crc.to_le_bytes());
    verify(&bytes).unwrap();
    // But they are no end record.
    bytes[last_unit] = b'?';
    let result = verify(&bytes);
    assert!(matches!(result, Err(LoadError::Format { error: FormatError::UnitMagic { .. }, .. })), "{result:?}");
}
