#!/usr/bin/env bash
# Compiles or links one unit:  harness/unit/compile.sh OUTPUT COMMAND...     COMMAND is given -o and a file name besides.
#
# OUTPUT appears only when it is whole. On failure what the compiler said stays in OUTPUT's name with .log in place of its
# ending, and the first error of it, one line, in .failed: the runner names it (harness/unit/build.c).
set -u
output=$1 stem=${1%.*}
shift
# A name of this process's own: two that make the same unit do not write into one file.
part=$output.$$.part
trap 'rm -f "$part"' EXIT
trap 'exit 130' INT TERM HUP
said=$("$@" -o "$part" 2>&1)
status=$?
if [ "$status" = 0 ]; then
    # What was compiled with warnings says so.
    if [ -n "$said" ]; then printf '%s\n' "$said" | tee "$stem.log" >&2; else rm -f "$stem.log"; fi
    rm -f "$stem.failed"
    mv -f "$part" "$output"
    exit
fi
rm -f "$output"
[ "$status" -lt 128 ] || said+="${said:+$'\n'}$1 was ended by signal $((status - 128)) (SIG$(kill -l $((status - 128))))"
printf '%s\n' "$said" | tee "$stem.log" >&2
{ grep -m 1 -E '(error|fatal|Error|cannot|signal|not found|No space)' <<<"$said" || tail -n 1 <<<"$said"; } >"$stem.failed"
# Which sources it would be made of is known although it does not compile: once one of them changes, it may.
[[ " $* " != *" -MMD "* ]] || "$@" -E -o /dev/null 2>/dev/null
exit 1
