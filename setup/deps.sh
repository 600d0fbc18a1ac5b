#!/usr/bin/env bash
# Installs what is missing, and nothing else:  setup/deps.sh run|test
#
# setup/packages.txt says what is wanted. Nothing that is installed is ever removed for it.
# Exit codes: 0 everything required is there (what is optional and missing is named); 2 usage; 4 something required is
# missing and cannot be installed from here.
# Variables: DEPS_ROOT, a folder in which /usr is looked for instead (for the tests).
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

# wanted NEED: the rows of this set, a word each: name[>=version][|name...].
wanted() { awk -v need="$1" -v set="$set_wanted" '$1 == need && $2 == set { print $3 }' setup/packages.txt; }

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

# unordered_flat_map came with Boost 1.81. Debian 12's libboost1.81-dev conflicts with the libboost1.74-dev that
# python3-scipy brings along, so its headers, which are all that is needed, are unpacked here instead of installed.
boost_package=libboost1.81-dev
has_boost() {
    local folder
    for folder in "${DEPS_ROOT-}"/usr/include "${DEPS_ROOT-}"/usr/local/include deps/boost/usr/include; do
        [ -e "$folder/boost/unordered/unordered_flat_map.hpp" ] && return 0
    done
    return 1
}

# --- which of a row's names -----------------------------------------------------------------------------------------
# Versions of the names in packages.txt: of what is installed, and of what this release offers.
declare -A installed=() offered=()

read_installed() {
    local name status version
    installed=()
    while read -r name status version; do
        [ "$status" = installed ] && installed[$name]=$version
    done < <(dpkg-query -W -f '${Package} ${db:Status-Status} ${Version}\n' "$@" 2>/dev/null)
}
read_offered() {
    local name version
    offered=()
    while read -r name version; do offered[$name]=$version; done < <(LC_ALL=C apt-cache policy "$@" 2>/dev/null |
        awk '/^[^ ]/ { sub(/:$/, "", $1); name = $1 } $1 == "Candidate:" && $2 != "(none)" { print name, $2 }')
}

# serves NAME[>=VERSION] HAVE: the version HAVE, empty for none, is enough.
serves() { [ -n "$2" ] && { [[ $1 != *'>='* ]] || dpkg --compare-versions "$2" ge "${1#*>=}"; }; }

# The rows of a set that nothing installed serves: `missing required` or `missing optional`.
missing() {
    local row name
    for row in $(wanted "$1"); do
        for name in ${row//|/ }; do
            serves "$name" "${installed[${name%%>=*}]-}" && continue 2
            [[ $name == libboost-dev* ]] && has_boost && continue 2
        done
        printf '%s\n' "$row"
    done
}

# available ROW...: the first name of each that this release has; the other rows are named in `unknown`.
unknown=""
available() {
    local row name
    unknown=""
    names=()
    for row; do
        for name in ${row//|/ }; do
            serves "$name" "${offered[${name%%>=*}]-}" && names+=("${name%%>=*}") && continue 2
        done
        unknown+="${unknown:+ }$row"
    done
}

all_names() { awk -v set="$set_wanted" '!/^#/ && $2 == set { gsub(/>=[^|]*/, "", $3); gsub(/\|/, "\n", $3); print $3 }' setup/packages.txt; }
look() {
    # shellcheck disable=SC2046 # names are words
    read_installed $(all_names)
    mapfile -t required < <(missing required)
    mapfile -t optional < <(missing optional)
}

# --- installing -----------------------------------------------------------------------------------------------------
# Runs a command as root: directly, or by sudo where that asks no password. False: there is no way.
can_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# --no-remove: a package that would drive out another is refused, for that other is what somebody needs.
apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends --no-remove \
        -o DPkg::Lock::Timeout=120 "$@" >"$log" 2>&1
}

updated=""
apt_update() {
    [ -n "$updated" ] && return
    updated=yes
    say "updating the package lists"
    as_root env LC_ALL=C apt-get update -q -o DPkg::Lock::Timeout=120 >"$log" 2>&1 && return
    if grep -qE '^E: Release file .* (is expired|is not valid yet)' "$log"; then
        say "the package index is past its date, or the clock is wrong; going on with the lists there are. To take it all the same:" \
            "apt-get -o Acquire::Check-Valid-Until=false update"
    else
        say "apt-get update failed, going on with the lists there are: $(grep -m 1 '^[EW]:' "$log")"
    fi
}

# What this release does not have, by name and with the reason. Boost may still be unpacked.
say_unknown() {
    local row name version
    for row; do
        [[ $row == libboost-dev* ]] && continue
        for name in ${row//|/ }; do
            version=${offered[${name%%>=*}]-}
            [ -n "$version" ] && say "too old in this release: $name (it has $version)" && continue 2
        done
        say "not in this release: ${row//|/ or }"
    done
}

# install ROW...: all at once; if that fails one by one, so that a package that cannot be had costs nothing but itself.
install() {
    local name names
    [ ${#offered[@]} -gt 0 ] || { say "the package lists are empty: nothing can be installed before apt-get update succeeds"; return; }
    available "$@"
    # shellcheck disable=SC2086 # rows are words
    say_unknown $unknown
    [ ${#names[@]} -gt 0 ] || return
    say "installing ${#names[@]} packages: ${names[*]}"
    apt_install "${names[@]}" && return
    say "that failed ($(grep -m 1 '^E:' "$log")); trying one by one"
    for name in "${names[@]}"; do
        apt_install "$name" || say "cannot install $name: $(grep -m 1 '^E:' "$log")"
    done
}

# For who may not install: the line that root runs. Names are known once the lists of the release are there.
tell_root() {
    local names
    say "not root, and sudo asks for a password; run this as root:"
    available "${required[@]}" "${optional[@]}"
    if [ ${#names[@]} = 0 ]; then
        echo "apt-get update && $PWD/setup/deps.sh $set_wanted"
    else
        echo "apt-get update && apt-get install -y --no-install-recommends --no-remove ${names[*]}"
    fi
}

fetch_boost() {
    has_boost && return
    say "unpacking the headers of $boost_package into deps/boost"
    work=$(mktemp -d) && chmod 755 "$work" || return
    if ! (cd "$work" && apt-get download -q "$boost_package") >"$log" 2>&1; then
        can_be_root && apt_update
        (cd "$work" && apt-get download -q "$boost_package") >"$log" 2>&1
    fi
    if dpkg-deb -x "$work"/*.deb "$work/unpacked" 2>>"$log" && [ -d "$work/unpacked/usr/include/boost" ]; then
        rm -rf deps/boost
        mkdir -p deps/boost/usr/include
        mv "$work/unpacked/usr/include/boost" deps/boost/usr/include/
    fi
    has_boost || say "no headers of Boost 1.81 or later (optional, boost_flat stays unavailable): $(grep -m 1 -E '^E:|error' "$log")"
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    without_apt
    exit
fi

look
if [ ${#required[@]} -gt 0 ] || [ ${#optional[@]} -gt 0 ]; then
    can_be_root && root=yes || root=""
    [ -z "$root" ] || apt_update
    # shellcheck disable=SC2046
    read_offered $(all_names)
    if [ -z "$root" ]; then
        tell_root
    else
        # What is required first: no optional package is in its way.
        install "${required[@]}" "${optional[@]}"
        look
    fi
fi
[ "$set_wanted" = run ] && fetch_boost && look
if [ ${#required[@]} -gt 0 ]; then
    say "missing and required: ${required[*]//|/ or }"
    exit 4
fi
if [ ${#optional[@]} -gt 0 ]; then
    say "missing, optional: ${optional[*]//|/ or }"
else
    say "everything for '$set_wanted' is installed"
fi
