//! The host's LZF: any number of threads and any room give the same bytes, which every decoder reads.

use proptest::prelude::*;
use ssm_core::{Decode, DecodeError, Encode, Input, tag};
use ssm_std::{Lzf, LzfDecoder};

/// Runs of zeros, of repeated words and of noise, by which blocks of all kinds come about.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let run = (0u8..4, 1usize..60_000, any::<u64>()).prop_map(|(kind, len, seed)| {
        let mut state = seed | 1;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        match kind {
            0 => vec![0; len],
            1 => (0..len).map(|_| next() as u8).collect(),
            2 => b"saved state of a machine, ".iter().cycle().take(len).copied().collect(),
            _ => (0..len).map(|_| (next() & 3) as u8).collect::<Vec<u8>>(),
        }
    });
    prop::collection::vec(run, 0..6).prop_map(|runs| runs.concat())
}

/// All packed bytes of `plain`, given in pieces of `piece` bytes to an output of `room`.
fn pack(encoder: &mut dyn Encode, plain: &[u8], piece: usize, room: usize) -> Vec<u8> {
    let (mut packed, mut output) = (Vec::new(), vec![0; room]);
    encoder.reset();
    for mut left in plain.chunks(piece) {
        while !left.is_empty() {
            let step = encoder.encode(left, &mut output, Input::More);
            assert!(step.read > 0 || step.written > 0);
            packed.extend(&output[..step.written]);
            left = &left[step.read..];
        }
    }
    loop {
        let step = encoder.encode(&[], &mut output, Input::End);
        packed.extend(&output[..step.written]);
        if step.written == 0 {
            return packed;
        }
    }
}

/// The plain bytes up to the end or the damage.
fn unpack(decoder: &mut dyn Decode, packed: &[u8], piece: usize, room: usize) -> (Vec<u8>, Result<(), DecodeError>) {
    let (mut plain, mut output) = (Vec::new(), vec![0; room]);
    assert!(decoder.reset(tag::LZF));
    let mut pieces = packed.chunks(piece).peekable();
    let mut left: &[u8] = &[];
    loop {
        if left.is_empty() {
            left = pieces.next().unwrap_or(&[]);
        }
        let input = if pieces.peek().is_none() { Input::End } else { Input::More };
        let step = match decoder.decode(left, &mut output, input) {
            Ok(step) => step,
            Err(error) => return (plain, Err(error)),
        };
        plain.extend(&output[..step.written]);
        left = &left[step.read..];
        if step.read == 0 && step.written == 0 && left.is_empty() && input == Input::End {
            return (plain, Ok(()));
        }
    }
}

/// Wherever packed bytes are cut and however they come, one thread and many say what core says.
#[test]
fn every_cut_is_met_as_core_meets_it() {
    let plain: Vec<u8> = (0..20_000u32).map(|at| (at * at / 777) as u8).collect();
    let packed = pack(&mut ssm_core::LzfEncoder::<256>::with_block(4096), &plain, 1 << 20, 1 << 20);
    for cut in (0..packed.len()).step_by(97).chain(0..30) {
        for (piece, room) in [(1, 50_000), (100, 50_000), (100, 1000), (50_000, 50_000), (50_000, 7)] {
            let core = unpack(&mut ssm_core::LzfDecoder::new([0; 8192]), &packed[..cut], piece, room);
            for threads in [1, 3] {
                let host = unpack(&mut LzfDecoder::with_threads(threads), &packed[..cut], piece, room);
                assert!(core == host, "{cut} of {}, {piece}, {room}: {:?}", packed.len(), host.1);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn threads_and_room_do_not_change_the_bytes(
        plain in data(),
        threads in 2usize..5,
        room in 1usize..100_000,
        piece in 1usize..3_000_000,
    ) {
        let one = pack(&mut Lzf::with_threads(1), &plain, 1 << 20, 1 << 20);
        let many = pack(&mut Lzf::with_threads(threads), &plain, 1 << 20, room.max(plain.len() / 200));
        prop_assert!(one == many);
        let (back, end) = unpack(&mut LzfDecoder::with_threads(threads), &one, piece, 1 << 20);
        prop_assert!(end.is_ok() && back == plain);
        let (back, end) = unpack(&mut ssm_core::LzfDecoder::new([0; 8192]), &one, piece, 1 << 20);
        prop_assert!(end.is_ok() && back == plain);
    }

    #[test]
    fn damage_is_met_at_the_same_place(plain in data(), at: prop::sample::Index, change in 1u8..=255, threads in 2usize..5) {
        let mut packed = pack(&mut Lzf::with_threads(1), &plain, 1 << 20, 1 << 20);
        prop_assume!(!packed.is_empty());
        let at = at.index(packed.len());
        packed[at] ^= change;
        let room = 1 << 20;
        let one = unpack(&mut ssm_core::LzfDecoder::new(vec![0; 8192]), &packed, room, room);
        let many = unpack(&mut LzfDecoder::with_threads(threads), &packed, room, room);
        prop_assert!(one == many);
    }
}

/// Whether an encoder packs these plain bytes on several threads, or leaves them to one call after the other.
fn takes_all(encoder: &mut Lzf, plain: &[u8]) -> bool {
    let mut called = false;
    encoder.encode_all(plain, &mut |_, _| {
        called = true;
        true
    });
    called
}

#[test]
fn no_thread_is_woken_for_less_than_a_mib() {
    const MIB: usize = 1 << 20;
    let has_threads = rayon::current_num_threads() > 1;
    let plain: Vec<u8> = (0..2 * MIB).map(|at| (at / 9) as u8).collect();
    assert!(!takes_all(&mut Lzf::new(), &plain[..MIB - 1]));
    assert_eq!(takes_all(&mut Lzf::new(), &plain[..MIB]), has_threads);
    assert!(takes_all(&mut Lzf::with_threads(2), &plain[..100_000]), "a chosen number is at work at once");
    // Many small pieces come to a MiB, too.
    let (mut encoder, mut packed, mut done) = (Lzf::new(), vec![0; 2 * MIB], 0);
    while done < MIB {
        assert!(!takes_all(&mut encoder, &plain[..100_000]) || done + 100_000 >= MIB);
        encoder.reset();
        done += encoder.encode(&plain[..30_000], &mut packed, ssm_core::Input::More).read;
    }
    assert_eq!(takes_all(&mut encoder, &plain[..100_000]), has_threads);
}
