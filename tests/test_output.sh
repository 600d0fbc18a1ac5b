#!/usr/bin/env bash
# Every command says why it could not print, and ends with 4. usage: test_output.sh BUILD
set -u
mapbench=$(realpath "$1")/mapbench
# shellcheck source=tests/support/shell_tools.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")"/support/shell_tools.sh

# full CODE ARGS...: on a full disk the reason is the disk's, in one line.
full() {
    local code=$1 said status=0
    shift
    said=$("$mapbench" "$@" 2>&1 >/dev/full) || status=$?
    if [[ $status == "$code" && $said == *"cannot write the output: No space left on device"* ]]; then
        pass
    else
        fail "$*: exit $status, expected $code and the reason: $said"
    fi
}

full 4 list maps
full 4 list maps --json
full 4 list workloads
full 4 explain linear
full 4 plan smoke
full 4 plan smoke --json
full 4 doctor --quick
full 4 doctor --quick --json
full 4 selftest --filter '^linear/u64_u64/common/malloc$'
full 4 run --maps linear --workloads get --n 1k --repeat 1 --batches 1 --figures no --record structure --out "$scratch/run"
full 4 retain substring_key --maps go_hmap --heap gosim --n 200 --figures no --out "$scratch/kept"
full 4 trace go_hmap --ops 'get 1..3'
full 4 explain go_hmap --layout
full 4 help

# An output that is closed.
status=0
said=$("$mapbench" list maps 2>&1 >&-) || status=$?
if [[ $status == 4 && $said == *"cannot write the output: Bad file descriptor"* ]]; then pass; else fail "closed: exit $status: $said"; fi

finish
