#!/usr/bin/env bash
# What a run says of the memory behind it: a row for each setting of --thp, told apart in rows, table and page, the reason
# where a setting is not to be had; the allocator that is preloaded. usage: test_memory_pages.sh BUILD
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
python=${MAPBENCH_PYTHON:-/usr/bin/python3}
build=$(realpath "${1:?usage: test_memory_pages.sh BUILD}")
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh

# measure FOLDER OPTION...: chained has a block an entry, so that its heap grows beyond a huge page.
measure() {
    local folder=$scratch/$1
    shift
    "$build/mapbench" run --maps chained --shapes u64_u64 --n 300k --workloads put_grow --record memory --out "$folder" "$@" \
        >"$folder.out" 2>"$folder.err"
}

# ask FOLDER CODE: Python that knows rows (by pages), info, table and page of a run.
ask() {
    if "$python" -B - "$scratch/$1" "$2" <<'PY'; then pass; else fail "$1: see above"; fi
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
lines = [json.loads(line) for line in open(folder / "rows.jsonl", encoding="utf-8")]
rows = {row["pages"]: row for row in lines}
assert len(rows) == len(lines), "rows of one cell with the same pages"
info = json.load(open(folder / "run.json", encoding="utf-8"))
table = open(f"{folder}.out", encoding="utf-8").read()
page = folder / "report.html"
page = page.read_text(encoding="utf-8") if page.exists() else ""
exec(sys.argv[2])
PY
}

setting=$(sed -n 's/.*\[\(.*\)\].*/\1/p' /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null)

"$build/mapbench" run --record memory --thp hug >"$scratch/out" 2>&1
status=$?
if [ "$status" != 2 ] || ! grep -q "did you mean 'huge'" "$scratch/out"; then
    fail "--thp hug: exit code $status: $(cat "$scratch/out")"
fi

measure plain --figures no || fail "a run with the pages as they are: $(tail -n 1 "$scratch/plain.err")"
ask plain 'assert list(rows) == ["set"] and rows["set"]["error"] is None and " pages" not in table, (list(rows), table)'

measure both --thp small,huge
status=$?
if [[ $setting == always || $setting == madvise ]]; then
    [ "$status" = 0 ] || fail "--thp small,huge: exit code $status: $(tail -n 1 "$scratch/both.err")"
    # shellcheck disable=SC2016 # Python
    ask both '
small, huge = rows["small"], rows["huge"]
assert list(rows) == ["small", "huge"] and small["error"] is None and huge["error"] is None, rows
assert small["thp"] is False and huge["thp"] is True
assert small["huge_bytes"] == 0, small["huge_bytes"]
assert huge["huge_bytes"] > 0, huge["huge_bytes"]
assert huge["minor_faults"] < small["minor_faults"] - 256, (huge["minor_faults"], small["minor_faults"])
assert abs(huge["requested_bytes"] - small["requested_bytes"]) < 4096
assert "put_grow, small pages" in table and "put_grow, huge pages" in table, table
sys.path.insert(0, ".")
from plots.rows import load, points
measured = load.load(folder).measured("memory")
assert len(measured) == 2, "rows taken for repetitions of one another"
kept = lambda rows: [row["pages"] for row in points.one_page_setting(rows)]
assert kept(measured) == ["small"]
assert kept([*measured, measured[0] | {"pages": "set"}]) == kept([measured[0] | {"pages": "set"}, *measured]) == ["set"]
assert kept([*measured, measured[0] | {"n": 7}]) == ["small", "small"]
if page:
    assert "<td>small</td>" in page and "<td>huge</td>" in page, "pages missing in the table of the page"
    assert "occur twice" not in page
'
else
    ask both '
assert rows["small"]["error"] is None
assert "huge pages are off on this machine" in rows["huge"]["error"] and rows["huge"]["stable"] is False, rows["huge"]
'
fi

ask plain 'assert info["build"]["allocator"] in ("glibc", "sanitizer"), info["build"]'
jemalloc=libjemalloc.so.2
if [ -n "$(LD_PRELOAD=$jemalloc true 2>&1)" ]; then
    if [[ ${CI:-} == true ]]; then fail "CI=true, nothing may be skipped: $jemalloc is not there"; fi
    echo "skip  the allocator preloaded: no $jemalloc (libjemalloc2)"
else
    LD_PRELOAD=$jemalloc measure preloaded --figures no --thp set,huge
    ask preloaded '
assert info["build"]["allocator"] == "jemalloc", info["build"]
assert rows["set"]["error"] is None, rows["set"]["error"]
if "'"$setting"'" == "madvise": assert "this allocator gets huge pages only" in rows["huge"]["error"], rows["huge"]
'
fi
for folder in plain both preloaded; do
    [ -d "$scratch/$folder" ] || continue
    "$python" -B tests/support/validate_run.py "$scratch/$folder" >"$scratch/out" 2>&1 || fail "$folder: $(tail -n 3 "$scratch/out")"
done
finish
