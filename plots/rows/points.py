"""The points that figures and page are made of, computed from rows without any drawing library."""
from plots.rows import stats
from plots.rows.run import BASELINE, entry_bytes


def cache_fills(run, family):
    """Returns [(level, n)]: the entries whose keys and values alone, text of string keys included, fill a cache."""
    size = entry_bytes(family.shape)
    if size is None:
        return []
    if family.shape.startswith("str"):
        size += next((k.get("mean_key_bytes") or 0 for k in run.info["keys"]
                      if k.get("name") == family.keys and k.get("shape") == family.shape), 0)
    return [(cache["level"], cache["bytes"] / size) for cache in run.info["machine"].get("caches") or []
            if cache.get("type") != "Instruction" and cache.get("bytes")]


def one_page_setting(rows):
    """Returns memory rows without those that repeat another with other pages: of each cell's the one measured as the
    machine is set, or else the first."""
    kept = {}
    for row in rows:
        cell = tuple(row.get(f) for f in ("job", "cell", "map", "shape", "workload", "keys", "n", "heap", "hash", "engine", "order"))
        if cell not in kept or (kept[cell].get("pages") or "set") != "set" == (row.get("pages") or "set"):
            kept[cell] = row
    return list(kept.values())


def percentile_points(latency):
    """Returns [(1/(1-share), ns)]: the value at or below which a share of all operations lie. The last point is the largest
    value, exact; operations above the histogram's range are part of it."""
    points, passed, total = [], 0, latency["count"]
    for _low, high, count in latency["buckets"]:
        before, passed = passed, passed + count
        if before < total:
            points.append((total / (total - before), high))
        if passed < total:
            points.append((total / (total - passed), high))
    if total:
        points.append((total, latency["max"]))
    return [(x, min(y, latency["max"])) for x, y in points]


def trade_offs(run):
    """Returns [(family, n, workloads, {label: (bytes per entry, {workload: ns})})]: for each family the largest n that has
    both kinds of row, and the workloads that every one of these maps has at that n."""
    found, times = [], {}
    for family, rows in run.families("time").items():
        times.setdefault(family._replace(job=""), []).extend(rows)
    memory = {}
    for family, rows in run.families("memory").items():
        memory.setdefault(family._replace(job=""), []).extend(one_page_setting(rows))
    for family, memory_rows in memory.items():
        for n in sorted({r["n"] for r in memory_rows}, reverse=True):
            sizes = {run.label(r): r["bytes_per_entry"] for r in memory_rows
                     if r["n"] == n and r["map"] != BASELINE and r["bytes_per_entry"]}
            timed = [r for r in times.get(family, []) if r["n"] == n and run.label(r) in sizes]
            labels = dict.fromkeys(run.label(r) for r in timed)
            workloads = [w for w in dict.fromkeys(r["workload"] for r in timed)
                         if {run.label(r) for r in timed if r["workload"] == w} == set(labels)]
            if workloads:
                points = {label: (sizes[label], {r["workload"]: r["median"] for r in timed
                                                 if run.label(r) == label and r["workload"] in workloads})
                          for label in labels}
                found.append((family, n, workloads, points))
                break
    return found


def mean_points(points):
    """Returns {label: (bytes per entry, geomean of its workloads)}"""
    return {label: (size, stats.geomean(times.values())) for label, (size, times) in points.items()}


def front(points):
    """Returns labels of {label: (x, y)} that no other beats on both, by x: the Pareto front."""
    kept, lowest = [], None
    for label, (_x, y) in sorted(points.items(), key=lambda item: item[1]):
        if lowest is None or y < lowest:
            kept.append(label)
            lowest = y
    return kept


def stairs(corners):
    """Returns the border of what a front dominates: right, then down, from each point to the next."""
    path = corners[:1]
    for (_, y), after in zip(corners, corners[1:]):
        path += [(after[0], y), after]
    return path
