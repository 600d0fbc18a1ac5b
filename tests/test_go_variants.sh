#!/usr/bin/env bash
# Variants of the ports against what they are variants of: go_swiss_split shows the traces of go_swiss, whose slots it has;
# go_hmap@1.21 makes its arrays as Go 1.21 did, and go_hmap does not. usage: test_go_variants.sh BUILD
set -u
build=$1
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
failed=0 compared=0
fail() {
    echo "FAILED: $*"
    failed=1
}
trace() {
    "$build/mapbench" trace "$@" --hashkey fc2fb07fe0fe8b32,446a852189cd650d,14ef517f8b7e0314,ab5226623a46c569 --seed 0xe05e6ae8b4d87f11
}

while read -r script; do
    for output in rows events digest bytes; do
        for kind in fast generic; do
            [[ $(trace go_swiss --ops "$script" --assign $kind --$output) == "$(trace go_swiss_split --ops "$script" --assign $kind --$output)" ]] ||
                fail "$script: --$output of go_swiss_split differs"
            compared=$((compared + 1))
        done
    done
done <<'END'
insert 0..8; delete 3..4; insert 20..22; insert 0..2; get 0..22
insert 0..9999; delete 1000..3999; insert 20000..24999; clone; delete 0..500; get 0..40000
make 2000; insert 0..1500; slide 1501 20000; clear; insert 7..40
insert 0..999; slide 1000 30000; delete 0..40000; clear; insert 0..99
END
[[ $compared == 32 ]] || fail "$compared traces compared"

# hints LOAD: make N with each hint of the record for map[uint64]uint64, and the B that must come out.
hints() { awk -v load="$1" '$1 == load && $2 == "uint64,uint64" && $5 <= 2^20 { print $4, $6; print $5, $6 }' tests/fixtures/go/classic_hints.txt; }
# made MAP LOAD: how many of these come out as recorded.
made() {
    local script
    script=$(hints "$2" | awk '{ printf "make %d;", $1 }')
    "$build/mapbench" trace "$1" --ops "$script" --digest | sed 's/.*"B":\([0-9]*\),.*/\1/' | paste -d ' ' - <(hints "$2" | cut -d ' ' -f 2) | awk '$1 == $2' | wc -l
}
for load in 12 13; do
    of[load]=$(hints $load | wc -l)
    [[ ${of[load]} -ge 30 ]] || fail "only ${of[load]} hints with a load of $load / 2"
done
[[ $(made go_hmap@1.21 12) == "${of[12]}" ]] || fail "go_hmap@1.21 makes other arrays than Go 1.21"
[[ $(made go_hmap_load6 12) == "${of[12]}" ]] || fail "go_hmap_load6 is not go_hmap@1.21"
[[ $(made go_hmap 13) == "${of[13]}" ]] || fail "go_hmap makes other arrays than Go 1.23"
[[ $(made go_hmap 12) -lt ${of[12]} ]] || fail "go_hmap makes the arrays of Go 1.21"
[[ $(made go_hmap@1.21 13) -lt ${of[13]} ]] || fail "go_hmap@1.21 makes the arrays of Go 1.23"

[[ $failed == 0 ]] || exit 1
echo "$compared traces of go_swiss_split are go_swiss's; ${of[12]} and ${of[13]} arrays are those of Go 1.21 and 1.23"
