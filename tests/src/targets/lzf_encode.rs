//! LZF out of any plain bytes: every encoder keeps to the format's limits, and the reference decoder gives the bytes back;
//! threads and the output's slices change nothing.

use super::choices::{Choices, no_more_steps};
use crate::pieces::{Sizes, blocks, pack, pack_ahead};
use crate::reference;
use ssm_core::{Encode, LzfEncoder, Step};
use ssm_std::Lzf;
use std::cell::RefCell;

thread_local! {
    /// Threads are not started for each case.
    static HOSTS: RefCell<[Lzf; 3]> = RefCell::new([1, 2, 3].map(Lzf::with_threads));
}

/// More than a block, so that several are made at once.
const MOST: usize = 100_000;

/// See the file's overview.
pub fn lzf_encode(data: &[u8]) {
    let mut choices = Choices(data);
    let (input, first, second) = (choices.sizes(), choices.sizes(), choices.sizes());
    let (limit, block) = (choices.number() + 1, usize::from(choices.byte() % 16) * 256 + 256);
    let plain = choices.plain(MOST);
    // A table is cleared for each block: many of a byte or two take long and find nothing that few do not.
    let limit = limit.max(plain.len() / 500);
    let input = no_more_steps(&input, plain.len(), 12);
    let [first, second] = [first, second].map(|sizes| no_more_steps(&sizes, plain.len(), 2000));

    check(&mut LzfEncoder::<256>::new(), 32768, &plain, &input, &first);
    check(&mut LzfEncoder::<256>::with_block(limit), limit, &plain, &Sizes(vec![MOST]), &first);
    check(&mut LzfEncoder::<4096>::with_block(limit), limit, &plain, &input, &second);
    check(&mut LzfEncoder::<16384>::new(), 32768, &plain, &input, &first);
    check(&mut LzfEncoder::<256, u32>::wide(), 32768, &plain, &input, &second);
    check(&mut LzfEncoder::<8192, u32>::wide(), 32768, &plain, &input, &first);
    HOSTS.with_borrow_mut(|[one, two, three]| {
        let packed = check(one, 32768, &plain, &input, &first);
        for threads in [&mut *two, three, one] {
            assert!(packed == pack(threads, &plain, &input, &second), "threads or output slices change the bytes");
        }
        let whole = Sizes(vec![MOST]);
        let expected = pack(one, &plain, &whole, &whole);
        for host in [&mut *one, two, three] {
            assert!(pack_ahead(host, &plain) == expected, "what is packed ahead has other bytes");
        }
        bare_blocks([one, two, three], &plain, block);
    });
}

/// Packs with an encoder whose blocks are of up to `limit` plain bytes, and decodes it.
fn check(encoder: &mut dyn Encode, limit: usize, plain: &[u8], inputs: &Sizes, outputs: &Sizes) -> Vec<u8> {
    let packed = pack(encoder, plain, inputs, outputs);
    assert!(blocks(&packed).iter().all(|(len, _)| *len <= limit), "a block above its limit");
    let (back, error) = reference::blocks(&packed);
    assert_eq!(error, None);
    assert!(back == plain, "other bytes");
    packed
}

/// Blocks of 2.0: one by one or all at once, on any number of threads, in all room and in what a writer gives them.
fn bare_blocks(mut hosts: [&mut Lzf; 3], plain: &[u8], block: usize) {
    for room in [block, block * 15 / 16] {
        let pack = |encoder: &mut dyn Encode, plain: &[u8], packed: &mut [u8]| {
            let mut step = Step::default();
            for piece in plain.chunks(block) {
                let (len, code) = packed[step.written..].split_first_chunk_mut().unwrap();
                let made = encoder.encode_block(piece, &mut code[..room]);
                *len = (made.unwrap_or(0) as u16).to_le_bytes();
                let (back, error) = reference::block(&code[..made.unwrap_or(0)], made.unwrap_or(0), piece.len());
                assert!(made.is_none() || (error.is_none() && back == piece), "{error:?}");
                step = Step { read: step.read + piece.len(), written: step.written + 2 + made.unwrap_or(0) };
            }
            step
        };
        let mut expected = None;
        for host in &mut hosts {
            let (mut packed, mut through) = (Vec::new(), 0);
            host.encode_blocks(plain, block, &pack, &mut |code, taken| {
                packed.extend_from_slice(code);
                through += taken;
                true
            });
            let mut rest = vec![0; (plain.len() + block) * 2];
            let step = pack(*host, &plain[through..], &mut rest);
            packed.extend_from_slice(&rest[..step.written]);
            assert_eq!(through + step.read, plain.len());
            assert!(*expected.get_or_insert_with(|| packed.clone()) == packed, "threads change the blocks");
        }
    }
}
