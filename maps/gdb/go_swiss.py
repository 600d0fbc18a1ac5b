"""A live map of go_swiss, for maps/gdb_mapbench.py. Words as in maps/go/swiss.h."""
from collections import Counter

from maps.gdb.memory import BadMap, Layout, agreement, bare, byte_order, elements, histogram, is_struct, marks, read

# maps/go/swiss_group.h, maps/go/swiss.h.
SLOTS = 8
EMPTY, DELETED = 0x80, 0xFE
CTRL_MARKS = {EMPTY: "..", DELETED: "##"}
CTRL_LEGEND = "H2; .. empty, ## tombstone"
TABLE_SLOTS_MAX = 1024
GROUP_LOAD_MAX = 7
DEPTH_MAX = 40  # a directory of 8 TiB


def is_swiss(value_type):
    return is_struct(value_type, "map", "dir_ptr", "dir_len", "global_depth", "stale")


class Table:
    """One table, its groups counted."""

    def __init__(self, swiss, address):
        self.address, self.control, self.stuck = address, [], []
        data = read(address, swiss.table.size)
        for field in ("used", "capacity", "growth_left", "local_depth", "groups", "length_mask"):
            setattr(self, field, swiss.table.get(data, field))
        self.index = swiss.table.get(data, "index", signed=True)
        self.live = self.tombstones = 0
        self.group_live = Counter()
        if self.capacity > TABLE_SLOTS_MAX or self.capacity % SLOTS or self.capacity & (self.capacity - 1) or \
                (self.length_mask + 1) * SLOTS != self.capacity:
            self.stuck.append(f"capacity {self.capacity} and lengthMask {self.length_mask} are no table's")
            return
        try:
            for i, group in elements(self.groups, swiss.group.size, self.capacity // SLOTS):
                self.count(i, swiss.group.bytes_of(group, "ctrl"))
        except BadMap as bad:
            self.stuck.append(f"groups: {bad}")
        full = self.capacity - 1 if self.capacity <= SLOTS else self.capacity * GROUP_LOAD_MAX // SLOTS
        if self.live != self.used:
            self.stuck.append(f"{self.live} full slots, but used is {self.used}")
        if self.live + self.tombstones + self.growth_left != full:
            self.stuck.append(f"growthLeft {self.growth_left} + {self.live} full + {self.tombstones} tombstones "
                              f"is not {full}")

    def count(self, i, ctrl):
        live = sum(byte < EMPTY for byte in ctrl)
        self.live += live
        self.tombstones += ctrl.count(DELETED)
        self.group_live[live] += 1
        self.control.append(ctrl)
        if live + ctrl.count(DELETED) + ctrl.count(EMPTY) != SLOTS:
            self.stuck.append(f"group {i}: a control byte is neither full, empty nor deleted: {ctrl.hex(' ')}")

    def group_row(self, i):
        return f"group {i:<4} {marks(self.control[i], CTRL_MARKS)}"

    def row(self):
        return (f"capacity {self.capacity} used {self.used} growthLeft {self.growth_left} "
                f"localDepth {self.local_depth} index {self.index} tombstones {self.tombstones}")


class Swiss:
    name = "go_swiss"

    def __init__(self, value):
        self.value = value
        for field in ("used", "seed", "dir_ptr", "dir_len", "global_depth", "global_shift", "writing", "clear_seq",
                      "slots"):
            setattr(self, field, int(value[field]))
        stale = bare(value["stale"].type.target())
        self.table = Layout(stale["table"].type.target())
        self.group = Layout(stale["groups"].type.target())
        self.pointer_bytes = value["dir_ptr"].type.sizeof

    def kind(self):
        if self.dir_len == 0:
            return "small map of one group" if self.dir_ptr else "no group yet"
        return f"directory of {self.dir_len}, globalDepth {self.global_depth}"

    def summary(self):
        return f"{self.name} of {self.used} entries, {self.kind()}, {self.slots} slots"

    def children(self):
        for field in ("used", "seed", "dir_ptr", "dir_len", "global_depth", "global_shift", "writing", "clear_seq"):
            yield field, self.value[field]

    def runs(self, report, scan_max):
        """Returns (first, entries, table) of each table, in the order of the directory."""
        if self.global_depth > DEPTH_MAX or self.dir_len != 1 << self.global_depth:
            report.fault(f"dirLen {self.dir_len} is not 2^globalDepth, globalDepth being {self.global_depth}: "
                         "not a go_swiss, or overwritten")
            return []
        count, runs = self.dir_len if scan_max is None else min(self.dir_len, scan_max), []
        order = byte_order()
        try:
            for i, data in elements(self.dir_ptr, self.pointer_bytes, count):
                address = int.from_bytes(data, order)
                if runs and runs[-1][2] == address:
                    runs[-1][1] += 1
                else:
                    runs.append([i, 1, address])
        except BadMap as bad:
            report.fault(f"directory: {bad}")
        return runs

    def report(self, report, scan_max):
        report.lines.append(f"{self.name} at {int(self.value.address):#x}")
        report.add("used", self.used)
        report.add("seed", f"{self.seed:#x}")
        report.add("directory", f"{self.dir_ptr:#x}: {self.kind()}" if self.dir_ptr else self.kind())
        report.add("dirLen", self.dir_len)
        report.add("depth", f"globalDepth {self.global_depth}, globalShift {self.global_shift}")
        report.add("writing", self.writing)
        report.add("clearSeq", self.clear_seq)
        report.add("slots", self.slots)
        if self.value["fatal"]:
            report.add("fatal", self.value["fatal"].format_string())
        if self.dir_len == 0:
            self.report_small(report)
        elif not self.dir_ptr:
            report.fault("a directory length, but no directory")
        else:
            self.report_tables(report, scan_max)

    def report_small(self, report):
        if self.dir_ptr:
            ctrl = self.group.bytes_of(read(self.dir_ptr, self.group.size), "ctrl")
            report.add("group", f"{marks(ctrl, CTRL_MARKS)}  ({CTRL_LEGEND})")
            live = sum(byte < EMPTY for byte in ctrl)
            report.add("entries", agreement(live, self.used, "used", self.writing))
            if live + ctrl.count(EMPTY) != SLOTS:
                report.fault(f"a small map's control byte is neither full nor empty: {ctrl.hex(' ')}")
        elif self.used:
            report.fault(f"{self.used} entries, but no group")

    def tables(self, report, scan_max):
        """Returns (first, where, table) of each that can be read; the others are faults."""
        runs = self.runs(report, scan_max if scan_max is None else max(1, scan_max * SLOTS // TABLE_SLOTS_MAX))
        covered, tables = sum(run[1] for run in runs), []
        for first, entries, address in runs:
            where = f"dir[{first}]" if entries == 1 else f"dir[{first}..{first + entries - 1}]"
            try:
                table = Table(self, address)
            except BadMap as bad:
                report.fault(f"{where}: {bad}")
                continue
            tables.append((first, where, table))
            for fault in table.stuck:
                report.fault(f"{where}: {fault}")
            if table.index != first:
                report.fault(f"{where}: the table's index is {table.index}")
            if table.local_depth > self.global_depth:
                report.fault(f"{where}: localDepth {table.local_depth} is above globalDepth {self.global_depth}")
            elif entries != 1 << (self.global_depth - table.local_depth) and \
                    (first + entries < covered or covered == self.dir_len):  # not cut off by the limit
                report.fault(f"{where}: {entries} entries lead to a table of localDepth {table.local_depth}")
        return covered, tables

    def report_tables(self, report, scan_max):
        covered, tables = self.tables(report, scan_max)
        report.add("tables", len(tables))
        live = sum(table.live for _, _, table in tables)
        if covered < self.dir_len:
            report.add("scanned", f"{covered} of {self.dir_len} directory entries (-all for all)")
            report.add("entries", f"{live} counted of {self.used}")
        else:
            report.add("entries", agreement(live, self.used, "used", self.writing))
        report.add("tombstones", sum(table.tombstones for _, _, table in tables))
        report.add("growthLeft", sum(table.growth_left for _, _, table in tables))
        group_live = sum((table.group_live for _, _, table in tables), Counter())
        report.add("occupancy", f"{histogram(group_live)}  (entries:groups)")
        report.listed([f"{where} -> {table.address:#x} {table.row()}" for _, where, table in tables], "tables")
        report.add("control", f"bytes by group ({CTRL_LEGEND})")
        groups = [(first, i, table) for first, _, table in tables for i in range(len(table.control))]
        report.listed(groups, "groups; mapbench-table N shows those of one table",
                      lambda group: f"dir[{group[0]}] {group[2].group_row(group[1])}")

    def report_part(self, report, n):
        """Reports one table with all its groups."""
        if n >= self.dir_len:
            raise BadMap(f"there is no directory entry {n}: the map has {self.dir_len}")
        data = read(self.dir_ptr + n * self.pointer_bytes, self.pointer_bytes)
        address = int.from_bytes(data, byte_order())
        table = Table(self, address)
        report.lines.append(f"dir[{n}] -> {address:#x} {table.row()}  ({CTRL_LEGEND})")
        report.lines += [f"  {table.group_row(i)}" for i in range(len(table.control))]
        for fault in table.stuck:
            report.fault(fault)
