//! Every fast path beside the plain one (`ssm_tests::reference`) at the sizes where fast paths begin and end: wide copies in
//! the LZF block decoder, zeros that are packed once for all, pieces on several threads, tables and vector instructions of
//! CRC-32, checksums carried over patches. Anything else is for the fuzzer (`fuzz_targets`).

use proptest::prelude::*;
use ssm_core::{
    Crc32, Crc32Bytewise, Crc32Nibblewise, Crc32Slicing, Decode, Header, Input, LzfDecoder, Store, Writer, tag,
};
use ssm_std::{Crc32Fast, Lzf};
use ssm_tests::media::Disk;
use ssm_tests::pieces::{Sizes, block, blocks, pack, pack_ahead, plain, sizes, unpack};
use ssm_tests::reference;

/// Plain bytes that one thread of the host works on, and blocks that the host's decoder unpacks at a time.
const PIECE: usize = 32768;
const BATCH: usize = 128;

fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// What core's decoder makes of a block that is given whole.
fn fast_block(code: &[u8], plain: usize, room: usize) -> Option<Vec<u8>> {
    let mut out = vec![0xee; room];
    let mut decoder = LzfDecoder::new([0; 0]);
    assert!(decoder.reset(tag::LZF));
    let step = decoder.decode(&block(code, plain), &mut out, Input::End).ok()?;
    assert!(out[step.written..].iter().all(|byte| *byte == 0xee), "bytes behind the block are changed");
    out.truncate(step.written);
    Some(out)
}

/// Literals, then a match of each length from each distance around the width of a copy, at each distance from the block's
/// end: with all room that a wide copy wants, with some, with none.
#[test]
fn every_short_match_at_every_end_of_a_block() {
    for distance in 1..=70usize {
        for length in (3..=70).chain([263, 264]) {
            for behind in (0..=32).chain([63, 64, 65]) {
                let mut code = Vec::new();
                for run in noise(distance + distance % 5, 7).chunks(32) {
                    code.push(run.len() as u8 - 1);
                    code.extend(run);
                }
                let [low, high] = ((distance - 1) as u16).to_le_bytes();
                match length - 2 {
                    short @ ..7 => code.extend([(short as u8) << 5 | high, low]),
                    long => code.extend([7 << 5 | high, (long - 7) as u8, low]),
                }
                for run in noise(behind, 9).chunks(32) {
                    code.push(run.len() as u8 - 1);
                    code.extend(run);
                }
                let plain = distance + distance % 5 + length + behind;
                let (expected, error) = reference::block(&code, code.len(), plain);
                assert_eq!((expected.len(), error), (plain, None));
                for more in [0, 1, 100] {
                    let found = fast_block(&code, plain, plain + more);
                    assert!(found.as_ref() == Some(&expected), "distance {distance}, length {length}, {behind} behind");
                }
            }
        }
    }
}

#[test]
fn every_run_of_literals_at_every_end_of_a_block() {
    for run in 1..=32 {
        for before in 0..=40 {
            for behind in 0..=40 {
                let mut code = Vec::new();
                for literals in [noise(before, 1), noise(run, 2), noise(behind, 3)] {
                    for literals in literals.chunks(32) {
                        code.push(literals.len() as u8 - 1);
                        code.extend(literals);
                    }
                }
                let plain = before + run + behind;
                let (expected, _) = reference::block(&code, code.len(), plain);
                assert!(fast_block(&code, plain, plain) == Some(expected), "{before}, {run}, {behind}");
            }
        }
    }
}

/// Packs on this many threads and checks with the reference.
fn check_pack(plain: &[u8], host: &mut Lzf, room: usize) -> Vec<u8> {
    let packed = pack(host, plain, &Sizes(vec![plain.len().max(1)]), &Sizes(vec![room]));
    let (back, error) = reference::blocks(&packed);
    assert!(error.is_none() && back == plain);
    assert!(blocks(&packed).iter().all(|(len, _)| *len <= PIECE));
    packed
}

/// Zeros of about a piece or several, with one other byte at either end of a stride, or nowhere.
#[test]
fn zeros_and_what_nearly_is() {
    let mut hosts = [1, 2, 3].map(Lzf::with_threads);
    for len in [255, 256, 257, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 100] {
        let places = [0, 1, 31, 32, 63, 64, 255, 256, 257, PIECE - 257, PIECE - 1, PIECE, len - 2, len - 1];
        for place in places.map(Some).into_iter().chain([None]) {
            let mut plain = vec![0; len];
            place.and_then(|place| plain.get_mut(place)).into_iter().for_each(|byte| *byte = 1);
            let [one, two, three] = &mut hosts;
            let packed = check_pack(&plain, one, 1 << 18);
            assert!(packed == pack_ahead(two, &plain) && packed == check_pack(&plain, three, 777));
        }
    }
}

/// Around the numbers of pieces that are packed, and of blocks that are unpacked, at a time.
#[test]
fn threads_at_the_limits_of_their_work() {
    let mut hosts = [1, 2, 3].map(Lzf::with_threads);
    for pieces in [1, 2, 32, 33] {
        for more in [-1, 0, 1] {
            let len = (pieces * PIECE).checked_add_signed(more).unwrap();
            let plain: Vec<u8> = (0..len).map(|at| (at * at / 90_001) as u8).collect();
            let [one, two, three] = &mut hosts;
            let packed = check_pack(&plain, one, 1 << 22);
            assert!(
                packed == check_pack(&plain, one, 50_000)
                    && packed == pack_ahead(two, &plain)
                    && packed == pack_ahead(three, &plain)
            );
        }
    }
    for count in [1, 2, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH + 1] {
        let one_block = block(b"\x04block\x20\x04", 8);
        for damaged in [None, Some(0), Some(1), Some(count - 1), Some(BATCH)] {
            let mut packed = one_block.repeat(count);
            damaged.and_then(|at| packed.get_mut(at * one_block.len() + 17)).into_iter().for_each(|byte| *byte = 5);
            let expected = reference::blocks(&packed);
            assert_eq!(expected.1.is_some(), damaged.is_some_and(|at| at < count));
            for threads in 1..=3 {
                let mut decoder = ssm_std::LzfDecoder::with_threads(threads);
                for output in [1 << 16, 8 * BATCH + 3, 50] {
                    let found =
                        unpack(&mut decoder, tag::LZF, &packed, &Sizes(vec![1 << 16]), &Sizes(vec![output]), true);
                    assert!(found == expected, "{threads} threads, {count} blocks, {damaged:?} damaged, {output}");
                }
            }
        }
    }
}

/// Each length around the strides of tables and vector instructions, at each alignment, from any state.
#[test]
fn every_way_to_compute_crc_32() {
    let bytes = noise(3000, 5);
    let ways: [&mut dyn Crc32; 4] = [&mut Crc32Nibblewise, &mut Crc32Bytewise, &mut Crc32Slicing, &mut Crc32Fast];
    for way in ways {
        for from in 0..16 {
            for len in (0..300).chain([511, 512, 513, 1023, 1024, 1025, 2047, 2900]) {
                let part = &bytes[from..from + len];
                let expected = reference::crc32(part);
                assert_eq!(way.update(0, part), expected);
                let (a, b) = part.split_at(len * 5 / 7);
                let half = way.update(0, a);
                assert_eq!(way.update(half, b), expected, "from {from}, {len} bytes");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_damaged_block_given_whole(plain in plain(), at: prop::sample::Index, change in 1u8..=255, limit in 1usize..9000) {
        let whole = Sizes(vec![1 << 17]);
        let mut packed = pack(&mut ssm_core::LzfEncoder::<4096>::with_block(limit), &plain, &whole, &whole);
        prop_assume!(!packed.is_empty());
        prop_assert_eq!(reference::blocks(&packed), (plain, None));
        let at = at.index(packed.len());
        packed[at] ^= change;
        let found = unpack(&mut LzfDecoder::new([0; 8192]), tag::LZF, &packed, &whole, &whole, true);
        prop_assert!(found == reference::blocks(&packed));
    }

    /// The lengths of units are patched behind their data, far or near, in the middle of buffers or across them.
    #[test]
    fn the_checksum_of_a_patched_file(
        lens in prop::collection::vec(prop_oneof![0usize..40, 0usize..700, 0usize..70_000], 0..8),
        scratch in 1usize..3000,
        pieces in sizes(),
    ) {
        for way in 0..4 {
            let mut disk = Disk::new();
            let crc: &mut dyn Crc32 = match way {
                0 => &mut Crc32Nibblewise,
                1 => &mut Crc32Bytewise,
                2 => &mut Crc32Slicing,
                _ => &mut Crc32Fast,
            };
            let mut scratch = vec![0; scratch];
            let mut writer = Writer::new(&mut disk, Store, crc, &Header::new(), &mut scratch).unwrap();
            for (at, len) in lens.iter().enumerate() {
                let plain = noise(*len, at as u64);
                let (mut rest, mut pieces) = (&plain[..], pieces.iter());
                let mut put = |put: &mut ssm_core::Put<'_>| {
                    while !rest.is_empty() {
                        let (piece, behind) = rest.split_at(pieces.next().unwrap().min(rest.len()));
                        put.bytes(piece)?;
                        rest = behind;
                    }
                    Ok(())
                };
                writer.unit(b"unit", at as u32, 1, &mut put).unwrap();
            }
            writer.finish().unwrap();
            let file = disk.into_bytes();
            prop_assert_eq!(&file[40..44], &reference::crc32(&file[44..file.len() - 36]).to_le_bytes());
        }
    }
}
