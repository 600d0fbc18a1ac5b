"""The entry: `python3 -m judge COMMAND ARGS`."""
import importlib
import os
import sys
import traceback

from judge.common import BAD_INPUT, CANNOT, INTERRUPTED, Refused, project_root

# Every command with the module whose main(argv) runs it and returns the exit code.
COMMANDS = {
    "compare": "judge.compare",
    "gate": "judge.gate",
    "history": "judge.history",
    "nightly": "judge.nightly",
    "cite": "judge.cite",
    "rerun": "judge.rerun",
}


def run(command, argv):
    sys.path.insert(1, str(project_root() / "plots"))
    try:
        code = importlib.import_module(COMMANDS[command]).main(argv)
        sys.stdout.flush()
        return code
    except Refused as refused:
        print(f"mapbench: {refused}", file=sys.stderr)
        return refused.code
    except KeyboardInterrupt:
        print(f"mapbench: {command} was interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CANNOT
    except OSError as error:
        print(f"mapbench: {error.filename or 'cannot write the output'}: {error.strerror}", file=sys.stderr)
        return CANNOT
    except Exception:  # a fault of ours: not exit 1, which says that a map returned a wrong result
        traceback.print_exc()
        print(f"mapbench: {command} ended by a fault of its own: please report the lines above", file=sys.stderr)
        return CANNOT


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f"usage: python3 -m judge {'|'.join(COMMANDS)} ...", file=sys.stderr)
        sys.exit(BAD_INPUT)
    sys.exit(run(sys.argv[1], sys.argv[2:]))
