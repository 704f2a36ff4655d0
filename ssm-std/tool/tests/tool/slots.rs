use crate::files::{names, noise};
use crate::{Run, assert_narrow, golden, manifest, ssm};
use serde_json::json;
use ssm_core::embedded_io::Write;
use ssm_core::embedded_storage::nor_flash::ReadNorFlash;
use ssm_core::{Crc32, Slots};
use ssm_std::{Crc32Fast, FileFlash};
use std::fs;
use std::ops::Range;
use std::path::Path;
use tempfile::TempDir;

const SLOT: usize = 0xc000;

/// An image with the states of these bytes, saved one after the other into `count` slots of `range`.
fn image_of<const WRITE: usize, const ERASE: usize>(
    path: &Path,
    range: Range<u32>,
    count: u8,
    states: &[&[u8]],
) -> Vec<u8> {
    if !path.exists() {
        FileFlash::<WRITE, ERASE>::create(path, range.end).unwrap();
    }
    let flash = FileFlash::<WRITE, ERASE>::open(path).unwrap();
    assert!(flash.capacity() >= range.end as usize);
    let mut slots = Slots::mount_with(flash, range, count, vec![0; 4096].leak(), Crc32Fast).unwrap();
    for state in states {
        slots.save(|out| out.write_all(state)).unwrap();
    }
    fs::read(path).unwrap()
}

struct Image {
    folder: TempDir,
    bytes: Vec<u8>,
}

impl Image {
    /// Two slots, with the states of these golden files.
    fn new(states: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let states: Vec<_> = states.iter().map(|name| fs::read(golden(name)).unwrap()).collect();
        let states: Vec<_> = states.iter().map(Vec::as_slice).collect();
        let bytes = image_of::<1, 4096>(&folder.path().join("flash.bin"), 0..2 * SLOT as u32, 2, &states);
        Self { folder, bytes }
    }

    fn holding(bytes: Vec<u8>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("flash.bin"), &bytes).unwrap();
        Self { folder, bytes }
    }

    fn path(&self) -> String {
        self.folder.path().join("flash.bin").to_str().unwrap().to_owned()
    }

    fn flip(&mut self, at: usize) {
        self.bytes[at] ^= 1;
        fs::write(self.path(), &self.bytes).unwrap();
    }

    /// Runs the tool, which never changes the image.
    fn run(&self, arguments: &[&str]) -> Run {
        let path = self.path();
        let run = ssm([&["slots", &path], arguments].concat());
        assert!(fs::read(&path).unwrap() == self.bytes);
        assert_narrow(&run.error);
        run
    }

    /// What comes of the extraction of a slot.
    fn extract(&self, slot: &str, more: &[&str]) -> Result<Vec<u8>, (Option<i32>, String)> {
        let out = self.folder.path().join("out.sav");
        let run = self.run(&[more, &["-o", out.to_str().unwrap(), "--extract", slot]].concat());
        assert_eq!(run.text(), "");
        if run.code != Some(0) {
            assert!(!out.exists());
            return Err((run.code, run.said()));
        }
        let bytes = fs::read(&out).unwrap();
        fs::remove_file(out).unwrap();
        Ok(bytes)
    }
}

fn crc(bytes: &[u8]) -> String {
    format!("{:08x}", Crc32Fast.update(0, bytes))
}

#[test]
fn listed_with_the_latest() {
    let names = ["v12-multi.sav", "v20-multi.sav", "v12-nounits.sav"];
    let image = Image::new(&names);
    let [_, two, three] = names.map(|name| fs::read(golden(name)).unwrap());
    let row = |slot: usize, generation: u64, state: &[u8]| {
        json!({"slot": slot, "offset": slot * SLOT, "generation": generation, "bytes": state.len(),
            "crc32": crc(state), "whole": true, "error": null})
    };
    let store = json!([{"offset": 0, "slot_bytes": SLOT, "latest": 0, "slots": [row(0, 3, &three), row(1, 2, &two)]}]);
    for more in [&[][..], &["--verify"], &["--slots", "2"], &["--offset", "0", "--write-size", "4"]] {
        assert_eq!(image.run(&[&["--json"], more].concat()).fine().json(), store, "{more:?}");
    }
    let text = image.run(&[]).fine();
    assert_narrow(text.text());
    let lines: Vec<Vec<_>> = text.text().lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(text.text().lines().next(), Some("store at 0x0, slots of 48 KiB (49152)"));
    assert_eq!(lines[1], ["SLOT", "OFFSET", "GENERATION", "BYTES", "CRC-32", "STATE"]);
    let bytes = |state: &[u8]| format!("({})", state.len());
    assert_eq!(lines[2][..3], ["0", "0x0", "3"]);
    assert_eq!(lines[2][3..], [&three.len().to_string(), &crc(&three), "whole,", "latest"]);
    assert_eq!(lines[3][..3], ["1", "0xc000", "2"]);
    assert_eq!(lines[3][4..], ["KiB", &bytes(&two), &crc(&two), "whole"]);
    assert_eq!(lines.len(), 4);
    assert!(image.run(&["--verify"]).fine().text().contains("sound, latest"));
}

#[test]
fn extracted_as_saved() {
    let image = Image::new(&["v12-multi.sav", "v20-multi.sav"]);
    let [one, two] = ["v12-multi.sav", "v20-multi.sav"].map(|name| fs::read(golden(name)).unwrap());
    assert_eq!(image.extract("latest", &[]).unwrap(), two);
    assert_eq!(image.extract("0", &[]).unwrap(), one);
    assert_eq!(image.extract("1", &["--slots", "2"]).unwrap(), two);
    assert_eq!(image.extract("0", &["--offset", "0xc000"]).unwrap(), two);
    let path = image.path();
    assert_eq!(image.extract("2", &[]), Err((Some(2), format!("error: {path}: no state in slot 2\n"))));
    assert_eq!(names(image.folder.path()), ["flash.bin"]);
}

#[test]
fn every_golden_file_goes_through_a_slot() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flash.bin");
    for file in manifest("good").iter().step_by(5) {
        let state = fs::read(golden(file["file"].as_str().unwrap())).unwrap();
        if state.len() > 65_000 {
            continue;
        }
        let bytes = image_of::<4, 4096>(&path, 0..1 << 17, 2, &[&state]);
        let image = Image::holding(bytes);
        image.run(&["--verify"]).fine();
        assert!(image.extract("latest", &[]).unwrap() == state);
    }
}

#[test]
fn a_damaged_state_is_not_the_latest() {
    let mut image = Image::new(&["v12-multi.sav", "v20-multi.sav"]);
    image.flip(SLOT + 56 + 100);
    let json = image.run(&["--json"]).fine().json();
    assert_eq!((&json[0]["latest"], &json[0]["slots"][1]["whole"]), (&json!(0), &json!(false)));
    let checked = image.run(&["--json", "--verify"]);
    assert_eq!(checked.code, Some(1));
    assert_eq!(checked.json()[0]["slots"][1]["error"]["kind"], "content");
    let text = image.run(&["--verify"]);
    assert_eq!(text.code, Some(1));
    assert!(text.text().contains("damaged\n") && text.text().contains("sound, latest\n"), "{}", text.text());
    assert_eq!(image.extract("latest", &[]).unwrap(), fs::read(golden("v12-multi.sav")).unwrap());
    // That it is not the newest is told, and why.
    let out = image.folder.path().join("older.sav");
    let words = "slot 0 with generation 1 is taken: slot 1 with generation 2 is newer, but damaged: \
                 the content does not have the CRC-32 of its commit record";
    let note = format!("note: {}: {words}\n", image.path());
    image.run(&["--extract", "latest", "-o", out.to_str().unwrap()]).saying(&note);
    image.run(&["--extract", "latest", "-o", out.to_str().unwrap(), "--slots", "2"]).saying(&note);
    image.run(&["--extract", "0", "-o", out.to_str().unwrap()]).fine();
    fs::remove_file(out).unwrap();
    let (code, said) = image.extract("1", &[]).unwrap_err();
    assert_eq!(code, Some(1));
    assert!(said.ends_with("slot 1: the content does not have the CRC-32 of its commit record\n"), "{said}");

    image.flip(56);
    let text = image.run(&[]).fine();
    assert!(text.text().ends_with("no state is whole\n"), "{}", text.text());
    assert_eq!((image.run(&["--verify"]).code, image.extract("latest", &[]).unwrap_err().0), (Some(1), Some(1)));

    // Without its record there is no state.
    image.flip(SLOT + 12);
    assert_eq!(image.run(&["--json"]).fine().json()[0]["slots"].as_array().unwrap().len(), 1);
    let slots = image.run(&["--json", "--slots", "2"]).fine().json();
    assert_eq!((&slots[0]["slots"][1]["slot"], &slots[0]["slots"][1]["generation"]), (&json!(1), &json!(null)));
    assert!(image.run(&["--slots", "2"]).fine().text().contains("none\n"));
    image.flip(12);
    image.run(&[]).failed(1, &format!("error: {}: no commit record of a saved state found\n", image.path()));
}

#[test]
fn whole_bytes_that_are_no_sound_state() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bad) = (folder.path().join("flash.bin"), fs::read(golden("../bad/v12-lzf-magic.sav")).unwrap());
    let image = Image::holding(image_of::<8, 4096>(&path, 0..3 * SLOT as u32, 3, &[b"text", &bad]));
    let checked = image.run(&["--json", "--verify"]);
    assert_eq!(checked.code, Some(1));
    let json = checked.json();
    let kind = |slot: usize| &json[0]["slots"][slot]["error"]["kind"];
    assert_eq!((kind(0), kind(1), &json[0]["latest"]), (&json!("magic"), &json!("packed"), &json!(1)));
    assert!(image.run(&["--verify"]).text().contains("damaged (packed), latest\n"));
    assert_eq!(image.extract("0", &[]).unwrap(), b"text");
}

fn any_words<const WRITE: usize>(state: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flash.bin");
    let image = Image::holding(image_of::<WRITE, 4096>(&path, 8192..8192 + 3 * 8192, 3, &[b"", state]));
    assert_eq!(image.extract("latest", &[]).unwrap(), state, "words of {WRITE}");
    assert_eq!(image.run(&["--json"]).fine().json()[0]["offset"], 8192);
    assert_eq!(image.extract("1", &["--offset", "8192", "--slots", "3"]).unwrap(), state);
}

#[test]
fn words_are_found_out() {
    for state in [&[0xff; 300][..], &noise(500), b"\xff\xff\xff\xff\xff\xff\xff\xffbehind ones"] {
        any_words::<1>(state);
        any_words::<4>(state);
        any_words::<8>(state);
        any_words::<16>(state);
        any_words::<32>(state);
        any_words::<64>(state);
        any_words::<128>(state);
        any_words::<256>(state);
    }
}

#[test]
fn words_and_blocks_that_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flash.bin");
    let state = noise(1500);
    let image = Image::holding(image_of::<12, 1000>(&path, 1000..7000, 3, &[&state, b"\xff\xff", &state]));
    let geometry = ["--offset", "1000", "--slots", "3", "--write-size", "12"];
    assert_eq!(image.extract("2", &geometry).unwrap(), state);
    assert_eq!(image.extract("1", &geometry).unwrap(), b"\xff\xff");
    let uneven = ["--offset", "1000", "--length", "5999", "--slots", "2", "--write-size", "12"];
    let run = image.run(&uneven);
    assert_eq!(run.code, Some(2));
    assert!(run.said().ends_with("5999 bytes do not divide evenly by 2: give --erase-size too\n"), "{}", run.error);
    // Slots of 2000 bytes after all.
    assert_eq!(image.extract("1", &[&uneven[..], &["--erase-size", "1000"]].concat()).unwrap(), b"\xff\xff");
    let rest = ["--offset", "0x3e8", "--slots", "3", "--write-size", "12", "--erase-size", "1000"];
    assert_eq!(image.extract("latest", &rest).unwrap(), state);
}

#[test]
fn several_stores() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flash.bin");
    fs::write(&path, noise(1 << 18)).unwrap();
    image_of::<1, 4096>(&path, 0x5000..0x9000, 2, &[b"one", b"two"]);
    // A state that holds an image of slots: its records are content.
    let inner = fs::read(&path).unwrap()[0x5000..0x9000].to_vec();
    let image = Image::holding(image_of::<1, 4096>(&path, 0x1_0000..0x3_8000, 2, &[&inner]));
    let json = image.run(&["--json"]).fine().json();
    let stores: Vec<_> =
        json.as_array().unwrap().iter().map(|store| (&store["offset"], &store["slot_bytes"])).collect();
    assert_eq!(stores, [(&json!(0x5000), &json!(0x2000)), (&json!(0x1_0000), &json!(0x1_4000))]);
    let (code, said) = image.extract("latest", &[]).unwrap_err();
    assert_eq!(code, Some(2));
    assert!(said.contains("several stores, at 0x5000, 0x10000: choose one"), "{said}");
    assert_eq!(image.extract("latest", &["--length", "0x9000"]).unwrap(), b"two");
    assert_eq!(image.extract("latest", &["--offset", "0x9000"]).unwrap(), inner);
}

/// A commit record as SLOTS.md describes it.
fn record(slot_len: u32, generation: u64, len: u32, crc: u32) -> Vec<u8> {
    let mut half = b"SLOT".to_vec();
    half.extend(slot_len.to_le_bytes());
    half.extend(generation.to_le_bytes());
    half.extend(len.to_le_bytes());
    half.extend(crc.to_le_bytes());
    half.extend(Crc32Fast.update(0, &half).to_le_bytes());
    let complement: Vec<u8> = half.iter().map(|byte| !byte).collect();
    [half, complement].concat()
}

#[test]
fn forged_images_end() {
    let sizes = [0, 56, 57, 1 << 20, u32::MAX];
    for slot_len in sizes {
        for len in sizes {
            // Records everywhere, each of which claims much.
            let forged = record(slot_len, u64::MAX, len, 7).repeat(1 << 12);
            let image = Image::holding([vec![0; 3], forged].concat());
            for more in [&[][..], &["--verify"], &["--slots", "2"], &["--slots", "255", "--erase-size", "64"]] {
                let run = image.run(&[&["--json"], more].concat());
                assert!(matches!(run.code, Some(0..=2)), "{slot_len}, {len}: {:?}, {}", run.code, run.error);
            }
        }
    }
}

#[test]
fn an_image_that_is_cut() {
    let whole = Image::new(&["v12-multi.sav", "v20-multi.sav"]);
    let one = fs::read(golden("v12-multi.sav")).unwrap();
    let two = fs::read(golden("v20-multi.sav")).unwrap();
    let ends = [0, 1, 55, 56, 57, 56 + one.len(), SLOT, SLOT + 55, SLOT + 56, SLOT + 57, SLOT + 56 + two.len()];
    for end in ends.into_iter().flat_map(|end: usize| [end.saturating_sub(1), end]) {
        let image = Image::holding(whole.bytes[..end].to_vec());
        let expected = match end {
            _ if end >= SLOT + 56 + two.len() => Some(&two),
            _ if end >= 56 + one.len() => Some(&one),
            _ => None,
        };
        assert_eq!(image.extract("latest", &[]).ok().as_ref(), expected, "{end} bytes");
    }
}

/// Records across the pieces that an image is read in.
#[test]
fn a_record_at_any_place() {
    for place in (0x2_0000 - 60..0x2_0004).chain([0x3_ffc8, 0x3_ffff, 0x4_0000]) {
        let image =
            Image::holding([noise(place), record(4096, 5, 3, Crc32Fast.update(0, b"abc")), b"abc".to_vec()].concat());
        let json = image.run(&["--json"]).fine().json();
        assert_eq!((json[0]["slots"].as_array().unwrap().len(), &json[0]["offset"]), (1, &json!(place)));
    }
}

#[test]
fn wrong_use_of_slots() {
    let image = Image::new(&["v12-multi.sav"]);
    for arguments in [
        &["--slots", "1"][..],
        &["--slots", "256"],
        &["--erase-size", "4096"],
        &["--slots", "2", "--erase-size", "0"],
        &["--write-size", "0"],
        &["--offset", "-1"],
        &["--extract", "latest"],
        &["--extract", "newest", "-o", "out"],
        &["--extract", "latest", "-o", "out", "--json"],
        &["-o", "out"],
        &["--offset", "0x18001"],
        &["--length", "0x18001"],
        &["--offset", "1", "--length", "0xffffffffffffffff"],
        &["--slots", "255", "--length", "255"],
    ] {
        let run = image.run(arguments);
        assert_eq!((run.code, run.text()), (Some(2), ""), "{arguments:?}");
    }
    ssm(["slots", "no-such-file"])
        .failed(3, "error: no-such-file: cannot open: No such file or directory (os error 2)\n");
    ssm(["slots", ".."]).failed(3, "error: ..: cannot open: is a directory\n");
    let out = image.folder.path().join("missing").join("out");
    assert_eq!(image.run(&["--extract", "latest", "-o", out.to_str().unwrap()]).code, Some(3));
}
