"""What tests/test_gdb.sh has gdb do: the scenario $SCENARIO, on the program that gdb was started with."""
import os
import re
import traceback

import gdb

for setting in ("pagination off", "confirm off", "width 0", "debuginfod enabled off", "follow-fork-mode child",
                "breakpoint pending on"):
    try:
        gdb.execute(f"set {setting}")
    except gdb.error:
        pass  # not known to this gdb, which then does not ask either
checks = failures = 0


def check(ok, what, text=""):
    global checks, failures
    checks += 1
    if not ok:
        failures += 1
        print(f"FAIL: {what}\n{text}")


def shown(command):
    """What a command prints; an error is what it says, after `error: `."""
    try:
        text = gdb.execute(command, to_string=True)
    except gdb.error as error:
        text = f"error: {error}"
    check("Traceback" not in text and "Python Exception" not in text, f"{command}: a traceback", text)
    return text


def calls():
    """Whether gdb can call a function of the program here: some cannot write all registers of some processors."""
    try:
        gdb.parse_and_eval("((int (*)(void))getpid)()")
        return True
    except gdb.error as error:
        if "extended state" not in str(error):
            raise
        print(f"not tested: the program's own functions, gdb cannot call them here: {error}")
        return False


class Until(gdb.Breakpoint):
    """Stops in a function of a unit when `wanted` holds for its argument `map`."""

    def __init__(self, function, wanted):
        super().__init__(function)
        self.wanted = wanted

    def stop(self):
        return bool(self.wanted(gdb.parse_and_eval("(struct map *)map")))


def resume(function, wanted, command="continue"):
    """Lets the program go on to the stop; the map there."""
    point = Until(function, wanted)
    try:
        gdb.execute(command, to_string=True)
    except gdb.error as error:
        if command == "run" and re.search("ptrace|not permitted|during startup|create process", str(error), re.I):
            print(f"SKIP gdb may not run programs here: {error}")
            gdb.execute("quit")
        raise
    if not gdb.selected_inferior().pid:
        raise RuntimeError(f"the program ended before the stop in {function}")
    point.delete()
    return gdb.parse_and_eval("(struct map *)map")


def field(text, label, pattern=r"(\S+)"):
    found = re.search(rf"^  {re.escape(label)} +{pattern}", text, re.M)
    return found.group(1) if found else None


def number(text, label, pattern=r"(\S+)"):
    word = field(text, label, pattern)
    return int(word, 0) if word is not None else None


def histogram(line):
    return {int(a): int(b) for a, b in re.findall(r"(\d+):(\d+)", line)}


def faults(text):
    return re.findall(r"^  fault +(.*)", text, re.M)


def broken(lvalue, value, word, command):
    """Overwrites a field, expects a line with the word, puts the field back."""
    before = gdb.parse_and_eval(lvalue)
    before.fetch_lazy()
    gdb.execute(f"set var {lvalue} = {value}")
    text = shown(command)
    said = faults(text) + re.findall("^error: .*", text, re.M)
    check(any(word in line for line in said), f"{lvalue} = {value} is not reported as '{word}'", text)
    gdb.execute(f"set var {lvalue} = ({before.type}){int(before)}")


# --- go_hmap -----------------------------------------------------------------------------------------------------

def walk(array, buckets):
    """(live entries, chain length, evacuated) of each chain, by gdb's own reading of every field."""
    for n in range(buckets):
        b, live, length = array[n], 0, 0
        moved = 2 <= int(b["top"][0]) <= 4
        while True:
            live += sum(int(b["top"][i]) >= 5 for i in range(8))
            length += 1
            if not int(b["overflow"]):
                break
            b = b["overflow"].dereference()
        yield live, length, moved


def tally(values):
    values = list(values)
    return {value: values.count(value) for value in values}


def check_hmap(m, command="mapbench-map"):
    """The whole report against the map, of fewer than 2^16 buckets; returns the report."""
    h, text = m["h"], shown(f"{command} map")
    for name in ("count", "noverflow", "nevacuate", "hash0", "buckets"):
        check(number(text, name) == int(h[name]), f"{name} is not {int(h[name])}", text)
    check(number(text, "flags", r"(0x\w+)") == int(h["flags"]), "flags", text)
    check(number(text, "B", r"(\d+)") == int(h["B"]), "B", text)
    address = hex(int(h["oldbuckets"])) if int(h["oldbuckets"]) else "none"
    check(field(text, "oldbuckets", r"(0x\w+|none)") == address, "oldbuckets", text)
    old = (1 << int(h["B"])) >> (0 if int(h["flags"]) & 8 else 1) if int(h["oldbuckets"]) else 0
    new_chains, old_chains = list(walk(h["buckets"], 1 << int(h["B"]))), list(walk(h["oldbuckets"], old))
    check(sum(c[0] for c in new_chains + old_chains) == int(h["count"]), "the test's own walk")
    check(f"{int(h['count'])} counted, as count says" in text, "entries", text)
    occupancy = [histogram(line) for line in re.findall(r"occupancy +(.*) \(", text)]
    lengths = [histogram(line) for line in re.findall(r"chains +(.*) \(", text)]
    left = [c for c in old_chains if not c[2]]
    for i, chains in enumerate([new_chains] + ([left] if old else [])):
        check(occupancy[i] == tally(c[0] for c in chains), f"occupancy {i}", text)
        check(lengths[i] == tally(c[1] for c in chains), f"chain lengths {i}", text)
    total = sum(n * many for part in occupancy for n, many in part.items())
    check(total == int(h["count"]), "sum of occupancy", text)
    overflows = sum(c[1] - 1 for c in new_chains)
    check(f"{overflows} overflow buckets counted" in text and int(h["noverflow"]) == overflows, "overflows", text)
    if old:
        check(f"{old} buckets, " in field(text, "oldbuckets", "(.*)"), "number of old buckets", text)
        check(f"{old - len(left)} evacuated, {len(left)} to go" in text, "evacuated", text)
    overflowing = [c for c in new_chains + old_chains if c[1] > 1]
    everything = shown(f"{command} -all map")
    rows = re.findall(r"^    (?:old)?buckets\[\d+\]  \d+ entries in (\d+) buckets", everything, re.M)
    check([int(row) for row in rows] == [c[1] for c in overflowing], "chains with overflow buckets", text)
    check(faults(text) == [], "faults in a sound map", text)
    return text


def check_empty(m, name):
    text = shown("mapbench-map map")
    count = number(text, "count" if name == "go_hmap" else "used")
    check(name in text and count == 0 and not faults(text), "empty map", text)


def check_hmap_printers(m):
    text = shown("print *(struct map *)map")
    check(f"= go_hmap of {int(m['h']['count'])} entries, B {int(m['h']['B'])} " in text, "print *map", text)
    check("buckets = 0x" in shown("print/r *(struct map *)map"), "print/r")
    n = next(n for n in range(1 << int(m["h"]["B"])) if int(m["h"]["buckets"][n]["top"][0]) >= 5)
    top = m["h"]["buckets"][n]["top"]
    text = shown(f"mapbench-bucket {n} map")
    value = int(m["h"]["buckets"][n]["val"][0])
    check(f"[{int(top[0]):02x} " in text and f"= {value}" in text, "mapbench-bucket", text)
    check("there is no bucket" in shown("mapbench-bucket 1000000 map"), "a bucket that is not there")
    check("usage" in shown("mapbench-bucket 3") and "usage" in shown("mapbench-map"), "usage")
    check("go_hmap, which" in shown("mapbench-table 0 map"), "a table of a go_hmap")


def check_broken_hmap():
    b = "((struct map *)map)->h"
    for lvalue, value, word in (
            (f"{b}.B", 200, "B is 200"), (f"{b}.buckets", 0, "no buckets"), (f"{b}.buckets", 16, "cannot read"),
            (f"{b}.oldbuckets", 24, "cannot read"), (f"{b}.nevacuate", 1 << 40, "beyond"),
            (f"{b}.flags", 0xF4, "flags 0xf4"),
            (f"{b}.buckets[1].overflow", 0x41, "buckets[1]: overflow bucket 1 at 0x41 cannot be read"),
            (f"{b}.buckets[1].overflow", -8, "buckets[1]"),
            (f"{b}.buckets[0].top[0]", 3, "marked as evacuated")):
        broken(lvalue, value, word, "mapbench-map map")
    gdb.execute(f"set $bucket = &{b}.buckets[1]")
    gdb.execute("set $next = $bucket->overflow")
    gdb.execute("set var $bucket->overflow = $bucket")
    for command in ("mapbench-map map", "mapbench-bucket 1 map"):
        check("circle" in shown(command) or "goes on" in shown(command), f"{command}: a chain that leads to itself")
    gdb.execute("set var $bucket->overflow = $next")
    gdb.execute(f"set var {b}.count += 1")
    text = shown("mapbench-map map")
    check(re.search(r"\d+ counted, but count is \d+", text), "a wrong count", text)
    gdb.execute(f"set var {b}.count -= 1")
    gdb.execute(f"set var {b}.B = 77")
    check("impossible" in shown("print *(struct map *)map"), "a printer with an impossible B")


def check_bad_expressions(unit):
    for expression, word in (("0", "NULL"), ("(void *)0", "NULL"), ("0x10", "no memory"),
                             ("(struct map *)-8", "no memory"), ("no_such_name", "No symbol"), ("main", "not a map"),
                             ("-foo map", "unknown option"),
                             ("-limit x map", "not a number"), ("-unit nothing map", "no unit nothing"),
                             ("-unit go_hashtrie/u64_u64/native/malloc map", "neither")):
        text = shown(f"mapbench-map {expression}")
        check(text.startswith("error: mapbench-map: ") and word in text and text.count("\n") == 0,
              f"mapbench-map {expression}: no line with '{word}'", text)
    check("Cannot access memory" in shown("print *(struct map *)16"), "print of a bad pointer")
    check("counted" in shown(f"mapbench-map -unit {unit} (long)map"), "-unit")


def from_the_harness(wanted):
    """Shows the map from a function that knows it only as a void pointer, beside its unit."""
    frame = gdb.newest_frame()
    while frame is not None:
        frame.select()
        try:
            if int(gdb.parse_and_eval("trial->map")):
                break
        except gdb.error:
            pass
        frame = frame.older()
    check(frame is not None, "no frame of the selftest has trial->map")
    check(wanted in shown("mapbench-map trial->map"), f"trial->map does not show {wanted}")
    gdb.newest_frame().select()


def hmap_selftest():
    unit = os.environ["UNIT"]
    m = resume("op_put", lambda m: True, "run")
    check_empty(m, "go_hmap")
    own = gdb.parse_and_eval("unit_" + unit.replace("/", "_"))
    m = resume("go_grow_work", lambda m: int(m["h"]["B"]) >= 5 and int(m["h"]["nevacuate"]) > 3)
    check(int(m["h"]["oldbuckets"]) != 0, "the map is not growing")
    text = check_hmap(m)
    check("growing to twice as many" in text and "writing" in field(text, "flags", "(.*)"), "growth", text)
    m = resume("op_put", lambda m: int(m["h"]["oldbuckets"]) and int(m["h"]["nevacuate"]) > 5)
    check_hmap(m)
    if calls():
        check(number(shown("mapbench-map map"), "count") == int(own["op"]["len"].dereference()(m)), "count against len")
        check(int(own["op"]["check"].dereference()(m)) == 0, "the program's own check")
    from_the_harness(f"{int(m['h']['count'])} counted, as count says")
    check_hmap_printers(m)
    check_bad_expressions(unit)
    check_broken_hmap()


def hmap_strings():
    m = resume("go_grow_work", lambda m: int(m["h"]["B"]) >= 4 and int(m["h"]["nevacuate"]) > 1, "run")
    check_hmap(m)
    b = next(b for b in (m["h"]["buckets"][n] for n in range(1 << int(m["h"]["B"]))) if int(b["top"][0]) >= 5)
    key = b["key"][0]
    length, first = int(key["len"]), int(key["text"][0]) & 0xFF if int(key["len"]) else 0
    gdb.execute("set print repeats unlimited")
    gdb.execute("set print elements unlimited")
    text = key.format_string()
    check(length == 0 or text.startswith('"') and (chr(first) in text or "\\" in text), "a string key", text)
    plain = re.sub(r"\\(?:[0-7]{1,3}|.)", "x", text[1:-1])
    check(len(plain) <= length, f"a string of {length} bytes, not terminated", text)


def hmap_same_size():
    m = resume("go_grow_work", lambda m: int(m["h"]["flags"]) & 8 and int(m["h"]["B"]) > 0, "run")
    text = check_hmap(m)
    check("rebuilding at the same size" in text and "sameSizeGrow" in text, "same-size growth", text)
    # What is dead is shown as what was alive.
    core = os.path.join(os.path.dirname(os.environ["LIVE"]), "core")
    gdb.execute(f"generate-core-file {core}", to_string=True)
    with open(os.environ["LIVE"], "w") as live:
        live.write(text)


# --- go_swiss ----------------------------------------------------------------------------------------------------

def bytes_of(group):
    return [int(group["ctrl"][i]) for i in range(8)]


def check_swiss(m):
    text = shown("mapbench-map -all map")
    table_type = bare_target(m["stale"], "table")
    directory = m["dir_ptr"].cast(table_type.pointer().pointer())
    tables = [directory[i].dereference() for i in range(int(m["dir_len"])) if int(directory[i]["index"]) == i]
    groups = [bytes_of(t["groups"][g]) for t in tables for g in range(int(t["length_mask"]) + 1)]
    live = [sum(byte < 0x80 for byte in group) for group in groups]
    check(sum(live) == int(m["used"]), "the test's own walk")
    for label, value in (("used", m["used"]), ("seed", m["seed"]), ("dirLen", m["dir_len"]),
                         ("writing", m["writing"]), ("clearSeq", m["clear_seq"]), ("slots", m["slots"]),
                         ("tables", len(tables)),
                         ("tombstones", sum(group.count(0xFE) for group in groups)),
                         ("growthLeft", sum(int(t["growth_left"]) for t in tables))):
        check(number(text, label) == int(value), f"{label} is not {int(value)}", text)
    check(f"globalDepth {int(m['global_depth'])}, globalShift {int(m['global_shift'])}" in text, "depth", text)
    check(f"{int(m['used'])} counted, as used says" in text, "entries", text)
    check(histogram(re.search(r"occupancy +(.*) \(", text).group(1)) == tally(live), "occupancy", text)
    for t in tables:
        check(re.search(rf"-> {int(t.address):#x} capacity {int(t['capacity'])} used {int(t['used'])} "
                        rf"growthLeft {int(t['growth_left'])} localDepth {int(t['local_depth'])} "
                        rf"index {int(t['index'])} ", text), "a table", text)
    names = {0x80: "..", 0xFE: "##"}
    rows = re.findall(r"^    dir\[\d+\] group \d+ +(.*)", text, re.M)
    expected = [" ".join(names.get(byte, f"{byte:02x}") for byte in group) for group in groups]
    check(rows == expected, "control bytes", text)
    spans = re.findall(r"^    dir\[(\d+)(?:\.\.(\d+))?\] ->", text, re.M)
    check(sum(int(b or a) - int(a) + 1 for a, b in spans) == int(m["dir_len"]), "the directory's runs", text)
    check(faults(text) == [], "faults in a sound map", text)
    return text, tables


def bare_target(pointer, member):
    struct = pointer.type.target().strip_typedefs()
    return next(f.type for f in struct.fields() if f.name == member).target()


def check_broken_swiss(m):
    b = "((struct map *)map)"
    gdb.set_convenience_variable("dir", m["dir_ptr"].cast(bare_target(m["stale"], "table").pointer().pointer()))
    table = "$dir[0]"
    for lvalue, value, word in (
            (f"{b}->dir_ptr", 8, "cannot read"), (f"{b}->dir_len", -5, "not 2^globalDepth"),
            (f"{b}->dir_len", 1 << 50, "not 2^globalDepth"), (f"{b}->global_depth", 200, "not 2^globalDepth"),
            (table, 0x30, "dir[0]: cannot read"), (f"{table}->groups", 0x30, "groups: cannot read"),
            (f"{table}->capacity", 77, "capacity 77"), (f"{table}->used", 1, "used is 1"),
            (f"{table}->growth_left", 9999, "growthLeft 9999"), (f"{table}->index", -1, "index is -1"),
            (f"{table}->local_depth", 60, "localDepth 60"),
            (f"{table}->groups[0].ctrl[3]", 0x81, "neither full, empty nor deleted")):
        broken(lvalue, value, word, "mapbench-map map")
    check("no directory entry" in shown("mapbench-table 99999999 map"), "a table that is not there")


def swiss_selftest():
    m = resume("op_put", lambda m: True, "run")
    check_empty(m, "go_swiss")
    m = resume("op_put", lambda m: int(m["dir_len"]) == 0 and int(m["used"]) >= 3)
    text = shown("mapbench-map map")
    check(f"{int(m['used'])} counted, as used says" in text and "small map of one group" in text, "small map", text)
    from_the_harness(f"{int(m['used'])} counted, as used says")
    group = m["dir_ptr"].cast(bare_target(m["stale"], "groups").pointer()).dereference()
    names = {0x80: ".."}
    check(field(text, "group", r"(.*?)  \(") == " ".join(names.get(byte, f"{byte:02x}") for byte in bytes_of(group)),
          "the small map's control bytes", text)
    text = str(group.format_string(max_elements=64))
    check(len(re.findall(r"\[\d+\] = \d+|\[\d+\]=\d+", text)) >= int(m["used"]), "the small map's entries", text)
    m = resume("go_table_rehash", lambda m: int(m["global_depth"]) >= 1)
    text, tables = check_swiss(m)
    check(number(text, "writing") == 1, "a write is under way", text)
    text = shown("print *(struct map *)map")
    check(f"= go_swiss of {int(m['used'])} entries, directory of {int(m['dir_len'])}, " in text, "print", text)
    text = shown("mapbench-table 0 map")
    check(len(re.findall("^  group ", text, re.M)) == int(tables[0]["capacity"]) // 8, "mapbench-table", text)
    text = shown("mapbench-map -limit 3 map")
    check(len(re.findall(r"^    dir\[\d+\] group", text, re.M)) == 3 and "more groups" in text, "-limit", text)
    check("go_swiss, which" in shown("mapbench-bucket 0 map"), "a bucket of a go_swiss")
    m = resume("op_put", lambda m: int(m["global_depth"]) >= 1)
    check_broken_swiss(m)


def swiss_tombstones():
    m = resume("go_table_rehash", lambda m: int(m["used"]) >= 900, "run")
    text, _ = check_swiss(m)
    check(number(text, "tombstones") > 0, "there are no tombstones", text)


try:
    gdb.execute("source maps/gdb_mapbench.py")
    globals()[os.environ["SCENARIO"]]()
    print(f"{checks} checks, {failures} failures")
except Exception:
    traceback.print_exc()
gdb.execute("kill")
