//! The memory that a board gives the program, all of it in statics.

use ssm_core::{InflateState, LzfEncoder};

/// Memory for one run, made by [`space!`](crate::space).
pub struct Space {
    /// How the files of this run are called.
    pub names: Names,
    /// The memory of the machine; its size decides the files' bytes.
    pub ram: &'static mut [u8],
    /// Takes a whole file; the start of it is the scratch of saves that are sent.
    pub file: &'static mut [u8],
    /// Lent to saves and loads. Its size decides the sizes of blocks, so it is the same everywhere.
    pub scratch: &'static mut [u8; 1024],
    /// Packs LZF in blocks of 1 KiB, which the smallest window reads. Its size decides the files' bytes, so it is the same
    /// everywhere.
    pub encoder: &'static mut LzfEncoder<256>,
    /// The window of the LZF decoder.
    pub window: &'static mut [u8],
    /// For zlib, where there is room.
    pub inflating: Option<Inflating>,
}

/// The memory of an [`Inflate`](ssm_core::Inflate).
pub struct Inflating {
    /// The decompressor.
    pub state: &'static mut InflateState,
    /// 32 KiB.
    pub window: &'static mut [u8],
}

/// Names of files, with the size of the machine's memory in them.
#[derive(Clone, Copy)]
pub struct Names {
    /// KiB of the machine's memory.
    pub kib: usize,
    /// Written by the program without a codec.
    pub store: &'static str,
    /// Written by the program with LZF.
    pub lzf: &'static str,
    /// Written by the host without a codec.
    pub host_store: &'static str,
    /// Written by the host in LZF blocks of 1 KiB.
    pub host_lzf: &'static str,
    /// Written by the host in LZF blocks of 32 KiB, for windows of 8 KiB.
    pub host_lzf_large: &'static str,
    /// Written by the host with zlib.
    pub host_zlib: &'static str,
    /// Written by the host with the first version of the timers.
    pub host_timers_1: &'static str,
    /// Written by the host in format 2.0, in LZF blocks of 4 KiB, for windows of 8 KiB.
    pub host_streamed_large: &'static str,
    /// Sent by the program in format 2.0 without a codec.
    pub streamed_store: &'static str,
    /// Sent by the program in format 2.0 with LZF.
    pub streamed_lzf: &'static str,
    /// Sent by the host in format 2.0 without a codec.
    pub line_store: &'static str,
    /// Sent by the host in format 2.0 in LZF blocks of 1 KiB.
    pub line_lzf: &'static str,
    /// The same with damage in its last byte.
    pub line_damaged: &'static str,
}

/// Memory for a machine with so many KiB of memory (a literal) and a window of so many bytes. Use it once per place.
#[macro_export]
macro_rules! space {
    ($kib:literal KiB, window $window:expr) => {{
        use $crate::static_cell::ConstStaticCell;
        static RAM: ConstStaticCell<[u8; $kib * 1024]> = ConstStaticCell::new([0; $kib * 1024]);
        static FILE: ConstStaticCell<[u8; $kib * 1024 + 768]> = ConstStaticCell::new([0; $kib * 1024 + 768]);
        static SCRATCH: ConstStaticCell<[u8; 1024]> = ConstStaticCell::new([0; 1024]);
        static ENCODER: ConstStaticCell<ssm_core::LzfEncoder<256>> =
            ConstStaticCell::new(ssm_core::LzfEncoder::with_block(1024));
        static WINDOW: ConstStaticCell<[u8; $window]> = ConstStaticCell::new([0; $window]);
        $crate::Space {
            names: $crate::names!($kib),
            ram: RAM.take(),
            file: FILE.take(),
            scratch: SCRATCH.take(),
            encoder: ENCODER.take(),
            window: WINDOW.take(),
            inflating: None,
        }
    }};
}

/// Memory for zlib. Use it once per place.
#[macro_export]
macro_rules! inflating {
    () => {{
        use $crate::static_cell::{ConstStaticCell, StaticCell};
        static STATE: StaticCell<ssm_core::InflateState> = StaticCell::new();
        static WINDOW: ConstStaticCell<[u8; 32768]> = ConstStaticCell::new([0; 32768]);
        $crate::Inflating { state: STATE.init_with(ssm_core::InflateState::default), window: WINDOW.take() }
    }};
}

/// The names of files for so many KiB.
#[macro_export]
macro_rules! names {
    ($kib:literal) => {
        $crate::Names {
            kib: $kib,
            store: concat!("store-", $kib, "k.ssm"),
            lzf: concat!("lzf-", $kib, "k.ssm"),
            host_store: concat!("host-store-", $kib, "k.ssm"),
            host_lzf: concat!("host-lzf-", $kib, "k.ssm"),
            host_lzf_large: concat!("host-lzf-large-", $kib, "k.ssm"),
            host_zlib: concat!("host-zlib-", $kib, "k.ssm"),
            host_timers_1: concat!("host-timers-1-", $kib, "k.ssm"),
            host_streamed_large: concat!("host-streamed-large-", $kib, "k.ssm"),
            streamed_store: concat!("streamed-store-", $kib, "k.ssm"),
            streamed_lzf: concat!("streamed-lzf-", $kib, "k.ssm"),
            line_store: concat!("line-store-", $kib, "k.ssm"),
            line_lzf: concat!("line-lzf-", $kib, "k.ssm"),
            line_damaged: concat!("line-damaged-", $kib, "k.ssm"),
        }
    };
}
