#!/usr/bin/env bash
# Memory while growing: what the ports' structure would occupy in Go against what Go's heap held, for each size and each
# pair of types that was recorded (tests/fixtures/go/memcurves.txt), within 0.1 %.
#   tests/test_go_memcurve.sh BUILD
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
fixture=tests/fixtures/go/memcurves.txt
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0 curves=0

# curve PORT TYPE VALUE_TYPE HAS_POINTERS; the port of a release is go_swiss@RELEASE.
curve() {
    local flags=(-std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Werror -O2 -I. "-DVALUE_TYPE=$3" "-DVALUE_HAS_POINTERS=$4")
    [[ $1 == go_swiss@* ]] && flags+=(-DPORT_SWISS "-DMAP_RELEASE=${1/#go_swiss@1./1}")
    curves=$((curves + 1))
    "${CC:-gcc}" "${flags[@]}" tests/support/go_memcurve.c -lm -o "$scratch/curve" &&
        "$scratch/curve" "$fixture" "$1" "$2" && return
    failures=$((failures + 1))
}

for port in go_hmap go_swiss@1.24 go_swiss@1.27; do
    # A Go struct that ends with a field of no size is padded, as a slot of the Swiss map is; a bucket ends otherwise.
    empty='struct { int none[0]; }'
    [[ $port == go_swiss@* ]] && empty='struct { uint64_t padding; }'
    curve "$port" 'u64,u64' uint64_t 0
    curve "$port" 'u64,struct{}' "$empty" 0
    curve "$port" 'u64,[128]byte' 'struct { uint8_t byte[128]; }' 0
    curve "$port" 'u64,[129]byte' 'struct { uint8_t byte[129]; }' 0
    curve "$port" 'u64,string' 'struct { const char *text; size_t len; }' 1
    curve "$port" 'u64,*T(nil)' 'void *' 1
done
recorded=$(grep -c '^curve ' "$fixture")
[[ $recorded == "$curves" ]] || { echo "FAIL: $curves curves compared, $recorded recorded"; exit 1; }
[[ $failures == 0 ]] || { echo "FAIL: $failures curves differ from Go's by more than 0.1 %"; exit 1; }
