#!/usr/bin/env bash
# The command line of `mapbench retain`: bad input gets one clear line and its exit code before anything runs; what a run
# leaves is whole and valid; bounds, time and memory that are exceeded show; maps do not corrupt the heap.
#   tests/test_retain.sh BUILD
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
build=$(realpath "${1:?usage: test_retain.sh BUILD}")
mapbench=$build/mapbench
python=${MAPBENCH_PYTHON:-/usr/bin/python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0 passed=0 missing="" folder=""

fail() {
    printf 'FAILED: %s\n' "$*"
    failed=$((failed + 1))
}
pass() { passed=$((passed + 1)); }

# expect CODE PATTERN ARGS...: the exit code, and a line of the output that matches. Leaves a new run folder in $folder.
expect() {
    local code=$1 pattern=$2 got
    shift 2
    folder=$(mktemp -d -p "$scratch")
    "$mapbench" retain "$@" --figures no --out "$folder" >"$scratch/output" 2>&1
    got=$?
    if [[ $got -ne $code ]]; then
        fail "retain $*: exit $got, expected $code: $(tail -n 5 "$scratch/output")"
    elif ! grep -qE -- "$pattern" "$scratch/output"; then
        fail "retain $*: nothing matches '$pattern' in: $(tail -n 5 "$scratch/output")"
    else
        pass
    fi
}

# refused CODE PATTERN ARGS...: one line and nothing else, no lines measured.
refused() {
    expect "$@"
    [[ $(grep -c . "$scratch/output") == 1 ]] || fail "retain ${*:3}: more than a line: $(<"$scratch/output")"
    [[ ! -e $folder/retention.jsonl ]] || fail "retain ${*:3}: left a run"
}

# --- bad input ------------------------------------------------------------------------------------------------------

refused 2 "unknown scenario 'subslic': did you mean 'subslice'" subslic
refused 2 "unknown map 'go_hmapp': did you mean 'go_hmap'" subslice --maps go_hmapp
refused 2 "unknown map 'liner': did you mean 'linear'" subslice --maps go_hmap,liner
refused 2 "unknown heap 'gosimm': did you mean 'gosim'" subslice --heap gosimm
refused 2 "unknown engine 'go1.25': did you mean 'go1.2" subslice --engine go1.25
refused 2 "unknown variant 'fixd': did you mean 'fixed'" subslice --variant fixd
refused 2 "unknown option of retain 'mapz': did you mean 'maps'" subslice --mapz go_hmap
refused 2 "size 0 measures nothing" subslice --n 0
refused 2 "negative" subslice --n -5
refused 2 "--n takes one size" subslice --n 1k..2k
refused 2 "--seed 'x' is not a whole number above 0" subslice --seed x
refused 2 "--limit '0' is not a whole number above 0" subslice --limit 0
refused 2 "--assert takes no value" subslice --assert=yes
refused 6 "no case matches the selection" fork_cow --heap boehm
refused 6 "no case matches the selection" subslice --variant delete_all --maps go_hmap

# refused_plainly CODE PATTERN ARGS...: as above, for what stands in the way of --out itself.
refused_plainly() {
    local code=$1 pattern=$2 got
    shift 2
    "$mapbench" retain subslice_capped --maps go_hmap --figures no "$@" >"$scratch/output" 2>&1
    got=$?
    if [[ $got == "$code" && $(grep -c . "$scratch/output") == 1 ]] && grep -qE -- "$pattern" "$scratch/output"; then
        pass
    else
        fail "retain $*: exit $got, expected $code and '$pattern': $(<"$scratch/output")"
    fi
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

# Everything at a small size (less than 100 is too little for fork_cow): bounds hold, files are valid, JUnit's is XML that says the same.
expect 0 "unbounded_cache " --n 100 --assert --junit "$scratch/junit.xml"
PYTHONPATH=tests "$python" -B - "$folder" "$scratch/junit.xml" "$scratch/scenarios.json" <<'PYTHON'
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
77) missing+=" jsonschema (apt-get install python3-jsonschema)" ;;
*) fail "the run folder or JUnit file" ;;
esac

# --- what is exceeded -----------------------------------------------------------------------------------------------

# The bound of pointer_value's fixes is for the table of 10,000 entries; that of ten times as many is larger.
expect 1 "clear keeps more than its bound of 1.05 MB" pointer_value --variant clear --maps go_hmap --n 100k --assert \
    --junit "$scratch/junit.xml"
"$python" -c 'import sys, xml.etree.ElementTree
suite = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
assert suite.get("failures") == "1" and "clear keeps " in suite.find(".//failure").get("message")' \
    "$scratch/junit.xml" || fail "JUnit of a failed bound: $(<"$scratch/junit.xml")"
expect 0 "clear keeps more than its bound" pointer_value --variant clear --maps go_hmap --n 100k

# ended_with_error REASON: lines of the case as far as it came, and then its error; others of the run are whole.
ended_with_error() {
    "$python" -c 'import json, sys
lines = [line for line in map(json.loads, open(sys.argv[1])) if line["label"] != "verdict"]
assert lines[0]["label"] == "base" and lines[0]["error"] is None, lines[0]
assert lines[-1]["label"] == "error" and sys.argv[2] in lines[-1]["error"], lines[-1]' "$folder/retention.jsonl" "$1" ||
        fail "no error line '$1' after the others"
}
expect 4 "subslice leaky, go_hmap, gosim: out of memory" subslice --variant leaky --maps go_hmap --n 64g \
    --junit "$scratch/junit.xml"
ended_with_error "out of memory"
"$python" -c 'import sys, xml.etree.ElementTree
suite = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
assert suite.get("errors") == "1" and "out of memory" in suite.find(".//error").get("message")' \
    "$scratch/junit.xml" || fail "JUnit of a case out of memory: $(<"$scratch/junit.xml")"
expect 4 "tombstones_long u64u64, go_hmap, gosim: gave up after 1 s \(--limit\)" tombstones_long --maps go_hmap --n 4m --limit 1
ended_with_error "gave up after 1 s"

# --- snapshots ------------------------------------------------------------------------------------------------------

expect 0 "substring_key " substring_key --variant leaky --maps go_hmap --n 16 --snapshot "$scratch/graphs"
stem=$scratch/graphs/substring_key-leaky-go_hmap-fill-16
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

# --- the heap under every map ---------------------------------------------------------------------------------------

expect 0 "unbounded_cache " --heap gosim --n 100 --check --limit 20

echo "$passed passed, $failed failed"
[[ $failed == 0 ]] || exit 1
[[ -z $missing ]] || { echo "not tried, not found:$missing"; exit 77; }
