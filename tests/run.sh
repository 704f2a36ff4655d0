#!/usr/bin/env bash
# The one definition of green. Needs cargo with clippy and rustfmt and the crates of the lock files; for the emulated boards
# it installs what is missing (see tests/qemu/setup.sh). `tests/run.sh --host-only` leaves the boards out and says so;
# `tests/run.sh --all-cuts` tries every power cut on more geometries of NOR flash, which takes some minutes more;
# `tests/run.sh --breaks` does something else: it breaks the code in small ways and expects the tests to notice (BREAKS.md).
set -euo pipefail
cd "$(dirname "$0")/.."

boards=yes
for option in "$@"; do
    case $option in
    --host-only) boards=no ;;
    --all-cuts) export SSM_ALL_CUTS=1 ;;
    --breaks) exec tests/breaks/run.sh ;;
    *)
        echo "usage: tests/run.sh [--host-only] [--all-cuts] | --breaks" >&2
        exit 2
        ;;
    esac
done

step() { printf '\n== %s\n' "$*"; }

step format
cargo fmt --all --check
for workspace in tests/fuzz tests/windows tests/qemu tests/qemu/measure examples/bare-metal examples/bootloader; do
    (cd "$workspace" && cargo fmt --all --check)
done

step 'breaks still apply'
tests/breaks/run.sh --check

step lints
cargo clippy --workspace --all-targets --locked -- -D warnings
for features in '' defmt critical-section nor-flash; do
    cargo clippy -p ssm-core --no-default-features --features "$features" --locked -- -D warnings
done
# The fuzzer's targets, without the fuzzer: that is C++ and wants a nightly compiler. What they do runs as a test.
(cd tests/fuzz && cargo clippy --no-default-features --locked -- -D warnings)

step tests
cargo test --workspace --locked
cargo test -p ssm-core --features critical-section,nor-flash --locked

step 'the installed tool'
cargo install --path ssm-std/tool --root target/installed --force --locked --quiet
installed=target/installed/bin/ssm
"$installed" --version
size=$(stat -c %s "$installed")
if [ "$size" -ge $((4 << 20)) ]; then
    echo "the installed tool has $size bytes, which is not under 4 MiB" >&2
    exit 1
fi
# The linker comes with readelf.
if readelf --wide --sections "$installed" | grep -E '\.(symtab|debug_[a-z]+) '; then
    echo 'the installed tool is not stripped' >&2
    exit 1
fi
for file in tests/golden/good/*.sav; do
    "$installed" verify "$file" >/dev/null
done

step documentation
RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --features ssm-core/critical-section,ssm-core/defmt,ssm-core/nor-flash --locked

step packages
tests/packages.sh

step 'core without std, feature by feature'
cargo build -p ssm-core --no-default-features --locked
for feature in $(sed -n '/^\[features\]/,/^\[/s/^\([a-z][a-z0-9-]*\) = .*/\1/p' ssm-core/Cargo.toml); do
    [ "$feature" = default ] && continue
    cargo build -p ssm-core --no-default-features --features "$feature" --locked
done
if tree=$(cargo tree -p ssm-core --edges normal --prefix none --format '{p} {f}' --locked) && grep -E ' .*\b(std|alloc)\b' <<<"$tree"; then
    echo 'a dependency of ssm-core has a feature std or alloc on' >&2
    exit 1
fi
if grep -E '^(defmt|critical-section|embedded-storage) ' <<<"$tree"; then
    echo 'a dependency of a feature is linked with its feature off' >&2
    exit 1
fi

step examples
for example in emulator inspect live versions; do
    cargo run --release --locked --bin "$example" </dev/null
done

if [ "$boards" = no ]; then
    printf '\nall green on the host; the boards were left out (--host-only)\n'
    exit
fi

step boards
tests/qemu/run.sh

step 'Windows, and types on other systems'
tests/windows/run.sh

step 'sizes on the boards'
tests/qemu/measure.sh --check

step 'an emulator on the metal'
examples/bare-metal/story.sh

step 'a bootloader that is killed and reset'
examples/bootloader/story.sh

printf '\nall green\n'
