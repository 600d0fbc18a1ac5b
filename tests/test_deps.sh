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

# Stand-ins keep state in files: `installed` (names), `broken` (names apt-get refuses), `calls` (what was run).
stand_in() {
    cat >"$top/bin/$1"
    chmod +x "$top/bin/$1"
}
stand_in dpkg-query <<'S'
#!/usr/bin/env bash
grep -q . "$STATE/installed" && sed 's/$/ installed/' "$STATE/installed"
exit 1
S
stand_in apt-get <<'S'
#!/usr/bin/env bash
echo "apt-get $*" >>"$STATE/calls"
command=$1
shift
for word; do
    grep -qx -- "$word" "$STATE/broken" && { echo "E: Unable to locate package $word"; exit 100; }
done
case $command in
install) for word; do case $word in -* | DPkg*) ;; *) echo "$word" >>"$STATE/installed" ;; esac; done ;;
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

# run SET: deps.sh with the stand-ins first in PATH; its output in $said, its exit code in $code.
run() {
    said=$(cd "$top/tree" && STATE="$top" PATH="$top/bin:$PATH" setup/deps.sh "$1" 2>&1)
    code=$?
}
reset() {
    rm -rf "$top/tree/deps"
    : >"$top/installed"
    : >"$top/broken"
    : >"$top/calls"
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
names() { awk -v set="$1" '$2 == set { print $3 }' setup/packages.txt; }

reset
run run
expect "fresh machine: exit" $code 0
expect "fresh machine: one update" "$(grep -c '^apt-get update' "$top/calls")" 1
expect "fresh machine: one install" "$(installs)" 1
expect "fresh machine: all of the set, no more" "$(sort "$top/installed")" "$(names run | sort)"
expect "fresh machine: no recommends" "$(grep -c -- '--no-install-recommends' "$top/calls")" 1
if ! [ -e /usr/include/boost/unordered/unordered_flat_map.hpp ] && ! [ -e /usr/local/include/boost/unordered/unordered_flat_map.hpp ]; then
    expect "fresh machine: boost unpacked" "$(cd "$top/tree/deps/boost" && find . -type f)" "./usr/include/boost/unordered/unordered_flat_map.hpp"
fi

: >"$top/calls"
run run
expect "complete machine: exit" $code 0
expect "complete machine: nothing run" "$(cat "$top/calls")" ""

run test
expect "tests: what they need besides" "$(sort "$top/installed")" "$( (names run && names test) | sort)"

reset
names run | grep -vx gnuplot-nox >"$top/installed"
run run
expect "one missing: installs that one" "$(tail -n 1 "$top/installed")" gnuplot-nox
expect "one missing: only that one" "$(wc -l <"$top/installed")" "$(names run | wc -l)"

reset
echo libjudy-dev >"$top/broken"
run run
expect "optional package unknown: exit" $code 0
expect "optional package unknown: the others are installed" "$(sort "$top/installed")" "$(names run | grep -vx libjudy-dev | sort)"
says "optional package unknown: named" 'cannot install libjudy-dev \(optional\): E: Unable to locate'
says "optional package unknown: named at the end" '^deps: missing, optional: libjudy-dev$'

reset
echo libjansson-dev >"$top/broken"
run run
expect "required package unknown: exit" $code 4
says "required package unknown: named" 'missing and required: .*libjansson-dev'

reset
echo 1000 >"$top/uid"
run run
expect "not root: exit" $code 4
expect "not root: nothing installed" "$(installs)" 0
says "not root: the line to run" "^apt-get update && apt-get install -y --no-install-recommends $(names run | tr '\n' ' ' | sed 's/ $//;s/\./\\./g;s/+/\\+/g')\$"

reset
names run | grep -vx wamerican >"$top/installed"
echo 1000 >"$top/uid"
run run
expect "not root, only optional missing: exit" $code 0
says "not root, only optional missing: the line to run" '^apt-get update && .* wamerican$'

reset
if [ ! -e /usr/include/boost/unordered/unordered_flat_map.hpp ]; then
    names run >"$top/installed"
    echo libboost1.81-dev >"$top/broken"
    run run
    expect "no boost to be had: exit" $code 0
    says "no boost to be had: a note" 'no Boost 1.81 headers \(optional'
fi

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

[ "$failures" = 0 ] && echo "deps: all as expected"
[ "$failures" = 0 ]
