#!/usr/bin/env bash
# The Go toolchains behind the maps real_go_*; all of it is optional.
#   setup/go.sh find VERSION        prints the go command of that version (such as 1.27); exit 1: there is none
#   setup/go.sh install VERSION...  gets what is missing as Debian packages and unpacks it into deps/go
#
# Debian 12 has these versions in later suites only (1.23: bookworm-backports, 1.24: trixie, 1.25 to 1.27: trixie-backports). The packages are static and
# are unpacked, not installed; the machine's own package sources say where from, and keep their own list of suites.
# Exit codes: 0 ok, 1 not found, 2 usage, 4 cannot be had here.
set -u
cd "$(dirname "$0")/.." || exit 4
# shellcheck source=setup/archive.sh
source setup/archive.sh

say() { printf 'go: %s\n' "$*"; }

# Prints the first go command of version $1.
find_go() {
    local version=$1 candidate
    for candidate in "deps/go/$version/usr/lib/go-$version/bin/go" "/usr/lib/go-$version/bin/go" /usr/local/go/bin/go \
        "$(command -v go)"; do
        [ -x "$candidate" ] || continue
        case $(GOTOOLCHAIN=local "$candidate" version 2>/dev/null) in
        "go version go$version"[\ .]*)
            realpath -s "$candidate"
            return 0
            ;;
        esac
    done
    return 1
}

suite_of() {
    case $1 in
    1.23) echo bookworm-backports ;;
    1.24) echo trixie ;;
    1.25 | 1.26 | 1.27) echo trixie-backports ;;
    *) return 1 ;;
    esac
}

# A sources file with one suite of the Debian archive this machine uses already.
write_sources() {
    local suite=$1 file=$2 uri keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    uri=$(archive Debian) || return 1
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$uri" "$suite" >"$file"
    [ ! -r "$keyring" ] || printf 'Signed-By: %s\n' "$keyring" >>"$file"
}

# download VERSION FOLDER: the two packages, from the machine's own suites or from the one that has them.
download() {
    local version=$1 folder=$2 options=()
    local packages=("golang-$version-go" "golang-$version-src")
    (cd "$folder" && apt-get download -q "${packages[@]}") >"$log" 2>&1 && return
    mkdir -p "$folder/lists/partial"
    write_sources "$(suite_of "$version")" "$folder/go.sources" || { echo "E: no Debian archive among this machine's package sources" >"$log"; return 1; }
    options=(-o "Dir::Etc::sourcelist=$folder/go.sources" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$folder/lists"
        -o APT::Get::List-Cleanup=0 -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update -q >"$log" 2>&1 &&
        (cd "$folder" && apt-get "${options[@]}" download -q "${packages[@]}") >"$log" 2>&1
}

install_go() {
    local version=$1 folder package
    local target="deps/go/$version"
    find_go "$version" >/dev/null && return 0
    suite_of "$version" >/dev/null || { say "no package is known for Go $version"; return 4; }
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        say "Go $version is not here, and without apt-get it has to be installed by hand (optional)"
        return 4
    fi
    say "unpacking golang-$version into $target"
    folder=$(mktemp -d) || return 4
    chmod 755 "$folder"
    if download "$version" "$folder"; then
        rm -rf "$target"
        mkdir -p "$target"
        for package in "$folder"/*.deb; do dpkg-deb -x "$package" "$target" 2>>"$log"; done
        # Not needed to build: the compiler's own tests, API lists and documentation.
        rm -rf "$target"/usr/share/doc "$target"/usr/share/lintian "$target"/usr/share/go-*/{test,api,misc}
        find "$target" -type d -name testdata -prune -exec rm -rf {} +
    fi
    rm -rf "$folder"
    find_go "$version" >/dev/null && return 0
    say "Go $version cannot be had here (optional, its maps stay unavailable): $(grep -m 1 -E '^E:|rror' "$log")"
    return 4
}

case "${1-} $#" in
"find 2") find_go "$2" ;;
"install "*)
    [ $# -gt 1 ] || { echo "usage: setup/go.sh install VERSION..." >&2; exit 2; }
    log=$(mktemp) || exit 4
    trap 'rm -f "$log"' EXIT
    status=0
    for version in "${@:2}"; do install_go "$version" || status=$?; done
    exit "$status"
    ;;
*)
    echo "usage: setup/go.sh find VERSION | install VERSION..." >&2
    exit 2
    ;;
esac
