#!/usr/bin/env bash
# The maps of this project and the Go ports on AArch64: compiled by a cross compiler, every warning an error, and put
# through the selftest with random operations under qemu, on malloc and, where a map describes its types, on gosim.
#   tests/test_aarch64.sh BUILD [PATTERN]     PATTERN: of MAP-SHAPE-HASH-HEAP
#
# What it shows: NEON's half of maps/group.h and of tagline.h, code without SSE2 and AES elsewhere, alignment, char that is unsigned. What it
# cannot show: qemu on x86 runs loads and stores in x86's order, so a missing acquire or release of the sync maps would not
# be seen here; that they are compiled to acquire loads and release stores is looked up in their code.
set -euo pipefail

cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.."
build=$(realpath "${1:?usage: tests/test_aarch64.sh BUILD [PATTERN]}")
pattern=${2:-.}
triplet=aarch64-linux-gnu
for tool in $triplet-gcc $triplet-objdump qemu-aarch64; do
    command -v "$tool" >/dev/null || {
        echo "$tool is missing: make deps-test (gcc-$triplet, libc6-dev-arm64-cross, qemu-user)"
        exit 77
    }
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

operations=100000
cc=("$triplet-gcc" -std=gnu17 -D_GNU_SOURCE -O1 -Wall -Wextra -Wshadow -Werror -Wno-format-truncation -DMAPBENCH_FAULTS
    -I. "-I$build/gen")

compile() { "${cc[@]}" -c "$@"; }

# The selftest, the shapes and the collecting heap: the program around every unit.
i=0
for source in harness/selftest/{selftest,key_sets,loops,failing_memory,mirror,model}.c harness/heaps/{fault,gosim_own}.c \
    harness/heaps/gosim/*.c harness/shapes/shape.c harness/base/why.c tests/mutants/run_unit.c; do
    i=$((i + 1))
    compile "$source" -o "$scratch/program$i.o"
done
mapfile -t shapes < <(awk -f harness/unit/expand_units.awk -v as=shapes harness/shapes/shapes.def)
for shape in "${shapes[@]}"; do
    compile -Wno-unused-function "-DSHAPE_FILE=\"harness/shapes/$shape.h\"" "-DSHAPE_SYMBOL=shape_$shape" \
        harness/shapes/shape_unit.c -o "$scratch/program_$shape.o"
done

failed=0
fail() {
    echo "FAIL  $*"
    failed=1
}

# unit MAP SHAPE HASH HEAP FILE
unit() {
    local name=$1-$2-$3-$4 output
    [[ $name =~ $pattern ]] || return 0
    compile -Wno-unused-function -DUNIT_SYMBOL=unit_under_test "-DUNIT_MAP=\"$1\"" "-DUNIT_MAP_FILE=\"$5\"" \
        "-DUNIT_SHAPE_FILE=\"harness/shapes/$2.h\"" "-DUNIT_HEAP_FILE=\"harness/heaps/$4.h\"" "-DUNIT_HASH=\"$3\"" \
        "-DUNIT_HASH_$3" harness/unit/map_unit.c -o "$scratch/$name.o" || { fail "$name does not compile"; return 0; }
    # What glibc says of dlsym in a static program does not matter: nothing is preloaded.
    "$triplet-gcc" -static "$scratch/$name.o" "$scratch"/program*.o -o "$scratch/$name" -lm -lpthread 2>"$scratch/link" ||
        { cat "$scratch/link"; fail "$name does not link"; return 0; }
    if output=$(qemu-aarch64 "$scratch/$name" 1 "$operations" 2>&1) && [[ $output == passed ]]; then
        echo "ok    $name: seed 1, $operations operations"
    else
        fail "$name: $output"
    fi
}

# contains NAME INSTRUCTION WHAT: the unit's code has the instruction.
contains() {
    [[ -f $scratch/$1.o ]] || return 0
    "$triplet-objdump" -d "$scratch/$1.o" >"$scratch/code"
    grep -qE "[[:space:]]$2[[:space:]]" "$scratch/code" || fail "$1: no $2 in its code: $3"
}

for map in tagline swiss_flat robin_hood linear dense chained; do
    unit $map u64_u64 common malloc maps/$map.h
    unit $map str_u64 common malloc maps/$map.h
done
unit go_swiss u64_u64 native malloc maps/go/swiss.h
unit go_swiss str_u64 native malloc maps/go/swiss.h
unit go_swiss u64_u64 native gosim maps/go/swiss.h
unit go_hmap u64_u64 native malloc maps/go/hmap.h
unit go_hmap str_u64 native malloc maps/go/hmap.h
unit go_hmap str_u64 native gosim maps/go/hmap.h
unit swiss_flat str_u64 common gosim maps/swiss_flat.h
unit tagline str_u64 common gosim maps/tagline.h
unit go_syncmap u64_u64 native malloc maps/go/syncmap.h
unit go_hashtrie u64_u64 native malloc maps/go/hashtrie.h

for map in tagline swiss_flat; do contains $map-u64_u64-common-malloc shrn "the groups are not NEON's"; done
for map in go_syncmap go_hashtrie; do
    contains $map-u64_u64-native-malloc 'ldar[bh]?' "lookups do not load with acquire"
    contains $map-u64_u64-native-malloc 'stlr[bh]?' "stores are not with release"
done

# The fuzz target of the header that others take; it needs nothing of this program.
for variant in "" -DFUZZ_SET -DFUZZ_ODD; do
    name=fuzz-tagline$variant output="does not compile"
    [[ $name =~ $pattern ]] || continue
    if "${cc[@]}" -static ${variant:+"$variant"} tests/fuzz/tagline.c -o "$scratch/fuzz" &&
        output=$(qemu-aarch64 "$scratch/fuzz" 1 8 2>&1) && [[ $output == *"passed: "*NEON ]]; then
        echo "ok    $name: seeds 1 to 8"
    else
        fail "$name: $output"
    fi
done
exit $failed
