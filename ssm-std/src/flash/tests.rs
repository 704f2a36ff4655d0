//! Slots over files, and what a power cut leaves of a disk with a cache.

use super::{Disk, FileFlash, FileFlashError, over};
use crate::{Buffered, Codec, Crc32Fast, decoder};
use ssm_core::embedded_io::{Read as _, Write as _};
use ssm_core::embedded_storage::nor_flash::{NorFlash, NorFlashErrorKind, ReadNorFlash};
use ssm_core::{Archive, Entry, Get, Loader, Put, RollbackError, Saved, Saver, Slots, Unit, UnitError, UnitId, Units};
use std::fs;
use std::io;
use std::path::Path;

struct Machine {
    clock: Clock,
    memory: Memory,
}
struct Clock(u32);
struct Memory(Vec<u8>);

impl Unit for Clock {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u32(self.0)
    }
    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        self.0 = get.u32()?;
        Ok(())
    }
}

impl Unit for Memory {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(&self.0)
    }
    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(&mut self.0)
    }
}

const UNITS: Units<Machine> = Units::new(&[
    Entry::new("clock", |machine: &mut Machine, _| &mut machine.clock),
    Entry::new("memory", |machine: &mut Machine, _| &mut machine.memory),
]);

impl Machine {
    fn new(clock: u32) -> Self {
        let memory = (0..20_000u32).map(|at| (at * clock / 64) as u8).collect();
        Self { clock: Clock(clock), memory: Memory(memory) }
    }
}

type Store<const WRITE: usize, const ERASE: usize> = Slots<'static, FileFlash<WRITE, ERASE>, Crc32Fast>;

fn mount<const WRITE: usize, const ERASE: usize>(path: &Path) -> Store<WRITE, ERASE> {
    let flash = FileFlash::<WRITE, ERASE>::open(path).unwrap();
    let range = 0..flash.capacity() as u32;
    Slots::mount_with(flash, range, 3, vec![0; 8192].leak(), Crc32Fast).unwrap()
}

fn save<const WRITE: usize, const ERASE: usize>(slots: &mut Store<WRITE, ERASE>, clock: u32) -> Saved {
    let mut scratch = vec![0; 1 << 16];
    let saved = slots
        .save(|out| Saver::streamed(out, Codec::Lzf.encoder(), &mut scratch).save(&mut Machine::new(clock), &UNITS));
    saved.unwrap()
}

/// The clock of the latest machine, all of which is as it was saved.
fn load<const WRITE: usize, const ERASE: usize>(slots: &mut Store<WRITE, ERASE>) -> u32 {
    let latest = slots.latest().unwrap();
    let mut loaded = Machine::new(0);
    let medium = slots.read(&latest).unwrap();
    Loader::new(medium, decoder(), &mut vec![0; 1 << 16]).load(&mut loaded, &UNITS).unwrap();
    assert!(loaded.memory.0 == Machine::new(loaded.clock.0).memory.0);
    let medium = slots.read(&latest).unwrap();
    let mut archive = Archive::open(medium, decoder(), vec![0; 1 << 16]).unwrap();
    archive.verify(&mut |_| ()).unwrap();
    assert_eq!(archive.seek(UnitId::new("clock", 0)).unwrap().read(|get| get.u32()).unwrap(), loaded.clock.0);
    loaded.clock.0
}

fn machines_come_and_go<const WRITE: usize, const ERASE: usize>(len: u32) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("states.flash");
    let flash = FileFlash::<WRITE, ERASE>::create(&path, len).unwrap();
    assert_eq!(flash.capacity(), len as usize - len as usize % ERASE);
    drop(flash);
    for clock in 1..=5 {
        let saved = save(&mut mount::<WRITE, ERASE>(&path), clock);
        let mut slots = mount::<WRITE, ERASE>(&path);
        assert_eq!((slots.latest(), load(&mut slots)), (Some(saved), clock));
    }
    let mut slots = mount::<WRITE, ERASE>(&path);
    for clock in [4, 3] {
        slots.rollback().unwrap();
        assert_eq!((load(&mut slots), load(&mut mount::<WRITE, ERASE>(&path))), (clock, clock));
    }
    assert!(matches!(slots.rollback(), Err(RollbackError::NoPrevious)));
    save(&mut slots, 6);
    assert_eq!(load(&mut mount::<WRITE, ERASE>(&path)), 6);
    assert_eq!(fs::metadata(&path).unwrap().len(), u64::from(len));
}

#[test]
fn machines_in_a_file() {
    machines_come_and_go::<1, 4096>(3 * 32768);
}

#[test]
fn machines_in_a_file_that_ends_in_a_block() {
    machines_come_and_go::<8, 4096>(3 * 32768 + 1234);
}

#[test]
fn machines_in_words_and_blocks_that_do_not_fit() {
    machines_come_and_go::<3, 1000>(3 * 32768 + 1);
}

#[test]
fn the_rules_of_flash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("states.flash");
    let mut flash = FileFlash::<4, 512>::create(&path, 1500).unwrap();
    let rule = |done: Result<(), FileFlashError>| match done {
        Err(FileFlashError::Rule(kind)) => kind,
        other => panic!("{other:?}"),
    };
    let (grid, end) = (NorFlashErrorKind::NotAligned, NorFlashErrorKind::OutOfBounds);
    assert_eq!((rule(flash.write(2, &[0; 4])), rule(flash.write(0, &[0; 3]))), (grid, grid));
    assert_eq!((rule(flash.erase(0, 100)), rule(flash.erase(4, 512))), (grid, grid));
    assert_eq!((rule(flash.write(1024, &[0; 4])), rule(flash.erase(512, 1536))), (end, end));
    assert_eq!((rule(flash.read(1020, &mut [0; 5])), rule(flash.read(u32::MAX, &mut [0]))), (end, end));
    assert_eq!(fs::read(&path).unwrap(), [0xff; 1500]);
    flash.write(508, &[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    let mut bytes = [0; 3];
    flash.read(511, &mut bytes).unwrap();
    assert_eq!(bytes, [4, 5, 6]);
    flash.erase(512, 1024).unwrap();
    assert_eq!(fs::read(&path).unwrap()[508..514], [1, 2, 3, 4, 0xff, 0xff]);
}

#[test]
fn files_that_are_there_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("states.flash");
    let missing = FileFlash::<1, 4096>::open(&path).unwrap_err();
    assert!(missing.is_io() && missing.path() == path);
    fs::write(&path, [7; 8192]).unwrap();
    FileFlash::<1, 4096>::create(&path, 4096).unwrap_err();
    let mut flash = FileFlash::<1, 4096>::open_read_only(&path).unwrap();
    assert!(matches!(flash.write(0, &[0]), Err(FileFlashError::Io(_))));
    assert!(matches!(flash.erase(0, 4096), Err(FileFlashError::Io(_))));
    assert_eq!(fs::read(&path).unwrap(), [7; 8192]);
    FileFlash::<1, 4096>::open(folder.path()).unwrap_err();
}

/// What is read from a slot of a file goes through the usual media of std, too.
#[test]
fn a_state_is_copied_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("states.flash");
    FileFlash::<1, 4096>::create(&path, 3 * 32768).unwrap();
    let mut slots = mount::<1, 4096>(&path);
    let saved = save(&mut slots, 7);
    let mut copy = vec![0; saved.len() as usize];
    slots.read(&saved).unwrap().read_exact(&mut copy).unwrap();
    let mut loaded = Machine::new(0);
    let medium = Buffered::new(io::Cursor::new(copy));
    Loader::new(medium, decoder(), &mut vec![0; 4096]).load(&mut loaded, &UNITS).unwrap();
    assert_eq!(loaded.clock.0, 7);
}

const SECTOR: usize = 512;

/// A disk with a cache. When its power goes, each sector that was not synced is as it was or as it was written.
#[derive(Clone)]
struct Cached {
    cache: Vec<u8>,
    durable: Vec<u8>,
    /// Writes and syncs until the power goes.
    left: u32,
    syncs: u32,
}

impl Cached {
    fn step(&mut self) -> io::Result<()> {
        self.left = self.left.checked_sub(1).ok_or_else(|| io::Error::other("no power"))?;
        Ok(())
    }

    /// Power again, after some of the sectors in the cache went to the disk.
    fn restart(&mut self, mut noise: u64) {
        for (durable, cache) in self.durable.chunks_mut(SECTOR).zip(self.cache.chunks(SECTOR)) {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if noise >> 63 == 1 {
                durable.copy_from_slice(cache);
            }
        }
        self.cache.clone_from(&self.durable);
        self.left = u32::MAX;
    }
}

impl Disk for &mut Cached {
    fn len(&mut self) -> io::Result<u64> {
        Ok(self.cache.len() as u64)
    }

    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()> {
        into.copy_from_slice(&self.cache[at as usize..][..into.len()]);
        Ok(())
    }

    /// Half of it is written if the power goes.
    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let step = self.step();
        let len = if step.is_ok() { bytes.len() } else { bytes.len() / 2 };
        self.cache[at as usize..][..len].copy_from_slice(&bytes[..len]);
        step
    }

    fn sync(&mut self) -> io::Result<()> {
        self.step()?;
        self.syncs += 1;
        self.durable.clone_from(&self.cache);
        Ok(())
    }
}

type CachedStore<'d> = Slots<'static, FileFlash<1, 4096, &'d mut Cached>>;

fn mount_cached(disk: &mut Cached) -> CachedStore<'_> {
    let flash = over(disk).unwrap();
    Slots::mount(flash, 0..4 * 4096, vec![0; 1024].leak()).unwrap()
}

fn content(disk: &mut Cached) -> Vec<u8> {
    let mut slots = mount_cached(disk);
    let latest = slots.latest().unwrap();
    let mut bytes = vec![0; latest.len() as usize];
    slots.read(&latest).unwrap().read_exact(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_disk_that_loses_what_was_not_synced() {
    let bytes = vec![0x5a; 4 * 4096];
    let mut start = Cached { cache: bytes.clone(), durable: bytes, left: u32::MAX, syncs: 0 };
    let [old, new] = [1, 2].map(|seed: u32| (0..6000u32).map(|at| (at * seed / 7) as u8).collect::<Vec<_>>());
    mount_cached(&mut start).save(|out| out.write_all(&[9; 5000])).unwrap();
    mount_cached(&mut start).save(|out| out.write_all(&old)).unwrap();
    let (mut olds, mut news) = (0, 0);
    for left in 0.. {
        let mut acknowledged = false;
        for noise in 0..200 {
            let mut disk = Cached { left, ..start.clone() };
            acknowledged = mount_cached(&mut disk).save(|out| out.write_all(&new)).is_ok();
            disk.restart(noise << 32 | u64::from(left));
            let found = content(&mut disk);
            assert!(found == new || (found == old && !acknowledged), "after {left} steps");
            if found == new {
                news += 1
            } else {
                olds += 1
            }
            mount_cached(&mut disk).save(|out| out.write_all(b"on")).unwrap();
            assert_eq!(content(&mut disk), b"on");
        }
        if acknowledged {
            break;
        }
    }
    assert!(olds > 1000 && news > 200, "{olds} old, {news} new");
    let before = start.syncs;
    mount_cached(&mut start).save(|out| out.write_all(&new)).unwrap();
    assert_eq!(start.syncs - before, 1 + 6 + 1, "the erase, 6 pages, the record");
}
