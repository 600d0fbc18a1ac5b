"""Counts cells: what the plan of the selection says, measured by workers, and what it was measured with."""
import json
import os
import platform
import re
import selectors
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from judge.base import selection
from judge.base.common import Refused, ask, say
from judge.gate import callgrind
from plots.rows.exits import CANNOT, FAILED, NOTHING

CELL_WORDS = ("map", "shape", "hash", "heap", "workload", "keys", "n", "seed")
WORKERS_MOST = 2


def facts(program):
    """Returns what the program was built with, and of which commit; refuses one that cannot be counted."""
    found = ask(program, "count-facts")
    if found["sanitized"]:
        raise Refused("a build with sanitizers cannot be counted: make build without SANITIZE", CANNOT)
    if not found["callgrind"]:
        raise Refused("this program was built without <valgrind/callgrind.h>: make deps build (valgrind)", CANNOT)
    return found


def plan(program, options, defaults):
    """Returns (cells that can be counted, [(what, why)] of the others) of the selection."""
    planned, skipped = selection.plan(program, options, defaults)
    skips = dict.fromkeys((s["cell"], s["reason"]) for s in skipped)
    skips.update(dict.fromkeys((c["map"], "its loops run in a process of their own") for c in planned if c["engine"]))
    # A map compiled for one hash policy only stands in the plan under each.
    cells = list({tuple(c[word] for word in CELL_WORDS): {word: c[word] for word in CELL_WORDS}
                  for c in planned if not c["engine"]}.values())
    if all(c["baseline"] or c["engine"] for c in planned):
        what, why = next(iter(skips), ("", ""))
        raise Refused(f"nothing matches the selection: there is nothing to count{f'; {what}: {why}' if what else ''}", NOTHING)
    return cells, list(skips)


# --- toolchain ---------------------------------------------------------------------------------------------------


def libraries(program):
    """Returns the version of the C library, in its own words, and file of the C++ library that the program runs with."""
    answer = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    paths = dict(re.findall(r"^\s*(\S+) => (/\S+)", answer.stdout, re.M))
    libc, libstdcxx = paths.get("libc.so.6"), paths.get("libstdc++.so.6")
    if not libc or not libstdcxx:
        raise Refused(f"ldd {program} names no libc.so.6 or no libstdc++.so.6: only programs linked with glibc are counted", CANNOT)
    try:
        said = subprocess.run([libc], capture_output=True, text=True, check=False).stdout
    except OSError: # some systems ship it without the right to run it
        said = ""
    found = re.search(r"\(([^)]*)\).* version ([\d.]+)", said)
    return found.group(1) if found else os.confstr("CS_GNU_LIBC_VERSION"), Path(libstdcxx).resolve().name


def toolchain(program, built, valgrind):
    libc, libstdcxx = libraries(program)
    return {"arch": platform.machine(), **built, "libc": libc, "libstdcxx": libstdcxx,
            "valgrind": callgrind.version(valgrind), "caches": " ".join(callgrind.CACHES), "tunables": callgrind.TUNABLES}


# --- units -------------------------------------------------------------------------------------------------------


def as_lines(cells):
    """Returns what count-build and count-worker read."""
    return "".join("\t".join(str(cell[word]) for word in CELL_WORDS) + "\n" for cell in cells).encode()


def build(program, cells):
    """Returns (cells whose units are built, [(cell's name, why)] of the others)."""
    done = subprocess.run([str(program), "count-build"], input=as_lines(cells), stdout=subprocess.PIPE, check=False)
    try:
        unavailable = json.loads(done.stdout)["unavailable"]
    except (ValueError, KeyError) as error:
        raise Refused(f"{program.name} count-build ended with {done.returncode}", CANNOT) from error
    lost = [(name(cell), why) for cell, why in zip(cells, unavailable) if why]
    return [cell for cell, why in zip(cells, unavailable) if not why], lost


# --- workers -----------------------------------------------------------------------------------------------------


def ended_by(number, valgrind):
    """Says what a signal that ended a cell's process means. valgrind: its version where the process ran under it, or None."""
    if number != signal.SIGILL:
        return f"was ended by signal {number} ({signal.strsignal(number) or 'unknown'})"
    if valgrind:
        return (f"{valgrind} does not know an instruction of this build, such as those of AVX-512: make build with another MARCH "
                "(x86-64-v3 has none of them, empty is the compiler's baseline) and count that, or install a newer valgrind")
    return "this processor does not know an instruction of this build: make build with MARCH= empty, or as this processor is"


class Worker:
    """A process that counts some of the cells, by their numbers in the plan. valgrind: as for ended_by."""

    def __init__(self, command, folder, environment, cells, numbers, scratch, valgrind=None):
        self.valgrind = valgrind
        self.cells, self.numbers, self.unread, self.answers = cells, numbers, b"", {}
        self.what = " ".join(command[-2:])
        self.errors = tempfile.TemporaryFile(dir=scratch)
        with tempfile.TemporaryFile(dir=scratch) as lines:
            lines.write(as_lines(cells[number] for number in numbers))
            lines.seek(0)
            try:
                # A session of its own, so that its forks can be ended with it.
                self.process = subprocess.Popen(command, cwd=folder, env=environment, stdin=lines, stdout=subprocess.PIPE,
                                                stderr=self.errors, start_new_session=True)
            except OSError as error:
                raise Refused(f"cannot run {command[0]}: {error.strerror}", CANNOT) from error

    def read(self):
        """Takes what has come; False at the end."""
        data = os.read(self.process.stdout.fileno(), 65536)
        *lines, self.unread = (self.unread + data).split(b"\n")
        for line in lines:
            self.take(line)
        return bool(data)

    def take(self, line):
        try:
            answer = json.loads(line)
            number = self.numbers[answer["cell"]]
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise Refused(f"{self.what} printed something else than counts: {line[:80]!r}", CANNOT) from error
        if "signal" in answer:
            raise Refused(f"{name(self.cells[number])}: {ended_by(answer['signal'], self.valgrind)}", CANNOT)
        if "error" in answer:
            wrong = answer["error"].startswith("wrong result")
            raise Refused(f"{name(self.cells[number])}: {answer['error']}", FAILED if wrong else CANNOT)
        self.answers[number] = answer

    def finish(self):
        code = self.process.wait()
        lacking = [number for number in self.numbers if number not in self.answers]
        if code or lacking:
            self.errors.seek(0)
            said = self.errors.read().decode("utf-8", "replace").strip().splitlines()
            cell = f" at {name(self.cells[lacking[0]])}" if lacking else ""
            raise Refused(f"{self.what} ended with {code}{cell}{': ' + said[-1] if said else ''}", FAILED if code == FAILED else CANNOT)

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def name(cell):
    return f"{cell['map']} {cell['shape']} {cell['workload']} {cell['keys']} n {cell['n']}"


def run_workers(workers, progress):
    """Reads until all have ended; none is left running whatever happens."""
    try:
        with selectors.DefaultSelector() as selector:
            for worker in workers:
                selector.register(worker.process.stdout, selectors.EVENT_READ, worker)
            while selector.get_map():
                for key, _ in selector.select():
                    if not key.data.read():
                        selector.unregister(key.fileobj)
                progress(sum(len(worker.answers) for worker in workers))
        for worker in workers:
            worker.finish()
    finally:
        for worker in workers:
            worker.stop()


def shown_progress(total, what):
    if not sys.stderr.isatty():
        say(f"{what}: {total} cells")
        return lambda done: None
    return lambda done: print(f"\r{what}: {done} of {total}" + ("\n" if done == total else ""), end="", file=sys.stderr, flush=True)


def share(cells):
    """Returns the numbers of the cells, dealt to so many workers as there are processors for."""
    count = max(1, min(WORKERS_MOST, len(os.sched_getaffinity(0)), len(cells)))
    return [list(range(first, len(cells), count)) for first in range(count)]


def count_memory(program, cells, scratch):
    """Returns {number: answer}: checked results, structure, allocations, bytes; without valgrind."""
    if not (program.parent / "libmemcount.so").exists():
        raise Refused(f"there is no {program.parent}/libmemcount.so: make build", CANNOT)
    # By a path without blanks or colons, which LD_PRELOAD could not hold.
    environment = {**callgrind.ENVIRONMENT, "LD_PRELOAD": "./libmemcount.so"}
    worker = Worker([f"./{program.name}", "count-worker"], program.parent, environment, cells, list(range(len(cells))), scratch)
    run_workers([worker], lambda done: None)
    return worker.answers


def count_executed(program, valgrind, cells, scratch):
    """Returns {number: (answer, counts)}, simulated."""
    workers, folders, version = [], [], callgrind.version(valgrind)
    try:
        for numbers in share(cells):
            folders.append(tempfile.mkdtemp(dir=scratch))
            command = callgrind.worker_command(valgrind, program, folders[-1])
            workers.append(Worker(command, program.parent, callgrind.ENVIRONMENT, cells, numbers, scratch, version))
    except Refused:
        for worker in workers:
            worker.stop()
        raise
    run_workers(workers, shown_progress(len(cells), "counting under callgrind"))
    counted = {}
    for worker, folder in zip(workers, folders):
        dumps = callgrind.read_dumps(folder)
        for index, number in enumerate(worker.numbers):
            if index not in dumps:
                raise Refused(f"{name(cells[number])}: callgrind left no dump; is the disk full?", CANNOT)
            counted[number] = worker.answers[number], dumps[index]
    return counted


def count(program, valgrind, cells):
    """Returns the cells with what was counted: ops, segments, checksum, and "counts" by name, in all operations."""
    if not cells:
        raise Refused("there is nothing to count", NOTHING)
    with tempfile.TemporaryDirectory(prefix="mapbench-count-") as scratch:
        memory = count_memory(program, cells, scratch)
        executed = count_executed(program, valgrind, cells, scratch)
    done = []
    for number, cell in enumerate(cells):
        answer, counts = executed[number]
        beside = memory[number]
        for fact in ("ops", "segments", "checksum"):
            if answer[fact] != beside[fact]:
                raise Refused(f"{name(cell)}: {fact} is {answer[fact]} under valgrind and {beside[fact]} without", FAILED)
        counts = {**counts, "allocations": beside["allocations"], "bytes": beside["bytes"]}
        structure = beside["structure"] or {}
        done.append({**cell, **{fact: answer[fact] for fact in ("ops", "segments", "checksum")}, "counts": {**counts, **structure}})
    return done
