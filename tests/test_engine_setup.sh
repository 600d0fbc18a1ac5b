#!/usr/bin/env bash
# Toolchains and engines against stand-ins for apt-get, dpkg-deb and go: what setup/go.sh finds, gets and says, what
# harness/engines/go/build.sh says, and that make engines goes on where a release cannot be had.
# Usage: tests/test_engine_setup.sh [BUILD], which it does not need.
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh
mkdir -p "$scratch/bin" "$scratch/tree"
cp -r setup "$scratch/tree/"
export STATE=$scratch

stand_in() { # NAME FILE
    cat >"$scratch/bin/$1"
    chmod +x "$scratch/bin/$1"
}
# Has the packages of $STATE/here in the machine's suites, and those of $STATE/elsewhere in the suite that is asked for.
stand_in apt-get <<'S'
#!/usr/bin/env bash
echo "$*" >>"$STATE/calls"
[[ $1 == indextargets ]] && { cat "$STATE/archive"; exit; }
has=here
[[ $* == *sourcelist=* ]] && has=elsewhere
[[ $* == *" update "* ]] && exit 0
for word; do
    [[ $word == golang-* ]] || continue
    grep -qx -- "$word" "$STATE/$has" || { echo "E: Unable to locate package $word"; exit 100; }
    echo "$word" >"$word.deb"
done
S
# Unpacks as Debian's packages are: go and links in the one, what they lead to in the other.
stand_in dpkg-deb <<'S'
#!/usr/bin/env bash
package=$(<"$2") release=${package#golang-}
release=${release%-*}
mkdir -p "$3/usr/lib/go-$release/bin" "$3/usr/share"
case $package in
*-go)
    printf '#!/bin/sh\necho go version go%s.4 linux/amd64\n' "$release" >"$3/usr/lib/go-$release/bin/go"
    chmod +x "$3/usr/lib/go-$release/bin/go"
    ln -s "../../share/go-$release/src" "$3/usr/lib/go-$release/src"
    ;;
*-src) mkdir -p "$3/usr/share/go-$release/src/runtime" "$3/usr/share/go-$release/test" ;;
esac
S

# toolchain FOLDER VERSION: a go command and its sources.
toolchain() {
    mkdir -p "$1/bin" "$1/src/runtime"
    printf '#!/bin/sh\necho "go version go%s linux/amd64"\n' "$2" >"$1/bin/go"
    chmod +x "$1/bin/go"
}
# go_sh WORDS: setup/go.sh in the copied tree, with nothing of this machine but its usual commands.
go_sh() { (cd "$scratch/tree" && PATH="$scratch/bin:/usr/bin:/bin" setup/go.sh "$@"); }
# has HERE LATER: the packages that there are; nothing is unpacked, no calls yet.
has() {
    printf '%s\n' "$1" | tr ' ' '\n' >"$scratch/here"
    printf '%s\n' "$2" | tr ' ' '\n' >"$scratch/elsewhere"
    echo "Debian http://archive/debian/" >"$scratch/archive"
    rm -rf "$scratch/tree/deps" "$scratch/calls"
}
is_absent() { [ -z "$(go_sh find "$1")" ]; }
at() { echo "$scratch/tree/deps/go/$1"; }
# The machine's own toolchains are found, too: releases that Debian does not have yet stand for all here.
[[ ! -e /usr/lib/go-1.27 && ! -e /usr/lib/go-1.26 ]] || { echo "Go 1.26 or 1.27 is installed here"; exit 77; }

# --- found ------------------------------------------------------------------------------------------------------------
has "" ""
toolchain "$(at 1.27)/usr/lib/go-1.27" 1.27.4
gives 0 "deps/go/1.27/usr/lib/go-1.27/bin/go" go_sh find 1.27
check "1.2 is not found" is_absent 1.2
check "1.26 is not found" is_absent 1.26
rm -r "$(at 1.27)/usr/lib/go-1.27/src"
check "1.27 is not found" is_absent 1.27 # without its sources
for folder in "$(at 1.28)" "$(at 1.29)/go"; do toolchain "$folder" "$(grep -oE '1\.2[89]' <<<"$folder")rc1"; done
gives 0 "deps/go/1.28/bin/go" go_sh find 1.28
gives 0 "deps/go/1.29/go/bin/go" go_sh find 1.29
gives 0 "deps/go/1.28/bin/go" go_sh find 1.26 1.28 1.29
check "newer releases: asked for, or unpacked" [ "$(go_sh newer 1.27 1.30 1.23 nonsense | paste -sd ' ')" = "1.28 1.29 1.30" ]

# --- got --------------------------------------------------------------------------------------------------------------
has "golang-1.27-go golang-1.27-src" ""
gives 0 "getting golang-1.27" go_sh install 1.27
gives 0 "deps/go/1.27/usr/lib/go-1.27/bin/go" go_sh find 1.27
check "both packages are in one folder" test -d "$(at 1.27)/usr/lib/go-1.27/src/runtime"
check "what only Go's own tests need is not kept" test ! -e "$(at 1.27)/usr/share/go-1.27/test"
check "no second download" bash -c "'$scratch/tree/setup/go.sh' install 1.27 && [ \$(grep -c '^download' '$scratch/calls') = 1 ]"
has "" "golang-1.26-go golang-1.26-src"
gives 0 "getting golang-1.26" go_sh install 1.26 # from another suite of the same archive
has "golang-1.27-go golang-1.27-src" ""
gives 4 "Go 1.26 cannot be had here .*Unable to locate.*entry 'deb http://archive/debian/ trixie-backports main'" go_sh install 1.26 1.27
gives 0 "1.27" go_sh find 1.27 # the other one went on
has "" ""
echo "Ubuntu http://archive/ubuntu/" >"$scratch/archive"
gives 4 "no Debian archive.*entry 'deb DEBIAN-ARCHIVE bookworm-backports main'" go_sh install 1.23
has "golang-1.27-go" ""
gives 4 "Go 1.27 cannot be had here" go_sh install 1.27 # no sources
has "" ""
gives 4 "Go 1.28 is newer than the newest known, 1.27,.*deps/go/1.28" go_sh install 1.28
has "golang-1.28-go golang-1.28-src" ""
gives 0 "getting golang-1.28" go_sh install 1.28
gives 2 "no engine is made of Go 1.22: known are .*, the nearest is 1.23" go_sh install 1.22
gives 2 "no engine is made of Go latest: .* the nearest is 1.27" go_sh install latest

# --- make engines goes on, and ends with an error ---------------------------------------------------------------------
gives 2 "the nearest is 1.23" make --no-print-directory engines SKIP_DEPS= GO_RELEASES=1.22 MAKE="echo made"
cp "$scratch/output" "$scratch/said"
check "make engines builds all the same" grep -qx "made build" "$scratch/said"
# make test gets what make engines gets: an engine that a test asks for and neither gets fails where nothing may be missing.
gotten=$(env -u GO_RELEASES make --no-print-directory help | sed -n 's/^make engines *get Go \([0-9. ]*\) and.*/\1/p')
while read -r release; do
    check "make engines gets $release, which a test asks for" grep -qwF "${release#go}" <<<"$gotten"
done < <(grep -ohE 'go1\.[0-9]+' tests/test_engine_retain.sh tests/test_engine_trace.py | sort -u)

# A release that the ports do not have, found in PATH.
toolchain "$scratch/later" 1.28.0
PATH=$scratch/later/bin:$PATH gives 0 "build.sh $scratch/later/bin/go \"\" .*/engines/go1.28" \
    make --no-print-directory -n BUILD="$scratch/build" SKIP_DEPS=1 GO_RELEASES="1.27 1.28" "$scratch/build/engines/go1.28"

# --- built ------------------------------------------------------------------------------------------------------------
# A compiler that knows one GOEXPERIMENT, fieldtrack; $BUILDS: what it can build.
cat >"$scratch/go" <<'S'
#!/usr/bin/env bash
[[ -z $GOEXPERIMENT || $GOEXPERIMENT == fieldtrack ]] || { echo "go: unknown GOEXPERIMENT ${GOEXPERIMENT#no}" >&2; exit 2; }
case $1 in
env) echo go1.28.0 ;;
build)
    [[ $BUILDS == nothing || ($* == *"-tags trace"* && $BUILDS != all) ]] && { printf '# mapbench/engine\nlink: hashkey: not defined\n' >&2; exit 1; }
    while [[ $1 != -o ]]; do shift; done
    echo built >"$2"
    ;;
esac
S
chmod +x "$scratch/go"
built() { # BUILDS EXPERIMENT
    BUILDS=$1 harness/engines/go/build.sh "$scratch/go" "$2" "$(realpath --relative-to=. "$scratch")/work" "$scratch/engines/go1.28"
}
mkdir -p "$scratch/work/cache"
gives 1 "go1.28.0 refuses GOEXPERIMENT=noswissmap: unknown GOEXPERIMENT swissmap; the classic maps left Go with 1.26" built all noswissmap
check "in one line" [ "$(wc -l <"$scratch/output")" = 1 ]
gives 0 "the first build with go1.28.0 compiles Go's library, too" built all ""
check "the second build is quiet" [ -z "$(built all "" 2>&1)" ]
gives 0 "first build with go1.28.0 and GOEXPERIMENT=fieldtrack compiles" built all fieldtrack
gives 0 "go1.28 has no traces of its map: link: hashkey: not defined" built part ""
check "it is built all the same" grep -q built "$scratch/engines/go1.28"
gives 1 "link: hashkey: not defined" built nothing ""

finish
