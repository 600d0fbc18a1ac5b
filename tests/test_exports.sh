#!/usr/bin/env bash
# Snapshot files opened by the programs they are for: go tool pprof, Chrome's developer tools, Graphviz; and read by
# tests/support/exports_check.py, which works everything out again.
#   tests/test_exports.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh
"$build/tests/test_exports" "$scratch"
python=$(command -v python3 || true)
[[ $python ]] || { echo "python3 is not installed"; exit 77; }
missing=""

PYTHONPATH=tests/support "$python" -B tests/support/exports_check.py "$scratch" || fail "exports_check.py"

# go tool pprof comes with every Go; since 1.25 it is built when it is first asked for, and kept in the compiler's cache.
go=$(setup/go.sh find 1.24 1.23 1.27 1.26 1.25 || command -v go || true)
if [[ $go ]]; then
    mkdir -p "$build/engines/work/cache"
    GOCACHE=$(realpath "$build/engines/work/cache")
    export HOME=$scratch PPROF_TMPDIR=$scratch GOCACHE GOTOOLCHAIN=local GOPROXY=off
    for name in hand random capped; do
        "$go" tool pprof -top "$scratch/$name.pb.gz" >"$scratch/top" 2>"$scratch/errors" || fail "pprof -top $name: $(<"$scratch/errors")"
        grep -q '^Type: inuse_space$' "$scratch/top" || fail "pprof -top $name: not inuse_space by default"
        for index in inuse_objects retained; do
            "$go" tool pprof -sample_index=$index -nodecount=1000000 -nodefraction=0 -unit=B -top "$scratch/$name.pb.gz" \
                >"$scratch/top" 2>"$scratch/errors" || fail "pprof -sample_index=$index $name: $(<"$scratch/errors")"
            grep -q "^Type: $index\$" "$scratch/top" || fail "pprof -sample_index=$index $name: $(head -n 1 "$scratch/top")"
        done
        cp "$scratch/top" "$scratch/$name.retained"
    done
    # Worked out in snapshot_support.h: frame, flat bytes retained.
    while read -r frame bytes; do
        got=$(awk -v frame="$frame" '{ name = $6; for (i = 7; i <= NF; i++) name = name "_" $i } name == frame { print $1 }' "$scratch/hand.retained")
        [[ $got == "${bytes}B" ]] || fail "retained by $frame: $got, expected ${bytes}B"
    done <<<$'global_cache 67760\nhmap 67760\n[]bmap 67712\n[]byte 65536\nnode 24000\nentry 96'
    "$go" tool pprof -traces "$scratch/hand.pb.gz" 2>/dev/null | tr -s ' ' '\n' | tr '\n' ' ' |
        grep -q 'hmap.buckets global cache' || fail "pprof -traces hand: no path to the root"
else
    missing+=" go (make engines)"
fi

if command -v dot >/dev/null; then
    for name in hand random capped; do
        dot -Tsvg "$scratch/$name.dot" -o "$scratch/$name.svg" || fail "dot $name"
        grep -q retains "$scratch/$name.svg" || fail "dot $name: no labels"
    done
else
    echo "no dot here (make deps-test: graphviz): the .dot files were not drawn"
fi

if command -v chromium >/dev/null || command -v google-chrome >/dev/null; then
    PYTHONPATH=tests/support "$python" -B tests/support/exports_check.py --chromium "$scratch" || fail "exports_check.py --chromium"
else
    missing+=" chromium (make deps-test: chromium)"
fi

[[ $failed == 0 ]] || exit 1
[[ -z $missing ]] || { echo "not tried, not found:$missing"; exit 77; }
