#!/bin/sh
# A stand-in for mapbench in tests of the night. $FAKE_PLAN is a folder with a folder for each step (run, count, retain,
# compare, report, "history add", "history changes"), whose files say what the step does: print (what it prints), exit (its
# code), json and junit (what it writes where --json and --junit say), run.json, rows.jsonl and retention.jsonl (the folder of
# --out), signal (the signal that ends it), children (it starts one and waits). Every call is noted in $FAKE_PLAN/calls.
echo "$*" >>"$FAKE_PLAN/calls"
case $1 in
gate) step=$FAKE_PLAN/count ;;
history) step="$FAKE_PLAN/$1 $2" ;;
*) step=$FAKE_PLAN/$1 ;;
esac
if [ -f "$step/print" ]; then cat "$step/print"; else echo "$1 of the stand-in"; fi
if [ -f "$step/children" ]; then
    sleep 600 &
    echo "$! $$" >"$FAKE_PLAN/pids"
    wait
fi
[ ! -f "$step/signal" ] || kill -s "$(cat "$step/signal")" $$
while [ $# -gt 1 ]; do
    case $1 in
    --json) [ ! -f "$step/json" ] || cp "$step/json" "$2" ;;
    --junit) [ ! -f "$step/junit" ] || cp "$step/junit" "$2" ;;
    --out) [ ! -f "$step/run.json" ] || { mkdir "$2" && cp "$step/run.json" "$step/rows.jsonl" "$step/retention.jsonl" "$2"; } ;;
    esac
    shift
done
[ ! -f "$step/exit" ] || exit "$(cat "$step/exit")"
