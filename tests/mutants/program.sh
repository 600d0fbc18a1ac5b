# shellcheck shell=bash disable=SC2154
# For the scripts that plant a change into units of a mapbench, compiled exactly as the others. They
# set `build` (a finished build, as a path from the project's folder) and `scratch` (a folder of theirs), and stand in the
# project's folder.

# make_says WHAT FILE: the command by which make would build FILE again, in one line.
make_says() {
    make -n --no-print-directory -W "$1" BUILD="$build" "$2" | sed -e ':join' -e '/\\$/{N;s/\\\n//;bjoin}' | grep -F -- "compile.sh $2 "
}

# program NAME OVERLAY UNIT ...: $scratch/NAME/mapbench, whose units MAP-SHAPE-HASH-HEAP are compiled with the folder OVERLAY
# searched for headers before all others; all others are the build's. The memory counter stands beside it.
program() {
    local name=$1 overlay=$2 unit command part
    shift 2
    mkdir -p "$scratch/$name/units"
    cp -as "$(realpath "$build")"/units/*.{so,d} "$scratch/$name/units" || return 1
    for unit in "$@"; do
        rm -f "$scratch/$name/units/$unit".*
        for part in o so; do
            command=$(make_says "$([[ $part == o ]] && echo harness/unit/map_unit.c || echo "$build/units/$unit.o")" "$build/units/$unit.$part") ||
                { echo "make does not say how $unit.$part is made" >&2; return 1; }
            command=${command// -I. / -I$overlay -I. }
            bash -c "${command//$build\/units\/$unit/$scratch/$name/units/$unit}" || return 1
        done
    done
    cp "$build/mapbench" "$scratch/$name/mapbench"
    ln -sf "$(realpath "$build/libmemcount.so")" "$scratch/$name/libmemcount.so"
}

# overlay NAME FILE SED: $scratch/NAME.include/FILE, changed; fails where nothing changes.
overlay() {
    local to=$scratch/$1.include/$2
    mkdir -p "$(dirname "$to")"
    sed "$3" "$2" >"$to"
    ! cmp -s "$2" "$to" || { echo "overlay $1: '$3' changes nothing in $2" >&2; return 1; }
}

# in_lookups TEXT: the sed expression for harness/unit/loops.inc that puts a line of assembly into every lookup.
in_lookups() { printf '/^LOOP_INLINE const map_val \\*unit_get(/a\\    __asm__ volatile("%s");' "$1"; }

# gate_of PROGRAM ARG ...: the counting gate with a program that does not stand in a build folder.
gate_of() {
    local program=$1
    shift
    MAPBENCH=$program PYTHONPATH=. "${MAPBENCH_PYTHON:-/usr/bin/python3}" -B -m judge gate count "$@"
}
