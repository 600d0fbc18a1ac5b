"""Tests of who imports whom in judge/ and plots/: the arrows between their folders point one way."""
import ast
import pathlib
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
# A folder, and the folders whose modules it may import.
MAY_IMPORT = {
    "plots/rows": (),
    "plots/draw": ("plots/rows",),
    "plots/figures": ("plots/rows", "plots/draw"),
    "plots/page": ("plots/rows", "plots/draw", "plots/figures"),
    "plots": ("plots/rows", "plots/draw", "plots/figures", "plots/page"),
    "judge/base": ("plots/rows",),
    "judge/compare": ("plots/rows", "judge/base"),
    "judge/gate": ("plots/rows", "judge/base"),
    "judge/history": ("plots/rows", "judge/base"),
    "judge/cite": ("plots/rows", "judge/base", "judge/compare"),
    "judge/nightly": ("plots/rows", "judge/base", "judge/history"),
    "judge": ("plots/rows", "judge/base", "judge/compare", "judge/gate", "judge/history", "judge/cite", "judge/nightly"),
}
FIGURE_OF_HISTORY = "judge/history/figure.py"  # the one module of judge/ that draws


def room_of(module):
    """The folder of a module of ours by its dotted name, or None."""
    path = ROOT / module.replace(".", "/")
    folder = path if path.is_dir() else path.parent
    return folder.relative_to(ROOT).as_posix() if module.split(".")[0] in ("judge", "plots") else None


def imports_of(path):
    """Dotted names of what a file imports, at its top or within a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" if (ROOT / node.module.replace(".", "/")).is_dir() else node.module
                        for alias in node.names)


class Rooms(unittest.TestCase):
    def test_arrows_point_one_way(self):
        seen = set()
        for path in sorted([*ROOT.glob("judge/**/*.py"), *ROOT.glob("plots/**/*.py")]):
            name, room = path.relative_to(ROOT).as_posix(), path.parent.relative_to(ROOT).as_posix()
            seen.add(room)
            may = {room, *MAY_IMPORT[room], *(("plots/draw",) if name == FIGURE_OF_HISTORY else ())}
            for module in imports_of(path):
                if room_of(module):
                    self.assertIn(room_of(module), may, f"{name} imports {module}")
        self.assertEqual(seen, set(MAY_IMPORT))

    def test_no_module_changes_the_import_path(self):
        for path in [*ROOT.glob("judge/**/*.py"), *ROOT.glob("plots/**/*.py")]:
            self.assertNotIn("sys.path", path.read_text(encoding="utf-8"), path)
