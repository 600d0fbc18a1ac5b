"""A run in memory: its rows, grouped into what may be compared, and what lines and titles call them."""
import re
from collections import namedtuple

BASELINE = "null"

# A group of rows that may be compared: rows that differ in nothing but map, workload and n. policy is the hash policy of the
# cell and job the section of the profile; both are "" unless the run has several of them.
Family = namedtuple("Family", "shape keys heap threads order policy job")

# Facts in the name of an engine's map: the map it is the original of; a version, when it is not the engine's newest ("" or
# digits); whether the engine's garbage collector was on.
Original = namedtuple("Original", "port version collector")


def original(name):
    """Returns the Original that a map is, or None. The maps of an engine are called real_ENGINE[VERSION]_NAME[_gc]:
    real_go_swiss is the original of go_swiss, real_go123_hmap that of go_hmap in Go 1.23."""
    found = re.fullmatch(r"real_([a-z]+)([0-9]*)_([a-z0-9_]+?)(_gc)?", name)
    return found and Original(f"{found[1]}_{found[3]}", found[2], bool(found[4]))


class Run:
    def __init__(self, folder, info, rows, repeated, torn=False, retention=None):
        self.folder, self.info, self.rows, self.repeated_rows = folder, info, rows, repeated
        self.torn = torn  # an incomplete run's last row was only half written
        self.retention = retention  # its scenarios; None when it ran none
        self.maps = list(dict.fromkeys([m.get("name") for m in info["maps"]] + [r["map"] for r in rows]))
        self.maps = [m for m in self.maps if any(r["map"] == m for r in rows)]
        self.several_policies = len({policy(r) for r in rows}) > 1
        # A map appears twice in one comparison only when rows do not say which cell they belong to.
        self.hashes, self.jobs = {}, {}
        self.compared = {}  # results of stats.compared
        self.engines = {}   # the engines that ran each map: more than one in a run resumed after an update
        for row in rows:
            self.hashes.setdefault((row["map"], policy(row)), set()).add(row["hash"])
            self.jobs.setdefault(self.basis(row), set()).add(row["job"])
            if row["error"] is None:
                self.engines.setdefault(row["map"], set()).add(row["engine"])

    def basis(self, row):
        return (row["kind"], row["shape"], row["keys"], heap(row), row["threads"], row.get("order"), policy(row))

    def family_of(self, row):
        job = row["job"] if len(self.jobs[self.basis(row)]) > 1 else ""
        return Family(row["shape"], row["keys"], heap(row), row["threads"], row.get("order") or "shuffled",
                      policy(row) if self.several_policies else "", job)

    def measured(self, kind):
        """Returns rows with a result. Of time rows those with a positive median: ratios need one. Of latency rows those with
        operations: "latency" are those of the closed loop, "open" those of the open one."""
        if kind == "open":
            return [r for r in self.rows if r["kind"] == "latency" and is_open(r) and r["error"] is None
                    and r["latency"]["count"] > 0]
        return [r for r in self.rows if r["kind"] == kind and r["error"] is None and not is_open(r)
                and (kind != "time" or r["median"] > 0) and (kind != "latency" or r["latency"]["count"] > 0)]

    def failed(self):
        return [r for r in self.rows if r["error"] is not None]

    def families(self, kind):
        """Returns the comparisons among measured rows of a kind, {Family: rows}, in the order they were measured."""
        found = {}
        for row in self.measured(kind):
            found.setdefault(self.family_of(row), []).append(row)
        return found

    def label(self, row):
        """Returns the name of a row's line in a figure: the map, with whatever else distinguishes two lines of this run."""
        label = row["map"]
        if len(self.hashes[row["map"], policy(row)]) > 1:
            label += f" ({row['hash']} hash)"
        if len(self.engines.get(row["map"], ())) > 1:
            label += f" [{row['engine']}]"
        return label

    def title(self, family):
        """Writes 'u64_u64, uniform keys' and whatever is not as usual."""
        text = f"{family.shape}, {shorten(family.keys)} keys"
        return text + "".join(f", {extra}" for extra in unusual(family))


def is_open(row):
    """Tells whether a latency row's operations arrived at a fixed rate. Rows from before there was an open loop do not
    say."""
    return row.get("loop") == "open"


def policy(row):
    """Returns the hash policy a row was measured under; "" if unsaid. It is not the row's hash: a map that has only its own
    is measured with that under either policy."""
    value = row.get("hash_policy")
    return value if isinstance(value, str) else ""


def heap(row):
    """Returns the heap a row is compared under. An engine's map brings the heap of its own runtime, whatever the cell asked
    for, and belongs beside the maps it was interleaved with: there the cell's heap counts, its name's last part."""
    if row["engine"] != "c" and row.get("cell"):
        return row["cell"].rsplit("/", 1)[-1]
    return row["heap"]


def unusual(family):
    """Returns what a title has to say besides shape and keys."""
    return [text for text, wanted in (
        (f"heap {family.heap}", family.heap != "malloc"), (f"{family.threads} threads", family.threads != 1),
        (f"{family.order} order", family.order != "shuffled"), (f"hash policy {family.policy}", family.policy),
        (f"job {shorten(family.job)}", family.job)) if wanted]


def shorten(text, longest=40):
    """Returns a name that fits into a title; a path keeps its end, which tells more than its beginning."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[:longest // 4] + "…" + text[-(longest - longest // 4 - 1):]


NAMED_BYTES = {"str": 16, "any": 16, "s16": 16, "ptr": 8, "f64": 8, "unit": 0}  # str: pointer and length; any: pointers to type and value


def entry_bytes(shape):
    """Returns bytes of a key and of a value of a shape, from its name (u64: 8, b56: 56, str: pointer and length), or None."""
    sizes = []
    for part in shape.split("_"):
        if part in NAMED_BYTES:
            sizes.append(NAMED_BYTES[part])
        elif part[:1] == "u" and part[1:] in ("8", "16", "32", "64", "128"):
            sizes.append(int(part[1:]) // 8)
        elif part[:1] == "b" and part[1:].isdecimal():
            sizes.append(int(part[1:]))
        else:
            return None
    return sum(sizes) if len(sizes) == 2 else None
