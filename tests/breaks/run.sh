#!/usr/bin/env bash
# Breaks the code in one small way after another and expects the named test to notice (tests/BREAKS.md).
#
# Each `tests/breaks/*.patch` begins with three lines: `Promise:`, `Break:` and `Caught by:`, the last one a command that is
# run in the root of the tree. The patched tree must compile and the command must fail.
#
#   tests/breaks/run.sh             all of them, in a copy of the committed tree
#   tests/breaks/run.sh NAME..      these only, by the names of their files without `.patch`
#   tests/breaks/run.sh --check     only that each patch applies and that BREAKS.md lists it
set -euo pipefail
cd "$(dirname "$0")/../.."

field() { sed -n "s/^$2: //p" "$1" | head -n 1; }
names() { (cd tests/breaks && ls -- *.patch) | sed 's/\.patch$//'; }

check() {
    local bad=0 name patch key
    for name in $(names); do
        patch=tests/breaks/$name.patch
        for key in Promise Break 'Caught by'; do
            [ -n "$(field "$patch" "$key")" ] || { echo "$patch: no line '$key:'" >&2; bad=1; }
        done
        git apply --check "$patch" || { echo "$patch: does not apply any more" >&2; bad=1; }
        grep -qF "\`$name\`" tests/BREAKS.md || { echo "$patch: not in tests/BREAKS.md" >&2; bad=1; }
    done
    for name in $(sed -n 's/^| `\([a-z0-9-]*\)` |.*/\1/p' tests/BREAKS.md); do
        [ -f "tests/breaks/$name.patch" ] || { echo "tests/BREAKS.md: no patch $name" >&2; bad=1; }
    done
    return $bad
}

if [ "${1-}" = --check ]; then
    check
    echo "$(names | wc -l) breaks apply"
    exit
fi

check
copy=target/breaks/tree
rm -rf "$copy"
mkdir -p target/breaks
git clone --quiet . "$copy"
trap 'rm -rf "$copy"' EXIT
# One folder for all builds, so that each break compiles only what it touches.
CARGO_TARGET_DIR=$(pwd)/target/breaks/build
export CARGO_TARGET_DIR

missed=()
[ $# -gt 0 ] || set -- $(names)
for name in "$@"; do
    patch=$(pwd)/tests/breaks/$name.patch
    command=$(field "$patch" 'Caught by')
    git -C "$copy" apply "$patch"
    printf '%-40s ' "$name"
    # What does not compile proves nothing.
    if ! (cd "$copy" && bash -c "${command%% -- *} --no-run") >target/breaks/log 2>&1; then
        echo 'does not compile:'
        tail -n 30 target/breaks/log
        missed+=("$name")
    elif (cd "$copy" && bash -c "$command") >target/breaks/log 2>&1; then
        echo "NOT NOTICED by $command"
        missed+=("$name")
    elif ! grep -q '^test result: FAILED\|^test .* FAILED' target/breaks/log; then
        echo 'the command fails, but no test of it does:'
        tail -n 30 target/breaks/log
        missed+=("$name")
    else
        echo noticed
    fi
    git -C "$copy" checkout --quiet .
    git -C "$copy" clean -fdq
done
if [ ${#missed[@]} -gt 0 ]; then
    echo "not noticed: ${missed[*]}" >&2
    exit 1
fi
echo "$# breaks, all noticed"
