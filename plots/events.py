"""How events along a curve are drawn: a colour and a mark for each kind, so that they are told apart in grey too."""
from collections import namedtuple

# mpl: marker; filled: or its outline only; gnuplot: pointtype.
EventLook = namedtuple("EventLook", "colour mpl filled gnuplot")
LOOKS = {
    "grow": EventLook("#c4342d", "^", True, 9),
    "evacuate": EventLook("#d98b00", "v", False, 10),   # an old array began to be emptied
    "evacuated": EventLook("#8a5a00", "v", True, 11),   # the old array is gone
    "collect": EventLook("#0072b2", "o", True, 7),
    "fork": EventLook("#7e57c2", "D", True, 13),
}
SPARE_COLOUR, SPARE_MARKS = "#6b6b6b", [("s", True, 5), ("s", False, 4), ("x", True, 2), ("D", False, 12)]


def looks(kinds):
    """{kind: EventLook} in the order of their first occurrence; kinds without a look of their own take a spare one."""
    order = list(dict.fromkeys(kinds))
    spare = [kind for kind in order if kind not in LOOKS]
    return {kind: LOOKS.get(kind) or EventLook(SPARE_COLOUR, *SPARE_MARKS[spare.index(kind) % len(SPARE_MARKS)])
            for kind in order}
