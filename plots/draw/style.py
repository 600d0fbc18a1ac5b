"""The one style of all figures: a look per map, sizes, titles with the machine and the date, number formats.

A map is told apart by hue, line dashes and marker together, so that figures survive colour blindness and grey paper.
Hues go by strategy (a library and our own version of its idea are neighbours); ours are solid, libraries dashed. A real_*
map, run by an engine, has the hue of its port, which is solid: dashed with the collector off, dotted with it on.
A map without a line in LOOKS needs none: it gets a look from its name, the same in every figure.
"""
import hashlib
import re
import textwrap
from collections import namedtuple

from plots.rows.run import BASELINE, original, unusual

# dark: the hue on a dark page. marker: matplotlib, gnuplot pointtype, Chart.js.
Look = namedtuple("Look", "colour dark dash marker")
Marker = namedtuple("Marker", "mpl gnuplot chart")

SOLID, DASHED, DOTTED, DASH_DOT, LONG_DASH = (), (5, 2), (1.5, 1.5), (6, 2, 1.5, 2), (10, 2)
CIRCLE, SQUARE, UP = Marker("o", 7, "circle"), Marker("s", 5, "rect"), Marker("^", 9, "triangle")
DIAMOND, DOWN = Marker("D", 13, "rectRot"), Marker("v", 11, "triangle")
PLUS, CROSS, STAR = Marker("P", 1, "cross"), Marker("X", 2, "crossRot"), Marker("*", 3, "star")

LOOKS = {
    "linear": Look("#009e73", "#2fd3a5", SOLID, CIRCLE),
    "khash": Look("#44aa99", "#7fdccb", DASHED, CIRCLE),
    "robin_hood": Look("#d55e00", "#ff8f45", SOLID, SQUARE),
    "tsl_robin": Look("#e69f00", "#f7c24f", DASHED, SQUARE),
    "chained": Look("#aa3377", "#e272b0", SOLID, UP),
    "std_umap": Look("#cc79a7", "#f0a8cc", DASHED, UP),
    "uthash": Look("#882255", "#d1699b", DASH_DOT, DOWN),
    "ghash": Look("#7e57c2", "#b294ea", DOTTED, DOWN),
    "tagline": Look("#b5004f", "#ff6fa3", SOLID, STAR),
    "tagline_bounded": Look("#b5004f", "#ff6fa3", DASH_DOT, DOWN),
    "swiss_flat": Look("#0072b2", "#4db1ec", SOLID, DIAMOND),
    "absl_flat": Look("#56b4e9", "#9ad6f7", DASHED, DIAMOND),
    "boost_flat": Look("#332288", "#8f83e6", DASH_DOT, DIAMOND),
    "dense": Look("#8a8a00", "#cdcd4a", SOLID, PLUS),
    "stb_ds": Look("#6b6b6b", "#b0b0b0", DASHED, CROSS),
    "judy": Look("#9a5a1f", "#d99a5c", DASH_DOT, STAR),
    "go_hmap": Look("#c4342d", "#ff8a80", SOLID, SQUARE),
    "go_hmap_load6": Look("#c4342d", "#ff8a80", DASH_DOT, PLUS),
    "go_hmap_notop": Look("#c4342d", "#ff8a80", DASH_DOT, CROSS),
    "go_swiss": Look("#1f8a9e", "#63cfe3", SOLID, SQUARE),
    "go_swiss_split": Look("#1f8a9e", "#63cfe3", DOTTED, PLUS),
    "go_syncmap": Look("#117733", "#57c47d", SOLID, SQUARE),
    "go_hashtrie": Look("#b8860b", "#e8bd55", SOLID, SQUARE),
}
# An original by what ran it: the newest version with the collector off or on; another version.
ORIGINAL_LOOKS = {(False, False): (DASHED, CIRCLE), (False, True): (DOTTED, UP), (True, False): (LONG_DASH, DIAMOND),
                  (True, True): (DASH_DOT, DOWN)}
# Releases of one port, go_swiss@1.25, and of its original, real_go125_swiss, share its colour; a release has a marker.
RELEASE_MARKERS = {"1.25": STAR, "1.26": CROSS}
# A map with another release of its library, boost_flat_192, has the hue of boost_flat.
VERSION_MARKERS, VERSION_DASHES = [STAR, CROSS, PLUS, SQUARE], [DOTTED, LONG_DASH]
BASELINE_LOOK = Look("#222222", "#dddddd", (1, 2), Marker(None, 0, False))
SPARE_HUES = [("#00674f", "#4fc3a1"), ("#e0457b", "#ff8fb5"), ("#3d5afe", "#9aa9ff"), ("#a67c52", "#d9b48c"),
              ("#5a6fc0", "#a3b3f5"), ("#a04fb0", "#dc97ea"), ("#4d7a1f", "#9ccc65"), ("#5b7083", "#a9bccb")]
SPARE_DASHES = [SOLID, DASHED, DASH_DOT, DOTTED]
SPARE_MARKERS = [STAR, CROSS, PLUS, DOWN, UP, DIAMOND, SQUARE, CIRCLE]

INK, GREY, FAINT, PAPER = "#1c2430", "#5c6773", "#d9dee4", "#ffffff"
FONT = ["DejaVu Sans", "Verdana", "Arial", "sans-serif"]
SIZE_TITLE, SIZE_PANEL, SIZE_TEXT, SIZE_SMALL = 13, 10, 9, 7.5


def known_look(name):
    """Returns the look of a map by its name, or None: its own, or what it shares with the port it is the original of."""
    facts = original(name)
    base, _, release = name.partition("@")
    if release and base in LOOKS:
        return Look(LOOKS[base].colour, LOOKS[base].dark, DASH_DOT, RELEASE_MARKERS.get(release, PLUS))
    base, _, version = name.rpartition("_")
    if name not in LOOKS and base in LOOKS and re.fullmatch(r"[0-9][0-9a-z]*", version):
        number = sum(map(ord, version))
        return Look(LOOKS[base].colour, LOOKS[base].dark, VERSION_DASHES[number // 4 % 2], VERSION_MARKERS[number % 4])
    if not facts or facts.port not in LOOKS:
        return LOOKS.get(name)
    port = LOOKS[facts.port]
    dashes, marker = ORIGINAL_LOOKS[bool(facts.version), facts.collector]
    if facts.version:
        marker = RELEASE_MARKERS.get(f"{facts.version[0]}.{facts.version[1:]}", marker)
    return Look(port.colour, port.dark, dashes, marker)


def looks(labels):
    """Returns {label: Look} for all labels of a run. Ask once a run, with all of them: a name without a look of its own takes
    one that no other has."""
    chosen, taken = {}, set()
    for label in sorted(labels, key=lambda text: (" " in text, text)):
        name = label.split(" ")[0]
        if label == BASELINE:
            chosen[label] = BASELINE_LOOK
        elif known_look(name) and name == label:
            chosen[label] = known_look(name)
        else:
            start = int(hashlib.sha1(label.encode("utf-8", "replace")).hexdigest()[:8], 16)
            for step in range(len(SPARE_HUES) * len(SPARE_DASHES)):
                number = (start + step) % (len(SPARE_HUES) * len(SPARE_DASHES))
                if number not in taken:
                    break
            taken.add(number)
            hue, dash = number % len(SPARE_HUES), number // len(SPARE_HUES)
            known = known_look(name)  # the same map twice, say with two hashes: its hue, other dashes and marker
            colours = (known.colour, known.dark) if known else SPARE_HUES[hue]
            chosen[label] = Look(*colours, SPARE_DASHES[dash], SPARE_MARKERS[hue])
    return chosen


def look_of(run_looks, name):
    """Returns the look of a map by its name, whatever its label says besides."""
    return next(look for label, look in run_looks.items() if label.split(" ")[0] == name)


def round_sizes(last, most):
    """Returns 0 and up to `most` multiples of a power of two, the last of them at or below `last`."""
    step = 1
    while last // step > most:
        step *= 2
    return list(range(0, last + 1, step))


def compiler(version):
    """Shortens 'gcc (Debian 12.2.0-14) 12.2.0' to 'gcc 12.2'."""
    name = str(version or "").split(" ")[0]
    number = re.findall(r"\d+\.\d+", re.sub(r"\(.*?\)", "", str(version or "")))
    return f"{name} {number[-1]}" if number else name


def machine_line(run):
    machine = run.info["machine"]
    kernel = re.match(r"\d+\.\d+", str(machine.get("kernel") or ""))
    cores = machine.get("cores")
    parts = [str(machine.get("cpu") or "unknown processor"),
             f"{cores} core{'' if cores == 1 else 's'}" if cores else None,
             f"Linux {kernel.group()}" if kernel else None, compiler(run.info["build"].get("cc")) or None]
    return ", ".join(part for part in parts if part)


def hash_line(rows):
    """Returns 'common hash', with the maps named that bring a hash of their own."""
    own = sorted({r["map"] for r in rows if r["hash"] == "native"})
    if not any(r["hash"] == "common" and r["map"] != BASELINE for r in rows):
        return "native hash" if own else "common hash"
    if not own:
        return "common hash"
    return "common hash, but own hash: " + (", ".join(own) if len(own) <= 4 else f"{len(own)} maps")


def engine_line(rows):
    """Returns 'real Go: go1.23.12, go1.24.4': the versions of the engines that ran some of the rows; "" without any."""
    found = sorted({r["engine"] for r in rows if r["engine"] != "c"})
    kinds = {f"real {re.match('[a-z]*', version)[0].capitalize()}" for version in found}
    return f"{' and '.join(sorted(kinds))}: {', '.join(found)}" if found else ""


def subtitle(run, rows):
    text = f"{machine_line(run)} · {run.info['started'][:10]} · {hash_line(rows)}"
    text += f" · {engine_line(rows)}" if engine_line(rows) else ""
    return text + ("" if run.info["complete"] else " · INCOMPLETE RUN")


def wrap(text, inches, points, bold=False):
    """Returns lines of text broken to a width. DejaVu Sans takes 0.55 of its size per letter on average, bold 0.62."""
    letters = max(20, int(inches * 72 / (points * (0.62 if bold else 0.55))))
    return [line for paragraph in text.split("\n") for line in textwrap.wrap(paragraph, letters) or [""]]


# Texts of a figure as lists of lines; header and footer: inches they take; subtitle_top: inches from the upper edge.
Heading = namedtuple("Heading", "title subtitle note header footer subtitle_top")


def heading(width, title_text, subtitle_text, note_text):
    title = wrap(title_text, width - 0.36, SIZE_TITLE, bold=True)
    below = wrap(subtitle_text, width - 0.36, SIZE_TEXT)
    note = wrap(note_text, width - 0.36, SIZE_SMALL)
    top = 0.2 + 0.24 * len(title)
    return Heading(title, below, note, top + 0.17 * len(below) + 0.25, 0.27 + 0.145 * len(note), top)


def slug(text):
    """Returns a file name for any text: what had to be changed or cut is replaced by a digest, so names stay distinct."""
    # a computed key stream with its parameters: no other name looks so
    if re.fullmatch(r"(?!file:)[a-z0-9_]+(:[0-9A-Za-z.]+)*", text) and len(text) <= 40:
        return text.replace(":", "_")
    plain = re.sub(r"[^A-Za-z0-9.]+", "_", text).strip("._")[:40]
    if plain and plain == text:
        return plain
    return f"{plain or 'unnamed'}-{hashlib.sha1(text.encode('utf-8', 'replace')).hexdigest()[:6]}"


def family_slug(family):
    name = f"{family.shape if re.fullmatch('[a-z0-9_]+', family.shape) else slug(family.shape)}-{slug(family.keys)}"
    return name + "".join("-" + re.sub(r"[^A-Za-z0-9]+", "_", text) for text in unusual(family))


def style_gp(run_looks, order):
    """Returns the same looks as gnuplot line types, numbered as in `order`; figures then say `linetype N`."""
    lines = ["# Written by plots/draw/style.py for the figures of this folder: one line type per map.",
             f"ink = '{INK}'", f"grey = '{GREY}'", f"faint = '{FAINT}'",
             "set border 3 linecolor rgb grey linewidth 0.8", "set tics nomirror scale 0.5 textcolor rgb grey",
             "set grid ytics linecolor rgb faint linewidth 0.6 dashtype solid"]
    for number, label in enumerate(order, 1):
        look = run_looks[label]
        dash = f"({', '.join(f'{2 * d:g}' for d in look.dash)})" if look.dash else "solid"
        name = re.sub(r"[^\w .()\[\]-]", "?", label)
        lines.append(f"set linetype {number} linecolor rgb '{look.colour}' linewidth 1.6 dashtype {dash} "
                     f"pointtype {look.marker.gnuplot} pointsize 0.45  # {name}")
    return "\n".join(lines) + "\n"
