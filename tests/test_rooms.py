"""The rooms of harness/: docs/style.md lists them from the ground up, and a room includes only those listed above it."""
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINES_MAX = 400


def listed_rooms():
    text = (ROOT / "docs" / "style.md").read_text(encoding="utf-8")
    rows = [re.match(r"\| (.*?) \|", line) for line in text.splitlines()]
    names = [name for row in rows if row for name in re.findall(r"`harness/([a-z]+)/`", row[1])]
    return list(dict.fromkeys(names))


def sources():
    return [f for f in sorted((ROOT / "harness").rglob("*")) if f.suffix in (".c", ".h", ".cc", ".def", ".inc")]


def room_of(path):
    """Returns the folder of a file given below harness/; None for those that stand in harness/ itself."""
    parts = Path(path).parts
    return parts[0] if len(parts) > 1 else None


def upward_includes(files, rooms):
    """Yields "FILE includes HEADER" where a room includes one that is not above it in the list; files: {path: text}."""
    height = {room: i for i, room in enumerate(rooms)}
    for path, text in files.items():
        for header in re.findall(r'^ *# *include "harness/([^"]+)"', text, re.M):
            here, there = room_of(path), room_of(header)
            if here is not None and (there is None or height[there] > height[here]):
                yield f"harness/{path} includes harness/{header}"


class Rooms(unittest.TestCase):
    def test_an_upward_include_is_found(self):
        files = {"base/a.c": '#include "harness/plan/b.h"\n', "plan/b.c": '#include "harness/base/a.h"\n',
                 "plan/c.c": '#include "harness/list.h"\n', "main.c": '#include "harness/plan/b.h"\n'}
        self.assertEqual(list(upward_includes(files, ["base", "plan"])),
                         ["harness/base/a.c includes harness/plan/b.h", "harness/plan/c.c includes harness/list.h"])

    def test_every_folder_is_listed(self):
        folders = sorted(f.name for f in (ROOT / "harness").iterdir() if f.is_dir())
        self.assertEqual(sorted(listed_rooms()), folders)

    def test_rooms_include_those_above_them(self):
        files = {str(f.relative_to(ROOT / "harness")): f.read_text(encoding="utf-8") for f in sources()}
        self.assertGreater(len(files), 150)
        self.assertEqual(list(upward_includes(files, listed_rooms())), [])

    def test_files_are_short(self):
        lengths = {str(f.relative_to(ROOT)): len(f.read_text(encoding="utf-8").splitlines()) for f in sources()}
        self.assertEqual({name: n for name, n in lengths.items() if n > LINES_MAX}, {})


if __name__ == "__main__":
    unittest.main()
