#!/usr/bin/env bash
# Runs every test, JOBS of them at a time, a line each with its seconds by the clock and of processors, and prints what the
# failing ones printed.
#   tests/run_all.sh BUILD [PATTERN]     PATTERN: an extended regular expression on the names printed
# A test that exits 77 is skipped: something it needs is missing here, its last line says what. What it leaves out in part it
# says in a line "skipped: REASON". With CI=true either counts as a failure.
# A limit is on processor time (tests/support/within.c), so that a busy machine fails no test, and several times what is
# used on an idle one, as cores and caches that are shared stretch processor time, too; a test that needs more than
# LIMIT says so in its head: "Processor time: at most N s." The limit by the clock, for what waits for ever, is CLOCK times it.
# Variables: JOBS (compilations and tests at once), CLOCK, CC, CXX, CLANG as for make.
set -uo pipefail

cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
[[ $# -ge 1 ]] || { echo "usage: tests/run_all.sh BUILD [PATTERN]" >&2; exit 2; }
build=${1%/} pattern=${2:-.} jobs=${JOBS:-2}
LIMIT=300 BUILD_LIMIT=3600 CLOCK=${CLOCK:-12}
export MAPBENCH_BUILD=$build
matched=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/drawn"
export MAPBENCH_DRAWN=$scratch/drawn # figures that several tests look at (tests/support/plot_test_tools.py)
trap 'kill $(jobs -rp) 2>/dev/null; exit 130' INT TERM
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

# The reasons of what a test left out, from what it printed, "; " between them. False: it gave none for something. A test in C
# prints it before cmocka's line "[  SKIPPED ] NAME".
left_out() { # LOG
    awk '/^\[ RUN / { reason = 0 }
         sub(/^skipped: */, "") { reason = 1; if (!seen[$0]++) text = text (text ? "; " : "") $0; if ($0 == "") bare = 1 }
         /^\[  SKIPPED \] [^ ]+$/ && running { if (!reason) bare = 1 }
         { running = !/^\[==========\] / && (running || /^\[ RUN /) }
         END { print text; exit bare }' "$1"
}

# run_one NAME LIMIT_SECONDS COMMAND ...
run_one() {
    local name=$1 limit=$2 status=0 log seconds cpu missing
    shift 2
    log=$(mktemp -p "$scratch")
    "$build/tests/within" "$limit" $((limit * CLOCK)) "$log.used" "$@" >"$log" 2>&1 </dev/null || status=$?
    read -r seconds cpu <"$log.used"
    if [[ $status == 77 ]]; then
        missing=$(tail -n 1 "$log")
        missing=${missing#skipped: }
        [[ $missing ]] && skip "$name" "$missing" && return 1
        report FAIL "$name" "$seconds" "$cpu" "skipped without a reason"
    elif [[ $status != 0 ]]; then
        report FAIL "$name" "$seconds" "$cpu" "status $status" "$log"
    elif ! missing=$(left_out "$log"); then
        report FAIL "$name" "$seconds" "$cpu" "skipped in part without a reason" "$log"
    elif [[ $missing && ${CI:-} == true ]]; then
        report FAIL "$name" "$seconds" "$cpu" "skipped in part (CI=true: nothing may be missing): $missing"
    else
        report ok "$name" "$seconds" "$cpu" "${missing:+skipped in part: $missing}" && return
    fi
    return 1
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

# The limit that a test names in its head.
limit_of() { # FILE
    local seconds
    seconds=$(sed -n '1,20s/.*Processor time: at most \([0-9]*\) s\..*/\1/p' "$1")
    echo "${seconds:-$LIMIT}"
}

# --- building -------------------------------------------------------------------------------------------------------

c_names() { basename -s .c tests/test_*.c; }

# build_tests NAME BUILD PREFIX [WORD ...]: the program, and what of the tests in C is wanted; alone, since what follows needs
# it. A test that does not build fails alone. False: the program does not build. The words are for make.
declare -A unbuilt # program of a test: the first error
build_tests() {
    local name=$1 into=$2 prefix=$3 goals=("$2/mapbench") test status=0 log=$scratch/build.log seconds cpu goal lost=()
    shift 3
    for test in $(c_names); do [[ $prefix$test =~ $pattern ]] && goals+=("$into/tests/$test"); done
    [[ ${#goals[@]} -gt 1 || -z $prefix || $name =~ $pattern ]] || return 1
    [[ $name =~ $pattern ]] && matched=$((matched + 1))
    LC_ALL=C "$build/tests/within" $BUILD_LIMIT $((BUILD_LIMIT * CLOCK)) "$log.used" \
        make --no-print-directory -k -O "-j$jobs" BUILD="$into" "$@" "${goals[@]}" >"$log" 2>&1 </dev/null || status=$?
    read -r seconds cpu <"$log.used"
    for goal in "${goals[@]}"; do
        # An older program may be there still: make's word counts. It has two, for a goal's own recipe and for what it stands on.
        [[ $status == 0 || (-e $goal && $(<"$log") != *"Target '$goal' not remade"* && $(<"$log") != *": $goal] Error "*) ]] || lost+=("$goal")
    done
    for goal in "${lost[@]}"; do unbuilt[$goal]=$(first_error "(tests/)?$(basename "$goal")\\.c" "$log"); done
    if [[ ${unbuilt[$into/mapbench]:-} ]] || [[ $status != 0 && ${#lost[@]} == 0 ]]; then
        report FAIL "$name" "$seconds" "$cpu" "status $status" "$log"
        return 1
    fi
    report ok "$name" "$seconds" "$cpu" "${lost[*]:+without ${#lost[@]} tests that do not build}" "$(warned "$log")"
}

# build_units NAME BUILD [WORD ...]: all units, or those of SELECT, before tests ask for them one by one. One that does not
# compile fails alone; an adapter's is left out: its library and this compiler do not go together. The words are for make.
build_units() {
    local name=$1 into=$2 log=$scratch/units.log status=0 seconds cpu file unit
    shift 2
    wanted "$name" || return 0
    "$build/tests/within" $BUILD_LIMIT $((BUILD_LIMIT * CLOCK)) "$log.used" \
        make --no-print-directory -k JOBS="$jobs" BUILD="$into" "$@" units >"$log" 2>&1 </dev/null || status=$?
    read -r seconds cpu <"$log.used"
    for file in "$into"/units/*.failed; do
        [[ -e $file ]] || break
        unit=$(basename "$file" .failed)
        if [[ -e maps/adapters/${unit%%-*}.h ]]; then
            skip "$name $unit" "does not compile: $(<"$file")"
        else
            report FAIL "$name $unit" 0 0 "does not compile: $(<"$file")"
        fi
        status=0
    done
    if [[ $status == 0 ]]; then report ok "$name" "$seconds" "$cpu" "" "$(warned "$log")"; else report FAIL "$name" "$seconds" "$cpu" "status $status" "$log"; fi
}

# Names a file of what compilers warned of, where they did: a newer compiler's warning is shown, and fails nothing.
warned() { # LOG
    if grep -E '(^|: )[Ww]arning: ' "$1" >"$1.warned"; then echo "$1.warned"; fi
}

# The compiler's or linker's first error about a file, or its first one at all.
first_error() { # FILE_PATTERN LOG
    grep -m 1 -E "^$1:.*error" "$2" || grep -m 1 -E "$1.*undefined reference" "$2" ||
        grep -m 1 -E 'error|undefined reference|No rule to make target' "$2" || tail -n 1 "$2"
}

# c_test NAME BUILD PROGRAM [ARGUMENT ...]
c_test() {
    local name=$1 program=$2/tests/$3 limit
    limit=$(limit_of "tests/$3.c")
    shift 3
    if [[ ${unbuilt[$program]:-} ]]; then
        wanted "$name" && report FAIL "$name" 0 0 "does not build: ${unbuilt[$program]}"
    else
        check "$name" "$limit" "$program" "$@"
    fi
}

# --- what there is --------------------------------------------------------------------------------------------------

# The python that can draw, where there is one: the first in PATH may lack the packages that Debian's own has.
find_python() {
    local candidate
    for candidate in python3 /usr/bin/python3 /usr/local/bin/python3; do
        "$candidate" -c 'import matplotlib, numpy' 2>/dev/null && { echo "$candidate"; return; }
    done
    return 1
}

# By unittest, which calls no tests at all a success, and does not repeat at its end why it skipped some. What the python here
# lacks of the packages that are no part of it is a reason to skip.
run_python() {
    local python=$1 file=$2 output status=0 module
    output=$(PYTHONPATH=.:tests/support "$python" -B -m unittest -v "$file" 2>&1) || status=$?
    sed -E "s/^(.*\.\.\. )?skipped ['\"](.*)['\"]$/skipped: \2/" <<<"$output"
    # Python 3.12 and later end with 5 where no test ran.
    if [[ $status != 0 && ! ($status == 5 && $output =~ Ran\ 0) ]]; then
        for module in matplotlib numpy scipy jsonschema yaml; do
            [[ $output == *"No module named '$module'"* ]] || continue
            "$python" -c "import $module" 2>/dev/null || { echo "no python3 with $module (make deps-test)"; return 77; }
        done
    elif [[ $output =~ Ran\ 0 ]]; then
        echo "$output" | sed -nE "s/^(.*\.\.\. )?skipped ['\"](.*)['\"]$/\2/p" | tail -n 1 | grep . || { echo "no test in $file"; return 1; }
        return 77
    fi
    return "$status"
}

shell_scripts() {
    find . \( -path ./.git -o -path ./deps -o -path './build*' -o -path ./results \) -prune -o -type f -print | while read -r file; do
        if [[ $file == *.sh ]] || head -n 1 "$file" 2>/dev/null | tr -d '\0' | grep -Eq '^#!.*[/ ](ba|da)?sh( |$)'; then echo "$file"; fi
    done
}

# Every map with integers and strings, ours with long values, every heap, and what only Go's maps have to do.
sanitized_units='.*-(u64_u64|str_u64)-common-(malloc|refcount|gosim)|(go_.*|stb_ds|judy)-u64_u64-native-malloc|go_hmap_notop-.*|go_swiss_split-.*|.*-(s16|any|f64)_u64-.*-malloc|(linear|robin_hood|chained|swiss_flat|tagline(_bounded)?|dense|go_[[:lower:]]*)-u64_b56-common-malloc|.*-u64_u64-common-.*|go_(swiss|hmap)-(u64_b129|str_str|str_slice|any_ptr)-.*-gosim'

sanitized() { grep -q 'fsanitize' "$1/gen/build_info.h" 2>/dev/null; }

# c_tests BUILD PREFIX: all of them, the long one last. The memory counter and a sanitizer's allocator exclude each other.
c_tests() {
    local name
    for name in $(c_names | grep -v '^test_units$'); do
        [[ $name == test_memcount ]] && sanitized "$1" && continue
        c_test "$2$name" "$1" "$name"
    done
}

# --- the tests ------------------------------------------------------------------------------------------------------

make --no-print-directory BUILD="$build" "$build/tests/within" >"$scratch/within.log" 2>&1 ||
    { cat "$scratch/within.log" >&2; echo "tests/support/within.c does not build: nothing can be run" >&2; exit 1; }
build_tests build-tests "$build" "" || { echo "the program does not build: nothing can be tested" >&2; exit 1; }
build_units build-units "$build"
c_tests "$build" ""
if sanitized "$build"; then
    c_test test_units "$build" test_units "" 1 12000
else
    c_test test_units "$build" test_units
    for script in tests/test_*.sh; do
        [[ -e $script ]] && check "$(basename "$script" .sh)" "$(limit_of "$script")" "$script" "$build"
    done
    python=$(find_python) || python=python3
    for script in tests/test_*.py; do
        [[ -e $script ]] || continue
        name=$(basename "$script" .py)
        need "$name" "$python" && check "$name" "$(limit_of "$script")" bash -c "$(declare -f run_python); run_python \"\$@\"" - "$python" "$script"
    done
    mapfile -t scripts < <(shell_scripts)
    need shellcheck shellcheck && check shellcheck "$LIMIT" shellcheck -x "${scripts[@]}"
    need clang "${CLANG:-clang}" && check clang "$BUILD_LIMIT" make --no-print-directory -k "-j$jobs" BUILD="$build" clang-check
    # The same program and tests with every access and every overflow checked.
    # Of the units those that differ in code of ours: make test SANITIZE=address,undefined takes all.
    if build_tests asan-build "$build/asan" "asan " SANITIZE=address,undefined; then
        build_units asan-units "$build/asan" SANITIZE=address,undefined SELECT="$sanitized_units"
        c_test "asan test_units" "$build/asan" test_units "^(${sanitized_units//-//})\$" 1 9000
        c_tests "$build/asan" "asan "
    fi
fi

wait
[[ $matched -gt 0 ]] || { echo "no test matches \"$pattern\"" >&2; exit 6; }
count() { grep -cx "$1" "$verdicts"; }
echo "$(count ok) passed, $(count FAIL) failed, $(count skip) skipped"
[[ $(count FAIL) == 0 ]]
