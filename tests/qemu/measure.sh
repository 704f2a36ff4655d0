#!/usr/bin/env bash
# Measures ssm-core on thumbv7m, thumbv6m and riscv32imac and writes MEASURED.md. With --check it writes nothing and fails
# when a figure has grown by more than 2 % over the table; with another compiler than the table was made with it says so,
# compares bytes only, and allows 10 %.
set -euo pipefail
cd "$(dirname "$0")"
source ./setup.sh

targets=(thumbv7m-none-eabi thumbv6m-none-eabi riscv32imac-unknown-none-elf)
for target in "${targets[@]}"; do
    build "$target" --manifest-path measure/Cargo.toml -p firmware
done

if has_target "${targets[0]}"; then
    compiler="$(rustc --version), core as the toolchain has it"
else
    compiler="$(/usr/bin/rustc --version), core built with the firmware"
fi
cargo run --quiet --locked --manifest-path measure/Cargo.toml -p table -- \
    "$CARGO_TARGET_DIR" MEASURED.md "$compiler" "$@"
