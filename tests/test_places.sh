#!/usr/bin/env bash
# The program at odd places: a path with blanks, a build folder outside the sources, no HOME, no TMPDIR, one processor, a
# results folder that cannot be written. usage: test_places.sh BUILD
set -u
build=$(realpath "$1")
root=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
# shellcheck source=tests/support/shell_tools.sh
source "$root"/tests/support/shell_tools.sh

there="$scratch/build folder"
mkdir "$there"
mkdir "$there/units"
cp "$build/mapbench" "$there"
cp "$build"/units/{null,linear}-u64_u64-common-malloc.{so,d} "$there/units"
[[ ! -e $build/libmemcount.so ]] || cp "$build/libmemcount.so" "$there"
ln -s "$root" "$there/source"
mapbench=$there/mapbench
cd "$scratch" || exit 1

# bare ARGS...: as expect, in an empty environment.
bare() { gives "$1" "$2" env -i PATH=/usr/bin:/bin TMPDIR=/proc/none LC_ALL=de_DE.UTF-8 "$mapbench" "${@:3}"; }

# The sources are found through the link that make leaves, from any folder.
bare 0 "^  smoke " list profiles
bare 0 "^[0-9]+ cells" plan smoke
bare 0 "^ +ok +thread CPU" doctor --quick
bare 0 "^1 units passed" selftest --filter '^linear/u64_u64/common/malloc$'
if grep -q "ld.so" "$scratch/output"; then fail "selftest cannot preload the counter: $(grep ld.so "$scratch/output")"; fi
if [[ -e $there/libmemcount.so ]] && grep -q "allocation failures were not tried" "$scratch/output"; then fail "selftest: the counter is not found"; fi
small=(--maps linear --workloads get --n 1k --repeat 1 --batches 1 --figures no)
bare 0 "^result " run "${small[@]}" --record time,latency,counters,memory,structure --out "$scratch/a run"
if grep -q '"error":"' "$scratch/a run/rows.jsonl"; then fail "rows in an empty environment: $(grep -o '"error":"[^"]*"' "$scratch/a run/rows.jsonl")"; fi
if command -v taskset >/dev/null; then
    first=$(taskset -cp $$ | sed 's/.*: *//; s/[^0-9].*//')
    gives 0 '"cpus_usable": 1,' taskset -c "$first" "$mapbench" doctor --quick --json
    gives 0 "^result " taskset -c "$first" "$mapbench" run "${small[@]}" --out "$scratch/one"
fi

# Where results cannot be written it says what to do, before anything is measured.
mkdir "$scratch/sources" "$scratch/sources/profiles"
: >"$scratch/sources/results"
ln -sfn "$scratch/sources" "$there/source"
bare 4 "cannot create $scratch/sources/results/.*: Not a directory: name a folder to write to with --out" run "${small[@]}"
# A unit that is not there cannot be built in a folder that make does not take, and without sources not at all.
ln -sfn "$root" "$there/source"
bare 4 "chained-u64_u64-common-malloc: not built: .*build folder/units: make takes no blanks" run --maps chained --workloads get --n 1k
# Without sources it runs what is on the command line.
rm "$there/source"
bare 0 "^1 cells" plan "${small[@]:0:6}"
bare 2 "there are no profiles" plan smoke

finish
