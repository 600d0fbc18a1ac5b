# shellcheck shell=bash
# Sourced by the scripts of findings/: real Go toolchains, unpacked from Debian's packages into a temporary folder.
#
# run_go RELEASE VERSION PROGRAM_FOLDER prints what the program prints. Nothing is installed; the machine's own package
# sources say where from. A version that is no longer there is told, and ends the script with 1: the finding is of that one.

set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
chmod 755 "$work"

suite_of() {
    case $1 in
    1.24) echo trixie ;;
    *) echo trixie-backports ;;
    esac
}

# unpack_go RELEASE VERSION: the compiler and the sources that it builds with, in one folder: links lead from one to the other.
unpack_go() {
    local release=$1 version=$2 suite folder=$work/go-$1 package uri options
    suite=$(suite_of "$release")
    # shellcheck disable=SC2016 # apt-get expands these
    uri=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 !~ /security/ { print $2; exit }')
    [[ $uri ]] || { echo "no Debian archive among this machine's package sources"; exit 1; }
    mkdir -p "$folder/lists/partial"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$uri" "$suite" >"$folder/suite.list"
    options=(-o "Dir::Etc::sourcelist=$folder/suite.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$folder/lists"
        -o APT::Get::List-Cleanup=0 -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update -qq
    (cd "$folder" && apt-get "${options[@]}" download -qq "golang-$release-go=$version" "golang-$release-src=$version") ||
        { echo "golang-$release-go $version is not in $suite any more"; exit 1; }
    for package in "$folder"/*.deb; do dpkg-deb -x "$package" "$folder"; done
}

run_go() {
    local release=$1 version=$2 program=$3
    [[ -d $work/go-$release ]] || unpack_go "$release" "$version"
    (cd "$program" && HOME=$work GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-mod=mod \
        "$work/go-$release/usr/lib/go-$release/bin/go" run .)
}

# expect WHAT GOT CONDITION...: one line; the script fails at its end if a condition does not hold.
changed=0
expect() {
    local what=$1 got=$2
    shift 2
    if "$@"; then
        echo "as found: $what: $got"
    else
        echo "CHANGED:  $what: $got"
        changed=1
    fi
}
between() { ((${1%.*} >= $2 && ${1%.*} <= $3)); }
