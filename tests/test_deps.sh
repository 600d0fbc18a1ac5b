#!/usr/bin/env bash
# setup/deps.sh against stand-ins for apt-get, dpkg-query, id and sudo: what it installs, in which order, what it says
# and how it ends on machines unlike this one. Usage: tests/test_deps.sh [BUILD], which it does not need.
set -u
cd "$(dirname "$0")/.." || exit 1
top=$(mktemp -d) || exit 1
trap 'rm -rf "$top"' EXIT
mkdir -p "$top/bin" "$top/tree"
cp -r setup "$top/tree/"
failures=0

# Stand-ins keep state in files: `installed` and `release` (name and version a line: what is there, what apt-get has),
# `broken` (names apt-get fails at), `expired` (the index is past its date), `calls` (what was run).
stand_in() {
    cat >"$top/bin/$1"
    chmod +x "$top/bin/$1"
}
stand_in dpkg-query <<'S'
#!/usr/bin/env bash
awk '{ print $1, "installed", $2 }' "$STATE/installed"
exit 1
S
stand_in dpkg <<'S'
#!/usr/bin/env bash
[ "$1 $3" = "--compare-versions ge" ] && [ "$(printf '%s\n' "$2" "$4" | sort -V | head -n 1)" = "$4" ]
S
stand_in apt-cache <<'S'
#!/usr/bin/env bash
[ "$1" = policy ] || exit 2
shift
for name; do
    version=$(awk -v name="$name" '$1 == name { print $2 }' "$STATE/release")
    [ -z "$version" ] || printf '%s:\n  Installed: (none)\n  Candidate: %s\n  Version table:\n     9 500\n' "$name" "$version"
done
S
stand_in apt-get <<'S'
#!/usr/bin/env bash
echo "apt-get $*" >>"$STATE/calls"
command=$1
shift
if [ "$command" = update ] && [ -s "$STATE/expired" ]; then
    echo "E: Release file for http://archive/dists/testing/InRelease is expired (invalid since 3d). Updates for this repository will not be applied."
    exit 100
fi
[ "$command" = update ] && [ -s "$STATE/later" ] && cat "$STATE/later" >>"$STATE/release"
for word; do
    [[ $word == -* || $word == *=* ]] && continue
    [ "$command" = update ] || grep -q "^$word " "$STATE/release" || { echo "E: Unable to locate package $word"; exit 100; }
    grep -qx -- "$word" "$STATE/broken" && { echo "E: Failed to fetch $word"; exit 100; }
done
case $command in
install) for word; do [[ $word == -* || $word == *=* ]] || grep "^$word " "$STATE/release" >>"$STATE/installed"; done ;;
download) : >libboost1.81-dev.deb ;;
esac
exit 0
S
stand_in dpkg-deb <<'S'
#!/usr/bin/env bash
[ -f "$2" ] || exit 2
mkdir -p "$3/usr/include/boost/unordered" "$3/usr/share/doc"
: >"$3/usr/include/boost/unordered/unordered_flat_map.hpp"
S
stand_in id <<'S'
#!/usr/bin/env bash
cat "$STATE/uid"
S
stand_in sudo <<'S'
#!/usr/bin/env bash
exit 1
S

# run SET: deps.sh with the stand-ins first in PATH, and no Boost but what it gets; output in $said, exit code in $code.
run() {
    said=$(cd "$top/tree" && STATE="$top" DEPS_ROOT="$top/root" PATH="$top/bin:$PATH" setup/deps.sh "$1" 2>&1)
    code=$?
}
# The names of a set's rows: the first, or the second where there is one.
names() { awk -v set="$1" '$2 == set { sub(/[|>].*/, "", $3); print $3 }' setup/packages.txt; }
others() { awk -v set="$1" '$2 == set { split($3, name, "|"); sub(/>.*/, "", name[1]); print name[2] ? name[2] : name[1] }' setup/packages.txt; }
# release COMMAND: what apt-get has: the names that the command prints, and an older Boost beside its headers, as Debian 12.
release() { { "$@" run && "$@" test && echo libboost1.81-dev; } | sed 's/$/ 9/; s/^libboost-dev 9/libboost-dev 1.74.0.3/' >"$top/release"; }
installed() { awk '{ print $1 }' "$top/installed" | sort; }
without() { grep -vxE -- "$1"; }
reset() {
    rm -rf "$top/tree/deps" "$top/root"
    : >"$top/installed"
    : >"$top/broken"
    : >"$top/expired"
    : >"$top/later"
    : >"$top/calls"
    release names
    echo 0 >"$top/uid"
}
expect() { # expect WHAT ACTUAL WANTED
    [ "$2" = "$3" ] && return
    printf 'FAIL %s: %s instead of %s\n--- it said:\n%s\n--- calls:\n%s\n' "$1" "$2" "$3" "$said" "$(cat "$top/calls")"
    failures=$((failures + 1))
}
says() { # says WHAT PATTERN
    grep -qE -- "$2" <<<"$said" || expect "$1" "no line" "one that matches $2"
}
installs() { grep -c '^apt-get install' "$top/calls"; }

reset
run run
expect "fresh machine: exit" $code 0
expect "fresh machine: one update" "$(grep -c '^apt-get update' "$top/calls")" 1
expect "fresh machine: one install" "$(installs)" 1
expect "fresh machine: all of the set, no more" "$(installed)" "$(names run | without libboost-dev | sort)"
expect "fresh machine: no recommends, nothing removed" "$(grep -c -- '--no-install-recommends --no-remove' "$top/calls")" 1
expect "an old Boost is not installed: its headers are unpacked" \
    "$(cd "$top/tree/deps/boost" && find . -type f)" "./usr/include/boost/unordered/unordered_flat_map.hpp"
says "fresh machine: complete" "everything for 'run' is installed"

: >"$top/calls"
run run
expect "complete machine: exit" $code 0
expect "complete machine: nothing run" "$(cat "$top/calls")" ""

run test
expect "tests: what they need besides" "$(installed)" "$( (names run && names test) | without libboost-dev | sort)"

reset
release others
run run
expect "other names: exit" $code 0
expect "other names: one install" "$(installs)" 1
expect "other names: installed under those" "$(installed)" "$(others run | without libboost-dev | sort)"
says "other names: complete" "everything for 'run' is installed"
: >"$top/calls"
run run
expect "other names, installed: nothing run" "$(cat "$top/calls")" ""

reset
sed -i 's/^libboost-dev .*/libboost-dev 1.83.0.2/' "$top/release"
run run
expect "a Boost new enough: installed" "$(installed)" "$(names run | sort)"

reset
release names
names run | without 'gnuplot-nox' | sed 's/$/ 9/' >"$top/installed"
run run
expect "one missing: installs that one" "$(tail -n 1 "$top/installed")" "gnuplot-nox 9"
expect "one missing: only that one" "$(wc -l <"$top/installed")" "$(names run | wc -l)"

reset
sed -i '/^libjudy-dev /d; /^linux-perf /d' "$top/release"
run run
expect "optional packages unknown: exit" $code 0
expect "optional packages unknown: one install" "$(installs)" 1
expect "optional packages unknown: the others are installed" "$(installed)" "$(names run | without 'libjudy-dev|linux-perf|libboost-dev' | sort)"
says "optional package unknown: named" '^deps: not in this release: libjudy-dev$'
says "optional package unknown under any name: named" '^deps: not in this release: linux-perf or linux-tools-generic$'
says "optional packages unknown: named at the end" '^deps: missing, optional: linux-perf or linux-tools-generic libjudy-dev$'

reset
echo libjudy-dev >"$top/broken"
run run
expect "optional package broken: exit" $code 0
expect "optional package broken: the others are installed" "$(installed)" "$(names run | without 'libjudy-dev|libboost-dev' | sort)"
says "optional package broken: named" 'cannot install libjudy-dev: E: Failed to fetch'
says "optional package broken: named at the end" '^deps: missing, optional: libjudy-dev$'

reset
sed -i '/^libjansson-dev /d' "$top/release"
run run
expect "required package unknown: exit" $code 4
says "required package unknown: why" '^deps: not in this release: libjansson-dev$'
says "required package unknown: named" 'missing and required: libjansson-dev$'

reset
echo yes >"$top/expired"
run run
expect "index past its date: exit" $code 0
says "index past its date: said" 'the package index is past its date.* going on with the lists there are'
expect "index past its date: goes on" "$(installed)" "$(names run | without libboost-dev | sort)"

reset
: >"$top/release"
run run
expect "no lists: exit" $code 4
expect "no lists: no install" "$(installs)" 0
says "no lists: said once" 'the package lists are empty'
says "no lists: what is missing" 'missing and required: gcc g\+\+ '

reset
mv "$top/release" "$top/later"
: >"$top/release"
run run
expect "lists that the update brings: exit" $code 0
: >"$top/later"

reset
echo 1000 >"$top/uid"
run run
expect "not root: exit" $code 4
expect "not root: nothing installed" "$(installs)" 0
says "not root: the line to run" "^apt-get update && apt-get install -y --no-install-recommends --no-remove $(names run | without libboost-dev | tr '\n' ' ' | sed 's/ $//;s/\./\\./g;s/+/\\+/g')\$"
: >"$top/release"
run run
says "not root, no lists: the line to run" '^apt-get update && .*/setup/deps.sh run$'

reset
names run | without wamerican | sed 's/$/ 9/' >"$top/installed"
echo 1000 >"$top/uid"
run run
expect "not root, only optional missing: exit" $code 0
says "not root, only optional missing: the line to run" '^apt-get update && .* wamerican$'

reset
names run | without libboost-dev | sed 's/$/ 9/' >"$top/installed"
sed -i '/^libboost1.81-dev /d' "$top/release"
run run
expect "no boost to be had: exit" $code 0
says "no boost to be had: a note" 'no headers of Boost 1.81 or later \(optional'
mkdir -p "$top/root/usr/include/boost/unordered"
: >"$top/root/usr/include/boost/unordered/unordered_flat_map.hpp"
: >"$top/calls"
run run
expect "boost installed by hand: nothing run" "$(cat "$top/calls")" ""

reset
run everything
expect "unknown set: exit" $code 2

mkdir "$top/tools"
for tool in bash dirname mktemp rm awk cc c++ make pkg-config; do
    found=$(command -v "$tool") && ln -s "$found" "$top/tools/$tool"
done
said=$(cd "$top/tree" && PATH="$top/tools" setup/deps.sh run 2>&1)
expect "no apt-get, tools present: exit" $? 0
says "no apt-get: what is needed" 'gcc g\+\+ make'
rm "$top/tools/make"
said=$(cd "$top/tree" && PATH="$top/tools" setup/deps.sh run 2>&1)
expect "no apt-get, no make: exit" $? 4
says "no apt-get, no make: named" 'not found: make'

# What the rest of the project tells people to do is what set-up does: no hint installs a package past it, and none names
# one that set-up does not know. A CI's first line is the exception: it gets git and make, without which there is no set-up.
said="" && : >"$top/calls"
hinting=(maps harness judge plots docs README.md tests)
expect "hints: all by set-up" "$(grep -rnE 'apt(-get)? install' "${hinting[@]}" --include='*' --exclude=test_deps.sh --exclude-dir=__pycache__ |
    grep -v '^docs/nightly.md:[0-9]*: *- run: apt-get update && apt-get install -y git make$')" ""
{ awk '!/^#/ && NF { gsub(/>=[^|]*/, "", $3); gsub(/\|/, "\n", $3); print $3 }' setup/packages.txt
    sed -n 's/^boost_package=//p' setup/deps.sh; } | sort -u >"$top/known"
hints=$({ grep -rhoE 'make deps(-test)?( build)?( \(|: )[a-z0-9+. -]+\)' "${hinting[@]}" --exclude=test_deps.sh | sed -E 's/^make deps(-test)?( build)?( \(|: )//; s/\)$//'
    sed -n 's/^ *\.package = "\([^"]*\)".*/\1/p' maps/*.h maps/adapters/*.h
    sed -n '/^PACKAGES = /,/}/p' plots/report.py | grep -oE 'python3-[a-z]+'; } | tr ' ' '\n' | sort -u)
[ "$(grep -c . <<<"$hints")" -ge 20 ] || expect "hints: found" "$hints" "twenty names or more"
expect "hints: only packages that set-up knows" "$(comm -23 <(echo "$hints") "$top/known")" ""

[ "$failures" = 0 ] && echo "deps: all as expected"
[ "$failures" = 0 ]
