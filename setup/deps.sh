#!/usr/bin/env bash
# Installs what is missing, and nothing else:  setup/deps.sh run|test
#
# Exit codes: 0 everything required is there (what is optional and missing is named); 2 usage; 4 something required is
# missing and cannot be installed from here.
set -u
cd "$(dirname "$0")/.." || exit 4

say() { printf 'deps: %s\n' "$*"; }

case "${1-}" in
run | test) set_wanted=$1 ;;
*)
    echo "usage: setup/deps.sh run|test" >&2
    exit 2
    ;;
esac

log=$(mktemp) || exit 4
work=""
trap 'rm -rf "$log" ${work:+"$work"}' EXIT

# Names of this set's packages that are not installed: `missing required` or `missing optional`.
missing() {
    local need=$1 wanted installed name
    wanted=$(awk -v need="$need" -v set="$set_wanted" '$1 == need && $2 == set { print $3 }' setup/packages.txt)
    # shellcheck disable=SC2086 # names are words
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null | awk '$2 == "installed" { print $1 }')
    local list=""
    for name in $wanted; do
        case $'\n'"$installed"$'\n' in
        *$'\n'"$name"$'\n'*) ;;
        *) list+="${list:+ }$name" ;;
        esac
    done
    printf '%s' "$list"
}

# Where there is no apt-get the tools can only be looked for.
without_apt() {
    local tool absent=""
    for tool in cc c++ make pkg-config; do command -v "$tool" >/dev/null || absent+=" $tool"; done
    say "no apt-get here; needed are the equivalents of these Debian packages:"
    awk -v set="$set_wanted" '$2 == set { printf "%s%s", sep, $3; sep = " " } END { print "" }' setup/packages.txt
    [ -z "$absent" ] && return 0
    say "not found:$absent"
    return 4
}

# Runs a command as root: directly, or by sudo where that asks no password. False: there is no way.
can_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=120 "$@" \
        >"$log" 2>&1
}

updated=""
apt_update() {
    [ -n "$updated" ] && return
    updated=yes
    say "updating the package lists"
    as_root apt-get update -q -o DPkg::Lock::Timeout=120 >"$log" 2>&1 ||
        say "apt-get update failed, going on with the lists there are: $(grep -m 1 '^[EW]:' "$log")"
}

# All at once; if that fails, what is required together, then the rest one by one, so that a single package that this
# release does not have costs nothing but itself.
install_missing() {
    local required=$1 optional=$2 name
    apt_update
    # shellcheck disable=SC2086
    set -- $required $optional
    say "installing $# packages: $*"
    apt_install "$@" && return
    say "that failed ($(grep -m 1 '^E:' "$log")); trying in parts"
    # shellcheck disable=SC2086
    if [ -n "$required" ] && ! apt_install $required; then
        say "cannot install $required: $(grep -m 1 '^E:' "$log")"
    fi
    for name in $optional; do
        apt_install "$name" || say "cannot install $name (optional): $(grep -m 1 '^E:' "$log")"
    done
}

# unordered_flat_map came with Boost 1.81. Debian 12's libboost1.81-dev conflicts with the libboost1.74-dev that
# python3-scipy brings along, so its headers, which are all that is needed, are unpacked here instead of installed.
has_boost() {
    local folder
    for folder in /usr/include /usr/local/include deps/boost/usr/include; do
        [ -e "$folder/boost/unordered/unordered_flat_map.hpp" ] && return 0
    done
    return 1
}

fetch_boost() {
    local package=libboost1.81-dev
    has_boost && return
    say "unpacking the headers of $package into deps/boost"
    work=$(mktemp -d) && chmod 755 "$work" || return
    if ! (cd "$work" && apt-get download -q "$package") >"$log" 2>&1; then
        can_be_root && apt_update
        (cd "$work" && apt-get download -q "$package") >"$log" 2>&1
    fi
    if dpkg-deb -x "$work"/*.deb "$work/unpacked" 2>>"$log" && [ -d "$work/unpacked/usr/include/boost" ]; then
        rm -rf deps/boost
        mkdir -p deps/boost/usr/include
        mv "$work/unpacked/usr/include/boost" deps/boost/usr/include/
    fi
    has_boost || say "no Boost 1.81 headers (optional, boost_flat stays unavailable): $(grep -m 1 -E '^E:|error' "$log")"
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    without_apt
    exit
fi

required=$(missing required)
optional=$(missing optional)
if [ -n "$required$optional" ]; then
    if can_be_root; then
        install_missing "$required" "$optional"
        required=$(missing required)
        optional=$(missing optional)
    else
        say "not root, and sudo asks for a password; run this as root:"
        echo "apt-get update && apt-get install -y --no-install-recommends $required${required:+ }$optional"
    fi
fi
[ "$set_wanted" = run ] && fetch_boost
if [ -n "$required" ]; then
    say "missing and required: $required"
    exit 4
fi
if [ -n "$optional" ]; then
    say "missing, optional: $optional"
else
    say "everything for '$set_wanted' is installed"
fi
