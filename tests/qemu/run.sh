#!/usr/bin/env bash
# Builds the firmware of every board, shows that no panic and no heap is in an image, and runs the boards. See README.md.
set -euo pipefail
cd "$(dirname "$0")"
# The tool that checks the boards' files is the main workspace's, in the target folder that its tests use.
tool_target=$(realpath -m "${CARGO_TARGET_DIR:-../../target}")
(cd ../.. && cargo build --quiet --locked -p ssm-tool --bin ssm --target-dir "$tool_target")
source ./setup.sh

cargo build --quiet --locked -p ssm-board-runner

build thumbv6m-none-eabi -p ssm-board-cortex-m --bin microbit
build thumbv7m-none-eabi -p ssm-board-cortex-m --bin lm3s6965evb --bin mps2
build thumbv7em-none-eabihf -p ssm-board-cortex-m --bin mps2
build riscv32imac-unknown-none-elf -p ssm-board-riscv
build riscv64gc-unknown-none-elf -p ssm-board-riscv
build aarch64-unknown-none -p ssm-board-aarch64
# The host's own target, linked at a fixed place.
cargo build --quiet --locked --release -p ssm-board-x86_64 --target x86_64-unknown-linux-gnu \
    --config 'target.x86_64-unknown-linux-gnu.rustflags = ["-Crelocation-model=static"]'

for target in thumbv7m-none-eabi riscv32imac-unknown-none-elf; do
    build "$target" -p ssm-board-proof
    if output=$(build "$target" -p ssm-board-proof --features broken 2>&1); then
        echo "$target: firmware with a panic in it links, so the proof proves nothing" >&2
        exit 1
    elif ! grep -q 'undefined symbol: a_panic_is_in_the_image' <<<"$output"; then
        printf '%s: firmware with a panic in it fails for another reason:\n%s\n' "$target" "$output" >&2
        exit 1
    fi
    echo "$target: no panic and no heap in a firmware that registers, saves and loads"
done

"$CARGO_TARGET_DIR/debug/ssm-board-runner" --target-dir "$CARGO_TARGET_DIR" --ssm "$tool_target/debug/ssm" "$@"
