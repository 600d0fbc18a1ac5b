"""The Python packages that are not Python's own: a command asks for those that it uses, when it is about to use them."""
import importlib

# A module, and the Debian package that has it.
PACKAGES = {"numpy": "python3-numpy", "scipy": "python3-scipy", "matplotlib": "python3-matplotlib"}


def why_not(name):
    """Says why a module cannot be imported; None: it can."""
    try:
        importlib.import_module(name)
    except ImportError as error:
        return "is missing" if isinstance(error, ModuleNotFoundError) and error.name == name else f"cannot be imported ({error})"
    return None


def missing(names=tuple(PACKAGES)):
    """Returns a line for each of the modules that cannot be imported, with the package to install: {module: line}."""
    found = {name: why_not(name) for name in names}
    return {name: f"the Python module {name} {why}: make deps ({PACKAGES[name]})" for name, why in found.items() if why}
