# shellcheck shell=bash disable=SC2154
# What the shell tests share: a scratch folder that goes away, counted checks, and what a command must say. A test sources
# this, sets `mapbench` where it uses expect or refused, and ends with finish.
failed=0 passed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
    printf 'FAILED: %s\n' "$*"
    failed=$((failed + 1))
}
pass() { passed=$((passed + 1)); }

# gives CODE PATTERN COMMAND...: the exit code, and a line of the output that matches; the output stays in $scratch/output.
gives() {
    local code=$1 pattern=$2 got=0
    shift 2
    "$@" >"$scratch/output" 2>&1 || got=$?
    if [[ $got != "$code" ]]; then
        fail "$*: exit $got, expected $code: $(tail -n 20 "$scratch/output")"
    elif ! grep -qE -- "$pattern" "$scratch/output"; then
        fail "$*: nothing matches '$pattern' in: $(tail -n 20 "$scratch/output")"
    else
        pass
    fi
}

# expect CODE PATTERN ARGS...: what mapbench gives.
expect() { gives "$1" "$2" "$mapbench" "${@:3}"; }

# check WHAT COMMAND...: the command succeeds; the end of what it says otherwise.
check() {
    local what=$1
    shift
    if "$@" >"$scratch/output" 2>&1; then pass; else fail "$what: $(tail -c 600 "$scratch/output")"; fi
}

# refused WORD ARGS...: mapbench ends with 2 and one line on the standard error, which has the word.
refused() {
    local word=$1 said status=0
    shift
    said=$("$mapbench" "$@" 2>&1 >/dev/null) || status=$?
    if [[ $status == 2 && $said == *"$word"* && $(wc -l <<<"$said") == 1 ]]; then
        pass
    else
        fail "$*: exit $status, expected 2 and a line with '$word': $said"
    fi
}

# The last line of a test: what was counted, and the exit code.
finish() {
    echo "$passed passed, $failed failed"
    [[ $failed == 0 ]]
}

# is_gone PID: it ends, if not at once; who is to collect it may take time.
is_gone() {
    local i state
    for ((i = 0; i < 1200; i++)); do
        state=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null)
        [[ ! $state || $state == Z* ]] && return
        sleep 0.05
    done
    return 1
}
