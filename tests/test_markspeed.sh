#!/usr/bin/env bash
# The real-Go engine's markspeed, which make bench-gosim compares with: its answer, bad input. usage: test_markspeed.sh BUILD
set -u
engines=${1:?usage: test_markspeed.sh BUILD}/engines
tried=0
# shellcheck source=tests/support/shell_tools.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")"/support/shell_tools.sh
for engine in "$engines"/go1.23 "$engines"/go1.24; do
    [ -x "$engine" ] || continue
    for graph in list tree; do
        tried=$((tried + 1))
        answer=$("$engine" retain markspeed $graph 200000) || fail "$engine: $graph: exit code $?"
        "${MAPBENCH_PYTHON:-/usr/bin/python3}" - "$answer" $graph <<'PY' || fail "$engine: $graph: $answer"
import json, sys
answer = json.loads(sys.argv[1])
assert answer["graph"] == sys.argv[2] and answer["n"] == 200000 and answer["engine"].startswith("go1.")
# All are alive at the end, and hardly anything else is: the tree's list of nodes is gone.
assert 200000 <= answer["heap_objects"] < 203000, answer["heap_objects"]
# 200,000 nodes are 4.8 MB: no memory hands them over in a tenth of a millisecond.
assert 0.1 < answer["best_ms"] < 2000 and answer["cpu_ms"] > 0.1 and answer["procs"] >= 1
PY
    done
    for words in "" "queue" "list 0" "list x" "list 1 2"; do
        # shellcheck disable=SC2086 # several words
        "$engine" retain markspeed $words >/dev/null 2>&1
        status=$?
        [ $status = 2 ] || fail "$engine: markspeed $words: exit code $status, expected 2"
    done
done
[ $tried -gt 0 ] || { echo "no real-Go engine in $engines: make engines"; exit 77; }
[[ $failed == 0 ]] && echo "markspeed: all passed"
