"""The retention scenarios of a run: retention.jsonl read and checked, its checkpoints grouped into cases and curves, and
for every scenario the shortest answer.

A CASE is one scenario, variant, map, release of Go, heap, engine and n; its POINTS are the checkpoints in order, each in a PHASE (its
label). A SUBJECT is what a verdict is about: all variants of one scenario on the same map, release, heap, engine and n.
"""
import statistics
from collections import namedtuple

from plots.rows.fields import COUNT, FLAG, LIST, NUMBER, OBJECT, TEXT, check_fields, read_lines
from plots.rows.run import original

ROLES = ("leaky", "no_fix", "reference", "fixed")
VERDICT, GC_WORK, BASE = "verdict", "gc_work", "base"
# Quantities that gc_work records of a collection, in "extra": to compare, and of real ones only.
WORK, WORK_MORE = ("mark_ns", "scanned_bytes"), ("collection_ns",)
REAL_HEAP, SIMULATED_HEAP = "go_gc", "gosim"

# field: (type, may be null)
LINE_FIELDS = {"scenario": (TEXT, False), "map": (TEXT, True), "heap": (TEXT, False), "engine": (TEXT, False),
               "label": (TEXT, False)}
POINT_FIELDS = {"variant": (TEXT, False), "n": (COUNT, False), "step": (COUNT, False),
                "semantic_live_bytes": (NUMBER, True), "d_heap_alloc": (NUMBER, True)}
# Fields that a line may bring, and then of this type or null.
MORE_FIELDS = dict.fromkeys(("semantic_live_bytes", "heap_alloc", "heap_objects", "d_heap_objects", "rss",
                             "amplification", "leaky_bytes", "fixed_bytes", "release_operations", "bound_bytes"), (NUMBER, True)) | \
    dict.fromkeys(("role", "shape", "release", "in_release", "error", "path", "dominator", "fix", "leaky_variant", "fixed_variant"),
                  (TEXT, True)) | {
        "events": (LIST, True), "extra": (OBJECT, True), "passed": (FLAG, True), "n": (COUNT, True)}
SKIP_FIELDS = {"scenario": (TEXT, False), "what": (TEXT, False), "reason": (TEXT, False)}
SKIP_MORE = {"map": (TEXT, True), "heap": (TEXT, False)}
SCENARIO_FIELDS = {"name": (TEXT, False)}
SCENARIO_MORE = {"number": (COUNT, True), "claim": (TEXT, True), "fix": (TEXT, True), "references": (TEXT, True),
                 "verdict_label": (TEXT, True), "variants": (LIST, True)}
VARIANT_FIELDS = {"name": (TEXT, False)}
VARIANT_MORE = {"role": (TEXT, True), "summary": (TEXT, True)}

# release: of Go, None where neither map nor collector is Go's, and in older runs
Subject = namedtuple("Subject", "scenario map heap engine n release", defaults=(None,))
LAST_CLASSIC = (1, 23)  # what a later toolchain builds with the classic map still follows this release

# The shortest answer about a subject. leaky_bytes, fixed_bytes: kept by the leaky variant at the checkpoint that decides,
# and by the worst of the fixed ones there; live_bytes: what is live there (None: not said). release: operations until the
# bytes come back, NEVER or None (not said). held_by, dominator: texts or None. passed: True, False or None. why_not: why
# there are no numbers, or ""; cannot: since the map is none for this scenario.
Answer = namedtuple("Answer", "leaky_bytes fixed_bytes live_bytes amplification release held_by dominator fix passed "
                              "bound_bytes why_not cannot")
NEVER, NO_LEAKY = "never", "no leaky variant ran"


def checked(record, where, fields, more):
    check_fields(record, fields, where)
    check_fields(record, {name: rule for name, rule in more.items() if name in record and name not in fields}, where)


def check_line(line, where):
    checked(line, where, LINE_FIELDS, MORE_FIELDS)
    if line["label"] == VERDICT:
        return
    if line.get("error") is None:
        check_fields(line, POINT_FIELDS, where)
    elif "variant" in line:
        check_fields(line, {"variant": (TEXT, True)}, where)
    checked(line.get("extra") or {}, where, {}, {"kept_bytes": (NUMBER, False)})
    for event in line.get("events") or []:
        check_fields(event, {"what": (TEXT, False), "step": (NUMBER, False)}, where)


def check_scenario(record, where):
    checked(record, where, SCENARIO_FIELDS, SCENARIO_MORE)
    for variant in record.get("variants") or []:
        checked(variant, where, VARIANT_FIELDS, VARIANT_MORE)


def read(path, info):
    """Returns the Retention of a run, or None when it ran no scenarios. Raises BadRun."""
    for record in info.get("scenarios") or []:
        check_scenario(record, f"{path.parent / 'run.json'}: 'scenarios'")
    for record in info.get("skipped_cases") or []:
        checked(record, f"{path.parent / 'run.json'}: 'skipped_cases'", SKIP_FIELDS, SKIP_MORE)
    if not path.exists():
        return None
    records, torn = read_lines(path, info["complete"])
    for where, line in records:
        check_line(line, where)
    return Retention(info, [line for _where, line in records], torn) if records else None


def own_bytes(point):
    """Returns what a story measured in its own way, None for most: pages copied after a fork, objects that a collector
    finds."""
    return (point.get("extra") or {}).get("kept_bytes")


class Case:
    def __init__(self, line, subject, role):
        self.scenario, self.variant, self.subject, self.role = line["scenario"], line.get("variant"), subject, role
        self.shape = line.get("shape") or ""
        self.points, self.error = [], None

    def kept(self, point):
        """Returns bytes kept at a checkpoint beyond those at the first: what the story measures itself, which is what is
        judged; else what the heap holds, or resident memory where the heap cannot say. None: not known."""
        if own_bytes(point) is not None:
            return own_bytes(point)
        if point["d_heap_alloc"] is not None:
            return point["d_heap_alloc"]
        if point.get("rss") is not None and self.points[0].get("rss") is not None:
            return point["rss"] - self.points[0]["rss"]
        return None

    def resident(self):
        """Tells whether what it keeps is resident memory."""
        return any(own_bytes(p) is None and p["d_heap_alloc"] is None and p.get("rss") is not None for p in self.points)

    def phases(self):
        """Returns [((label, occurrence), [point])]"""
        found, seen = [], {}
        for point in self.points:
            if not found or found[-1][0][0] != point["label"]:
                seen[point["label"]] = seen.get(point["label"], 0) + 1
                found.append(((point["label"], seen[point["label"]]), []))
            found[-1][1].append(point)
        return found

    def worst(self, label=None):
        """Returns the last checkpoint of a phase; where the case has none of it, the one where most is kept beyond what is
        live, the first excepted; None without one."""
        known = [p for p in self.points[1:] if self.kept(p) is not None]
        if any(p["label"] == label for p in known):
            return [p for p in known if p["label"] == label][-1]
        return max(known, key=lambda p: self.kept(p) - (p["semantic_live_bytes"] or 0), default=None)

    def same_place(self, point):
        """Returns this case's checkpoint of the same phase and step, or the last of that phase, or None."""
        same = [p for p in self.points if p["label"] == point["label"]]
        return next((p for p in same if p["step"] == point["step"]), same[-1] if same else None)


class Retention:
    def __init__(self, info, lines, torn):
        self.torn = torn  # the last line was only half written
        self.scenarios = {record["name"]: record for record in info.get("scenarios") or []}
        self.skipped = info.get("skipped_cases") or []
        self.cases, self.verdicts, self.decided = {}, {}, {}
        for line in lines:
            if line["scenario"] == GC_WORK:  # has no leaky variant and a section of its own
                continue
            if line["label"] == VERDICT:
                self.verdicts[subject_of(line)] = line
            else:
                self.add(line)
        self.gc_work = [line for line in lines if line["scenario"] == GC_WORK and line["label"] != VERDICT]
        self.by_subject = {}
        for case in self.cases.values():
            self.by_subject.setdefault(case.subject, []).append(case)
        unsaid = {subject._replace(n=None): subject for subject in self.by_subject}
        # a verdict may leave n unsaid
        self.verdicts = {unsaid.get(subject, subject): line for subject, line in self.verdicts.items()}
        names = dict.fromkeys([c.scenario for c in self.cases.values()] + [s.scenario for s in self.verdicts])
        self.unable = self.maps_left_out({m.get("name") for m in info["maps"]})
        self.names = sorted(names, key=lambda name: (self.fact(name, "number") is None, self.fact(name, "number") or 0))

    def add(self, line):
        key = subject_of(line), line.get("variant"), line.get("shape") or ""
        case = self.cases.get(key)
        if case is None or (line["label"] == BASE and line.get("error") is None):  # a case measured again replaces the first
            case = self.cases[key] = Case(line, key[0], self.role(line))
        if line.get("error") is not None:
            case.error = line["error"]
        else:
            case.points.append(line)

    def maps_left_out(self, more):
        """Returns {Subject: reason} of maps that ran other scenarios, and nothing of this one."""
        known, found = self.maps() | more, {}
        ran = {(s.scenario, s.map) for s in [*(c.subject for c in self.cases.values()), *self.verdicts]}
        for entry in self.skipped:
            name = entry["map"] if "map" in entry else entry["what"].rpartition(" with ")[2]  # older runs say it there only
            if name in known and (entry["scenario"], name) not in ran:
                found.setdefault(Subject(entry["scenario"], name, entry.get("heap", SIMULATED_HEAP), "c", None), entry["reason"])
        return found

    def maps(self):
        return {s.map for s in [*(c.subject for c in self.cases.values()), *self.verdicts] if s.map} | {
            line["map"] for line in self.gc_work if line["map"]}

    def role(self, line):
        """Returns the role as the line says, or run.json, or else none that counts."""
        for role in [line.get("role")] + [v.get("role") for v in self.fact(line["scenario"], "variants") or []
                                          if v["name"] == line.get("variant")]:
            if role in ROLES:
                return role
        return "reference"

    def fact(self, scenario, field):
        return self.scenarios.get(scenario, {}).get(field)

    def decisive(self, scenario):
        """Returns the phase at whose last checkpoint the verdicts are: as run.json says, or the one where a verdict's bytes
        were kept. None: not known."""
        if scenario not in self.decided:
            told = [(case, verdict.get("leaky_bytes")) for subject, verdict in self.verdicts.items()
                    if subject.scenario == scenario for case in self.of(subject) if case.variant == verdict.get("leaky_variant")]
            labels = [p["label"] for case, kept in told for p in case.points if p["label"] != BASE and case.kept(p) == kept]
            self.decided[scenario] = self.fact(scenario, "verdict_label") or (labels[-1] if labels else None)
        return self.decided[scenario]

    def summary(self, scenario, variant):
        return next((v.get("summary") for v in self.fact(scenario, "variants") or [] if v["name"] == variant), None)

    def subjects(self, scenario):
        """Returns what ran or was asked for: the simulation first, there what can be held against a real collector, each
        original behind its port."""
        found = dict.fromkeys(s for s in [*self.by_subject, *self.verdicts, *self.unable] if s.scenario == scenario)
        beside = {design(s.map) for s in found if is_real(s)}
        return sorted(found, key=lambda s: (family_heap(s.heap) != SIMULATED_HEAP, family_heap(s.heap),
                                            design(s.map) not in beside, not is_go(s.map), release_order(rules(s)),
                                            design(s.map) or "", is_real(s), s.engine, s.n or 0))

    def of(self, subject):
        """Returns its cases that have points, leaky first."""
        found = [c for c in self.by_subject.get(subject, ()) if c.points]
        return sorted(found, key=lambda c: ROLES.index(c.role))

    def answer(self, subject):
        verdict = self.verdicts.get(subject)
        if subject in self.unable:
            return Answer(*[None] * 10, self.unable[subject], True)
        return self.derived(subject) if verdict is None else self.stated(verdict, self.derived(subject))

    def in_release(self, subject):
        """Returns what holds in the subject's release of Go, as its verdict has it: "fixed in 1.25"; None: not said."""
        return self.verdicts.get(subject, {}).get("in_release")

    def stated(self, verdict, derived):
        why_not = verdict.get("error") or ("" if verdict.get("leaky_bytes") is not None else derived.why_not)
        release = verdict.get("release_operations")
        if release is None and "release_operations" in verdict:
            release = NEVER
        return Answer(verdict.get("leaky_bytes"), verdict.get("fixed_bytes"), verdict.get("semantic_live_bytes"),
                      verdict.get("amplification"), None if why_not else release, verdict.get("path") or derived.held_by,
                      verdict.get("dominator") or derived.dominator, verdict.get("fix") or derived.fix,
                      verdict.get("passed"), verdict.get("bound_bytes"), why_not, False)

    def derived(self, subject):
        cases = self.of(subject)
        worst = [(c, c.worst(self.decisive(subject.scenario))) for c in cases if c.role == "leaky"]
        case, point = next((found for found in worst if found[1] is not None), (None, None))
        errors = "; ".join(dict.fromkeys(c.error for c in self.by_subject.get(subject, ()) if c.error))
        if case is None:
            return Answer(None, None, None, None, None, None, None, self.fact(subject.scenario, "fix"), None, None,
                          errors or NO_LEAKY, False)
        live, kept = point["semantic_live_bytes"], case.kept(point)
        there = [(c, c.same_place(point)) for c in cases if c.role == "fixed"]
        fixed = max((c.kept(p) for c, p in there if p is not None and c.kept(p) is not None), default=None)
        held = {field: next((p[field] for p in [point, *reversed(case.points)] if p.get(field)), None)
                for field in ("path", "dominator")}
        return Answer(kept, fixed, live, kept / live if live else None, None, held["path"], held["dominator"],
                      self.fact(subject.scenario, "fix"), None, None, errors if fixed is None else "", False)


def series_of(data):
    """Returns {design of the map: {(variant, engine): {entries: {quantity: median}}}} of gc_work; what can be held against
    a real collector comes first."""
    samples = {}
    for line in data.gc_work:
        if line["label"] == BASE or line.get("error") is not None or not line["step"]:
            continue
        extra = line.get("extra") or {}
        key = design(line["map"]), (extra.get("variant") or line["variant"], line["engine"]), line["step"]
        for quantity in WORK + WORK_MORE:
            value = work_of(extra, quantity)
            if value is not None:
                samples.setdefault(key, {}).setdefault(quantity, []).append(value)
    found = {}
    for (name, line, entries), of in samples.items():
        found.setdefault(name, {}).setdefault(line, {})[entries] = {q: statistics.median(v) for q, v in of.items()}
    return dict(sorted(found.items(), key=lambda item: all(engine == "c" for _variant, engine in item[1])))


def work_of(extra, quantity):
    """Reads a checkpoint's `extra`: a median over several collections says more than the last of them. None without any."""
    value = extra.get(f"{quantity}_median", extra.get(quantity))
    return value if isinstance(value, (int, float)) and value > 0 else None


def subject_of(line):
    return Subject(line["scenario"], line["map"], line["heap"], line["engine"], line.get("n"), line.get("release"))


def design(name):
    """Returns the port that a map is the original of, or the map itself without its release, or None."""
    found = name and original(name)
    return found.port if found else name and name.partition("@")[0]


def is_go(name):
    """Tells whether a map is Go's, a port or an original; None, no map, is Go's language and runtime."""
    return name is None or (design(name) or "").startswith("go_")


def release_order(release):
    return tuple(map(int, release.split("."))) if release else ()


def rules(subject):
    """Returns the release whose rules the map follows, or without a map the collector: "1.24"; None: not Go's."""
    if not is_go(subject.map) or not subject.release:
        return None
    classic = (design(subject.map) or "").endswith("hmap") and release_order(subject.release) > LAST_CLASSIC
    return ".".join(map(str, LAST_CLASSIC)) if classic else subject.release


def map_label(subject):
    """Writes go_swiss@1.27, real_go_swiss@1.24, linear: a map with its release of Go."""
    if not subject.map or "@" in subject.map or not is_go(subject.map) or not subject.release:
        return subject.map
    return f"{subject.map}@{subject.release}"


def family_heap(heap):
    """Returns under which heap a case is compared: the real collector beside its simulation."""
    return SIMULATED_HEAP if heap == REAL_HEAP else heap


def is_real(subject):
    return subject.engine != "c"


def label_of(subject):
    """Writes 'go_hmap@1.23, gosim', 'real_go_hmap, go1.23.5' or just 'gosim 1.24' for a scenario without a map."""
    if is_real(subject):
        return f"{subject.map}, {subject.engine}" if subject.map else subject.engine
    where = subject.heap + (f" {subject.release}" if subject.release and not subject.map else "")
    return f"{map_label(subject)}, {where}" if subject.map else where


def words(name):
    """Returns a variant or phase as words."""
    return name.replace("_", " ")
