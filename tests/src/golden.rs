//! The files that the original programs wrote, and their manifests (tests/golden/README.md).

mod generate;
mod items;
mod machine;

pub use generate::{Generator, repeated_letters};
pub use items::{Reading, read_items};
pub use machine::{Call, Machine};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use ssm_core::{Crc32, Crc32Slicing};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

/// A file of `good`: what it holds.
#[derive(Clone, Deserialize)]
pub struct Good {
    /// Its name in the folder.
    pub file: String,
    /// How it was made.
    pub origin: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of all of it.
    pub sha256: String,
    /// The header's fields.
    pub header: HeaderFields,
    /// The units in order.
    pub units: Vec<UnitFields>,
}

/// The fields of a header; `None` where the format has no such field.
#[derive(Clone, Deserialize)]
#[allow(missing_docs)]
pub struct HeaderFields {
    pub format: String,
    pub header_size: u64,
    pub end_offset: u64,
    pub ver_major: Option<u16>,
    pub ver_minor: Option<u16>,
    pub ver_build: Option<u32>,
    pub svn_rev: Option<u32>,
    pub host_bits: Option<u8>,
    #[serde(rename = "cbGCPhys")]
    pub gc_phys_bytes: Option<u8>,
    #[serde(rename = "cbGCPtr")]
    pub gc_ptr_bytes: Option<u8>,
    /// What only 1.x has.
    #[serde(flatten)]
    pub patched: Option<PatchedFields>,
    /// What only 2.0 has.
    #[serde(flatten)]
    pub streamed: Option<StreamedFields>,
}

/// Size and checksum of a 1.x file.
#[derive(Clone, Deserialize)]
#[allow(missing_docs)]
pub struct PatchedFields {
    #[serde(rename = "cbFile")]
    pub file_len: u64,
    pub crc: u32,
    pub crc_start: u64,
    pub crc_len: u64,
}

/// Stream fields, directory and footer of a 2.0 file.
#[derive(Clone, Deserialize)]
#[allow(missing_docs)]
pub struct StreamedFields {
    #[serde(rename = "cUnits")]
    pub units: u32,
    #[serde(rename = "fFlags")]
    pub flags: u32,
    #[serde(rename = "cbMaxDecompr")]
    pub max_block: u32,
    #[serde(rename = "dir_offset")]
    pub directory_offset: u64,
    #[serde(rename = "dir")]
    pub directory: Vec<EntryFields>,
    pub footer_offset: u64,
    pub stream_crc: u32,
}

/// An entry of a directory.
#[derive(Clone, Deserialize)]
#[allow(missing_docs)]
pub struct EntryFields {
    #[serde(rename = "off")]
    pub offset: u64,
    pub instance: u32,
    pub name_crc: u32,
}

/// A unit of a good file.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct UnitFields {
    pub name: String,
    pub instance: u32,
    pub version: u32,
    pub pass: Pass,
    pub offset: u64,
    pub length: u64,
    pub data_offset: u64,
    /// In 1.x `"STORE"`, `"ZLIB"`, `"LZF"`; `None` for a unit that put nothing.
    pub zip: Option<String>,
    /// In 2.0 how many records of which type: `"RAW"`, `"LZF"`, `"ZERO"`, `"TERM"`.
    #[serde(default)]
    pub records: BTreeMap<String, u64>,
    pub payload_length: u64,
    pub payload_sha256: String,
    pub items: Items,
}

/// The pass of a unit.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Pass {
    /// Of a live save, while the machine ran.
    Live(u32),
    /// `"final"`.
    Final(String),
}

impl UnitFields {
    /// The live pass; `None` is the final one.
    pub fn live_pass(&self) -> Option<u32> {
        match &self.pass {
            Pass::Live(pass) => Some(*pass),
            Pass::Final(word) => {
                assert_eq!(word, "final");
                None
            }
        }
    }

    /// Whether it is one that the library itself writes or knows.
    pub fn is_built_in(&self) -> bool {
        matches!(&*self.name, "SSM" | "SSMLiveControl")
    }
}

/// What was put into a unit.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Items {
    /// The built-in unit: pairs of strings, not listed.
    Notes(String),
    /// These, in order.
    List(Vec<Item>),
}

/// One value that was put.
#[derive(Clone, Debug, Deserialize)]
pub struct Item {
    /// The original call: `"U8"`, `"GCPtr"`, `"Mem"` ..
    #[serde(rename = "type")]
    pub kind: String,
    /// What it was given.
    #[serde(flatten)]
    pub value: Value,
}

/// The value of an item.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
#[allow(missing_docs)]
pub enum Value {
    /// 64 bits (128 for the largest types) of two's complement, sign-extended.
    Number { hex: String },
    /// Bytes of a generator.
    Generated {
        #[serde(rename = "gen")]
        generator: String,
        #[serde(default)]
        seed: u64,
        len: usize,
    },
    /// A string as it is.
    Text { value: String, len: usize },
    /// A struct by its name.
    Struct { value: String },
    /// How far a live save is.
    Progress { meaning: String },
}

/// A file of `bad`: what is wrong with it, and what the original readers said.
#[derive(Deserialize)]
pub struct Bad {
    /// Its name in the folder.
    pub file: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of all of it.
    pub sha256: String,
    /// The scenario of the good file that was damaged.
    pub scenario: String,
    /// What was done to it.
    pub damage: String,
    /// By reader and operation.
    pub results: BTreeMap<String, String>,
    /// `"reject"`, `"accept"`, `"either"`.
    pub verify: String,
}

/// A bad file that is kept as what to change in another one.
#[derive(Deserialize)]
struct Edited {
    file: String,
    /// Folder and name of the other one.
    from: String,
    /// In order: an offset in the other one, how many bytes of it to leave out there, the bytes to put there in hexadecimal
    /// digits.
    edits: Vec<(usize, usize, String)>,
}

#[derive(Deserialize)]
struct Manifest<T> {
    files: Vec<T>,
}

/// The good files.
pub fn good() -> Vec<Good> {
    static GOOD: OnceLock<Vec<Good>> = OnceLock::new();
    GOOD.get_or_init(|| manifest("good")).clone()
}

/// Those of 1.x.
pub fn good_patched() -> Vec<Good> {
    good().into_iter().filter(|good| good.header.patched.is_some()).collect()
}

/// Those of 2.0.
pub fn good_streamed() -> Vec<Good> {
    good().into_iter().filter(|good| good.header.streamed.is_some()).collect()
}

/// The good file of this name.
pub fn good_file(name: &str) -> Good {
    good().into_iter().find(|good| good.file == name).unwrap_or_else(|| panic!("{name} is not in the manifest"))
}

/// The bad files.
pub fn bad() -> Vec<Bad> {
    manifest("bad")
}

/// Those of 1.x.
pub fn bad_patched() -> Vec<Bad> {
    bad().into_iter().filter(|bad| !bad.is_streamed()).collect()
}

/// Those of 2.0.
pub fn bad_streamed() -> Vec<Bad> {
    bad().into_iter().filter(Bad::is_streamed).collect()
}

impl Good {
    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        // Too large to be kept twice; its origin is "re-headered from v12-mixed8m.sav".
        let bytes = if self.file == "v11-mixed8m.sav" {
            reheaded_to_1_1(&read("good", "v12-mixed8m.sav"))
        } else {
            read("good", &self.file)
        };
        checked(bytes, self.size, &self.sha256, &self.file)
    }

    /// The width that a loader must set before it reads the first guest pointer.
    pub fn gc_ptr_bytes_to_set(&self) -> Option<u8> {
        self.origin.contains("SetGCPtrSize(4)").then_some(4)
    }

    /// Plain bytes of all units.
    pub fn payload_len(&self) -> u64 {
        self.units.iter().map(|unit| unit.payload_length).sum()
    }
}

impl Bad {
    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let edited: Vec<Edited> = files_of("bad", "edits.json");
        let bytes = match edited.iter().find(|edited| edited.file == self.file) {
            Some(edited) => edited.bytes(),
            None => read("bad", &self.file),
        };
        checked(bytes, self.size, &self.sha256, &self.file)
    }

    fn is_streamed(&self) -> bool {
        self.file.starts_with("v20-")
    }

    /// The good file that was damaged.
    pub fn undamaged(&self) -> Good {
        let (format, _) = self.file.split_once('-').expect("a format before the first hyphen");
        good_file(&format!("{format}-{}.sav", self.scenario))
    }
}

impl Edited {
    fn bytes(&self) -> Vec<u8> {
        let (folder, file) = self.from.split_once('/').expect("a folder");
        let from = read(folder, file);
        let mut bytes = Vec::new();
        let mut taken = 0;
        for (at, left_out, put) in &self.edits {
            bytes.extend(&from[taken..*at]);
            let digits = put.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).expect("digits"));
            bytes.extend(digits.map(|two| u8::from_str_radix(two, 16).expect("hexadecimal digits")));
            taken = at + left_out;
        }
        bytes.extend(&from[taken..]);
        bytes
    }
}

/// The SHA-256 of `bytes` in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn path(folder: &str, file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "golden", folder, file].iter().collect()
}

fn read(folder: &str, file: &str) -> Vec<u8> {
    let path = path(folder, file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifest<T: DeserializeOwned>(folder: &str) -> Vec<T> {
    files_of(folder, "manifest.json")
}

fn files_of<T: DeserializeOwned>(folder: &str, file: &str) -> Vec<T> {
    let manifest: Manifest<T> = serde_json::from_slice(&read(folder, file)).expect("a manifest");
    assert!(!manifest.files.is_empty());
    manifest.files
}

fn checked(bytes: Vec<u8>, size: u64, hash: &str, file: &str) -> Vec<u8> {
    assert_eq!((bytes.len() as u64, &*sha256(&bytes)), (size, hash), "{file} is not the file of the manifest");
    bytes
}

/// The units of a 1.2 file under a header of format 1.1.
fn reheaded_to_1_1(v12: &[u8]) -> Vec<u8> {
    let mut file = b"\x7fVirtualBox SavedState V1.1\n".to_vec();
    file.resize(64, 0);
    file.extend(&v12[80..]);
    let len = file.len();
    file[32..40].copy_from_slice(&(len as u64).to_le_bytes());
    let crc = Crc32Slicing.update(0, &file[44..44 + len - 64]);
    file[40..44].copy_from_slice(&crc.to_le_bytes());
    file
}
