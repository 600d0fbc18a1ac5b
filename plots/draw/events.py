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
EVACUATION = "Between evacuate and evacuated a map holds two arrays."
SPARE_COLOUR, SPARE_MARKS = "#6b6b6b", [("s", True, 5), ("s", False, 4), ("x", True, 2), ("D", False, 12)]


def looks(kinds):
    """Returns {kind: EventLook} in the order of LOOKS; behind them kinds without a look of their own, which take a spare
    one."""
    found = list(dict.fromkeys(kinds))
    spare = [kind for kind in found if kind not in LOOKS]
    return {kind: look for kind, look in LOOKS.items() if kind in found} | {
        kind: EventLook(SPARE_COLOUR, *SPARE_MARKS[i % len(SPARE_MARKS)]) for i, kind in enumerate(spare)}
