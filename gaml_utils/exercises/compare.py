"""Comparing an answer with the right one and with the well-known mistakes."""

import contextlib
import copy
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gaml_utils.exercises.telling import failing_case, named_case, slip

NOT_ATTEMPTED = "not attempted"


@dataclass(frozen=True)
class Exercise:
    """right: the answer, or a function that computes it. cases: for a function, tuples of arguments to try.

    mistakes: {hint: wrong answer}, each of the same kind as `right`. tolerance: relative to the largest number of an
    answer; by default what float32 can hold, with some rounding.
    """

    right: Any
    cases: Sequence[tuple] = ()
    mistakes: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float = 1e-5


def verdict(exercise: Exercise, answer: Any) -> tuple[bool, str]:
    """(is it right, the line to print). Never raises."""
    if answer is None or answer is ...:
        return False, NOT_ATTEMPTED
    if exercise.cases and not callable(answer):
        return False, "this should be a function; pass its name, without calling it."
    if callable(answer) and not exercise.cases:
        return False, "this should be a value, not a function."
    said = io.StringIO()
    theirs: list = []
    try:
        with contextlib.redirect_stdout(said):  # the verdict is the only line printed
            for value in outcomes(answer, exercise.cases):
                theirs.append(value)
    except (Exception, SystemExit) as error:
        case = named_case(answer, exercise.right, exercise.cases[len(theirs)])
        return False, f"your function raised {type(error).__name__}{first_line(error)}{case}"
    if any(value is ... for value in theirs):
        return False, NOT_ATTEMPTED
    if any(value is None for value in theirs):
        instead = "it prints instead" if said.getvalue() else "is the return missing?"
        return False, f"not right: your function returns None; {instead}"
    try:
        return judge(exercise, answer, theirs)
    except Exception:  # an answer that cannot even be compared
        return False, f"not right: numbers were expected, not {type(theirs[0]).__name__}."


def first_line(error: BaseException) -> str:
    """What the error says, if it can be said."""
    try:
        lines = str(error).splitlines()
    except Exception:
        return ""
    return f": {lines[0]}" if lines else ""


def judge(exercise: Exercise, answer: Any, theirs: list) -> tuple[bool, str]:
    """Right, a known mistake, the wrong shape, or the wrong numbers, with a case that shows it: in this order."""
    ours = list(outcomes(exercise.right, exercise.cases))
    fits = [same(a, b, exercise.tolerance) for a, b in zip(theirs, ours, strict=True)]
    if all(fits):
        return True, "right."
    for hint, wrong in exercise.mistakes.items():
        known = list(outcomes(wrong, exercise.cases))
        if all(same(a, b, exercise.tolerance) for a, b in zip(theirs, known, strict=True)):
            return False, f"not right: {hint}"
    for a, b in zip(theirs, ours, strict=True):
        if shapes(a) != shapes(b):
            wanted = "one number is expected" if shapes(b) == () else f"the shape should be {shapes(b)}"
            found = "one number" if shapes(a) == () else f"{shapes(a)}"
            return False, f"not right: {wanted}, not {found}."
        if not np.isfinite(np.concatenate([np.ravel(part) for part in parts(a)])).all():
            return False, "not right: some of the numbers are NaN or infinite."
    pairs = [(flat(a), flat(b)) for a, b in zip(theirs, ours, strict=True)]
    why = slip(pairs)
    return False, f"not right{why}: {failing_case(answer, exercise.right, exercise.cases, theirs, ours, fits)}"


def outcomes(answer: Any, cases: Sequence[tuple]) -> Any:
    """The answer itself, or what it returns on each case; cases are copied, so it may change its arguments."""
    if not cases:
        yield answer
    function: Callable = answer
    for case in cases:
        with np.errstate(all="ignore"):
            value = function(*copy.deepcopy(case))
        yield value


def same(a: Any, b: Any, tolerance: float) -> bool:
    """Equal shapes, and equal numbers up to the tolerance, relative to the largest."""
    if shapes(a) != shapes(b):
        return False
    for part_a, part_b in zip(parts(a), parts(b), strict=True):
        alike = (part_a == part_b) | (np.isnan(part_a) & np.isnan(part_b))
        scale = max(np.abs(part_b[np.isfinite(part_b)]).max(initial=0.0), 1e-12)
        if not np.abs(part_a[~alike] - part_b[~alike]).max(initial=0.0) <= tolerance * scale:
            return False
    return True


def flat(value: Any) -> np.ndarray:
    """All numbers of a value end to end, (n,)."""
    return np.concatenate([np.ravel(part) for part in parts(value)])


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
