#!/usr/bin/env bash
# Builds the bootloader for an emulated Cortex-M4 with SPI NOR flash, and interrupts it hundreds of times. See README.md.
#
#   story.sh [SEED]              builds the firmware and the runner
#   story.sh --firmware ELF      with this firmware (the runner of `cargo run` calls it so)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
host_dir=$(realpath -m "${CARGO_TARGET_DIR:-$here/target}")

seed=()
case "${1:-}" in
    --firmware) firmware=$(realpath "${2:?}") ;;
    '' | [0-9]*)
        [ $# = 0 ] || seed=("$1")
        target=thumbv7em-none-eabihf
        source "$root/tests/qemu/setup.sh"
        build "$target" --manifest-path "$here/Cargo.toml"
        firmware=$(realpath "$CARGO_TARGET_DIR/$target/release/bootloader")
        ;;
    *)
        echo 'story.sh [SEED | --firmware ELF]' >&2
        exit 2
        ;;
esac

# Not with what cargo set for the firmware, and not from this folder, where cargo builds for the board.
(cd "$root" && env -u RUSTC -u RUSTC_BOOTSTRAP -u CARGO_BUILD_TARGET cargo build --quiet --release --locked \
    --target-dir "$host_dir" --manifest-path "$here/Cargo.toml" -p bootloader-runner)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$host_dir/release/bootloader-runner" "$firmware" "$work" "${seed[@]}"
