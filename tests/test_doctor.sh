#!/usr/bin/env bash
# mapbench doctor, and what every run records of it and of its own provenance. usage: test_doctor.sh BUILD
set -u
mapbench=$(realpath "$1")/mapbench
tests=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/support/shell_tools.sh
source "$tests"/support/shell_tools.sh

# holds FILE EXPRESSION: Python's expression on the JSON object `it`.
holds() {
    if /usr/bin/python3 -c 'import json, sys
it = json.load(open(sys.argv[1]))
found = {f["name"]: f for f in (it.get("findings") or it.get("doctor", {}).get("findings", []))}
assert eval(sys.argv[2]), sys.argv[2]' "$1" "$2"; then pass; else fail "$1: not so: $2"; fi
}

# --- the command ---

expect 2 "doctor takes no words" doctor everything
expect 2 "unknown option of doctor 'quik': did you mean 'quick'" doctor --quik
expect 2 "unknown option 'quick'" run --quick --maps linear
"$mapbench" doctor --quick --json >/dev/full 2>/dev/null
[ $? -eq 4 ] || fail "an output that cannot be written must end with 4"

"$mapbench" doctor --quick --json >"$scratch/doctor.json" || fail "doctor --quick --json"
holds "$scratch/doctor.json" 'it["noise"]["batches"] >= 3 and it["noise"]["seconds"] > 0.9'
holds "$scratch/doctor.json" '{f["group"] for f in it["findings"]} == {"clocks", "perf events", "processor", "memory", "now", "noise", "tools", "maps"}'
holds "$scratch/doctor.json" 'all((found[name]["state"] == "ok") == (why is None) for name, why in it["events"].items())'
holds "$scratch/doctor.json" 'all(f["advice"] for f in it["findings"] if f["state"] == "warn")'
holds "$scratch/doctor.json" 'found["time recorder"]["state"] == "ok"'
if /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
    PYTHONPATH=$tests/support /usr/bin/python3 -B -c 'import json, sys, validate_run
faults = list(validate_run.faults_of(json.load(open(sys.argv[1])), validate_run.validator("doctor"), "doctor"))
assert not faults, faults' "$scratch/doctor.json" || fail "doctor --json is not what results/schema.json says"
else
    echo "skipped: the schema of doctor --json (python3-jsonschema is not installed)"
    missing=1
fi

# Where nothing is installed it says so, with what to install, and ends well: times can still be measured.
PATH=$scratch/nothing MAPBENCH_PYTHON=$scratch/none MAPBENCH_ENGINES=$scratch/none "$mapbench" doctor --quick >"$scratch/bare" || fail "doctor without any tool must exit 0"
for line in "perf .*make deps" "valgrind .*make deps" "gnuplot .*make deps" \
    "python3 .*make deps" "go1.24 .*make engines"; do
    if grep -qE "^  no +$line" "$scratch/bare"; then pass; else fail "doctor does not say: $line"; fi
done
if grep -qE '^  ok +time recorder' "$scratch/bare"; then pass; else fail "doctor does not say that times can be measured"; fi

# The kernel refuses an ordinary user some events: said event by event, with the command.
paranoid=$(cat /proc/sys/kernel/perf_event_paranoid 2>/dev/null || echo -1)
chmod 755 "$scratch"
if [ "$(id -u)" = 0 ] && [ "$paranoid" -ge 2 ] && cp "$mapbench" "$scratch/mapbench" && mkdir "$scratch/profiles" &&
    setpriv --reuid=65534 --clear-groups "$scratch/mapbench" doctor --quick --json >"$scratch/user.json" 2>"$scratch/user.err"; then
    if grep -q '"context_switches": "E' "$scratch/user.json"; then
        holds "$scratch/user.json" 'found["context_switches"]["state"] == "no" and "refused: E" in found["context_switches"]["fact"]'
        holds "$scratch/user.json" 'found["perf_event_paranoid"]["state"] == "warn" and "sysctl" in found["perf_event_paranoid"]["advice"]'
    else
        echo "not tested: this kernel lets an ordinary user count context switches"
    fi
else
    echo "not tested: an ordinary user's refusals (needs root and perf_event_paranoid >= 2)"
fi
rm -f "$scratch/mapbench"

# --- what a run records ---

small=(--maps "linear,absl_flat" --workloads "put_grow,get" --n 1000 --repeat 2 --batches 1 --figures no)
expect 0 "^result [0-9a-f]{12}$" run "${small[@]}" --out "$scratch/run"
run=$scratch/run/run.json
id=$(cat "$scratch/run/rows.jsonl" "$scratch/run/retention.jsonl" | sha256sum | cut -d' ' -f1)
holds "$run" "it['result_id'] == '$id'"
holds "$run" "it['executable']['sha256'] == '$(sha256sum "$mapbench" | cut -d' ' -f1)'"
libc=$(realpath "$(ldd "$mapbench" | awk '$1 == "libc.so.6" { print $3 }')")
holds "$run" "{'name': 'libc.so.6', 'file': '$(basename "$libc")', 'sha256': '$(sha256sum "$libc" | cut -d' ' -f1)'}.items() <= next(x for x in it['libraries'] if x['name'] == 'libc.so.6').items()"
holds "$run" "[u['map'] for u in it['units']][:2] == ['null', 'linear'] and set(it['units'][1]['loops']) == {'put', 'get'}"
# The symbol table agrees on where the loops are.
if command -v nm >/dev/null; then
    holds "$run" "all(int(l['offset'], 16) % 64 == l['mod64'] for u in it['units'] for l in u['loops'].values())"
    nm "${mapbench%/*}"/units/linear-*-common-malloc.so | awk '$3 == "run_get" || $3 == "run_put" { print $1 }' >"$scratch/symbols"
    holds "$run" "{int(l['offset'], 16) for u in it['units'] if u['map'] == 'linear' for l in u['loops'].values()} <= {int(line, 16) for line in open('$scratch/symbols')}"
fi
holds "$run" "next((m['max_load'], m['growth'], m['package']) for m in it['maps'] if m['name'] == 'linear') == (0.75, 2, None)"
if grep -q '^ii' < <(dpkg-query -W -f '${db:Status-Abbrev}\n' libabsl-dev 2>/dev/null); then
    holds "$run" "next((m['max_load'], m['version']) for m in it['maps'] if m['name'] == 'absl_flat') == (0.875, '$(dpkg-query -W -f '${Version}' libabsl-dev)')"
fi
holds "$run" "it['doctor']['noise']['batches'] >= 3 and {'clocksource', 'microcode'} <= it['machine'].keys()"
holds "$run" "not [w for w in it['warnings'] if w['id'] == 'interrupted']"

# A run without times does not watch for noise; retain names its maps.
expect 0 "." run --maps linear --n 1k --record structure --figures no --out "$scratch/structure"
holds "$scratch/structure/run.json" "it['doctor']['noise'] is None and 'time recorder' not in found"
expect 0 "^result [0-9a-f]{12}$" retain substring_key --maps go_hmap --heap gosim --n 200 --figures no --out "$scratch/kept"
holds "$scratch/kept/run.json" "it['result_id'] == '$(sha256sum <"$scratch/kept/retention.jsonl" | cut -d' ' -f1)' and [m['name'] for m in it['maps']] == ['go_hmap']"

# Drawing again does not change the result's id; a changed row does, even with checksums made to fit.
if /usr/bin/python3 -c 'import matplotlib' 2>/dev/null; then
    expect 0 "report.html" report "$scratch/run"
    holds "$run" "it['result_id'] == '$id'"
    grep -q "${id:0:12}" "$scratch/run/report.html" || fail "the report does not name the result"
fi
[ "$(cat "$scratch/run/rows.jsonl" "$scratch/run/retention.jsonl" | sha256sum | cut -d' ' -f1)" = "$id" ] || fail "a report changed the results"
cp -r "$scratch/run" "$scratch/tampered"
sed -i '1s/"median":[0-9.]*/"median":0.001/' "$scratch/tampered/rows.jsonl"
expect 2 "SHA256SUMS does not match" report "$scratch/tampered"
(cd "$scratch/tampered" && sha256sum rows.jsonl run.json >SHA256SUMS)
expect 2 "result_id in run.json does not match" report "$scratch/tampered"
cp -r "$scratch/kept" "$scratch/tampered-kept"
echo '{}' >>"$scratch/tampered-kept/retention.jsonl"
expect 2 "SHA256SUMS does not match" report "$scratch/tampered-kept"

# --- an interrupted run ---

long=(--maps "linear,chained" --workloads get --n 1k..8k*2 --repeat 8 --batches 10 --figures no --out "$scratch/long")
"$mapbench" run "${long[@]}" >/dev/null 2>&1 &
pid=$!
for _ in $(seq 2400); do
    [ -s "$scratch/long.partial/done" ] && break
    sleep 0.05
done
kill -INT "$pid"
wait "$pid"
[ $? -eq 130 ] || fail "an interrupted run must end with 130"
partial=$scratch/long.partial/run.json
holds "$partial" "[w['text'] for w in it['warnings'] if w['id'] == 'interrupted'] == ['the run was interrupted'] and it['result_id'] is None"
cp "$partial" "$scratch/kept.json"
sed -i '/"executable"/,/}/s/"sha256": "[0-9a-f]*"/"sha256": "'"$(printf '0%.0s' $(seq 64))"'"/' "$partial"
expect 2 "another build" run "${long[@]}" --resume
cp "$scratch/kept.json" "$partial"
expect 0 "^result " run "${long[@]}" --resume
holds "$scratch/long/run.json" "[w['text'] for w in it['warnings'] if w['id'] == 'interrupted'] == ['the run was interrupted (and resumed once)']"

if [ -z "${missing:-}" ]; then
    for folder in run structure kept long; do
        PYTHONPATH=$tests/support /usr/bin/python3 -B "$tests/support/validate_run.py" "$scratch/$folder" >"$scratch/valid" || fail "$folder: $(cat "$scratch/valid")"
    done
    PYTHONPATH=$tests/support /usr/bin/python3 -B "$tests/support/validate_run.py" "$scratch/tampered" | grep -q "result_id" || fail "a tampered run is valid"
fi

finish
