"""Is the reader's machine ready? Chapter 00 asks."""

import sys
from importlib import metadata

from packaging.requirements import Requirement

from gaml_utils.keras_settings import keras_problems

MEND = 'python -m pip install -e ".[keras,lab]" -c constraints.txt'
READERS = ("lab", "keras")  # the extras that a reader of all chapters needs
SAME = {"tensorflow-cpu": "tensorflow", "tensorflow": "tensorflow-cpu"}  # one library under two names


def installed_version(name: str) -> str:
    """Of a package, or of the same library under its other name. Raises PackageNotFoundError."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        if name not in SAME:
            raise
        return metadata.version(SAME[name])


def problems() -> list[str]:
    """What stands in the way, one sentence each with what mends it; empty if all is well."""
    found: list[str] = []
    if sys.version_info[:2] < (3, 11):  # noqa: UP036, whatever pip was told
        version = ".".join(map(str, sys.version_info[:2]))
        found.append(f"Python is {version}: use 3.11, 3.12 or 3.13; `make lab` picks one that is installed.")
    try:
        requirements = [Requirement(r) for r in metadata.requires("gaml-utils") or []]
    except metadata.PackageNotFoundError:
        return [*found, f"gaml_utils is not installed here: in the repository's top folder, run {MEND}"]
    wanted = ("keras",) if "google.colab" in sys.modules else READERS  # Colab is its own Jupyter
    for r in requirements:
        if r.marker is not None and not any(r.marker.evaluate({"extra": extra}) for extra in wanted):
            continue
        try:
            version = installed_version(r.name)
        except metadata.PackageNotFoundError:
            only = " (chapters 00 to 05 do without it)" if r.name.startswith("tensorflow") else ""
            found.append(f"{r.name} is missing{only}: in the repository's top folder, run {MEND}")
            continue
        if version not in r.specifier:
            found.append(f"{r.name} is {version}, the chapters need {r.specifier}: run {MEND}")
    return found + keras_problems()


def check_setup() -> bool:
    """Print what is amiss and how to mend it, or that all is ready. True if it is."""
    found = problems()
    print("\n".join(found) or "Ready: Python and every package are as the chapters need them.")
    return not found
