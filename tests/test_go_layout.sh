#!/usr/bin/env bash
# The printed layout report: its numbers against the DWARF of real Go programs, its JSON, and what it refuses.
#   tests/test_go_layout.sh BUILD
set -euo pipefail
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.."
mapbench=$(realpath "${1:-build}")/mapbench
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh

# --- the text ---------------------------------------------------------------------------------------------------

# of_dwarf TAG: "struct|field|offset|size" and "struct|total|size", by the names that the report has.
of_dwarf() {
    awk -F'|' -v tag="$1" '
        /^#/ { next }
        /^g/ { name = $2; shown = $1 == tag
               if (sub(/^bucket</, "", name)) { sub(/>$/, "", name); sub(/,/, "]", name); name = "bucket of map[" name }
               else if (sub(/^noalg.map.group/, "", name)) name = "group of map" name
               gsub(/main\.T/, "T", name); gsub(/uint8/, "byte", name)
               if (shown) print name "|total|" $3
               next }
        shown { field = $2 == "values" ? "elems" : $2; print name "|" field "|" $3 "|" $4 }' tests/fixtures/go/layout_dwarf.txt
}

# of_report VERSION COLUMN: the same, from the report on standard input, VERSION "": whatever is there; the second column is
# that of 32 bits.
of_report() {
    awk -v version="(Go $1" -v column="$2" '
        /^[a-z].* \(Go [0-9a-z. ]*\)$/ { shown = index($0, version); name = $0; sub(/ \(Go .*/, "", name); next }
        /^map type/ || /^$/ { shown = 0 }
        !shown || /^  field/ || /^  \(padding\)/ { next }
        /^  total: / { sub(/^  total: /, ""); split($0, half, ";"); split(half[column], word, " "); print name "|total|" word[1]; next }
        NF > 4 { print name "|" $1 "|" $(NF - 5 + 2 * column) "|" $(NF - 4 + 2 * column) }'
}

# agree MAP TAG VERSION COLUMN COUNT: every line of the report is in the DWARF.
agree() {
    of_dwarf "$2" | sort >"$scratch/dwarf"
    "$mapbench" explain "$1" --layout | of_report "$3" "$4" | grep -v '^slot of' | sort >"$scratch/report"
    comm -13 "$scratch/dwarf" "$scratch/report" >"$scratch/differs"
    [[ ! -s $scratch/differs ]] || fail "$1, $2: not what Go has: $(head -n 3 "$scratch/differs")"
    [[ $(wc -l <"$scratch/report") == "$5" ]] || fail "$1, $2: $(wc -l <"$scratch/report") numbers, not $5"
}
agree go_hmap g123 1.23 1 67
agree go_hmap g123-386 1.23 2 67
agree go_hmap@1.21 g121 1.23 1 67
agree go_hmap_notop g123 1.23 1 67
agree go_swiss@1.24 g124 "" 1 69
agree go_swiss@1.24 g124-386 "" 2 69
for release in 1.25 1.26; do
    agree go_swiss@$release "g${release/./}" "" 1 70
    agree go_swiss@$release "g${release/./}-386" "" 2 70
done
agree go_swiss@1.27 g127 "" 1 73
agree go_swiss@1.27 g127-386 "" 2 73
"$mapbench" explain go_hmap --layout | of_report "1.24 noswissmap" 2 | grep -qx 'runtime.hmap|clearSeq|24|8' ||
    fail "1.24's classic map has no clearSeq at 24"

report=$("$mapbench" explain go_swiss --layout)
[[ $report == *"  (padding)"*" 35      5       23      1"* ]] || fail "Map's padding is not shown"
[[ $(grep -c '^internal/runtime/maps.Map (Go 1.2[45])$' <<<"$report") == 2 ]] || fail "not both layouts of Map are shown"
[[ $(grep -c '^map type of ' <<<"$report") == 7 ]] || fail "not seven types"
# Above 128 bytes on one of the machines only.
"$mapbench" explain go_hmap --layout='map[[9]string]int' | grep -q '\[8\]\*\[9\]string | \[8\]\[9\]string *8 *64 *8 *576$' ||
    fail "a key that is indirect on one machine only"

# --- JSON -------------------------------------------------------------------------------------------------------
"$mapbench" explain go_hmap --layout=map[string]int --json | python3 -c '
import json, sys
report = json.load(sys.stdin)
hmap = [s for s in report["structs"] if s["name"] == "runtime.hmap" and s["target"] == "32-bit" and s["go"] == "1.23"]
assert len(hmap) == 1 and hmap[0]["size"] == 28 and hmap[0]["fields"][-1]["off"] == 24, hmap
(one,) = report["types"]
assert one["type"] == "map[string]int" and one["map_type"]["64-bit"]["BucketSize"] == 208, one
assert one["map_type"]["32-bit"]["NeedKeyUpdate"] is True, one' || fail "the JSON"

# --- bad input --------------------------------------------------------------------------------------------------
refused "go_hmap, go_hmap_notop, go_swiss, go_swiss_split" explain chained --layout
refused go_syncmap explain go_syncmap --layout
refused "the nearest is go_swiss@1.27: there are 1.24, 1.25, 1.26, 1.27" explain go_swiss@1.28 --layout
refused go_hmpa explain go_hmpa --layout
refused "one name" explain --layout
refused "one name" explain go_hmap go_swiss --layout
refused "option of explain" list --layout
refused "option of explain" trace go_hmap --layout --ops clear
refused "explain MAP --layout --json" explain go_hmap --json
refused "'string' is no map type" explain go_hmap --layout=string
refused "'' is no map type" explain go_hmap --layout=
refused "unknown type 'foo'" explain go_hmap --layout='map[foo]int'
refused "cannot be a key" explain go_swiss --layout='map[[]int]int'
refused layout explain go_hmap --layuot

[[ $failed == 0 ]] || exit 1
echo "the layouts printed are those of Go 1.21 and 1.23 to 1.27"
