"""Runs gnuplot, and lays out its panels. Scripts are written beside the figures, so that an author can change and
redraw one:
    cd RUN/plots && gnuplot memory-u64_u64-uniform.gp
"""
import pathlib
import shutil
import subprocess
from collections import namedtuple

from plots.draw import style

FONT = "DejaVu Sans"
SECONDS_MAX = 1200


class MissingGnuplot(Exception):
    pass


def quote(text):
    """Returns a gnuplot string that holds any text: between single quotes nothing is expanded or run."""
    return "'" + text.replace("\n", " ").replace("'", "''") + "'"


def label(text, where, points, colour, bold=False, more=""):
    weight = ":Bold" if bold else ""
    return (f"set label {quote(text)} at {where} noenhanced font '{FONT}{weight},{points}' textcolor rgb '{colour}' "
            f"front {more}")


class Grid:
    """`count` panels of equal size under a heading, one label for each axis of them all. Lengths in inches."""
    LEFT, RIGHT, GAP_X, GAP_Y, X_LABEL, PANEL_TITLE = 0.95, 0.25, 0.3, 0.6, 0.62, 0.3
    PANEL_WIDTH = 3.6  # of up to three columns

    def __init__(self, count, panel_height, title, subtitle, note, columns_max=5):
        self.count = count
        self.columns = min(count, 3 if count <= 9 else 5, columns_max)
        self.lines = -(-count // self.columns)
        self.width = 12.6 if self.columns > 3 else max(7.6, self.LEFT + self.RIGHT + self.PANEL_WIDTH * self.columns)
        self.text = self.heading(title, subtitle, note)
        self.height = (self.text.header + self.PANEL_TITLE + self.lines * panel_height + (self.lines - 1) * self.GAP_Y
                       + self.X_LABEL + self.text.footer)
        self.panel_width = (self.width - self.LEFT - self.RIGHT - self.GAP_X * (self.columns - 1)) / self.columns
        self.panel_height = panel_height

    def heading(self, title, subtitle, note):
        return style.heading(self.width, title, subtitle, note)

    def screen(self, x, y):
        """Returns a position in inches from the lower left corner."""
        return f"screen {x / self.width:.5f}, screen {y / self.height:.5f}"

    def labels(self, x_label, y_label):
        top, out = self.height, []
        for i, line in enumerate(self.text.title):
            out.append(label(line, self.screen(0.18, top - 0.26 - 0.24 * i) + " left", style.SIZE_TITLE, style.INK, True))
        for i, line in enumerate(self.text.subtitle):
            out.append(label(line, self.screen(0.18, top - self.text.subtitle_top - 0.07 - 0.17 * i) + " left",
                             style.SIZE_TEXT, style.GREY))
        for i, line in enumerate(reversed(self.text.note)):
            out.append(label(line, self.screen(0.18, 0.16 + 0.145 * i) + " left", style.SIZE_SMALL, style.GREY))
        low, high = self.text.footer + self.X_LABEL, top - self.text.header - self.PANEL_TITLE
        out.append(label(y_label, self.screen(0.26, (low + high) / 2) + " center", style.SIZE_TEXT, style.GREY,
                         more="rotate by 90"))
        out.append(label(x_label, self.screen((self.LEFT + self.width - self.RIGHT) / 2, self.text.footer + 0.13)
                         + " center", style.SIZE_TEXT, style.GREY))
        return out

    def panel(self, index, title):
        """Returns margins and title of a panel; the title is label 90."""
        row, column = divmod(index, self.columns)
        x = self.LEFT + column * (self.panel_width + self.GAP_X)
        y = self.text.footer + self.X_LABEL + (self.lines - 1 - row) * (self.panel_height + self.GAP_Y)
        margins = (f"set lmargin at screen {x / self.width:.5f}; "
                   f"set rmargin at screen {(x + self.panel_width) / self.width:.5f}; "
                   f"set bmargin at screen {y / self.height:.5f}; "
                   f"set tmargin at screen {(y + self.panel_height) / self.height:.5f}")
        text = label(title, "graph 0, graph 1 left", style.SIZE_PANEL, style.INK, True, "offset 0,0.8")
        return [margins, text.replace("set label", "set label 90", 1)]

    def is_left(self, index):
        return index % self.columns == 0

    def is_lowest(self, index):
        return index + self.columns >= self.count


Tic = namedtuple("Tic", "text value")


def tics(axis, values, named=True):
    return f"set {axis}tics (" + ", ".join(f"{quote(t.text if named else '')} {t.value:.10g}" for t in values) + ")"


def datablock(name, rows):
    return [f"${name} << END_OF_DATA", *(" ".join(f"{v:.10g}" for v in row) for row in rows), "END_OF_DATA"]


def draw(folder, name, grid, body):
    """Runs the commands in `body` for NAME.svg and NAME.png; the script stays as NAME.gp. Raises MissingGnuplot, or
    RuntimeError with what gnuplot said."""
    program = shutil.which("gnuplot")
    if not program:
        raise MissingGnuplot
    # Points are 1/72 inch in style.py; gnuplot counts them as pixels, of which these pictures have 96 and 144.
    svg = (f"set terminal svg size {grid.width * 96:.0f},{grid.height * 96:.0f} dynamic font '{FONT},{style.SIZE_TEXT}' "
           f"fontscale 1.3333 noenhanced background '{style.PAPER}'; set output {quote(name + '.svg')}")
    png = (f"set terminal pngcairo size {grid.width * 144:.0f},{grid.height * 144:.0f} font '{FONT},{style.SIZE_TEXT}' "
           f"fontscale 1.5 linewidth 1.5 pointscale 1.5 noenhanced background '{style.PAPER}'; "
           f"set output {quote(name + '.png')}")
    script = "\n".join(["# Draws the figure of the same name; written by mapbench.", "set encoding utf8",
                        "if (!exists('picture')) picture = 'svg'", f"if (picture eq 'svg') {{ {svg} }}",
                        f"if (picture eq 'png') {{ {png} }}", "load 'style.gp'", *body, "set output", ""])
    path = pathlib.Path(folder) / (name + ".gp")
    path.write_text(script, encoding="utf-8")
    for picture in ("svg", "png"):
        produced = pathlib.Path(folder) / f"{name}.{picture}"
        done = subprocess.run([program, "-e", f"picture='{picture}'", path.name], cwd=folder, capture_output=True,
                              text=True, errors="replace", timeout=SECONDS_MAX, check=False)
        if done.returncode != 0 or not produced.is_file() or produced.stat().st_size == 0:
            words = [line for line in done.stderr.splitlines() if line.strip()]
            raise RuntimeError(f"gnuplot failed on {path}: {words[-1] if words else 'no figure written'}")
    embolden(pathlib.Path(folder) / f"{name}.svg")


def embolden(path):
    """Makes bold what is to be bold: gnuplot's SVG keeps ':Bold' as part of the family's name, which no viewer knows."""
    text = path.read_text(encoding="utf-8")
    text = text.replace(f'font-family="{FONT}:Bold"', f'font-family="{FONT}" font-weight="bold"')
    path.write_text(text, encoding="utf-8")
