#!/usr/bin/env bash
# The counting gate against its promises, on every map it counts: two runs of one build agree in every number, one more
# instruction in each lookup is caught in every map, and moving the program by an edit elsewhere alarms nobody. Minutes:
# no test, run by hand (make bench-gate). usage: trial_gate.sh BUILD
#
# shellcheck disable=SC2317
# (functions are called by promise)
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
build=${1:?usage: trial_gate.sh BUILD}
build=$(realpath --relative-to=. "$build")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# shellcheck source=tests/mutants/program.sh
source tests/mutants/program.sh
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BUILD
failed=0
python=${MAPBENCH_PYTHON:-/usr/bin/python3}

# promise WHAT COMMAND...: prints how long it took.
promise() {
    local what=$1 start=$SECONDS
    shift
    if "$@" >"$scratch/out" 2>&1; then
        printf 'ok    %4d s  %s\n' $((SECONDS - start)) "$what"
    else
        printf 'FAIL  %4d s  %s\n' $((SECONDS - start)) "$what"
        sed 's/^/    | /' "$scratch/out"
        failed=1
    fi
}
# shellcheck disable=SC2329 # an argument of what checks
exits() { # CODE COMMAND...
    local wanted=$1 got=0
    shift
    "$@" || got=$?
    [[ $got == "$wanted" ]]
}

promise "the baseline of this build" "$build/mapbench" gate count --baseline "$scratch/base.json" --update
promise "a second run agrees in every number" "$build/mapbench" gate count --baseline "$scratch/base.json" --exact

mapfile -t units < <(PYTHONPATH=. "$python" -B -c '
import json, sys
from judge.gate.baseline import KEY_WORDS
cells = [dict(zip(KEY_WORDS, key.split("/"))) for key in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]]
for unit in sorted({"-".join(cell[word] for word in ("map", "shape", "hash", "heap")) for cell in cells}): print(unit)' "$scratch/base.json")
# A line of assembly may change what the compiler makes of the loop around it, even for the better. So the program with one
# instruction more is compared with one that has a comment in its place, which changes as much and takes no instruction.
overlay comment harness/unit/loops.inc "$(in_lookups '# lookup')" && overlay nop harness/unit/loops.inc "$(in_lookups nop)" || exit 1
promise "a program with a mark in every lookup, ${#units[@]} units" program comment "$scratch/comment.include" "${units[@]}"
promise "a program with one instruction more there" program nop "$scratch/nop.include" "${units[@]}"
few=(--workloads "get,get_miss,scan,put_grow")
promise "the baseline of the first" gate_of "$scratch/comment/mapbench" "${few[@]}" --baseline "$scratch/comment.json" --update
promise "the second is stopped" exits 3 gate_of "$scratch/nop/mapbench" "${few[@]}" --baseline "$scratch/comment.json" --json "$scratch/nop.json"
promise "in lookups of every map, and in nothing else" "$python" - "$scratch/nop.json" "${#units[@]}" <<'PY'
import json, sys
cells = json.load(open(sys.argv[1], encoding="utf-8"))["cells"]
lookups = [c for c in cells if c["workload"] in ("get", "get_miss")]
assert len(lookups) == 2 * int(sys.argv[2]), len(lookups)
unseen = [(c["map"], c["shape"], c["workload"]) for c in lookups if c["verdict"] != "more"]
assert not unseen, unseen
others = [(c["map"], c["shape"], c["workload"], c["changes"]) for c in cells if c not in lookups and c["verdict"] != "same"]
assert not others, others
growth = [change["now"] - change["base"] for c in lookups for change in c["changes"] if change["what"] == "instructions"]
print(f"instructions per lookup: {min(growth):+.3f} to {max(growth):+.3f} in {len(growth)} cells")
# Not less than one; more where the compiler, which does not know that a comment takes no room, chose another layout for it.
assert len(growth) == len(lookups) and min(growth) > 1 - 1e-6, growth
PY
cat "$scratch/out"

# The program moved: code and data of its own in front of everything.
cat >"$scratch/pad.c" <<'C'
int padding_data[3001] = {1};
__attribute__((used)) void padding(void) { __asm__ volatile(".skip 12345, 0x90"); }
C
# shellcheck disable=SC2329 # an argument of what checks
moved() {
    mkdir -p "$scratch/moved" && "${CC:-gcc}" -c "$scratch/pad.c" -o "$scratch/pad.o" || return 1
    local link
    link=$(make_says "$build/units/${units[0]}.o" "$build/mapbench") || return 1
    link=${link/ -rdynamic / -rdynamic $scratch/pad.o }
    bash -c "${link/-o $build\/mapbench/-o $scratch/moved/mapbench}" && ln -s "$(realpath "$build/libmemcount.so")" "$scratch/moved/libmemcount.so"
}
promise "the program, moved by 12 kB" moved
promise "it passes" gate_of "$scratch/moved/mapbench" --baseline "$scratch/base.json" --json "$scratch/moved.json"
"$python" - "$scratch/moved.json" "$scratch/base.json" <<'PY'
import json, sys
cells, base = (json.load(open(path, encoding="utf-8"))["cells"] for path in sys.argv[1:3])
for what in ("instructions", "d1_misses", "ll_misses", "mispredicts"):
    worst = (0, 0, "")
    for c in cells:
        key = "/".join(str(c[word]) for word in ("map", "shape", "workload", "keys", "n", "hash", "heap"))
        before = base[key][what]
        apart = abs(c["counts"][what] - before)
        worst = max(worst, (apart / c["ops"], 100 * apart / before if before else 0, key))
    print(f"moved: {what} by {worst[0]:.5f} per operation at most ({worst[1]:.2f} %, {worst[2]})")
PY
exit $failed
