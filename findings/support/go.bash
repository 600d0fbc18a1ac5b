# shellcheck shell=bash
# Sourced by the scripts of findings/: real Go toolchains, unpacked from Debian's packages into a temporary folder.
#
# run_go RELEASE VERSION PROGRAM_FOLDER prints what the program prints. Nothing is installed; the machine's own package
# sources say where from. A version that is no longer there is told, and ends the script with 1: the finding is of that one.

# shellcheck source-path=SCRIPTDIR source-path=SCRIPTDIR/support source=package.bash
source "$(dirname "${BASH_SOURCE[0]}")/package.bash"

suite_of() {
    case $1 in
    1.24) echo trixie ;;
    *) echo trixie-backports ;;
    esac
}

# unpack_go RELEASE VERSION: the compiler and the sources that it builds with, in one folder: links lead from one to the other.
unpack_go() {
    local release=$1 version=$2
    unpack "$(suite_of "$release")" "$work/go-$release" "golang-$release-go=$version" "golang-$release-src=$version"
}

run_go() {
    local release=$1 version=$2 program=$3
    [[ -d $work/go-$release ]] || unpack_go "$release" "$version"
    (cd "$program" && HOME=$work GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-mod=mod \
        "$work/go-$release/usr/lib/go-$release/bin/go" run .)
}
