//! What the program writes itself: saved with two codecs, handed to the host, loaded back, damaged, cancelled.

use crate::interrupt::CANCEL;
use crate::machine::{Machine, NOTES, TIMER};
use crate::registration::register;
use crate::{Board, Names};
use ssm_core::embedded_io::ErrorKind;
use ssm_core::{
    Decode, Either, Encode, FormatError, Header, LoadError, Loader, LzfDecoder, LzfEncoder, Memory, SaveError, Saver,
    Store, Units,
};

/// The machine and the memory to save and load it with.
pub struct Bench {
    pub machine: Machine,
    pub file: &'static mut [u8],
    pub scratch: &'static mut [u8; 1024],
    pub encoder: &'static mut LzfEncoder<256>,
    pub window: &'static mut [u8],
}

/// How units are packed.
#[derive(Clone, Copy)]
pub enum Packing {
    Store,
    Lzf,
}

/// Asks for an interrupt at this percent, for the one that cancels.
pub type CancelAt = Option<u8>;

#[inline(never)]
pub fn run<B: Board>(bench: &mut Bench, units: &Units<Machine>, names: &Names) {
    for (packing, name) in [(Packing::Store, names.store), (Packing::Lzf, names.lzf)] {
        B::log(name);
        bench.machine.clear();
        bench.machine.fill();
        let len = bench.save::<B>(units, packing, None).unwrap();
        assert!(bench.machine.is_filled(), "a save changes no state");
        bench.check_hooks(true);
        B::write(name, &bench.file[..len]);

        bench.machine.clear();
        assert_eq!(bench.load::<B>(units, len, None).unwrap().file_len, len as u64);
        assert!(bench.machine.is_filled(), "what was loaded is not what was saved");
        bench.check_hooks(true);

        bench.refuse_damaged::<B>(units, len);
        bench.cancel::<B>(units, packing, len);
    }
    bench.refuse_newer::<B>(units);
}

impl Bench {
    /// Saves the machine into `file`; the file's length. Every percent must be reported once.
    pub fn save<B: Board>(
        &mut self,
        units: &Units<Machine>,
        packing: Packing,
        cancel_at: CancelAt,
    ) -> Result<usize, SaveError<ErrorKind>> {
        let encoder: &mut dyn Encode = match packing {
            Packing::Store => &mut Store,
            Packing::Lzf => self.encoder,
        };
        let mut percents = 0;
        let mut count = |percent| count::<B>(&mut percents, percent, cancel_at);
        let saved = Saver::new(Memory::new(&mut *self.file), encoder, self.scratch)
            .notes(NOTES)
            .progress(&mut count)
            .cancel(&CANCEL)
            .save(&mut self.machine, units);
        assert_eq!(saved.is_ok(), percents == 101);
        saved.map(|len| len as usize)
    }

    /// Loads the first bytes of `file`. Every percent must be reported once.
    pub fn load<B: Board>(
        &mut self,
        units: &Units<Machine>,
        len: usize,
        cancel_at: CancelAt,
    ) -> Result<Header, LoadError<ErrorKind>> {
        let mut lzf = LzfDecoder::new(&mut *self.window);
        let decoder = Either::of(Store, &mut lzf);
        load::<B>(&mut self.machine, units, &self.file[..len], decoder, self.scratch, cancel_at)
    }

    /// Hooks were called once each, and told this outcome.
    pub fn check_hooks(&mut self, ok: bool) {
        let hooks = core::mem::take(&mut self.machine.hooks);
        assert_eq!((hooks.prepared, hooks.done, hooks.ok), (1, 1, ok));
    }

    /// A damaged copy is refused with the right error before any unit is touched.
    #[inline(never)]
    fn refuse_damaged<B: Board>(&mut self, units: &Units<Machine>, len: usize) {
        self.machine.clear();
        let middle = len / 2;
        self.file[middle] ^= 0x10;
        let refused = self.load::<B>(units, len, None);
        self.file[middle] ^= 0x10;
        let LoadError::Format { error: FormatError::Crc { stored, computed }, .. } = refused.unwrap_err() else {
            panic!("a flipped bit is not met by the checksum");
        };
        assert_ne!(stored, computed);

        let size = FormatError::Size { stored: len as u64, actual: len as u64 - 1 };
        self.refuse::<B>(units, len - 1, size);

        self.file[0] ^= 1;
        self.refuse::<B>(units, len, FormatError::Magic);
        self.file[0] ^= 1;
        assert!(self.machine.is_clear(), "a refused file changes no state");
        assert_eq!(self.machine.hooks.prepared, 0);
    }

    fn refuse<B: Board>(&mut self, units: &Units<Machine>, len: usize, expected: FormatError) {
        match self.load::<B>(units, len, None) {
            Err(LoadError::Format { error, .. }) => assert_eq!(error, expected),
            other => panic!("{expected:?} expected, {other:?} found"),
        }
    }

    /// An interrupt cancels a load and a save; the save leaves no valid file.
    #[inline(never)]
    fn cancel<B: Board>(&mut self, units: &Units<Machine>, packing: Packing, len: usize) {
        let at = Some(50);
        assert_eq!(self.load::<B>(units, len, at), Err(LoadError::Cancelled));
        self.check_hooks(false);
        CANCEL.reset();

        self.machine.fill();
        assert_eq!(self.save::<B>(units, packing, at), Err(SaveError::Cancelled));
        self.check_hooks(false);
        CANCEL.reset();
        self.refuse::<B>(units, len, FormatError::Size { stored: 0, actual: len as u64 });
    }

    /// A timer of a version that does not exist yet is refused before any unit is touched.
    #[inline(never)]
    fn refuse_newer<B: Board>(&mut self, units: &Units<Machine>) {
        self.machine.fill();
        let mut newer = register();
        assert_eq!(newer.deregister(TIMER.owned_by(), TIMER.id()), Ok(()));
        assert_eq!(newer.register(TIMER.version(3)), Ok(()));
        let len = self.save::<B>(&newer.units(), Packing::Store, None).unwrap();
        self.machine.hooks = Default::default();
        match self.load::<B>(units, len, None) {
            Err(LoadError::UnitVersion { unit, oldest: 0, newest: 2 }) => {
                assert_eq!((unit.name(), unit.instance, unit.version), (&b"timer"[..], 0, 3));
            }
            other => panic!("a newer timer met {other:?}"),
        }
        assert!(self.machine.is_filled(), "a refused file changes no state");
        assert_eq!(self.machine.hooks.prepared, 0);
    }
}

/// Loads a file with any decoder. Every percent must be reported once.
pub fn load<B: Board>(
    machine: &mut Machine,
    units: &Units<Machine>,
    file: &[u8],
    decoder: impl Decode,
    scratch: &mut [u8],
    cancel_at: CancelAt,
) -> Result<Header, LoadError<ErrorKind>> {
    let mut percents = 0;
    let mut count = |percent| count::<B>(&mut percents, percent, cancel_at);
    let loaded =
        Loader::new(Memory::holding(file), decoder, scratch).progress(&mut count).cancel(&CANCEL).load(machine, units);
    assert_eq!(loaded.is_ok(), percents == 101);
    loaded
}

/// Counts percents, which come one by one, and has the interrupt raised at one of them.
pub fn count<B: Board>(next: &mut u8, percent: u8, cancel_at: CancelAt) {
    assert_eq!(percent, *next, "percents come one by one");
    *next += 1;
    if cancel_at == Some(percent) {
        B::interrupt();
        // The handler sets it; where it does not, the board hangs and its run fails.
        while !CANCEL.is_cancelled() {
            core::hint::spin_loop();
        }
    }
}
