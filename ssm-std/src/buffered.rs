//! Media that are read in small pieces: records of 4 KiB with a few bytes in front of each.

use ssm_core::embedded_io;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Bytes that are read at a time.
const CAPACITY: usize = 64 << 10;

/// A medium of std that is read ahead, 64 KiB at a time. Going a short way within what was read, or to where it is already,
/// costs nothing; what is as large as the buffer is read past it.
pub struct Buffered<R> {
    reader: BufReader<R>,
    /// Where the next byte comes from; `None` where that is not known.
    position: Option<u64>,
}

impl<R: Read> Buffered<R> {
    /// Buffers a medium, whatever its position.
    pub fn new(inner: R) -> Self {
        Self { reader: BufReader::with_capacity(CAPACITY, inner), position: None }
    }

    /// The medium; its position is behind what was read ahead.
    pub fn into_inner(self) -> R {
        self.reader.into_inner()
    }
}

impl<R> embedded_io::ErrorType for Buffered<R> {
    type Error = io::Error;
}

impl<R: Read> embedded_io::Read for Buffered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let position = self.position.take();
        let read = self.reader.read(into)?;
        self.position = position.map(|position| position.saturating_add(read as u64));
        Ok(read)
    }
}

impl<R: Read + Seek> embedded_io::Seek for Buffered<R> {
    fn seek(&mut self, to: embedded_io::SeekFrom) -> io::Result<u64> {
        let to = SeekFrom::from(to);
        let reached = match (to, self.position.take()) {
            (SeekFrom::Start(target), Some(position)) => match way(position, target) {
                Some(0) => target,
                // Keeps the buffer if the way ends in it.
                Some(way) => self.reader.seek_relative(way).map(|()| target)?,
                None => self.reader.seek(to)?,
            },
            _ => self.reader.seek(to)?,
        };
        self.position = Some(reached);
        Ok(reached)
    }
}

/// How far it is from one place to another, forwards or back.
fn way(from: u64, to: u64) -> Option<i64> {
    i64::try_from(i128::from(to) - i128::from(from)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_io::{Read as _, Seek as _};
    use std::cell::RefCell;
    use std::io::Cursor;

    /// A medium that notes what is asked of it.
    struct Noted<'n> {
        medium: Cursor<Vec<u8>>,
        asked: &'n RefCell<Vec<String>>,
    }

    impl Read for Noted<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.asked.borrow_mut().push(format!("read {}", into.len()));
            self.medium.read(into)
        }
    }

    impl Seek for Noted<'_> {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.asked.borrow_mut().push("seek".to_owned());
            self.medium.seek(to)
        }
    }

    fn bytes(len: usize) -> Vec<u8> {
        (0..len as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    #[test]
    fn short_hops_cost_nothing_and_large_reads_pass() {
        let asked = RefCell::new(Vec::new());
        let mut medium = Buffered::new(Noted { medium: Cursor::new(bytes(1 << 20)), asked: &asked });
        let said = || std::mem::take(&mut *asked.borrow_mut());
        medium.seek(embedded_io::SeekFrom::Start(100)).unwrap();
        assert_eq!(said(), ["seek"]);
        medium.read_exact(&mut [0; 10]).unwrap();
        assert_eq!(said(), ["read 65536"]);
        for to in [110, 100, 60_000, 65_635, 100] {
            medium.seek(embedded_io::SeekFrom::Start(to)).unwrap();
            medium.read_exact(&mut [0; 1]).unwrap();
        }
        assert_eq!(said(), Vec::<String>::new());
        medium.seek(embedded_io::SeekFrom::Start(500_000)).unwrap();
        assert_eq!(said(), ["seek"]);
        medium.read_exact(&mut [0; 100_000]).unwrap();
        medium.seek(embedded_io::SeekFrom::Start(600_000)).unwrap();
        assert_eq!(said(), ["read 100000"]);
    }

    #[test]
    fn any_way_through_a_medium_gives_its_bytes() {
        let all = bytes(300_000);
        let mut medium = Buffered::new(Cursor::new(all.clone()));
        let mut random = 1u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % below
        };
        let mut at = 0;
        for _ in 0..5000 {
            let to = match next(4) {
                0 => embedded_io::SeekFrom::Start(next(310_000)),
                1 => embedded_io::SeekFrom::Current((next(2000) as i64 - 1000).max(-(at as i64))),
                2 => embedded_io::SeekFrom::End(-(next(70_000) as i64)),
                _ => embedded_io::SeekFrom::Start(at as u64),
            };
            at = medium.seek(to).unwrap() as usize;
            let expected = match to {
                embedded_io::SeekFrom::Start(to) => to as usize,
                embedded_io::SeekFrom::End(back) => all.len() - back.unsigned_abs() as usize,
                embedded_io::SeekFrom::Current(_) => at,
            };
            assert_eq!(at, expected);
            let longest = if next(10) == 0 { 100_000 } else { 50 };
            let mut piece = vec![0; next(longest) as usize];
            let mut filled = 0;
            while filled < piece.len() {
                match medium.read(&mut piece[filled..]).unwrap() {
                    0 => break,
                    read => filled += read,
                }
            }
            let rest = &all[at.min(all.len())..];
            assert!(piece[..filled] == rest[..piece.len().min(rest.len())], "{filled} at {at}");
            at += filled;
        }
    }
}
