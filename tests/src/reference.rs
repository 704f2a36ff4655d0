//! The plainest LZF decoder and CRC-32 that there are, byte by byte and bit by bit, for everything fast to be compared with.
//! They are written from SPEC.md alone and share no code with the library.

use ssm_core::DecodeError;

/// The plain bytes of bare LZF `code` that is to have `packed` bytes and make `plain` ones, as far as they are sound; and what
/// is wrong, if anything is: [`DecodeError::End`] where `code` is shorter than `packed` and sound up to there.
pub fn block(code: &[u8], packed: usize, plain: usize) -> (Vec<u8>, Option<DecodeError>) {
    let (mut made, mut at) = (Vec::with_capacity(plain), 0);
    // A byte that the block has; whether the input has it too is another matter.
    let byte = |at: &mut usize| match (*at < packed, code.get(*at)) {
        (false, _) => Err(DecodeError::Corrupt),
        (true, None) => Err(DecodeError::End),
        (true, Some(byte)) => {
            *at += 1;
            Ok(usize::from(*byte))
        }
    };
    let mut token = |made: &mut Vec<u8>| {
        if made.len() == plain {
            return Err(DecodeError::Corrupt);
        }
        let control = byte(&mut at)?;
        if control < 32 {
            if control + 1 > packed - at || control + 1 > plain - made.len() {
                return Err(DecodeError::Corrupt);
            }
            for _ in 0..=control {
                made.push(byte(&mut at)? as u8);
            }
            return Ok(at);
        }
        let mut length = (control >> 5) + 2;
        if length == 9 {
            length += byte(&mut at)?;
        }
        let distance = ((control & 31) << 8) + byte(&mut at)? + 1;
        if distance > made.len() || length > plain - made.len() {
            return Err(DecodeError::Corrupt);
        }
        for _ in 0..length {
            made.push(made[made.len() - distance]);
        }
        Ok(at)
    };
    loop {
        match token(&mut made) {
            Ok(at) if at == packed && made.len() == plain => return (made, None),
            Ok(_) => {}
            Err(error) => return (made, Some(error)),
        }
    }
}

/// The same of a unit's blocks, one behind the other, each with its header.
pub fn blocks(mut packed: &[u8]) -> (Vec<u8>, Option<DecodeError>) {
    let mut plain = Vec::new();
    while !packed.is_empty() {
        let Some((header, rest)) = packed.split_first_chunk::<10>() else {
            return (plain, Some(DecodeError::End));
        };
        let field = |at: usize| usize::from(header[at]) + 256 * usize::from(header[at + 1]);
        let (code, made) = (field(2), field(8));
        if header[..2] != *b"ZV" || !(1..=16374).contains(&code) || !(1..=32768).contains(&made) {
            return (plain, Some(DecodeError::Corrupt));
        }
        let (bytes, error) = block(rest, code, made);
        plain.extend(bytes);
        if error.is_some() {
            return (plain, error);
        }
        packed = &rest[code..];
    }
    (plain, None)
}

/// The CRC-32 of PKZIP, bit by bit.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |state: u32, byte| {
        (0..8).fold(state ^ u32::from(*byte), |state, _| state >> 1 ^ if state & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}
