"""Checkpoints that the simulated collector and a real one have in common, and how far they agree."""
from collections import namedtuple

import retention

# A checkpoint agrees within SHARE of the real value, or within so many bytes or objects: the noise of a snapshot.
SHARE, BYTES, OBJECTS = 0.01, 8192, 12
QUANTITIES = [("d_heap_alloc", "bytes", BYTES), ("d_heap_objects", "objects", OBJECTS)]
Pair = namedtuple("Pair", "scenario variant label step map engine simulated real")


def pairs_of(data):
    """[Pair] of all checkpoints at the same place of the same case on the simulation and on a real engine."""
    found = []
    simulated = {}
    for case in data.cases.values():
        if case.subject.heap == retention.SIMULATED_HEAP:
            key = case.scenario, case.variant, case.shape, retention.design(case.subject.map), case.subject.n
            simulated[key] = case
    for case in data.cases.values():
        key = case.scenario, case.variant, case.shape, retention.design(case.subject.map), case.subject.n
        other = simulated.get(key) or simulated.get((case.scenario, case.variant, "", *key[3:]))
        if retention.is_real(case.subject) and other is not None:
            for place, point in places(other).items():
                real = places(case).get(place)
                if real is not None and place[0] != retention.BASE:
                    found.append(Pair(case.scenario, case.variant, place[0], place[1], key[3], case.subject.engine, point,
                                      real))
    return found


def places(case):
    """{(label, step, occurrence): point}"""
    found, seen = {}, {}
    for point in case.points:
        place = point["label"], point["step"]
        seen[place] = seen.get(place, 0) + 1
        found[*place, seen[place]] = point
    return found


def values(pair, quantity):
    """(simulated, real), or None where one is not known."""
    both = pair.simulated.get(quantity), pair.real.get(quantity)
    return None if None in both else both


def share_used(pair, quantity, absolute):
    """The difference by what is allowed: up to 1 is agreement. None where a value is not known."""
    both = values(pair, quantity)
    return None if both is None else abs(both[0] - both[1]) / max(SHARE * abs(both[1]), absolute)


def agreement(pairs):
    """{quantity: (agreeing, compared)}"""
    found = {}
    for quantity, _name, absolute in QUANTITIES:
        used = [u for u in (share_used(p, quantity, absolute) for p in pairs) if u is not None]
        found[quantity] = sum(u <= 1 for u in used), len(used)
    return found


def outside(pairs):
    """[(pair, quantity's name, share of the allowance)], the farthest first."""
    found = [(p, name, share_used(p, quantity, absolute)) for quantity, name, absolute in QUANTITIES for p in pairs]
    return sorted((f for f in found if f[2] is not None and f[2] > 1), key=lambda f: -f[2])
