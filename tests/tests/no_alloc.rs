//! No allocation in core, counted by a global allocator; and none by a length that a damaged file claims.

use allocation_counter::measure;
use ssm_core::{
    AfterLoad, AfterSave, Archive, Cancel, Decode, Either, Encode, Entry, Get, Inflate, InflateState, Loader,
    LzfDecoder, LzfEncoder, Memory, Owner, Policy, Put, Registry, Saver, Store, Unit, UnitError, UnitId, Units, Vote,
    fields,
};
use ssm_tests::golden::bad;
use std::hint::black_box;

struct Machine {
    counter: u64,
    memory: [u8; 3000],
    name: [u8; 32],
}

struct Clock;

#[derive(Default)]
struct Whole {
    machine: Option<Machine>,
    clock: Option<Clock>,
}

impl Unit for Machine {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.fields(self, fields![Machine: counter, memory])?;
        put.str("a name")
    }

    fn live(&mut self, put: &mut Put<'_>, _: u32) -> Result<(), UnitError> {
        self.save(put)
    }

    fn live_vote(&mut self, _: u32) -> Result<Vote, UnitError> {
        Ok(Vote::Again)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.fields(self, fields![Machine: counter, memory])?;
        assert_eq!(get.str(&mut self.name)?, "a name");
        Ok(())
    }
}

impl Unit for Clock {
    fn save_prep(&mut self, _: AfterSave) -> Result<(), UnitError> {
        Ok(())
    }

    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.gc_phys(1 << 40)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        if get.gc_phys()? == 1 << 40 { Ok(()) } else { Err(UnitError::Invalid("another time")) }
    }
}

const MACHINE: Entry<Whole> = Entry::new("machine", |whole: &mut Whole, _| match &mut whole.machine {
    Some(machine) => machine,
    None => unreachable!(),
});
const CLOCK: Entry<Whole> = Entry::new("clock", |whole: &mut Whole, _| match &mut whole.clock {
    Some(clock) => clock,
    None => unreachable!(),
});

fn whole() -> Whole {
    let memory = std::array::from_fn(|at| if at < 1500 { (at / 3) as u8 } else { ((at * at) >> 3) as u8 });
    Whole { machine: Some(Machine { counter: 7, memory, name: [0; 32] }), clock: Some(Clock) }
}

/// Everything that core does, in memory that the caller has.
fn all_of_core(encoder: impl Encode, mut decoder: impl Decode) {
    let mut whole = whole();
    let mut registry = Registry::<Whole, 4>::new();
    registry.register(MACHINE.owner(Owner::Device(1)).size_hint(3100)).unwrap();
    registry.register_before("SSM", CLOCK).unwrap();
    registry.register(CLOCK.instance(1)).unwrap();
    registry.deregister(Owner::Internal, UnitId::new("clock", 1)).unwrap();
    assert!(registry.register(MACHINE).is_err());

    let mut scratch = [0; 1000];
    let cancel = Cancel::new();
    let mut percents = 0;
    let mut file = Memory::new([0; 8192]);
    Saver::new(&mut file, encoder, &mut scratch)
        .notes(&[("program", "test")])
        .after(AfterSave::Destroy)
        .progress(&mut |_| percents += 1)
        .cancel(&cancel)
        .save(&mut whole, &registry.units())
        .unwrap();
    assert_eq!(percents, 101);

    let mut reports = 0;
    for after in [AfterLoad::Resume, AfterLoad::Debug] {
        Loader::new(&mut file, &mut decoder, &mut scratch)
            .policy(Policy::default())
            .after(after)
            .progress(&mut |_| percents += 1)
            .report(&mut |_| reports += 1)
            .cancel(&cancel)
            .load(&mut whole, &registry.units())
            .unwrap();
    }
    assert_eq!((percents, reports), (303, 0));

    let mut archive = Archive::open(&mut file, &mut decoder, [0; 1000]).unwrap();
    archive.verify(&mut |_| ()).unwrap();
    let mut notes = 0;
    archive.notes(&mut [0; 1151], &mut |_, _| notes += 1).unwrap();
    assert_eq!(notes, 1);
    let id = UnitId::new("machine", 0);
    let counter = archive.seek(id).unwrap().read(|get| {
        get.skip(4)?;
        get.u64()
    });
    assert_eq!(counter.unwrap(), 7);
    assert_eq!(archive.seek(id).unwrap().plain_len().unwrap(), 3026);
    assert!(archive.seek(UnitId::new("nobody", 0)).is_err());

    // Failures make their errors without a heap, too.
    cancel.cancel();
    let load = Loader::new(&mut file, &mut decoder, &mut scratch).cancel(&cancel).load(&mut whole, &registry.units());
    black_box(load.unwrap_err());
    let small = Memory::new([0; 300]);
    black_box(Saver::new(small, Store, &mut scratch).save(&mut whole, &registry.units()).unwrap_err());
}

#[test]
fn core_never_allocates() {
    let counted = measure(|| all_of_core(Store, Store));
    assert_eq!(counted.count_total, 0, "store: {counted:?}");
    let counted = measure(|| all_of_core(LzfEncoder::<256>::new(), LzfDecoder::new([0; 8192])));
    assert_eq!(counted.count_total, 0, "LZF: {counted:?}");
    let counted = measure(|| all_of_core(LzfEncoder::<4096>::with_block(400), LzfDecoder::new([0; 400])));
    assert_eq!(counted.count_total, 0, "LZF: {counted:?}");
    let counted = measure(|| {
        let mut state = InflateState::default();
        let inflate = Inflate::new(&mut state, [0; 256]);
        all_of_core(Either::second(Store, LzfEncoder::<256>::new()), Either::of(LzfDecoder::new([0; 8192]), inflate));
    });
    assert_eq!(counted.count_total, 0, "either: {counted:?}");
}

/// Everything that core does with format 2.0.
fn all_of_streams(encoder: impl Encode, live_encoder: impl Encode, mut decoder: impl Decode) {
    let mut whole = whole();
    let units = [MACHINE.live(), CLOCK.optional()];
    let (units, without_clock) = (Units::new(&units), Units::new(&units[..1]));
    let cancel = Cancel::new();
    let mut percents = 0;
    let mut scratch = [0; 3000];
    let mut file = Memory::new([0; 8192]);
    Saver::streamed(&mut file, encoder, &mut scratch)
        .notes(&[("program", "test")])
        .progress(&mut |_| percents += 1)
        .cancel(&cancel)
        .save(&mut whole, &units)
        .unwrap();
    let mut live_file = Memory::new([0; 16384]);
    let saver = Saver::streamed(&mut live_file, live_encoder, &mut scratch).after(AfterSave::Destroy);
    let mut live = saver.live(&mut whole, &units).unwrap().limit_passes(3);
    while live.pass(&mut whole, &units).unwrap() == Vote::Again {}
    live.finish(&mut whole, &units).unwrap();
    assert_eq!(percents, 101);

    for bytes in [file.bytes(), live_file.bytes()] {
        let medium = || Memory::holding(bytes);
        Loader::unverified(medium(), &mut decoder, &mut scratch).load(&mut whole, &units).unwrap();
        Loader::new(medium(), &mut decoder, &mut scratch).load(&mut whole, &units).unwrap();
        Loader::streaming(medium(), &mut decoder, &mut scratch).load(&mut whole, &units).unwrap();
        // An optional unit that is not known, and failures.
        let mut reports = 0;
        let mut report = |_| reports += 1;
        let loader = Loader::new(medium(), &mut decoder, &mut scratch).report(&mut report);
        loader.load(&mut whole, &without_clock).unwrap();
        assert_eq!(reports, 1);
        let short = Memory::holding(&bytes[..bytes.len() - 1]);
        black_box(Loader::streaming(short, &mut decoder, &mut scratch).load(&mut whole, &units).unwrap_err());

        let mut archive = Archive::open(medium(), &mut decoder, [0; 1000]).unwrap();
        archive.verify(&mut |_| ()).unwrap();
        archive.notes(&mut [0; 1151], &mut |_, _| ()).unwrap();
        assert_eq!(archive.seek(UnitId::new("machine", 0)).unwrap().plain_len().unwrap(), 3026);
        assert!(archive.seek(UnitId::new("nobody", 0)).is_err());
    }
    let small = Memory::new([0; 300]);
    black_box(Saver::streamed(small, Store, &mut scratch).save(&mut whole, &units).unwrap_err());
}

#[test]
fn streams_never_allocate() {
    let counted = measure(|| all_of_streams(Store, Store, Store));
    assert_eq!(counted.count_total, 0, "store: {counted:?}");
    let (encoder, live) = (LzfEncoder::<256>::new(), LzfEncoder::<256>::new());
    let counted = measure(|| all_of_streams(encoder, live, LzfDecoder::new([0; 4096])));
    assert_eq!(counted.count_total, 0, "LZF: {counted:?}");
}

#[test]
fn inflate_never_allocates() {
    let mut file = Memory::new([0; 8192]);
    let mut whole = whole();
    let units = Units::new(&[MACHINE, CLOCK]);
    Saver::new(&mut file, ssm_std::Deflate::default(), &mut [0; 1000]).save(&mut whole, &units).unwrap();
    let mut state = InflateState::default();
    let mut window = [0; 32768];
    let counted = measure(|| {
        let inflate = Inflate::new(&mut state, &mut window[..]);
        Loader::new(&mut file, inflate, &mut [0; 1000]).load(&mut whole, &units).unwrap();
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn the_count_counts() {
    assert_eq!(measure(|| drop(black_box(vec![1u8; 100]))).count_total, 1);
}

/// Opening and checking damaged files takes the memory of sound ones, whatever lengths they claim.
#[test]
fn lengths_in_damaged_files_are_not_allocated() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = 0;
    for bad in bad() {
        let path = folder.path().join(&bad.file);
        std::fs::write(&path, bad.bytes()).unwrap();
        files += 1;
        let counted = measure(|| {
            for archive in [ssm_std::open_path(&path), ssm_std::open_path_unchecked(&path)] {
                let _ = archive.map(|mut archive| archive.verify(&mut |_| ()));
            }
        });
        assert!(counted.bytes_max < 4 << 20, "{}: {counted:?}", path.display());
    }
    assert!(files > 100, "{files} files");
}
