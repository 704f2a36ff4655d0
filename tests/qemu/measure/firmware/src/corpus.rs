//! The bytes that codecs are measured with: 8 KiB each.

pub type Corpus = [u8; 8192];

pub static ALL: [(&str, &Corpus); 4] = [
    ("prose", include_bytes!(concat!(env!("OUT_DIR"), "/prose"))),
    ("log", include_bytes!(concat!(env!("OUT_DIR"), "/log"))),
    ("random", include_bytes!(concat!(env!("OUT_DIR"), "/random"))),
    ("zero", include_bytes!(concat!(env!("OUT_DIR"), "/zero"))),
];
