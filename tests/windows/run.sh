#!/usr/bin/env bash
# Builds the library, its checks and the tool for Windows and runs them under Wine; then type-checks them for macOS, for a
# 32-bit and for a big-endian Linux. Installs what is missing. See README.md.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
# The compiler of the boards: Debian's, with its library as source, where rustup has no target.
source ../qemu/setup.sh
export CARGO_TARGET_DIR=$root/target/windows
windows=x86_64-pc-windows-gnu

missing=()
command -v x86_64-w64-mingw32-gcc >/dev/null || missing+=(gcc-mingw-w64-x86-64 binutils-mingw-w64-x86-64)
[ -x /usr/lib/wine/wine64 ] || command -v wine64 >/dev/null || missing+=(wine64)
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"
fi
wine=$(command -v wine64 || echo /usr/lib/wine/wine64)

# cargo_for TARGET COMMAND ARGUMENTS..: a command of cargo for a system with std.
cargo_for() {
    local target=$1 command=$2
    shift 2
    if has_std "$target"; then
        cargo "$command" --quiet --locked --target "$target" "$@"
    else
        RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc /usr/bin/cargo "$command" --quiet --locked --target "$target" \
            -Zbuild-std=std,panic_abort "$@"
    fi
}

has_std() {
    local libraries
    libraries=$(rustc --print target-libdir --target "$1" 2>/dev/null) && compgen -G "$libraries/libstd-*.rlib" >/dev/null
}

cargo_for "$windows" build
(cd "$root" && cargo_for "$windows" build -p ssm-tool --config profile.dev.panic='"abort"')
(cd "$root" && cargo build --quiet --locked -p ssm-tool --bin ssm --target-dir target)
tool=$root/target/debug/ssm

work=$CARGO_TARGET_DIR/run
rm -rf "$work"
mkdir -p "$work/checks"
cp "$CARGO_TARGET_DIR/$windows/debug/ssm-windows-checks.exe" "$CARGO_TARGET_DIR/$windows/debug/ssm.exe" "$work"
# Wine 8 lacks a library that Windows has, with the one function that std calls.
if ! compgen -G '/usr/lib/*/wine/x86_64-windows/bcryptprimitives.dll' >/dev/null; then
    x86_64-w64-mingw32-gcc -shared -O1 -o "$work/bcryptprimitives.dll" bcryptprimitives.c -ladvapi32
fi
export WINEPREFIX=$CARGO_TARGET_DIR/prefix WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml=' SSM_ON_WINE=1
cd "$work"
"$wine" wineboot --init >/dev/null 2>&1 || true

"$wine" ssm-windows-checks.exe checks

ssm() { "$wine" ssm.exe "$@"; }
fail() { echo "$*" >&2; exit 1; }

# The tool gives the same answers and the same bytes as on the system that this runs on, from files and through pipes.
count=0
for file in v10x86-multi v10amd64-multi v11-multi v12-multi v20-multi; do
    golden=$root/tests/golden/good/$file.sav
    cp "$golden" in.sav
    for arguments in 'list in.sav' 'list --json in.sav' 'verify in.sav' 'info in.sav'; do
        ssm $arguments >there.txt 2>there.err || fail "$file: ssm $arguments: $(cat there.err)"
        "$tool" $arguments >here.txt 2>/dev/null
        cmp here.txt there.txt || fail "$file: ssm $arguments says something else"
    done
    for arguments in '--to 2.0 --codec lzf' '--to 1.2 --codec zlib' '--to 1.2 --codec store'; do
        ssm convert in.sav there.sav $arguments 2>there.err || fail "$file: ssm convert $arguments: $(cat there.err)"
        "$tool" convert in.sav here.sav $arguments 2>/dev/null
        cmp here.sav there.sav || fail "$file: ssm convert $arguments writes other bytes"
    done
    unit=$("$tool" list --json in.sav | grep -o '"name":"[a-z0-9]*"' | grep -v SSM | head -n 1 | cut -d'"' -f4)
    "$tool" extract in.sav "$unit" -o here.bin
    # No line end is translated on the way, in either direction.
    ssm extract - "$unit" <in.sav >there.bin
    cmp here.bin there.bin || fail "$file: bytes through pipes differ"
    count=$((count + 1))
done
[ "$count" -ge 3 ] || fail "only $count files were found"

# Bytes that text would change, through both pipes.
expect() {
    local code=$1 found=0
    shift
    ssm "$@" >out.txt 2>err.txt </dev/null || found=$?
    [ "$found" -eq "$code" ] || fail "ssm $*: exit code $found, $code expected: $(cat err.txt)"
}
head -c 100 in.sav >cut.sav
expect 0 verify in.sav
expect 1 verify cut.sav
expect 2 verify
expect 3 verify nowhere.sav
grep -q 'os error' err.txt || fail "the system's number is missing: $(cat err.txt)"
expect 3 verify .
[ -z "$(find . -name '.ssm-*')" ] || fail 'a temporary file stays'
echo "$count files: the same answers and bytes under Windows as here"

cd "$root"
for target in aarch64-apple-darwin i686-unknown-linux-gnu powerpc-unknown-linux-gnu; do
    cargo_for "$target" check -p ssm-core --features critical-section,nor-flash,defmt
    cargo_for "$target" check -p ssm-std -p ssm-tool
    echo "$target: type-checked"
done
