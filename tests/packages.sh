#!/usr/bin/env bash
# What a packager looks at: every crate packages and builds from its package, the libraries bring few crates, and the whole
# workspace builds with the oldest Rust that this machine has.
set -euo pipefail
cd "$(dirname "$0")/.."

# The members that are published, in the order in which they depend on each other; the rest packages without being built.
published=(ssm-core ssm-std ssm-tool)
cargo package --quiet --locked --allow-dirty --no-verify --workspace
cargo package --quiet --locked --allow-dirty "${published[@]/#/--package=}"
for crate in "${published[@]}"; do
    folder=${crate/#ssm-tool/ssm-std/tool}
    manifest=$(cargo read-manifest --manifest-path "$folder/Cargo.toml")
    for field in '"description":"' '"repository":"' '"license":"' '"readme":"' '"keywords":["' '"categories":["'; do
        grep -qF "$field" <<<"$manifest" || { echo "$crate has no ${field%%:*}" >&2; exit 1; }
    done
done

# most CRATES FEATURES.. : at most so many crates in the tree of a library.
most() {
    local limit=$1 crate=$2 count
    shift 2
    count=$(cargo tree --locked --edges normal --prefix none --package "$crate" "$@" | sed 's/ (\*)$//' | sort -u | wc -l)
    echo "$crate $*: $count crates"
    [ "$count" -le "$limit" ] || { echo "$limit at most" >&2; exit 1; }
}
most 35 ssm-std
most 12 ssm-core

# Toolchains of rustup, and the one of the system. Where none is older, the other steps were built on it.
declared=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
version() { sed -n 's/^rustc \([0-9.]*\) .*/\1/p'; }
current=$(rustc --version | version)
oldest=$current toolchain=
if command -v rustup >/dev/null; then
    while read -r name _; do
        found=$(rustc "+$name" --version | version)
        if [ -n "$found" ] && [ "$(printf '%s\n' "$found" "$oldest" | sort -V | head -n 1)" != "$oldest" ]; then
            oldest=$found toolchain=+$name
        fi
    done < <(rustup toolchain list)
fi
if [ -n "$toolchain" ]; then
    cargo "$toolchain" check --quiet --workspace --all-targets --locked --target-dir target/oldest
fi
echo "Rust $declared is declared (clippy's incompatible_msrv keeps to it), the workspace was built on $oldest"
[ "$(printf '%s\n' "$declared" "$oldest" | sort -V | head -n 1)" = "$declared" ]
