# shellcheck shell=bash disable=SC2154
# For the scripts that plant a change into units and link a whole mapbench with them, compiled exactly as the others. They
# set `build` (a finished build, as a path from the project's folder) and `scratch` (a folder of theirs), and stand in the
# project's folder.

# make_says WHAT FILE: the command by which make would build FILE again.
make_says() {
    make -n --no-print-directory -W "$1" BUILD="$build" "$2" | grep -F -- "-o $2"
}

# program NAME OVERLAY UNIT ...: $scratch/NAME/mapbench, in which these units (MAP-SHAPE-HASH-HEAP) are compiled with the
# folder OVERLAY searched for headers before all others. The memory counter stands beside it.
program() {
    local name=$1 overlay=$2 unit compile link
    shift 2
    mkdir -p "$scratch/$name"
    link=$(make_says "$build/units/$1.o" "$build/mapbench") || { echo "make does not say how $build/mapbench is linked" >&2; return 1; }
    link=${link/-o $build\/mapbench/-o $scratch/$name/mapbench}
    for unit in "$@"; do
        compile=$(make_says harness/unit/map_unit.c "$build/units/$unit.o") || { echo "make does not say how $unit is compiled" >&2; return 1; }
        compile=${compile/ -I. / -I$overlay -I. }
        bash -c "${compile/-o $build\/units\/$unit.o/-o $scratch/$name/$unit.o}" || return 1
        link=${link/$build\/units\/$unit.o/$scratch/$name/$unit.o}
    done
    bash -c "$link" || return 1
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
