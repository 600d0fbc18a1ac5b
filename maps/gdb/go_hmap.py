"""A live map of go_hmap, for maps/gdb_mapbench.py. Words as in maps/go/hmap.h."""
from collections import Counter

import gdb

from maps.gdb.memory import BadMap, Layout, agreement, at, bare, elements, histogram, is_struct, marks, read

CHAIN_MAX = 4096  # buckets; as long as this is a loop

# maps/go/hmap_buckets.h: B that an array can have, flags, and tophash bytes that are marks.
B_MAX = 50
FLAGS = ((1, "iterator"), (2, "oldIterator"), (4, "writing"), (8, "sameSizeGrow"))
WRITING, SAME_SIZE = 4, 8
TOP_MIN = 5
TOP_MARKS = {0: "..", 1: "--", 2: ">x", 3: ">y", 4: ">-"}
DEAD_TOPS = bytes(range(TOP_MIN))
TOP_LEGEND = ".. emptyRest, -- emptyOne, >x >y moved, >- empty in a moved bucket"


def is_hmap(value_type):
    return is_struct(value_type, "map", "h") and is_struct(bare(value_type)["h"].type, "go_hmap", "oldbuckets")


class Array:
    """The buckets of one array, counted by chain."""

    def __init__(self, hmap, name, address, buckets, scanned):
        self.name, self.address, self.buckets, self.scanned = name, address, buckets, scanned
        self.occupancy, self.lengths = Counter(), Counter()
        self.entries = self.overflows = self.evacuated = 0
        self.long = []    # rows of the chains with overflow buckets
        self.stuck = []   # faults
        try:
            for n, head in elements(address, hmap.bucket.size, scanned):
                self.count(hmap, n, head)
        except BadMap as bad:
            self.stuck.append(f"{name}: {bad}")

    def count(self, hmap, n, head):
        chain = [head]
        try:
            for bucket in hmap.rest_of_chain(head):
                chain.append(bucket)
        except BadMap as bad:
            self.stuck.append(f"{self.name}[{n}]: {bad}")
        tops = [hmap.bucket.bytes_of(bucket, "top") for bucket in chain]
        moved = 1 < tops[0][0] < TOP_MIN
        live = sum(len(top.translate(None, DEAD_TOPS)) for top in tops)
        self.entries += live
        self.overflows += len(chain) - 1
        self.evacuated += moved
        if not (moved and self.name == "oldbuckets"):
            self.occupancy[live] += 1
            self.lengths[len(chain)] += 1
        if len(chain) > 1:
            self.long.append(f"{self.name}[{n}]  {live} entries in {len(chain)} buckets  "
                             + " | ".join(marks(top, TOP_MARKS) for top in tops[:4])
                             + (" | ..." if len(chain) > 4 else ""))
        if self.name == "buckets" and moved:
            self.stuck.append(f"buckets[{n}] is marked as evacuated")
        if self.name == "oldbuckets" and n < hmap.nevacuate and not moved:
            self.stuck.append(f"oldbuckets[{n}] is below nevacuate but not evacuated")


class Hmap:
    name = "go_hmap"

    def __init__(self, value):
        self.value = value
        self.h = value["h"]
        for field in ("count", "flags", "B", "noverflow", "hash0", "buckets", "oldbuckets", "nevacuate", "extra"):
            setattr(self, field, int(self.h[field]))
        self.bucket = Layout(self.h["buckets"].type.target())

    def flag_names(self):
        return " ".join(name for bit, name in FLAGS if self.flags & bit) or "none"

    def old_buckets(self):
        return 1 << self.B if self.flags & SAME_SIZE else (1 << self.B) >> 1

    def growth(self):
        return "rebuilding at the same size" if self.flags & SAME_SIZE else "growing to twice as many"

    def summary(self):
        size = f"{1 << self.B} buckets" if self.B <= B_MAX else "impossible"
        growing = f", {self.growth()}, nevacuate {self.nevacuate} of {self.old_buckets()}" \
            if self.oldbuckets and self.B <= B_MAX else ""
        return f"{self.name} of {self.count} entries, B {self.B} ({size}){growing}"

    def children(self):
        yield "count", self.count
        yield "flags", f"{self.flags:#x} ({self.flag_names()})"
        for field in ("B", "buckets", "oldbuckets", "nevacuate", "noverflow", "hash0", "extra"):
            yield field, self.h[field] if "buckets" in field or field == "extra" else getattr(self, field)

    def rest_of_chain(self, head):
        """Returns the overflow buckets behind one. A chain that comes back to itself, or leads nowhere, raises BadMap."""
        seen, address = set(), self.bucket.get(head, "overflow")
        while address:
            if address in seen or len(seen) >= CHAIN_MAX:
                raise BadMap(f"the overflow chain runs in a circle at {address:#x}")
            seen.add(address)
            try:
                bucket = read(address, self.bucket.size)
            except BadMap:
                raise BadMap(f"overflow bucket {len(seen)} at {address:#x} cannot be read") from None
            yield bucket
            address = self.bucket.get(bucket, "overflow")

    def report_header(self, report):
        report.lines.append(f"{self.name} at {int(self.value.address):#x}")
        report.add("count", self.count)
        report.add("flags", f"{self.flags:#x} ({self.flag_names()})")
        report.add("B", self.B if self.B > B_MAX else f"{self.B}: {1 << self.B} buckets of {self.bucket.size} bytes")
        report.add("buckets", f"{self.buckets:#x}" if self.buckets else "none yet")
        old = f"{self.oldbuckets:#x}" if self.oldbuckets else "none"
        if self.oldbuckets and self.B <= B_MAX:
            old += f": {self.old_buckets()} buckets, {self.growth()}"
        report.add("oldbuckets", old)
        report.add("nevacuate", self.nevacuate)
        report.add("noverflow", f"{self.noverflow}" + (" (a sample, from B 16 on)" if self.B >= 16 else ""))
        report.add("hash0", f"{self.hash0:#x}")
        report.add("extra", self.extra_text())
        report.add("walks", f"{int(self.value['walks'])} under way")
        if int(self.value["fault"]):  # what Go would have died of
            report.add("fatal", self.value["fault"].format_string())

    def extra_text(self):
        if not self.extra:
            return "none"
        try:
            extra = self.h["extra"].dereference()
            lists = [f"{int(extra[f]['len']) if int(extra[f]) else 0} {what}"
                     for f, what in (("overflow", "overflow buckets listed"), ("oldoverflow", "of the old array"))]
            spare = int(extra["next_overflow"])
            return f"{self.extra:#x}: {', '.join(lists)}; next spare bucket {f'{spare:#x}' if spare else 'none'}"
        except gdb.MemoryError:
            return f"{self.extra:#x}, which cannot be read"

    def arrays(self, report, scan_max):
        """Returns the array and the old one, each counted; what makes that impossible is a fault."""
        if self.B > B_MAX:
            report.fault(f"B is {self.B}, more than a map can have: not a go_hmap, or overwritten")
            return []
        if self.flags > 15:
            report.fault(f"flags {self.flags:#x} has bits that no go_hmap sets")
        if self.count and not self.buckets:
            report.fault(f"{self.count} entries, but no buckets")
        if self.oldbuckets and not self.old_buckets():
            report.fault("growing, but B is 0")
        if self.oldbuckets and self.nevacuate > self.old_buckets():
            report.fault(f"nevacuate {self.nevacuate} is beyond the {self.old_buckets()} old buckets")
        wanted = (("buckets", self.buckets, 1 << self.B), ("oldbuckets", self.oldbuckets, self.old_buckets()))
        return [Array(self, name, address, buckets, buckets if scan_max is None else min(buckets, scan_max))
                for name, address, buckets in wanted if address]

    def report(self, report, scan_max):
        self.report_header(report)
        arrays = self.arrays(report, scan_max)
        for array in arrays:
            if array.scanned < array.buckets:
                report.add("scanned", f"the first {array.scanned} of {array.buckets} {array.name} (-all for all)")
        partial = any(array.scanned < array.buckets for array in arrays)
        total = sum(array.entries for array in arrays)
        if arrays:
            where = " + ".join(f"{array.entries} in {array.name}" for array in arrays)
            report.add("entries", f"{total} counted of {self.count}" if partial else
                       agreement(total, self.count, "count", self.flags & WRITING))
            report.add("", where)
        for array in arrays:
            report.add(array.name, f"{array.evacuated} evacuated, {array.scanned - array.evacuated} to go"
                       if array.name == "oldbuckets" else f"{array.overflows} overflow buckets counted")
            report.add("occupancy", f"{histogram(array.occupancy)}  (entries:chains)")
            report.add("chains", f"{histogram(array.lengths)}  (buckets:chains)")
        long = [row for array in arrays for row in array.long]
        if long:
            report.add("overflow", f"{len(long)} chains with overflow buckets, their tophash bytes ({TOP_LEGEND})")
            report.listed(long, "chains")
        for array in arrays:
            for fault in array.stuck:
                report.fault(fault)

    def report_part(self, report, n):
        """Reports one chain, and the one of the old array that its entries come from."""
        if self.B > B_MAX:
            raise BadMap(f"B is {self.B}: not a go_hmap, or overwritten")
        if not self.buckets:
            raise BadMap("the map has no buckets yet")
        if n >= 1 << self.B:
            raise BadMap(f"there is no bucket {n}: the map has {1 << self.B}")
        places = [("buckets", self.buckets, n)]
        if self.oldbuckets and self.old_buckets():
            places.append(("oldbuckets", self.oldbuckets, n % self.old_buckets()))
        for name, array, i in places:
            address, size, seen = array + i * self.bucket.size, self.bucket.size, 0
            while address:
                head = read(address, size)
                report.lines.append(f"{name}[{i}]{' -> overflow' if seen else ''} at {address:#x}")
                report.lines.append(f"  {at(address, self.bucket.type).format_string(max_elements=64)}")
                address, seen = self.bucket.get(head, "overflow"), seen + 1
                if report.limit is not None and seen >= report.limit and address:
                    report.lines.append("  ... the chain goes on (-all, -limit N)")
                    break
                if seen >= CHAIN_MAX:
                    raise BadMap(f"the overflow chain of {name}[{i}] runs in a circle")
