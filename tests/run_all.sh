#!/usr/bin/env bash
# Runs every test, JOBS of them at a time, a line each with its seconds by the clock and of processors, and prints what the
# failing ones printed.
#   tests/run_all.sh BUILD [PATTERN]     PATTERN: an extended regular expression on the names printed
# A test that exits 77 is skipped: something it needs is missing here. With CI=true that counts as a failure.
# Variables: JOBS (compilations and tests at once), CC, CXX, CLANG as for make.
set -uo pipefail

cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
[[ $# -ge 1 ]] || { echo "usage: tests/run_all.sh BUILD [PATTERN]" >&2; exit 2; }
build=${1%/} pattern=${2:-.} jobs=${JOBS:-2}
export MAPBENCH_BUILD=$build
matched=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
verdicts=$scratch/verdicts # one word a test: those that run side by side have no variables in common
: >"$verdicts"

# --- running one ----------------------------------------------------------------------------------------------------

# report VERDICT NAME SECONDS CPU_SECONDS REASON [LOG]: in one write, so that tests side by side do not mix their lines.
report() {
    local text
    printf -v text '%-5s %6.1f s %6.1f cpu  %s%s\n' "$1" "$3" "$4" "$2" "${5:+: $5}"
    [[ -z ${6:-} ]] || text+=$(sed 's/^/    | /' "$6")$'\n'
    printf '%s' "$text"
    echo "$1" >>"$verdicts"
}

skip() { # NAME REASON
    if [[ ${CI:-} == true ]]; then
        report FAIL "$1" 0 0 "$2 (CI=true: nothing may be missing)"
    else
        report skip "$1" 0 0 "$2"
    fi
}

wanted() {
    [[ $1 =~ $pattern ]] || return 1
    matched=$((matched + 1))
}

# run_one NAME LIMIT_SECONDS COMMAND ...
run_one() {
    local name=$1 limit=$2 status=0 log seconds cpu TIMEFORMAT='%R %U %S'
    shift 2
    log=$(mktemp -p "$scratch")
    { time timeout --kill-after=10 "$limit" "$@" >"$log" 2>&1 </dev/null; } 2>"$log.time" || status=$?
    read -r seconds cpu < <(awk '{ print $1, $2 + $3 }' "$log.time")
    case $status in
    0) report ok "$name" "$seconds" "$cpu" "" && return ;;
    77) skip "$name" "$(tail -n 1 "$log")" ;;
    *)
        [[ $status == 124 || $status == 137 ]] && echo "stopped after $limit s" >>"$log"
        report FAIL "$name" "$seconds" "$cpu" "status $status" "$log"
        ;;
    esac
    return 1
}

# build_first NAME LIMIT_SECONDS COMMAND ...: alone, since what follows needs it.
build_first() {
    wanted "$1" || return 0
    run_one "$@"
}

# check NAME LIMIT_SECONDS COMMAND ...: beside others.
check() {
    wanted "$1" || return 0
    while [[ $(jobs -rp | wc -l) -ge $jobs ]]; do wait -n; done
    run_one "$@" &
}

# need NAME TOOL: true if the tool is there; otherwise the test is skipped. Asks only for tests that are to run.
need() {
    [[ $1 =~ $pattern ]] || return 1
    command -v "$2" >/dev/null && return 0
    wanted "$1"
    skip "$1" "$2 is not installed (make deps-test)"
    return 1
}

# --- what there is --------------------------------------------------------------------------------------------------

# The python that can draw: the first in PATH may lack the packages that Debian's own has.
find_python() {
    local candidate
    for candidate in python3 /usr/bin/python3 /usr/local/bin/python3; do
        "$candidate" -c 'import matplotlib, numpy' 2>/dev/null && { echo "$candidate"; return; }
    done
    return 1
}

# A python file is run as it is when it says how, otherwise by unittest, which calls no tests at all a success.
run_python() {
    local python=$1 file=$2 how=() output status=0
    grep -q '^if __name__ == ' "$file" || how=(-m unittest)
    output=$(PYTHONPATH=tests/support "$python" -B "${how[@]}" "$file" 2>&1) || status=$?
    printf '%s\n' "$output"
    [[ $output =~ Ran\ [1-9] ]] || { echo "no test in $file"; return 1; }
    [[ ${CI:-} != true || $output != *skipped=* ]] || { echo "CI=true: nothing may be skipped"; return 1; }
    return "$status"
}

shell_scripts() {
    find . \( -path ./.git -o -path ./deps -o -path './build*' -o -path ./results \) -prune -o -type f -print | while read -r file; do
        if [[ $file == *.sh ]] || head -n 1 "$file" 2>/dev/null | tr -d '\0' | grep -Eq '^#!.*[/ ](ba|da)?sh( |$)'; then echo "$file"; fi
    done
}

# Every map with integers and strings, ours with long values, every heap, and what only Go's maps have to do.
sanitized_units='.*-(u64_u64|str_u64)-common-(malloc|refcount|gosim)|(go_.*|stb_ds|judy)-u64_u64-native-malloc|go_hmap_notop-.*|(linear|robin_hood|chained|swiss_flat|dense|go_[a-z]*)-u64_b56-common-malloc|.*-u64_u64-common-.*|go_(swiss|hmap)-(u64_b129|str_str|str_slice|any_ptr)-.*-gosim'

sanitized() { grep -q 'fsanitize' "$1/gen/build_info.h" 2>/dev/null; }

# c_tests BUILD PREFIX: all of them, the long one last. The memory counter and a sanitizer's allocator exclude each other.
c_tests() {
    local name
    for name in $(basename -s .c tests/test_*.c | grep -v '^test_units$'); do
        [[ $name == test_memcount ]] && sanitized "$1" && continue
        check "$2$name" 120 "$1/tests/$name"
    done
}

# --- the tests ------------------------------------------------------------------------------------------------------

build_first build-tests 600 make --no-print-directory "-j$jobs" BUILD="$build" "$build/mapbench" build-tests
c_tests "$build" ""
if sanitized "$build"; then
    check test_units 400 "$build/tests/test_units" "" 1 12000
else
    check test_units 300 "$build/tests/test_units"
    for script in tests/test_*.sh; do
        [[ -e $script ]] && check "$(basename "$script" .sh)" 300 "$script" "$build"
    done
    python=$(find_python) || python="python3 with matplotlib and numpy"
    for script in tests/test_*.py; do
        [[ -e $script ]] || continue
        name=$(basename "$script" .py)
        need "$name" "$python" && check "$name" 300 bash -c "$(declare -f run_python); run_python \"\$@\"" - "$python" "$script"
    done
    mapfile -t scripts < <(shell_scripts)
    need shellcheck shellcheck && check shellcheck 120 shellcheck -x "${scripts[@]}"
    need clang "${CLANG:-clang}" && check clang 200 make --no-print-directory -k "-j$jobs" BUILD="$build" clang-check
    # The same program and tests with every access and every overflow checked.
    # Of the units those that differ in code of ours: make test SANITIZE=address,undefined takes all.
    if build_first asan-build 500 make --no-print-directory "-j$jobs" BUILD="$build/asan" SANITIZE=address,undefined SELECT="$sanitized_units" "$build/asan/mapbench" build-tests; then
        check "asan test_units" 300 "$build/asan/tests/test_units" "" 1 9000
        c_tests "$build/asan" "asan "
    fi
fi

wait
[[ $matched -gt 0 ]] || { echo "no test matches \"$pattern\"" >&2; exit 6; }
count() { grep -cx "$1" "$verdicts"; }
echo "$(count ok) passed, $(count FAIL) failed, $(count skip) skipped"
[[ $(count FAIL) == 0 ]]
