# shellcheck shell=bash
# Sourced by the scripts of findings/: Debian's packages, unpacked into a temporary folder, and what was found in them.
#
# Nothing is installed; the machine's own package sources say where from. A version that is no longer there is told, and ends
# the script with 1: the finding is of that one.

set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
chmod 755 "$work"

# unpack SUITE FOLDER PACKAGE=VERSION...: all of them into one folder.
unpack() {
    local suite=$1 folder=$2 uri options package
    # shellcheck disable=SC2016 # apt-get expands these
    uri=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 !~ /security/ { print $2; exit }')
    [[ $uri ]] || { echo "no Debian archive among this machine's package sources"; exit 1; }
    mkdir -p "$folder/lists/partial"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$uri" "$suite" >"$folder/suite.list"
    options=(-o "Dir::Etc::sourcelist=$folder/suite.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$folder/lists"
        -o APT::Get::List-Cleanup=0 -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root
        -o Acquire::Check-Valid-Until=false)
    apt-get "${options[@]}" update -qq
    (cd "$folder" && apt-get "${options[@]}" download -qq "${@:3}") || { echo "${*:3} is not in $suite any more"; exit 1; }
    for package in "$folder"/*.deb; do dpkg-deb -x "$package" "$folder"; done
}

# expect WHAT GOT CONDITION...: one line; the script fails at its end if a condition does not hold.
# shellcheck disable=SC2034 # read by who sources this
changed=0
expect() {
    local what=$1 got=$2
    shift 2
    if "$@"; then
        echo "as found: $what: $got"
    else
        echo "CHANGED:  $what: $got"
        # shellcheck disable=SC2034
        changed=1
    fi
}
between() { ((${1%.*} >= $2 && ${1%.*} <= $3)); }
