//! Codecs with slices of any size: any plain bytes come back, each step keeps to the contract of `Encode` and `Decode`,
//! and LZF agrees with an independent implementation.

use proptest::prelude::*;
use ssm_core::{Crc32Bytewise, DecodeError, Encode, Header, Input, LzfEncoder, Memory, SaveError, Step, Writer};
use ssm_tests::machine::Packing;
use ssm_tests::pieces::{Sizes, block, blocks, inflate, lzf_decoder, pack, plain, sizes, unpack, windows};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_come_back_through_any_slices(
        plain in plain(),
        slices in (sizes(), sizes(), sizes(), sizes()),
        early: bool,
    ) {
        for packing in Packing::ALL {
            let mut encoder = packing.encoder();
            let packed = pack(&mut *encoder, &plain, &slices.0, &slices.1);
            let mut decoder = ssm_std::decoder();
            let (back, error) = unpack(&mut decoder, encoder.tag(), &packed, &slices.2, &slices.3, early);
            prop_assert_eq!(error, None);
            prop_assert!(back == plain, "{:?}", packing);
        }
    }

    #[test]
    fn our_lzf_is_decoded_by_another(plain in plain(), slices in (sizes(), sizes()), limit in 1usize..40_000) {
        let mut small = LzfEncoder::<256>::new();
        let mut limited = LzfEncoder::<4096>::with_block(limit);
        let mut host = ssm_std::Lzf::new();
        for (encoder, most) in [(&mut small as &mut dyn Encode, 32768), (&mut limited, limit), (&mut host, 32768)] {
            let packed = pack(encoder, &plain, &slices.0, &slices.1);
            let mut back = Vec::new();
            for (len, code) in blocks(&packed) {
                prop_assert!(len <= most);
                back.extend(lzf::decompress(code, len).unwrap());
            }
            prop_assert!(back == plain);
        }
    }

    #[test]
    fn the_lzf_of_another_is_decoded_by_ours(
        pieces in prop::collection::vec(plain(), 1..4),
        slices in (sizes(), sizes()),
        early: bool,
    ) {
        let mut packed = Vec::new();
        let mut plain: Vec<u8> = Vec::new();
        for piece in pieces.iter().flat_map(|piece| piece.chunks(32768)) {
            if let Ok(code) = lzf::compress(piece)
                && code.len() <= 16374
            {
                packed.extend(block(&code, piece.len()));
                plain.extend(piece);
            }
        }
        let (back, error) = unpack(&mut lzf_decoder(8192), 5, &packed, &slices.0, &slices.1, early);
        prop_assert_eq!(error, None);
        prop_assert!(back == plain);
    }

    #[test]
    fn a_small_lzf_window_gives_the_bytes_or_says_so(
        plain in plain(),
        limit in 1usize..9000,
        window in windows(),
        slices in (sizes(), sizes(), sizes()),
        early: bool,
    ) {
        // More than any of these files, packed or plain.
        let whole = Sizes(vec![1 << 18]);
        let packed = pack(&mut LzfEncoder::<4096>::with_block(limit), &plain, &slices.0, &Sizes(vec![12_000]));
        let (back, error) = unpack(&mut lzf_decoder(window), 5, &packed, &slices.1, &slices.2, early);
        prop_assert!(plain.starts_with(&back), "wrong bytes");
        match error {
            None => prop_assert!(back == plain),
            Some(error) => {
                prop_assert_eq!(error, DecodeError::Window);
                prop_assert!(limit > window, "a block of {} fits {}", limit, window);
            }
        }
        // A block that is given whole needs no window.
        let (back, error) = unpack(&mut lzf_decoder(0), 5, &packed, &whole, &whole, early);
        prop_assert!(error.is_none() && back == plain);
    }

    #[test]
    fn inflate_with_any_window(plain in plain(), bits in 8u32..=15, extra in 0usize..255, slices in (sizes(), sizes(), sizes()), early: bool, level in 0u8..=10) {
        let window = (1 << bits) + if extra % 2 == 0 { 0 } else { extra };
        let mut packed = pack(&mut ssm_std::Deflate::new(level), &plain, &slices.0, &slices.1);
        // The writer promises a window of 32 KiB, so a smaller one is refused.
        let (back, error) = unpack(&mut inflate(window), 3, &packed, &slices.1, &slices.2, early);
        if window >= 32768 {
            prop_assert!(error.is_none() && back == plain);
        } else {
            prop_assert_eq!((back, error), (vec![], Some(DecodeError::Window)));
        }
        // A stream whose matches do not reach further may promise less.
        if plain.len() <= 1 << bits {
            packed[0] = 8 | ((bits - 8) << 4) as u8;
            packed[1] &= 0xe0;
            packed[1] += 31 - ((u16::from(packed[0]) << 8 | u16::from(packed[1])) % 31) as u8;
            let (back, error) = unpack(&mut inflate(window), 3, &packed, &slices.1, &slices.2, early);
            prop_assert_eq!(error, None);
            prop_assert!(back == plain);
            // What follows the stream is ignored, however it is cut.
            packed.extend_from_slice(&slices.1.0.iter().map(|size| *size as u8).collect::<Vec<_>>());
            packed.extend(&plain);
            let (back, error) = unpack(&mut inflate(window), 3, &packed, &slices.1, &slices.2, early);
            prop_assert_eq!(error, None);
            prop_assert!(back == plain);
        }
    }

    #[test]
    fn lzf_accepts_what_another_accepts(code in prop::collection::vec(0u8..70, 1..60), slices in (sizes(), sizes())) {
        // The length that the code makes, if it makes one.
        let Some(len) = lzf_len(&code) else { return Ok(()) };
        for plain in [len, len + 1, len.saturating_sub(1).max(1)] {
            let theirs = lzf::decompress(&code, plain).ok().filter(|bytes| bytes.len() == plain);
            let packed = block(&code, plain);
            let (back, error) = unpack(&mut lzf_decoder(8192), 5, &packed, &slices.0, &slices.1, false);
            match theirs {
                Some(theirs) if plain == len => prop_assert!(error.is_none() && back == theirs),
                _ => prop_assert_eq!(error, Some(DecodeError::Corrupt)),
            }
        }
    }
}

/// Plain bytes of some code, by its lengths alone; `None` where it ends inside a token or makes none that a block may have.
fn lzf_len(mut code: &[u8]) -> Option<usize> {
    let mut len = 0;
    while let Some((&control, rest)) = code.split_first() {
        let (take, made) = match control {
            0..32 => (usize::from(control) + 1, usize::from(control) + 1),
            32..224 => (1, usize::from(control >> 5) + 2),
            224.. => (2, usize::from(*rest.first()?) + 9),
        };
        code = rest.get(take..)?;
        len += made;
    }
    (len <= 32768).then_some(len)
}

#[test]
fn large_noise_keeps_within_the_limits_of_a_block() {
    let mut state = 1u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(200_000)
    .collect();
    let zeros = vec![0; 200_000];
    let big = Sizes(vec![1 << 20]);
    for plain in [noise, zeros] {
        for mut encoder in [Packing::SmallLzf.encoder(), Packing::HostLzf.encoder()] {
            let packed = pack(&mut *encoder, &plain, &big, &big);
            assert!(packed.len() < plain.len() * 33 / 32 + 1000);
            assert_eq!(blocks(&packed).iter().map(|(len, _)| len).sum::<usize>(), plain.len());
            let (back, error) = unpack(&mut lzf_decoder(8192), 5, &packed, &big, &big, true);
            assert!(error.is_none() && back == plain);
        }
    }
}

#[test]
fn matches_reach_8192_bytes_back_and_no_further() {
    let big = Sizes(vec![1 << 15]);
    for mut encoder in [Packing::SmallLzf, Packing::Lzf, Packing::HostLzf].map(Packing::encoder) {
        let mut lens = Vec::new();
        for distance in 8180..8200 {
            // A text, zeros, and the text again.
            let mut plain = b"the only text here".to_vec();
            let text = plain.clone();
            plain.resize(distance, 0);
            plain.extend(text);
            let packed = pack(&mut *encoder, &plain, &big, &big);
            let (back, error) = unpack(&mut lzf_decoder(8192), 5, &packed, &big, &big, true);
            assert!(error.is_none() && back == plain, "distance {distance}");
            lens.push(packed.len());
        }
        assert!(lens[..=12].iter().all(|len| *len < lens[13]), "the text is packed twice from 8193 on: {lens:?}");
    }
}

/// Says that it took nothing and gave nothing, for ever.
struct Stuck;

impl Encode for Stuck {
    fn tag(&self) -> u8 {
        ssm_core::tag::LZF
    }

    fn reset(&mut self) {}

    fn encode(&mut self, _: &[u8], _: &mut [u8], _: Input) -> Step {
        Step::default()
    }
}

#[test]
fn a_stuck_encoder_is_an_error_and_no_loop() {
    let mut scratch = [0; 64];
    let mut file = Memory::new([0; 512]);
    let mut writer = Writer::new(&mut file, Stuck, Crc32Bytewise, &Header::new(), &mut scratch).unwrap();
    assert_eq!(writer.unit(b"unit", 0, 1, &mut |put| put.bytes(&[7; 100])), Err(SaveError::Codec));
}
