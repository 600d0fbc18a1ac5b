#!/usr/bin/env bash
# Compiles what the program says of a map:  harness/unit/head.sh OBJECT MAP_FILE "PLAIN COMPILE" COMMAND...
# If the map does not compile, OBJECT says so with the compiler's first error line, made by PLAIN COMPILE of C.
set -u
object=$1 file=$2 plain=$3
shift 3
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
if "$@" -o "$object" 2>"$log"; then
    cat "$log" >&2
    exit 0
fi
cat "$log" >&2
why=$(grep -m 1 -E 'error|signal' "$log" | sed 's/["\\]//g')
for word in "$@"; do
    case $word in -DHEAD_SYMBOL=*) symbol=$word ;; esac
done
# Compiled again when a source of it changes; where not even those are known, at the next make.
"$@" -E -o /dev/null 2>/dev/null || echo "$object: $file FORCE" >"${object%.o}.d"
# shellcheck disable=SC2086 # words
$plain "$symbol" "-DHEAD_BROKEN=\"${why:-no reason is known}\"" -c harness/unit/map_head.c -o "$object"
