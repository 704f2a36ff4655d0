//! Writing of zlib streams. (miniz_oxide's compressor needs a heap, so it cannot be in core.)

use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::{MZFlush, MZStatus};
use ssm_core::{Encode, Input, Step, tag};

/// The window size that miniz_oxide takes for a stream with a zlib header.
const ZLIB_WINDOW: i32 = 1;

/// The encoder of zlib streams (tag 3).
pub struct Deflate {
    state: Box<CompressorOxide>,
    ended: bool,
}

impl Deflate {
    /// An encoder at `level`, 0 (stored) to 10 (smallest).
    pub fn new(level: u8) -> Self {
        let flags = create_comp_flags_from_zip_params(level.min(10).into(), ZLIB_WINDOW, 0);
        Self { state: Box::new(CompressorOxide::new(flags)), ended: false }
    }
}

impl Default for Deflate {
    /// At level 6.
    fn default() -> Self {
        Self::new(6)
    }
}

impl Encode for Deflate {
    fn tag(&self) -> u8 {
        tag::ZLIB
    }

    fn reset(&mut self) {
        self.state.reset();
        self.ended = false;
    }

    fn encode(&mut self, plain: &[u8], packed: &mut [u8], input: Input) -> Step {
        if self.ended || (plain.is_empty() && input == Input::More) {
            return Step::default();
        }
        let flush = if input == Input::End { MZFlush::Finish } else { MZFlush::None };
        let done = deflate(&mut self.state, plain, packed, flush);
        self.ended = done.status == Ok(MZStatus::StreamEnd);
        Step { read: done.bytes_consumed, written: done.bytes_written }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_any_buffer_size_are_zlib() {
        let plain: Vec<u8> = (0..50_000u32).flat_map(|i| (i / 7).to_le_bytes()).collect();
        for size in [1, 7, 64, 4096] {
            for level in [0, 1, 6] {
                let mut encoder = Deflate::new(level);
                encoder.reset();
                let mut packed = Vec::new();
                let mut buffer = vec![0; size];
                let mut rest = &plain[..];
                while !rest.is_empty() {
                    let step = encoder.encode(&rest[..rest.len().min(1000)], &mut buffer, Input::More);
                    assert!(step.read > 0 || step.written > 0);
                    rest = &rest[step.read..];
                    packed.extend(&buffer[..step.written]);
                }
                loop {
                    let step = encoder.encode(&[], &mut buffer, Input::End);
                    packed.extend(&buffer[..step.written]);
                    if step.written == 0 {
                        break;
                    }
                }
                assert!(miniz_oxide::inflate::decompress_to_vec_zlib(&packed).unwrap() == plain, "{size} {level}");
            }
        }
    }
}
