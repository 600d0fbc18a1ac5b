"""What the interactive figures of a page are drawn from: the rows, reduced to the points of the lines."""
import json

from plots.draw import style
from plots.rows.points import cache_fills, one_page_setting, percentile_points, trade_offs
from plots.rows.run import BASELINE, entry_bytes


def short(value):
    """Rounds to five significant digits: more than any figure shows, in half the bytes."""
    return None if value is None else float(f"{value:.5g}")


class Collector:
    def __init__(self, run):
        self.run, self.families = run, []

    def index(self, family):
        if family not in self.families:
            self.families.append(family)
        return self.families.index(family)

    def head(self, row):
        return {"f": self.index(self.run.family_of(row)), "workload": row["workload"], "n": row["n"],
                "label": self.run.label(row)}

    def speed(self, row):
        interval = [short(v) for v in row["ci95"]] if row["ci95"] else None
        return self.head(row) | {"ns": short(row["median"]), "ci": interval, "stable": row["stable"]}

    def latency(self, row):
        kept = []
        for x, y in percentile_points(row["latency"]):
            if not kept or [short(x), short(y)] != kept[-1]:
                kept.append([short(x), short(y)])
        return self.head(row) | {"points": kept, "timer": short(row["latency"]["timer_cost_ns"]),
                                 "stable": row["stable"]}

    def growth(self, row):
        return self.head(row) | {"stable": row["stable"],
                                 "events": [[e["op"], short(e["ns"]), e.get("old_capacity"), e.get("new_capacity")]
                                            for e in row["growth_events"]]}

    def memory(self, row):
        return self.head(row) | {"curve": [[e, short(live / e), short(rss / e) if rss else None]
                                           for e, live, rss in row["curve"] if e and live is not None]}

    def trade_off(self, family, n, workloads, points):
        return {"f": self.index(family), "n": n, "workloads": workloads,
                "points": {label: [short(size), {w: short(ns) for w, ns in times.items()}]
                           for label, (size, times) in points.items()}}

    def family(self, family):
        return family._asdict() | {"title": self.run.title(family), "floor": entry_bytes(family.shape),
                                   "caches": [[f"L{level}", short(n)] for level, n in cache_fills(self.run, family)]}


def collect(run):
    collector = Collector(run)
    measured = run.measured
    data = {
        "baseline": BASELINE,
        "looks": {label: {"light": look.colour, "dark": look.dark, "dash": look.dash, "marker": look.marker.chart,
                          "flip": look.marker.mpl == "v"}
                  for label, look in style.looks({run.label(r) for r in run.rows}).items()},
        "speed": [collector.speed(r) for r in measured("time")],
        "latency": [collector.latency(r) for r in measured("latency")],
        "growth": [collector.growth(r) for r in measured("latency") if r["growth_events"] and r["map"] != BASELINE],
        "memory": [collector.memory(r) for r in one_page_setting(measured("memory")) if r["curve"] and r["map"] != BASELINE],
        "tradeoff": [collector.trade_off(*found) for found in trade_offs(run)],
    }
    data["families"] = [collector.family(family) for family in collector.families]
    return data


def embed(data):
    """Returns JSON that can stand inside a <script> element whatever its strings hold."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
