#!/usr/bin/env bash
# Random scripts - presized maps, deletions down to nearly nothing and to nothing, clear, refills, windows - as the real
# runtime ran them, and what trace says of a map that became empty.
#   tests/test_go_trace_scripts.sh BUILD
set -euo pipefail
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.."
mapbench=$(realpath "${1:-build}")/mapbench
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh

# --- recorded scripts -------------------------------------------------------------------------------------------
# replay MAP: what the port prints of the script in $key ... $form, without what it says of seeds; MAP may have options.
replay() {
    # shellcheck disable=SC2086
    "$mapbench" trace $1 --hashkey "$key" --seed "$seed" --ops "$script" "--$form" | sed 's/,"seed_redrawn":true//; /^# seed re-drawn/d'
}

replayed=0
declare -A differ # "RELEASE OTHER ASSIGNMENT": scripts of RELEASE that the rules of OTHER do not reproduce
while IFS='|' read -r map key seed form script lines sum; do
    [[ $map == \#* ]] && continue
    replay "$map" >"$scratch/got"
    [[ $(wc -l <"$scratch/got") == "$lines" ]] || fail "$map: $script --$form: not $lines lines"
    [[ $(sha256sum <"$scratch/got") == "$sum"* ]] || fail "$map: $script --$form: not what the runtime shows"
    replayed=$((replayed + 1))
    [[ $map =~ ^go_swiss@(.*)\ --assign\ (.*)$ ]] || continue
    release=${BASH_REMATCH[1]} assign=${BASH_REMATCH[2]}
    for other in 1.24 1.25 1.26 1.27; do
        # A clone's layout is not known in 1.24.
        [[ $other == "$release" || ($script == *clone* && $other == 1.24) ]] && continue
        replay "go_swiss@$other --assign $assign" | cmp -s - "$scratch/got" && continue
        differ["$release $other $assign"]=$((${differ["$release $other $assign"]:-0} + 1))
    done
done <tests/fixtures/go/trace_scripts.txt
[[ $replayed -ge 248 ]] || fail "only $replayed scripts replayed"

# --- the rules of one release do not pass for those of another ----------------------------------------------------
for release in 1.24 1.25 1.26 1.27; do
    for other in 1.24 1.25 1.26 1.27; do
        [[ $other == "$release" ]] && continue
        for assign in fast pointer generic; do
            number=${differ["$release $other $assign"]:-0}
            if [[ $release$other == 1.251.26 || $release$other == 1.261.25 ]]; then
                [[ $number == 0 ]] || fail "$number scripts of $release are not those of $other ($assign), whose rules are the same"
            else
                [[ $number -gt 0 ]] || fail "every script of $release passes by the rules of $other, too ($assign)"
            fi
        done
    done
done

# --- a map that became empty ------------------------------------------------------------------------------------
for map in go_hmap go_swiss; do
    digests() { "$mapbench" trace "$map" --seed 7 --digest --ops "$1"; }
    marked() { # SCRIPT LINE: is the digest marked, and is its layout withheld
        digests "$1" | sed -n "$2p" | awk '{ printf "%s %s", /"seed_redrawn":true/ ? "marked" : "plain", /"layout_fnv1a64":null/ ? "withheld" : "given" }'
    }
    # The layout of an empty map does not depend on the new seed; that of what is inserted then does.
    while IFS='|' read -r script line expected; do
        got=$(marked "$script" "$line")
        [[ $got == "$expected" ]] || fail "$map: digest $line of '$script' is $got, not $expected"
    done <<'END'
insert 0..99; delete 0..98|2|plain given
insert 0..99; delete 0..99|2|marked given
insert 0..99; delete 0..99; insert 0..9|3|marked withheld
insert 0..99; clear; insert 0..9; clear|4|marked withheld
insert 0..99; clear; seed 7; insert 0..9|4|plain given
insert 0..99; clear; insert 0..9; clear; seed 7|5|marked withheld
insert 0..99; clear; insert 0..9; make 20; insert 0..9|5|plain given
clear; delete 0..9; insert 0..9|3|plain given
END
    [[ $(digests "insert 0..99; clear; seed 7; insert 0..9" | tail -n 1) == "$(digests "insert 0..99; clear; seed 0x7; insert 0..9" | tail -n 1)" ]] ||
        fail "$map: two notations of a seed differ"
    [[ $(digests "seed 8; insert 0..99" | tail -n 1) != "$(digests "insert 0..99")" ]] || fail "$map: seed changes nothing"
    status=0
    said=$(digests "insert 0..3; seed 1" 2>&1 >/dev/null) || status=$?
    [[ $status != 0 && $said == *seed* && $(wc -l <<<"$said") == 1 ]] || fail "$map: a full map is given a seed: status $status, '$said'"
    status=0
    said=$("$mapbench" trace "$map" --ops "seed x" 2>&1 >/dev/null) || status=$?
    [[ $status == 2 && $said == *"seed x"* ]] || fail "$map: 'seed x': status $status, '$said'"
done
refused --bytes trace go_syncmap --bytes --ops "store 1"

# One trace for each release, its map's name above it, is what the maps with these names give one by one.
of_releases() { "$mapbench" trace go_swiss --releases "$1" --seed 7 --digest --ops "insert 0..99; slide 100 4000"; }
for release in 1.24 1.26; do
    echo "# go_swiss@$release"
    "$mapbench" trace "go_swiss@$release" --seed 7 --digest --ops "insert 0..99; slide 100 4000"
done >"$scratch/each"
of_releases 1.24,1.26 | cmp -s - "$scratch/each" || fail "trace --releases 1.24,1.26 differs from a trace of each"
[[ $(of_releases all | grep -c '^# go_swiss@1\.2[4-7]$') == 4 ]] || fail "trace --releases all: $(of_releases all)"
refused "since 1.24" trace go_swiss --releases 1.23 --ops "insert 0..9"
refused "not both" trace go_swiss@1.24 --releases 1.27 --ops "insert 0..9"
refused "unknown map to trace" trace linear --releases all --ops "insert 0..9"

[[ $failed == 0 ]] || exit 1
echo "$replayed scripts replayed bit for bit"
