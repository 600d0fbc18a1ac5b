"""What a series of processes amounts to: look, look again where the first says too little, confirm every alarm.

The rule, for each cell by itself:
  1. P processes. Too wide to say anything (see `unclear`): once more P, and a second look at all of them. Each of the
     two looks has half of alpha, so that both together alarm no more often than promised.
  2. An alarm is confirmed, or not, by as many fresh processes as raised it, with one look at the whole of alpha. Its
     floor may have risen in the meantime: the unit's own code is moved and measured beside it.
"""
from dataclasses import dataclass, field

from judge.compare import paired

LOOKS = 2
FLOOR_PERCENT = 1.0          # smaller differences are never called one
BOUND_MOST_PERCENT = 5.0     # a wider `~` is called underpowered instead
MDE_MOST_PERCENT = 10.0
BOUND_WANTED_PERCENT = 2.0   # wider after the first look: look again
SUSPICIOUS_P = 0.05
SECONDS_PER_CELL = 20.0      # no further look that would take a cell, with its confirmation, beyond this

SLOWER, FASTER, SAME, UNDERPOWERED = "slower", "faster", "~", "underpowered"


@dataclass
class Series:
    """The processes of one measurement, in the order they ran: those of the looks, then those that confirm."""
    first: list = field(default_factory=list)
    confirming: list = field(default_factory=list)
    seconds: float = 0.0
    looks: int = 1
    alarmed: int = 0  # 1, -1: the direction of the alarm that was or is to be confirmed
    floor_percent: float = FLOOR_PERCENT
    seconds_most: float = SECONDS_PER_CELL

    def look(self):
        """Judges the first processes; True: there is an alarm to confirm."""
        self.alarmed = paired.alarm(paired.estimate(self.first), self.floor_percent, paired.ALPHA / LOOKS)
        return self.alarmed != 0

    def unclear(self):
        """Tells whether a second look is worth its time."""
        e = paired.estimate(self.first)
        if self.looks >= LOOKS or self.alarmed or e is None:
            return False
        p = paired.p_greater(e)
        wanted = paired.bound_percent(e) > BOUND_WANTED_PERCENT or min(p, 1 - p) < SUSPICIOUS_P
        # twice the processes, and as many again should they alarm
        return wanted and 4 * self.seconds <= self.seconds_most

    def confirmed(self):
        """Tells whether the fresh processes alone find the same difference in the same direction, beyond the floor."""
        return self.alarmed != 0 and self.alarmed == paired.alarm(paired.estimate(self.confirming), self.floor_percent)

    def estimate(self):
        """Estimates a confirmed difference by the processes that confirmed: those that raised the alarm were chosen for being
        large. Any other is estimated by all."""
        return paired.estimate(self.confirming if self.confirmed() else self.first + self.confirming)

    def verdict(self):
        if self.confirmed():
            return SLOWER if self.alarmed > 0 else FASTER
        e = self.estimate()
        if e is None or paired.bound_percent(e) > BOUND_MOST_PERCENT or paired.mde_percent(e) > MDE_MOST_PERCENT:
            return UNDERPOWERED
        return SAME
