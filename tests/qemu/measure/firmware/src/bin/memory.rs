//! RAM and stack of saves and loads, each shown to work with what it is said to need. Prints lines of a name and bytes.
#![no_std]
#![no_main]

use firmware::stack::high_water;
use firmware::{corpus, corpus::Corpus, once, program};
use semihosting::println;
use ssm_core::embedded_io::Seek;
use ssm_core::{
    Crc32Bytewise, Either, Encode, Entry, Get, Header, Loader, LzfDecoder, LzfEncoder, Memory, OnlyPatched, Put, Saver,
    Store, StreamedUnit, Unit, UnitError, Units, Writer,
};

/// Scratch of the loads.
const LOAD_SCRATCH: usize = 256;
/// Scratch of the saves and loads whose stack is measured.
const STACK_SCRATCH: usize = 1024;
const BLOCK_HEADER: usize = 10;

type SmallDecoder = LzfDecoder<[u8; 1024]>;
type LargeDecoder = LzfDecoder<[u8; 8192]>;

static BULK: Units<Bulk> = Units::new(&[Entry::new("bulk", |bulk, _| bulk)]);
static LARGE: Units<Large> = Units::new(&[Entry::new("large", |large, _| large)]);

program!({
    let file = once!(FILE: [u8; 262_144] = [0; 262_144]);
    let bulk = once!(STATE: Bulk = Bulk { memory: [0; 8192] });
    let encoder = once!(ENCODER: LzfEncoder<256> = LzfEncoder::new());
    let small = once!(SMALL: SmallDecoder = LzfDecoder::new([0; 1024]));

    println!("size.encoder {}", size_of::<LzfEncoder<256>>());
    println!("size.decoder.1024 {}", size_of::<SmallDecoder>());
    println!("size.decoder.8192 {}", size_of::<LargeDecoder>());
    println!("size.scratch.load {LOAD_SCRATCH}");
    for block in [512, 1024] {
        let (_, zero) = corpus::ALL[3];
        let (mut too_small, mut enough) = (0, 4096);
        while enough - too_small > 1 {
            let len = (too_small + enough) / 2;
            if save_words(len, zero, encoder, file).largest >= block { enough = len } else { too_small = len }
        }
        println!("scratch.{block} {enough}");
        for (name, corpus) in corpus::ALL {
            let blocks = save_words(enough, corpus, encoder, file);
            println!("words.{block}.{name} {}", blocks.packed);
        }
    }

    // Bulk that is put at once makes larger blocks than the scratch does, unless the encoder has a limit.
    let limited = once!(LIMITED: LzfEncoder<256> = LzfEncoder::with_block(1024));
    let scratch = once!(SCRATCH: [u8; 4096] = [0; 4096]);
    // Blocks of 1 KiB, each corpus: read with a window of 1 KiB.
    for (_, corpus) in corpus::ALL {
        bulk.memory = *corpus;
        let mut medium = Memory::new(&mut file[..]);
        Saver::new(&mut medium, &mut *limited, scratch).save(bulk, &BULK).unwrap();
        bulk.memory.fill(0xee);
        Loader::new(&mut medium, &mut *small, &mut scratch[..LOAD_SCRATCH])
            .formats(OnlyPatched)
            .load(bulk, &BULK)
            .unwrap();
        assert_eq!(bulk.memory, *corpus);
    }
    streamed(file, bulk, encoder, small);
    any_file(file);
    stack(file, bulk, limited, small);
    println!("done");
});

/// Format 2.0: the smallest scratch that packs words that are put one by one in blocks of 1 KiB, what the corpora take with
/// it, and that a load front to back reads them with what a load of 1.x takes.
fn streamed(file: &mut [u8], bulk: &mut Bulk, encoder: &mut LzfEncoder<256>, decoder: &mut SmallDecoder) {
    let (_, log) = corpus::ALL[1];
    let (mut too_small, mut enough) = (0, 4096);
    while enough - too_small > 1 {
        let len = (too_small + enough) / 2;
        if stream_words(len, log, encoder, file).is_some_and(|records| records.lzf > 0) {
            enough = len
        } else {
            too_small = len
        }
    }
    println!("scratch.streamed {enough}");
    for (name, corpus) in corpus::ALL {
        let records = stream_words(enough, corpus, encoder, file).unwrap();
        println!("words.streamed.{name} {}", records.packed);
    }
    for (_, corpus) in corpus::ALL {
        bulk.memory = *corpus;
        let mut medium = Memory::new(&mut file[..]);
        // The built-in unit has an entry in the directory too.
        let scratch = &mut once_scratch()[..enough + 16];
        Saver::streamed(&mut medium, &mut *encoder, scratch).save(bulk, &BULK).unwrap();
        bulk.memory.fill(0xee);
        let scratch = &mut once_scratch()[..LOAD_SCRATCH];
        let decoder = Either::of(Store, &mut *decoder);
        Loader::streaming(medium.bytes(), decoder, scratch).load(bulk, &BULK).unwrap();
        assert_eq!(bulk.memory, *corpus);
    }
}

/// The records of a unit of 2.0.
struct Records {
    lzf: usize,
    /// Bytes of them all.
    packed: usize,
}

/// Saves the words of `corpus` one by one in 2.0, with a scratch of that size if it is enough at all.
fn stream_words(scratch: usize, corpus: &Corpus, encoder: &mut impl Encode, file: &mut [u8]) -> Option<Records> {
    const DATA_AT: usize = 64 + 44 + "words\0".len();
    let mut medium = Memory::new(file);
    let scratch = &mut once_scratch()[..scratch];
    let mut writer = Writer::streamed(&mut medium, encoder, Crc32Bytewise, &Header::new(), 1, scratch).ok()?;
    let mut put =
        |put: &mut Put<'_>| corpus.as_chunks().0.iter().try_for_each(|word| put.u32(u32::from_le_bytes(*word)));
    writer.unit(b"words", 0, 1, StreamedUnit::default(), &mut put).ok()?;
    writer.finish().ok()?;
    let (mut at, mut lzf) = (DATA_AT, 0);
    loop {
        let [kind, first, second, third] = *medium.bytes()[at..].first_chunk()?;
        let low = |byte: u8| usize::from(byte & 63);
        let (size_bytes, len) = match first {
            0..0x80 => (1, first.into()),
            0x80..0xe0 => (2, low(first) << 6 | low(second)),
            _ => (3, low(first & 15) << 12 | low(second) << 6 | low(third)),
        };
        match kind & 15 {
            1 => return Some(Records { lzf, packed: at - DATA_AT }),
            3 => lzf += 1,
            _ => {}
        }
        at += 1 + size_bytes + len;
    }
}

/// A file with blocks as large as they get and matches as far back as they go.
fn any_file(file: &mut [u8]) {
    let encoder = once!(LARGE_ENCODER: LzfEncoder<65536> = LzfEncoder::new());
    let decoder = once!(LARGE_DECODER: LargeDecoder = LzfDecoder::new([0; 8192]));
    let large = once!(LARGE_STATE: Large = Large { memory: [[0; 8192]; 8] });
    let scratch = once!(LARGE_SCRATCH: [u8; 65536] = [0; 65536]);
    let (_, random) = corpus::ALL[2];
    large.memory.fill(*random);
    let mut medium = Memory::new(file);
    Saver::new(&mut medium, encoder, scratch).save(large, &LARGE).unwrap();
    let blocks = Blocks::of(medium.bytes());
    assert_eq!(blocks.largest, 32768);
    assert!(blocks.packed < 3 * 8192, "matches of 8192 bytes back were found: {}", blocks.packed);
    large.memory = [[0; 8192]; 8];
    Loader::new(&mut medium, decoder, &mut scratch[..LOAD_SCRATCH]).formats(OnlyPatched).load(large, &LARGE).unwrap();
    assert!(large.memory.iter().all(|part| part == random));
}

/// Saves the words of `corpus` one by one, with a scratch of that size.
fn save_words(scratch: usize, corpus: &Corpus, encoder: &mut impl Encode, file: &mut [u8]) -> Blocks {
    let scratch = &mut once_scratch()[..scratch];
    let mut medium = Memory::new(file);
    let mut writer = Writer::new(&mut medium, encoder, Crc32Bytewise, &Header::new(), scratch).unwrap();
    let mut put =
        |put: &mut Put<'_>| corpus.as_chunks().0.iter().try_for_each(|word| put.u32(u32::from_le_bytes(*word)));
    writer.unit(b"words", 0, 1, &mut put).unwrap();
    writer.finish().unwrap();
    Blocks::of(medium.bytes())
}

fn once_scratch() -> &'static mut [u8; 4096] {
    static mut SCRATCH: [u8; 4096] = [0; 4096];
    // SAFETY: whoever calls it is done with it before the next does.
    unsafe { &mut *(&raw mut SCRATCH) }
}

/// The blocks of the last unit of a file.
struct Blocks {
    /// The plain bytes of the largest.
    largest: usize,
    /// All packed bytes.
    packed: usize,
}

impl Blocks {
    fn of(file: &[u8]) -> Self {
        let length = |at: usize| usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
        let name_at = file.windows(6).position(|bytes| matches!(bytes, b"words\0" | b"large\0")).unwrap();
        let start = name_at + 7;
        let (mut at, mut largest) = (start, 0);
        while file.get(at..at + 2) == Some(b"ZV") {
            largest = largest.max(length(at + 8));
            at += BLOCK_HEADER + length(at + 2);
        }
        Self { largest, packed: at - start }
    }
}

/// The high-water marks. The units end with a tail call, so that they take no stack themselves.
fn stack(file: &mut [u8], bulk: &mut Bulk, encoder: &mut LzfEncoder<256>, decoder: &mut SmallDecoder) {
    let scratch = once!(SCRATCH: [u8; STACK_SCRATCH] = [0; STACK_SCRATCH]);
    let mut medium = Memory::new(file);
    let mut done = false;
    let save = high_water(&mut || {
        done = Saver::new(&mut medium, Store, scratch).save(bulk, &BULK).is_ok();
    });
    assert!(done);
    println!("stack.save.store {save}");
    let load = high_water(&mut || {
        done = Loader::new(&mut medium, Store, scratch).formats(OnlyPatched).load(bulk, &BULK).is_ok();
    });
    assert!(done);
    println!("stack.load.store {load}");
    medium = Memory::new(medium.into_inner());
    let save = high_water(&mut || {
        done = Saver::new(&mut medium, &mut *encoder, scratch).save(bulk, &BULK).is_ok();
    });
    assert!(done);
    println!("stack.save.lzf {save}");
    let load = high_water(&mut || {
        done = Loader::new(&mut medium, Either::of(Store, &mut *decoder), scratch)
            .formats(OnlyPatched)
            .load(bulk, &BULK)
            .is_ok();
    });
    assert!(done);
    println!("stack.load.lzf {load}");
    medium = Memory::new(medium.into_inner());
    stack_streamed(&mut medium, bulk, encoder, decoder);
    println!("size.saver {}", size_of::<Saver<'_, &mut Memory<&mut [u8]>, &mut LzfEncoder<256>>>());
    println!("size.loader {}", size_of::<Loader<'_, &mut Memory<&mut [u8]>, Either<Store, &mut SmallDecoder>>>());
}

fn stack_streamed(
    medium: &mut Memory<&mut [u8]>,
    bulk: &mut Bulk,
    encoder: &mut LzfEncoder<256>,
    decoder: &mut SmallDecoder,
) {
    let scratch = once_scratch();
    let mut done = false;
    let save = high_water(&mut || {
        done = Saver::streamed(&mut *medium, Store, scratch).save(bulk, &BULK).is_ok();
    });
    assert!(done);
    println!("stack.streamed.save.store {save}");
    medium.rewind().unwrap();
    let load = high_water(&mut || {
        done = Loader::streaming(&mut *medium, Store, scratch).load(bulk, &BULK).is_ok();
    });
    assert!(done);
    println!("stack.streamed.load.store {load}");
    medium.rewind().unwrap();
    let save = high_water(&mut || {
        done = Saver::streamed(&mut *medium, &mut *encoder, scratch).save(bulk, &BULK).is_ok();
    });
    assert!(done);
    println!("stack.streamed.save.lzf {save}");
    medium.rewind().unwrap();
    let load = high_water(&mut || {
        done = Loader::streaming(&mut *medium, Either::of(Store, &mut *decoder), scratch).load(bulk, &BULK).is_ok();
    });
    assert!(done);
    println!("stack.streamed.load.lzf {load}");
}

struct Bulk {
    memory: Corpus,
}

impl Unit for Bulk {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(&self.memory)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(&mut self.memory)
    }
}

struct Large {
    memory: [Corpus; 8],
}

impl Unit for Large {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(self.memory.as_flattened())
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(self.memory.as_flattened_mut())
    }
}
