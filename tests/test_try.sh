#!/usr/bin/env bash
# setup/try.sh without a network: debootstrap, chroot and the rest are stand-ins, so that what it asks of them, what it
# says and how it ends can be seen on any machine. Usage: tests/test_try.sh [BUILD], which it does not need.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh
command -v git >/dev/null || { echo "git is not installed (make deps)"; exit 77; }
scratch=$(realpath "$scratch")
mkdir -p "$scratch/bin" "$scratch/tmp" "$scratch/tree/deps"
export STATE=$scratch TMPDIR=$scratch/tmp

# A checkout: one file as committed, one edited, one deleted, one that git does not know.
cp -r setup "$scratch/tree/"
(
    cd "$scratch/tree" && git init -q && echo old >edited && echo committed >kept && echo x >deleted && git add -A &&
        git -c user.name=t -c user.email=t@example.org commit -qm t && echo new >edited && rm deleted && echo x >untracked
) || fail "cannot make a checkout to try"

stand_in() {
    cat >"$scratch/bin/$1"
    chmod +x "$scratch/bin/$1"
}
stand_in id <<'S'
#!/usr/bin/env bash
cat "$STATE/uid"
S
stand_in apt-get <<'S'
#!/usr/bin/env bash
cat "$STATE/archives"
S
stand_in debootstrap <<'S'
#!/usr/bin/env bash
echo "debootstrap $*" >>"$STATE/calls"
[ -e "$STATE/broken" ] && { echo "E: Failed getting release file"; exit 1; }
mkdir -p "$3/etc/apt/apt.conf.d" "$3/root"
S
stand_in unshare <<'S'
#!/usr/bin/env bash
while [[ $1 == --* ]]; do shift; done
exec "$@"
S
stand_in mount <<'S'
#!/usr/bin/env bash
exit 0
S
# Runs the command line that comes last in the copy that it names.
stand_in chroot <<'S'
#!/usr/bin/env bash
line=${!#}
case $line in
*dpkg-query*) echo "    gcc 99" ;;
*apt-get*) exit 0 ;;
*) exec bash -c "${line//\/root\/mapbench/$1/root/mapbench}" ;;
esac
S
reset() {
    rm -rf "$scratch/broken" "$scratch/calls"
    : >"$scratch/calls"
    echo 0 >"$scratch/uid"
    printf 'Other http://other/x\nDebian http://here/debian-security\nDebian http://here/debian\n' >"$scratch/archives"
}
try() { (cd "$scratch/tree" && PATH="$scratch/bin:$PATH" exec setup/try.sh "$@"); }
nothing_left() { if [ -z "$(ls -A "$scratch/tmp")" ]; then pass; else fail "$1: left behind: $(ls "$scratch/tmp")"; fi; }

reset
gives 2 "usage: setup/try.sh" try
gives 2 "unknown option --all" try --all trixie
gives 2 "a suite is a word" try ../trixie
echo 1000 >"$scratch/uid"
gives 4 "run this as root" try trixie
reset
: >"$scratch/archives"
gives 4 "no archive of Debian or Ubuntu" try trixie
reset
: >"$scratch/broken"
gives 4 "could not make trixie: E: Failed getting release file" try trixie true
nothing_left "debootstrap failed"
(cd "$scratch/tree" && mv .git away)
gives 4 "no git checkout" try trixie true
(cd "$scratch/tree" && mv away .git)

# What is tried is the checkout as it is: edits are, what git does not know is not.
reset
gives 0 "cat edited kept: exit 0" try trixie "cat edited kept" "ls" "git log --format=commit:%s"
for line in new committed commit:t "    gcc 99"; do
    grep -qx -- "$line" "$scratch/output" || fail "a try does not show: $line: $(cat "$scratch/output")"
done
if grep -qxE "deleted|untracked" "$scratch/output"; then fail "what is deleted or unknown to git was copied"; fi
check "the archive is the machine's own" grep -qE "^debootstrap --variant=minbase trixie .*/root http://here/debian( sid)?$" "$scratch/calls"
nothing_left "a try"
gives 0 "." try suite-to-come true
check "a suite that debootstrap does not know is made as sid" grep -q " suite-to-come .* sid$" "$scratch/calls"

# What failed, and what was skipped and why, stand in the summary.
gives 1 "false: exit 1" try trixie false "echo 'skip   0.0 s   0.0 cpu  test_gdb: gdb is not installed'; echo '3 passed, 0 failed, 1 skipped'"
for line in "        3 passed, 0 failed, 1 skipped" "        skip   0.0 s   0.0 cpu  test_gdb: gdb is not installed"; do
    grep -qxF -- "$line" "$scratch/output" || fail "the summary does not have: $line: $(cat "$scratch/output")"
done
gives 1 "deps: not in this release: gone" try trixie "echo 'deps: not in this release: gone'; exit 4"

# Kept: made once, its index may be past its date, and it is of one suite.
reset
kept=$scratch/kept
gives 0 "is left for the next try" try --keep "$kept" trixie true
gives 0 "using the trixie" try --keep "$kept" trixie true
check "kept: made once" test "$(grep -c '^debootstrap' "$scratch/calls")" = 1
check "kept: the date of the index does not matter" grep -q 'Check-Valid-Until "false"' "$kept/etc/apt/apt.conf.d/90try"
gives 2 "has trixie, not forky" try --keep "$kept" forky true
mkdir "$scratch/full" && : >"$scratch/full/mine"
gives 2 "neither empty nor made by this script" try --keep "$scratch/full" trixie true
check "kept: a folder of somebody else's is left alone" test -e "$scratch/full/mine"
nothing_left "kept"

# interrupted WAY SIGNAL PATH: a step that does not end by itself is ended, and nothing is left.
interrupted() {
    local status=0
    # A shell in the background ignores interrupts, and its children cannot stop doing so; Python can.
    STATE=$scratch PATH="$3" python3 - "$scratch/tree" "$2" "$scratch/started" >"$scratch/output" 2>&1 <<'P' || status=$?
import os, pathlib, signal, subprocess, sys, time
tree, number, started = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
signal.signal(signal.SIGINT, signal.default_int_handler)
child = subprocess.Popen(["setup/try.sh", "--keep", "../kept", "trixie", f"echo $$ > {started}; exec sleep 1000"], cwd=tree, start_new_session=True)
while not started.exists() or not started.read_text().strip():
    assert child.poll() is None, "it ended before the step began"
    time.sleep(0.05)
os.killpg(child.pid, number)
sys.exit(child.wait())
P
    if [ "$status" = 130 ]; then pass; else fail "$1: exit $status: $(cat "$scratch/output")"; fi
    nothing_left "$1"
    kill -KILL "$(cat "$scratch/started")" 2>/dev/null # with the stand-in nothing else ends it
    rm -f "$scratch/started"
}
interrupted "Ctrl-C" 2 "$scratch/bin:$PATH"
interrupted "SIGTERM" 15 "$scratch/bin:$PATH"

# With real name spaces, where they can be made: not even what ignores signals outlives the script.
if [ "$(id -u)" = 0 ] && unshare --mount --pid --fork --kill-child true 2>/dev/null; then
    rm "$scratch/bin/unshare"
    marker=1$$ # a number of seconds that nobody else sleeps
    sleeper() { pgrep -f "^sleep $marker" >/dev/null; }
    unmounted() { ! grep -q " $scratch" /proc/self/mounts; }
    (until sleeper; do sleep 0.1; done && pkill -TERM -f "setup/try.sh --keep ../kept trixie trap '' INT TERM; sleep $marker") &
    gives 130 "interrupted" try --keep ../kept trixie "trap '' INT TERM; sleep $marker"
    until ! sleeper; do sleep 0.1; done # a process that ignores signals is gone, too
    check "no mount is left" unmounted
else
    echo "not tested: name spaces (needs root, and a kernel that lets them be made)"
fi
finish
