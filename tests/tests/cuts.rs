//! Every byte of a save as the point where the power goes: what is on the medium then is never taken for a saved state.
//! With the largest scratch memory pieces are joined before they are written.

use ssm_core::embedded_io::{ErrorKind, ErrorType, Seek, SeekFrom, Write};
use ssm_core::{Archive, Entry, Get, Memory, Put, SaveError, Saver, Store, Unit, UnitError, Units, Vote};
use ssm_tests::machine::{Machine, Packing, STREAM_SCRATCH, UNITS};
use ssm_tests::media::{Broken, Disk, Failing, Loading, OneWay, Recording};

#[test]
fn a_save_that_was_cut_off_is_not_valid() {
    for packing in Packing::ALL {
        for scratch in [1, 64, 4096, 20_000] {
            let mut recording = Recording::new();
            let mut codec = packing.encoder();
            Saver::new(&mut recording, &mut *codec, &mut vec![0; scratch])
                .save(&mut Machine::new(150, 1), &UNITS)
                .unwrap();
            let whole = recording.replay(recording.len());
            assert!(recording.len() > whole.len(), "lengths are patched");
            for cut in 0..=recording.len() {
                let file = recording.replay(cut);
                let valid = Archive::open(Disk::holding(&*file), ssm_std::decoder(), [0; 64]).is_ok();
                assert_eq!(valid, file == whole, "{packing:?}, cut after {cut} of {} bytes", recording.len());
                if cut + 4 < recording.len() {
                    assert!(!valid, "the checksum is written last");
                }
            }
        }
    }
}

#[test]
fn nothing_but_the_length_field_of_a_unit_and_the_end_of_the_commit_is_written_twice() {
    let mut recording = Recording::new();
    Saver::new(&mut recording, Store, &mut [0; 64]).save(&mut Machine::new(150, 1), &UNITS).unwrap();
    let whole = recording.replay(recording.len());
    // Five units have lengths; size and checksum are the last twelve bytes.
    assert_eq!(recording.len() - whole.len(), 5 * 8 + 12);
    let before_commit = recording.replay(recording.len() - 12);
    assert_eq!(before_commit[32..44], [0; 12]);
    assert_eq!((&before_commit[..32], &before_commit[44..]), (&whole[..32], &whole[44..]));
}

/// What is on the medium at each flush.
struct Flushed<'f> {
    medium: Memory<Vec<u8>>,
    flushed: &'f mut Vec<Vec<u8>>,
}

impl ErrorType for Flushed<'_> {
    type Error = ErrorKind;
}

impl Write for Flushed<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        self.medium.write(bytes)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        self.flushed.push(self.medium.bytes().to_vec());
        Ok(())
    }
}

impl Seek for Flushed<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, ErrorKind> {
        self.medium.seek(to)
    }
}

/// A medium that keeps writes back, and in any order, has all else when it gets what makes the file valid.
#[test]
fn all_but_what_makes_the_file_valid_is_flushed_before_that() {
    const FOOTER: usize = 32;
    for scratch in [300, 20_000] {
        let flushed = [false, true].map(|is_streamed| {
            let (mut machine, mut scratch, mut flushed) = (Machine::new(150, 1), vec![0; scratch], Vec::new());
            let medium = Flushed { medium: Memory::new(vec![0; 20_000]), flushed: &mut flushed };
            match is_streamed {
                false => Saver::new(medium, Store, &mut scratch).save(&mut machine, &UNITS),
                true => Saver::streamed(medium, Store, &mut scratch).save(&mut machine, &UNITS),
            }
            .unwrap();
            flushed
        });
        let [patched, streamed] = &flushed;
        assert_eq!((patched.len(), streamed.len()), (2, 2));
        let mut before_commit = patched[1].clone();
        before_commit[32..44].fill(0);
        assert!(patched[0] == before_commit && patched[0] != patched[1]);
        assert_eq!(streamed[0], streamed[1][..streamed[1].len() - FOOTER]);
    }
}

/// Whether any reader takes these bytes for a whole file of these units.
fn is_accepted<M: Clone>(file: &[u8], machine: &M, units: &Units<M>) -> bool {
    let opened = Archive::open(Disk::holding(file), ssm_std::decoder(), [0; 64]).is_ok();
    let loads = Loading::ALL.map(|loading| {
        let mut machine = machine.clone();
        loading.load(Disk::holding(file), &mut [0; 64], &mut machine, units).is_ok()
    });
    assert!(loads.iter().all(|loaded| *loaded == opened), "readers disagree: {opened}, {loads:?}");
    opened
}

#[test]
fn a_streamed_save_that_was_cut_off_is_not_valid() {
    for packing in Packing::ALL {
        for block in [1, 64, 4096, 20_000] {
            let mut machine = Machine::new(4000, 1);
            let mut recording = Recording::new();
            let mut codec = packing.encoder();
            Saver::streamed(OneWay(&mut recording), &mut *codec, &mut vec![0; STREAM_SCRATCH + block])
                .save(&mut machine, &UNITS)
                .unwrap();
            let whole = recording.replay(recording.len());
            assert_eq!(whole.len(), recording.len(), "nothing is written twice");
            // Most of a large memory is like the rest of it.
            let step = |at: usize| if (400..whole.len().saturating_sub(400)).contains(&at) { 13 } else { 1 };
            let mut cut = 0;
            while cut <= whole.len() {
                assert_eq!(
                    is_accepted(&whole[..cut], &machine, &UNITS),
                    cut == whole.len(),
                    "{packing:?}, {cut} bytes"
                );
                cut += step(cut);
            }
        }
    }
}

/// Counts in live passes, and what it was told at the end.
#[derive(Clone, Default)]
struct Counter {
    value: u32,
    done: Vec<bool>,
}

impl Unit for Counter {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u32(self.value)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        self.value = get.u32()?;
        Ok(())
    }

    fn live(&mut self, put: &mut Put<'_>, pass: u32) -> Result<(), UnitError> {
        put.u32(self.value + pass)
    }

    fn live_vote(&mut self, pass: u32) -> Result<Vote, UnitError> {
        Ok(if pass < 2 { Vote::Again } else { Vote::Done })
    }

    fn save_done(&mut self, _: ssm_core::AfterSave, ok: bool) -> Result<(), UnitError> {
        self.done.push(ok);
        Ok(())
    }
}

type Counters = [Counter; 2];
const COUNTER: Entry<Counters> = Entry::new("counter", |counters: &mut Counters, at| &mut counters[at as usize]);
const COUNTERS: Units<Counters> = Units::new(&[COUNTER.live(), COUNTER.instance(1)]);

fn save_live<W: Write>(medium: W, scratch: usize, counters: &mut Counters) -> Result<u64, SaveError<W::Error>> {
    let mut scratch = vec![0; scratch];
    let mut live = Saver::streamed(medium, Store, &mut scratch).live(counters, &COUNTERS)?;
    while live.pass(counters, &COUNTERS)? == Vote::Again {
        counters[0].value += 10;
    }
    live.finish(counters, &COUNTERS)
}

#[test]
fn a_live_save_that_was_cut_off_is_not_valid() {
    for scratch in [100, 20_000] {
        let mut recording = Recording::new();
        let mut counters = Counters::default();
        save_live(OneWay(&mut recording), scratch, &mut counters).unwrap();
        let whole = recording.replay(recording.len());
        assert_eq!(whole.len(), recording.len(), "nothing is written twice");
        for cut in 0..=whole.len() {
            assert_eq!(is_accepted(&whole[..cut], &counters, &COUNTERS), cut == whole.len(), "{cut} bytes");
        }
    }
}

#[test]
fn a_medium_that_fails_at_any_byte_leaves_no_valid_file() {
    let machine = Machine::new(700, 1);
    let each = [(Packing::Store, 4096), (Packing::Lzf, 4096), (Packing::Store, 20_000), (Packing::Lzf, 20_000)];
    for (packing, block) in each {
        let len = machine.clone().stream(&mut *packing.encoder(), block).len();
        for at in 0..len {
            let (mut machine, mut disk) = (machine.clone(), Disk::new());
            let mut codec = packing.encoder();
            let medium = OneWay(Failing::at_byte(&mut disk, at as u64));
            let mut scratch = vec![0; STREAM_SCRATCH + block];
            let saved = Saver::streamed(medium, &mut *codec, &mut scratch).save(&mut machine, &UNITS);
            assert_eq!(saved, Err(SaveError::Io(Broken::at(at as u64))));
            // The header is written before any hook, the end record and what follows after all of them.
            assert_eq!((machine.hooks.prepared, machine.hooks.done), if at < 64 { (0, 0) } else { (1, 1) });
            assert_eq!(disk.bytes().len(), at);
            assert!(!is_accepted(disk.bytes(), &machine, &UNITS), "byte {at}");
        }
    }
    for scratch in [100, 20_000] {
        let mut whole = Disk::new();
        save_live(OneWay(&mut whole), scratch, &mut Counters::default()).unwrap();
        for at in 0..whole.bytes().len() {
            let (mut counters, mut disk) = (Counters::default(), Disk::new());
            let saved = save_live(OneWay(Failing::at_byte(&mut disk, at as u64)), scratch, &mut counters);
            assert_eq!(saved, Err(SaveError::Io(Broken::at(at as u64))));
            let told = counters[0].done.len();
            assert_eq!(told, usize::from(at >= 64), "byte {at}: {:?}", counters[0].done);
            assert!(!is_accepted(disk.bytes(), &Counters::default(), &COUNTERS), "byte {at}");
        }
    }
}
