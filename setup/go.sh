#!/usr/bin/env bash
# The Go toolchains behind the maps real_go_*; all of it is optional.
#   setup/go.sh find RELEASE...     prints the go command of the first of the releases (such as 1.27) that is here; exit 1: none
#   setup/go.sh install RELEASE...  gets what is missing as Debian packages and unpacks it into deps/go
#   setup/go.sh newer RELEASE...    prints those of the releases, and of the folders in deps/go, that come after the newest known
#
# Debian 12 has these releases in later suites only (suite_of). The packages are static and are unpacked, not installed; the
# machine's own package sources say where from, and keep their own list of suites. A release is two packages, which must be
# unpacked into the same folder: golang-1.27-go leads to the sources, of golang-1.27-src, by symbolic links.
# Exit codes: 0 ok, 1 not found, 2 usage, 4 cannot be had here; install goes on with the other releases.
set -u
cd "$(dirname "$0")/.." || exit 4
# shellcheck source=setup/archive.sh
source setup/archive.sh

known=(1.23 1.24 1.25 1.26 1.27) # from the oldest
newest=${known[-1]}

say() { printf 'go: %s\n' "$*"; }

is_release() { [[ $1 =~ ^1\.[1-9][0-9]*$ ]]; }
is_newer() { is_release "$1" && ((${1#1.} > ${newest#1.})); }

# Prints the first go command of release $1 that has its sources: without them it cannot build.
find_go() {
    local release=$1 candidate folder
    for candidate in "deps/go/$release/usr/lib/go-$release/bin/go" "deps/go/$release/bin/go" "deps/go/$release/go/bin/go" \
        "/usr/lib/go-$release/bin/go" /usr/local/go/bin/go "$(command -v go)"; do
        [ -x "$candidate" ] || continue
        case $(GOEXPERIMENT='' GOTOOLCHAIN=local "$candidate" version 2>/dev/null) in
        "go version go$release" | "go version go$release"[!0-9]*) ;;
        *) continue ;;
        esac
        folder=$(dirname "$(dirname "$(realpath "$candidate")")")
        [ -d "$folder/src/runtime" ] || continue
        realpath -s "$candidate"
        return 0
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

# download RELEASE FOLDER: the two packages, from the machine's own suites or from the one that has them.
download() (
    release=$1 folder=$2
    packages=("golang-$release-go" "golang-$release-src")
    (cd "$folder" && apt-get download -q "${packages[@]}") >"$log" 2>&1 && return
    suite=$(suite_of "$release") || return 1
    { use_suite "$suite" "$folder" && apt_suite get update -q && cd "$folder" && apt_suite get download -q "${packages[@]}"; } >"$log" 2>&1
)

# Says in one line why a release is not here, and what would bring it.
say_absent() {
    local release=$1 suite reason
    reason=$(grep -m 1 -E '^E:|rror' "$log")
    if suite=$(suite_of "$release"); then
        say "Go $release cannot be had here (optional, its maps stay unavailable): ${reason:-its packages do not make a toolchain};" \
            "an entry 'deb $(archive Debian || echo DEBIAN-ARCHIVE) $suite main' among the package sources would give it"
    else
        say "Go $release is newer than the newest known, $newest, and no package source of this machine has golang-$release-go;" \
            "unpack it into deps/go/$release, bin/go and src together, and it is used"
    fi
}

install_go() {
    local release=$1 folder package target="deps/go/$1"
    if ! suite_of "$release" >/dev/null && ! is_newer "$release"; then
        say "no engine is made of Go $release: known are ${known[*]}, the nearest is $(nearest_to "$release")"
        return 2
    fi
    find_go "$release" >/dev/null && return 0
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        say "Go $release is not here, and without apt-get it has to be installed by hand, or unpacked into $target (optional)"
        return 4
    fi
    say "getting golang-$release for $target"
    folder=$(mktemp -d) || return 4
    chmod 755 "$folder"
    if download "$release" "$folder"; then
        rm -rf "$target"
        mkdir -p "$target"
        for package in "$folder"/*.deb; do dpkg-deb -x "$package" "$target" 2>>"$log"; done
        # Not needed to build: the compiler's own tests, API lists and documentation.
        rm -rf "$target"/usr/share/doc "$target"/usr/share/lintian "$target"/usr/share/go-*/{test,api,misc}
        find "$target" -type d -name testdata -prune -exec rm -rf {} +
    fi
    rm -rf "$folder"
    find_go "$release" >/dev/null && return 0
    say_absent "$release"
    return 4
}

# The known release whose number is nearest; of what is no release, the newest.
nearest_to() {
    is_release "$1" && ((${1#1.} < ${known[0]#1.})) && { echo "${known[0]}"; return; }
    echo "$newest"
}

case "${1-} $#" in
"find "*)
    for release in "${@:2}"; do ! find_go "$release" || exit 0; done
    exit 1
    ;;
"newer "*)
    for release in "${@:2}" $(ls deps/go 2>/dev/null); do
        ! is_newer "$release" || echo "$release"
    done | sort -u
    ;;
"install "*)
    [ $# -gt 1 ] || { echo "usage: setup/go.sh install RELEASE..." >&2; exit 2; }
    log=$(mktemp) || exit 4
    trap 'rm -f "$log"' EXIT
    status=0
    for release in "${@:2}"; do install_go "$release" || status=$?; done
    exit "$status"
    ;;
*)
    echo "usage: setup/go.sh find RELEASE... | install RELEASE... | newer RELEASE..." >&2
    exit 2
    ;;
esac
