"""Where the data lies: beside the package in a checkout, inside it where it is installed from a wheel."""

import pathlib

PACKAGE = pathlib.Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").is_file() else None
DATA = CHECKOUT / "data" if CHECKOUT else PACKAGE / "data"
RESULTS = DATA / "results"
BUILD = (CHECKOUT or pathlib.Path.cwd()) / "build"


def existing(path: pathlib.Path) -> pathlib.Path:
    """The path, if there is such a file; otherwise a FileNotFoundError that says what to do."""
    if not path.is_file():
        raise FileNotFoundError(
            f"{path.name} is missing from {path.parent}: install gaml-utils anew, or restore it with git restore data"
        )
    return path
