"""The command line that measures what a stored run measured, from the options it kept."""
import shlex

from judge.base.common import Refused

# Options of `run` that hold for a whole run and are not what is measured. The others may differ between the jobs.
WHOLE_RUN = ("shard", "perf", "out", "resume", "figures", "progress")
LINE_MAX = 198  # of a job file (docs: profiles)
RETAIN_FLAGS = {"--assert": 0, "--check": 0}
# Options of `retain` that say where things are written, with the words that follow them.
RETAIN_TARGETS = {"--out": 1, "--snapshot": 1, "--snapshot-at": 1, "--snapshot-diff": 1, "--junit": 1, "--figures": 1}


def fits_a_line(name, value):
    """Tells whether a job file can hold an option: it ends at a line's end, and at a semicolon behind a space."""
    return "\n" not in value and " ;" not in value and value == value.strip() and len(f"{name} = {value}") <= LINE_MAX


def run_words(run, scratch):
    """Returns (words of the command line without `mapbench`, text) of a run of loops. Its options in effect are given in
    full, so that other defaults or another profile of that name change nothing. Writes a job file into the folder scratch
    where the run had several jobs."""
    info = run.info
    jobs, name = info.get("jobs") or [], (info["profile"] or {}).get("name")
    for job in jobs:
        if not isinstance(job, dict) or not isinstance(job.get("options"), dict) or not isinstance(job.get("name"), str) \
                or not all(isinstance(value, str) for value in job["options"].values()):
            raise Refused(f"{run.folder / 'run.json'}: its jobs are not as mapbench writes them: measure again")
    if not jobs or not name:
        raise Refused(f"{run.folder / 'run.json'}: does not keep the options of its jobs: it cannot be repeated")
    options = [{key: value for key, value in job["options"].items() if key not in WHOLE_RUN and value} for job in jobs]
    common = [(key, value) for key, value in options[0].items() if all(other.get(key) == value for other in options)]
    if name == "selection":
        words = ["run"] + [f"--{key}={value}" for key, value in common]
    else:
        on_line = [(key, value) for key, value in common if not fits_a_line(key, value)]
        words = ["run", str(write_jobs(run, scratch / f"{name}.job", jobs, options, dict(on_line)))]
        words += [f"--{key}={value}" for key, value in on_line]
    shard = jobs[0]["options"].get("shard")
    return words + ([f"--shard={shard}"] if shard else [])


def write_jobs(run, path, jobs, options, elsewhere):
    lines = []
    for job, own in zip(jobs, options):
        lines.append(f"[{job['name']}]")
        for key, value in own.items():
            if key in elsewhere:
                continue
            if not fits_a_line(key, value):
                raise Refused(f"{run.folder}: option {key} of job {job['name']} is too long for a job file, and the jobs differ "
                              "in it: it cannot be repeated")
            lines.append(f"{key} = {value}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def without(words, options):
    """Returns the words of a command line less these options and what they take: {option: how many words follow it}."""
    kept, rest = [], list(words)
    while rest:
        word = rest.pop(0)
        name, equals, _ = word.partition("=")
        if name in options:
            del rest[:0 if equals else options[name]]
        else:
            kept.append(word)
    return kept


def retain_words(run):
    """Returns the same for a run of retention scenarios, which keeps only its command line, without the user's quotes:
    every word that is no option must be a scenario of the run."""
    words = run.info["command"].split(" ")
    known = {scenario.get("name") for scenario in run.info.get("scenarios") or []}
    if len(words) < 2 or words[1] != "retain":
        raise Refused(f"{run.folder / 'run.json'}: its command is not one of mapbench retain: it cannot be repeated")
    kept = without(words[2:], RETAIN_TARGETS)
    takes = {word.partition("=")[0]: 1 for word in kept if word.startswith("--")} | RETAIN_FLAGS
    for word in without(kept, takes):
        for scenario in word.split(","):
            if scenario != "all" and scenario not in known:
                raise Refused(f"{run.folder / 'run.json'}: the words of its command cannot be told apart at '{word}' (a path "
                              f"with spaces?): repeat it by hand: {run.info['command']}")
    return ["retain", *kept]


def shown(words):
    return " ".join(shlex.quote(word) for word in words)
