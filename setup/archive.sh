# shellcheck shell=bash
# Sourced: where this machine gets its packages from, and what other suites of that archive have.

# archive ORIGIN: the address of the archive of that origin (Debian, Ubuntu) among the machine's own package sources.
archive() {
    # shellcheck disable=SC2016 # apt-get expands these
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk -v origin="$1" '$1 == origin && $2 !~ /security/ { print $2; found = 1; exit } END { exit !found }'
}

# use_suite SUITE FOLDER [deb-src]: from here on `apt_suite get|cache ...` asks one suite of the Debian archive that this machine uses
# already, with lists of its own in FOLDER, of sources too if it says so; they are read by `apt_suite get update`. False: this machine has no such archive.
suite_options=()
use_suite() {
    local suite=$1 folder=$2 uri keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    uri=$(archive Debian) || { echo "E: no Debian archive among this machine's package sources" >&2; return 1; }
    mkdir -p "$folder/lists/partial"
    printf 'Types: deb%s\nURIs: %s\nSuites: %s\nComponents: main\n' "${3:+ $3}" "$uri" "$suite" >"$folder/suite.sources"
    [ ! -r "$keyring" ] || printf 'Signed-By: %s\n' "$keyring" >>"$folder/suite.sources"
    # The index of a suite that is still being made may be past its date on a mirror; its signature is checked all the same.
    suite_options=(-o "Dir::Etc::sourcelist=$folder/suite.sources" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$folder/lists"
        -o APT::Get::List-Cleanup=0 -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root
        -o Acquire::Check-Valid-Until=false -o Dir::State::status=/dev/null)
}
apt_suite() { LC_ALL=C "apt-$1" "${suite_options[@]}" "${@:2}"; }
