#!/usr/bin/env python3
"""Prints docs/go-releases.md: what each release of Go changed about maps, from the data that the tests hold the ports to.

    docs/go_releases.py >docs/go-releases.md

Reads tests/fixtures/go: recordings of real Go programs, whose heads say which version and how. tests/test_docs.sh fails when
the page is not what this prints.
"""

import collections
import pathlib
import re

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "go"
RELEASES = ["1.23", "1.24", "1.25", "1.26", "1.27"]
# Two recordings differ where the ranges of their runs are further apart: maps draw seeds, goroutines run as they come.
SPREAD_SHARE, SPREAD_BYTES = 0.02, 8192

# Rules that the ports follow, each in maps/go/swiss*.h behind GO_SINCE or go_prunes: release, what, file of Go's source.
RULES = [
    ("1.24", "Maps are Swiss tables: groups of 8 slots with control bytes, tables of up to 1,024 slots that split on their own, a "
             "directory above; no overflow buckets, no evacuation in steps", "internal/runtime/maps"),
    ("1.24", "sync.Map is a hash trie of nodes with 16 children; deleting gives nodes back", "internal/sync/hashtriemap.go"),
    ("1.25", "A full table prunes tombstones before it grows, in the fast assignments of 4-byte, 8-byte and string keys with "
             "elements of at most 128 bytes; the generic assignment does not", "internal/runtime/maps/table.go"),
    ("1.25", "`clear` of a map that `delete` emptied drops its tombstones", "internal/runtime/maps/map.go"),
    ("1.25", "`maps.Clone` copies the tables with their capacity and tombstones; before, it inserted the entries into a map made "
             "for their number", "internal/runtime/maps/map.go"),
    ("1.26", "The classic map and the classic sync.Map are gone, with the names noswissmap and nosynchashtriemap of "
             "GOEXPERIMENT", "internal/buildcfg"),
    ("1.26", "The collector marks spans of objects of 16 to 512 bytes by bits at their end: up to 3 % fewer objects a span, "
             "HeapInuse is higher, HeapAlloc is not", "runtime/mgcmark_greenteagc.go"),
    ("1.27", "The fast assignments of pointer keys prune, too", "internal/runtime/maps/runtime_fast64.go"),
    ("1.27", "An overwrite in a full map of 8 entries stays in place; before, it made a table of 16 slots", "internal/runtime/maps/map.go"),
]


def lines_of(name):
    return [line for line in (FIXTURES / name).read_text().splitlines() if line and not line.startswith("#")]


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def count(number):
    return f"{number:,}"


# --- bytes ---


def recordings():
    """{(scenario, variant, n): {release: {(label, step): (least, most)}}}"""
    found = collections.defaultdict(lambda: collections.defaultdict(dict))
    called = collections.defaultdict(list)  # by the recording's name
    for line in lines_of("retention.txt"):
        tag, scenario, variant, step, label, _, _, n, recorded_as, least, most, *_ = line.split()
        release = f"1.{tag[2:]}"
        key = scenario, variant, int(n)
        found[key][release][label, int(step)] = int(least), int(most)
        if key not in called[recorded_as, variant] and key[:2] not in [other[:2] for other in called[recorded_as, variant]]:
            called[recorded_as, variant].append(key)  # the scenario's own n comes first
    for recorded_as, variant, label, step, newer in newer_recordings():
        for key in called[recorded_as, variant]:
            for release, range_ in newer.items():
                if (label, step) in found[key]["1.24"]:
                    found[key][release][label, step] = range_
    return found


def newer_recordings():
    """Of 1.25 and 1.27 at the checkpoints of 1.24: {release: (least, most)}."""
    for line in lines_of("retention_newer.txt"):
        recorded_as, variant, step, label, *numbers = line.split()
        newer = {release: (int(numbers[i]), int(numbers[i + 1])) for release, i in (("1.25", 0), ("1.27", 5))}
        yield recorded_as, variant, label, int(step), newer


def differ(a, b):
    """Whether two ranges of runs are apart; one whose own runs are far apart, for timers and natural collections, says nothing."""
    if any(most - least > max(65536, 0.2 * most) for least, most in (a, b)):
        return False
    gap = max(a[0] - b[1], b[0] - a[1])
    return gap > SPREAD_BYTES + SPREAD_SHARE * max(map(abs, a + b))


def span(least, most):
    return count(least) if most == least else f"{count(least)} to {count(most)}"


def bytes_changed(before, after):
    """The checkpoint of every case at which two releases are furthest apart, if they are."""
    rows = []
    for (scenario, variant, n), by_release in recordings().items():
        old, new = by_release.get(before, {}), by_release.get(after, {})
        apart = [(abs(sum(new[point]) - sum(old[point])), point) for point in old if point in new and differ(old[point], new[point])]
        if not apart:
            continue
        label, step = max(apart)[1]
        a, b = old[label, step], new[label, step]
        factor = f"{sum(b) / sum(a):.2f}" if sum(a) > 0 < sum(b) and sum(a) > 2000 else "-"
        rows.append((f"{scenario}, {variant}", count(n), f"{label} {count(step)}", span(*a), span(*b), factor))
    return rows


# --- structures ---


def structures():
    """{release: {struct: (size, {field: offset})}}, of programs for amd64."""
    found, fields = collections.defaultdict(dict), None
    for line in lines_of("layout_dwarf.txt"):
        tag, name, *rest = line.split("|")
        if not tag:
            fields[name] = int(rest[0])
            continue
        known = re.fullmatch(r"g1(\d\d)", tag)
        fields = {}
        if known:
            found[f"1.{known[1]}"][name] = int(rest[0]), fields
    return found


def structures_changed(before, after):
    old, new, rows = structures()[before], structures()[after], []
    if not any("internal/runtime/maps." in name for name in old):
        return rows  # another design altogether
    for name in sorted(old.keys() & new.keys()):
        (old_size, old_fields), (new_size, new_fields) = old[name], new[name]
        change = [f"`{field}` at {new_fields[field]} is new" for field in new_fields if field not in old_fields]
        change += [f"`{field}` is gone" for field in old_fields if field not in new_fields]
        change += [f"`{field}` {old_fields[field]} -> {new_fields[field]}" for field in old_fields
                   if field in new_fields and old_fields[field] != new_fields[field]]
        if change or old_size != new_size:
            rows.append((f"`{name}`", count(old_size), count(new_size), ", ".join(change) or "-"))
    return rows


# --- traces ---


def windows():
    """Rows of what a sliding window did, by release: window, operations, rehashes, prunes."""
    rows = {}
    for line in lines_of("swiss_w3_events.txt"):
        releases, window, operations, grown, prunes, *_ = line.split()
        for release in releases.split(","):
            rows[release, int(window)] = int(operations), int(grown), int(prunes)
    return rows


def windows_changed(before, after):
    known = windows()
    return [(count(window), count(known[before, window][0]), count(known[before, window][1]), count(known[after, window][1]),
             count(known[after, window][2]))
            for release, window in known if release == before and (after, window) in known
            and known[before, window] != known[after, window]]


def section(before, after):
    text = [f"## {after}, from {before}", ""]
    text += table(("rule", "Go's source"), [(what, f"`{source}`") for release, what, source in RULES if release == after])
    kept = bytes_changed(before, after) if after != "1.27" else bytes_changed("1.25", after)
    since = "1.25" if after == "1.27" else before
    if kept:
        text += ["HeapAlloc, less that of the scenario's base checkpoint, in bytes, at the checkpoint where the two are furthest apart:", ""]
        text += table(("scenario, variant", "n", "checkpoint", f"Go {since}", f"Go {after}", "factor"), kept)
    changed = windows_changed(before, after)
    if changed:
        text += ["A window of fast keys slides 40 times its size, hash and seed fixed (tables that grew or split, and prunes):", ""]
        text += table(("window", "replacements", f"grown in {before}", f"grown in {after}", f"prunes in {after}"), changed)
    fields = structures_changed(before, after)
    if fields:
        text += ["Structures, in bytes, from DWARF of amd64 programs:", ""]
        text += table(("structure", before, after, "fields"), fields)
    return text


def page():
    text = ["# What each release of Go changed about maps", "",
            "Printed by `docs/go_releases.py` from what was recorded of real Go 1.23.5, 1.24.4, 1.25.12, 1.26.11 and 1.27.4 on "
            "amd64 (`tests/fixtures/go`), the same data that the ports are held to. Retention of 1.26 was not recorded: 1.27 is "
            "compared with 1.25 there. `mapbench retain --upgrade FROM,TO` shows the same "
            "on the ports, for any map, n and scenario; [go-ports.md](go-ports.md) tells how the ports follow.", ""]
    for before, after in zip(RELEASES, RELEASES[1:]):
        text += section(before, after)
    return "\n".join(text).rstrip() + "\n"


if __name__ == "__main__":
    print(page(), end="")
