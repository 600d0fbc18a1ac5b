"""Random scripts for `mapbench trace`, run by a port and by the runtime that it is a port of (an engine's mode `trace`).

    trace_scripts.py --build BUILD --engine PROGRAM --map go_swiss@1.27 --assign fast --scripts 500 --seed 1 [--large]
"""
import argparse
import concurrent.futures
import hashlib
import random
import re
import subprocess
import sys
from typing import NamedTuple


class Script(NamedTuple):
    assign: str
    seed: int
    form: str
    words: str

    def line(self):
        return f"{self.assign}|{self.seed:#x}|{self.form}|{self.words}\n"


class Writer:
    """Writes one script. A map that becomes empty draws a seed that nobody knows: no word passes through an empty map with
    entries after it, and one that ends with an empty map is followed by a seed."""

    def __init__(self, draw, span, clones, seed_bits):
        self.draw, self.span, self.clones, self.seed_bits = draw, span, clones, seed_bits
        self.live, self.words = set(), []

    def seed(self):
        self.words.append(f"seed {self.draw.getrandbits(self.seed_bits):#x}")

    def some_range(self):
        first = self.draw.randrange(self.span)
        width = self.draw.choice([1, 2, 8, 9, self.span // 10 + 1, self.span // 3 + 1, self.span])
        return first, first + self.draw.randrange(width)

    def delete(self, first, last):
        self.words.append(f"delete {first}..{last}")
        self.live.difference_update(range(first, last + 1))
        if not self.live:
            self.seed()

    def insert(self):
        first, last = self.some_range()
        self.words.append(f"insert {first}..{last}")
        self.live.update(range(first, last + 1))

    def delete_some(self):
        self.delete(*self.some_range())

    def delete_every_so_many(self):
        for key in sorted(self.live)[::self.draw.randrange(2, 9)][:20]:
            self.delete(key, key)

    def delete_nearly_all(self):
        if self.live:
            kept = self.draw.choice(sorted(self.live))
            if kept > min(self.live):
                self.delete(min(self.live), kept - 1)
            if self.live and kept < max(self.live):
                self.delete(kept + 1, max(self.live))

    def delete_all(self):
        if self.live:
            self.delete(min(self.live), max(self.live))

    def slide(self):
        width = self.draw.choice([max(self.live, default=0) + 1, self.draw.randrange(1, self.span + 1)])
        times = self.draw.randrange(1, width * self.draw.choice([1, 2, 5, 20]) + 2)
        live = set(self.live)
        for j in range(times):
            if live == {j}:
                return  # it would pass through an empty map
            live.discard(j)
            live.add(width + j)
        self.live = live
        self.words.append(f"slide {width} {times}")

    def overwrite(self):
        if self.live:
            first = self.draw.choice(sorted(self.live))
            last = first
            while last + 1 in self.live and last < first + 20:
                last += 1
            self.words.append(f"insert {first}..{last}")

    def get(self):
        first, last = self.some_range()
        self.words.append(f"get {first}..{last}")

    def clear(self):
        self.words.append("clear")
        self.live = set()
        self.seed()

    def make(self):
        self.words.append(f"make {self.draw.choice([0, 1, 7, 8, 9, 14, 15, self.draw.randrange(self.span), self.span, 8 * self.span])}")
        self.live = set()
        self.seed()

    def clone(self):
        if self.clones:
            self.words.append("clone")

    def write(self, count):
        weights = {self.insert: 8, self.delete_some: 4, self.delete_every_so_many: 1, self.delete_nearly_all: 1, self.delete_all: 1,
                   self.slide: 4, self.overwrite: 2, self.get: 1, self.clear: 1, self.make: 0.5, self.clone: 1.5}
        while len(self.words) < count:
            self.draw.choices(list(weights), list(weights.values()))[0]()
        return "; ".join(self.words)


def random_script(draw, assign, clones, seed_bits, spans=(5, 9, 20, 60, 300, 1000, 3000)):
    writer = Writer(draw, draw.choice(spans), clones, seed_bits)
    form = "rows" if writer.span <= 1000 and draw.random() < 0.3 else "digest"
    return Script(assign, draw.getrandbits(seed_bits), form, writer.write(draw.randrange(3, 25)))


def run_original(program, scripts):
    """The hash key of the process, its version, and what it printed of each script."""
    done = subprocess.run([program, "trace"], input="".join(s.line() for s in scripts), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{program} trace: exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    greeting, text = done.stdout.split("\n", 1)
    _, key, version, design = greeting.split()
    return key, version, design, text.split(".\n")[:-1]


def run_port(mapbench, name, key, script):
    """What the port prints, without what it says of seeds: the scripts set them."""
    assign = ["--assign", script.assign] if name.startswith("go_swiss") else []
    done = subprocess.run([mapbench, "trace", name, *assign, "--hashkey", key, "--seed", hex(script.seed), "--ops", script.words,
                           f"--{script.form}"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"trace {name} '{script.words}': exit code {done.returncode}: {done.stderr.strip()}")
    return re.sub(r',"seed_redrawn":true|^# seed re-drawn.*\n', "", done.stdout, flags=re.MULTILINE)


def differing(mapbench, name, program, scripts):
    """The scripts of which the port shows something else: (script, number of the first differing line, port's, original's)."""
    key, _, _, originals = run_original(program, scripts)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ports = pool.map(lambda s: run_port(mapbench, name, key, s), scripts)
        for script, port, original in zip(scripts, ports, originals, strict=True):
            if port != original:
                mine, theirs = port.splitlines() + [""], original.splitlines() + [""]
                line = next(i for i, (a, b) in enumerate(zip(mine, theirs)) if a != b)
                yield script, line, mine[line], theirs[line]


def main():
    options = argparse.ArgumentParser()
    for name in ("--build", "--engine", "--map"):
        options.add_argument(name, required=True)
    options.add_argument("--assign", default="fast")
    options.add_argument("--scripts", type=int, default=100)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--large", action="store_true")
    options.add_argument("--clones", action=argparse.BooleanOptionalAction, default=True)
    options.add_argument("--words", help="this script instead of random ones")
    options.add_argument("--record", action="store_true", help="print lines for tests/fixtures/go/trace_scripts.txt")
    o = options.parse_args()
    draw = random.Random(f"{o.seed} {o.map} {o.assign}")
    swiss = o.map.startswith("go_swiss")
    spans = (10000, 30000, 100000) if o.large else (5, 9, 20, 60, 300, 1000, 3000)
    scripts = [random_script(draw, o.assign, o.clones and swiss and not o.map.endswith("1.24"), 64 if swiss else 32, spans)
               for _ in range(o.scripts)]
    if o.words:
        scripts = [Script(o.assign, draw.getrandbits(64 if swiss else 32), "digest", o.words)]
    if o.record:
        key, _, _, texts = run_original(o.engine, scripts)
        name = f"{o.map} --assign {o.assign}" if swiss else o.map
        for script, text in zip(scripts, texts, strict=True):
            summed = hashlib.sha256(text.encode()).hexdigest()[:16]
            print(f"{name}|{key}|{script.seed:#x}|{script.form}|{script.words}|{text.count(chr(10))}|{summed}")
        return 0
    wrong = 0
    for script, line, port, original in differing(f"{o.build}/mapbench", o.map, o.engine, scripts):
        print(f"{script}\n  line {line}\n  port     {port}\n  original {original}")
        wrong += 1
    print(f"{o.map} {o.assign}: {len(scripts)} scripts, {wrong} differ")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
