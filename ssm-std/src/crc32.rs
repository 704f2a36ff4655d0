//! The checksum at the speed of memory.

use ssm_core::Crc32;

/// CRC-32 with the processor's vector instructions, by the crate `crc32fast`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Crc32Fast;

impl Crc32 for Crc32Fast {
    fn update(&mut self, crc: u32, bytes: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new_with_initial(crc);
        hasher.update(bytes);
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssm_core::Crc32Nibblewise;

    #[test]
    fn agrees_with_core() {
        let bytes: Vec<u8> = (0..1000u32).map(|i| ((i * i) >> 3) as u8).collect();
        for cut in [0, 1, 500, 999, 1000] {
            let (a, b) = bytes.split_at(cut);
            let fast = Crc32Fast.update(0, a);
            let slow = Crc32Nibblewise.update(0, a);
            assert_eq!(fast, slow);
            assert_eq!(Crc32Fast.update(fast, b), Crc32Nibblewise.update(slow, b));
        }
    }
}
