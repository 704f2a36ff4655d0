//! The memory layout: small, so that a size that runs away is seen too.

use std::path::PathBuf;

const ARM: &str = "MEMORY { FLASH : ORIGIN = 0, LENGTH = 64K  RAM : ORIGIN = 0x20000000, LENGTH = 16K }\n";
const RISC_V: &str = "
MEMORY { FLASH : ORIGIN = 0x20000000, LENGTH = 64K  RAM : ORIGIN = 0x80000000, LENGTH = 16K }
REGION_ALIAS(\"REGION_TEXT\", FLASH);
REGION_ALIAS(\"REGION_RODATA\", FLASH);
REGION_ALIAS(\"REGION_DATA\", RAM);
REGION_ALIAS(\"REGION_BSS\", RAM);
REGION_ALIAS(\"REGION_HEAP\", RAM);
REGION_ALIAS(\"REGION_STACK\", RAM);
";

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let is_arm = std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "arm");
    let (layout, scripts) = if is_arm { (ARM, &["-Tlink.x"][..]) } else { (RISC_V, &["-Tmemory.x", "-Tlink.x"][..]) };
    std::fs::write(out.join("memory.x"), layout).expect("write the layout");
    println!("cargo::rustc-link-arg-bins=-L{}", out.display());
    for script in scripts {
        println!("cargo::rustc-link-arg-bins={script}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
