#!/usr/bin/env bash
# One machine on two processors: the host's emulator and an emulated Cortex-M3 pass a running BASIC program to each other
# in files. What they print and the states they end in are compared with those of a run without interruption.
#
#   story.sh                   builds the firmware, then the host's programs, then tells the story
#   story.sh --firmware ELF    with this firmware (the runner of `cargo run` calls it so)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
host_dir=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")

case "${1:-}" in
    '')
        target=thumbv7m-none-eabi
        source "$root/tests/qemu/setup.sh"
        build "$target" --manifest-path "$here/Cargo.toml"
        firmware=$(realpath "$CARGO_TARGET_DIR/$target/release/bare-metal")
        ;;
    --firmware) firmware=$(realpath "${2:?}") ;;
    *)
        echo 'story.sh [--firmware ELF]' >&2
        exit 2
        ;;
esac

# Not with what cargo set for the firmware.
(cd "$root" && env -u RUSTC -u RUSTC_BOOTSTRAP -u CARGO_BUILD_TARGET \
    cargo build --quiet --release --locked --target-dir "$host_dir" -p ssm-examples --bin emulator --bin headless)

work=$(mktemp -d)
cd "$work"
passed=0
failed=0
finished=no
# Whatever happens, the last line counts.
count() {
    local code=$?
    rm -rf "$work"
    echo
    if [ $finished = no ]; then
        failed=$((failed + 1))
        echo "  FAIL  a program ended with exit code $code, and the story with it"
    fi
    echo "$passed passed, $failed failed"
    [ $failed = 0 ] || exit 1
}
trap count EXIT

# Each prints what the machine prints; what is said about it goes to standard error.
host() { "$host_dir/release/headless" "$@"; }
emulator() { "$host_dir/release/emulator" "$@"; }
metal() {
    local arguments=
    for argument in "$@"; do arguments+=",arg=$argument"; done
    timeout 120 qemu-system-arm -M mps2-an385 -display none -monitor none -serial none \
        -semihosting-config "enable=on,target=native,arg=bare-metal$arguments" -kernel "$firmware" </dev/null
}

verdict() {
    if [ "$1" = 0 ]; then passed=$((passed + 1)); echo "  ok    $2"; else failed=$((failed + 1)); echo "  FAIL  $2"; fi
}
same() { cmp -- "$2" "$3" && verdict 0 "$1" || verdict 1 "$1"; }
# Two states of one machine, whoever wrote them: the host saves both again without running them.
same_state() {
    host resume "$2" "$2.again" 0 && host resume "$3" "$3.again" 0 && same "$1" "$2.again" "$3.again" || verdict 1 "$1"
} 2>>retold
# The exit code, and what standard error says.
refused() {
    local name=$1 code=$2 why=$3 found=0
    shift 3
    "$@" >/dev/null 2>refused || found=$?
    grep -q -- "$why" refused && [ "$found" = "$code" ] && verdict 0 "$name" || verdict 1 "$name: exit code $found, $(cat refused)"
}
show() { grep -v '^$' "$1" | sed 's/^/  |  /'; }

echo
echo 'The host runs a BASIC program without interruption.'
host run whole.sav >whole.txt
cycles=$(host resume whole.sav again.sav 2>&1 | sed -n 's/.*loaded after \([0-9]*\) cycles.*/\1/p')
half=$((cycles / 2))
grep -q '109 PRIMES' whole.txt && verdict 0 'it finds 109 primes' || verdict 1 'it finds 109 primes'

echo
echo 'So does the metal.'
metal run metal.sav >metal.txt
same 'it prints the same' whole.txt metal.txt
same_state 'it ends in the same state' whole.sav metal.sav

echo
echo "Both run half-way, to cycle $half."
host run host-half.sav "$half" >host-half.txt
metal run metal-half.sav "$half" >metal-half.txt
show metal-half.txt
tail -1 metal-half.txt | grep -q '^[0-9 ]*[0-9]$' && verdict 0 'they are among the primes' || verdict 1 'they are among the primes'
same 'they print the same' host-half.txt metal-half.txt
same_state 'they are in the same state' host-half.sav metal-half.sav

echo
echo 'The host goes on where the metal was.'
host resume metal-half.sav to-host.sav >to-host.txt
show to-host.txt
cat metal-half.txt to-host.txt >moved.txt
same 'the two parts are what an uninterrupted run prints' whole.txt moved.txt
same 'the state at the end is that of an uninterrupted run, byte for byte' whole.sav to-host.sav

echo
echo 'The metal goes on where the host was.'
metal resume host-half.sav to-metal.sav >to-metal.txt
show to-metal.txt
cat host-half.txt to-metal.txt >moved.txt
same 'the two parts are what an uninterrupted run prints' whole.txt moved.txt
same_state 'the state at the end is that of an uninterrupted run' whole.sav to-metal.sav

echo
echo 'The emulator that people use does the same, both ways.'
emulator resume metal-half.sav --state emulator.sav </dev/null >to-emulator.txt
same 'it goes on where the metal was' to-host.txt to-emulator.txt
emulator run --state from-emulator.sav --cycles "$half" <"$here/../primes.bas" >emulator-half.txt
metal resume from-emulator.sav to-metal.sav >to-metal.txt
cat emulator-half.txt to-metal.txt >moved.txt
same 'the metal goes on where it was' whole.txt moved.txt

echo
echo 'A machine that cannot stay anywhere.'
metal run 1.sav $((cycles / 8)) >hops.txt
for hop in 2 3 4 5 6 7; do
    [ $((hop % 2)) = 0 ] && where=host || where=metal
    $where resume $((hop - 1)).sav $hop.sav $((cycles / 8 * hop)) >>hops.txt
done
host resume 7.sav 8.sav >>hops.txt
same 'what it prints is not torn' whole.txt hops.txt
same 'its state at the end is that of an uninterrupted run, byte for byte' whole.sav 8.sav

echo
echo 'The metal refuses what it cannot load.'
at=$(($(stat -c %s host-half.sav) / 2))
cp host-half.sav damaged.sav
byte=$(od -An -tu1 -j "$at" -N 1 damaged.sav)
printf "\\$(printf %o $((byte ^ 16)))" | dd of=damaged.sav bs=1 seek="$at" conv=notrunc status=none
refused 'a damaged file' 1 'unit ram/0' metal resume damaged.sav never.sav
refused 'a file that is not there' 1 "host's file" metal resume none.sav never.sav
refused 'a command line without sense' 2 expected metal walk
[ ! -e never.sav ] && verdict 0 'and saves nothing then' || verdict 1 'never.sav was saved'
finished=yes
