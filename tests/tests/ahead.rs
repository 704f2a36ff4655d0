//! Large pieces of a unit are read ahead and decoded by several threads: the bytes, and what is said of damage and of failing
//! media, are those of one thread that goes from block to block.

use embedded_io::{ErrorKind, ErrorType, Read, Seek, SeekFrom};
use ssm_core::{
    Archive, Crc32Slicing, Entry, Get, LoadError, Loader, LzfEncoder, Memory, Put, Saver, Unit, UnitError, UnitId,
    Units,
};
use ssm_std::{Lzf, LzfDecoder};
use std::cell::Cell;

/// Plain bytes from which on something is read ahead.
const FROM: usize = 256 << 10;

/// Pieces of about `piece` bytes: zeros, what packs and what does not.
fn plain(len: usize, piece: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len)
        .map(|at| match at / piece % 8 {
            0 => 0,
            1 => noise(),
            2 | 3 => (at / 3 * (at / 300)) as u8,
            _ => noise() & 7,
        })
        .collect()
}

/// A value, then a memory that is read in pieces.
struct Machine {
    value: Vec<u8>,
    memory: Vec<u8>,
    /// How the memory is read.
    pieces: Vec<usize>,
}

impl Unit for Machine {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(&self.value)?;
        put.bytes(&self.memory)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.bytes(&mut self.value)?;
        let (mut rest, mut pieces) = (&mut self.memory[..], self.pieces.iter());
        while !rest.is_empty() {
            let n = pieces.next().map_or(rest.len(), |n| (*n).min(rest.len()));
            let (piece, behind) = rest.split_at_mut(n);
            get.bytes(piece)?;
            rest = behind;
        }
        Ok(())
    }
}

const UNITS: Units<Machine> = Units::new(&[Entry::new("memory", |machine, _| machine)]);

fn saved(machine: &mut Machine, streamed: bool) -> Vec<u8> {
    let room = 2 * machine.memory.len() + 2 * machine.value.len() + 4096;
    let (mut storage, mut scratch) = (vec![0; room], vec![0; 100_000]);
    let len = match streamed {
        false => Saver::new(Memory::new(&mut storage[..]), Lzf::with_threads(1), &mut scratch).save(machine, &UNITS),
        true => {
            Saver::streamed(Memory::new(&mut storage[..]), Lzf::with_threads(1), &mut scratch).save(machine, &UNITS)
        }
    };
    storage.truncate(len.unwrap() as usize);
    storage
}

/// A medium that gives at most so many bytes at a time, and of which one byte cannot be read.
struct Slow<'b> {
    medium: Memory<&'b [u8]>,
    most: usize,
    breaks_at: u64,
}

impl ErrorType for Slow<'_> {
    type Error = ErrorKind;
}

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        let most = into.len().min(self.most);
        let at = self.medium.stream_position()?;
        if (at..at + most as u64).contains(&self.breaks_at) {
            return Err(ErrorKind::TimedOut);
        }
        self.medium.read(&mut into[..most])
    }
}

impl Seek for Slow<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, ErrorKind> {
        self.medium.seek(to)
    }
}

#[test]
fn any_number_of_threads_loads_what_was_saved() {
    let lens = [FROM - 1, FROM, FROM + 1, 8 * (32 << 10) + 7, 700_001, 3 << 20];
    for (at, len) in lens.into_iter().enumerate() {
        for streamed in [false, true] {
            let memory = plain(len, [4096, 50_000, 300_000][at % 3]);
            let mut machine = Machine { value: vec![7; [0, 5, 4096][at % 3]], memory, pieces: vec![] };
            let file = saved(&mut machine, streamed);
            for threads in [1, 2, 3, 7] {
                for (most, pieces) in
                    [(usize::MAX, vec![]), (1000, vec![FROM + 3, 10, FROM]), (77_777, vec![1, FROM - 1, FROM, 300_000])]
                {
                    let mut loaded = Machine { value: vec![0; machine.value.len()], memory: vec![1; len], pieces };
                    let mut scratch = vec![0; [65_536, 1 << 20][at % 2]];
                    for verified in [false, true] {
                        let decoder = LzfDecoder::with_threads(threads);
                        let medium = Slow { medium: Memory::holding(&file[..]), most, breaks_at: u64::MAX };
                        let loader = match verified {
                            false => Loader::unverified(medium, decoder, &mut scratch),
                            true => Loader::new(medium, decoder, &mut scratch),
                        };
                        loaded.memory.fill(1);
                        loader.crc32(Crc32Slicing).load(&mut loaded, &UNITS).unwrap();
                        assert!(loaded.value == machine.value && loaded.memory == machine.memory, "{len}, {threads}");
                    }
                }
            }
        }
    }
}

/// What a unit gets of the memory in a file, and what is said then.
fn got(file: &[u8], breaks_at: u64, threads: usize, len: usize) -> (Vec<u8>, Result<(), LoadError<ErrorKind>>) {
    got_behind(0, file, breaks_at, threads, len)
}

/// The same where the first bytes are got by themselves, so that more packed ones are held when the rest is.
fn got_behind(
    first: usize,
    file: &[u8],
    breaks_at: u64,
    threads: usize,
    len: usize,
) -> (Vec<u8>, Result<(), LoadError<ErrorKind>>) {
    let (mut memory, mut at) = (vec![0x5a; len], 0);
    let medium = Slow { medium: Memory::holding(file), most: usize::MAX, breaks_at };
    let archive =
        Archive::open_unchecked_with(medium, LzfDecoder::with_threads(threads), vec![0; 40_000], Crc32Slicing);
    let said = archive.and_then(|mut archive| {
        archive.seek(UnitId::new("memory", 0))?.read(|get| {
            let (few, rest) = memory.split_at_mut(first);
            let done = get.bytes(few).and_then(|()| get.bytes(rest));
            at = get.offset() as usize;
            done
        })
    });
    memory.truncate(at);
    (memory, said)
}

/// Blocks are damaged one by one: at the start, where a header is, and inside.
#[test]
fn damage_is_said_as_one_thread_says_it() {
    const LEN: usize = 800_000;
    for streamed in [false, true] {
        let mut machine = Machine { value: vec![], memory: plain(LEN, 30_000), pieces: vec![] };
        let mut file = saved(&mut machine, streamed);
        let (mut failed, mut wrong_in_the_middle) = (0, 0);
        for at in (150..file.len() - 100).step_by(1801) {
            for change in [0xff, 0x10] {
                file[at] ^= change;
                let one = got(&file, u64::MAX, 1, LEN);
                for threads in [2, 3, 7] {
                    let many = got(&file, u64::MAX, threads, LEN);
                    assert!(one.0 == many.0, "{at} {change:#x}, {threads}: {} {}", one.0.len(), many.0.len());
                    assert_eq!(one.1, many.1, "{at} {change:#x}, {threads}");
                }
                failed += usize::from(one.1.is_err());
                wrong_in_the_middle += usize::from(one.1.is_err() && (1..LEN).contains(&one.0.len()));
                file[at] ^= change;
            }
        }
        assert!(failed > 50 && wrong_in_the_middle > 50, "{failed} {wrong_in_the_middle}");
    }
}

/// Damage in packed bytes that were held before anything is read ahead.
#[test]
fn damage_in_what_is_held_is_named_by_its_place() {
    const LEN: usize = 400_000;
    let mut machine = Machine { value: vec![], memory: plain(LEN, 30_000), pieces: vec![] };
    let (mut storage, mut scratch) = (vec![0; 3 * LEN], vec![0; 5_000]);
    let encoder = LzfEncoder::<256>::with_block(4096);
    let len = Saver::new(Memory::new(&mut storage[..]), encoder, &mut scratch).save(&mut machine, &UNITS).unwrap();
    let mut failed = 0;
    for at in (5_000..12_000).step_by(101) {
        let file = &mut storage[..len as usize].to_vec();
        file[at..at + 40].fill(0xff);
        for threads in [1, 2, 3] {
            match got_behind(32_768, file, u64::MAX, threads, LEN).1 {
                Err(LoadError::Format { offset, .. }) => {
                    // Where in its block it is noticed depends on the pieces that are read.
                    assert!(offset.abs_diff(at as u64) < 20_000, "{at}, {threads}: {offset}");
                    failed += 1;
                }
                said => assert_eq!(said, Ok(()), "{at}, {threads}"),
            }
        }
    }
    assert!(failed > 100, "{failed}");
}

/// The first of several damaged blocks is the one that is named.
#[test]
fn the_first_damage_counts() {
    const LEN: usize = 800_000;
    for streamed in [false, true] {
        let mut machine = Machine { value: vec![], memory: plain(LEN, 30_000), pieces: vec![] };
        let mut file = saved(&mut machine, streamed);
        let mut failed = 0;
        for at in (0..file.len() - 100).rev().step_by(9_973).take_while(|at| *at > 150) {
            file[at..at + 40].fill(0xff);
            let one = got(&file, u64::MAX, 1, LEN);
            failed += usize::from(one.1.is_err());
            for threads in [2, 7] {
                assert!(one == got(&file, u64::MAX, threads, LEN), "{at}, {threads}: {:?}", one.1);
            }
        }
        assert!(failed > 5, "{failed}");
    }
}

/// A medium that breaks somewhere: nothing else is said, and what was handed out before is right. (How much that is depends on
/// the pieces that are read.)
#[test]
fn a_broken_medium_is_said_to_be_broken() {
    const LEN: usize = 800_000;
    for streamed in [false, true] {
        let mut machine = Machine { value: vec![], memory: plain(LEN, 30_000), pieces: vec![] };
        let file = saved(&mut machine, streamed);
        for breaks_at in (0..file.len() as u64 - 40_000).step_by(9_973) {
            let one = got(&file, breaks_at, 1, LEN);
            for threads in [2, 7] {
                let many = got(&file, breaks_at, threads, LEN);
                assert_eq!((&many.1, many.1.is_err()), (&one.1, true), "{breaks_at}, {threads}");
                assert!(machine.memory.starts_with(&many.0), "{breaks_at}, {threads}");
            }
        }
    }
}

/// A place that takes long to fail is not tried for every block before it.
#[test]
fn a_broken_place_is_not_tried_again_and_again() {
    const LEN: usize = 3 << 20;
    const BREAKS_AT: usize = 700_000;
    for streamed in [false, true] {
        let mut machine = Machine { value: vec![], memory: plain(LEN, 30_000), pieces: vec![] };
        let file = saved(&mut machine, streamed);
        let read = Cell::new(0);
        let medium = Slow { medium: Memory::holding(&file[..]), most: usize::MAX, breaks_at: BREAKS_AT as u64 };
        let medium = Counted { medium, read: &read };
        let (decoder, scratch) = (LzfDecoder::with_threads(2), vec![0; 40_000]);
        let said = Archive::open_unchecked_with(medium, decoder, scratch, Crc32Slicing)
            .and_then(|mut archive| archive.seek(UNITS[0].id())?.read(|get| get.bytes(&mut machine.memory)));
        assert_eq!(said, Err(LoadError::Io(ErrorKind::TimedOut)));
        assert!(read.get() < BREAKS_AT + 3 * FROM, "{}", read.get());
    }
}

/// Blocks that are far smaller than those of any encoder for a host.
#[test]
fn tiny_blocks_are_read_ahead_too() {
    const LEN: usize = 600_000;
    let mut machine = Machine { value: vec![], memory: plain(LEN, 30_000), pieces: vec![] };
    let (mut storage, mut scratch) = (vec![0; 3 * LEN], vec![0; 10_000]);
    let encoder = LzfEncoder::<256>::with_block(16);
    let len = Saver::new(Memory::new(&mut storage[..]), encoder, &mut scratch).save(&mut machine, &UNITS).unwrap();
    for threads in [1, 2, 7] {
        let (memory, said) = got(&storage[..len as usize], u64::MAX, threads, LEN);
        assert!(said.is_ok() && memory == machine.memory, "{threads}: {said:?}");
    }
}

/// Of small units nothing is read in vain.
#[test]
fn small_units_are_not_read_ahead() {
    let entries: Vec<_> = (0..300).map(|instance| UNITS[0].instance(instance)).collect();
    let units = Units::new(&entries);
    let mut machine = Machine { value: vec![], memory: plain(5000, 700), pieces: vec![] };
    for streamed in [false, true] {
        let (mut storage, mut scratch) = (vec![0; 4 << 20], vec![0; 100_000]);
        let (medium, encoder) = (Memory::new(&mut storage[..]), Lzf::with_threads(1));
        let len = match streamed {
            false => Saver::new(medium, encoder, &mut scratch).save(&mut machine, &units),
            true => Saver::streamed(medium, encoder, &mut scratch).save(&mut machine, &units),
        };
        storage.truncate(len.unwrap() as usize);
        let read = [1, 2].map(|threads| {
            let medium = Slow { medium: Memory::holding(&storage[..]), most: usize::MAX, breaks_at: u64::MAX };
            let read = Cell::new(0);
            let counted = Counted { medium, read: &read };
            let mut scratch = vec![0; 2 << 20];
            Loader::new(counted, LzfDecoder::with_threads(threads), &mut scratch).load(&mut machine, &units).unwrap();
            read.get()
        });
        assert_eq!(read[0], read[1]);
    }
}

/// A medium that counts the bytes that are read, or asked for in vain.
struct Counted<'b, 'c> {
    medium: Slow<'b>,
    read: &'c Cell<usize>,
}

impl ErrorType for Counted<'_, '_> {
    type Error = ErrorKind;
}

impl Read for Counted<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        let read = self.medium.read(into);
        self.read.set(self.read.get() + read.unwrap_or(into.len()));
        read
    }
}

impl Seek for Counted<'_, '_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, ErrorKind> {
        self.medium.seek(to)
    }
}
