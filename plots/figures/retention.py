"""Retention curves, a figure per scenario, drawn with gnuplot: leaky over fixed, what is semantically live as a filled
floor, and beside the simulation the real collector as rings.

The x axis is cut into phases, one band each: what a phase takes is told by the operations written below its ends, not by
its width, since a single step may matter more than a million.
"""
import math
import textwrap
from collections import namedtuple

from plots.draw import events, gnuplot, style
from plots.rows import retention
from plots.rows.numbers import format_bytes, format_n
from plots.rows.run import shorten

PREFIX = "retention-"
LIBRARY = "gnuplot"
NEEDS = ("retention",)
TITLE = "Scenario by scenario"
READING = ""

PANELS_MAX = 9
# Colour, dashes (gnuplot) and point type by role; a second variant of the same role takes the next.
ROLE_LOOKS = {
    "leaky": [("#c4342d", "solid", 7), ("#8c1d40", "(8,4)", 5), ("#e0702f", "(3,3)", 9), ("#7a3b12", "(10,3,2,3)", 11),
              ("#d4549b", "(6,2)", 13), ("#5b3f8c", "(2,2)", 5)],
    "no_fix": [("#d98b00", "(8,4)", 9), ("#b59a00", "(3,3)", 11), ("#a05a00", "(10,3,2,3)", 13)],
    "fixed": [("#0072b2", "solid", 5), ("#009e73", "(8,4)", 13), ("#3d5afe", "(3,3)", 9), ("#00674f", "(10,3,2,3)", 11)],
    "reference": [("#6b6b6b", "solid", 13), ("#9b6bb0", "(8,4)", 7), ("#4a4a4a", "(3,3)", 5), ("#b07aa1", "(10,3,2,3)", 9),
                  ("#8a8a8a", "(8,4,2,4)", 11)],
}
ROLE_WORDS = {"leaky": "leaky", "no_fix": "no fix", "fixed": "fixed", "reference": "reference"}
FLOOR = "#cfe6d4"
ENGINE_POINTS = (6, 4, 8, 12)  # hollow: circle, square, triangle, diamond
EVENT_ROW = 0.075  # share of a panel's height, for the marks of a kind of events
EVENTS_MAX = 400  # ticks of a kind that a panel can show apart
LETTER = 0.064    # inches a letter of the small size takes
Variant = namedtuple("Variant", "name role colour dash point")


def draw(run, _run_looks, folder):
    figures = []
    for scenario in run.retention.names if run.retention else []:
        panels = panels_of(run.retention, scenario)
        for part in range(0, len(panels), PANELS_MAX):
            number = part // PANELS_MAX + 1
            name = f"{PREFIX}{style.slug(scenario)}" + (f"-{number}" if number > 1 else "")
            title = f"Kept alive: {scenario}" + (f", part {number}" if len(panels) > PANELS_MAX else "")
            Figure(run, scenario, panels[part:part + PANELS_MAX], title).draw(folder, name)
            figures.append((name, title))
    return figures


def panels_of(data, scenario):
    """Returns [(title, [Case])]: one for each map, release of Go and heap, so that releases stand side by side; what a real
    collector did belongs to the simulation of its release."""
    found = {}
    subjects = [s for s in data.subjects(scenario) if data.of(s)]
    several_n = len({s.n for s in subjects}) > 1
    simulated = {(retention.design(s.map), retention.rules(s)) for s in subjects if s.heap == retention.SIMULATED_HEAP}
    for subject in subjects:
        design = retention.design(subject.map), retention.rules(subject)
        alone = retention.is_real(subject) and design not in simulated
        key = design, retention.family_heap(subject.heap), subject.n if several_n else None, subject.engine if alone else ""
        found.setdefault(key, []).extend(data.of(subject))
    panels, releases = [], {rules for (_map, rules), *_rest in found if rules}
    for (_design, _heap, n, _engine), cases in found.items():
        subject = next((c.subject for c in cases if not retention.is_real(c.subject)), cases[0].subject)
        here = data.in_release(subject) if len(releases) > 1 else None
        panels.append((retention.label_of(subject) + (f", n = {format_n(n)}" if n else "") + (f" · {here}" if here else ""),
                       cases))
    return panels


def has_simulation(cases):
    """Tells whether what real engines did is drawn as rings over lines, and not as the lines themselves."""
    return any(not retention.is_real(c.subject) for c in cases)


def looks_of(cases):
    """Returns {(variant, shape): Variant}, in the order of their roles. One look in all panels."""
    several = {c.variant for c in cases if len({d.shape for d in cases if d.variant == c.variant
                                                and d.subject == c.subject}) > 1}
    found, used, by_name = {}, {}, {}
    for case in sorted(cases, key=lambda c: retention.ROLES.index(c.role)):
        key = look_key(case)
        if case.variant not in several and case.variant in by_name:  # an engine's lines name no shape
            found[key] = by_name[case.variant]
        if key not in found:
            looks = ROLE_LOOKS[case.role]
            number = used[case.role] = used.get(case.role, -1) + 1
            name = retention.words(case.variant) + (f" ({case.shape})" if case.variant in several else "")
            found[key] = by_name[case.variant] = Variant(name, case.role, *looks[number % len(looks)])
    return found


def look_key(case):
    return case.variant, case.shape


class Bands:
    """Where phases and steps lie on the x axis. A phase of one checkpoint is 1 wide."""
    PAD = 0.3
    LOG_RANGE, LOG_START = 1000, 0.1  # steps over such a range are spread by their logarithm, the first one at this share

    def __init__(self, cases):
        self.names, points = [], {}
        for case in cases:
            last = -1
            for name, of in case.phases():
                if name not in self.names:  # behind what precedes it in this case
                    self.names.insert(last + 1, name)
                last = self.names.index(name)
                points.setdefault(name, set()).update(p["step"] for p in of)
        self.left, self.wide, self.steps, at = {}, {}, {}, 0.0
        for name in self.names:
            steps = sorted(points[name])
            self.left[name], self.steps[name] = at, steps
            self.wide[name] = 0.7 if name[0] == retention.BASE else 1.0 if len(steps) == 1 else min(
                4.0, 1.4 + 0.3 * (len(steps) - 1))
            at += self.wide[name]
        self.end = at or 1.0

    def logarithmic(self, name):
        steps = self.steps[name]
        return steps[0] > 0 and steps[-1] >= self.LOG_RANGE * steps[0]

    def start(self, name):
        """Returns the step at the left end of a band: one step before the first, and not before 0."""
        steps = self.steps[name]
        return max(0, steps[0] - (steps[-1] - steps[0]) / (len(steps) - 1)) if len(steps) > 1 else 0

    def x(self, name, step):
        left, wide, steps = self.left[name], self.wide[name], self.steps[name]
        if len(steps) == 1:
            return left + wide / 2
        if self.logarithmic(name):
            share = self.LOG_START + (1 - self.LOG_START) * math.log(max(step, 1) / steps[0]) / math.log(steps[-1] / steps[0])
        else:
            share = (step - self.start(name)) / (steps[-1] - self.start(name))
        return left + min(max(share, 0), 1) * (wide - self.PAD)

    def event_x(self, name, step):
        """Returns the place of an event. Those of a single checkpoint happened before it."""
        steps = self.steps[name]
        if len(steps) > 1:
            return self.x(name, step)
        return self.left[name] + min(step / steps[0] if steps[0] else 1, 1) * self.wide[name] / 2


class PhaseGrid(gnuplot.Grid):
    """Room below the lowest panels for the names of the phases, above the panels for a legend."""
    LEFT, PANEL_WIDTH, GAP_Y = 1.0, 4.7, 0.55

    def __init__(self, panels, bands, entries, title, subtitle, note):
        self.entries = entries
        super().__init__(len(panels), 2.3 if len(panels) <= 4 else 1.9, title, subtitle, note,
                         columns_max=2 if len(panels) <= 4 else 3)
        self.names = {name: self.wrapped(bands, name) for name in bands.names}
        # Bands narrower than a word: all names stand upright.
        self.upright = any(word not in retention.words(name[0]).split() for name in bands.names
                           for line in self.names[name] for word in line.split())
        if self.upright:
            self.names = {name: [retention.words(name[0])] for name in bands.names}
            more = LETTER * max(len(lines[0]) for lines in self.names.values())
        else:
            more = 0.115 * max(map(len, self.names.values()), default=1)
        self.X_LABEL, self.height = 0.62 + more, self.height + more

    def heading(self, title, subtitle, note):
        text = super().heading(title, subtitle, note)
        self.legend_top = text.header
        self.rows = self.placed()
        return text._replace(header=text.header + 0.2 * len(self.rows) + 0.05)

    def wrapped(self, bands, name):
        inches = self.panel_width * bands.wide[name] / bands.end
        return textwrap.wrap(retention.words(name[0]), max(4, int(inches / LETTER)))

    def placed(self):
        """Returns the entries in rows of the figure's width: [[(x in inches, entry)]]."""
        rows, x = [[]], 0.18
        for entry in self.entries:
            wide = 0.5 + len(entry[0]) * 0.078
            if rows[-1] and x + wide > self.width - self.RIGHT:
                rows.append([])
                x = 0.18
            rows[-1].append((x, entry))
            x += wide + 0.12
        return rows

    def legend(self):
        out = []
        for i, row in enumerate(self.rows):
            y = self.height - self.legend_top + 0.02 - 0.2 * i
            for x, (words, swatch) in row:
                out += swatch(self, x, y)
                out.append(gnuplot.label(words, self.screen(x + 0.4, y) + " left", style.SIZE_TEXT - 0.5, style.INK))
        return out


def line_swatch(colour, dash, point):
    def commands(grid, x, y):
        return [f"set arrow from {grid.screen(x, y)} to {grid.screen(x + 0.32, y)} nohead front linecolor rgb '{colour}' "
                f"linewidth 2 dashtype {dash}", point_at(grid, x + 0.16, y, colour, point)[0]]
    return commands


def point_swatch(colour, point):
    return lambda grid, x, y: point_at(grid, x + 0.2, y, colour, point)


def point_at(grid, x, y, colour, point, size=0.6):
    return [f"set label '' at {grid.screen(x, y)} point pointtype {point} pointsize {size} linecolor rgb '{colour}' front"]


def area_swatch(colour):
    return lambda grid, x, y: [f"set object rectangle from {grid.screen(x, y - 0.06)} to {grid.screen(x + 0.32, y + 0.06)} "
                               f"front fillcolor rgb '{colour}' fillstyle solid noborder"]


def tick_swatch(look):
    return lambda grid, x, y: [*point_at(grid, x + 0.2, y + 0.03, look.colour, look.gnuplot, 0.65),
                               f"set arrow from {grid.screen(x + 0.2, y - 0.03)} to {grid.screen(x + 0.2, y - 0.08)} nohead "
                               f"front linecolor rgb '{look.colour}' linewidth 1"]


class Figure:
    def __init__(self, run, scenario, panels, title):
        self.run, self.data, self.scenario, self.panels, self.title = run, run.retention, scenario, panels, title
        self.cases = [c for _title, cases in panels for c in cases]
        self.looks = looks_of(self.cases)
        self.bands = Bands(self.cases)
        self.engines = sorted({c.subject.engine for _title, cases in panels for c in cases
                               if retention.is_real(c.subject) and has_simulation(cases)})
        self.events = events.looks(e["what"] for c in self.cases for p in c.points for e in p.get("events") or [])
        # Some bugs keep nothing, and cost what they allocate: then the curves are that.
        points = [(c, p) for c in self.cases for p in c.points]
        self.allocated = not any(c.kept(p) for c, p in points) and any(p.get("total_alloc") for _c, p in points)
        highest = [v for c, p in points for v in (self.bytes(c, p), p["semantic_live_bytes"]) if v is not None]
        self.top = max([*highest, 1]) * 1.12 / (1 - EVENT_ROW * len(self.events))

    def bytes(self, case, point):
        """Returns what the curve shows: kept, or allocated since the base. None: not measured."""
        if not self.allocated:
            return case.kept(point)
        now = point.get("total_alloc")
        return None if now is None else now - (case.points[0].get("total_alloc") or 0)

    def draw(self, folder, name):
        grid = PhaseGrid(self.panels, self.bands, self.entries(), self.title, subtitle(self.run, self.cases), self.note())
        y_tics = [gnuplot.Tic(format_bytes(v) if v else "0", v) for v in style.round_sizes(int(self.top), 5)]
        body = [f"set xrange [0:{self.bands.end:.6g}]", f"set yrange [0:{self.top:.10g}]", "unset key"]
        for i, (_title, cases) in enumerate(self.panels):
            body += self.datablocks(i, cases)
        body += [*grid.labels("operations done in each phase", self.y_label()), *grid.legend(), "set multiplot"]
        for index, (title, cases) in enumerate(self.panels):
            body += grid.panel(index, shorten(title, 56))
            body += self.decorations(grid, index, cases)
            body.append(gnuplot.tics("y", y_tics, grid.is_left(index)))
            body.append("plot " + ", \\\n  ".join(self.lines(index, cases)))
            body.append("unset label; unset arrow; unset object")  # the texts of the picture belong to no panel
        gnuplot.draw(folder, name, grid, body + ["unset multiplot"])

    def y_label(self):
        if self.allocated:
            return "allocated (lower is better)"
        if any(retention.own_bytes(p) is not None for c in self.cases for p in c.points):
            return "kept, by the story's measure (lower is better)"
        resident = {c.resident() for c in self.cases}
        what = {(False,): "kept in the heap", (True,): "resident"}.get(tuple(resident), "kept in the heap or resident")
        return f"{what} (lower is better)"

    def entries(self):
        """Returns [(words, swatch)] of the legend."""
        found = [(look.name + ("" if look.name == ROLE_WORDS[look.role] else f" ({ROLE_WORDS[look.role]})"),
                  line_swatch(look.colour, look.dash, look.point)) for look in dict.fromkeys(self.looks.values())]
        found.append(("semantically live", area_swatch(FLOOR)))
        found += [(f"real Go: {engine}", point_swatch(style.INK, ENGINE_POINTS[i % 4]))
                  for i, engine in enumerate(self.engines)]
        return found + [(retention.words(what), tick_swatch(look)) for what, look in self.events.items()]

    def note(self):
        parts = []
        for title, cases in self.panels[:3]:
            real = retention.is_real(cases[0].subject)
            of = {c.variant: c for c in cases if retention.is_real(c.subject) == real}
            kept = {c.variant: [self.bytes(c, p) for p in c.points if self.bytes(c, p) is not None] for c in of.values()}
            peaks = [f"{retention.words(name)} {format_bytes(max(0, *values))}"
                     for name, values in kept.items() if values]
            parts.append(f"{title.partition(' · ')[0]}: at most {', '.join(peaks)}.")
        claim = self.data.fact(self.scenario, "claim")
        evacuation = events.EVACUATION if "evacuate" in self.events else ""
        marks = [f"Marks above: events of the first variant that has some. {evacuation}".rstrip()] if self.events else []
        return "\n".join([*([claim] if claim else []), *parts, *marks,
                          ("Nothing is kept: bytes allocated since the base checkpoint." if self.allocated else
                           f"Bytes beyond those at the base checkpoint; a collected heap is collected before each{self.uncollected()}.")
                          + " A band is a phase, its width says nothing; numbers below: operations done in it at its first and last "
                          "checkpoint." + (" Where they differ by a factor of 1,000 they are spread by their logarithm."
                                           if any(map(self.bands.logarithmic, self.bands.names)) else "")])

    def uncollected(self):
        """Returns the phases that are read as they are, in words."""
        names = dict.fromkeys(p["label"] for case in self.cases for p in case.points if p.get("after_forced_gc") is False)
        return f" but {', '.join(map(retention.words, names))}" if names else ""

    def datablocks(self, index, cases):
        out = []
        for k, case in enumerate(cases):
            rows = [(self.bands.x(name, p["step"]), self.bytes(case, p)) for name, of in case.phases() for p in of
                    if self.bytes(case, p) is not None]
            out += gnuplot.datablock(f"kept{index}_{k}", rows or [(0, 0)])
        floor = self.floor(cases)
        return out + (gnuplot.datablock(f"live{index}", floor) if floor else [])

    def floor(self, cases):
        """Returns what is live by the leaky variant's own count: the same work as the others', told by the story."""
        case = cases[0]
        rows = [(self.bands.x(name, p["step"]), p["semantic_live_bytes"]) for name, of in case.phases() for p in of
                if p["semantic_live_bytes"] is not None]
        return rows if len(rows) > 1 else []

    def lines(self, index, cases):
        out = [f"$live{index} using 1:2 with filledcurves y=0 fillcolor rgb '{FLOOR}' fillstyle solid noborder"] \
            if self.floor(cases) else []
        for k, case in reversed(list(enumerate(cases))):
            look = self.looks[look_key(case)]
            if retention.is_real(case.subject) and has_simulation(cases):
                point = ENGINE_POINTS[self.engines.index(case.subject.engine) % 4]
                out.append(f"$kept{index}_{k} using 1:2 with points pointtype {point} pointsize 1.05 linewidth 1 "
                           f"linecolor rgb '{look.colour}'")
            else:
                out.append(f"$kept{index}_{k} using 1:2 with linespoints linecolor rgb '{look.colour}' linewidth 1.8 "
                           f"dashtype {look.dash} pointtype {look.point} pointsize 0.4")
        return out

    def decorations(self, grid, index, cases):
        """Returns borders of the phases, ticks and names below, event ticks above."""
        bands, out = self.bands, []
        for name in bands.names[1:]:
            out.append(f"set arrow from {bands.left[name]:.6g}, graph 0 to {bands.left[name]:.6g}, graph 1 nohead back "
                       "linecolor rgb faint linewidth 1 dashtype (4,4)")
        lowest = grid.is_lowest(index)
        for name in bands.names:
            for i, line in enumerate(grid.names[name] if lowest else []):
                place = "right rotate by 90" if grid.upright else "center"
                out.append(gnuplot.label(line, f"{bands.left[name] + bands.wide[name] / 2:.6g}, graph 0 {place}",
                                         style.SIZE_SMALL, style.INK, more=f"offset 0,{-1.9 - 0.95 * i:.3g}"))
        tics = self.tics(grid)
        out.append(gnuplot.tics("x", tics, lowest) + f" font '{gnuplot.FONT},{style.SIZE_SMALL - 0.5}'" if tics
                   else "unset xtics")
        return out + self.event_ticks(cases)

    def tics(self, grid):
        """Returns steps below the ends of phases of several checkpoints, the first ones where there is room."""
        inches, found, free = grid.panel_width / self.bands.end, [], 0.0
        for name in self.bands.names:
            steps = self.bands.steps[name]
            for step in (steps[0], steps[-1]) if len(steps) > 1 else ():
                x, text = self.bands.x(name, step), f"{step:,}"
                half = (len(text) + 1) * LETTER / 2 / inches
                if step == steps[-1] or (x - half >= free and x + 2 * half < self.bands.x(name, steps[-1])):
                    found.append(gnuplot.Tic(text, x))
                    free = x + half
        return found

    def event_ticks(self, cases):
        """Returns those of the first case that has events of a kind: the leaky variant's, as a rule."""
        out = []
        for row, (what, look) in enumerate(self.events.items()):
            for case in cases:
                places = {round(self.bands.event_x(name, e["step"]), 3) for name, of in case.phases() for p in of
                          for e in p.get("events") or [] if e["what"] == what}
                if places:
                    top = 0.98 - EVENT_ROW * row
                    for x in sorted(places)[:EVENTS_MAX]:
                        out += [f"set label '' at {x:.6g}, graph {top:.3f} point pointtype {look.gnuplot} pointsize 0.65 "
                                f"linecolor rgb '{look.colour}' front",
                                f"set arrow from {x:.6g}, graph {top - 0.02:.3f} to {x:.6g}, graph {top - 0.05:.3f} nohead "
                                f"front linecolor rgb '{look.colour}' linewidth 1"]
                    break
        return out


def subtitle(run, cases):
    """Returns the machine, the date and what ran the cases."""
    heaps = sorted({c.subject.heap for c in cases if not retention.is_real(c.subject)})
    engines = sorted({c.subject.engine for c in cases if retention.is_real(c.subject)})
    ran = [f"heap {', '.join(heaps)}"] if heaps else []
    ran += [f"real Go: {', '.join(engines)}"] if engines else []
    sizes = sorted({c.subject.n for c in cases if c.subject.n})
    ran += [f"n = {', '.join(map(format_n, sizes))}"] if len(sizes) == 1 else []
    return " · ".join([style.machine_line(run), run.info["started"][:10], *ran]) + \
        ("" if run.info["complete"] else " · INCOMPLETE RUN")
