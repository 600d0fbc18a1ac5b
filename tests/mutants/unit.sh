# shellcheck shell=bash disable=SC2154
# For the scripts that compile one unit and put it through the selftest. They set `build` (a finished build) and
# `scratch` (a folder of theirs), which shellcheck cannot see from here (SC2154).

unit_cc=${CC:-gcc}
unit_flags=(-std=gnu17 -D_GNU_SOURCE -O1 -g -I.)

# The program around the unit; once per script.
unit_runner() {
    [[ -f $build/harness/selftest/selftest.o ]] || { echo "$0: nothing is built in $build: run make build first"; return 1; }
    "$unit_cc" "${unit_flags[@]}" -c tests/mutants/run_unit.c -o "$scratch/run_unit.o"
}

# unit_run NAME MAP_FILE SHAPE [compiler flag ...]: status and output of run_unit.c. Flags come before all others, so
# that an include folder among them is searched first.
unit_run() {
    local name=$1 file=$2 shape=$3
    shift 3
    "$unit_cc" "$@" "${unit_flags[@]}" "-DUNIT_SYMBOL=unit_under_test" "-DUNIT_MAP=\"$name\"" "-DUNIT_MAP_FILE=\"$file\"" \
        "-DUNIT_SHAPE_FILE=\"harness/shapes/$shape.h\"" '-DUNIT_HEAP_FILE="harness/heaps/malloc.h"' \
        '-DUNIT_HASH="common"' -DUNIT_HASH_common -c harness/unit/map_unit.c -o "$scratch/$name.o" || return 2
    "$unit_cc" "$scratch/$name.o" "$scratch/run_unit.o" "$build"/harness/selftest/{selftest,key_sets,mirror,model,failing_memory,loops}.o \
        "$build"/harness/{base/why,heaps/fault,shapes/shape}.o "$build"/shapes/*.o -ldl -o "$scratch/$name" || return 2
    "$build/tests/within" 120 2400 "$scratch/$name.used" env LD_PRELOAD="$build/libmemcount.so" "$scratch/$name" 1 20000
}
