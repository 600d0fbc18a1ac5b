"""`mapbench rerun RUN`: measures again what a stored run measured, and says where the two agree.

Two runs are unpaired (judge/compare/unpaired.py). So a cell differs only when the interval of the ratio lies outside what processes
of the same code are apart anyway.
"""
import json
import signal
import statistics
import subprocess
import tempfile
from pathlib import Path

from judge.base import child
from judge.base.arguments import Parser
from judge.base.cells import map_of
from judge.base.common import Refused, executable, need, refuse_unwritable, say, write_text
from judge.base.stored import cell_text, open_run
from judge.cite.rerun_line import retain_words, run_words, shown
from plots.rows.exits import CANNOT, FAILED, INTERRUPTED, NOTHING, OK
from plots.rows.fields import BadRun
from plots.rows.load import load
from plots.rows.run import BASELINE

# Identical code in two processes: standard deviation 1.9 % at 10k entries, more outside the caches (docs/method.md). Twice
# that and a little is no difference.
APART = 0.05
AGREES, DIFFERS, UNSTABLE, UNTESTED, MISSING = "agrees", "differs", "unstable", "untested", "missing"
MACHINE = ("cpu", "cores", "cpus_usable", "caches", "kernel", "libc", "virtual", "governor", "thp")
BUILD = ("cc", "cxx", "unit_flags", "commit", "allocator")
EXACT = 0.01  # bytes may move by that much: pages, and blocks of the allocator's own


def identity(row):
    return map_of(row["map"]), *(row.get(field) for field in ("kind", "cell", "job", "shape", "workload", "keys", "n", "heap", "hash",
                                                              "hash_policy", "threads", "seed", "order", "pages", "loop", "rate"))


def time_verdict(old, new, interval):
    if not old["stable"] or not new["stable"]:
        return UNSTABLE
    if interval is None:
        return UNTESTED
    return DIFFERS if interval[0] > 1 + APART or interval[1] < 1 / (1 + APART) else AGREES


def compare_row(old, new):
    """Returns what is said of one row of the stored run: a record of the JSON."""
    record = {"kind": old["kind"], "cell": cell_text(old), "map": old["map"], "shape": old["shape"], "workload": old["workload"],
              "keys": old["keys"], "n": old["n"], "old": None, "new": None, "ratio": None, "ci95": None, "checksums_equal": None}
    if new is None or new["error"] is not None:
        return record | {"verdict": MISSING, "why": new["error"] if new else "the repetition did not measure it"}
    if old["checksum"] is not None and new["checksum"] is not None:
        record["checksums_equal"] = old["checksum"] == new["checksum"]
    if old["kind"] == "time" and old["median"] > 0 and new["median"] > 0:
        from judge.compare import unpaired  # with numpy and scipy
        ratio, interval = unpaired.ratio(old, new)
        return record | {"old": old["median"], "new": new["median"], "ratio": ratio, "ci95": interval,
                         "verdict": time_verdict(old, new, interval), "why": new["why_unstable"] or old["why_unstable"]}
    if old["kind"] == "memory" and old["bytes_per_entry"] and new["bytes_per_entry"]:
        ratio = new["bytes_per_entry"] / old["bytes_per_entry"]
        return record | {"old": old["bytes_per_entry"], "new": new["bytes_per_entry"], "ratio": ratio,
                         "verdict": AGREES if abs(ratio - 1) <= EXACT else DIFFERS, "why": None}
    return record | {"verdict": UNTESTED, "why": "no interval: shown by the report only"}


def compare_rows(old_run, new_run):
    found = {identity(row): row for row in new_run.rows}
    return [compare_row(row, found.get(identity(row))) for row in old_run.rows if row["error"] is None and row["map"] != BASELINE]


def verdict_lines(folder):
    """Returns {subject: line} of the verdicts of a run of scenarios; open_run and load have checked the file."""
    path = Path(folder) / "retention.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line] if path.exists() else []
    return {(line["scenario"], map_of(line["map"]), line.get("release"), line["heap"], line["engine"], line.get("n")): line
            for line in lines if line["label"] == "verdict"}


def compare_verdicts(old_folder, new_folder):
    old_lines, new_lines, records = verdict_lines(old_folder), verdict_lines(new_folder), []
    for subject, old in old_lines.items():
        scenario, name, release, heap, engine, n = subject
        new = new_lines.get(subject)
        if release is None:  # of a run that did not say it
            new = next((line for other, line in new_lines.items() if other[:2] + other[3:] == subject[:2] + subject[3:]), None)
        record = {"kind": "retention", "cell": f"{scenario}/{name or '-'}/{heap}/{engine}/n:{n}", "map": name, "n": n,
                  "old": old.get("leaky_bytes"), "new": new and new.get("leaky_bytes"), "ratio": None, "ci95": None,
                  "checksums_equal": None, "why": None}
        if new is None:
            records.append(record | {"verdict": MISSING, "why": "the repetition did not measure it"})
            continue
        if old.get("passed") is not None:
            record["bound_kept"] = new.get("passed") is not False or old["passed"] is False
        pairs = [(old.get(field) or 0, new.get(field) or 0) for field in ("leaky_bytes", "fixed_bytes")]
        record["ratio"] = pairs[0][1] / pairs[0][0] if pairs[0][0] and pairs[0][1] else None
        # page-sized differences of resident memory are none
        same = all(abs(b - a) <= max(EXACT * abs(a), 4096) for a, b in pairs) and record.get("bound_kept", True)
        records.append(record | {"verdict": AGREES if same else DIFFERS})
    return records


def elsewhere(old, new):
    """Returns lines about what is not as it was when the stored run was measured."""
    lines = []
    for part, fields in (("machine", MACHINE), ("build", BUILD)):
        for field in fields:
            before, now = old.info[part].get(field), new.info[part].get(field)
            if before != now:
                lines.append(f"another {part}: {field} was {json.dumps(before)[:100]}, is {json.dumps(now)[:100]}")
    before, now = ({(keys["name"], keys["shape"]): keys.get("sha256") for keys in run.info["keys"]} for run in (old, new))
    lines += [f"other keys: the files behind {name} ({shape}) have changed"
              for (name, shape), digest in before.items() if digest and now.get((name, shape)) not in (None, digest)]
    return lines


def table(records):
    width = max(len(record["cell"]) for record in records)
    lines = [f"{'cell':<{width}}  {'stored':>9} {'repeated':>9} {'ratio':>7}  {'95 % interval':<15}  verdict"]
    for record in records:
        def cell(value, form=".3g"):
            return "-" if value is None else f"{value:{form}}"
        interval = f"{record['ci95'][0]:.3f} to {record['ci95'][1]:.3f}" if record["ci95"] else "-"
        wrong = ", WRONG CHECKSUM" if record["checksums_equal"] is False else ", BOUND BROKEN" if record.get("bound_kept") is False else ""
        lines.append(f"{record['cell']:<{width}}  {cell(record['old']):>9} {cell(record['new']):>9} "
                     f"{cell(record['ratio'], '.3f'):>7}  {interval:<15}  {record['verdict']}{wrong}"
                     + (f" ({record['why']})" if record["why"] and record["verdict"] in (MISSING, UNSTABLE) else ""))
    return lines


def repeat(words, out):
    """Runs mapbench; (exit code, folder it wrote or None). Its own table and warnings go to stderr."""
    say(f"mapbench: repeating: build/mapbench {shown(words)}")
    with subprocess.Popen([executable(), *words, *([f"--out={out}"] if out else []), "--figures=no"], stdout=subprocess.PIPE,
                          text=True, start_new_session=True, preexec_fn=child.default_interrupt) as process:
        try:
            printed = process.communicate()[0]
        except KeyboardInterrupt:
            child.end(process)
            raise
    folders = [line for line in printed.splitlines() if line and Path(line, "run.json").is_file()]
    return process.returncode, folders[-1] if folders else None


def judged(records, measured):
    """Returns (exit code, sentence)."""
    wrong = [r for r in records if r["checksums_equal"] is False]
    broken = [r for r in records if r.get("bound_kept") is False]
    if wrong:
        return FAILED, f"wrong result: the checksum of {wrong[0]['cell']} is not that of the stored run"
    if broken:
        return FAILED, f"{broken[0]['cell']}: the fix keeps more than its bound now; in the stored run it did not"
    if measured in (FAILED, CANNOT):
        return measured, "the repetition " + ("met a wrong result" if measured == FAILED else "could not measure every cell")
    if all(r["verdict"] == MISSING for r in records):
        return NOTHING, "the repetition has no cell of the stored run"
    return OK, None


def show(old, new, records, code, json_path):
    """Prints the table, and writes the JSON."""
    differences = elsewhere(old, new)
    print(f"{old.info['id']} against its repetition {new.info['id']} ({new.folder}); unpaired", *table(records), sep="\n")
    for line in differences:
        print(f"note: {line}")
    counts = {verdict: sum(r["verdict"] == verdict for r in records) for verdict in (AGREES, DIFFERS, UNSTABLE, UNTESTED, MISSING)}
    ratios = [r["ratio"] for r in records if r["kind"] == "time" and r["ratio"] and r["verdict"] != UNSTABLE]
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
          + (f"; median ratio of the stable cells {statistics.median(ratios):.3f}" if ratios else ""), flush=True)
    if json_path:
        text = json.dumps({"schema": 1, "kind": "rerun", "stored": old.info["id"], "repeated": new.info["id"],
                           "folder": str(new.folder), "elsewhere": differences, "cells": records, "counts": counts,
                           "exit": code}, indent=1)
        write_text(json_path, text + "\n")


def main(argv):
    parser = Parser(prog="mapbench rerun", description=__doc__)
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--out", metavar="DIR", help="folder of the repetition [as mapbench run names it]")
    parser.add_argument("--json", metavar="FILE", help="the comparison as JSON")
    args = parser.parse_args(argv)
    refuse_unwritable(args.json)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the repetition ends however this ends
    old = open_run(args.run, "repeated")
    if not old.rows and not verdict_lines(old.folder):
        raise Refused(f"{old.folder}: has neither rows nor verdicts: there is nothing to compare a repetition with")
    if any(row["kind"] == "time" for row in old.rows):
        need("rerun", "numpy", "scipy")
    with tempfile.TemporaryDirectory(prefix="mapbench-rerun-") as scratch:
        words = run_words(old, Path(scratch)) if old.rows else retain_words(old)
        code, folder = repeat(words, args.out)
    if code == INTERRUPTED:
        raise Refused("rerun was interrupted", INTERRUPTED)
    if not folder:
        raise Refused(f"the repetition did not end well (exit {code}): see above", code if code > 0 else CANNOT)
    try:
        new = load(folder)
    except BadRun as bad:
        raise Refused(str(bad), CANNOT) from None
    records = compare_rows(old, new) if old.rows else compare_verdicts(old.folder, folder)
    if not records:
        raise Refused(f"{old.folder}: has no measured row to compare a repetition with", NOTHING)
    code, why = judged(records, code)
    show(old, new, records, code, args.json)
    if why:
        say(f"mapbench: {why}")
    return code
