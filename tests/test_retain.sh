#!/usr/bin/env bash
# The command line of `mapbench retain`: bad input gets one clear line and its exit code before anything runs; what a run
# leaves is whole and valid; bounds, time and memory that are exceeded show; maps do not corrupt the heap.
#   tests/test_retain.sh BUILD
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
build=$(realpath "${1:?usage: test_retain.sh BUILD}")
mapbench=$build/mapbench
python=${MAPBENCH_PYTHON:-/usr/bin/python3}
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh
missing="" folder=""

# expect CODE PATTERN ARGS...: what retain gives. Leaves a new run folder in $folder.
expect() {
    folder=$(mktemp -d -p "$scratch")
    gives "$1" "$2" "$mapbench" retain "${@:3}" --figures no --out "$folder"
}

# refused_run CODE PATTERN ARGS...: one line and nothing else, no lines measured.
refused_run() {
    expect "$@"
    [[ $(grep -c . "$scratch/output") == 1 ]] || fail "retain ${*:3}: more than a line: $(<"$scratch/output")"
    [[ ! -e $folder/retention.jsonl ]] || fail "retain ${*:3}: left a run"
}

# --- bad input ------------------------------------------------------------------------------------------------------

refused_run 2 "unknown scenario 'subslic': did you mean 'subslice'" subslic
refused_run 2 "unknown map 'go_hmapp': did you mean 'go_hmap'" subslice --maps go_hmapp
refused_run 2 "unknown map 'liner': did you mean 'linear'" subslice --maps go_hmap,liner
refused_run 2 "unknown heap 'gosimm': did you mean 'gosim'" subslice --heap gosimm
refused_run 2 "unknown release of Go '1.28': did you mean '1.27'" subslice --go 1.28
refused_run 2 "unknown release of Go '1.20': did you mean '1.23'" subslice --go 1.20
refused_run 2 "unknown release of Go 'swiss': there are 1.23, 1.24, 1.25, 1.26, 1.27" subslice --go swiss
refused_run 2 "--go takes one release of Go such as 1.24, not '1.24,1.27'" subslice --go 1.24,1.27
refused_run 2 "unknown engine 'go1.29': did you mean 'go1.2" subslice --engine go1.29
refused_run 2 "unknown variant 'fixd': did you mean 'fixed'" subslice --variant fixd
refused_run 2 "unknown option of retain 'mapz': did you mean 'maps'" subslice --mapz go_hmap
refused_run 2 "size 0 measures nothing" subslice --n 0
refused_run 2 "negative" subslice --n -5
refused_run 2 "--n takes one size" subslice --n 1k..2k
refused_run 2 "--seed 'x' is not a whole number above 0" subslice --seed x
refused_run 2 "--limit '0' is not a whole number above 0" subslice --limit 0
refused_run 2 "--assert takes no value" subslice --assert=yes
refused_run 6 "no case matches the selection" fork_cow --heap boehm
refused_run 6 "no case matches the selection" subslice --variant delete_all --maps go_hmap

# refused_plainly CODE PATTERN ARGS...: as above, for what stands in the way of --out itself.
refused_plainly() {
    gives "$1" "$2" "$mapbench" retain subslice_capped --maps go_hmap --figures no "${@:3}"
    [[ $(grep -c . "$scratch/output") == 1 ]] || fail "retain ${*:3}: more than a line: $(<"$scratch/output")"
}
refused_plainly 2 "--n needs a value" --n
refused_plainly 2 "--figures takes yes or no" --figures maybe
mkdir -p "$scratch/taken" "$scratch/half.partial" && echo mine >"$scratch/taken/file"
refused_plainly 2 "taken exists and is not an empty folder: choose another --out" --out "$scratch/taken"
refused_plainly 2 "half.partial is left of an interrupted run: remove it" --out "$scratch/half/"
refused_plainly 4 "cannot write .*none/junit.xml: No such file" --out "$scratch/new" --junit "$scratch/none/junit.xml"
refused_plainly 4 "cannot write snapshots to .*file: Not a directory" --out "$scratch/new" --snapshot "$scratch/taken/file"
[[ $(<"$scratch/taken/file") == mine && ! -e $scratch/new ]] || fail "a refused run touched what was there"

# --- what is there --------------------------------------------------------------------------------------------------

"$mapbench" list scenarios --json >"$scratch/scenarios.json" || fail "list scenarios --json"
"$python" -B - "$mapbench" "$scratch/scenarios.json" <<'PYTHON' || fail "list or explain"
import json, subprocess, sys
mapbench, scenarios = sys.argv[1], json.load(open(sys.argv[2]))
names = [scenario["name"] for scenario in scenarios]
numbers = {scenario["number"] for scenario in scenarios}
assert len(names) == len(set(names)), "a scenario is listed twice"
assert numbers >= set(range(1, 40)), f"not in the catalogue: {set(range(1, 40)) - numbers}"
plain = subprocess.run([mapbench, "list", "scenarios"], capture_output=True, text=True, check=True).stdout
for scenario in scenarios:
    assert scenario["available"] is True and scenario["summary"] and scenario["fix"], scenario
    assert f"{scenario['name']} " in plain, f"{scenario['name']} is not in the plain list"
    told = subprocess.run([mapbench, "explain", scenario["name"]], capture_output=True, text=True, check=True).stdout
    for part in (f"scenario {scenario['number']})", scenario["summary"], scenario["fix"], scenario["references"],
                 "  variant ", "  heaps ", "  n "):
        assert part in told, f"explain {scenario['name']}: no '{part}'"
PYTHON
"$mapbench" explain subslicee >"$scratch/output" 2>&1
status=$?
if [[ $status == 2 ]] && grep -q subslice "$scratch/output"; then pass; else fail "explain subslicee: $status, $(<"$scratch/output")"; fi

# --- variants and the folder that a run leaves ----------------------------------------------------------------------

# measured FIELD: the values of a field in the run, sorted, on one line.
measured() {
    "$python" -c 'import json, sys
print(*sorted({str(line[sys.argv[2]]) for line in map(json.loads, open(sys.argv[1])) if line["label"] != "verdict"}))' \
        "$folder/retention.jsonl" "$1"
}
expect 0 "subslice " subslice --maps go_hmap --n 1000 --variant fixed
[[ $(measured variant) == "append_copy make_copy" ]] || fail "--variant fixed ran $(measured variant)"
expect 0 "subslice " subslice --maps go_hmap --n 1000 --variant no_fix
[[ $(measured variant) == capped ]] || fail "--variant no_fix ran $(measured variant)"
expect 0 "subslice " subslice subslice_many --maps go_swiss,linear --n 1000 --variant leaky,append_copy --seed 7
[[ "$(measured map) $(measured n) $(measured seed)" == "go_swiss linear 1000 7" ]] || fail "--maps, --n or --seed not followed"
[[ $(measured role) == "fixed leaky" ]] || fail "--variant leaky,append_copy ran the roles $(measured role)"
[[ $(measured scenario) == "subslice subslice_many" ]] || fail "two scenarios named, ran $(measured scenario)"

# The seed decides the hash seeds of Go's maps, and so their overflow buckets and splits; nothing else does.
numbers() {
    "$python" -c 'import json, sys
for line in map(json.loads, open(sys.argv[1])):
    if line["label"] != "verdict" and line["map"] == sys.argv[2]:
        print(*(line[field] for field in ("label", "step", "heap_alloc", "heap_objects", "total_alloc", "mallocs", "heap_inuse")))' \
        "$folder/retention.jsonl" "$1" | md5sum
}
declare -A told
for run in 1 1again 2; do
    expect 0 "tombstones " tombstones --variant u64u64 --maps go_hmap,go_swiss@1.24 --n 3300 --seed "${run%again}"
    for map in go_hmap go_swiss@1.24; do told[$map$run]=$(numbers "$map"); done
done
for map in go_hmap go_swiss@1.24; do
    [[ ${told[${map}1]} == "${told[${map}1again]}" ]] || fail "two runs of $map with one seed differ"
    [[ ${told[${map}1]} != "${told[${map}2]}" ]] || fail "$map is the same with two seeds"
done
# Events: 6657 entries are one more than 1024 buckets of Go's classic map take, 6.5 each. What that one begins, insertions finish
# (of a fixed variant, overwriting does); at 13313 it begins again.
events() {
    "$python" -c 'import json, sys
print(*("{variant}/{label}:".format(**line) + event["what"] for line in map(json.loads, open(sys.argv[1]))
        for event in line.get("events") or []))' "$folder/retention.jsonl"
}
expect 0 "stalled_rehash " stalled_rehash --maps go_hmap --n 6657
wanted=""
for variant in insert tick; do
    begun="$variant/growth_started_then_idle" collected="$variant/after_reads_range_10gc:collect" writes="$variant/continue_writes"
    wanted+="$begun:grow $begun:evacuate "
    if [[ $variant == tick ]]; then wanted+="tick/ticked:evacuated $collected "; else wanted+="$collected $writes:evacuated "; fi
    wanted+="$writes:grow $writes:evacuate $writes:evacuated "
done
[[ "$(events) " == "$wanted" ]] || fail "events of stalled_rehash: $(events)"
expect 0 "fork_cow " fork_cow --variant leaky --n 1000
[[ $(events) == "flat/updates:fork flat/ended:child ended" ]] || fail "events of fork_cow: $(events)"

# Everything at a small size (less than 100 is too little for fork_cow): bounds hold, files are valid, JUnit's is XML that says the same.
expect 0 "unbounded_cache " --n 100 --assert --junit "$scratch/junit.xml"
PYTHONPATH=tests/support "$python" -B - "$folder" "$scratch/junit.xml" "$scratch/scenarios.json" <<'PYTHON'
import json, pathlib, sys, xml.etree.ElementTree
folder, schema = pathlib.Path(sys.argv[1]), json.load(open("results/schema.json"))
run = json.load(open(folder / "run.json"))
lines = [json.loads(line) for line in open(folder / "retention.jsonl")]
verdicts = [line for line in lines if line["label"] == "verdict"]
catalogue = {scenario["name"] for scenario in json.load(open(sys.argv[3]))}
assert {line["scenario"] for line in lines} == catalogue, "scenarios that left no line"
assert [s["name"] for s in run["scenarios"]] == [s["name"] for s in json.load(open(sys.argv[3]))]
for line in lines:
    if line["label"] not in ("verdict", "error"):
        assert line["semantic_live_bytes"] >= 0 and line["step"] >= 0 and line["error"] is None, line
cases = {}
for line in lines:
    if line["label"] != "verdict":
        key = [line[field] for field in ("scenario", "variant", "map", "heap", "engine")]
        cases.setdefault(str(key), []).append(line)
assert all(case[0]["label"] == "base" for case in cases.values()), "a case does not begin with its base"
left_out = [entry for entry in run["skipped_cases"] if entry["scenario"] == "interface_key"]
assert {(entry["map"], entry["heap"]) for entry in left_out} >= {("linear", "gosim"), ("dense", "gosim")}, left_out
suite = xml.etree.ElementTree.parse(sys.argv[2]).getroot()
assert int(suite.get("tests")) == len(suite) == len(verdicts), "JUnit has another number of verdicts"
assert suite.get("failures") == suite.get("errors") == "0" and not suite.findall(".//failure"), "JUnit has failures"
skipped = sum(verdict["passed"] is None for verdict in verdicts)
assert len(suite.findall(".//skipped")) == skipped < len(verdicts) / 2, f"{skipped} of {len(verdicts)} without a verdict"
try:
    import validate_run
except ImportError as missing:
    print(f"run.json and retention.jsonl not checked against the schema: {missing}")
    sys.exit(77)
faults = validate_run.faults(folder)
checker = validate_run.validator("retention")
for number, line in enumerate(lines, 1):
    faults += validate_run.faults_of(line, checker, f"retention.jsonl:{number}")
assert not faults, "\n".join(faults[:5])
PYTHON
case $? in
0) pass ;;
77) missing+=" jsonschema (make deps-test: python3-jsonschema)" ;;
*) fail "the run folder or JUnit file" ;;
esac

# --- what is exceeded -----------------------------------------------------------------------------------------------

# An engine whose clear(m) keeps $KEPT bytes: the bound of pointer_value's fixes is 96 bytes a key and 16 KiB.
mkdir "$scratch/engines"
cat >"$scratch/engines/go1.24" <<'ENGINE'
#!/usr/bin/env bash
[[ $2 == list ]] && exec echo '{"scenario":"pointer_value","variant":"clear"}'
for point in base:0 "after:$KEPT"; do
    echo "{\"scenario\":\"$2\",\"variant\":\"$3\",\"map\":\"real_go_swiss\",\"heap\":\"go_gc\",\"engine\":\"go1.24-fake\",\"n\":$4," \
        "\"label\":\"${point%:*}\",\"step\":$4,\"semantic_live_bytes\":0,\"d_heap_alloc\":${point#*:}}"
done
ENGINE
chmod +x "$scratch/engines/go1.24"
export MAPBENCH_ENGINES=$scratch/engines KEPT=$((96 * 100000 + 16384))
cleared=(pointer_value --variant clear --engine go1.24 --n 100000)
expect 0 "pointer_value " "${cleared[@]}" --assert
KEPT=$((KEPT + 1))
expect 1 "clear keeps more than its bound of 9.62 MB" "${cleared[@]}" --assert --junit "$scratch/junit.xml"
"$python" -c 'import sys, xml.etree.ElementTree
suite = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
assert suite.get("failures") == "1" and "clear keeps " in suite.find(".//failure").get("message")' \
    "$scratch/junit.xml" || fail "JUnit of a failed bound: $(<"$scratch/junit.xml")"
expect 0 "clear keeps more than its bound" "${cleared[@]}"
[[ $("$python" -c 'import json, sys
print(*(line["n"] for line in map(json.loads, open(sys.argv[1])) if line["label"] == "verdict"))' \
    "$folder/retention.jsonl") == 100000 ]] || fail "a verdict does not say n"
# One of another release than its name says is refused; one of a release that the ports do not have is marked.
cp "$scratch/engines/go1.24" "$scratch/engines/go1.26"
expect 4 "it was built with go1.24-fake, not with go1.26: build it again" pointer_value --variant clear --engine go1.26 --n 1000
sed 's/go1.24-fake/go1.28-fake/' "$scratch/engines/go1.24" >"$scratch/engines/go1.28"
chmod +x "$scratch/engines/go1.28"
expect 0 "pointer_value " pointer_value --variant clear --engine go1.28 --n 100000
grep -q '"engine": *"go1.28-fake (port not checked against this release)"' "$folder/retention.jsonl" ||
    fail "a newer engine's lines are not marked: $(head -n 1 "$folder/retention.jsonl")"
unset MAPBENCH_ENGINES KEPT

# Where nothing is live the bound is for the table that stays: the largest for its entries just after it has doubled, at
# loads of 3/4, 7/8 and Go's 6.5 of 8.
for n in 769 3585 3329; do
    expect 0 "map_of_maps " pointer_value delete_leaves_value inline_cliff map_of_maps syncmap_deleted weak_values weak_key_cycle \
        --heap gosim --variant fixed --n "$n" --assert
done

# ended_with_error REASON: lines of the case as far as it came, and then its error; others of the run are whole.
ended_with_error() {
    "$python" -c 'import json, sys
lines = [line for line in map(json.loads, open(sys.argv[1])) if line["label"] != "verdict"]
assert lines[0]["label"] == "base" and lines[0]["error"] is None, lines[0]
assert lines[-1]["label"] == "error" and sys.argv[2] in lines[-1]["error"], lines[-1]' "$folder/retention.jsonl" "$1" ||
        fail "no error line '$1' after the others"
}
expect 4 "subslice leaky, go_hmap, gosim, Go 1.23: out of memory" subslice --variant leaky --maps go_hmap --n 64g \
    --junit "$scratch/junit.xml"
ended_with_error "out of memory"
"$python" -c 'import sys, xml.etree.ElementTree
suite = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
assert suite.get("errors") == "1" and "out of memory" in suite.find(".//error").get("message")' \
    "$scratch/junit.xml" || fail "JUnit of a case out of memory: $(<"$scratch/junit.xml")"
expect 4 "tombstones_long u64u64, go_hmap, gosim, Go 1.23: gave up after 1 s \(--limit\)" tombstones_long --maps go_hmap --n 4m --limit 1
ended_with_error "gave up after 1 s"

# The kernel ends the largest process when memory runs out: here it is ended by hand, once it has begun to fill its map.
folder=$(mktemp -d -p "$scratch")
"$mapbench" retain tombstones_long --variant u64u64 --maps go_hmap --n 64m --figures no --out "$folder" >"$scratch/killed" 2>&1 &
retain=$! child=""
while [[ -d /proc/$retain && $(cat "/proc/$child/comm" "/proc/$child/oom_score_adj" 2>/dev/null) != $'mapbench\n1000' ]]; do
    sleep 0.05
    read -r child < <(cat "/proc/$retain/task/$retain/children" 2>/dev/null)
done
kill -KILL "$child"
wait "$retain"
code=$?
[[ $code == 4 ]] || fail "retain whose case was killed: exit $code: $(<"$scratch/killed")"
grep -q "go_hmap, gosim, Go 1.23: ended by SIGKILL, for want of memory as a rule: .* are available here" "$scratch/killed" ||
    fail "retain whose case was killed: $(<"$scratch/killed")"

# --- snapshots ------------------------------------------------------------------------------------------------------

expect 0 "substring_key " substring_key --variant leaky --maps go_hmap --n 16 --snapshot "$scratch/graphs"
stem=$scratch/graphs/substring_key-leaky-go_hmap@1.23-fill-16
for ending in pb.gz heapsnapshot jsonl dot; do
    if [[ -s $stem.$ending ]]; then pass; else fail "--snapshot left no $stem.$ending: $(ls "$scratch/graphs")"; fi
done
[[ $(find "$scratch/graphs" -type f | wc -l) == 4 ]] || fail "--snapshot left $(ls "$scratch/graphs")"
"$python" -c 'import json, sys; json.load(open(sys.argv[1] + ".heapsnapshot")); list(map(json.loads, open(sys.argv[1] + ".jsonl")))' \
    "$stem" || fail "a snapshot that is not JSON"
if go=$(setup/go.sh find 1.24 || setup/go.sh find 1.23); then
    # 16 documents of 64 KiB, held by keys cut from them.
    HOME=$scratch PPROF_TMPDIR=$scratch "$go" tool pprof -unit=B -top "$stem.pb.gz" >"$scratch/top" 2>&1
    if grep -qE '^ *1048576B .*\[\]byte' "$scratch/top"; then pass; else fail "go tool pprof -top: $(<"$scratch/top")"; fi
else
    missing+=" go (make engines)"
fi

# Elsewhere than at the verdict, and the difference of two checkpoints.
for wrong in "--snapshot-at fil" "--snapshot-diff fil,after" "--snapshot-diff base,fil"; do
    # shellcheck disable=SC2086 # two words
    refused_run 2 "unknown checkpoint 'fil': did you mean 'fill'" pointer_value --snapshot "$scratch/none" $wrong
done
refused_run 2 "unknown checkpoint 'deleted'" pointer_value --snapshot "$scratch/none" --snapshot-at deleted
refused_run 2 "--snapshot-at needs --snapshot DIR" pointer_value --snapshot-at all
refused_run 2 "--snapshot-diff needs --snapshot DIR" pointer_value --snapshot-diff base,fill
for wrong in fill "fill," fill,fill base,fill,after; do
    refused_run 2 "--snapshot-diff takes two different labels" pointer_value --snapshot "$scratch/none" --snapshot-diff "$wrong"
done
[[ ! -e $scratch/none ]] || fail "a refused run made $scratch/none"

# stems: label and step of the snapshots that a run left in $scratch/points, and their number of files.
stems() {
    find "$scratch/points" -type f -printf '%f\n' | sed -n 's/^pointer_value-leaky-go_hmap@1.23-\([a-z]*-[0-9]*\)\..*/\1/p' | sort -V | uniq -c |
        awk '{printf "%s%s:%d", (NR > 1 ? " " : ""), $2, $1}'
    rm -rf "$scratch/points"
}
points=(pointer_value --variant leaky --maps go_hmap --n 16 --snapshot "$scratch/points")
expect 0 "pointer_value " "${points[@]}" --snapshot-at base,verdict
[[ $(stems) == "after-16:4 base-0:4" ]] || fail "--snapshot-at base,verdict: other files"
expect 0 "pointer_value " "${points[@]}" --snapshot-at all
[[ $(stems) == "after-16:4 base-0:4 fill-2:4 fill-4:4 fill-6:4 fill-8:4 fill-10:4 fill-12:4 fill-14:4 fill-16:4" ]] ||
    fail "--snapshot-at all: other files"

# 16 values of 1,152 bytes (the class of 1,032) and keys of 16 came; the table and the rest of what came stays.
expect 0 "^  removed +-16 +-18.0 KiB +-18.0 KiB  global users -> hmap.buckets -> bmap.value -> User" \
    pointer_value --variant delete_all --maps go_hmap --n 16 --snapshot "$scratch/graphs" --snapshot-diff fill,after
difference=$scratch/graphs/pointer_value-delete_all-go_hmap@1.23-fill-16-after-16.diff
"$python" - "$difference" <<'PYTHON' || fail "the files of --snapshot-diff"
import json, sys
head, *changes = map(json.loads, open(sys.argv[1] + ".jsonl"))
assert (head["kind"], head["scenario"], head["n"], head["seed"]) == ("case", "pointer_value", 16, 1), head
assert (head["from"]["label"], head["to"]["label"], head["objects_gone"], head["objects_new"]) == ("fill", "after", 32, 0), head
paths = [change for change in changes if change["kind"] == "path"]
for what in "objects", "bytes":
    whole = head["to"][what] - head["from"][what]
    assert whole == sum(change[f"{what}_after"] - change[f"{what}_before"] for change in paths), what
text = open(sys.argv[1] + ".txt").read()
assert all(change["path"] in text and change["change"] == "removed" for change in paths) and len(paths) == 2, text
PYTHON
expect 0 "^  added .* global users -> maps.Map.dirPtr -> \[\]\*maps.table -> maps.table.groups.data -> map.group.value -> User" \
    pointer_value --variant leaky --maps go_swiss --n 100 --snapshot "$scratch/graphs" --snapshot-diff base,fill
expect 0 "no difference of substring_key: its checkpoints are base fill dropped" \
    substring_key pointer_value --variant leaky --maps go_hmap --n 16 --snapshot "$scratch/graphs" --snapshot-diff fill,after

# --- releases of Go -------------------------------------------------------------------------------------------------

# releases_are EXPECTED: of the run in $folder, "MAP HEAP RELEASE", each once.
releases_are() {
    local got
    got=$("$python" -c 'import json, sys
lines = [json.loads(text) for text in open(sys.argv[1])]
print(*sorted({"{map} {heap} {release}".format(**line) for line in lines}), sep=", ")' "$folder/retention.jsonl")
    [[ $got == "$1" ]] || fail "releases of Go in the lines: $got, expected $1"
}
# A port's own, or that of --go, which no port takes. An alias whose release differs in the collector only is a case too; on a
# heap that is not Go's it is not.
expect 0 "unbounded_cache +go_swiss@1.26 on gosim" unbounded_cache --n 100 --go 1.25 \
    --maps linear,go_hmap,go_hmap@1.23,go_swiss@1.24,go_swiss@1.26,go_swiss
releases_are "go_hmap gosim 1.23, go_swiss gosim 1.27, go_swiss@1.24 gosim 1.24, go_swiss@1.26 gosim 1.26, linear gosim 1.25"
expect 0 "unbounded_cache +go_swiss@1.26 on gosim" unbounded_cache --n 100 --releases 1.25,1.26
releases_are "go_swiss@1.25 gosim 1.25, go_swiss@1.26 gosim 1.26"
expect 0 "pool_keeps_giants +- on gosim" pool_keeps_giants --n 100 --heap gosim,boehm
releases_are "None boehm None, None gosim 1.27"
expect 0 "pool_keeps_giants +- on gosim" pool_keeps_giants --n 100 --heap gosim,boehm --go 1.24
releases_are "None boehm None, None gosim 1.24"
expect 0 "header_cache +linear on gosim" header_cache --n 10 --maps linear --variant leaky
releases_are "linear gosim 1.27"

# --- the heap under every map ---------------------------------------------------------------------------------------

expect 0 "unbounded_cache " --heap gosim --n 100 --check --limit 100

finish || exit 1
[[ -z $missing ]] || { echo "not tried, not found:$missing"; exit 77; }
