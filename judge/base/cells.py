"""What was measured: the cell of a row, told apart from the others of its run; and the names of its map."""
import functools
import re
from collections import namedtuple

from judge.base.common import project_root

# The text form, joined by slashes, is what the regular expressions of the history see.
# variant: '' as usual; otherwise "threads:2", "go1.24.4", "order:insertion", "pages:huge", "job:NAME", by commas.
Cell = namedtuple("Cell", "map shape workload keys n hash heap variant")
# Fields that rows of the same cell may differ in: the section of the profile; whether there were huge pages; for which hash policy a
# map was measured that has one hash only; beside which maps.
TWICE_BY = ("job", "thp", "hash_policy", "cell")


@functools.cache
def aliases():
    """Returns {further name of a map: the map}: releases that changed no rule, and names that maps had (maps/maps.def)."""
    text = (project_root() / "maps" / "maps.def").read_text(encoding="utf-8")
    return dict(re.findall(r"^ALIAS\(([^,]+), *([^)]+)\)", text, re.M))


def map_of(name):
    return aliases().get(name, name)


def matches(pattern, cell):
    """Tells whether the compiled expression finds something in the text of a cell, with any name of its map."""
    names = [cell.map] + [name for name, of in aliases().items() if of == cell.map]
    return any(pattern.search(text_of(cell._replace(map=name))) for name in names)


def cells_of(rows):
    """Returns a Cell per row. Where a run measured the same cell several times, what the rows differ in tells them apart."""
    cells, groups = [cell_of(row) for row in rows], {}
    for row, cell in zip(rows, cells):
        groups.setdefault((row["kind"], cell), []).append(row)
    named = []
    for row, cell in zip(rows, cells):
        group, more = groups[row["kind"], cell], []
        for name in TWICE_BY:
            same = [other for other in group if other.get(name) == row.get(name)]
            more += [f"{name}:{row.get(name)}"] if len(same) < len(group) else []
            group = same
        named.append(cell._replace(variant=",".join(filter(None, (cell.variant, *more)))))
    return named


def cell_of(row):
    unusual = [f"threads:{row['threads']}" if row["threads"] != 1 else "", row["engine"] if row["engine"] != "c" else "",
               f"order:{row['order']}" if row.get("order") not in (None, "shuffled") else "",
               f"pages:{row['pages']}" if row.get("pages") not in (None, "set") else "",
               f"open:{row['rate']}" if row.get("loop") == "open" else ""]
    return Cell(map_of(row["map"]), row["shape"], row["workload"], row["keys"], row["n"], row["hash"], row["heap"],
                ",".join(filter(None, unusual)))


def text_of(cell):
    """Writes a cell as linear/u64_u64/get/uniform/10000/common/malloc; what is empty is left out."""
    return "/".join(str(part) for part in cell if part not in ("", 0))
