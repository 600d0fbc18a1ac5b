"""What a file of a run folder may hold: types of fields, and the one line that says what is wrong with it."""
import json
import math


class BadRun(Exception):
    """The folder is not a run this version can read; the message is the whole line for the user."""


NUMBER, COUNT, TEXT, FLAG, LIST, OBJECT = "number", "count", "text", "true or false", "list", "object"
TESTS = {
    NUMBER: lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v),
    COUNT: lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 0,
    TEXT: lambda v: isinstance(v, str),
    FLAG: lambda v: isinstance(v, bool),
    LIST: lambda v: isinstance(v, list),
    OBJECT: lambda v: isinstance(v, dict),
}


def check_fields(record, fields, where):
    if not isinstance(record, dict):
        raise BadRun(f"{where}: expected an object")
    for name, (kind, nullable) in fields.items():
        if name not in record:
            raise BadRun(f"{where}: field '{name}' is missing")
        value = record[name]
        if not (value is None and nullable) and not TESTS[kind](value):
            raise BadRun(f"{where}: field '{name}' must be a {kind}{' or null' if nullable else ''}, "
                         f"not {json.dumps(value)[:40]}")


def check_numbers(values, width, where, name, nullable=True):
    """Checks a list of numbers (width 0) or of lists of `width` numbers each; nullable: some of them may be null."""
    for value in values or []:
        if width and (not isinstance(value, list) or len(value) != width):
            raise BadRun(f"{where}: '{name}' must hold lists of {width} numbers")
        for number in value if width else [value]:
            if not (number is None and nullable) and not TESTS[NUMBER](number):
                raise BadRun(f"{where}: '{name}' holds {json.dumps(number)[:40]}, which is not a number")


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def parse(text, where):
    try:
        return without_surprises(json.loads(text, parse_constant=refuse_constant))
    except (ValueError, RecursionError) as error:
        raise BadRun(f"{where}: not valid JSON ({error}); the file is damaged: measure again or restore it") from None


def without_surprises(value):
    """Turns control characters and halves of surrogate pairs into visible marks: no figure format can hold them."""
    if isinstance(value, str):
        return "".join(c if c.isprintable() or c in " \n\t" else "\ufffd" for c in value)
    if isinstance(value, list):
        return [without_surprises(v) for v in value]
    if isinstance(value, dict):
        return {without_surprises(k): without_surprises(v) for k, v in value.items()}
    return value


def read_text(path):
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadRun(f"{path.parent}: not a run folder (no {path.name}); give a folder that `mapbench run` wrote") \
            from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadRun(f"{path}: cannot be read ({error})") from None


def read_lines(path, complete):
    """Returns ([(where, record)], torn): the JSON of each line of a file. torn: the last line of an incomplete run was only
    half written and is left out; anywhere else half a line is a fault."""
    *lines, rest = read_text(path).split("\n")
    torn = bool(rest.strip()) and not complete
    records = []
    for number, line in enumerate(lines if torn else [*lines, rest], 1):
        if line.strip():
            where = f"{path}:{number}"
            records.append((where, parse(line, where)))
    return records, torn
