"""Stands in for `mapbench pair-worker`: the same JSON, its times drawn from a seeded model of noise instead of measured.

The model: each process has an offset between the variants (where its memory came to lie), each round a further one, each
batch its own noise; the machine drifts, alike for neighbours; some batches lose their processor and take longer."""
import math

import numpy

from judge.compare.pairing import CELL


class Noise:
    """Standard deviations are of logarithms: 0.01 is 1 %."""

    def __init__(self, process=0.0075, placement=0.005, batch=0.007, preempted=0.005, drift=0.002, steps=0.0):
        self.process, self.placement, self.batch = process, placement, batch
        self.preempted = preempted  # share of batches
        self.drift = drift          # of one step of the machine's random walk, a step a batch
        self.steps = steps          # chance that the machine's speed jumps by up to a half before a batch


class SimulatedWorker:
    """worker(measurement, seed), as judge.pairing.Worker. effects: {(role, n or None): new / base}, on top of the extra
    work that is asked for."""

    def __init__(self, noise=None, effects=None, placements=("free", "shake", "rebuild"), batches=24, seconds=0.2):
        self.noise, self.effects = noise or Noise(), effects or {}
        self.placements, self.batches, self.seconds = placements, batches, seconds
        self.started = 0

    def effect(self, measurement):
        named = self.effects.get((measurement.role, measurement.cell.n), self.effects.get((measurement.role, None), 1.0))
        return math.log(named) + math.log1p(measurement.extra_percent / 100)

    def __call__(self, measurement, seed):
        self.started += 1
        random, effect = numpy.random.default_rng(seed), self.effect(measurement)
        offset = effect + random.normal(0, self.noise.process)
        rounds = [self.round(random, offset, placement) for placement in self.placements]
        cpu_ns = int(1e6 * 2 * self.batches * len(rounds))
        return {"abi": 1, "workload": measurement.cell.workload, "keys": measurement.cell.keys, "n": measurement.cell.n,
                "seed": seed, "batch_ops": 100000, "clock": "thread_cpu", "extra_percent": measurement.extra_percent,
                "rounds": rounds, "cpu_ns": cpu_ns, "wall_ns": int(cpu_ns * 1.1), "involuntary_switches": 3,
                "pressure_cpu_avg10": 12.5, "steal_ticks": 0, "simulated_s": self.seconds}

    def round(self, random, offset, placement):
        count, noise = 2 * self.batches, self.noise
        starts = "new" if random.random() < 0.5 else "base"
        is_new = (numpy.arange(count) % 2 == 0) == (starts == "new")
        logs = math.log(10.0) + numpy.cumsum(random.normal(0, noise.drift, count)) + random.normal(0, noise.batch, count)
        logs += is_new * (offset + random.normal(0, noise.placement))
        if noise.steps:
            logs += numpy.cumsum((random.random(count) < noise.steps) * random.uniform(-0.4, 0.4, count))
        lost = random.random(count) < noise.preempted
        logs += lost * random.uniform(0, 1, count)
        return {"placement": placement, "starts": starts, "ns_per_op": numpy.exp(logs).tolist(),
                "preempted": lost.astype(int).tolist()}


def role_of_cells(ratio):
    """effects of a true difference in every cell."""
    return {(CELL, None): ratio}
