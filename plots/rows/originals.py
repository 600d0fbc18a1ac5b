"""Ports beside their originals: which maps of a run belong together, how their times relate, and whether two designs
relate to each other in the ports as they do in the originals. Numbers only; the figures and the page draw them."""
import math
from collections import namedtuple

from plots.rows import stats
from plots.rows.numbers import format_n
from plots.rows.run import original

BAND = 0.15  # by how much the ratio of two designs may differ between ports and originals
# The designs that replaced each other, older first.
GENERATIONS = [("go_hmap", "go_swiss"), ("go_syncmap", "go_hashtrie")]
LISTED_MAX = 8  # exceptions spelled out in words; more are counted

# verdict of a ratio to the original: above, below, same (not shown to differ from 1), untested (too few rounds);
# of an agreement: within, unsure (the point lies outside, its interval does not), outside. interval: (low, high) or None.
Ratio = namedtuple("Ratio", "value interval verdict stable")
Shape = namedtuple("Shape", "ports originals agreement")  # three Ratios: newer / older twice, and the first by the second


def port_among(facts, maps):
    """Returns the map that is the port of an original: of the original's release, or of the last one before it that changed
    something (go_swiss@1.25 of real_go126_swiss), or the one without a release; None where there is none."""
    releases = [name for name in maps if name.startswith(facts.port + "@") and facts.version
                and release_of(name) <= (int(facts.version[0]), int(facts.version[1:]))]
    if releases:
        return max(releases, key=release_of)
    return facts.port if facts.port in maps else None


def release_of(name):
    """Returns (1, 25) of go_swiss@1.25."""
    return tuple(int(part) for part in name.partition("@")[2].split("."))


def pairs(maps):
    """Returns [(port, original)] among the maps, by design; of one design the newest version with the collector off first."""
    found = [(original(name), name) for name in maps if original(name)]
    found = [(facts, port_among(facts, maps), name) for facts, name in found]
    order = {name: i for i, name in enumerate(maps)}
    found = sorted((f for f in found if f[1]), key=lambda f: (order[f[1]], f[0].collector, f[0].version))
    return [(port, name) for _facts, port, name in found]


def generations(maps):
    """Returns [(older port, newer port, older original, newer original)] that are all among the maps, of one engine program's
    version and collector each."""
    found = []
    for older, newer in GENERATIONS:
        for name in maps:
            facts = original(name)
            if facts and facts.port == newer and older in maps and newer in maps:
                found += [(older, newer, other, name) for other in maps if original(other) == facts._replace(port=older)]
    return found


def by_cell(rows):
    """Returns {(workload, n): {map: row}}, workloads as measured, sizes ascending."""
    order = {workload: i for i, workload in enumerate(dict.fromkeys(r["workload"] for r in rows))}
    cells = {}
    for row in sorted(rows, key=lambda r: (order[r["workload"]], r["n"])):
        cells.setdefault((row["workload"], row["n"]), {})[row["map"]] = row
    return cells


def logs_of(own, other):
    """Returns the logarithms of the ratio of two rows round by round; [] when they were not measured in one cell."""
    return stats.log_ratios(own["round_medians"], other["round_medians"]) if own.get("cell") == other.get("cell") else []


def apart(own, other):
    """Returns (ratio, interval) of two rows that cannot be paired: of the medians, their intervals taken as independent."""
    value = own["median"] / other["median"]
    if not all(row["ci95"] and min(row["ci95"]) > 0 for row in (own, other)):
        return value, None
    low = math.hypot(*(math.log(row["median"] / row["ci95"][side]) for row, side in ((own, 0), (other, 1))))
    high = math.hypot(*(math.log(row["median"] / row["ci95"][side]) for row, side in ((own, 1), (other, 0))))
    return value, (value * math.exp(-low), value * math.exp(high))


def related(own, other):
    """Returns (ratio, interval, p) of the times of two rows; p is None where there is nothing to test."""
    logs = logs_of(own, other)
    found = stats.paired_logs(logs)
    if found.ratio is None:
        return (*apart(own, other), None)
    return found.ratio, stats.interval(logs), found.p


def verdict_of(value, p):
    if p is None:
        return "untested"
    return "same" if p >= stats.ALPHA else "above" if value > 1 else "below"


def ratios(rows):
    """Returns {(port, original): {(workload, n): Ratio}} of a family's time rows; the tests corrected over all of them."""
    cells, found = by_cell(rows), []
    for pair in pairs(list(dict.fromkeys(r["map"] for r in rows))):
        for cell, of in cells.items():
            if pair[0] in of and pair[1] in of:
                port, other = of[pair[0]], of[pair[1]]
                found.append((pair, cell, related(port, other), port["stable"] and other["stable"]))
    table = {}
    for (pair, cell, (value, interval, _p), stable), p in zip(found, stats.holm([f[2][2] for f in found])):
        table.setdefault(pair, {})[cell] = Ratio(value, interval, verdict_of(value, p), stable)
    return table


def agreement(ports, originals, logs, stable):
    """Returns how the ports' ratio of two designs relates to the originals', and whether it is inside the band."""
    value, interval = ports / originals, stats.interval(logs)
    if abs(value - 1) <= BAND:
        verdict = "within"
    elif interval is None or (interval[0] <= 1 + BAND and interval[1] >= 1 - BAND):
        verdict = "unsure"
    else:
        verdict = "outside"
    return Ratio(value, interval, verdict, stable)


def shapes(rows):
    """Returns {(older port, newer port, older original, newer original): {(workload, n): Shape}} of a family's time rows."""
    table = {}
    for four in generations(list(dict.fromkeys(r["map"] for r in rows))):
        for cell, of in by_cell(rows).items():
            if not all(name in of for name in four):
                continue
            older, newer, older_real, newer_real = (of[name] for name in four)
            of_ports, of_originals = related(newer, older), related(newer_real, older_real)
            both = [a - b if a is not None and b is not None else None
                    for a, b in zip(logs_of(newer, older), logs_of(newer_real, older_real))]
            fine = older["stable"] and newer["stable"], older_real["stable"] and newer_real["stable"]
            table.setdefault(four, {})[cell] = Shape(
                Ratio(*of_ports[:2], verdict_of(of_ports[0], of_ports[2]), fine[0]),
                Ratio(*of_originals[:2], verdict_of(of_originals[0], of_originals[2]), fine[1]),
                agreement(of_ports[0], of_originals[0], both, all(fine)))
    return table


def ratio_text(ratio):
    """Writes a ratio as stats.ratio_text does: ~ for what is not shown to differ from 1, ? for too few rounds to say."""
    digits = stats.ratio_digits(ratio.value)
    return {"same": "~" + digits, "untested": digits + "?", "unsure": "~" + digits}.get(ratio.verdict, digits)


def interval_text(ratio):
    return "" if ratio.interval is None else " [" + "–".join(stats.ratio_digits(v) for v in ratio.interval) + "]"


def listed(entries):
    """Lists entries: [(what they have in common, the rest, Ratio)]. As text, what is common said once."""
    groups = {}
    for common, rest, ratio in entries[:LISTED_MAX]:
        groups.setdefault(common, []).append(f"{rest} {stats.ratio_digits(ratio.value)}{interval_text(ratio)}")
    more = f"; and {len(entries) - LISTED_MAX} more" if len(entries) > LISTED_MAX else ""
    return "; ".join(f"{common}: {', '.join(rest)}" for common, rest in groups.items()) + more


def above_in_words(table):
    """Returns what of {pair: {cell: Ratio}} lies above 1.00, the greatest first."""
    every = [(f"{port} / {other}", f"{cell[0]} {format_n(cell[1])}", ratio)
             for (port, other), cells in table.items() for cell, ratio in cells.items()]
    proven = sorted((e for e in every if e[2].verdict == "above"), key=lambda e: -e[2].value)
    unproven = sum(e[2].value > 1 and e[2].verdict != "above" for e in every)
    text = f"Above 1.00: {len(proven)} of {len(every)} ratios" + (f" ({listed(proven)})" if proven else "")
    return text + (f". Above, but not shown to be: {unproven}." if unproven else ".")


def outside_in_words(table):
    """Returns what of {generation: {cell: Shape}} lies outside the band, the farthest first; "" without any."""
    every = [(f"{newer} / {older} by that of {newer_real} / {older_real}", f"{cell[0]} {format_n(cell[1])}",
              shape.agreement)
             for (older, newer, older_real, newer_real), cells in table.items() for cell, shape in cells.items()]
    if not every:
        return ""
    out = sorted((e for e in every if e[2].verdict == "outside"), key=lambda e: -abs(math.log(e[2].value)))
    unsure = sum(e[2].verdict == "unsure" for e in every)
    text = f"Outside the band of ±{100 * BAND:.0f} %: {len(out)} of {len(every)}" + (f" ({listed(out)})" if out else "")
    return text + (f". Outside, but not shown to be: {unsure}." if unsure else ".")


def hashes_in_words(rows, table):
    """Returns a warning when a port did not run on its original's hash; "" otherwise."""
    names = {name for pair in table for name in pair}
    common = sorted({r["map"] for r in rows if r["map"] in names and r["hash"] == "common"})
    return f"{', '.join(common)} ran on the common hash, the originals on their own: part of each ratio is the hash; " \
           "--hash native compares like with like." if common else ""
