"""The selection of cells: its options on the command lines of judge/, and the cells that `mapbench plan` makes of it."""
from judge.base.common import ask


def add_options(parser, defaults):
    """Adds one option for each of `defaults`: the options of `mapbench plan` with what each is where it is not given."""
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", metavar="WORDS", help=f"as for run; {value or 'all cells'} where not given")


def is_given(options, defaults):
    return any(getattr(options, name) is not None for name in defaults)


def plan(program, options, defaults, **instead):
    """Returns (cells, what is skipped), as `mapbench plan --json` prints them. instead: values in place of the options'."""
    words = []
    for name, value in defaults.items():
        given = instead.get(name, getattr(options, name))
        text = value if given is None else given
        if text is not None:
            words.append(f"--{name}={text}")
    found = ask(program, "plan", "--json", *words)
    return found["cells"], found["skipped"]
