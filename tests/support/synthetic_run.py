"""Writes run folders that nobody measured: fixtures for the tests of plots/, in the format of results/README.md.

    python3 tests/support/synthetic_run.py CASE FOLDER     (python3 tests/support/synthetic_run.py list: the cases)

The figures follow a rough model (a cost per map and workload, a step per cache level, noise per round), so that the
drawings look like drawings of a run and the statistics have something to find. Every number comes from one seed.
"""
import hashlib
import json
import math
import pathlib
import random
import sys

MAPS = ("null linear robin_hood chained swiss_flat dense uthash khash stb_ds ghash judy std_umap absl_flat boost_flat "
        "tsl_robin").split()
WORKLOADS = "put put_grow overwrite get get_miss get_chain get_call del churn scan".split()
PORTS = ["go_hmap", "real_go_hmap", "real_go_hmap_gc", "real_go123_hmap", "go_swiss", "real_go_swiss"]
NATIVE_ONLY = {"stb_ds", "judy"}
NODES = {"chained", "uthash", "ghash", "std_umap", "judy"}
ENTRY_BYTES = {"u32_u32": 8, "u64_u64": 16, "u64_b56": 64, "str_u64": 24}
CACHES = [(1, 49152), (2, 1 << 20), (3, 32 << 20)]
HOSTILE = 'file:</script><script>alert("x")</script>$a_1 & `touch pwned` \'q\' "d" %s.txt'


def stable_unit(*parts):
    """A number in [0, 1) that depends on the parts only."""
    return int(hashlib.sha1("/".join(parts).encode()).hexdigest()[:8], 16) / 2**32


def engine_of(name):
    """What runs a map, as the rows say it."""
    return ("go1.23.12" if "go123" in name else "go1.24.4") if name.startswith("real_") else "c"


def model_ns(name, shape, workload, n):
    if name.startswith("real_"):  # slower than its port by as much as the name decides
        port = name[len("real_"):].removesuffix("_gc").replace("123", "")
        return model_ns(port, shape, workload, n) * (1.05 + 0.3 * stable_unit(name, workload))
    if name == "null":
        return 0.3 + 0.15 * stable_unit(workload)
    base = 2 + 6 * stable_unit(name, "speed") + 3 * stable_unit(name, workload)
    base *= {"scan": 0.3, "get_chain": 2.2, "churn": 2.5, "put_grow": 2.0}.get(workload, 1.0)
    footprint = n * ENTRY_BYTES.get(shape, 16) * (2.6 if name in NODES else 1.6)
    for (level, size), cost in zip(CACHES, (1.5, 4.0, 25.0)):
        misses = max(0.0, 1 - size / footprint)
        base += misses * cost * (1.6 if name in NODES else 1.0) * (0.2 if workload == "scan" else 1.0)
    if name not in NODES:  # a table is fuller, and slower, towards the end of its octave
        base *= 1 + 0.25 * (math.log2(n + 1) % 1)
    return base * (1.7 if shape.startswith("str") else 1.0)


def bytes_per_entry(name, shape, n):
    entry = ENTRY_BYTES.get(shape, 16)
    if name == "null":
        return 64 / n
    if name == "judy":
        return 1.1 * entry + 40 / n
    load = 0.55 + 0.4 * stable_unit(name, "load")
    capacity = 8
    while capacity * load < n:
        capacity *= 2
    if name in NODES:
        return entry + 24 + 8 * capacity / n
    return (entry + (1 if "flat" in name else 4)) * capacity / n + 48 / n


class Maker:
    def __init__(self, seed, rounds, job="main", policy="common", heap="malloc"):
        self.random = random.Random(seed)
        self.seed, self.rounds, self.heap, self.job, self.policy = seed, rounds, heap, job, policy
        self.rows = []

    def row(self, kind, name, shape, workload, keys, n, **more):
        cell = f"{self.job}/{shape}/{keys}/n:{n}/{self.policy}/{self.heap}"
        engine = engine_of(name)
        heap = self.heap if engine == "c" else "go_gc" if name.endswith("_gc") else "go"
        own_hash = name in NATIVE_ONLY or engine != "c"
        row = {"kind": kind, "cell": cell, "step": f"{kind} {cell}", "job": self.job, "map": name, "shape": shape,
               "workload": workload, "keys": keys, "n": n, "heap": heap,
               "hash": "native" if own_hash else self.policy, "hash_policy": self.policy, "threads": 1, "seed": self.seed,
               "order": "shuffled", "engine": engine, "ns_per_op": [], "median": None, "ci95": None, "checksum": None,
               "stable": True, "why_unstable": None, "null_ns_per_op": None, "error": None}
        row.update(more)
        self.rows.append(row)
        return row

    def time(self, name, shape, workload, keys, n, drift, unstable=False):
        centre = model_ns(name, shape, workload, n)
        noise = 0.12 if unstable else 0.012
        medians, samples = [], []
        for i in range(self.rounds):
            middle = centre * drift[i] * math.exp(self.random.gauss(0, noise))
            batch = sorted(middle * math.exp(self.random.gauss(0, 0.02)) for _ in range(4))
            medians.append(round((batch[1] + batch[2]) / 2, 4))
            samples += [round(x, 4) for x in batch]
        ordered = sorted(samples)
        median = ordered[len(ordered) // 2]
        segment = min(n, 32768) if workload in ("put", "put_grow", "del", "churn") else 32768
        long = segment * median >= 100e3  # ns; what the thread's CPU clock is used for
        spread = 1.96 * noise / math.sqrt(self.rounds)
        self.row("time", name, shape, workload, keys, n, ns_per_op=samples, median=median,
                 ci95=[round(median * (1 - spread), 4), round(median * (1 + spread), 4)],
                 checksum="0x%x" % (n * 2654435761 % 2**64), stable=not unstable,
                 why_unstable="rounds differ by 25 %" if unstable else None,
                 null_ns_per_op=round(model_ns("null", shape, workload, n), 4), rounds=self.rounds,
                 round_medians=medians, batch_ops=max(n, 100000), clock="thread_cpu" if long else "ticks", preempted_share=0.01,
                 cpu_per_wall=0.99 if long else None, timer_share=round(410 / (segment * median) if long
                                                                        else 26.5 / (segment * median), 6))

    def latency(self, name, shape, workload, keys, n, unstable=False):
        """The closed loop's row and, of a C map, the open one's at half load."""
        closed = self.histogram(name, shape, workload, n, queue=False)
        self.latency_row(name, shape, workload, keys, n, unstable, closed, loop="closed", rate="closed", offered=None)
        if engine_of(name) == "c":
            state = self.random.getstate()  # the other rows stay what they are
            opened = self.histogram(name, shape, workload, n, queue=True)
            self.random.setstate(state)
            self.latency_row(name, shape, workload, keys, n, unstable, opened, loop="open", rate="50%",
                             offered=0.5e9 / (model_ns(name, shape, workload, n) + 30))

    def histogram(self, name, shape, workload, n, queue):
        """({lower edge of a bucket: count}, growth events, slowest of each stretch). queue: the operations behind a growth
        wait, each for a little less than the one before."""
        centre, counts = model_ns(name, shape, workload, n) + 30, {}
        for _ in range(20000):
            value = centre * math.exp(abs(self.random.gauss(0, 0.3)))
            if self.random.random() < 0.002:
                value *= self.random.uniform(5, 400)
            counts[bucket_low(int(value))] = counts.get(bucket_low(int(value)), 0) + 1
        events = []
        if workload == "put_grow" and name not in ("null", "judy"):
            capacity = 16
            while capacity < n:
                events.append({"op": int(capacity * 0.8), "ns": round(capacity * 6 * (1 + stable_unit(name))) + 200,
                               "old_capacity": capacity, "new_capacity": 2 * capacity})
                capacity *= 2
            for event in events:
                low = bucket_low(event["ns"])
                counts[low] = counts.get(low, 0) + 1
        slot = -(-n // 512)
        slowest = [centre * 3] * (-(-n // slot))
        for event in events:
            drained = int(event["ns"] / centre) if queue else 1
            for op in range(event["op"], min(n, event["op"] + drained), slot):
                left = event["ns"] - (op - event["op"]) * centre
                slowest[op // slot] = max(slowest[op // slot], left)
                low = bucket_low(max(1, int(left)))
                counts[low] = counts.get(low, 0) + (slot if queue else 1)
        return counts, events, {"ops_per_slot": slot, "max_ns": [round(value, 1) for value in slowest]}

    def latency_row(self, name, shape, workload, keys, n, unstable, histogram, loop, rate, offered):
        counts, events, timeline = histogram
        buckets = [[low, bucket_high(low), counts[low]] for low in sorted(counts)]
        total = sum(counts.values())

        def quantile(share):
            passed = 0
            for _low, high, count in buckets:
                passed += count
                if passed >= share * total:
                    return high
        largest = max(buckets[-1][1] - 1, max((e["ns"] for e in events), default=0))
        nothing = {"p50": 27, "p90": 28, "p99": 31, "p999": 45, "p9999": 900, "max": 1500, "count": 1000, "above": 0,
                   "buckets": [[26, 27, 600], [27, 28, 350], [30, 31, 48], [44, 45, 1], [1472, 1504, 1]]}
        own = 1e9 / (model_ns(name, shape, workload, n) + 30)
        engine = engine_of(name)
        extra = {"timeline": timeline} if workload == "put_grow" and engine == "c" else {}
        self.row("latency", name, shape, workload, keys, n, growth_events=events, growth_events_total=len(events),
                 loop=loop, rate=rate, no_open_loop=None if engine == "c" else "no open loop: an engine",
                 offered_per_s=offered, achieved_per_s=offered or own, closed_per_s=own,
                 utilisation=offered and 0.5, late_share=offered and 0.125, overload=None if offered is None else False, **extra,
                 stable=not unstable, why_unstable="put aside 3 times while recording" if unstable else None,
                 latency={"p50": quantile(.5), "p90": quantile(.9), "p99": quantile(.99), "p999": quantile(.999),
                          "p9999": quantile(.9999), "max": largest, "count": total, "above": 0,
                          "timer_cost_ns": 26.5, "timer_step_ns": 10.0, "buckets": buckets,
                          "empty": nothing if engine == "c" else None})

    def memory(self, name, shape, keys, n):
        points, entries = [], 1.0
        while entries < n:
            points.append(int(entries))
            entries = max(entries + 1, entries * 1.06)
        points.append(n)
        curve = []
        for e in points:
            live = round(bytes_per_entry(name, shape, e) * e)
            curve.append([e, live, round(live * 1.06 / 4096 + 1) * 4096])
        last = [live / e for e, live, _ in curve if e > n / 2]
        live = curve[-1][1]
        self.row("memory", name, shape, "put_grow", keys, n, bytes_live=live,
                 bytes_per_entry=round(live / n, 3), bytes_peak=round(live * 1.5), rss_delta=curve[-1][2],
                 rss_peak_delta=round(live * 1.6), blocks_live=n if name in NODES else 2,
                 allocations=n + 20 if name in NODES else 40, curve=curve,
                 octave={"mean": round(sum(last) / len(last), 3), "min": min(last), "max": max(last)})

    def counters(self, name, shape, workload, keys, n):
        if engine_of(name) != "c":
            events = ("task_clock_ns", "page_faults", "context_switches", "cycles", "instructions")
            self.row("counters", name, shape, workload, keys, n, counted_ops=0, counters=dict.fromkeys(events),
                     counters_why=dict.fromkeys(events, "the loops run in another process, whose counters are not read"))
            return
        self.row("counters", name, shape, workload, keys, n,
                 counted_ops=3 * n,
                 counters={"task_clock_ns": round(model_ns(name, shape, workload, n), 3), "page_faults": 0.0003,
                           "context_switches": 0.0, "cycles": None, "instructions": None},
                 counters_why={"cycles": "ENOENT: this machine has no such counter",
                               "instructions": "ENOENT: this machine has no such counter"})

    def structure(self, name, shape, keys, n):
        capacity = 1 << max(3, math.ceil(math.log2(n / 0.8)))
        self.row("structure", name, shape, "put_grow", keys, n, capacity=capacity, load_factor=round(n / capacity, 4),
                 tombstones=0, probe_mean=1.4, probe_max=17, array_bytes=capacity * 16)

    def scaling(self, name, shape, keys, n):
        points = [[n // 4 ** i, round(model_ns(name, shape, "put_grow", n // 4 ** i), 3), n // 4 ** i] for i in (3, 2, 1, 0)]
        self.row("scaling", name, shape, "put_walk", keys, n, points=points, exponent=0.21, exponent_ci95=[0.1, 0.32],
                 given_up_at=None, budget_s=10.0, rounds=self.rounds)


def bucket_low(value):
    """The lower edge of the value's bucket, 32 buckets per power of two, as harness/base/hist.h has them."""
    shift = max(0, value.bit_length() - 6)
    return value >> shift << shift


def bucket_high(low):
    return low + (1 << max(0, low.bit_length() - 6))


def run_info(maps, shapes, keys, seed, rounds, **more):
    options = {"maps": ",".join(maps), "shapes": ",".join(shapes), "keys": ",".join(keys), "hash": "common",
               "seed": str(seed), "repeat": str(rounds)}
    info = {
        "schema": 1, "id": "20261120T081500Z-1a2b3c-quick", "command": "build/mapbench run quick",
        "profile": {"name": "quick", "text": "; the quick profile\nn = 1k..1m*4\n",
                    "question": "Which map is fast for my keys, and what does it cost in memory?",
                    "expect": "open addressing ahead while the table fits the caches", "duration": "2 min"},
        "options": options, "jobs": [{"name": "main", "options": options}],
        "machine": {"cpu": "AMD EPYC 9R45", "cores": 2, "threads_per_core": 1,
                    "cpus": 2, "cpus_usable": 2, "cpu_quota": None,
                    "caches": [{"level": 1, "type": "Data", "bytes": 49152, "shared_by": 1},
                               {"level": 1, "type": "Instruction", "bytes": 32768, "shared_by": 1},
                               {"level": 2, "type": "Unified", "bytes": 1 << 20, "shared_by": 1},
                               {"level": 3, "type": "Unified", "bytes": 32 << 20, "shared_by": 2}],
                    "memory_bytes": 8 << 30, "page_bytes": 4096, "kernel": "6.1.0-28-cloud-amd64",
                    "os": "Debian GNU/Linux 12 (bookworm)", "libc": "glibc 2.36", "virtual": "KVM", "thp": "madvise",
                    "governor": None, "aslr": 2, "mitigations": "spectre_v2: Mitigation: IBRS"},
        "build": {"cc": "gcc (Debian 12.2.0-14+deb12u1) 12.2.0", "cxx": "g++ (Debian 12.2.0-14+deb12u1) 12.2.0",
                  "unit_flags": "-O3 -g -DNDEBUG -falign-functions=64", "harness_flags": "-O2 -g",
                  "commit": "88fd10b0000000000000000000000000000000ff"},
        "timers": {"ns_per_tick": 0.385, "ticks_empty_ns": 26.5, "ticks_step_ns": 10.0, "thread_cpu_ns": 410.0,
                   "wall_ns": 22.0},
        "probe": {"events": {"task_clock_ns": None, "cycles": "ENOENT: this machine has no such counter"}},
        "conditions": {moment: {"loadavg_1m": 0.4, "pressure_cpu_avg10": 1.2, "memory_available_bytes": 6 << 30,
                                "steal_ticks": 3, "thp": "madvise", "governor": None, "throttled_us": None,
                                "own_involuntary_switches": 12} for moment in ("before", "after")},
        "keys": [{"name": k, "shape": s, "limit": None, "files": 0, "sha256": "", "duplicates": 0, "with_nul": 0,
                  "empty_lines": 0, "files_skipped": 0, "text_bytes": 0,
                  "mean_key_bytes": 20.5 if s.startswith("str") else ENTRY_BYTES.get(s, 16) / 2,
                  "provenance": "computed from the seed"} for k in keys for s in shapes],
        "maps": [{"name": m, "summary": f"the {m} map", "source": "this project", "options": "max load 0.8",
                  "cost": "one slot per entry", "fairness": f"{m} takes the common hash",
                  "adapter": m in ("khash", "uthash")} for m in maps],
        "warnings": [{"id": "no_hardware_counters", "text": "this machine has no hardware counters",
                      "advice": "use --perf sim for exact instruction counts"}],
        "skipped": [], "started": "2026-11-20T08:15:00Z", "finished": "2026-11-20T08:16:52Z", "duration_s": 112.0,
        "complete": True, "resumed": 0, "process_peak_bytes": 31 << 20, "figures": None}
    info.update(more)
    return info


def build(maps, shapes, workloads, keys, sizes, kinds, rounds=7, seed=1, unstable=(), errors=(), info=None,
          job="main", policy="common"):
    maker = Maker(seed, rounds, job, policy)
    for shape in shapes:
        for stream in keys:
            for n in sizes:
                for workload in workloads:
                    drift = [math.exp(maker.random.gauss(0, 0.05)) for _ in range(rounds)]
                    for name in maps:
                        if (name, workload) in errors:
                            maker.row("time", name, shape, workload, stream, n, stable=False,
                                      why_unstable="not measured", error="out of memory: wanted 1 GiB")
                            continue
                        if "time" in kinds:
                            maker.time(name, shape, workload, stream, n, drift, (name, workload) in unstable)
                        if "latency" in kinds and workload in ("put_grow", "get") and n == max(sizes):
                            maker.latency(name, shape, workload, stream, n, (name, workload) in unstable)
                        if "counters" in kinds and workload == "get" and n == max(sizes):
                            maker.counters(name, shape, workload, stream, n)
            for name in maps:
                if "memory" in kinds:
                    maker.memory(name, shape, stream, max(sizes))
                if "structure" in kinds:
                    maker.structure(name, shape, stream, max(sizes))
                if "scaling" in kinds:
                    maker.scaling(name, shape, stream, max(sizes))
    return run_info(maps, shapes, keys, seed, rounds, **(info or {})), maker.rows


def joined(*parts):
    """One run of several builds: the facts of the first, the rows of all."""
    return parts[0][0], [row for _info, rows in parts for row in rows]


ALL = ("time", "latency", "memory", "counters", "structure", "scaling")
FEW = ["null", "linear", "swiss_flat", "chained"]
CASES = {
    "wide": lambda: build(MAPS + ["my_own_map"], ["u64_u64", "str_u64"], WORKLOADS, ["uniform"], [10000, 1000000], ALL,
                          unstable=[("dense", "get"), ("uthash", "del"), ("khash", "put_grow")]),
    "quick": lambda: build(["null", "linear", "robin_hood", "swiss_flat", "absl_flat", "std_umap"],
                           ["u64_u64", "str_u64"], ["put_grow", "get", "get_miss", "del", "churn", "scan"],
                           ["uniform"], [1000, 8000, 64000, 512000, 4096000], ALL),
    "octave": lambda: build(FEW, ["u64_u64"], ["get", "get_miss"], ["uniform"],
                            [round((1 << 20) * 2 ** (-i / 8)) for i in range(7, -1, -1)], ("time",)),
    "single": lambda: build(["linear"], ["u32_u32"], ["get"], ["uniform"], [1], ("time", "memory", "latency")),
    "time_only": lambda: build(FEW, ["u64_u64"], ["get", "scan"], ["uniform", "zipf:0.99"], [1000, 100000], ("time",)),
    "memory_only": lambda: build(FEW, ["u64_b56"], ["put_grow"], ["uniform"], [20000], ("memory",)),
    "errors": lambda: build(FEW, ["u64_u64"], ["get", "put"], ["uniform"], [1000, 10000, 100000], ALL,
                            unstable=[("chained", "get")], errors=[("linear", "put")],
                            info={"complete": False, "resumed": 2, "skipped": [{"cell": "words u64_u64", "reason": "are strings"}]}),
    "hostile": lambda: build(["null", "linear", "</script><b>map"], ["str_u64"], ["get", "put_grow"], [HOSTILE],
                             [1000, 4000, 16000], ALL,
                             info={"command": "build/mapbench run --keys '" + HOSTILE + "'",
                                   "warnings": [{"id": "x", "text": "</script><img src=x onerror=alert(1)>",
                                                 "advice": "$\\frac{ {{ `date`"}]}),
    "jobs": lambda: joined(
        build(FEW, ["u64_u64"], ["get"], ["uniform"], [1000, 8000, 64000], ("time",), job="sweep"),
        build(FEW, ["u64_u64"], ["get"], ["uniform"], [65536, 81920, 98304, 131072], ("time",), job="octave"),
        build(FEW + ["judy"], ["u64_u64"], ["get"], ["zipf:0.99"], [1000, 8000, 64000], ("time",)),
        build(FEW + ["judy"], ["u64_u64"], ["get"], ["zipf:0.99"], [1000, 8000, 64000], ("time",), policy="native")),
    "ports": lambda: build(["null"] + PORTS, ["u64_u64", "str_u64"], ["get", "get_miss", "put_grow", "del", "scan"],
                           ["uniform"], [1024, 16384, 131072], ALL, policy="native", unstable=[("go_hmap", "del")]),
    "everything": lambda: build(MAPS + PORTS + ["go_hmap_load6", "go_hmap_notop", "go_syncmap", "go_hashtrie",
                                                "real_go_syncmap", "real_go_syncmap_gc", "real_go_hashtrie",
                                                "real_go_hashtrie_gc", "real_go_swiss_gc", "real_go123_syncmap"],
                                ["u64_u64"], ["get", "put_grow"], ["uniform"], [1024, 16384, 131072], ALL),
    "empty": lambda: build([], [], [], [], [], ()),
}


def write(case, folder):
    info, rows = CASES[case]()
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(info, indent=1), encoding="utf-8")
    (folder / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    (folder / "retention.jsonl").write_text("", encoding="utf-8")
    return folder


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in CASES:
        print("cases:", *CASES)
        sys.exit(0 if sys.argv[1:] == ["list"] else 2)
    write(sys.argv[1], sys.argv[2])
