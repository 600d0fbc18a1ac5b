#!/usr/bin/env python3
"""An engine without Go: a dict behind the protocol of harness/engines/wire.h, for u64_u64. FAKE_ENGINE says how it goes
wrong: honest, or die, latin1, garbage, wrong, hang, error after so many measured loops (FAKE_AFTER); or at once: silent, noise,
protocol, design, release. Its version is that of its file's name, as go1.27-fake. Its times are invented: it serves to test what the runner does, never to measure."""
import mmap
import os
import struct
import sys
import time

KEYS, TEXT = 65536, 64 << 20
KEYS_AT = 0
VALS_AT = KEYS_AT + KEYS * 16
OF_AT = VALS_AT + 8192 * 64
IDS_AT = OF_AT + KEYS * 4
TICKS_AT = IDS_AT + KEYS * 4
CAPS_AT = TICKS_AT + KEYS * 8
BYTES = CAPS_AT + KEYS * 8 + TEXT
MASK = (1 << 64) - 1

how = os.environ.get("FAKE_ENGINE", "honest")
after = int(os.environ.get("FAKE_AFTER", "3"))
loops_run = 0
maps = {}
collected = []


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def numbers(at, count):
    return list(struct.unpack_from(f"<{count}Q", block, at))


def run(loop, map_id, keys_count, n, first):
    keys = numbers(KEYS_AT, keys_count)
    m = maps.get(map_id, {})
    loop = loop.removesuffix("_timed")
    if loop == "put":
        for i, key in enumerate(keys):
            m[key] = (first + i) & MASK
        return len(keys)
    if loop in ("get", "get_chain", "get_call"):
        return sum(m[key] + 1 for key in keys if key in m) & MASK
    if loop == "del":
        return sum(m.pop(key, None) is not None for key in keys)
    if loop == "scan":
        return n * sum(key + value + 1 for key, value in m.items()) & MASK
    return None


def misbehave():
    """What replaces the answer to a measured loop; None: nothing."""
    if loops_run < after:
        return None
    if how == "die":
        sys.stderr.write("fatal error: invented by the test\n")
        sys.stderr.flush()
        os._exit(3)
    if how == "latin1":
        sys.stderr.buffer.write(b"caf\xe9\n")
        sys.stderr.flush()
        os._exit(3)
    if how == "hang":
        time.sleep(3600)
    return {"garbage": "Segmentation fault (core dumped)", "error": "error no more", "wrong": "ok 1 1000 1000 1000 0"}.get(how)


def answer(words):
    global loops_run
    match words:
        case ["create", _]:
            map_id = max(maps, default=0) + 1
            maps[map_id] = {}
            return f"ok {map_id}"
        case ["drop", map_id]:
            del maps[int(map_id)]
            return "ok"
        case ["len", map_id]:
            return f"ok {len(maps[int(map_id)])}"
        case ["capacity", _]:
            return "ok 0"
        case ["get", map_id]:
            value = maps[int(map_id)].get(numbers(KEYS_AT, 1)[0])
            if value is not None:
                struct.pack_into("<Q", block, VALS_AT, value)
            return f"ok {int(value is not None)}"
        case ["put", map_id]:
            maps[int(map_id)][numbers(KEYS_AT, 1)[0]] = numbers(VALS_AT, 1)[0]
            return "ok"
        case ["run", loop, map_id, keys, _, n, first, _]:
            checksum = run(loop, int(map_id), int(keys), int(n), int(first))
            loops_run += 1
            if checksum is None:
                return f"error no loop {loop}"
            return misbehave() or f"ok {checksum} {100 * int(keys) + 100000} {200 * int(keys) + 200000} 100000 0"
    return "error unknown command " + " ".join(words)


command_fd, block_fd, kind, shape, collector = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
if how == "silent":
    sys.exit(0)
if how == "noise":
    say("hello, world")
    time.sleep(3600)
block = mmap.mmap(block_fd, BYTES)
program = os.path.basename(sys.argv[0])
design = "classic readdirty" if program in ("go1.24-classic", "go1.23") else "swiss hashtrie"
version = "go1.22.9" if how == "release" else program.removesuffix("-classic") + "-fake"
say(f"mapbench-engine {2 if how == 'protocol' else 1} {version} {'other other' if how == 'design' else design}")
for line in os.fdopen(command_fd):
    say(answer(line.split()))
