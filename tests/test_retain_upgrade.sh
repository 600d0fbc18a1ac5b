#!/usr/bin/env bash
# `mapbench retain` and releases of Go: what --upgrade says of two of them, and refuses; what explain, list, JUnit, snapshots and
# the table say of the release of each case.
#   tests/test_retain_upgrade.sh BUILD
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
build=$(realpath "${1:?usage: test_retain_upgrade.sh BUILD}")
mapbench=$build/mapbench
python=${MAPBENCH_PYTHON:-/usr/bin/python3}
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh
folder=""

# expect CODE PATTERN ARGS...: what retain gives. Leaves a new run folder in $folder.
expect() {
    folder=$(mktemp -d -p "$scratch")
    gives "$1" "$2" "$mapbench" retain "${@:3}" --figures no --out "$folder"
}

# refused_run PATTERN ARGS...: exit 2, one line and nothing else, no lines measured.
refused_run() {
    expect 2 "$@"
    [[ $(grep -c . "$scratch/output") == 1 ]] || fail "retain ${*:2}: more than a line: $(<"$scratch/output")"
    [[ ! -e $folder/retention.jsonl ]] || fail "retain ${*:2}: left a run"
}

# prints PATTERN: the last output has it.
prints() { grep -qE -e "$1" "$scratch/output" || fail "not printed: $1 in: $(<"$scratch/output")"; }
prints_not() { ! grep -qE -e "$1" "$scratch/output" || fail "printed: $1 in: $(<"$scratch/output")"; }

# --- bad input ------------------------------------------------------------------------------------------------------

two="--upgrade takes two releases of Go such as 1.24,1.27, not"
refused_run "$two '1.24'" clone --upgrade 1.24
refused_run "$two '1.24,1.26,1.27'" clone --upgrade 1.24,1.26,1.27
refused_run "$two ',1.27'" clone --upgrade ,1.27
refused_run "$two '1.27,'" clone --upgrade 1.27,
refused_run "unknown release of Go '1.28': did you mean '1.27'" clone --upgrade 1.24,1.28
refused_run "unknown release of Go '1.22': did you mean '1.23'" clone --upgrade 1.22,1.27
refused_run "unknown release of Go 'newest': there are 1.23, 1.24, 1.25, 1.26, 1.27" clone --upgrade 1.24,newest
refused_run "--upgrade takes two different releases, not '1.25,1.25'" clone --upgrade 1.25,1.25
refused_run "there is no go_swiss in Go 1.23: its map is go_hmap" clone --upgrade 1.23,1.24 --maps go_swiss
refused_run "there is no go_hmap in Go 1.27: its map is go_swiss" clone --upgrade 1.23,1.27 --maps go_hmap
refused_run "--upgrade compares releases of one of Go's maps, such as --maps go_swiss, not 'linear'" \
    clone --upgrade 1.24,1.27 --maps linear
refused_run "such as --maps go_swiss, not 'go_swiss,go_hmap'" clone --upgrade 1.24,1.27 --maps go_swiss,go_hmap
refused_run "--upgrade goes without --releases" clone --upgrade 1.24,1.27 --releases 1.24
refused_run "--upgrade goes without --assert" clone --upgrade 1.24,1.27 --assert
refused_run "unknown scenario 'clon': did you mean 'clone'" clon --upgrade 1.24,1.27

# --- what differs ---------------------------------------------------------------------------------------------------

# Only what differs is printed; the folder has every variant of both.
expect 0 "^clone +clone \(leaky\) +go_swiss on gosim +376 B +2.36 MB +new +affected from 1.25, not fixed up to 1.27$" \
    clone small_overwrite subslice_many --upgrade 1.24,1.27
prints "^small_overwrite +u64 \(leaky\) +go_swiss on gosim +1.84 MB +0 B +gone +affected from 1.24, fixed in 1.27$"
prints "^2 of 10 variants keep something else in Go 1.27 than in Go 1.24;"
prints_not "^subslice_many|loop|held by"
"$python" -B - "$folder" <<'PYTHON' || fail "upgrade.json"
import json, sys
lines = json.load(open(sys.argv[1] + "/upgrade.json"))
by = {(line["scenario"], line["variant"]): line for line in lines}
assert len(lines) == len(by) == 10, sorted(by)
assert {key for key, line in by.items() if line["differs"]} == {("clone", "clone"), ("small_overwrite", "u64")}
clone = by["clone", "clone"]
assert (clone["bytes_from"], clone["bytes_to"], clone["change_bytes"]) == (376, 2364592, 2364592 - 376), clone
assert (clone["map_from"], clone["map_to"], clone["from"], clone["to"]) == ("go_swiss@1.24", "go_swiss", "1.24", "1.27")
assert (clone["affected_from"], clone["fixed_in"]) == ("1.25", None)
assert by["small_overwrite", "u64"]["bytes_from"] == 1_840_000 and by["small_overwrite", "u64"]["bytes_to"] == 0
PYTHON
# The other way round, and one that changed nothing here.
expect 0 "^clone +clone \(leaky\) +go_swiss on gosim +2.36 MB +376 B +-100 %" clone --upgrade 1.27,1.24
expect 0 "^0 of 3 variants keep something else in Go 1.26 than in Go 1.25;" clone --upgrade 1.25,1.26
# Where the map itself is another.
expect 0 "^growth_peak +growing \(leaky\) +go_hmap -> go_swiss on gosim +7.90 MB +2.36 MB +-70 % +fixed in 1.24$" \
    growth_peak --upgrade 1.23,1.24
# Scenarios without a map differ in the collector; a map that is named leaves them out.
expect 0 "of [0-9]+ variants keep something else" log_fields --upgrade 1.24,1.27
expect 6 "no case matches" log_fields --upgrade 1.24,1.27 --maps go_swiss

# --- releases of cases ----------------------------------------------------------------------------------------------

"$mapbench" list scenarios --json >"$scratch/scenarios.json" || fail "list scenarios --json"
"$python" -B - "$scratch/scenarios.json" <<'PYTHON' || fail "statements of list scenarios"
import json, sys
says = {(s["name"], v["name"]): v for s in json.load(open(sys.argv[1])) for v in s["variants"]}
every = ["1.23", "1.24", "1.25", "1.26", "1.27"]
expected = {("churn_kinds", "u64"): ["1.23", "1.24"], ("churn_kinds", "struct"): every, ("churn_kinds", "ptr"): every[:4],
            ("churn_kinds", "struct_remake"): [], ("clone", "clone"): every[2:], ("delete_clear", "clear"): every[:2],
            ("small_overwrite", "u64"): ["1.24", "1.25", "1.26"], ("tombstones", "u64u64"): ["1.24"],
            ("delete_leaves_value", "plain"): [], ("subslice", "leaky"): every, ("fragmentation", "random"): []}
for key, releases in expected.items():
    if key in says:
        assert says[key]["affected_in"] == releases, (key, says[key])
assert len(expected.keys() & says.keys()) >= 10, sorted(says)
PYTHON
gives 0 "variant +ptr \(leaky\): keys are pointers; in Go fixed in 1.27" "$mapbench" explain churn_kinds
prints "variant +struct_text \(fixed\): .*; in Go helps from 1.25"
prints "variant +struct \(leaky\): .*; in Go not fixed up to 1.27"

expect 0 "^clone +go_swiss@1.24 on gosim +1.24 +376 B .* not affected before 1.25 +Copy the entries" \
    clone --releases 1.23,1.24,1.26,1.27 --junit "$scratch/junit.xml" --snapshot "$scratch/graphs"
prints "^clone +go_swiss@1.26 on gosim +1.26 +2.36 MB .* not fixed up to 1.27 +Copy the entries"
prints "^clone +go_hmap on gosim +1.23 "
for place in "go_hmap on gosim (c, Go 1.23)" "go_swiss@1.26 on gosim (c, Go 1.26)" "go_swiss on gosim (c, Go 1.27)"; do
    grep -qF "name=\"$place\"" "$scratch/junit.xml" || fail "JUnit does not name $place"
done
for place in go_hmap@1.23 go_swiss@1.24 go_swiss@1.26 go_swiss@1.27; do
    [[ -e $scratch/graphs/clone-loop-$place-copied-10.jsonl ]] || fail "no snapshot of $place: $(ls "$scratch/graphs")"
done
# A bound is judged by the release: what 1.25 has fixed must be within it, what 1.24 has not need not.
expect 0 "^delete_clear +go_swiss@1.24 " delete_clear --releases 1.24,1.25 --assert
prints_not "keeps more than its bound"

finish
