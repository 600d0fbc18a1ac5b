"""results/schema.json, the list of the fields of a run folder's files, as the rules that a reader checks records by."""
import functools
import json
from pathlib import Path

from plots.rows.fields import COUNT, FLAG, LIST, NUMBER, OBJECT, TEXT

FILE = Path(__file__).resolve().parents[2] / "results" / "schema.json"
KINDS = {"string": TEXT, "boolean": FLAG, "array": LIST, "object": OBJECT, "number": NUMBER}


@functools.cache
def whole():
    return json.loads(FILE.read_text(encoding="utf-8"))


def resolved(node):
    """Follows a reference, and for a choice between null and one other thing takes the other: (node, may be null)."""
    if "$ref" in node:
        steps = node["$ref"].removeprefix("#/").split("/")
        node = functools.reduce(lambda at, step: at[step], steps, whole())
        return resolved(node)
    if "anyOf" in node:
        others = [choice for choice in node["anyOf"] if choice != {"type": "null"}]
        inner, null = resolved(others[0])
        return inner, null or len(others) < len(node["anyOf"])
    return node, False


def rule(node):
    """Returns (kind of value, may be null) of a property."""
    node, null = resolved(node)
    if "type" not in node:  # a closed list of words, or one number
        values = node.get("enum", [node.get("const")])
        words = [value for value in values if value is not None]
        return TEXT if isinstance(words[0], str) else COUNT, null or len(words) < len(values)
    types = [node["type"]] if isinstance(node["type"], str) else node["type"]
    kind = next(name for name in types if name != "null")
    if kind == "integer":
        return COUNT if node.get("minimum", -1) >= 0 else NUMBER, null or "null" in types
    return KINDS[kind], null or "null" in types


def fields(*path):
    """Returns {field: rule} of an object below $defs: fields("row"), fields("run", "keys") of the members of run's list
    `keys`."""
    node = whole()["$defs"][path[0]]
    for name in path[1:]:
        node, _null = resolved(node["properties"][name])
        node = node.get("items", node)
    return {name: rule(part) for name, part in resolved(node)[0]["properties"].items()}


def needed(of, names, nullable=False):
    """Returns the rules of those names among `of`. nullable: null is let pass as well, which runs of earlier versions
    have."""
    return {name: (of[name][0], nullable or of[name][1]) for name in names}
