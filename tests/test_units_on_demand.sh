#!/usr/bin/env bash
# Units are built when a command needs them, and only then: what is missing, out of date, broken or of another build, and
# whatever is in the way - no compiler, one that dies, a full disk, an interrupt. In a copy of the project, with a `gcc` in
# front of the real one that does as a file says. usage: test_units_on_demand.sh BUILD
# Processor time: at most 240 s.
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
build=${1:?usage: test_units_on_demand.sh BUILD}
build=$(realpath --relative-to=. "$build")
within=$PWD/$build/tests/within
settings() { sed -n "s/^#define BUILD_MAKE_SETTINGS .*\"$1=\([^\"]*\)\".*/\1/p" "$build/gen/build_info.h"; }
compiler=$(settings CC)
[[ $compiler =~ ^[A-Za-z0-9.+-]+$ ]] || { echo "the build's compiler is '$compiler', not a name that PATH leads to"; exit 77; }
[[ $build != /* && $build != ../* ]] || { echo "the build is outside the project"; exit 77; }
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BUILD SELECT

# --- the copy -----------------------------------------------------------------------------------------------------------
# The compiler itself: ccache would find this test's in its place. It still caches, if it is there.
real=
while read -r at; do [[ $(basename "$(realpath "$at")") == ccache ]] || { real=$at; break; }; done < <(type -aP "$compiler")
[[ $real ]] || { echo "$compiler is not in PATH"; exit 77; }
[[ $(basename "$(realpath "$(command -v "$compiler")")") != ccache ]] || real="ccache $real"
copy="$scratch/project"
mkdir -p "$copy/$build/units" "$scratch/bin"
git ls-files -z 2>/dev/null | xargs -0r cp -p --parents -t "$copy"
[[ -e $copy/Makefile ]] || { echo "the sources are no git checkout"; exit 77; }
[[ ! -d deps ]] || ln -s "$(realpath deps)" "$copy/deps"
cp -rp "$build"/{gen,harness,heads,shapes,mapbench,libmemcount.so} "$copy/$build" || exit 1
[[ ! -d $build/engines ]] || cp -rp "$build/engines" "$copy/$build"
cd "$copy" || exit 1
units=$build/units mapbench=$copy/$build/mapbench
# The compiler of this test: `plan` is sourced for each unit that is compiled, as $unit, and may do something else.
cat >"$scratch/bin/$compiler" <<SH
#!/bin/bash
words=" \$* " unit=none
[[ \$words =~ \ -MT\ [^\ ]*/units/([^\ ]*)\.o\  ]] && unit=\${BASH_REMATCH[1]}
[[ \$unit == none || ! -e $scratch/plan ]] || source "$scratch/plan"
exec $real "\$@"
SH
chmod +x "$scratch/bin/$compiler"
export PATH=$scratch/bin:$PATH
make_in_copy() { make CC="$compiler" CXX="$(settings CXX)" MARCH="$(settings MARCH)" SANITIZE="$(settings SANITIZE)" SKIP_DEPS=1 BUILD="$build" "$@"; }
check "the program alone is built" make_in_copy program

u() { echo "$1-u64_u64-common-malloc"; }
measure=(--shapes u64_u64 --workloads get --n 512 --repeat 1 --batches 1 --figures no --progress off)
runs=0
# run_maps MAPS: what `mapbench run` of these gives.
run_maps() { runs=$((runs + 1)); "$mapbench" run --maps "$1" "${measure[@]}" --out "$scratch/run$runs"; }
built() { [[ -e $units/$(u "$1").so ]]; }
# has TEXT...: $scratch/output of the last command has them; hasnt: it does not.
has() { local t; for t in "$@"; do if grep -qE -- "$t" "$scratch/output"; then pass; else fail "no '$t' in: $(tail -n 20 "$scratch/output")"; fi; done; }
hasnt() { local t; for t in "$@"; do if grep -qE -- "$t" "$scratch/output"; then fail "'$t' in: $(tail -n 20 "$scratch/output")"; else pass; fi; done; }
is_true() { local what=$1; shift; if "$@"; then pass; else fail "$what"; fi; }
not() { ! "$@"; }
nothing_half_built() { [[ -z $(find "$units" -name '*.part') ]]; }
# cpu_below SECONDS COMMAND...: processor time of its tree; printed.
cpu_below() {
    local limit=$1 cpu; shift
    "$within" 60 1200 "$scratch/used" "$@" >"$scratch/output" 2>&1 || fail "$*: $(tail -n 5 "$scratch/output")"
    read -r _ cpu <"$scratch/used"
    echo "processor time of ${*##*/}: $cpu s"
    if awk "BEGIN { exit !($cpu <= $limit) }"; then pass; else fail "$*: $cpu s of processor time, at most $limit"; fi
}
# Waits for a file that another process makes.
await() { local i; for ((i = 0; i < 12000; i++)); do [[ -e $1 ]] && return; sleep 0.05; done; fail "$1 never came"; return 1; }

# --- nothing built but the program ---------------------------------------------------------------------------------------
cpu_below 0.5 "$mapbench" list maps
has "^  linear " "^  swiss_flat "
hasnt "does not compile"
cpu_below 0.5 "$mapbench" explain linear
has "unit +u64_u64, common hash"
is_true "nothing is built by that" test -z "$(find "$units" -name '*.so')"
gives 0 "building 3 units of 3" run_maps linear,dense
hasnt "skipped"
gives 0 "linear" run_maps linear,dense
hasnt "building"

# --- a map that does not compile -----------------------------------------------------------------------------------------
cp -p maps/chained.h "$scratch/chained.h"
echo 'this is no map;' >>maps/chained.h
gives 4 "skipped: $(u chained): does not compile: .*error.*this" run_maps linear,chained,robin_hood
has "^ *linear" "^ *robin_hood"
is_true "what the compiler said is kept" grep -q 'error' "$units/$(u chained).log"
is_true "no object of the broken map" not built chained
expect 0 "does not compile: .*error.*this" list maps
expect 0 "unavailable +does not compile: .*error.*this" explain chained
expect 4 "not built: $(u chained): does not compile" units "$(u chained)"
# The program is built without it, and says so, too.
check "the program is built with a broken map" make_in_copy program
rm -f "$units/$(u chained)".*
expect 0 "does not compile: .*error.*this" list maps
expect 4 "not built: $(u chained): does not compile" units "$(u chained)"
gives 4 "does not compile" run_maps linear,chained
# Mended: what was said of the file as it was no longer holds; a unit can be had before the program is built again.
cp "$scratch/chained.h" maps/chained.h
gives 0 "building 1 unit of 1" run_maps linear,chained
expect 0 "^  chained" list maps
hasnt "does not compile"
check "the program is built again" make_in_copy program
rm -f "$units/$(u chained)".*
echo 'this is no map;' >>maps/chained.h
expect 4 "does not compile" units "$(u chained)"
cp "$scratch/chained.h" maps/chained.h
expect 0 "^  chained" list maps
hasnt "does not compile"
gives 0 "building 1 unit of 1" run_maps linear,chained

# --- no compiler, no make ------------------------------------------------------------------------------------------------
# without NAME...: the folders of PATH, without these programs.
without() {
    local folder name
    rm -rf "$scratch/path"
    mkdir "$scratch/path"
    while read -r -d: folder; do
        [[ $folder == "$scratch/bin" || $folder == */ccache ]] || ln -s "$folder"/* "$scratch/path" 2>/dev/null
    done <<<"$PATH:"
    for name in "$@"; do rm -f "$scratch/path/$name"; done
}
for missing in "$compiler" make; do
    without "$missing"
    rm -f "$units/$(u dense)".*
    said=$([[ $missing == make ]] && echo "make cannot be started" || echo "the compiler $compiler is not here")
    PATH=$scratch/path gives 0 "linear" run_maps linear,chained
    hasnt "skipped|building"
    PATH=$scratch/path gives 4 "skipped: $(u dense): not built: $said" run_maps linear,dense
    has "^ *linear"
    PATH=$scratch/path gives 4 "skipped: .* and [0-9]+ more: not built: $said" run_maps dense,swiss_flat
    PATH=$scratch/path gives 4 "none of the units could be built" run_maps dense
    # Older than its source: not loaded.
    touch maps/chained.h
    PATH=$scratch/path gives 4 "skipped: $(u chained): not built: $said" run_maps linear,chained
    touch -r "$scratch/chained.h" maps/chained.h
done
PATH=$scratch/path expect 4 "make cannot be started" selftest --filter '^dense/u64_u64/common/malloc$'
gives 0 "building" run_maps linear,dense,chained

# --- a compiler that is killed --------------------------------------------------------------------------------------------
# shellcheck disable=SC2016
echo '[[ $unit != dense-* ]] || kill -KILL $$' >"$scratch/plan"
rm -f "$units"/{dense,robin_hood}-*
gives 4 "skipped: $(u dense): does not compile: .*SIGKILL" run_maps linear,dense,robin_hood
has "^ *robin_hood"
is_true "nothing half-built" nothing_half_built
rm -f "$scratch/plan"
gives 0 "building 1 unit of 1" run_maps linear,dense,robin_hood

# --- two that build at once ------------------------------------------------------------------------------------------------
echo ": >'$scratch/begun'; until [[ -e '$scratch/go' ]]; do sleep 0.05; done" >"$scratch/plan"
rm -f "$units"/dense-*
run_maps linear,dense >"$scratch/first" 2>&1 &
first=$!
await "$scratch/begun"
runs=100
run_maps linear,dense >"$scratch/second" 2>&1 &
second=$!
for ((i = 0; i < 12000; i++)); do grep -q "waiting for it" "$scratch/second" && break; sleep 0.05; done
is_true "the second waits: $(cat "$scratch/second")" grep -q "another mapbench builds units in .*: waiting for it" "$scratch/second"
: >"$scratch/go"
ended=0; wait "$first" || ended=$?
is_true "the first ends well: $(tail -n 5 "$scratch/first")" test "$ended" = 0
ended=0; wait "$second" || ended=$?
is_true "the second ends well: $(tail -n 5 "$scratch/second")" test "$ended" = 0
runs=200
is_true "only one of them builds" not grep -q "building" "$scratch/second"
rm -f "$scratch"/{plan,begun,go}

# --- interrupted ------------------------------------------------------------------------------------------------------------
# in_a_group COMMAND...: as the terminal's foreground has it: a process group that SIGINT reaches and does not ignore.
in_a_group() {
    exec "${MAPBENCH_PYTHON:-/usr/bin/python3}" -c 'import os, signal, sys
os.setpgid(0, 0); signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' "$@"
}
for signal in INT TERM; do
    # The one that is told to wait writes half an object first.
    # shellcheck disable=SC2016
    echo 'while [[ $1 != -o ]]; do shift; done; echo half >"$2"; echo $$ >"'"$scratch"'/begun"; exec sleep 1000' >"$scratch/plan"
    rm -f "$units"/dense-*
    in_a_group "$mapbench" run --maps linear,dense "${measure[@]}" --out "$scratch/never" >"$scratch/interrupted" 2>&1 &
    group=$!
    await "$scratch/begun"
    for ((i = 0; i < 12000; i++)); do [[ -s $scratch/begun ]] && break; sleep 0.05; done
    compiling=$(cat "$scratch/begun")
    kill -"$signal" -- "-$group"
    ended=0; wait "$group" || ended=$?
    is_true "SIG$signal: exit $ended, expected 130: $(tail -n 5 "$scratch/interrupted")" test "$ended" = 130
    is_true "SIG$signal: its compiler is gone" is_gone "$compiling"
    is_true "SIG$signal: no unit is left half-built: $(ls "$units"/dense-* 2>&1)" test -z "$(find "$units" -name '*.part' -o -name 'dense-*.o' -o -name 'dense-*.so')"
    is_true "SIG$signal: no folder of a run is left" test -z "$(find "$scratch" -maxdepth 1 -name 'never*')"
    rm -f "$scratch"/{plan,begun}
    gives 0 "building 1 unit of 1" run_maps linear,dense
done

# --- objects that are none, or of another build ---------------------------------------------------------------------------
object=$units/$(u dense).so
id=$(sed -n 's/^#define BUILD_UNIT_ID "\(.*\)"$/\1/p' "$build/gen/build_info.h")
spoil() {
    case $1 in
    empty) : ;;
    truncated) head -c 20000 "$scratch/good.so" ;;
    noise) head -c 30000 /dev/zero | tr '\0' 'x' ;;
    "of another build") sed "s/$id/0123456789abcdef/" "$scratch/good.so" ;;
    esac
}
cp -p "$object" "$scratch/good.so"
for kind in empty truncated noise "of another build"; do
    rm -f "$object"
    spoil "$kind" >"$object"
    gives 0 "building 1 unit of 1" run_maps linear,dense
    is_true "an object that is $kind is made again" cmp -s "$object" "$scratch/good.so"
done
# What all units are made of changes: the program has to be built first.
cp -p harness/unit/recorder.h "$scratch/recorder.h"
echo '/* changed */' >>harness/unit/recorder.h
gives 4 "have changed since this program was built: make build" run_maps linear,dense
cp -p "$scratch/recorder.h" harness/unit/recorder.h

# --- the folder -------------------------------------------------------------------------------------------------------------
if [[ $(id -u) == 0 ]] && mkdir "$scratch/small" && mount -t tmpfs -o size=64k none "$scratch/small" 2>/dev/null; then
    trap 'umount -l "$scratch/small" "$copy/$units" 2>/dev/null; rm -rf "$scratch"' EXIT
    mv "$units" "$units.kept"
    mkdir "$units"
    umount "$scratch/small"
    mount -t tmpfs -o size=900k none "$units"
    gives 4 "not built: .*units/? has 0 MiB left, 2 units need about 2: make room" run_maps linear
    is_true "nothing was tried" test -z "$(find "$units" -name '*-*')"
    # Not too small beforehand, but it does not last.
    mount -t tmpfs -o remount,size=3000k none "$units"
    echo "head -c 4000k /dev/zero >'$copy/$units/other' 2>/dev/null" >"$scratch/plan"
    gives 4 "none of the units could be built|skipped: .*No space left" run_maps linear
    is_true "a full folder: nothing half-built: $(ls -s "$units")" nothing_half_built
    rm -f "$scratch/plan"
    mount -t tmpfs -o remount,ro none "$units"
    gives 4 "not built: cannot write to .*units/?: Read-only file system" run_maps dense
    umount "$units"
    rmdir "$units"
    mv "$units.kept" "$units"
    is_true "flags are as they were" test -s "$build/gen/flags"
    gives 0 "linear" run_maps linear,dense
    hasnt "building"
else
    echo "skipped: a full and a read-only build folder: no file system can be mounted here"
fi

# --- the commands ----------------------------------------------------------------------------------------------------------
expect 6 "\"nosuch.*\" is no profile and matches no unit" units 'nosuch.*'
expect 2 "neither a profile nor a regular expression" units '('
expect 0 "^2 units" units "$(u linear)|$(u dense)"
rm -f "$units"/{null,linear,dense,chained,robin_hood}-*
check "make build SELECT" make_in_copy build SELECT='^(null|linear)-u64_u64-common-malloc$'
is_true "the selected units are built" built linear
is_true "and no other" not built dense
expect 0 "^  dense " list maps
check "make units SELECT" make_in_copy units SELECT="^$(u dense)\$"
is_true "make units builds what SELECT matches" built dense
expect 0 "building 1 unit of 1" selftest --filter '^robin_hood/u64_u64/common/malloc$'
has "1 units passed"
expect 0 "building 2 units of 2" retain delete_leaves_value --maps linear --variant leaky --n 500 --figures no --out "$scratch/retained"
[[ $(grep -c building "$scratch/output") == 1 ]] || fail "units of a scenario's further shapes are not built with the others: $(<"$scratch/output")"
if command -v valgrind >/dev/null; then
    rm -f "$units/$(u linear)".*
    expect 0 "building [12] units? of [12]" gate count --maps linear --shapes u64_u64 --workloads get --baseline "$scratch/count.json" --update
fi

finish
