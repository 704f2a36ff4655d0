//! The generators that the manifest describes.

const WORDS: [&[u8]; 16] = [
    b"kernel", b"page", b"table", b"virtual", b"machine", b"state", b"saved", b"unit", b"device", b"timer", b"memory",
    b"range", b"handler", b"guest", b"host", b"the",
];
const PAGE: usize = 4096;

/// The manifest's `xs64star`, and the bytes that are made from it.
pub struct Generator {
    state: u64,
}

impl Generator {
    /// From this seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// `len` bytes of the generator called `name`.
    pub fn bytes(&mut self, name: &str, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        match name {
            "zero" => bytes.resize(len, 0),
            "mixed" => {
                for page in 0..len.div_ceil(PAGE) {
                    let name = ["zero", "text", "code", "rand"][page & 3];
                    bytes.extend(self.bytes(name, PAGE.min(len - page * PAGE)));
                }
            }
            "rand" => {
                while bytes.len() < len {
                    bytes.extend(self.next().to_le_bytes());
                }
            }
            "text" => {
                while bytes.len() < len {
                    bytes.extend(WORDS[(self.next() >> 60) as usize]);
                    bytes.push(b' ');
                }
            }
            "code" => {
                while bytes.len() < len {
                    let r = self.next();
                    let (register, offset) = ((r >> 56) as u8 & 0x3f, (r >> 48) as u8 & 0x1f);
                    bytes.extend([0x48, 0x8b, 0x40 | register, 0x24, offset, 0x0f, 0x1f, 0x00]);
                }
            }
            unknown => panic!("generator {unknown}"),
        }
        bytes.truncate(len);
        bytes
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// The manifest's `rep`: a string of `len` letters and digits.
pub fn repeated_letters(len: usize) -> Vec<u8> {
    let letters = b"abcdefghijklmnopqrstuvwxyz0123456789";
    (0..len).map(|i| letters[(i * 7 + i / 36) % 36]).collect()
}
