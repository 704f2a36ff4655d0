//! Packed bytes that are damaged, cut off or garbage: decoding always ends, never gives wrong bytes for lack of window,
//! and says the same whatever the sizes of the slices are.

use proptest::prelude::*;
use ssm_core::{Decode, DecodeError, Store};
use ssm_tests::machine::Packing;
use ssm_tests::pieces::{Sizes, block, blocks, inflate, lzf_decoder, pack, plain, sizes, unpack, windows};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damage_ends_and_does_not_depend_on_slices(
        plain in plain(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0u8..4, any::<u8>()), 1..5),
        window in windows(),
        first in (sizes(), sizes(), any::<bool>()),
        second in (sizes(), sizes(), any::<bool>()),
    ) {
        let whole = Sizes(vec![5000]);
        for packing in [Packing::Lzf, Packing::Zlib] {
            let mut encoder = packing.encoder();
            let mut packed = pack(&mut *encoder, &plain, &whole, &whole);
            for (at, kind, byte) in &changes {
                if packed.is_empty() {
                    break;
                }
                let at = at.index(packed.len());
                match kind {
                    0 => packed[at] ^= 1 << (byte & 7),
                    1 => packed.truncate(at),
                    2 => packed.insert(at, *byte),
                    _ => _ = packed.remove(at),
                }
            }
            let tag = encoder.tag();
            let one = unpack(&mut ssm_std::decoder(), tag, &packed, &first.0, &first.1, first.2);
            let two = unpack(&mut ssm_std::decoder(), tag, &packed, &second.0, &second.1, second.2);
            prop_assert!(one.0 == two.0, "{:?}: {} and {} bytes", packing, one.0.len(), two.0.len());
            prop_assert_eq!(one.1, two.1);
            // A small window never gives other bytes.
            let small = if tag == 5 {
                unpack(&mut lzf_decoder(window), tag, &packed, &first.0, &first.1, first.2)
            } else {
                unpack(&mut inflate(window), tag, &packed, &first.0, &first.1, first.2)
            };
            prop_assert!(one.0.starts_with(&small.0) && (small == one || small.1.is_some()));
        }
    }

    #[test]
    fn garbage_ends_and_does_not_depend_on_slices(
        garbage in prop::collection::vec(any::<u8>(), 0..400),
        start in 0usize..4,
        len in 1u16..=400,
        first in (sizes(), sizes(), any::<bool>()),
        second in (sizes(), sizes(), any::<bool>()),
    ) {
        let start: Vec<u8> = match start {
            0 => vec![],
            1 => block(&garbage, len.into())[..10].to_vec(),
            2 => block(&[0; 300][..usize::from(len).min(300)], 32768)[..10].to_vec(),
            _ => vec![0x78, 0x9c],
        };
        let packed = [start, garbage].concat();
        for tag in [2, 3, 5] {
            let one = unpack(&mut ssm_std::decoder(), tag, &packed, &first.0, &first.1, first.2);
            let two = unpack(&mut ssm_std::decoder(), tag, &packed, &second.0, &second.1, second.2);
            prop_assert_eq!(&one, &two);
            prop_assert!(tag != 2 || one.0 == packed);
        }
    }
}

#[test]
fn every_cut_of_packed_bytes_is_the_end_or_a_failure() {
    let plain: Vec<u8> = (0..500u32).flat_map(|at| (at * at / 50).to_le_bytes()).collect();
    let outputs = Sizes(vec![600]);
    for packing in [Packing::SmallLzf, Packing::Zlib] {
        let mut encoder = packing.encoder();
        let packed = pack(&mut *encoder, &plain, &Sizes(vec![500]), &outputs);
        let ends: Vec<usize> = match packing {
            Packing::Zlib => vec![packed.len()],
            _ => blocks(&packed)
                .iter()
                .scan(0, |at, (_, code)| Some(std::mem::replace(at, *at + 10 + code.len())))
                .chain([packed.len()])
                .collect(),
        };
        assert!(packing == Packing::Zlib || ends.len() > 3);
        for cut in 0..=packed.len() {
            for early in [false, true] {
                for slice in [1, 100, 9000] {
                    let inputs = Sizes(vec![slice]);
                    let (back, error) =
                        unpack(&mut ssm_std::decoder(), encoder.tag(), &packed[..cut], &inputs, &outputs, early);
                    assert!(plain.starts_with(&back));
                    let expected = if ends.contains(&cut) { None } else { Some(DecodeError::End) };
                    assert_eq!(error, expected, "{packing:?}, {cut} of {} bytes", packed.len());
                }
            }
        }
    }
}

#[test]
fn the_checksum_of_zlib_is_checked() {
    let big = Sizes(vec![1000]);
    let mut packed = pack(&mut ssm_std::Deflate::default(), b"checked", &big, &big);
    let at = packed.len() - 1;
    packed[at] ^= 1;
    let (_, error) = unpack(&mut inflate(32768), 3, &packed, &big, &big, false);
    assert_eq!(error, Some(DecodeError::Corrupt));
}

#[test]
fn what_follows_a_zlib_stream_is_ignored_wherever_the_slices_end() {
    let big = Sizes(vec![1000]);
    for len in [0, 1, 2, 9, 40, 300] {
        let plain: Vec<u8> = (0..len).map(|at| (at * at % 251) as u8).collect();
        for level in [0, 1, 6] {
            let mut packed = pack(&mut ssm_std::Deflate::new(level), &plain, &big, &big);
            let end = packed.len();
            packed.extend([0xa5; 20]);
            for cut in 1..packed.len() {
                for output in [1, 2, 3, 7, 64, 1000] {
                    let inputs = Sizes(vec![cut, end.saturating_sub(cut).max(1), 3]);
                    let (back, error) = unpack(&mut inflate(32768), 3, &packed, &inputs, &Sizes(vec![output]), false);
                    assert_eq!((back == plain, error), (true, None), "{len} bytes, {cut} of {end}, {output}");
                }
            }
        }
    }
}

#[test]
fn other_tags_are_refused() {
    for tag in 0..=255 {
        assert_eq!(Decode::reset(&mut Store, tag), tag == 2);
        assert_eq!(inflate(256).reset(tag), tag == 3);
        assert_eq!(lzf_decoder(1).reset(tag), tag == 5);
        assert_eq!(ssm_std::decoder().reset(tag), [2, 3, 5].contains(&tag));
    }
}
