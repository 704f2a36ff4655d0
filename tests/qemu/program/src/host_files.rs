//! Files that the host wrote are loaded: every codec, large blocks, format 2.0 and an older version, as far as there is memory.

use crate::machine::Machine;
use crate::own_files::{Bench, load};
use crate::{Board, Inflating, Names};
use ssm_core::{Either, Inflate, LzfDecoder, Store, Units};

/// What an LZF window needs to read every file.
const WHOLE_WINDOW: usize = 8192;

#[inline(never)]
pub fn run<B: Board>(bench: &mut Bench, units: &Units<Machine>, names: &Names, inflating: Option<Inflating>) {
    let large = [names.host_lzf_large, names.host_streamed_large];
    let large = if bench.window.len() >= WHOLE_WINDOW { &large[..] } else { &[] };
    for name in [&[names.host_store, names.host_lzf], large].into_iter().flatten() {
        let len = fetch::<B>(bench, name);
        assert!(bench.load::<B>(units, len, None).is_ok());
        assert!(bench.machine.is_filled(), "what was loaded is not what the host saved");
    }

    let len = fetch::<B>(bench, names.host_timers_1);
    assert!(bench.load::<B>(units, len, None).is_ok());
    assert!(bench.machine.is_filled_from_timers_1());

    if let Some(inflating) = inflating {
        zlib::<B>(bench, units, names, inflating);
    }
}

#[inline(never)]
fn zlib<B: Board>(bench: &mut Bench, units: &Units<Machine>, names: &Names, Inflating { state, window }: Inflating) {
    let len = fetch::<B>(bench, names.host_zlib);
    let Bench { machine, file, scratch, window: lzf, .. } = bench;
    let lzf = LzfDecoder::new(&mut **lzf);
    let decoder = Either::of(Either::of(Store, lzf), Inflate::new(state, window));
    assert!(load::<B>(machine, units, &file[..len], decoder, &mut scratch[..], None).is_ok());
    assert!(machine.is_filled());
}

/// Reads a file and clears the machine for it; the file's length.
fn fetch<B: Board>(bench: &mut Bench, name: &str) -> usize {
    B::log(name);
    Machine::clear(&mut bench.machine);
    B::read(name, bench.file)
}
