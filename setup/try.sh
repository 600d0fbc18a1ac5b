#!/usr/bin/env bash
# Tries this checkout on a fresh, minimal machine of another release:
#   setup/try.sh [--keep FOLDER] SUITE [COMMAND...]
#
# SUITE is a release that the archive of this machine's own package sources has (bookworm, trixie, forky). debootstrap
# makes it in a temporary folder, the files that git tracks are copied into it, as they are now, with the history, and the
# commands, shell command lines, run there as root one after the other: `make run` and `make test`, unless others are given.
# The last lines tell how each ended, what was passed and skipped and why, and the versions of what matters.
#   --keep FOLDER   makes the release there and leaves it; where an earlier try left one it is used again
#
# Nothing of this machine is changed: mounts and processes live in name spaces of their own and end with them.
# Exit codes: 0 all commands ended with 0; 1 one did not; 2 usage; 4 cannot be tried here; 130 interrupted.
set -um # job control: an interrupt from the terminal is this script's alone, which then ends what runs in the release
cd "$(dirname "$0")/.." || exit 4
# shellcheck source=setup/archive.sh
source setup/archive.sh

say() { printf 'try: %s\n' "$*"; }
cannot() { say "$*" >&2; exit 4; }
usage() {
    [ $# = 0 ] || say "$*" >&2
    echo "usage: setup/try.sh [--keep FOLDER] SUITE [COMMAND...]" >&2
    exit 2
}

keep=""
case ${1-} in
--keep)
    [ $# -ge 2 ] || usage
    keep=$2
    shift 2
    ;;
-*) usage "unknown option $1" ;;
esac
[ $# -ge 1 ] || usage
suite=$1
shift
[[ $suite =~ ^[a-z][a-z0-9-]*$ ]] || usage "a suite is a word such as trixie, not '$suite'"
[ $# -gt 0 ] || set -- "make run" "make test"

# --- what it needs --------------------------------------------------------------------------------------------------
[ "$(id -u)" = 0 ] || cannot "a release is made and entered as root: run this as root"
for tool in debootstrap unshare chroot git; do
    command -v "$tool" >/dev/null || cannot "$tool is not here: install the package ${tool/#unshare/util-linux}"
done
git rev-parse HEAD >/dev/null 2>&1 || cannot "this is no git checkout, and what to copy is what git tracks"
uri=$(archive Debian || archive Ubuntu) || cannot "no archive of Debian or Ubuntu among this machine's package sources"
unshare --mount --pid --fork --kill-child true 2>/dev/null || cannot "no name spaces can be made here (unshare --mount --pid)"

work=$(mktemp -d) || exit 4
chmod 755 "$work"
root=$work/root
running=""
# shellcheck disable=SC2317,SC2329 # called by the trap
finish() {
    [ -z "$running" ] || kill -KILL "$running" 2>/dev/null
    exec >/dev/null 2>&1 # amid a step this is the pipe whose end its reader waits for
    wait
    rm -rf --one-file-system "$work"
}
trap finish EXIT
trap 'say "interrupted" >&2; exit 130' INT TERM HUP

# apart COMMAND...: runs it in name spaces of its own. Its mounts are seen by nobody else, and whatever it started ends
# with it.
apart() {
    local status=0
    unshare --mount --pid --fork --kill-child -- "$@" </dev/null &
    running=$!
    wait "$running" || status=$?
    running=""
    return "$status"
}

# inside COMMAND_LINE: runs it in the copy of the checkout in the release, with the environment of a fresh login. The shell
# stays, to be the parent of what is left behind.
# shellcheck disable=SC2016 # the shell in the name space expands it
enter='set -e
root=$0
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    ${TERM:+TERM="$TERM"} ${http_proxy:+http_proxy="$http_proxy"} ${no_proxy:+no_proxy="$no_proxy"} \
    /bin/bash -c "cd /root/mapbench && { $1
}; exit"'
inside() { apart bash -c "$enter" "$root" "$1"; }

# --- the release ----------------------------------------------------------------------------------------------------
make_release() {
    local script=()
    # A suite younger than this debootstrap is made as the unstable one is, which changes last.
    [ -e "/usr/share/debootstrap/scripts/$suite" ] || script=(sid)
    say "making $suite by debootstrap in $root"
    apart debootstrap --variant=minbase "$suite" "$root" "$uri" "${script[@]}" >"$work/debootstrap.log" 2>&1 || {
        [ -z "$keep" ] || say "what there is of it stays in $root: remove it"
        cannot "debootstrap could not make $suite: $(grep -m 1 '^E:' "$work/debootstrap.log" || tail -n 1 "$work/debootstrap.log")"
    }
    # Between two releases of a testing suite its index may be past its date. That is no matter for a trial.
    echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/90try"
    echo "$suite" >"$root/etc/mapbench-try"
}

if [ -n "$keep" ]; then
    mkdir -p "$keep" || cannot "cannot make $keep"
    root=$(realpath "$keep")
    if [ -r "$root/etc/mapbench-try" ]; then
        made=$(cat "$root/etc/mapbench-try")
        [ "$made" = "$suite" ] || usage "$root has $made, not $suite"
        say "using the $suite in $root"
    elif [ -n "$(ls -A "$root")" ]; then
        usage "$root is neither empty nor made by this script"
    fi
fi
[ -r "$root/etc/mapbench-try" ] || make_release
cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null

# The history by a clone, then the files as they are: what is edited here is tried, and the build says "dirty".
copy=$root/root/mapbench
rm -rf --one-file-system "$copy"
if ! git clone -q "file://$PWD" "$copy" 2>"$work/copy.log" ||
    ! git ls-files -z --deduplicate | while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
        tar -c --null --no-recursion -T - 2>"$work/copy.log" | tar -x --no-same-owner -C "$copy"; then
    cannot "cannot copy this checkout: $(tail -n 1 "$work/copy.log")"
fi
git ls-files -z --deleted | (cd "$copy" && xargs -0 -r rm -f)

# --- the commands ---------------------------------------------------------------------------------------------------
failed=0
results=()
# step NAME COMMAND_LINE: its output is shown as it comes, and kept in $log.
step() {
    local status=0 begin=$SECONDS shown
    log=$work/step-${#results[@]}.log
    say "$suite: $1"
    rm -f "$work/pipe"
    mkfifo "$work/pipe"
    tee "$log" <"$work/pipe" &
    shown=$!
    inside "$2" >"$work/pipe" 2>&1 || status=$?
    wait "$shown"
    results+=("$1: exit $status after $((SECONDS - begin)) s")
    [ "$status" = 0 ] || failed=1
    # What a suite of tests said, and what set-up, build and run left out.
    while IFS= read -r line; do results+=("    $line"); done < <(
        grep -E '^[0-9]+ passed, [0-9]+ failed|^(FAIL|skip) ' "$log"
        grep -E '^deps: (not in|too old in|cannot|missing|no headers|the package)|^go: .*cannot|could not be built|[Ww]arning:' "$log" | sort -u
    )
    return "$status"
}

# The versions that a table of releases needs; those of the tools where a package only names the default one.
# shellcheck disable=SC2016 # expanded there
versions='version() { printf "    %-22s %s\n" "$1" "${2:-none}"; }
version gcc "$(gcc -dumpfullversion 2>/dev/null)"
version clang "$(clang --version 2>/dev/null | sed -n "1s/.*version \([0-9.]*\).*/\1/p")"
version python3 "$(python3 -V 2>/dev/null | cut -d " " -f 2)"
for package in libc6 linux-perf linux-tools-generic valgrind gdb shellcheck libbenchmark-dev libcmocka-dev python3-matplotlib python3-numpy \
    python3-scipy gnuplot-nox graphviz chromium libboost-dev libabsl-dev libhts-dev libglib2.0-dev robin-map-dev uthash-dev \
    libjudy-dev libgc-dev libjemalloc2 libmimalloc3 libmimalloc2.0 libtcmalloc-minimal4t64 libtcmalloc-minimal4; do
    found=$(dpkg-query -W -f "\${db:Status-Status} \${source:Upstream-Version}" $package 2>/dev/null) || continue
    [ "${found% *}" != installed ] || version $package "${found#* }"
done
for wanted in 1.23 1.24; do version "go $wanted" "$(go=$(setup/go.sh find $wanted) && "$go" version | cut -d " " -f 3)"; done'

# Nobody has make on a minimal machine: the one thing that is got by hand.
step "get make" "command -v make >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends make; }" ||
    cannot "make cannot be installed there"
for line; do step "$line" "$line"; done

say "$suite, commit $(git rev-parse --short HEAD):"
printf '    %s\n' "${results[@]:1}"
say "$suite has:"
inside "$versions" 2>&1
[ -z "$keep" ] || say "$root is left for the next try"
exit "$failed"
