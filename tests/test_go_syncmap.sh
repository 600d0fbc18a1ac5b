#!/usr/bin/env bash
# `mapbench trace go_syncmap` against the states of a real sync.Map: scenarios A to D of tests/fixtures/go/syncmap_g123.txt as
# scripts. (E uses operations that the trace has no words for: tests/test_go_syncmap.c replays it too.)
# usage: test_go_syncmap.sh BUILD
set -u
mapbench=$1/mapbench
fixture=tests/fixtures/go/syncmap_g123.txt
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0 compared=0

# One scenario as a script, and what its rows must be. A store's value, which the script cannot choose, shows in no
# column; the results of loads of keys that were stored with another value than the key are left out.
# shellcheck disable=SC2016
program='
    function add(word) { ops = ops (ops == "" ? "" : ";") word }
    $1 == "scenario" { on = ($2 == which ":") ; next }
    !on || /^#/ { next }
    $1 == "Look" { expected[rows] = rest(); next }
    {
        split($2, ends, /\.\./)
        last = (2 in ends) ? ends[2] : ends[1]
        for (key = ends[1] + 0; key <= last + 0 && $1 != "Range"; key++) {
            rows++
            if ($1 == "Store") { own[key] = ($3 == "key"); add("store " key) }
            else if ($1 == "Load") add("load " key)
            else if ($1 == "Delete" || $1 == "LoadAndDelete") add("delete " key)
            else exit 1
            at[rows] = key
        }
        if ($1 == "Range") { rows++; add("range") }
        expected[rows] = rest()
        if ($1 == "Range") result[rows] = $4
        if ($1 == "Load" && ($4 == "nil,false" || own[$2])) result[rows] = ($4 == "nil,false") ? "<nil> false" : at[rows] " true"
        delete ends
    }
    function rest() { return $5 "," $6 "," $7 "," $8 "," $9 "," $10 }
    END {
        print ops > script
        for (i = 1; i <= rows; i++)
            if (i in expected && expected[i] !~ /\?/) print i "|" result[i] "|" expected[i] > wanted
    }'

for scenario in A B C D; do
    awk -v which="$scenario" -v script="$scratch/script" -v wanted="$scratch/wanted" "$program" "$fixture" || exit 1
    if ! "$mapbench" trace go_syncmap --ops "$(cat "$scratch/script")" --rows >"$scratch/rows" 2>"$scratch/error"; then
        echo "FAILED: scenario $scenario: $(cat "$scratch/error")"
        failed=$((failed + 1))
        continue
    fi
    header=$(head -n 1 "$scratch/rows")
    [[ $header == op,key,result,len_read,len_dirty,amended,misses,read_nil_entries,read_expunged_entries ]] ||
        { echo "FAILED: header: $header"; failed=$((failed + 1)); }
    while IFS='|' read -r row result state; do
        got=$(sed -n "$((row + 1))p" "$scratch/rows")
        got_state=$(cut -d, -f4- <<<"$got")
        got_result=$(cut -d, -f3 <<<"$got")
        compared=$((compared + 1))
        [[ $got_state == "$state" && (-z $result || $got_result == "$result") ]] && continue
        echo "FAILED: scenario $scenario, operation $row: $got; Go's: $result $state"
        failed=$((failed + 1))
    done <"$scratch/wanted"
    rm -f "$scratch/wanted"
done

# The other two forms.
events=$("$mapbench" trace go_syncmap --ops 'store 1; load 1; range' --events)
wanted='{"step":0,"op":"Store","key":1,"len_read":0,"len_dirty":1,"amended":true,"misses":0,"read_nil_entries":0,"read_expunged_entries":0}
{"step":1,"op":"Load","key":1,"result":"1 true","len_read":1,"len_dirty":-1,"amended":false,"misses":0,"read_nil_entries":0,"read_expunged_entries":0}
{"step":2,"op":"Range","result":"1","len_read":1,"len_dirty":-1,"amended":false,"misses":0,"read_nil_entries":0,"read_expunged_entries":0}'
digest=$("$mapbench" trace go_syncmap --ops 'store 1; load 1; range' --digest)
[[ $events == "$wanted" && $digest == "$wanted" ]] || { echo "FAILED: events or digest: $events / $digest"; failed=$((failed + 1)); }

[[ $compared -eq 109 ]] || { echo "FAILED: $compared states were compared, not 109"; failed=$((failed + 1)); }
echo "$compared states compared, $failed failed"
[[ $failed == 0 ]]
