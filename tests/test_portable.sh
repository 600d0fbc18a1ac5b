#!/usr/bin/env bash
# swiss_flat without SSE2 or NEON: the portable groups must pass the same selftest, for every shape.
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
for shape in "${shapes[@]}"; do
    if output=$(unit_run "swiss_flat_$shape" maps/swiss_flat.h "$shape" -DSWISS_PORTABLE 2>&1); then
        echo "ok    $shape"
    else
        echo "FAIL  $shape: $output"
        failed=1
    fi
    # Else the flag had no effect and the test tried the vector groups again. At -O1 nothing is vectorised by itself.
    if [[ $(uname -m) == x86_64 ]] && objdump -d "$scratch/swiss_flat_$shape.o" | grep -q pcmpeqb; then
        echo "FAIL  $shape: compiled with -DSWISS_PORTABLE it still compares groups with SSE2"
        failed=1
    fi
done
exit $failed
