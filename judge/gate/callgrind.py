"""Running the counting worker on a simulated machine (valgrind's callgrind), and reading what it dumps."""
import os
import re
import shutil
import subprocess
from pathlib import Path

from judge.base.common import Refused
from plots.rows.exits import CANNOT

# The simulated machine. No machine of today, but the same one everywhere: first-level caches as they are common, and a
# last level so small that the maps of the gate's default size exceed it.
CACHES = ("--I1=32768,8,64", "--D1=32768,8,64", "--LL=1048576,16,64")

# Settings that glibc would choose by the processor: which variants of memcpy and the like, and above which sizes other ways of
# copying. The allocator's thresholds are fixed, too, and what is freed stays with the process, as when time is measured.
TUNABLES = ":".join((
    "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX,-BMI1,-BMI2,-LZCNT,-MOVBE,-POPCNT,-RTM,-ERMS,-FSRM,"
    "-SSE4_2,-SSE4_1,-SSSE3",
    "glibc.cpu.x86_data_cache_size=32768", "glibc.cpu.x86_shared_cache_size=1048576",
    "glibc.cpu.x86_non_temporal_threshold=1048576",
    "glibc.malloc.arena_max=1", "glibc.malloc.mmap_max=0", "glibc.malloc.trim_threshold=2147483647"))

# Environment of everything that counts: nothing of the user's. A function that is bound at its first call would have the
# dynamic linker counted, whose search any edit of the program changes.
ENVIRONMENT = {"GLIBC_TUNABLES": TUNABLES, "LC_ALL": "C", "LD_BIND_NOW": "1"}

# Counts by their sums of callgrind's events. Reads of instructions and of the last level for them are left out: they
# say where the linker has put the code.
EVENTS = {
    "instructions": ("Ir",),
    "data_reads": ("Dr",),
    "data_writes": ("Dw",),
    "d1_misses": ("D1mr", "D1mw"),
    "ll_misses": ("DLmr", "DLmw"),
    "mispredicts": ("Bcm", "Bim"),
}

TRIGGER = re.compile(r"^desc: Trigger: Client Request: cell (\d+)$")


def find_valgrind():
    path = shutil.which("valgrind")
    if not path:
        raise Refused("valgrind is not installed: make deps (valgrind)", CANNOT)
    # Debian's is a shell script: its shell exports PWD, whose length moves the stack of what is counted, and it has the
    # libraries of /usr/lib/debug loaded where there are any.
    return f"{path}.bin" if os.access(f"{path}.bin", os.X_OK) else path


def version(valgrind):
    try:
        answer = subprocess.run([valgrind, "--version"], capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise Refused(f"{valgrind} does not run: {error}", CANNOT) from error
    return answer.stdout.strip()


def without_randomisation():
    """Returns the words that start a program without address space randomisation; none where that is forbidden (in some
    containers), which valgrind's own placement of the program makes up for."""
    setarch = shutil.which("setarch")
    if setarch and subprocess.run([setarch, "-R", "true"], capture_output=True, check=False).returncode == 0:
        return [setarch, "-R"]
    return []


def worker_command(valgrind, program, dumps):
    """Returns the command line of a worker. The program is named as ./NAME from its own folder: its path would move the
    stack."""
    return [*without_randomisation(), valgrind, "-q", "--tool=callgrind", "--cache-sim=yes", "--branch-sim=yes", *CACHES,
            "--instr-atstart=no", "--collect-atstart=no", f"--callgrind-out-file={dumps}/%p", f"./{program.name}",
            "count-worker"]


def parse(text, where):
    """Returns a dump of one cell: (its number, counts), or None for a dump that callgrind makes by itself at the end. Read
    from `totals:`; `summary:` wraps after counts were set to zero."""
    cell, events, totals = None, None, None
    for line in text.splitlines():
        trigger = TRIGGER.match(line)
        if trigger:
            cell = int(trigger.group(1))
        elif line.startswith("events:"):
            events = line.split()[1:]
        elif line.startswith("totals:"):
            totals = line.split()[1:]
    if cell is None:
        return None
    if not events or totals is None or len(totals) > len(events) or not all(total.isdigit() for total in totals):
        raise Refused(f"{where}: not a dump of callgrind as version 3.19 writes it: no events or no totals", CANNOT)
    # Zeros at the end of the line are left out.
    value = dict.fromkeys(events, 0) | dict(zip(events, map(int, totals)))
    lacking = [event for parts in EVENTS.values() for event in parts if event not in value]
    if lacking:
        raise Refused(f"{where}: this valgrind does not count {lacking[0]}", CANNOT)
    return cell, {name: sum(value[part] for part in parts) for name, parts in EVENTS.items()}


def read_dumps(folder):
    """Returns {cell: counts} of the dumps in a folder."""
    counts = {}
    for path in sorted(Path(folder).iterdir()):
        found = parse(path.read_text(encoding="utf-8", errors="replace"), path.name)
        if found:
            counts[found[0]] = found[1]
    return counts
