#!/usr/bin/env bash
# swiss_flat and tagline without SSE2 or NEON: the portable groups must pass the same selftest, for every shape.
#   tests/test_portable.sh BUILD
set -euo pipefail

cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.."
build=$(realpath "${1:?usage: tests/test_portable.sh BUILD}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# shellcheck source=tests/mutants/unit.sh
source tests/mutants/unit.sh
unit_runner

failed=0
mapfile -t shapes < <(awk -f harness/unit/expand_units.awk -v as=shapes harness/shapes/shapes.def)
# portable MAP FLAG: the map's units with the flag.
portable() {
    local map=$1 flag=$2 shape output
    for shape in "${shapes[@]}"; do
        if output=$(unit_run "${map}_$shape" "maps/$map.h" "$shape" "-D$flag" 2>&1); then
            echo "ok    $map $shape"
        else
            echo "FAIL  $map $shape: $output"
            failed=1
        fi
        # Else the flag had no effect and the test tried the vector groups again. At -O1 nothing is vectorised by itself.
        if [[ $(uname -m) == x86_64 ]] && objdump -d "$scratch/${map}_$shape.o" | grep -q pcmpeqb; then
            echo "FAIL  $map $shape: compiled with -D$flag it still compares groups with SSE2"
            failed=1
        fi
    done
}
portable swiss_flat SWISS_PORTABLE
portable tagline TAGLINE_PORTABLE
exit $failed
