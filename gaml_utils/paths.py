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
    check_no_pointer(path)
    return path


POINTER = b"version https://git-lfs.github.com/spec/v1"


def is_pointer(path: pathlib.Path) -> bool:
    """Is it what Git LFS leaves in the place of a large file that was not fetched?"""
    with path.open("rb") as file:
        return file.read(len(POINTER)) == POINTER


def check_no_pointer(path: pathlib.Path) -> None:
    """ValueError, with the remedy, where the file is a pointer of Git LFS."""
    if is_pointer(path):
        raise ValueError(f"{path} should be a file, but is its pointer in Git LFS: run `git lfs pull` in its folder")
