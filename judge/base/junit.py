"""JUnit XML, the form in which CI systems read verdicts."""
from xml.etree import ElementTree

from judge.base.common import write_text

PASSED, FAILURE, ERROR, SKIPPED = "passed", "failure", "error", "skipped"


def suite(name, cases):
    """Returns a testsuite element. cases: (case name, PASSED | FAILURE | ERROR | SKIPPED, message, seconds)."""
    cases = list(cases)
    element = ElementTree.Element("testsuite", name=name, tests=str(len(cases)))
    for attribute, state in (("failures", FAILURE), ("errors", ERROR), ("skipped", SKIPPED)):
        element.set(attribute, str(sum(case[1] == state for case in cases)))
    element.set("time", f"{sum(case[3] for case in cases):.3f}")
    for case, state, message, seconds in cases:
        entry = ElementTree.SubElement(element, "testcase", classname=name, name=case, time=f"{seconds:.3f}")
        if state != PASSED:
            ElementTree.SubElement(entry, state, message=message).text = message
    return element


def write(path, suites):
    root = ElementTree.Element("testsuites")
    root.extend(suites)
    ElementTree.indent(root)
    write_text(path, '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n")
