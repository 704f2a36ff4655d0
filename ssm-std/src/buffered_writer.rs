//! Media that are written in small pieces, some of them again: lengths that are patched once they are known.

use ssm_core::embedded_io;
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};

/// Bytes that are collected.
const CAPACITY: usize = 64 << 10;

/// A medium of std whose writes are collected, 64 KiB at a time. Going back into what is collected, to write it again,
/// costs nothing; what is as large as the buffer is written past it.
///
/// Nothing is written when it is dropped: [`flush`](embedded_io::Write::flush) it.
pub struct BufferedWriter<W> {
    inner: W,
    /// What goes to `start`, where the medium stands.
    buffer: Vec<u8>,
    /// `None` where that is not known, as a seek failed.
    start: Option<u64>,
    /// Where in the buffer the next byte goes.
    at: usize,
}

impl<W: Write + Seek> BufferedWriter<W> {
    /// Buffers a medium that is at its start, such as a new file.
    pub fn new(inner: W) -> Self {
        Self { inner, buffer: Vec::with_capacity(CAPACITY), start: Some(0), at: 0 }
    }

    /// The medium, without what was not flushed.
    pub fn into_inner(self) -> W {
        self.inner
    }

    fn start(&mut self) -> io::Result<u64> {
        match self.start {
            Some(start) => Ok(start),
            None => Ok(*self.start.insert(self.inner.stream_position()?)),
        }
    }

    fn moved(&mut self, bytes: usize) {
        self.start = self.start.map(|start| start.saturating_add(bytes as u64));
    }

    /// Writes what is collected; what could not be written stays. The place of the next byte is the same afterwards.
    fn write_out(&mut self) -> io::Result<()> {
        let mut written = 0;
        let outcome = loop {
            match self.buffer.get(written..) {
                None | Some([]) => break Ok(()),
                Some(rest) => match self.inner.write(rest) {
                    Ok(0) => break Err(io::Error::new(ErrorKind::WriteZero, "the file takes no more bytes")),
                    Ok(more) => written += more,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => break Err(error),
                },
            }
        };
        self.moved(written);
        self.buffer.drain(..written);
        let back = written.saturating_sub(self.at);
        self.at = self.at.saturating_sub(written);
        outcome?;
        if back > 0 {
            let target = self.start()?.saturating_sub(back as u64);
            self.start = None;
            self.start = Some(self.inner.seek(SeekFrom::Start(target))?);
        }
        Ok(())
    }
}

impl<W> embedded_io::ErrorType for BufferedWriter<W> {
    type Error = io::Error;
}

impl<W: Write + Seek> embedded_io::Write for BufferedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let again @ [_, ..] = &mut self.buffer[self.at..] {
            let n = again.len().min(bytes.len());
            again[..n].copy_from_slice(&bytes[..n]);
            self.at += n;
            return Ok(n);
        }
        if self.buffer.len() + bytes.len() > CAPACITY {
            self.write_out()?;
        }
        if bytes.len() >= CAPACITY {
            let written = self.inner.write(bytes)?;
            self.moved(written);
            return Ok(written);
        }
        self.buffer.extend_from_slice(bytes);
        self.at = self.buffer.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_out()?;
        self.inner.flush()
    }
}

impl<W: Write + Seek> embedded_io::Seek for BufferedWriter<W> {
    fn seek(&mut self, to: embedded_io::SeekFrom) -> io::Result<u64> {
        let start = self.start()?;
        let target = match to {
            embedded_io::SeekFrom::Start(target) => Some(target),
            embedded_io::SeekFrom::Current(by) => (start + self.at as u64).checked_add_signed(by),
            embedded_io::SeekFrom::End(_) => None,
        };
        if let Some(target) = target
            && let Some(at) = target.checked_sub(start)
            && at <= self.buffer.len() as u64
        {
            self.at = at as usize;
            return Ok(target);
        }
        self.write_out()?;
        self.start = None;
        let reached = self.inner.seek(target.map_or(to.into(), SeekFrom::Start))?;
        self.start = Some(reached);
        Ok(reached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_io::{Seek as _, Write as _};
    use std::io::Cursor;

    /// A medium that takes a few bytes at a time, counts what is asked of it, and is full at some time.
    struct Narrow {
        medium: Cursor<Vec<u8>>,
        most: usize,
        asked: usize,
        room: usize,
    }

    impl Narrow {
        fn new(most: usize, room: usize) -> Self {
            Self { medium: Cursor::default(), most, asked: 0, room }
        }
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.asked += 1;
            let room = self.room.saturating_sub(self.medium.position() as usize);
            self.medium.write(&bytes[..bytes.len().min(self.most).min(room)])
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Narrow {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.asked += 1;
            self.medium.seek(to)
        }
    }

    fn put(to: &mut impl embedded_io::Write<Error = io::Error>, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let n = to.write(bytes).unwrap();
            assert!(n > 0);
            bytes = &bytes[n..];
        }
    }

    #[test]
    fn patches_in_the_buffer_cost_nothing() {
        let mut writer = BufferedWriter::new(Narrow::new(usize::MAX, usize::MAX));
        put(&mut writer, b"header");
        for unit in 0..100u64 {
            let at = writer.seek(embedded_io::SeekFrom::Current(0)).unwrap();
            put(&mut writer, b"length and data");
            writer.seek(embedded_io::SeekFrom::Start(at)).unwrap();
            put(&mut writer, b"LENGTH");
            assert_eq!(writer.seek(embedded_io::SeekFrom::Start(at + 15)).unwrap(), 6 + 15 * (unit + 1));
        }
        writer.flush().unwrap();
        assert_eq!(writer.inner.asked, 1);
        let expected = format!("header{}", "LENGTH and data".repeat(100));
        assert_eq!(writer.into_inner().medium.into_inner(), expected.as_bytes());
    }

    #[test]
    fn any_way_of_writing_gives_the_same_bytes() {
        for most in [1000, 50_000, usize::MAX] {
            let mut random = most as u64;
            let mut next = |below: u64| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (random >> 33) % below
            };
            let mut plain = Cursor::new(Vec::new());
            let mut writer = BufferedWriter::new(Narrow::new(most, usize::MAX));
            for step in 0..5000u32 {
                let (end, here) = (plain.get_ref().len() as u64, plain.position());
                let longest = if next(20) == 0 { 100_000 } else { 300 };
                let piece = vec![step as u8; next(longest) as usize];
                let to = match next(8) {
                    0 => SeekFrom::Start(next(end + 10)),
                    1 => SeekFrom::Start(end - next(end.min(500) + 1)),
                    2 => SeekFrom::Current(-(next(here.min(1000) + 1) as i64)),
                    3 => SeekFrom::End(-(next(end.min(70_000) + 1) as i64)),
                    _ => SeekFrom::End(0),
                };
                if plain.position() != end || next(3) == 0 {
                    let reached = plain.seek(to).unwrap();
                    assert_eq!(writer.seek(to.into()).unwrap(), reached);
                }
                plain.write_all(&piece).unwrap();
                put(&mut writer, &piece);
            }
            writer.flush().unwrap();
            assert!(writer.into_inner().medium.into_inner() == plain.into_inner());
        }
    }

    #[test]
    fn a_full_medium_says_so_and_keeps_what_came_before() {
        let mut writer = BufferedWriter::new(Narrow::new(700, 1000));
        put(&mut writer, &[7; 2000]);
        for _ in 0..2 {
            assert_eq!(writer.flush().unwrap_err().kind(), ErrorKind::WriteZero);
        }
        writer.inner.room = 3000;
        writer.flush().unwrap();
        assert_eq!(writer.into_inner().medium.into_inner(), [7; 2000]);
    }
}
