//! Links for the bare machine with a target that is meant for Linux: no libc, no start files, own layout.

fn main() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/layout.ld");
    for argument in
        ["-nostartfiles", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", &format!("-Wl,-T,{script}")]
    {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    println!("cargo::rerun-if-changed=layout.ld");
    println!("cargo::rerun-if-changed=build.rs");
}
