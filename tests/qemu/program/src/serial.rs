//! Format 2.0 over a line that can neither seek nor read back: the machine is saved to the host, and loaded from it.

use crate::machine::{Machine, NOTES};
use crate::own_files::{Bench, Packing, count};
use crate::registration::UNITS;
use crate::{Board, Names};
use ssm_core::embedded_io::ErrorType;
use ssm_core::{Either, Encode, FormatError, Header, LoadError, Loader, LzfDecoder, Saver, Store, Structure, Units};

/// Scratch of a save: a directory of all units and the built-in one, and blocks of 1 KiB, which the smallest window reads.
/// Its size decides the files' bytes, so it is the same everywhere.
pub const STREAM_SCRATCH: usize = 16 * (UNITS + 1) + 1989;

/// How the line of a board fails.
type Failure<B> = <<B as Board>::Line as ErrorType>::Error;

#[inline(never)]
pub fn run<B: Board>(bench: &mut Bench, units: &Units<Machine>, names: &Names) {
    for (packing, name) in [(Packing::Store, names.streamed_store), (Packing::Lzf, names.streamed_lzf)] {
        B::log(name);
        bench.machine.clear();
        bench.machine.fill();
        bench.send::<B>(units, packing, name);
        assert!(bench.machine.is_filled(), "a save changes no state");
        bench.check_hooks(true);
    }
    for name in [names.line_store, names.line_lzf] {
        assert!(bench.receive::<B>(units, name).is_ok());
        assert!(bench.machine.is_filled(), "what was loaded is not what the host sent");
        bench.check_hooks(true);
    }
    // All of it has come and been loaded when the damage shows: the units are told that the end did not hold.
    match bench.receive::<B>(units, names.line_damaged) {
        Err(LoadError::Format { error: FormatError::StructureCrc { of: Structure::Footer, .. }, .. }) => {}
        other => panic!("a damaged footer met {other:?}"),
    }
    bench.check_hooks(false);
}

impl Bench {
    /// Saves the machine to the line. The scratch is where whole files are otherwise.
    #[inline(never)]
    fn send<B: Board>(&mut self, units: &Units<Machine>, packing: Packing, name: &str) {
        let encoder: &mut dyn Encode = match packing {
            Packing::Store => &mut Store,
            Packing::Lzf => self.encoder,
        };
        let mut percents = 0;
        let mut count = |percent| count::<B>(&mut percents, percent, None);
        let saved = Saver::streamed(B::sender(name), encoder, &mut self.file[..STREAM_SCRATCH])
            .notes(NOTES)
            .progress(&mut count)
            .save(&mut self.machine, units);
        assert!(saved.is_ok(), "the line takes everything");
        assert_eq!(percents, 101);
    }

    /// Clears the machine and loads it from the line.
    #[inline(never)]
    fn receive<B: Board>(&mut self, units: &Units<Machine>, name: &str) -> Result<Header, LoadError<Failure<B>>> {
        B::log(name);
        self.machine.clear();
        let mut percents = 0;
        let mut count = |percent| count::<B>(&mut percents, percent, None);
        let decoder = Either::of(Store, LzfDecoder::new(&mut *self.window));
        let loaded = Loader::streaming(B::receiver(name), decoder, &mut self.scratch[..])
            .progress(&mut count)
            .load(&mut self.machine, units);
        assert_eq!(loaded.is_ok(), percents == 101);
        loaded
    }
}
