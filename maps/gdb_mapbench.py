"""Shows live maps of go_hmap and go_swiss in gdb:  source maps/gdb_mapbench.py

    mapbench-map [-all] [-limit N] [-unit UNIT] EXPR     header, occupancy, and overflow chains or tables with their
                                                         control bytes
    mapbench-bucket [-limit N] [-unit UNIT] N EXPR       chain N of a go_hmap, in the old array too while it grows
    mapbench-table [-unit UNIT] N EXPR                   the table under directory entry N of a go_swiss, every group

EXPR is a map or a pointer to one. For a `void *`, as in the selftest, the unit is looked for in the stack: a function
of a unit, or a variable that leads to a struct map_unit; -unit names one, as MAP/SHAPE/HASH/HEAP. `print` shows maps,
buckets, tables, groups and string keys in short; `print/r` goes past that.

Everything is counted from memory. What disagrees with the header, or cannot be read, is a line that begins with
`fault`. Layouts come from the debug information, and no function of the program is called: a core file will do.
Every unit has a struct map of its own, so a type is taken from an expression or a unit's code, never by name alone.
"""
import os
import sys

import gdb
import gdb.printing

# The other parts lie in maps/gdb/. Not __file__: that is another script's when that one sources this.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath((lambda: None).__code__.co_filename))))
keeps_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
from maps.gdb.go_hmap import TOP_MARKS, TOP_MIN, Hmap, is_hmap
from maps.gdb.go_swiss import CTRL_MARKS, EMPTY, Swiss, is_swiss
from maps.gdb.memory import LINES_MAX, BadMap, Report, bare, is_struct, marks
sys.path.pop(0)
sys.dont_write_bytecode = keeps_bytecode

SCAN_MAX = 1 << 20  # buckets or groups that are counted without -all: some seconds
FRAMES_MAX = 64


# --- which map an expression is ----------------------------------------------------------------------------------

def map_of(value):
    """Returns what shows a struct map, or None: not one of the two."""
    if is_hmap(value.type):
        return Hmap(value)
    if is_swiss(value.type):
        return Swiss(value)
    return None


def struct_map_of(block):
    """Returns the struct map of the translation unit that a block is in, or None."""
    if block is None or block.static_block is None:
        return None
    for symbol in block.static_block:
        if symbol.name == "map" and symbol.type is not None and is_struct(symbol.type, "map"):
            return symbol.type
    return None


def struct_map_of_unit(unit):
    """Returns the struct map that a unit's functions use."""
    code = int(unit["op"]["put"])
    if not code:
        raise BadMap("the unit has no functions: it is unavailable in this build, or the program is not running")
    found = struct_map_of(gdb.block_for_pc(code))
    if found is None:
        raise BadMap("there is no debug information of the unit's functions")
    return found


def named_unit(name):
    symbol = "unit_" + name.removeprefix("unit_").replace("/", "_")
    try:
        return gdb.parse_and_eval(symbol)
    except gdb.error:
        raise BadMap(f"there is no unit {name}; units are named MAP/SHAPE/HASH/HEAP") from None


def unit_behind(value):
    """Returns the struct map_unit that a variable is, points to, or has as its member `unit`; None: it has not."""
    def dereferenced(v):
        return v.dereference() if bare(v.type).code == gdb.TYPE_CODE_PTR and int(v) else v
    value = dereferenced(value)
    if is_struct(value.type, "map_unit", "op"):
        return value
    if bare(value.type).code == gdb.TYPE_CODE_STRUCT and is_struct(value.type, bare(value.type).tag, "unit"):
        value = dereferenced(value["unit"])
        return value if is_struct(value.type, "map_unit", "op") else None
    return None


def struct_map_of_frame(frame):
    try:
        block = frame.block()
    except RuntimeError:  # a function without debug information
        return None
    found = struct_map_of(block)
    while found is None and block is not None and not block.is_static and not block.is_global:
        for symbol in block:
            if not symbol.is_variable and not symbol.is_argument:
                continue
            try:
                unit = unit_behind(symbol.value(frame))
                if unit is not None:
                    return struct_map_of_unit(unit)
            except (gdb.error, BadMap):  # optimised out, or not yet set
                continue
        block = block.superblock
    return found


def struct_map_of_stack():
    """Looks from the selected frame outwards, then from the newest."""
    try:
        starts = gdb.selected_frame(), gdb.newest_frame()
    except gdb.error:
        raise BadMap("there is no program to look at: run one, attach to it, or open its core file") from None
    for frame in starts:
        for _ in range(FRAMES_MAX):
            if frame is None:
                break
            found = struct_map_of_frame(frame)
            if found is not None:
                return found
            frame = frame.older()
    raise BadMap("the stack does not tell which unit's map this is; name it: -unit MAP/SHAPE/HASH/HEAP")


def lookup(expression, unit):
    """Returns the map that an expression is or points to."""
    value = gdb.parse_and_eval(expression)
    kind = bare(value.type)
    if unit is None and kind.code == gdb.TYPE_CODE_STRUCT and is_struct(kind, "map"):
        if value.address is None:
            raise BadMap(f"{expression} is not in memory")
        value, kind = value.address, bare(value.address.type)
    if kind.code not in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_INT):
        raise BadMap(f"{expression} is a {value.type}, not a map or a pointer to one")
    address = int(value) & (1 << 64) - 1
    if not address:
        raise BadMap(f"{expression} is NULL: no map")
    target = bare(kind.target()) if kind.code == gdb.TYPE_CODE_PTR else None
    if unit is not None:
        target = struct_map_of_unit(named_unit(unit))
    elif target is None or target.code == gdb.TYPE_CODE_VOID or is_struct(target, "map") and not target.fields():
        target = struct_map_of_stack()
    map_value = gdb.Value(address).cast(target.pointer()).dereference()
    try:
        found = map_of(map_value)
    except gdb.MemoryError:
        raise BadMap(f"{expression} is {address:#x}, where no memory can be read") from None
    if found is None:
        raise BadMap(f"{expression} leads to a {target} that is neither a go_hmap's nor a go_swiss's")
    return found


# --- commands ----------------------------------------------------------------------------------------------------

class Request:
    """A command's words: options, a number if it takes one, and the expression."""

    def __init__(self, text, usage, numbered):
        self.everything, self.limit, self.unit, self.n = False, LINES_MAX, None, None
        rest = text.strip()
        while rest.startswith("-") and rest[1:2].isalpha():
            option, _, rest = rest.partition(" ")
            if option == "-all":
                self.everything, self.limit = True, None
            elif option == "-limit":
                word, _, rest = rest.strip().partition(" ")
                self.limit = self.number(word, option)
            elif option == "-unit":
                self.unit, _, rest = rest.strip().partition(" ")
            else:
                raise BadMap(f"unknown option {option}; usage: {usage}")
            rest = rest.strip()
        if numbered:
            word, _, rest = rest.partition(" ")
            self.n = self.number(word, usage) if rest else None
        self.expression = rest.strip()
        if not self.expression:
            raise BadMap(f"usage: {usage}")

    @staticmethod
    def number(word, where):
        try:
            n = int(gdb.parse_and_eval(word)) if word else -1
        except gdb.error:
            n = -1
        if n < 0:
            raise BadMap(f"{where}: \"{word}\" is not a number of 0 or more")
        return n


class MapCommand(gdb.Command):
    """Show a live go_hmap or go_swiss: mapbench-map [-all] [-limit N] [-unit MAP/SHAPE/HASH/HEAP] EXPR

Counts entries, occupancy, overflow chains, tables and tombstones from memory; a line `fault` says what disagrees."""

    usage = "mapbench-map [-all] [-limit N] [-unit MAP/SHAPE/HASH/HEAP] EXPR"
    name, numbered, kind = "mapbench-map", False, (Hmap, Swiss)

    def __init__(self):
        super().__init__(self.name, gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def show(self, found, request, report):
        found.report(report, None if request.everything else SCAN_MAX)

    def invoke(self, text, from_tty):
        try:
            request = Request(text, self.usage, self.numbered)
            found = lookup(request.expression, request.unit)
            if not isinstance(found, self.kind):
                raise BadMap(f"{request.expression} is a {found.name}, which this command does not show")
            report = Report(request.limit)
            self.show(found, request, report)
            report.print()
        except (BadMap, gdb.error) as error:
            raise gdb.GdbError(f"{self.name}: {error}") from None


class BucketCommand(MapCommand):
    """Show a chain of a live go_hmap with its entries: mapbench-bucket [-all] [-limit N] [-unit UNIT] N EXPR

While the map grows, the chain of the old array that the bucket's entries come from is shown as well."""

    usage = "mapbench-bucket [-all] [-limit N] [-unit MAP/SHAPE/HASH/HEAP] N EXPR"
    name, numbered, kind = "mapbench-bucket", True, Hmap

    def show(self, found, request, report):
        found.report_part(report, request.n)


class TableCommand(BucketCommand):
    """Show a table of a live go_swiss, every group's control bytes: mapbench-table [-unit UNIT] N EXPR

N is an index into the directory."""

    usage = "mapbench-table [-unit MAP/SHAPE/HASH/HEAP] N EXPR"
    name, kind = "mapbench-table", Swiss


# --- printers ----------------------------------------------------------------------------------------------------

class MapPrinter:
    def __init__(self, found):
        self.found = found

    def to_string(self):
        return self.found.summary()

    def children(self):
        return self.found.children()


class SlotsPrinter:
    """A bucket or a group: the marks, then the live entries as key and value."""

    def __init__(self, value):
        self.value = value
        self.bucket = is_struct(value.type, "go_bmap")
        control = value["top"] if self.bucket else value["ctrl"]
        self.bytes = bytes(int(control[i]) for i in range(control.type.range()[1] + 1))

    def to_string(self):
        text = "[" + marks(self.bytes, TOP_MARKS if self.bucket else CTRL_MARKS) + "]"
        overflow = int(self.value["overflow"]) if self.bucket else 0
        return text + (f" overflow {overflow:#x}" if overflow else "")

    def entry(self, i):
        if self.bucket:
            return self.value["key"][i], self.value["val"][i]
        if is_struct(self.value.type, "go_group", "keys"):  # of go_swiss_split
            return self.value["keys"][i], self.value["elems"][i]
        return self.value["slots"][i]["key"], self.value["slots"][i]["elem"]

    def children(self):
        for i, byte in enumerate(self.bytes):
            if byte >= TOP_MIN if self.bucket else byte < EMPTY:
                key, val = self.entry(i)
                yield f"key{i}", key
                yield f"val{i}", val

    def display_hint(self):
        return "map"


class TablePrinter:
    def __init__(self, value):
        self.text = " ".join(f"{field.name} {value[field].format_string()}" for field in bare(value.type).fields())

    def to_string(self):
        return f"go_table {self.text}"


class StringPrinter:
    """A string key: not terminated, and may hold any byte."""

    def __init__(self, value):
        self.text, self.length = value["text"], int(value["len"])

    def to_string(self):
        if not int(self.text) or self.length > 1 << 31:
            return f"{{text = {int(self.text):#x}, len = {self.length}}}"
        return self.text.lazy_string(length=self.length)

    def display_hint(self):
        return "string"


class Printers(gdb.printing.PrettyPrinter):
    """By the fields of a struct: many maps here have a struct of the same name."""

    def __call__(self, value):
        try:
            found = map_of(value)
            if found is not None:
                return MapPrinter(found)
            if is_struct(value.type, "go_bmap", "top", "overflow") or \
                    is_struct(value.type, "go_group", "ctrl", "slots") or is_struct(value.type, "go_group", "ctrl", "keys"):
                return SlotsPrinter(value)
            if is_struct(value.type, "go_table", "local_depth", "groups"):
                return TablePrinter(value)
            if is_struct(value.type, "str", "text", "len"):
                return StringPrinter(value)
        except (gdb.error, BadMap):  # gdb's own printer says what cannot be read
            pass
        return None


MapCommand()
BucketCommand()
TableCommand()
gdb.printing.register_pretty_printer(None, Printers("mapbench"), replace=True)
