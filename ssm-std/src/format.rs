//! The choice of a format at run time.

use std::fmt;
use std::str::FromStr;

/// The formats that are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SaveFormat {
    /// 1.2: the widest choice of codecs. Its checksum leaves out the last 8 bytes of data, and it is written with seeks.
    V1_2,
    /// 2.0: every byte is under a checksum, and it is written front to back; packed with LZF or not at all.
    #[default]
    V2_0,
}

impl SaveFormat {
    /// Both.
    pub const ALL: [SaveFormat; 2] = [SaveFormat::V1_2, SaveFormat::V2_0];

    /// Its number: `"1.2"` or `"2.0"`.
    pub fn as_str(self) -> &'static str {
        match self {
            SaveFormat::V1_2 => "1.2",
            SaveFormat::V2_0 => "2.0",
        }
    }
}

impl fmt::Display for SaveFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SaveFormat {
    type Err = String;

    fn from_str(number: &str) -> Result<Self, String> {
        let known = |format: &SaveFormat| format.as_str() == number;
        let format = SaveFormat::ALL.into_iter().find(known);
        format.ok_or_else(|| format!("format {number:?} found, 1.2 or 2.0 expected"))
    }
}
