"""The exit codes of every command, read from the program's header, which is the only list of them."""
import re
from pathlib import Path

HEADER = Path(__file__).resolve().parents[2] / "harness" / "run.h"


def codes(header):
    """Reads the members of `enum exit_code`, {name without EXIT_: number}."""
    enum = re.search(r"enum exit_code \{(.*?)\}", header, re.S)
    return {name: int(number) for name, number in re.findall(r"^ *EXIT_(\w+) = (\d+)", enum[1], re.M)}


CODES = codes(HEADER.read_text(encoding="utf-8"))
OK = CODES["OK"]
FAILED = CODES["CHECK_FAILED"]
BAD_INPUT = CODES["USAGE"]
REGRESSION = CODES["REGRESSION"]
CANNOT = CODES["CANNOT"]
UNTRUSTWORTHY = CODES["UNTRUSTWORTHY"]
NOTHING = CODES["NOTHING"]
INTERRUPTED = CODES["INTERRUPTED"]
