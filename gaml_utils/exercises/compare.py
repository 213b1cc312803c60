"""Comparing an answer with the right one and with the well-known mistakes."""

import contextlib
import copy
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

NOT_ATTEMPTED = "not attempted"


@dataclass(frozen=True)
class Exercise:
    """right: the answer, or a function that computes it. cases: for a function, tuples of arguments to try.

    mistakes: {hint: wrong answer}, each of the same kind as `right`.
    """

    right: Any
    cases: Sequence[tuple] = ()
    mistakes: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float = 1e-7


def verdict(exercise: Exercise, answer: Any) -> tuple[bool, str]:
    """(is it right, the line to print). Never raises."""
    if answer is None or answer is ...:
        return False, NOT_ATTEMPTED
    if exercise.cases and not callable(answer):
        return False, "this should be a function; pass its name, without calling it."
    if callable(answer) and not exercise.cases:
        return False, "this should be a value, not a function."
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # the verdict is the only line printed
            theirs = outcomes(answer, exercise.cases)
    except (Exception, SystemExit) as error:
        return False, f"your function raised {type(error).__name__}{first_line(error)}"
    if any(value is None or value is ... for value in theirs):
        return False, NOT_ATTEMPTED
    try:
        return judge(exercise, theirs)
    except Exception:  # an answer that cannot even be compared
        return False, f"not right: numbers were expected, not {type(theirs[0]).__name__}."


def first_line(error: BaseException) -> str:
    """What the error says, if it can be said."""
    try:
        lines = str(error).splitlines()
    except Exception:
        return ""
    return f": {lines[0]}" if lines else ""


def judge(exercise: Exercise, theirs: list) -> tuple[bool, str]:
    """Right, a known mistake, the wrong shape, or the wrong numbers: in this order."""
    ours = outcomes(exercise.right, exercise.cases)
    if all(same(a, b, exercise.tolerance) for a, b in zip(theirs, ours, strict=True)):
        return True, "right."
    for hint, wrong in exercise.mistakes.items():
        known = outcomes(wrong, exercise.cases)
        if all(same(a, b, exercise.tolerance) for a, b in zip(theirs, known, strict=True)):
            return False, f"not right: {hint}"
    for a, b in zip(theirs, ours, strict=True):
        if shapes(a) != shapes(b):
            return False, f"not right: the shape should be {shapes(b)}, not {shapes(a)}."
        if not np.isfinite(np.concatenate([np.ravel(part) for part in parts(a)])).all():
            return False, "not right: some of the numbers are NaN or infinite."
    return False, "not right: the shape is, but the numbers differ."


def outcomes(answer: Any, cases: Sequence[tuple]) -> list:
    """The answer itself, or what it returns on each case; cases are copied, so it may change its arguments."""
    function: Callable = answer
    with np.errstate(all="ignore"):
        return [function(*copy.deepcopy(case)) for case in cases] if cases else [answer]


def same(a: Any, b: Any, tolerance: float) -> bool:
    """Equal shapes, and equal numbers up to the tolerance, relative to the largest."""
    if shapes(a) != shapes(b):
        return False
    for part_a, part_b in zip(parts(a), parts(b), strict=True):
        scale = max(np.abs(part_b).max(initial=0.0), 1e-12)
        if not np.abs(part_a - part_b).max(initial=0.0) <= tolerance * scale:
            return False
    return True


def parts(value: Any) -> list[np.ndarray]:
    """A number or array as one float64 array; a sequence of arrays of different shapes as several."""
    try:
        return [real(value)]
    except ValueError:
        return [real(v) for v in value]


def real(value: Any) -> np.ndarray:
    """As float64, if these are real numbers; text that looks like one is none."""
    a = np.asarray(value)
    if a.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {a.dtype}")
    return a.astype(np.float64)


def shapes(value: Any) -> tuple:
    """The shape of a value, or of each of its parts."""
    found = [part.shape for part in parts(value)]
    return found[0] if len(found) == 1 else tuple(found)
