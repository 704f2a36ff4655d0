//! Files that the tests write themselves.

use ssm_core::{Crc32, Header, StreamFields, StreamedUnit, Writer};
use ssm_std::{Codec, Crc32Fast, FromStd, open_path};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A unit: name, instance, version, plain bytes.
pub type Unit<'a> = (&'a [u8], u32, u32, &'a [u8]);

/// A file with these units, in a folder of its own.
pub fn state(header: &Header, codec: Codec, units: &[Unit<'_>]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sav");
    let mut file = File::create(&path).unwrap();
    let mut scratch = vec![0; 1 << 18];
    let mut writer = Writer::new(FromStd::new(&mut file), codec.encoder(), Crc32Fast, header, &mut scratch).unwrap();
    for (name, instance, version, plain) in units {
        writer.unit(name, *instance, *version, &mut |put| put.bytes(plain)).unwrap();
    }
    writer.finish().unwrap();
    (folder, path)
}

/// A unit of a 2.0 file: name, instance, version, how it is there, plain bytes.
pub type Streamed<'a> = (&'a [u8], u32, u32, StreamedUnit, &'a [u8]);

/// In the final pass.
pub const FINAL: StreamedUnit = StreamedUnit { pass: None, optional: false };

/// In a live pass.
pub const fn pass(pass: u32) -> StreamedUnit {
    StreamedUnit { pass: Some(pass), optional: false }
}

/// A 2.0 file with these units, live if one is from a live pass, in a folder of its own.
pub fn streamed(header: &Header, codec: Codec, units: &[Streamed<'_>]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("streamed.sav");
    let mut file = File::create(&path).unwrap();
    let mut scratch = vec![0; (1 << 18) + 16 * units.len()];
    let is_live = units.iter().any(|(_, _, _, how, _)| how.pass.is_some());
    let header = Header { stream: Some(StreamFields { units: 0, is_checked: true, is_live, max_block: 0 }), ..*header };
    let (medium, codec) = (FromStd::new(&mut file), codec.encoder());
    let mut writer = Writer::streamed(medium, codec, Crc32Fast, &header, units.len(), &mut scratch).unwrap();
    for (name, instance, version, how, plain) in units {
        writer.unit(name, *instance, *version, *how, &mut |put| put.bytes(plain)).unwrap();
    }
    writer.finish().unwrap();
    (folder, path)
}

/// A live save: two passes of a unit, and the final one.
pub fn live() -> (TempDir, PathBuf) {
    let optional = StreamedUnit { pass: None, optional: true };
    streamed(
        &Header::new(),
        Codec::Lzf,
        &[
            (b"SSM", 0, 1, pass(0), &[0; 8]),
            (b"ram", 0, 3, pass(0), &[1; 9000]),
            (b"SSMLiveControl", 0, 1, pass(0), &[1, 0]),
            (b"SSMLiveControl", 0, 1, pass(0), &[2, 0]),
            (b"ram", 0, 3, pass(1), b"dirty"),
            (b"SSM", 0, 1, FINAL, &[0; 8]),
            (b"ram", 0, 3, FINAL, b"last"),
            (b"screenshot", 0, 1, optional, b"picture"),
        ],
    )
}

/// Changes a 1.2 file and makes its checksum fit again.
pub fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    let crc = Crc32Fast.update(0, &bytes[44..bytes.len() - 36]);
    bytes[40..44].copy_from_slice(&crc.to_le_bytes());
    fs::write(path, bytes).unwrap();
}

/// What a conversion keeps of a unit: name, instance, version, whether it has data, plain bytes.
pub type Kept = (Vec<u8>, u32, u32, bool, Vec<u8>);

/// All units of a file, read with the library.
pub fn kept(path: &Path) -> Vec<Kept> {
    let mut archive = open_path(path).unwrap();
    let mut all = Vec::new();
    let mut units = archive.units();
    while let Some(mut unit) = units.next_unit().unwrap() {
        let mut plain = vec![0; unit.plain_len().unwrap() as usize];
        let has_data = if unit.records().is_some() { !plain.is_empty() } else { unit.packed_len() > 0 };
        unit.read(|get| get.bytes(&mut plain)).unwrap();
        all.push((unit.name().to_vec(), unit.instance(), unit.version(), has_data, plain));
    }
    all
}

/// Bytes that do not pack.
pub fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(len)
    .collect()
}

/// The names in a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
