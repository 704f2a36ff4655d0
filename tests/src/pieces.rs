//! Codecs in pieces: slices of any size in and out, with the contract of `Encode` and `Decode` checked at each step.

use proptest::prelude::*;
use ssm_core::{Decode, DecodeError, Encode, Inflate, InflateState, Input, LzfDecoder, Step};

/// Sizes of slices, over and over.
#[derive(Clone, Debug)]
pub struct Sizes(pub Vec<usize>);

impl Sizes {
    /// One after the other, without end.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().copied().cycle()
    }
}

/// Any of them, mostly small.
pub fn sizes() -> impl Strategy<Value = Sizes> {
    let size = prop_oneof![2 => 1usize..24, 2 => 1usize..600, 1 => 1usize..40_000];
    prop::collection::vec(size, 1..6).prop_map(Sizes)
}

#[derive(Clone, Debug)]
enum Run {
    Noise(usize, u64),
    Zeros(usize),
    Text(usize),
    /// A copy of earlier bytes: how far back in 65536ths of what is there, and how many.
    Copy(u16, usize),
    Near(usize, usize),
}

/// Plain bytes as machines have them: noise, zeros, text and repeats.
pub fn plain() -> impl Strategy<Value = Vec<u8>> {
    let run = prop_oneof![
        (0usize..6000, any::<u64>()).prop_map(|(len, seed)| Run::Noise(len, seed)),
        (0usize..9000).prop_map(Run::Zeros),
        (0usize..3000).prop_map(Run::Text),
        (any::<u16>(), 0usize..700).prop_map(|(back, len)| Run::Copy(back, len)),
        (1usize..20, 0usize..700).prop_map(|(back, len)| Run::Near(back, len)),
    ];
    prop::collection::vec(run, 0..14).prop_map(|runs| {
        let mut bytes: Vec<u8> = Vec::new();
        for run in runs {
            match run {
                Run::Noise(len, mut seed) => bytes.extend((0..len).map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (seed >> 40) as u8
                })),
                Run::Zeros(len) => bytes.resize(bytes.len() + len, 0),
                Run::Text(len) => bytes.extend(b"the quick brown fox; ".iter().cycle().take(len)),
                Run::Copy(back, len) => {
                    let back = (bytes.len() * usize::from(back)) >> 16;
                    (0..len).for_each(|_| bytes.extend(bytes.len().checked_sub(back + 1).map(|at| bytes[at])));
                }
                Run::Near(back, len) => {
                    (0..len).for_each(|_| bytes.extend(bytes.len().checked_sub(back).map(|at| bytes[at])));
                }
            }
        }
        bytes
    })
}

/// Packs by the contract: each call with something to do does something, and the end is reached.
pub fn pack(encoder: &mut dyn Encode, plain: &[u8], inputs: &Sizes, outputs: &Sizes) -> Vec<u8> {
    encoder.reset();
    let mut packed = Vec::new();
    let mut outputs = outputs.iter();
    let mut rest = plain;
    for input in inputs.iter() {
        let mut piece = &rest[..rest.len().min(input)];
        rest = &rest[piece.len()..];
        while !piece.is_empty() {
            let mut room = vec![0xee; outputs.next().unwrap()];
            let step = encoder.encode(piece, &mut room, Input::More);
            assert!(step.read > 0 || step.written > 0, "a step that does nothing");
            piece = &piece[step.read..];
            packed.extend(&room[..step.written]);
        }
        if rest.is_empty() {
            break;
        }
    }
    loop {
        let mut room = vec![0; outputs.next().unwrap()];
        let step = encoder.encode(&[], &mut room, Input::End);
        assert_eq!(step.read, 0);
        if step.written == 0 {
            break;
        }
        packed.extend(&room[..step.written]);
    }
    assert_eq!(encoder.encode(&[], &mut [0; 9], Input::End).written, 0, "all was said");
    packed
}

/// Unpacks by the contract; what came out, and the failure if there was one. `early` tells of the end with the last
/// piece rather than after it.
pub fn unpack(
    decoder: &mut dyn Decode,
    tag: u8,
    packed: &[u8],
    inputs: &Sizes,
    outputs: &Sizes,
    early: bool,
) -> (Vec<u8>, Option<DecodeError>) {
    assert!(decoder.reset(tag));
    let mut plain = Vec::new();
    let mut outputs = outputs.iter();
    let mut rest = packed;
    let mut inputs = inputs.iter();
    let mut piece = &rest[..0];
    loop {
        if piece.is_empty() {
            piece = &rest[..rest.len().min(inputs.next().unwrap())];
            rest = &rest[piece.len()..];
        }
        let end = rest.is_empty() && (early || piece.is_empty());
        let mut room = vec![0; outputs.next().unwrap()];
        match decoder.decode(piece, &mut room, if end { Input::End } else { Input::More }) {
            Ok(step) => {
                plain.extend(&room[..step.written]);
                if step.read == 0 && step.written == 0 {
                    assert!(piece.is_empty(), "a step that does nothing with {} bytes at hand", piece.len());
                    if end {
                        return (plain, None);
                    }
                    assert!(!rest.is_empty());
                }
                piece = &piece[step.read..];
            }
            Err(error) => return (plain, Some(error)),
        }
        assert!(plain.len() < 1 << 26, "no end");
    }
}

/// A decoder with so much window.
pub fn lzf_decoder(window: usize) -> LzfDecoder<Vec<u8>> {
    LzfDecoder::new(vec![0; window])
}

/// A decoder with so much window.
pub fn inflate(window: usize) -> Inflate<Box<InflateState>, Vec<u8>> {
    Inflate::new(Box::default(), vec![0; window])
}

/// The lengths of each block and its code, checked against the limits of the format.
pub fn blocks(mut packed: &[u8]) -> Vec<(usize, &[u8])> {
    let mut blocks = Vec::new();
    while !packed.is_empty() {
        let field = |at: usize| usize::from(u16::from_le_bytes([packed[at], packed[at + 1]]));
        assert_eq!((&packed[..2], &packed[4..8]), (&b"ZV"[..], &[0; 4][..]));
        let (code, plain) = (field(2), field(8));
        assert!((1..=16374).contains(&code) && (1..=32768).contains(&plain), "{code} {plain}");
        blocks.push((plain, &packed[10..10 + code]));
        packed = &packed[10 + code..];
    }
    blocks
}

/// A block of this code.
pub fn block(code: &[u8], plain: usize) -> Vec<u8> {
    let (len, plain) = (code.len() as u16, plain as u16);
    [b"ZV", &len.to_le_bytes()[..], &[0; 4], &plain.to_le_bytes(), code].concat()
}

/// Windows of LZF, most of them too small for some file.
pub fn windows() -> impl Strategy<Value = usize> {
    prop_oneof![
        Just(0usize),
        1usize..300,
        Just(256),
        Just(1024),
        Just(4096),
        1usize..9000,
        Just(8192),
        8193usize..20_000
    ]
}

/// Packs all at once, on as many threads as the encoder has, and by steps what that leaves.
pub fn pack_ahead(encoder: &mut dyn Encode, plain: &[u8]) -> Vec<u8> {
    let (mut packed, mut through) = (Vec::new(), 0);
    encoder.reset();
    encoder.encode_all(plain, &mut |code, taken| {
        packed.extend_from_slice(code);
        through += taken;
        true
    });
    let mut room = vec![0; plain.len() + plain.len() / 16 + 4096];
    while let Step { read, written: written @ 1.. } = encoder.encode(&plain[through..], &mut room, Input::End) {
        packed.extend_from_slice(&room[..written]);
        through += read;
    }
    assert_eq!(through, plain.len());
    packed
}
