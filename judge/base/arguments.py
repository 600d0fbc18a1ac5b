"""The command lines of judge/: a bad one is refused with one line, as everywhere in mapbench."""
import argparse

from judge.base.common import Refused


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Refused(f"{message}: see {self.prog} --help")
