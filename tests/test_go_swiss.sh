#!/usr/bin/env bash
# go_swiss by the rules of each release against what Go 1.24.4, 1.25.12, 1.26.11 and 1.27.4 did with the same hash key and
# seed: every row of a growing map, events and digests up to 2^21 entries and of sliding windows (tests/fixtures/go).
# usage: test_go_swiss.sh BUILD
set -u
build=$1
fixtures=tests/fixtures/go
# shellcheck source=tests/support/shell_tools.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")"/support/shell_tools.sh

release=1.27
trace() { # FORM SCRIPT
    "$build/mapbench" trace "go_swiss@$release" --hashkey fc2fb07fe0fe8b32,446a852189cd650d,14ef517f8b7e0314,ab5226623a46c569 \
        --seed 0x123456789abcdef1 --ops "$2" "--$1" || fail "trace --$1 '$2': exit $?"
}

same() { # WHAT EXPECTED GOT: two files
    cmp -s "$2" "$3" && return
    fail "$1 is not what Go shows:"
    diff "$2" "$3" | head -n 6
}

# --- w1: each of 65,536 inserts, w2: the same in every release, as nothing is deleted --------------------------------
for release in 1.24 1.25 1.26 1.27; do
    trace rows "insert 0..65535" | sha256sum | cut -d ' ' -f 1 >"$scratch/sum"
    same "w1 in $release: the sum of all rows" $fixtures/swiss_w1.sha256 "$scratch/sum"
done

# --- w2: 2^21 inserts: digests at powers of two; events: the first 20,000 entries' and each doubling of the directory
script='' from=0
for ((n = 4; n <= 2097152; n *= 2)); do
    script+="insert $from..$((n - 1));"
    from=$n
done
for release in 1.24 1.25 1.26 1.27; do
    trace digest "${script%;}" >"$scratch/digests"
    same "w2 in $release: the digests" $fixtures/swiss_w2_digests.jsonl "$scratch/digests"
    trace events "insert 0..2097151" >"$scratch/all"
    awk -F '"count":' '$2 + 0 <= 20000 || /directory_doubled/' "$scratch/all" >"$scratch/events"
    same "w2 in $release: the events" $fixtures/swiss_w2_events.jsonl "$scratch/events"
    splits=$(grep -c '"ev":"split"' "$scratch/all")
    [ "$splits" -eq 4095 ] || fail "w2 in $release: $splits splits, Go makes 4095"
done

# --- w3: sliding windows ---------------------------------------------------------------------------------------------
# window_events SCRIPT: what happened to tables after the window was full.
window_events() { trace events "$1" | grep -E '"ev":"(rehash|prune)"'; }

# Of releases that do the same, per window: operations, rehashes, prunes, how many of both Go's record lists, their sum.
while read -r releases window ops rehashes prunes listed sum; do
    script="insert 0..$((window - 1));slide $window $ops"
    for release in ${releases//,/ }; do
        where="w3 in $release: window $window"
        window_events "$script" >"$scratch/got"
        counts="$(grep -c rehash "$scratch/got") rehashes, $(grep -c prune "$scratch/got") prunes"
        [ "$counts" = "$rehashes rehashes, $prunes prunes" ] || fail "$where: $counts, Go has $rehashes and $prunes"
        [ "$(head -n "$listed" "$scratch/got" | sha256sum | cut -d ' ' -f 1)" = "$sum" ] || fail "$where: the events are not Go's"
    done
    sed -n "s/^$releases $window //p" $fixtures/swiss_w3_digests.txt >"$scratch/expected_digests"
    sed -n "s/^$releases $window //p" $fixtures/swiss_w3_rows.txt >"$scratch/expected_rows"
    for release in ${releases//,/ }; do
        where="w3 in $release: window $window"
        trace digest "$script" >"$scratch/digests"
        same "$where: the digests" "$scratch/expected_digests" "$scratch/digests"
        # A line of names, one for each of the first entries, then two for each step: at every WINDOWth step the second.
        trace rows "$script" | sed -n "$((1 + 3 * window))~$((2 * window))p" | awk -F , -v w="$window" '{
            print $2 - w + 1 " " $3 "," $4 "," $5 "," $6 "," $7 "," $8 }' >"$scratch/got"
        same "$where: the rows at each turn" "$scratch/expected_rows" "$scratch/got"
    done
    # Rules of releases that prune otherwise must not pass.
    for release in 1.24 1.25 1.26 1.27; do
        [[ ,$releases, == *",$release,"* ]] && continue
        [ "$(trace digest "$script" | tail -n 1)" != "$(tail -n 1 "$scratch/digests")" ] || fail "$where: $release does the same"
    done
done <$fixtures/swiss_w3_events.txt

release=1.27

# --- a map that becomes empty says that its seed is another now ------------------------------------------------------
trace rows "insert 0..5;delete 0..5;insert 0..0" >"$scratch/got"
grep -qx '# seed re-drawn at op 11' "$scratch/got" || fail "deleting all is not said to re-draw the seed"
trace rows "insert 0..99;clear" | grep -qx '# seed re-drawn at op 100' || fail "clear is not said to re-draw the seed"
trace digest "insert 0..5;delete 0..5;insert 0..0" >"$scratch/got"
[ "$(grep -c '"seed_redrawn":true' "$scratch/got")" -eq 2 ] || fail "digests after a re-drawn seed are not marked"
trace events "insert 0..5;clear" | grep -q '"ev":"seed_redrawn","op":6' || fail "events do not tell of a re-drawn seed"
trace digest "clear;delete 0..9;make 100" | grep -q seed_redrawn && fail "an empty map is said to re-draw its seed"

# --- what the port does where the record has no example: sums that hold for every script -----------------------------
trace digest "make 897;insert 0..896;delete 0..895;insert 5000..9000;get 0..9999;clear;insert 0..9" >"$scratch/got"
[ "$(grep -o '"count":[0-9]*' "$scratch/got" | cut -d : -f 2 | paste -sd ' ')" = "0 897 1 4002 4002 0 10" ] ||
    fail "counts after inserting, deleting and clearing are wrong"

[ "$failed" -eq 0 ] && echo "go_swiss: rows, events and digests are Go's"
[ "$failed" -eq 0 ]
