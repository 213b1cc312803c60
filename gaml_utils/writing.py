"""Files that are written whole or not at all."""

import os
import pathlib
import tempfile
from collections.abc import Callable


def write_whole(path: pathlib.Path, write: Callable[[pathlib.Path], object]) -> None:
    """write(beside) makes a file beside its place, which is then moved there: nobody ever sees a half.

    The folder is made if it is not there. What fails raises, and leaves what was there before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing") as folder:
        beside = pathlib.Path(folder) / path.name  # the name, and so its ending, is the same
        write(beside)
        os.replace(beside, path)


def write_text(path: pathlib.Path, text: str) -> None:
    """A text in UTF-8, its lines ended as they are, whole or not at all."""
    write_whole(path, lambda beside: beside.write_text(text, encoding="utf-8", newline="\n"))
