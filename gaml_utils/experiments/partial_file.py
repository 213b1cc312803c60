"""The file of a run that is not whole yet: what made it in the first line, then a line for each finished training.

One run at a time writes it. A line that is spoiled costs itself alone.
"""

import contextlib
import json
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from filelock import FileLock, Timeout

from gaml_utils.experiments.records import Run, key
from gaml_utils.writing import write_text

WHAT = {
    "config": "with another config",
    "code": "by other code of rules and learners",
    "versions": "with other versions of Python or packages",
}


class Refused(ValueError):
    """This run cannot go on with what is there; the message says why and what to do."""


@contextlib.contextmanager
def alone(path: pathlib.Path) -> Iterator[None]:
    """Hold what only one run may hold, until the block ends or the process does. Raises Refused if another has it."""
    beside = path.with_suffix(".lock")
    lock = FileLock(beside, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise Refused(f"another run is writing {path.name}: wait for it, or look for its process and end it") from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # an open file cannot be removed on Windows
            beside.unlink(missing_ok=True)
        lock.release()


def read_partial(path: pathlib.Path, header: Mapping[str, Any]) -> dict[tuple, Run]:
    """The finished runs by key, and the file put in order: lines that are no runs are dropped. No file, no runs.

    header: what makes this run, a value for each name of WHAT. Raises Refused, and leaves the file as it was, where
    it was made otherwise, or where its first line does not say how it was made.
    """
    if not path.exists():
        return {}
    header, lines = json.loads(json.dumps(header)), path.read_bytes().splitlines()
    first, runs = parsed(lines[0]) if lines else header, [run for run in map(parsed, lines[1:]) if is_run(run)]
    if not (isinstance(first, dict) and header.keys() <= first.keys()):
        if runs or is_run(first):
            raise Refused(
                f"the first line of {path.name} is damaged: it should say by which config, code and versions the "
                f"{len(runs) + is_run(first)} trainings below were made. If they were made as this run is, put this "
                f"line there; else move the file aside: {json.dumps(header)}"
            )
        first = header  # cut off before anything was done
    for name, what in WHAT.items():
        if first[name] != header[name]:
            raise Refused(f"{path.name} was made {what}: finish that run, or move the file aside")
    begin(path, header, runs)
    return {key(run): run for run in runs}


def begin(path: pathlib.Path, header: Mapping[str, Any], runs: Iterable[Run] = ()) -> None:
    """The file with its first line, and these runs, whole or not at all."""
    write_text(path, "".join(json.dumps(line) + "\n" for line in [header, *runs]))


def parsed(line: bytes) -> Any:
    """What a line holds; None if it is not JSON in UTF-8."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def is_run(found: Any) -> bool:
    """Whether this is a finished training: everything that tells it from the others, and how long it took."""
    if not (isinstance(found, dict) and isinstance(found.get("seconds"), int | float)):
        return False
    try:
        hash(key(found))  # type: ignore[arg-type]
    except (KeyError, TypeError):
        return False
    return True


def append(path: pathlib.Path, run: Run) -> None:
    """One finished training, on the disk when this returns. Raises OSError, and leaves the file as it was."""
    line = json.dumps(run).encode() + b"\n"
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            if file.write(line) != len(line):
                raise OSError(f"{path.name} took a part of a line only")
            os.fsync(file.fileno())
        except OSError:
            file.truncate(before)
            raise
