"""Reading a live process for maps/gdb_mapbench.py: memory, layouts of structs, and the lines of a report."""
import gdb

CHUNK_BYTES = 1 << 20
LINES_MAX = 16   # chains, tables and groups that are listed without -all
FAULTS_MAX = 12


class BadMap(Exception):
    """What cannot be shown, and why, in one line."""


def byte_order():
    return "big" if "big endian" in gdb.execute("show endian", to_string=True) else "little"


def read(address, size):
    if size == 0:
        return b""
    if address < 0 or address + size > 1 << 64:
        raise BadMap(f"no memory at {address:#x}")
    try:
        return bytes(gdb.selected_inferior().read_memory(address, size))
    except gdb.MemoryError:
        raise BadMap(f"cannot read {size} bytes at {address:#x}") from None


def elements(address, size, count):
    """Returns (index, bytes) of each element of an array, read in chunks."""
    at_once = max(1, CHUNK_BYTES // size)
    for first in range(0, count, at_once):
        n = min(at_once, count - first)
        data = read(address + first * size, n * size)
        for i in range(n):
            yield first + i, data[i * size:(i + 1) * size]


def bare(value_type):
    return value_type.strip_typedefs().unqualified()


def is_struct(value_type, tag, *fields):
    value_type = bare(value_type)
    return (value_type.code == gdb.TYPE_CODE_STRUCT and value_type.tag == tag
            and set(fields) <= {field.name for field in value_type.fields()})


class Layout:
    """Where the fields of a struct lie; reads them from bytes."""

    def __init__(self, struct):
        self.type = bare(struct)
        self.size = self.type.sizeof
        self.order = byte_order()
        self.fields = {f.name: (f.bitpos // 8, f.type.sizeof) for f in self.type.fields() if hasattr(f, "bitpos")}
        if not self.fields:
            raise BadMap(f"no debug information of {struct}")

    def get(self, data, name, signed=False):
        at, size = self.fields[name]
        return int.from_bytes(data[at:at + size], self.order, signed=signed)

    def bytes_of(self, data, name):
        at, size = self.fields[name]
        return data[at:at + size]


def at(address, struct):
    return gdb.Value(address).cast(struct.pointer()).dereference()


def marks(data, names):
    return " ".join(names.get(byte) or f"{byte:02x}" for byte in data)


def histogram(counts):
    return " ".join(f"{key}:{counts[key]}" for key in sorted(counts)) or "none"


class Report:
    """Lines of a command; faults are kept to the end, a few of each map."""

    def __init__(self, limit):
        self.limit, self.lines, self.faults = limit, [], []

    def add(self, label, text):
        self.lines.append(f"  {label:<11}{text}")

    def fault(self, text):
        self.faults.append(text)

    def listed(self, rows, what, text=str):
        """Returns all rows, or as many as the limit allows."""
        shown = rows if self.limit is None else rows[:self.limit]
        self.lines += [f"    {text(row)}" for row in shown]
        if len(shown) < len(rows):
            self.lines.append(f"    ... {len(rows) - len(shown)} more {what} (-all, -limit N)")

    def print(self):
        shown = self.faults[:FAULTS_MAX]
        for fault in shown:
            self.add("fault", fault)
        if len(shown) < len(self.faults):
            self.add("fault", f"... {len(self.faults) - len(shown)} more")
        print("\n".join(self.lines))


def agreement(counted, header, name, writing):
    if counted == header:
        return f"{counted} counted, as {name} says"
    return f"{counted} counted, but {name} is {header}" + (" (a write is under way)" if writing else "")
