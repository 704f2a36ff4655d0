//! Blocks without a header, in pieces of any size; and any code, beside a reference decoder that does it byte by byte.

use super::*;
use crate::codec::{Decode, DecodeError, Either, Encode, Input, Store, tag};
use proptest::prelude::*;

/// The plain bytes of bare code, as far as it is sound, and whether it is to the end.
fn reference(code: &[u8]) -> (Vec<u8>, bool) {
    let (mut plain, mut at) = (Vec::new(), 0);
    let mut next = || {
        at += 1;
        code.get(at - 1).copied()
    };
    while let Some(control) = next() {
        if control < 32 {
            for _ in 0..=control {
                match next() {
                    Some(byte) => plain.push(byte),
                    None => return (plain, false),
                }
            }
            continue;
        }
        let more = if control >> 5 == 7 { next() } else { Some(0) };
        let (Some(more), Some(low)) = (more, next()) else {
            return (plain, false);
        };
        let distance = (usize::from(control & 31) << 8 | usize::from(low)) + 1;
        if distance > plain.len() {
            return (plain, false);
        }
        for _ in 0..usize::from(control >> 5) + 2 + usize::from(more) {
            plain.push(plain[plain.len() - distance]);
        }
    }
    (plain, true)
}

/// Sound code whose matches reach up to `window` bytes back, and often that far.
fn codes(window: usize) -> impl Strategy<Value = Vec<u8>> {
    let literals = prop::collection::vec(any::<u8>(), 1..=32).prop_map(|bytes| (Some(bytes), 0, 0));
    let lengths = prop_oneof![3usize..20, 3usize..=264];
    let distances = prop_oneof![1..=window, window.saturating_sub(20).max(1)..=window, 1..=window.min(9)];
    let token = prop_oneof![literals, (lengths, distances).prop_map(|(length, distance)| (None, length, distance))];
    prop::collection::vec(token, 1..60 + window / 20).prop_map(|tokens| {
        let (mut code, mut made) = (Vec::new(), 0);
        for (literals, length, distance) in tokens {
            if let Some(bytes) = literals {
                code.push(bytes.len() as u8 - 1);
                code.extend(&bytes);
                made += bytes.len();
            } else if made > 0 {
                let ([low, high], short) = (((distance.min(made) - 1) as u16).to_le_bytes(), length as u16 - 2);
                if short < 7 {
                    code.extend([(short as u8) << 5 | high, low]);
                } else {
                    code.extend([7 << 5 | high, (short - 7) as u8, low]);
                }
                made += length;
            }
        }
        code
    })
}

proptest! {
    #[test]
    fn any_sound_code_is_decoded_as_by_the_reference(
        (window, code) in prop_oneof![2usize..60, 60usize..600, Just(8192)].prop_flat_map(|at| (Just(at), codes(at))),
        (input, output) in (1usize..300, 1usize..700),
        more in prop_oneof![Just(0usize), 0usize..40],
    ) {
        let (plain, sound) = reference(&code);
        prop_assert!(sound);
        prop_assume!(!plain.is_empty() && plain.len() < 65536);
        let sizes = (code.len(), plain.len());
        let small = unpack(&mut LzfDecoder::new(vec![0; window + more]), sizes, &code, input, output);
        prop_assert_eq!(&small, &(plain.clone(), None));
        let whole = unpack(&mut LzfDecoder::new([0; 0]), sizes, &code, code.len(), plain.len());
        prop_assert_eq!(&whole, &(plain, None));
    }

    #[test]
    fn damaged_code_is_refused_as_by_the_reference(
        mut code in codes(500),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        (input, output) in (1usize..300, 1usize..700),
    ) {
        let stated = reference(&code).0.len().max(1);
        for (at, byte) in changes {
            let at = at.index(code.len().max(1));
            code.get_mut(at).into_iter().for_each(|place| *place = byte);
        }
        let (plain, sound) = reference(&code);
        let (back, error) = unpack(&mut LzfDecoder::new([0; 8192]), (code.len(), stated), &code, input, output);
        prop_assert!(plain.starts_with(&back));
        prop_assert_eq!(error.is_none(), sound && plain.len() == stated);
    }

    #[test]
    fn what_is_encoded_the_reference_decodes(plain in prop::collection::vec(0u8..3, 1..3000), room in 2usize..1000) {
        let mut code = vec![0; room];
        let small = block::encode::<256>(&plain, &mut code, &mut [7; 256]);
        prop_assert_eq!(reference(&code[..small.code]), (plain[..small.plain].to_vec(), true));
        let large = block::encode::<16384>(&plain, &mut code, &mut [7; 16384]);
        prop_assert_eq!(reference(&code[..large.code]), (plain[..large.plain].to_vec(), true));
    }
}

/// Runs, text and noise.
fn plain(len: usize) -> Vec<u8> {
    let mut bytes = b"the state of the machine is the state of its units; ".repeat(3);
    bytes.extend([0; 300]);
    bytes.extend((0u32..200).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8));
    bytes.iter().copied().cycle().take(len).collect()
}

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut code = vec![0; 5000];
    let len = LzfEncoder::<256>::new().encode_block(plain, &mut code).unwrap();
    code.truncate(len);
    code
}

/// Decodes a block of the stated sizes out of `code` in pieces, and then what `decode` says at the end.
fn unpack<W: AsRef<[u8]> + AsMut<[u8]>>(
    decoder: &mut LzfDecoder<W>,
    (stated_packed, stated_plain): (usize, usize),
    code: &[u8],
    input: usize,
    output: usize,
) -> (Vec<u8>, Option<DecodeError>) {
    assert!(decoder.begin_block(stated_packed as u16, stated_plain as u16));
    let (mut left, mut back, mut to) = (code, Vec::new(), vec![0; output]);
    loop {
        let piece = &left[..input.min(left.len())];
        match decoder.decode(piece, &mut to, Input::End) {
            Err(error) => return (back, Some(error)),
            Ok(step) if step.read == 0 && step.written == 0 => {
                assert!(piece.is_empty());
                return (back, None);
            }
            Ok(step) => {
                left = &left[step.read..];
                back.extend(&to[..step.written]);
            }
        }
    }
}

#[test]
fn a_bare_block_comes_back_in_pieces_of_every_size() {
    for len in [1, 2, 31, 33, 600, 2000, 4096] {
        let plain = plain(len);
        let code = packed(&plain);
        let sizes = (code.len(), len);
        for input in (1..=code.len().min(600)).chain([code.len() + 1]) {
            for output in [1, 3, 64, 333, len, len + 1] {
                let mut decoder = LzfDecoder::new([0; 4096]);
                assert_eq!(unpack(&mut decoder, sizes, &code, input, output), (plain.clone(), None));
                // The next block needs no reset, also where this one ended early.
                decoder.begin_block(9, 9);
                let _ = decoder.decode(&code[..1], &mut [0; 3], Input::More);
                assert_eq!(unpack(&mut decoder, sizes, &code, input, output), (plain.clone(), None));
            }
        }
        for output in 1..=len {
            assert_eq!(unpack(&mut LzfDecoder::new([0; 4096]), sizes, &code, 100, output), (plain.clone(), None));
        }
    }
}

#[test]
fn a_bare_block_of_other_sizes_is_corrupt() {
    let plain = plain(700);
    let code = packed(&plain);
    let sizes = (code.len(), plain.len());
    for (input, output) in [(5000, 5000), (5000, 700), (1, 1), (7, 64), (code.len(), 699), (64, 4096)] {
        let decoder = &mut LzfDecoder::new([0; 1024]);
        let mut check = |stated: (usize, usize), code: &[u8], what: &str| {
            let (back, error) = unpack(decoder, stated, code, input, output);
            assert!(plain.starts_with(&back), "{what}");
            assert!(back.len() <= stated.1);
            assert_eq!(error, Some(DecodeError::Corrupt), "{what}, {stated:?}, pieces of {input} and {output}");
        };
        for cut in 0..code.len() {
            check(sizes, &code[..cut], "cut");
            check((cut, sizes.1), &code[..cut], "cut and said so");
            check((cut, sizes.1), &code, "stated too short");
        }
        for len in (0..sizes.1).chain([sizes.1 + 1, 4096, 65535]) {
            check((sizes.0, len), &code, "plain size");
        }
        for more in 1..40 {
            let longer = [&code[..], &[0, 1, 2, 3, 0x20, 0].repeat(7)[..more]].concat();
            check(sizes, &longer, "more than the block");
            check((longer.len(), sizes.1), &longer, "more and said so");
        }
    }
}

#[test]
fn a_bare_block_is_a_block_without_its_header() {
    for len in [1, 100, 4096] {
        let (plain, mut block) = (plain(len), [0; 5000]);
        let step = LzfEncoder::<256>::new().encode(&plain, &mut block, Input::End);
        assert_eq!(block[BLOCK_HEADER..step.written], packed(&plain));
        assert_eq!(step.read, len);
    }
}

#[test]
fn a_small_block_is_the_same_with_all_large_tables() {
    let plain = plain(4096);
    for len in [1, 700, 4096] {
        let (mut large, mut small) = ([0; 5000], [0; 5000]);
        let made = LzfEncoder::<16384>::new().encode(&plain[..len], &mut large, Input::End);
        assert_eq!(LzfEncoder::<4096>::new().encode(&plain[..len], &mut small, Input::End), made);
        assert_eq!(large[..made.written], small[..made.written]);
    }
}

#[test]
fn a_bare_block_fits_or_is_refused() {
    let mut encoder = LzfEncoder::<256>::new();
    let plain = plain(4097);
    let code = packed(&plain[..4096]);
    for room in 0..code.len() {
        assert_eq!(encoder.encode_block(&plain[..4096], &mut vec![0; room]), None);
    }
    let mut exact = vec![0; code.len()];
    assert_eq!(encoder.encode_block(&plain[..4096], &mut exact), Some(code.len()));
    assert_eq!(exact, code);
    assert_eq!(encoder.encode_block(&[], &mut exact), None);
    assert_eq!(encoder.encode_block(&plain, &mut [0; 9000]), None);
}

#[test]
fn encoding_a_bare_block_leaves_the_unit_alone() {
    let plain = plain(500);
    let unit = |between: bool| {
        let (mut encoder, mut left, mut out) = (LzfEncoder::<256>::new(), &plain[..], Vec::<u8>::new());
        loop {
            let mut packed = [0; 3];
            let step = encoder.encode(left, &mut packed, Input::End);
            if step.written == 0 {
                return out;
            }
            out.extend(&packed[..step.written]);
            left = &left[step.read..];
            if between {
                encoder.encode_block(&plain, &mut [0; 600]).unwrap();
            }
        }
    };
    assert_eq!(unit(true), unit(false));
}

#[test]
fn a_bare_block_beyond_the_window_says_so() {
    let mut plain: Vec<u8> = (0u32..900).map(|at| (at.wrapping_mul(2_654_435_761) >> 23) as u8).collect();
    plain.extend_from_within(..100);
    let code = packed(&plain);
    let sizes = (code.len(), plain.len());
    let unpack = |window: usize, input| unpack(&mut LzfDecoder::new(vec![0; window]), sizes, &code, input, 2000);
    assert_eq!(unpack(899, 64).1, Some(DecodeError::Window));
    assert_eq!(unpack(900, 64), (plain.clone(), None));
    assert_eq!(unpack(0, 64).1, Some(DecodeError::Window));
    assert_eq!(unpack(0, 2000), (plain.clone(), None));
}

#[test]
fn reset_ends_the_mode_of_bare_blocks() {
    let plain = plain(100);
    let mut block = [0; 200];
    let step = LzfEncoder::<256>::new().encode(&plain, &mut block, Input::End);
    let mut decoder = LzfDecoder::new([0; 256]);
    assert!(decoder.begin_block(20, 30));
    assert!(decoder.reset(tag::LZF));
    let mut back = [0; 200];
    let done = decoder.decode(&block[..step.written], &mut back, Input::End).unwrap();
    assert_eq!((done.read, &back[..done.written]), (step.written, &plain[..]));
    assert_eq!(decoder.decode(&[], &mut back, Input::End).map(|step| step.written), Ok(0));
}

#[test]
fn a_choice_of_codecs_takes_the_one_that_has_bare_blocks() {
    let plain = plain(100);
    let code = packed(&plain);
    let (mut back, mut again) = ([0; 100], [0; 200]);
    let mut decoder = Either::of(Store, LzfDecoder::new([0; 256]));
    for _ in 0..2 {
        assert!(Decode::begin_block(&mut &mut decoder, code.len() as u16, 100));
        assert_eq!(decoder.decode(&code, &mut back, Input::End).unwrap().written, 100);
        assert_eq!(back, plain[..]);
        assert!(Decode::reset(&mut decoder, tag::STORE));
    }
    assert!(!Either::of(Store, Store).begin_block(1, 1));
    let mut encoder = Either::<Store, _>::second(Store, LzfEncoder::<256>::new());
    assert_eq!(Encode::encode_block(&mut &mut encoder, &plain, &mut again), Some(code.len()));
    assert_eq!(again[..code.len()], code);
    assert_eq!(Either::first(Store, encoder).encode_block(&plain, &mut again), None);
}
