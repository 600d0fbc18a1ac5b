"""What a collection costs against the size of a map: without pointers, with pointers to one object, to as many objects."""
from plots.draw import canvas, style
from plots.rows import retention
from plots.rows.numbers import format_bytes, format_n, format_ns

PREFIX = "gc-work"
LIBRARY = "matplotlib"
NEEDS = ("retention",)
TITLE = "Work of a collection"
READING = ""

# Known variants in this order; the hue goes by it, the simulation is solid, a real collector dashed and hollow.
HUES = ["#009e73", "#e69f00", "#c4342d", "#0072b2", "#7e57c2", "#6b6b6b"]
MARKERS = "os^Dv"
FORMATS = {"mark_ns": ("time to mark", format_ns), "scanned_bytes": ("bytes scanned", format_bytes)}
# Words that say what each time is; a real collection runs beside the program, so that its time on the clock says something else.
SIMULATED_TIME = "gosim: one thread that stops the program, from the first root to the end of marking."
REAL_TIME = ("Real Go: what its mark workers took together, as runtime/metrics has it (dedicated, idle and assists); its bytes "
             "include the runtime's own, some 80 KiB.")
WHOLE = "collection_ns"


def draw(run, _run_looks, folder):
    figures = []
    for design, series in (retention.series_of(run.retention) if run.retention else {}).items():
        name = PREFIX + (f"-{style.slug(design)}" if design else "")
        title = "Work of a collection against the size of the map" + (f": {design}" if design else "")
        canvas.save(draw_work(run, series, title), folder, name)
        figures.append((name, title))
    return figures


def draw_work(run, series, title):
    variants = list(dict.fromkeys(variant for variant, _ in series))
    engines = sorted({engine for _, engine in series}, key=lambda engine: (engine != "c", engine))
    quantities = [q for q in retention.WORK if any(q in of for sizes in series.values() for of in sizes.values())]
    names = [line_name(variant, engine) for variant, engine in series]
    beside = canvas.legend_inches(names)
    real = any(engine != "c" for engine in engines)
    note = "\n".join([in_words(series), "Both axes logarithmic. Lower is better. A map whose buckets hold no pointers is marked but "
                      "never scanned, whatever its size.", *([SIMULATED_TIME] if "c" in engines else []),
                      *([REAL_TIME + in_all(series)] if real else [])])
    figure, area = canvas.frame(1.0 + 4.3 * len(quantities) + beside, max(3.6, canvas.legend_height(names)), title,
                                subtitle(run, engines), note)
    panels = canvas.panels(figure, area, len(quantities), len(quantities), legend=beside + 0.1, left=0.95, gap_x=0.95)
    for axes, quantity in zip(panels, quantities):
        label, form = FORMATS[quantity]
        for (variant, engine), sizes in series.items():
            points = sorted((n, of[quantity]) for n, of in sizes.items() if quantity in of)
            axes.plot([x for x, _ in points], [y for _, y in points], **look(variants, engines, variant, engine))
        axes.set_title(label)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        sizes = sorted({n for of in series.values() for n in of})
        axes.set_xticks(sizes if len(sizes) < 9 else sizes[::-(-len(sizes) // 8)])
        canvas.format_axis(axes.xaxis, lambda n: format_n(round(n)))
        if form is format_bytes:
            canvas.ticks_of_bytes(axes.yaxis, *axes.get_ylim())
        canvas.format_axis(axes.yaxis, form)
        axes.set_xlabel("entries")
    canvas.legend(figure, area, [canvas.Line2D([], [], label=line_name(*key), **look(variants, engines, *key)) for key in series],
                  "what the values are", beside)
    return figure


def line_name(variant, engine):
    return f"{retention.words(variant)}, {'gosim' if engine == 'c' else engine}"


def look(variants, engines, variant, engine):
    number, real = variants.index(variant), engine != "c"
    colour = HUES[number % len(HUES)]
    dash = (0, (5, 2)) if engines.index(engine) == 1 else (0, (1.5, 1.5))
    return {"color": colour, "marker": MARKERS[number % len(MARKERS)], "linestyle": dash if real else "-",
            "markerfacecolor": style.PAPER if real else colour}


def subtitle(run, engines):
    real = [engine for engine in engines if engine != "c"]
    ran = (["heap gosim"] if "c" in engines else []) + ([f"real Go: {', '.join(real)}"] if real else [])
    return " · ".join([style.machine_line(run), run.info["started"][:10], *ran])


def in_words(series):
    """Returns what marking takes where the maps are largest, a group for each collector."""
    groups = {}
    for (variant, engine), sizes in series.items():
        n = max(sizes)
        if "mark_ns" in sizes[n]:
            groups.setdefault((engine, n), []).append(f"{retention.words(variant)} {format_ns(sizes[n]['mark_ns'])}")
    parts = [f"{'gosim' if engine == 'c' else engine}, {format_n(n)} entries: {', '.join(of)}" for (engine, n), of in groups.items()]
    return "Time to mark. " + "; ".join(parts) + "." if parts else "No time to mark was recorded."


def in_all(series):
    """Returns how long whole collections of a real engine were, or "": they wait for the scheduler as well."""
    whole = [of[WHOLE] for of in (of for sizes in series.values() for of in sizes.values()) if WHOLE in of]
    return (f" A whole collection, from runtime.GC to its return with the wait for the scheduler and the sweep, took "
            f"{format_ns(min(whole))} to {format_ns(max(whole))} on the clock.") if whole else ""
