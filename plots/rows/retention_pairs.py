"""Checkpoints after a forced collection that the simulated collector and a real one have in common, and how far they agree."""
from collections import namedtuple

from plots.rows import retention

# A checkpoint agrees within SHARE of the real value, or within so many bytes or objects: the noise of a snapshot.
SHARE, BYTES, OBJECTS = 0.01, 8192, 12
QUANTITIES = [("d_heap_alloc", "bytes", BYTES), ("d_heap_objects", "objects", OBJECTS)]
Pair = namedtuple("Pair", "scenario variant label step map engine simulated real")


def pairs_of(data):
    """Returns [Pair] of all checkpoints at the same place of the same case on the simulation and on a real engine. An
    engine does not say which shape its map has: that of the simulation, if it ran but one."""
    found, simulated, real = [], {}, []
    for case in data.cases.values():
        key = case.scenario, case.variant, retention.design(case.subject.map), case.subject.n, retention.rules(case.subject)
        if retention.is_real(case.subject):
            real.append((case, key))
        elif case.subject.heap == retention.SIMULATED_HEAP:
            simulated.setdefault(key, {})[case.shape] = case
    for case, key in real:
        shapes = simulated.get(key) or {}
        other = shapes.get(case.shape) or (next(iter(shapes.values())) if len(shapes) == 1 else None)
        for place, point in places(other).items() if other else ():
            same = places(case).get(place)
            if same is not None and place[0] != retention.BASE and collected(point) and collected(same):
                found.append(Pair(case.scenario, case.variant, place[0], place[1], key[2], case.subject.engine, point, same))
    return found


def collected(point):
    """Tells what can be compared: before a forced collection the heap holds what came since the last one by itself, which
    no two collectors do alike."""
    return point.get("after_forced_gc") is not False


def places(case):
    """Returns {(label, step, occurrence): point}"""
    found, seen = {}, {}
    for point in case.points:
        place = point["label"], point["step"]
        seen[place] = seen.get(place, 0) + 1
        found[*place, seen[place]] = point
    return found


def values(pair, quantity):
    """Returns (simulated, real), or None where one is not known."""
    both = pair.simulated.get(quantity), pair.real.get(quantity)
    return None if None in both else both


def share_used(pair, quantity, absolute):
    """Returns the difference by what is allowed: up to 1 is agreement. None where a value is not known."""
    both = values(pair, quantity)
    return None if both is None else abs(both[0] - both[1]) / max(SHARE * abs(both[1]), absolute)


def agreement(pairs):
    """Returns {quantity: (agreeing, compared)}"""
    found = {}
    for quantity, _name, absolute in QUANTITIES:
        used = [u for u in (share_used(p, quantity, absolute) for p in pairs) if u is not None]
        found[quantity] = sum(u <= 1 for u in used), len(used)
    return found


def outside(pairs):
    """Returns [(pair, quantity's name, share of the allowance)], the farthest first."""
    found = [(p, name, share_used(p, quantity, absolute)) for quantity, name, absolute in QUANTITIES for p in pairs]
    return sorted((f for f in found if f[2] is not None and f[2] > 1), key=lambda f: -f[2])
