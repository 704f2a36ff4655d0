//! Saving to a path: the old file survives every failure, and nothing else stays in the folder.

use ssm_core::{AfterSave, Cancel, Entry, Get, Put, Unit, UnitError, Units};
use ssm_std::{Codec, Error, LoadOptions, SaveFormat, SaveOptions, load_from_path, open_path, save_to_path};
use ssm_tests::machine::{Machine, UNITS};
use std::fs;
use std::path::Path;

const OLD: &[u8] = b"an old state";

/// Puts bytes one by one and fails in one of its hooks.
struct Faulty {
    prepare: bool,
    after: Option<usize>,
    panics: bool,
    done: bool,
}

const SIZE: usize = 300;
const FAULTY: Units<Faulty> = Units::new(&[Entry::new("faulty", |machine: &mut Faulty, _| machine)]);
const SOUND: Faulty = Faulty { prepare: false, after: None, panics: false, done: false };
const WHY: UnitError = UnitError::Invalid("as planned");

impl Unit for Faulty {
    fn save_prep(&mut self, _: AfterSave) -> Result<(), UnitError> {
        if self.prepare { Err(WHY) } else { Ok(()) }
    }

    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        for at in 0..SIZE {
            if self.after == Some(at) {
                assert!(!self.panics, "as planned");
                return Err(WHY);
            }
            put.u8(at as u8)?;
        }
        Ok(())
    }

    fn save_done(&mut self, _: AfterSave, _: bool) -> Result<(), UnitError> {
        if self.done { Err(WHY) } else { Ok(()) }
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        (0..SIZE).try_for_each(|at| (get.u8()? == at as u8).then_some(()).ok_or(WHY))
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Of both formats, each codec that it has.
fn each_codec(mut test: impl FnMut(&Path, (SaveFormat, Codec))) {
    let all = SaveFormat::ALL.into_iter().flat_map(|format| Codec::ALL.map(|codec| (format, codec)));
    for codec in all.filter(|codec| *codec != (SaveFormat::V2_0, Codec::Zlib)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        fs::write(&path, OLD).unwrap();
        test(&path, codec);
        assert_eq!(names(folder.path()), ["state"]);
    }
}

fn options((format, codec): (SaveFormat, Codec)) -> SaveOptions<'static> {
    SaveOptions { format, codec, ..SaveOptions::default() }
}

#[test]
fn a_unit_that_fails_in_any_phase_or_after_any_byte() {
    each_codec(|path, codec| {
        let faults = [Faulty { prepare: true, ..SOUND }, Faulty { done: true, ..SOUND }]
            .into_iter()
            .chain((0..SIZE).map(|at| Faulty { after: Some(at), ..SOUND }));
        for mut fault in faults {
            let error = save_to_path(path, &mut fault, &FAULTY, options(codec)).unwrap_err();
            assert!(!error.is_io());
            assert!(error.to_string().contains("as planned") && error.to_string().contains("state"), "{error}");
            assert_eq!(fs::read(path).unwrap(), OLD);
        }
        assert_eq!(names(path.parent().unwrap()), ["state"]);
        save_to_path(path, &mut { SOUND }, &FAULTY, options(codec)).unwrap();
        load_from_path(path, &mut { SOUND }, &FAULTY, LoadOptions::default()).unwrap();
    });
}

#[test]
fn a_unit_that_panics() {
    each_codec(|path, codec| {
        let save =
            || save_to_path(path, &mut Faulty { after: Some(200), panics: true, ..SOUND }, &FAULTY, options(codec));
        assert!(std::panic::catch_unwind(save).is_err());
        assert_eq!(fs::read(path).unwrap(), OLD);
    });
}

#[test]
fn a_save_that_is_cancelled_at_any_percent() {
    each_codec(|path, codec| {
        for at in 0..=98 {
            let cancel = Cancel::new();
            let mut progress = |percent| {
                if percent == at {
                    cancel.cancel();
                }
            };
            let options = SaveOptions { progress: Some(&mut progress), cancel: Some(&cancel), ..options(codec) };
            let error = save_to_path(path, &mut Machine::new(2000, 1), &UNITS, options).unwrap_err();
            assert!(error.to_string().contains("cancelled") && !error.is_io(), "{error}");
            assert_eq!(fs::read(path).unwrap(), OLD, "percent {at}");
            assert_eq!(names(path.parent().unwrap()), ["state"]);
        }
    });
}

#[test]
fn a_new_file_and_one_that_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    for size in [1000, 100, 5000] {
        let mut machine = Machine::new(size, size as u32);
        let len = save_to_path(&path, &mut machine, &UNITS, SaveOptions::default()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), len);
        assert_eq!(names(folder.path()), ["state"]);
        let mut loaded = machine.blank();
        load_from_path(&path, &mut loaded, &UNITS, LoadOptions::default()).unwrap();
        assert!(loaded.same_state(&machine));
        open_path(&path).unwrap().verify(&mut |_| ()).unwrap();
    }
}

/// The only test that depends on the working folder or changes it; the others use whole paths.
#[test]
fn a_path_without_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let before = std::env::current_dir().unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    for _ in 0..2 {
        save_to_path("state", &mut { SOUND }, &FAULTY, SaveOptions::default()).unwrap();
        load_from_path("state", &mut { SOUND }, &FAULTY, LoadOptions::default()).unwrap();
    }
    std::env::set_current_dir(before).unwrap();
    assert_eq!(names(folder.path()), ["state"]);
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_permissions_kept() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (there, here) = (folder.path().join("there"), folder.path().join("here"));
    fs::create_dir(&there).unwrap();
    fs::create_dir(&here).unwrap();
    let (target, link) = (there.join("state"), here.join("link"));
    fs::write(&target, OLD).unwrap();
    symlink(&target, &link).unwrap();
    for mode in [0o600, 0o640, 0o644, 0o666, 0o755] {
        fs::set_permissions(&target, fs::Permissions::from_mode(mode)).unwrap();
        save_to_path(&link, &mut { SOUND }, &FAULTY, SaveOptions::default()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!((names(&there), names(&here)), (vec!["state".into()], vec!["link".into()]));
        assert_eq!(fs::metadata(&target).unwrap().mode() & 0o777, mode);
        load_from_path(&target, &mut { SOUND }, &FAULTY, LoadOptions::default()).unwrap();
    }
}

#[test]
fn a_folder_that_is_not_there_is_the_systems_failure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, OLD).unwrap();
    let check = |path: &Path, error: Error| {
        assert!(error.is_io(), "{error}");
        assert_eq!(error.path(), path);
        assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    };
    for path in [folder.path().join("nowhere").join("state"), file.join("state"), folder.path().to_owned()] {
        let mut machine = Machine::new(10, 1);
        check(&path, save_to_path(&path, &mut machine, &UNITS, SaveOptions::default()).unwrap_err());
        check(&path, load_from_path(&path, &mut machine, &UNITS, LoadOptions::default()).unwrap_err());
        check(&path, open_path(&path).err().unwrap());
    }
    assert_eq!(names(folder.path()), ["file"]);
    assert_eq!(fs::read(&file).unwrap(), OLD);
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    let error = save_to_path(&link, &mut { SOUND }, &FAULTY, SaveOptions::default()).unwrap_err();
    assert!(error.is_io() && error.to_string().contains("follow the link"), "{error}");
    assert_eq!(names(folder.path()), ["link"]);
}
