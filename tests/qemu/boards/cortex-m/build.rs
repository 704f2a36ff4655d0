//! One memory layout per binary, each in a folder of its own because the linker script of cortex-m-rt asks for `memory.x`.

use std::path::PathBuf;

const LAYOUTS: [(&str, &str); 3] = [
    ("microbit", "FLASH : ORIGIN = 0x00000000, LENGTH = 256K  RAM : ORIGIN = 0x20000000, LENGTH = 16K"),
    ("lm3s6965evb", "FLASH : ORIGIN = 0x00000000, LENGTH = 256K  RAM : ORIGIN = 0x20000000, LENGTH = 64K"),
    ("mps2", "FLASH : ORIGIN = 0x00000000, LENGTH = 4M  RAM : ORIGIN = 0x20000000, LENGTH = 4M"),
];

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    for (binary, layout) in LAYOUTS {
        let folder = out.join(binary);
        std::fs::create_dir_all(&folder).expect("create a folder for the layout");
        std::fs::write(folder.join("memory.x"), format!("MEMORY {{ {layout} }}\n")).expect("write the layout");
        println!("cargo::rustc-link-arg-bin={binary}=-L{}", folder.display());
    }
    for argument in ["-Tlink.x", "-Tdefmt.x", "--nmagic"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
