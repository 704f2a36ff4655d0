//! The memory layout. Code is in flash at 0x2000_0000: from RAM at 0x8000_0000 on, 64-bit code cannot reach defmt's symbols,
//! which are small numbers.

use std::path::PathBuf;

const LAYOUT: &str = "
MEMORY { FLASH : ORIGIN = 0x20000000, LENGTH = 4M  RAM : ORIGIN = 0x80000000, LENGTH = 4M }
REGION_ALIAS(\"REGION_TEXT\", FLASH);
REGION_ALIAS(\"REGION_RODATA\", FLASH);
REGION_ALIAS(\"REGION_DATA\", RAM);
REGION_ALIAS(\"REGION_BSS\", RAM);
REGION_ALIAS(\"REGION_HEAP\", RAM);
REGION_ALIAS(\"REGION_STACK\", RAM);
";

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::write(out.join("memory.x"), LAYOUT).expect("write the layout");
    println!("cargo::rustc-link-arg-bins=-L{}", out.display());
    for argument in ["-Tmemory.x", "-Tlink.x", "-Tdefmt.x"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
