//! Files that the tests write themselves.

use ssm_core::{Crc32, Header, Writer};
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
        unit.read(|get| get.bytes(&mut plain)).unwrap();
        all.push((unit.name().to_vec(), unit.instance(), unit.version(), unit.packed_len() > 0, plain));
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
