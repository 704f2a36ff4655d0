//! LZF into plain bytes: whatever the packed bytes are, all decoders agree with the reference on the plain bytes up to the
//! damage and on what is wrong, however the slices are cut and on any number of threads.

use super::choices::{Choices, no_more_steps};
use crate::pieces::{Sizes, block, lzf_decoder, unpack};
use crate::reference;
use ssm_core::{Decode, DecodeError, Input, LzfDecoder, tag};
use std::cell::RefCell;

thread_local! {
    /// Threads are not started for each case.
    static HOSTS: RefCell<[ssm_std::LzfDecoder; 3]> = RefCell::new([1, 2, 3].map(ssm_std::LzfDecoder::with_threads));
}

/// More than any case has, packed or plain.
const ALL: usize = 1 << 19;
const MOST_PACKED: usize = 5000;

/// See the file's overview.
pub fn lzf_decode(data: &[u8]) {
    let mut choices = Choices(&data[..data.len().min(MOST_PACKED)]);
    let (kind, window) = (choices.byte(), choices.number() % 40_000 + 1);
    let slices = [choices.sizes(), choices.sizes()];
    let packed = match kind % 3 {
        0 => choices.0.to_vec(),
        1 => framed(&mut choices, usize::from(kind >> 2)),
        _ => return bare(&mut choices, kind & 0x40 != 0, window, &slices),
    };
    let expected = reference::blocks(&packed);
    let whole = [Sizes(vec![ALL]), Sizes(vec![ALL])];
    let slices = few_steps(slices, packed.len(), expected.0.len());
    for [input, output] in [&whole, &slices] {
        for early in [false, true] {
            let back = unpack(&mut lzf_decoder(8192), tag::LZF, &packed, input, output, early);
            assert!(back == expected, "core: {:?}, expected {:?}", back.1, expected.1);
            HOSTS.with_borrow_mut(|hosts| {
                for (threads, host) in (1..).zip(hosts) {
                    let back = unpack(host, tag::LZF, &packed, input, output, early);
                    assert!(back == expected, "{threads} threads: {:?}, expected {:?}", back.1, expected.1);
                }
            });
        }
        small_window(unpack(&mut lzf_decoder(window), tag::LZF, &packed, input, output, false), &expected, window);
    }
    // Given whole, blocks need no window up to the first that is damaged.
    let no_window = unpack(&mut lzf_decoder(0), tag::LZF, &packed, &whole[0], &whole[1], true);
    assert!(expected.0.starts_with(&no_window.0) && no_window.1.is_none() == expected.1.is_none());
}

/// A small window gives no other bytes, and says so where it is too small; one of 8192 bytes never is.
fn small_window(back: (Vec<u8>, Option<DecodeError>), expected: &(Vec<u8>, Option<DecodeError>), window: usize) {
    assert!(back == *expected || window < 8192 && back.1 == Some(DecodeError::Window), "window {window}: {:?}", back.1);
    assert!(expected.0.starts_with(&back.0));
}

/// Several blocks of the given code under right headers, so that only what stands in the code is damaged.
fn framed(choices: &mut Choices<'_>, pieces: usize) -> Vec<u8> {
    let mut packed = Vec::new();
    while !choices.is_empty() {
        let len = match pieces {
            0 => choices.0.len(),
            _ => usize::from(choices.byte()),
        };
        let code = choices.take(len.max(1));
        let plain = reference::block(code, code.len(), 32768).0.len();
        packed.extend(block(code, plain.max(1)));
    }
    packed
}

/// One block without a header, of the sizes that it has or of others.
fn bare(choices: &mut Choices<'_>, other_sizes: bool, window: usize, slices: &[Sizes; 2]) {
    let stated = if other_sizes { Some((choices.number(), choices.number())) } else { None };
    let code = choices.0;
    let made = reference::block(code, code.len(), 65535).0.len();
    let (packed, plain) = stated.unwrap_or((code.len(), made));
    let (packed, plain) = (packed.max(1), plain.max(1));
    let input = &code[..code.len().min(packed)];
    let (expected, error) = reference::block(input, packed, plain);
    let sound = error.is_none() && packed == code.len();
    let few = few_steps(slices.clone(), code.len(), expected.len());
    let mut host = ssm_std::LzfDecoder::with_threads(1);
    let mut large = lzf_decoder(8192);
    let mut small = lzf_decoder(window);
    for slices in [[Sizes(vec![ALL]), Sizes(vec![ALL])], few] {
        for decoder in [&mut host as &mut dyn Decode, &mut large, &mut small] {
            assert!(decoder.begin_block(packed as u16, plain as u16));
            let (back, error) = one_block(decoder, code, &slices);
            assert!(expected.starts_with(&back), "other bytes");
            match error {
                None => assert!(sound && back == expected),
                Some(DecodeError::Window) => assert!(window < 8192),
                Some(error) => assert!(!sound && error == DecodeError::Corrupt, "{error:?}"),
            }
        }
    }
    assert_eq!(LzfDecoder::<[u8; 0]>::block_sizes(&block(code, 1)).is_some(), (1..=16374).contains(&code.len()));
}

/// Takes a block in pieces to its end.
fn one_block(decoder: &mut dyn Decode, mut code: &[u8], slices: &[Sizes; 2]) -> (Vec<u8>, Option<DecodeError>) {
    let mut back = Vec::new();
    for (input, output) in slices[0].iter().zip(slices[1].iter()) {
        let piece = &code[..input.min(code.len())];
        let mut room = vec![0xee; output];
        match decoder.decode(piece, &mut room, Input::End) {
            Err(error) => return (back, Some(error)),
            Ok(step) if step.read == 0 && step.written == 0 => {
                assert!(piece.is_empty(), "a step that does nothing");
                break;
            }
            Ok(step) => {
                code = &code[step.read..];
                back.extend(&room[..step.written]);
            }
        }
    }
    (back, None)
}

fn few_steps([input, output]: [Sizes; 2], packed: usize, plain: usize) -> [Sizes; 2] {
    [no_more_steps(&input, packed, 2000), no_more_steps(&output, plain, 2000)]
}
