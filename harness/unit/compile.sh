#!/usr/bin/env bash
# Compiles or links one unit:  harness/unit/compile.sh OUTPUT COMMAND...     COMMAND is given -o and a file name besides.
#
# OUTPUT appears only when it is whole. On failure what the compiler said stays in OUTPUT's name with .log in place of its
# ending, and the first error of it, one line, in .failed: the runner names it (harness/unit/build.c).
set -u
output=$1 stem=${1%.*}
shift
if "$@" -o "$output.part" >"$stem.log" 2>&1; then
    # What was compiled with warnings says so.
    if [ -s "$stem.log" ]; then cat "$stem.log" >&2; else rm -f "$stem.log"; fi
    rm -f "$stem.failed"
    exec mv -f "$output.part" "$output"
fi
status=$?
rm -f "$output.part" "$output"
[ "$status" -lt 128 ] || echo "$1 was ended by signal $((status - 128))" >>"$stem.log"
cat "$stem.log" >&2
{ grep -m 1 -E '(error|fatal|Error|cannot|signal|not found|No space)' "$stem.log" || tail -n 1 "$stem.log"; } >"$stem.failed"
exit 1
