"""Checks a run folder against results/schema.json: python3 tests/support/validate_run.py RUN. One line per fault, exit 1."""
import hashlib
import json
import pathlib
import sys

import jsonschema

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "results" / "schema.json"


def validator(definition):
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    del schema["anyOf"]
    return jsonschema.Draft202012Validator({**schema, "$ref": f"#/$defs/{definition}"})


def faults_of(value, checker, where):
    for error in checker.iter_errors(value):
        path = "/".join(str(part) for part in error.absolute_path)
        yield f"{where}{': ' + path if path else ''}: {error.message[:200]}"


def result_id(folder):
    """As run.json has it: of the two files of results, one behind the other."""
    files = [folder / "rows.jsonl", folder / "retention.jsonl"]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.exists())).hexdigest()


def faults(folder):
    folder = pathlib.Path(folder)
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    found = list(faults_of(run, validator("run"), "run.json"))
    if run.get("result_id") not in (None, result_id(folder)):
        found.append("run.json: result_id is not that of rows.jsonl and retention.jsonl")
    checker = validator("row")
    with open(folder / "rows.jsonl", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            found += faults_of(json.loads(line), checker, f"rows.jsonl:{number}")
    return found


if __name__ == "__main__":
    problems = faults(sys.argv[1])
    print("\n".join(problems[:50]) if problems else "valid")
    sys.exit(1 if problems else 0)
