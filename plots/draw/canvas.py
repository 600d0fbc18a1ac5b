"""Matplotlib figures in the style of plots/draw/style.py: a frame with title, machine line and note, a legend beside it."""
import functools
import pathlib
import warnings

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot  # noqa: E402  (the backend is chosen first)
from matplotlib import ticker  # noqa: E402
from matplotlib.colors import LinearSegmentedColormap  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402, F401  (what figures draw with, beside the functions below)
from matplotlib.patches import Patch, Polygon, Rectangle  # noqa: E402, F401

from plots.draw import style  # noqa: E402

SETTINGS = {
    "font.family": "sans-serif", "font.sans-serif": style.FONT, "font.size": style.SIZE_TEXT,
    "axes.titlesize": style.SIZE_PANEL, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.labelsize": style.SIZE_TEXT, "axes.labelcolor": style.GREY, "axes.edgecolor": style.GREY,
    "axes.linewidth": 0.7, "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
    "axes.titlecolor": style.INK, "text.color": style.INK,
    "xtick.color": style.GREY, "ytick.color": style.GREY, "xtick.labelsize": 8, "ytick.labelsize": 8,
    "xtick.major.size": 3, "ytick.major.size": 3, "xtick.minor.size": 0, "ytick.minor.size": 0,
    "axes.grid": True, "axes.grid.axis": "y", "grid.color": style.FAINT, "grid.linewidth": 0.6,
    "legend.frameon": False, "legend.fontsize": style.SIZE_TEXT, "lines.linewidth": 1.5, "lines.markersize": 4.5,
    "figure.facecolor": style.PAPER, "figure.dpi": 100, "savefig.dpi": 144,
    "svg.fonttype": "none",       # text stays text: searchable, and small files
    "svg.hashsalt": "mapbench",   # the same rows give the same file
    "text.parse_math": False,     # a key file may be called $x$
}
WIDTH_MIN = 7.6  # inches: the machine line fits


def frame(width, height, title, subtitle, note):
    """Makes a figure of width x height inches plus header and footer. Returns it and the free area in figure coordinates:
    (left, bottom, width, height) of the space between them."""
    text = style.heading(width, title, subtitle, note)
    total = text.header + height + text.footer
    figure = pyplot.figure(figsize=(width, total))
    figure.text(0.18 / width, 1 - 0.16 / total, "\n".join(text.title), size=style.SIZE_TITLE, weight="bold", va="top")
    figure.text(0.18 / width, 1 - text.subtitle_top / total, "\n".join(text.subtitle), size=style.SIZE_TEXT,
                color=style.GREY, va="top")
    for i, line in enumerate(reversed(text.note)):  # each at its place: the height of a text of several lines varies
        figure.text(0.18 / width, (0.14 + 0.145 * i) / total, line, size=style.SIZE_SMALL, color=style.GREY,
                    va="baseline")
    return figure, (0.0, text.footer / total, 1.0, height / total)


def panels(figure, area, count, columns, left=0.75, right=0.25, gap_x=0.55, gap_y=0.75, bottom=0.45, top=0.25,
           legend=1.6):
    """Makes a grid of `count` axes in the area, margins in inches, `legend` inches left free on the right."""
    width, height = figure.get_size_inches()
    rows = -(-count // columns)
    inner_w = width - left - right - legend - gap_x * (columns - 1)
    inner_h = area[3] * height - top - bottom - gap_y * (rows - 1)
    axes = []
    for i in range(count):
        row, column = divmod(i, columns)
        x = left + column * (inner_w / columns + gap_x)
        y = area[1] * height + bottom + (rows - 1 - row) * (inner_h / rows + gap_y)
        axes.append(figure.add_axes([x / width, y / height, inner_w / columns / width, inner_h / rows / height]))
    return axes


def legend_inches(labels):
    """Returns the width of a legend; DejaVu Sans takes up to 0.64 of its size per letter in names."""
    return max(1.65, 0.65 + max(map(len, labels), default=0) * style.SIZE_TEXT * 0.64 / 72)


def names_inches(labels):
    """Returns the room for names to the left of what they name."""
    return max(1.35, 0.4 + max(map(len, labels), default=0) * style.SIZE_TEXT * 0.6 / 72)


def legend_height(labels):
    """Returns the room a legend takes downwards, its title included."""
    return 0.45 + 0.222 * len(labels)


def legend(figure, area, handles, title=None, inches=1.6):
    width, _height = figure.get_size_inches()
    box = figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(1 - inches / width, area[1] + area[3]),
                        title=title, alignment="left", handlelength=2.6, labelspacing=0.55, borderaxespad=0.2)
    box.get_title().set_color(style.GREY)
    box.get_title().set_fontsize(style.SIZE_TEXT)


@functools.cache
def ramp(colours):
    """Returns a function from 0..1 to a colour between those of the tuple."""
    return LinearSegmentedColormap.from_list("ramp", colours)


def line_style(look):
    return {"color": look.colour, "linestyle": (0, look.dash) if look.dash else "-", "marker": look.marker.mpl}


def format_axis(axis, function):
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _position: function(value)))
    axis.set_minor_locator(ticker.NullLocator())


def plain(value):
    """Writes 1, 2.5, 0.05, 1,000: a tick label without exponent."""
    return f"{value:,.0f}" if value >= 10 and value == int(value) else f"{value:g}"


def ticks_1_2_5(axis, low, high):
    """Sets ticks of a log axis: powers of ten, with 2 and 5 between them where the range is short."""
    steps = (1, 2, 5) if high / low < 200 else (1, 3) if high / low < 5000 else (1,)
    values = [s * 10.0**e for e in range(-3, 13) for s in steps]
    axis.set_major_locator(ticker.FixedLocator([v for v in values if low * 0.999 <= v <= high * 1.001]))
    axis.set_minor_locator(ticker.NullLocator())


def ticks_of_bytes(axis, low, high):
    """Sets ticks of a log axis of bytes: powers of two, at most eight of them, far enough apart."""
    powers = [e for e in range(64) if low * 0.999 <= 2**e <= high * 1.001]
    step = next(s for s in (1, 2, 3, 4, 5, 6, 10, 20, 64) if len(powers) <= 8 * s)
    axis.set_major_locator(ticker.FixedLocator([2**e for e in powers if e % step == 0]))
    axis.set_minor_locator(ticker.NullLocator())


def save(figure, folder, name):
    """Writes NAME.svg and NAME.png in the folder."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a box for a letter no font has is enough
        for suffix, more in ((".svg", {"metadata": {"Date": None, "Creator": "mapbench"}}),
                             (".png", {"metadata": {"Software": "mapbench"}})):
            figure.savefig(pathlib.Path(folder) / (name + suffix), **more)
    pyplot.close(figure)


pyplot.rcParams.update(SETTINGS)
