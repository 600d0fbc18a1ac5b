#!/usr/bin/env bash
# shellcheck disable=SC2016
# (backquotes in single quotes are Markdown's)
#
# The docs against the program: links lead somewhere, lists are complete, the commands of the README work, and the
# examples of docs/adding-*.md and of the README build, pass the selftest and give rows. All of that happens in a copy of
# the sources. usage: test_docs.sh BUILD [PART ...]; parts: links lists citation readme map retention workload
# Processor time: at most 900 s.
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
build=${1:?usage: tests/test_docs.sh BUILD [PART ...]}
build=${build%/}
shift
# A shape or a heap that workload adds makes all units anew: it comes last.
parts=${*:-links lists citation readme map retention workload}
docs=(README.md results/README.md docs/*.md)
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh
copy=$scratch/mapbench
within=$(realpath "$build")/tests/within
# A make that called this test must not tell those below where to build.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BUILD PROFILE

skip() {
    if [[ ${CI:-} == true ]]; then fail "CI=true, nothing may be skipped: $*"; else printf 'skipped: %s\n' "$*"; fi
}

[[ -x $build/mapbench && -x $within ]] || { echo "test_docs: no $build/mapbench or $within: run make build build-tests first"; exit 1; }

# --- reading Markdown -----------------------------------------------------------------------------------------------

# blocks FILE: the fenced blocks that a comment marks, as $scratch/blocks/NNN with what the comment says in NNN.what.
blocks() {
    rm -rf "$scratch/blocks"
    mkdir "$scratch/blocks"
    awk -v dir="$scratch/blocks" '
        /^<!-- (file|append|run|after struct [a-z_]+)[: ].*-->$/ { what = $0; sub(/^<!-- /, "", what); sub(/ *-->$/, "", what); next }
        /^```/ && inside { inside = 0; close(out); next }
        /^```/ && what != "" {
            out = sprintf("%s/%03d", dir, ++n); inside = 1
            print what > (out ".what"); close(out ".what"); printf "" > out; what = ""; next
        }
        inside { print > out }
        !inside && /[^ ]/ { if (what != "") { print "a marked block does not follow its mark: " what; exit 1 } }' "$1" ||
        fail "$1: a mark without a block"
}

# The names of a heading in links: lower case, without punctuation, words joined by hyphens.
anchors() {
    sed -n '/^```/,/^```/d; s/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

# --- parts ----------------------------------------------------------------------------------------------------------

# FILE TARGET of every link and image outside code.
links() {
    local doc
    for doc in "${docs[@]}"; do
        sed '/^```/,/^```/d; s/`[^`]*`//g' "$doc" | grep -oE '\]\([^) ]+\)' | sed "s|^](\(.*\))$|$doc \1|"
    done
}

check_links() {
    local doc target file
    links >"$scratch/links"
    [ -s "$scratch/links" ] || fail "no link found in ${docs[*]}"
    while read -r doc target; do
        [[ $target =~ ^[a-z]+: ]] && continue
        file=$(dirname "$doc")/${target%%#*}
        [[ $target == \#* ]] && file=$doc
        if [ ! -e "$file" ]; then
            fail "$doc links to $target, which does not exist"
        elif [[ $target == *\#* ]] && ! anchors "$file" | grep -qxF -- "${target#*#}"; then
            fail "$doc links to $target: no such heading"
        else
            pass
        fi
    done <"$scratch/links"
    grep -n 'TODO' "${docs[@]}" && fail "the docs are not finished: see the lines above"
}

# mentioned FILE PATTERN WHAT: a line of the file matches.
mentioned() {
    if grep -qE -- "$2" "$1"; then pass; else fail "$1 does not mention $3"; fi
}

# names FILE SED: what a list calls its entries; sed's expression prints the names.
names() {
    local found
    found=$(sed -n "$2" "$1")
    [ -n "$found" ] || fail "no names found in $1"
    printf '%s\n' "$found"
}

check_lists() {
    local name file
    "$build/mapbench" help >"$scratch/help" || fail "mapbench help"
    "$build/mapbench" list keys >"$scratch/keys" || fail "mapbench list keys"
    while read -r name; do mentioned "$scratch/help" "^  --$name( |\\[=|\$)" "option --$name"; done \
        < <(names harness/plan/options.def 's/^OPTION([A-Z_]*, *"\([a-z-]*\)".*/\1/p')
    while read -r name; do mentioned README.md "^\| \`$name\` \|" "map $name"; done \
        < <(names maps/maps.def 's/^MAP(\([a-z_]*\),.*/\1/p')
    while read -r name; do mentioned docs/keys.md "^\| \`${name}(\`|:|\[)" "key stream $name"; done \
        < <(names "$scratch/keys" 's/^  \([a-z]*\) .*/\1/p')
    while read -r name; do
        [[ $name =~ ^mix(25|50|75)$ ]] || mentioned docs/method.md "^\|.*\`$name\`" "workload $name"
    done < <(names harness/plan/workloads.def 's/^WORKLOAD(\([a-z_0-9]*\),.*/\1/p')
    while read -r name; do
        if make -n SKIP_DEPS=1 "BUILD=$scratch/none" "$name" >/dev/null 2>&1; then pass; else fail "README.md: there is no make $name"; fi
    done < <(names README.md 's/^make \([a-z]*\) .*/\1/p')
    for file in profiles/*.job; do mentioned README.md "\`$(basename "$file" .job)\`" "profile $file"; done
    for name in 0 1 2 3 4 5 6 130; do
        mentioned README.md "^\| $name \|" "exit code $name"
        mentioned "$scratch/help" "(^|[ ,:])$name [a-z]" "exit code $name"
    done
    check_catalogue
    if "${MAPBENCH_PYTHON:-python3}" -B docs/go_releases.py | cmp -s - docs/go-releases.md; then
        pass
    else
        fail "docs/go-releases.md is not what docs/go_releases.py prints: print it again"
    fi
}

# The table of docs/retention.md says what the program says, word for word and in its order.
check_catalogue() {
    "$build/mapbench" list scenarios --json >"$scratch/scenarios" || fail "mapbench list scenarios --json"
    if python3 - "$scratch/scenarios" docs/retention.md <<'PY'; then
import json, re, sys
want = [f"| {s['number']} | `{s['name']}` | {s['summary']} | {s['fix']} | {s['references']} |" for s in json.load(open(sys.argv[1]))]
have = re.findall(r"^\| \d+ \| `.*$", open(sys.argv[2], encoding="utf-8").read(), re.M)
assert len(want) > 30, "no scenarios listed"
for line in [f"missing: {w}" for w in want if w not in have] + [f"not so in the program: {h}" for h in have if h not in want]:
    print(line)
assert have == want, "the catalogue differs"
def said(role, first, fixed):
    if role == "fixed":
        return f"helps from {fixed}"
    return (f"affected from {first}, " if first else "") + (f"fixed in {fixed}" if fixed else "not fixed up to 1.27")
want = []
for s in json.load(open(sys.argv[1])):
    by = {}
    for v in s["variants"]:
        if v["affected_from"] or v["fixed_in"]:
            by.setdefault((v["role"], v["affected_from"], v["fixed_in"]), []).append(f"`{v['name']}`")
    want += [f"| `{s['name']}` | {', '.join(names)} | {said(*key)} |" for key, names in by.items()]
have = re.findall(r"^\| `[a-z_]+` \| .* \| (?:affected|fixed|helps|not fixed) .*\|$", open(sys.argv[2], encoding="utf-8").read(), re.M)
assert len(want) > 10 and have == want, f"releases: {sorted(set(have) ^ set(want))}"
PY
        pass
    else
        fail "docs/retention.md: its catalogue is not that of mapbench list scenarios"
    fi
    while read -r name; do mentioned docs/retention.md "(^|[^a-z-])$name([^a-z-]|\$)" "option $name of retain"; done \
        < <(sed -n '/^Options of retain/,$s/^  \(--[a-z]*\) .*/\1/p' "$scratch/help")
}

check_citation() {
    local python
    for python in /usr/bin/python3 python3; do "$python" -c 'import yaml' 2>/dev/null && break; done
    if ! "$python" -c 'import yaml' 2>/dev/null; then
        skip "CITATION.cff: no python3 with yaml (python3-yaml)"
    elif "$python" - <<'PY'; then
import sys, yaml
cff = yaml.safe_load(open("CITATION.cff", encoding="utf-8"))
# What the Citation File Format 1.2.0 demands.
assert cff["cff-version"] == "1.2.0", cff["cff-version"]
for field in ("message", "title"): assert isinstance(cff[field], str) and cff[field], field
assert cff["authors"] and all("name" in a or "family-names" in a for a in cff["authors"]), "authors"
assert cff["type"] in ("software", "dataset") and cff["license"] == "MIT"
known = set("abstract authors cff-version commit contact date-released doi identifiers keywords license license-url message "
            "preferred-citation references repository repository-artifact repository-code title type url version".split())
assert set(cff) <= known, set(cff) - known
PY
        pass
    else
        fail "CITATION.cff is not valid"
    fi
    mentioned LICENSE '^MIT License$' "the MIT licence"
}

# The sources and what is built of them, with their times, so that make builds only what an example adds.
make_copy() {
    [ -d "$copy" ] && return
    mkdir -p "$copy/build"
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files -z --cached --others --exclude-standard
    else
        find . \( -path './build*' -o -path ./deps -o -path './results/2*' \) -prune -o -type f -print0
    fi | while IFS= read -r -d '' file; do [ ! -f "$file" ] || printf '%s\0' "$file"; done | xargs -0 cp -p --parents -t "$copy"
    [ -d deps ] && ln -s "$PWD/deps" "$copy/deps"
    cp -pR "$build"/{units,heads,shapes,harness,gen,mapbench,libmemcount.so} "$copy/build/"
    [ -d "$build/engines" ] && cp -pR "$build/engines" "$copy/build/"
    find "$copy/build" -name '*.d' -exec sed -i "s#\(^\|[ ]\)$build/#\1build/#g" {} +
}

# in_copy SECONDS COMMAND: runs a line of the docs, with so much processor time.
in_copy() {
    local status=0 seconds cpu
    (cd "$copy" && "$within" "$1" $(($1 * 20)) "$scratch/used" bash -c "$2") >"$scratch/out" 2>&1 </dev/null || status=$?
    read -r seconds cpu <"$scratch/used"
    printf '%6.1f s %6.1f cpu  %s\n' "$seconds" "$cpu" "$2"
    if [ $status = 0 ]; then
        pass
    else
        tail -n 20 "$scratch/out"
        fail "status $status: $2"
    fi
    return $status
}

# rows_of FOLDER: no row is an error, and maps of a cell agree on each checksum.
rows_of() {
    if python3 - "$copy/$1/rows.jsonl" <<'PY'; then
import json, sys
rows, sums = [json.loads(line) for line in open(sys.argv[1])], {}
assert rows, "no rows"
for row in rows:
    assert row["error"] is None, (row["map"], row["workload"], row["error"])
    if row["kind"] == "time" and row["map"] != "null":
        sums.setdefault((row["cell"].rsplit("/", 2)[0], row["workload"]), set()).add(row["checksum"])
assert all(len(s) == 1 for s in sums.values()), sums
PY
        pass
    else
        fail "$1: its rows are wrong"
    fi
}

# has_row FOLDER FIELD=VALUE ...: some row has all of them.
has_row() {
    local folder=$1 field
    shift
    for field; do printf '"%s":"%s"\n' "${field%%=*}" "${field#*=}"; done >"$scratch/fields"
    if awk 'NR == FNR { want[++n] = $0; next } { ok = 1; for (i in want) if (!index($0, want[i])) ok = 0; if (ok) found = 1 }
            END { exit !found }' "$scratch/fields" "$copy/$folder/rows.jsonl" 2>/dev/null; then
        pass
    else
        fail "$folder has no row with $*"
    fi
}

# verdict_of FOLDER SCENARIO MAP PYTHON: no line is an error, and Python's expression holds for the verdict v.
verdict_of() {
    if python3 - "$copy/$1/retention.jsonl" "$2" "$3" "$4" <<'PY'; then
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
errors = [line for line in lines if line.get("error")]
assert not errors, errors[:2]
verdicts = [v for v in lines if v["label"] == "verdict" and (v["scenario"], v["map"]) == tuple(sys.argv[2:4])]
assert len(verdicts) == 1, verdicts
v = verdicts[0]
assert eval(sys.argv[4]), v
PY
        pass
    else
        fail "$1: the verdict on $2 with $3 is not: $4"
    fi
}

have_header() {
    local folders
    read -ra folders <<<"$(pkg-config --cflags-only-I glib-2.0 2>/dev/null)"
    echo "#include <$1>" | "${CXX:-g++}" -std=c++20 -E -x c++ "${folders[@]}" - >/dev/null 2>&1
}

have_perf() {
    perf stat -e task-clock true >/dev/null 2>&1 && perf record -e cpu-clock -o "$scratch/perf.data" true >/dev/null 2>&1
}

# missing COMMAND: what a command of the README needs and is not here; nothing where all is.
missing() {
    local line=$1 maps named
    [[ $line == *--perf* ]] && ! have_perf && echo "perf does not work here"
    [[ $line == *"--thp small,huge"* ]] && ! grep -qE '\[(always|madvise)\]' /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null &&
        echo "there are no transparent huge pages here"
    [[ $line == *"gate count"* ]] && ! { command -v valgrind && have_header valgrind/callgrind.h; } >/dev/null && echo "valgrind is not installed"
    named=${line#*file:} named=${named%% *}
    [[ $line == *file:* && ! -e $named ]] && echo "there is no $named"
    maps=$(sed -n 's/.* --maps \([a-z0-9_,]*\).*/\1/p' <<<"$line")
    "$build/mapbench" list maps --json | python3 -c '
import json, sys
listed = {m["name"]: m for m in json.load(sys.stdin)}
maps = [listed[name] for name in sys.argv[1].split(",") if name in listed]
if maps and not any(m["available"] for m in maps):
    print("; ".join("%s: %s" % (m["name"], m["reason"]) for m in maps))' "$maps"
}

# insert_after STRUCT FILE BLOCK: puts the block behind the definition of a struct.
insert_after() {
    awk -v struct="$1" -v block="$3" '
        { print }
        $0 ~ "^struct " struct " \\{" { inside = 1 }
        inside && /^};/ { while ((getline line < block) > 0) print line; inside = 0; done = 1 }
        END { exit !done }' "$copy/$2" >"$scratch/inserted" || fail "$2 has no struct $1"
    mv "$scratch/inserted" "$copy/$2"
}

# apply FILE: writes the marked files, runs the marked commands. A mark "run: needs HEADER ..." is skipped without them.
apply() {
    local block what header line applied=0
    blocks "$1"
    for block in "$scratch"/blocks/???; do
        [ -e "$block" ] || break
        applied=$((applied + 1))
        what=$(cat "$block.what")
        case $what in
        file:*) cp "$block" "$copy/${what#file: }" ;;
        append:*) cat "$block" >>"$copy/${what#append: }" ;;
        after*)
            what=${what#after struct }
            insert_after "${what%%:*}" "${what#*: }" "$block"
            ;;
        run*)
            for header in ${what#*needs}; do
                [[ $what == *needs* ]] && ! have_header "$header" && skip "$1: $header is not installed" && continue 2
            done
            while IFS= read -r line; do
                [[ -z $line || $line == \#* ]] && continue
                in_copy 240 "$line" || return
                [[ $line == make* ]] && grep 'warning:' "$scratch/out" && fail "$1: its examples compile with warnings"
                [[ $line != build/mapbench\ retain* && $line =~ --out\ (results/[a-z_0-9]+) ]] && rows_of "${BASH_REMATCH[1]}"
            done <"$block"
            ;;
        esac
    done
    [ $applied -gt 0 ] || fail "$1 has no marked block"
}

# Commands of the README that begin with build/mapbench; those of minutes are planned instead of run.
check_readme() {
    local line out small why commands=0
    make_copy
    while IFS= read -r line; do
        [[ $line == build/mapbench* ]] || continue
        commands=$((commands + 1))
        why=$(missing "$line")
        if [[ $why ]]; then
            skip "README.md: ${why%%$'\n'*}: $line"
        elif [[ $line =~ ^build/mapbench\ retain ]]; then
            [[ $line == *"# minutes" ]] && small="--maps go_swiss --heap gosim --n 1k" || small=
            in_copy 60 "${line%%#*} $small --figures no --out results/readme$commands"
        elif [[ $line =~ ^build/mapbench\ gate ]]; then
            in_copy 60 "${line%%#*} --maps linear --shapes u64_u64 --workloads get --baseline results/readme.json --update"
        elif [[ $line == *"# minutes" ]]; then
            in_copy 30 "${line/mapbench run/mapbench plan}"
        elif [[ $line =~ ^build/mapbench\ run ]]; then
            out=results/readme$commands
            in_copy 60 "${line%%#*} --figures no --out $out" && rows_of "$out"
        else
            in_copy 30 "$line"
        fi
    done < <(sed -n '/^```sh/,/^```$/p' README.md)
    [ "$commands" -ge 5 ] || fail "README.md: only $commands commands found"
}

check_map() {
    make_copy
    # The README's ten lines: the map they are for is std::unordered_map here.
    cat >"$copy/my_map.hpp" <<'HPP'
#include <unordered_map>
template <class key, class val, class hash, class equal> using my_map = std::unordered_map<key, val, hash, equal>;
HPP
    apply README.md
    apply docs/adding-a-map.md
    in_copy 60 "build/mapbench selftest --filter '^my_map/u64_u64/'"
    has_row results/sorted map=sorted workload=get kind=time
    [ -e "$copy/results/libraries" ] && has_row results/libraries map=tsl_pg hash=native
}

check_workload() {
    make_copy
    # Few maps, as a shape and a heap are compiled for each.
    sed -i -e '/^MAP(/{/^MAP(\(null\|linear\|chained\),/!d}' -e '/^\(RELEASE\|ALIAS\|LIBRARY\)(/d' "$copy/maps/maps.def"
    sed -i '/^maps /d' "$copy/profiles/smoke.job"
    apply docs/adding-a-workload.md
    has_row results/small map=linear workload=small_get shape=str_u64
    has_row results/mix90 map=linear workload=mix90
    has_row results/heaps map=linear heap=huge
    has_row results/u64_u8 map=linear shape=u64_u8
    verdict_of results/second_index second_index chained 'v["passed"] and v["leaky_bytes"] > 4 * v["fixed_bytes"]'
}

# The map of docs/adding-a-map.md, taken to the scenarios.
check_retention() {
    make_copy
    cp -p maps/maps.def "$copy/maps/maps.def"
    blocks docs/adding-a-map.md
    local block
    for block in "$scratch"/blocks/???; do
        case $(cat "$block.what") in
        "file: maps/sorted.h") cp "$block" "$copy/maps/sorted.h" ;;
        "append: maps/sorted.h") cat "$block" >>"$copy/maps/sorted.h" ;;
        esac
    done
    apply docs/retention.md
    verdict_of results/kept never_shrinks sorted 'v["passed"] and v["leaky_bytes"] > 2000 * 24'
    verdict_of results/kept delete_leaves_value sorted 'v["passed"] and v["leaky_bytes"] > v["fixed_bytes"] + 1024'
    verdict_of results/sorted_documents substring_key sorted 'v["passed"] and v["leaky_bytes"] > 1e7 and "entries" in v["path"]'
    for name in pb.gz heapsnapshot jsonl dot; do
        if ls "$copy"/results/sorted_graphs/substring_key-leaky-sorted-*."$name" >/dev/null; then pass; else fail "no snapshot .$name"; fi
    done
}

for part in $parts; do
    case $part in
    links | lists | citation | readme | map | workload | retention) "check_$part" ;;
    *) echo "test_docs: unknown part $part" && exit 2 ;;
    esac
done
finish
