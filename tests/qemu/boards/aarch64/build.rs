//! The memory layout: all in RAM, where QEMU puts a kernel.

use std::path::PathBuf;

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::write(out.join("memory.x"), "MEMORY { image : ORIGIN = 0x40080000, LENGTH = 4M }\n")
        .expect("write the layout");
    println!("cargo::rustc-link-arg-bins=-L{}", out.display());
    for argument in ["-Tmemory.x", "-Timage.ld", "-Tdefmt.x"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
