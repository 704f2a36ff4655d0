//! The memory layout of QEMU's mps2-an385 or `virt`, and the corpora that are made up.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const ARM: &str = "MEMORY { FLASH : ORIGIN = 0, LENGTH = 4M  RAM : ORIGIN = 0x20000000, LENGTH = 4M }\n";
const RISC_V: &str = "
MEMORY { RAM : ORIGIN = 0x80000000, LENGTH = 16M }
REGION_ALIAS(\"REGION_TEXT\", RAM);
REGION_ALIAS(\"REGION_RODATA\", RAM);
REGION_ALIAS(\"REGION_DATA\", RAM);
REGION_ALIAS(\"REGION_BSS\", RAM);
REGION_ALIAS(\"REGION_HEAP\", RAM);
REGION_ALIAS(\"REGION_STACK\", RAM);
";
const CORPUS: usize = 8192;

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let is_arm = std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "arm");
    let (layout, scripts) = if is_arm { (ARM, &["-Tlink.x"][..]) } else { (RISC_V, &["-Tmemory.x", "-Tlink.x"][..]) };
    std::fs::write(out.join("memory.x"), layout).expect("write the layout");
    println!("cargo::rustc-link-arg-bins=-L{}", out.display());
    for script in scripts {
        println!("cargo::rustc-link-arg-bins={script}");
    }
    // Code starts at 0, which is where the debug information of code that is not linked points by default.
    println!("cargo::rustc-link-arg-bins=-zdead-reloc-in-nonalloc=.debug_*=0xfffffffe");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=prose.txt");

    let mut random = Random(0x2545_f491_4f6c_dd1d);
    corpus(&out, "prose", &std::fs::read("prose.txt").expect("read the prose"));
    corpus(&out, "log", device_log(&mut random).as_bytes());
    corpus(&out, "random", &std::iter::repeat_with(|| random.below(256) as u8).take(CORPUS).collect::<Vec<_>>());
    corpus(&out, "zero", &[0; CORPUS]);
}

fn corpus(out: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(out.join(name), bytes.get(..CORPUS).expect("a corpus is long enough")).expect("write a corpus");
}

/// Lines as a device writes them to its serial console: time stamps, levels, modules, readings.
fn device_log(random: &mut Random) -> String {
    let mut log = String::new();
    let mut millis = 4_117u64;
    while log.len() < CORPUS {
        millis += 3 + random.below(900);
        write!(log, "[{:6}.{:03}] ", millis / 1000, millis % 1000).expect("write to a string");
        let line = match random.below(8) {
            0 | 1 => {
                let (whole, tenths) = (random.below(20) + 15, random.below(10));
                format!("INFO  sensor: temperature {whole}.{tenths} C, humidity {} %", random.below(60) + 30)
            }
            2 | 3 => format!("DEBUG uart1: rx {} bytes, overruns 0", random.below(64) + 1),
            4 => format!("INFO  net: link up, rssi -{} dBm, channel {}", random.below(40) + 50, random.below(13) + 1),
            5 => format!(
                "WARN  i2c0: no acknowledge from 0x{:02x}, retry {}",
                random.below(112) + 8,
                random.below(3) + 1
            ),
            6 => format!("DEBUG power: battery {} mV, state charging", random.below(600) + 3600),
            _ => format!("INFO  store: wrote page {} in {} us", random.below(512), random.below(900) + 2100),
        };
        writeln!(log, "{line}").expect("write to a string");
    }
    log
}

/// xorshift64*
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}
