"""How all figures look: style, canvas of matplotlib, gnuplot, labels.

`from plots.draw import canvas` loads matplotlib only when something is drawn with it: what a figure states of itself can be
asked where matplotlib is not installed.
"""
import importlib


class Deferred:
    """A module that is imported when something of it is first used."""

    def __init__(self, name):
        self.name = name

    def __getattr__(self, attribute):
        return getattr(importlib.import_module(self.name), attribute)


canvas = Deferred("plots.draw.canvas")
