//! Instructions of codecs, checksums and values. Prints lines of a name, a count of instructions and a count of bytes or
//! values.
#![no_std]
#![no_main]

use core::hint::black_box;
use firmware::instructions::{instructions, known_loop};
use firmware::{corpus, corpus::Corpus, once, program};
use semihosting::println;
use ssm_core::embedded_io::{ErrorKind, ErrorType, Seek, SeekFrom, Write};
use ssm_core::{
    Crc32, Crc32Bytewise, Crc32Nibblewise, Crc32Slicing, Decode, Encode, Entry, Get, Input, LzfDecoder, LzfEncoder,
    Put, Saver, Store, Unit, UnitError, Units, tag,
};

program!({
    println!("loop {} 100000", instructions(|| known_loop(50_000)));
    let packed = once!(PACKED: [u8; 16384] = [0; 16384]);
    let plain = once!(PLAIN: Corpus = [0; 8192]);
    let encoder = once!(ENCODER: LzfEncoder<256> = LzfEncoder::new());
    let large_encoder = once!(LARGE_ENCODER: LzfEncoder<4096> = LzfEncoder::new());
    let decoder = once!(DECODER: LzfDecoder<[u8; 1024]> = LzfDecoder::new([0; 1024]));
    for (name, corpus) in corpus::ALL {
        codec(name, "whole", corpus, 8192, encoder, decoder, packed, plain);
        codec(name, "large-table", corpus, 8192, large_encoder, decoder, packed, plain);
        codec(name, "1024", corpus, 1024, encoder, decoder, packed, plain);
        codec(name, "512", corpus, 512, encoder, decoder, packed, plain);
    }

    let (_, corpus) = corpus::ALL[0];
    checksum("nibblewise", &mut Crc32Nibblewise, corpus);
    checksum("bytewise", &mut Crc32Bytewise, corpus);
    checksum("slicing", &mut Crc32Slicing, corpus);

    let scratch = once!(SCRATCH: [u8; 512] = [0; 512]);
    let words = once!(WORDS: Words = Words { words: [0x1234_5678; 4096], used: 0, instructions: 0 });
    words.used = 120;
    Saver::new(Null, Store, &mut *scratch).save(words, &UNITS).unwrap();
    println!("put.buffered {} 120", words.instructions);
    words.used = 4096;
    Saver::new(Null, Store, &mut *scratch).save(words, &UNITS).unwrap();
    println!("put.flushed {} 4096", words.instructions);
    println!("done");
});

/// Encodes in blocks of `block` bytes; decodes block by block, and again in pieces of 256 bytes through the window.
#[allow(clippy::too_many_arguments)]
fn codec(
    name: &str,
    variant: &str,
    corpus: &Corpus,
    block: usize,
    encoder: &mut dyn Encode,
    decoder: &mut dyn Decode,
    packed: &mut [u8],
    plain: &mut Corpus,
) {
    let (mut len, mut taken) = (0, 0);
    encoder.reset();
    let mut lens = [0; 32];
    let encode = instructions(|| {
        for (piece, packed_len) in corpus.chunks(block).zip(&mut lens) {
            let step = encoder.encode(piece, &mut packed[len..], Input::More);
            taken += step.read;
            *packed_len = step.written;
            len += step.written;
        }
    });
    assert_eq!(taken, corpus.len());
    println!("encode.{variant}.{name} {encode} {}", corpus.len());
    println!("packed.{variant}.{name} {len} {}", corpus.len());

    plain.fill(0xff);
    assert!(decoder.reset(tag::LZF));
    let (mut from, mut at) = (0, 0);
    let decode = instructions(|| {
        for packed_len in lens.into_iter().take_while(|len| *len > 0) {
            let step = decoder.decode(&packed[from..from + packed_len], &mut plain[at..], Input::More).unwrap();
            from += step.read;
            at += step.written;
        }
    });
    assert_eq!((from, at), (len, corpus.len()));
    assert_eq!(plain, corpus);
    println!("decode.{variant}.{name} {decode} {}", corpus.len());

    if block > 1024 {
        return;
    }
    plain.fill(0xff);
    assert!(decoder.reset(tag::LZF));
    let (mut from, mut at) = (0, 0);
    let pieces = instructions(|| {
        while at < corpus.len() {
            let to = (at + 256).min(corpus.len());
            let step = decoder.decode(&packed[from..(from + 256).min(len)], &mut plain[at..to], Input::More).unwrap();
            from += step.read;
            at += step.written;
        }
    });
    assert_eq!(plain, corpus);
    println!("pieces.{variant}.{name} {pieces} {}", corpus.len());
}

fn checksum(name: &str, crc: &mut dyn Crc32, corpus: &Corpus) {
    let mut value = 0;
    let spent = instructions(|| value = crc.update(0, black_box(corpus)));
    assert_eq!(value, Crc32Nibblewise.update(0, corpus));
    println!("crc.{name} {spent} {}", corpus.len());
}

/// A unit that counts what its own puts take.
struct Words {
    words: [u32; 4096],
    used: usize,
    instructions: u64,
}

impl Unit for Words {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        let mut outcome = Ok(());
        let words = &self.words[..self.used];
        self.instructions = instructions(|| outcome = put_all(put, words));
        outcome
    }

    fn load(&mut self, _: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        Ok(())
    }
}

#[inline(never)]
fn put_all(put: &mut Put<'_>, words: &[u32]) -> Result<(), UnitError> {
    for word in words {
        put.u32(*word)?;
    }
    Ok(())
}

static UNITS: Units<Words> = Units::new(&[Entry::new("words", |words, _| words)]);

/// A medium that takes everything and keeps nothing.
struct Null;

impl ErrorType for Null {
    type Error = ErrorKind;
}

impl Write for Null {
    #[inline(never)]
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl Seek for Null {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, ErrorKind> {
        match black_box(to) {
            SeekFrom::Start(to) => Ok(to),
            SeekFrom::End(_) | SeekFrom::Current(_) => Err(ErrorKind::Unsupported),
        }
    }
}
