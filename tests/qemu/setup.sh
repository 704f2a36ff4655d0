#!/usr/bin/env bash
# Makes sure that the boards can be built and emulated, and says what it installs. For use by run.sh:
#
#   source setup.sh
#
# Afterwards `build TARGET ARGUMENTS..` builds firmware: with a target that the Rust toolchain at hand has, else with
# Debian's rustc and its core library in source form. No component of a toolchain is downloaded.

qemu_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$qemu_folder/target}
mkdir -p "$CARGO_TARGET_DIR"
CARGO_TARGET_DIR=$(cd "$CARGO_TARGET_DIR" && pwd)
export CARGO_TARGET_DIR

bare_targets=(
    thumbv6m-none-eabi thumbv7m-none-eabi thumbv7em-none-eabihf
    riscv32imac-unknown-none-elf riscv64gc-unknown-none-elf aarch64-unknown-none
)

has_target() {
    local libraries
    libraries=$(cd "$qemu_folder" && rustc --print target-libdir --target "$1" 2>/dev/null) &&
        compgen -G "$libraries/libcore-*.rlib" >/dev/null
}

install_missing() {
    local commands=(qemu-system-arm qemu-system-aarch64 qemu-system-riscv32 qemu-system-riscv64 qemu-system-x86_64 cc)
    local packages=(qemu-system-arm qemu-system-misc qemu-system-x86 gcc) why='to emulate the boards'
    local target command missing=()
    for target in "${bare_targets[@]}"; do
        has_target "$target" && continue
        packages+=(rustc-web cargo-web rust-web-src lld-22)
        commands+=(/usr/bin/rustc /usr/bin/cargo /usr/bin/ld.lld-22)
        [ -f /usr/lib/rustlib/src/rust/library/core/Cargo.toml ] || missing+=(rust-web-src)
        why+=", and to build for those that the Rust toolchain has no library for"
        break
    done
    for command in "${commands[@]}"; do
        command -v "$command" >/dev/null || missing+=("$command")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if ! command -v apt-get >/dev/null; then
        echo "missing: ${missing[*]}; install QEMU, and the targets ${bare_targets[*]} for the Rust toolchain" >&2
        return 1
    fi
    echo "installing ${packages[*]} $why (missing: ${missing[*]})"
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    # QEMU's parts must be of one version, also where a newer one was installed from backports.
    local release
    release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    packages+=("qemu-utils${release:+/$release}")
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends --allow-downgrades \
        "${packages[@]}"
}

# Debian has no rust-lld, which is what the bare targets link with.
link_linker() {
    mkdir -p "$CARGO_TARGET_DIR/linker"
    ln -sf "$(command -v ld.lld-22)" "$CARGO_TARGET_DIR/linker/rust-lld"
}

# build TARGET ARGUMENTS..: firmware for a bare target.
build() {
    local target=$1
    shift
    if has_target "$target"; then
        (cd "$qemu_folder" && cargo build --quiet --locked --release --target "$target" "$@")
    else
        link_linker
        (
            cd "$qemu_folder"
            # A proxy of rustup may be first on PATH, so both are named.
            export RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc PATH="$CARGO_TARGET_DIR/linker:$PATH"
            /usr/bin/cargo build --quiet --locked --release --target "$target" -Zbuild-std=core "$@"
        )
    fi
}

install_missing
