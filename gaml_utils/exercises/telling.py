"""What a check says of wrong numbers: a slip that explains all of them, and the smallest case that shows one."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

SHOWN = 12  # entries of an array that are printed; of a larger one the shape, or the first entry that is wrong
CLOSE = 2e-3  # relative: numbers that were rounded


def slip(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> str:
    """One slip that explains all the numbers, in words, or "". pairs: for each case (theirs, right), each (n,)."""
    a, b = (np.concatenate(side) for side in zip(*pairs, strict=True))
    scale = np.abs(b).max(initial=0.0)
    if len(a) < 2 or scale == 0:
        factor = float(a[0] / b[0]) if len(a) == 1 and scale else np.nan
        return " (the sign is turned round)" if factor == -1 else ""
    if np.abs(a - b).max() <= CLOSE * scale:
        return " (it is close: was something rounded?)"
    factor = float(a @ b / (b @ b))
    if np.abs(a - factor * b).max() <= 1e-6 * scale * max(abs(factor), 1e-3):
        if abs(factor + 1) < 1e-6:
            return " (the sign is turned round)"
        return "" if factor == 0 else f" (every number is {factor:.4g} times what it should be)"
    if all(np.allclose(np.sort(p), np.sort(q), rtol=1e-6, atol=1e-9 * scale) for p, q in pairs):
        return " (right numbers in another order)"
    if np.ptp(a - b) <= 1e-6 * scale:
        return f" (every number is {np.mean(a - b):+.4g} off)"
    return ""


def failing_case(
    answer: Any, right: Any, cases: Sequence[tuple], theirs: Sequence, ours: Sequence, fits: Sequence[bool]
) -> str:
    """The smallest case with a wrong result: its input, the reader's result and the right one."""
    wrong = [k for k, good in enumerate(fits) if not good]
    k = min(wrong, key=lambda k: size(cases[k]) if cases else 0)
    where = named_case(answer, right, cases[k])[2:-1] + ", " if cases else ""
    return where + difference(theirs[k], ours[k])


def difference(a: Any, b: Any) -> str:
    """Both, if they are short; else the first entry that is most wrong."""
    if size(a) <= SHOWN:
        return f"yours is {shown(a)}, it should be {shown(b)}."
    if isinstance(b, list | tuple) and any(np.ndim(part) for part in b):
        worst = [np.abs(np.subtract(p, q)).max(initial=0.0) for p, q in zip(a, b, strict=True)]
        k = int(np.argmax(worst))
        return f"part {k} is wrong: {difference(a[k], b[k])}"
    p, q = np.asarray(a, np.float64), np.asarray(b, np.float64)
    place = np.unravel_index(np.abs(p - q).argmax(), q.shape)
    return f"entry {[int(i) for i in place]} of yours is {shown(p[place])}, it should be {shown(q[place])}."


def named_case(answer: Any, right: Any, case: tuple) -> str:
    """ " (with x = 0.3, phase = 1)": the arguments by the names that the reader gave them."""
    names = argument_names(answer, len(case)) or argument_names(right, len(case))
    names = names or [f"argument {k}" for k in range(1, len(case) + 1)]
    told = ", ".join(f"{name} = {shown(value)}" for name, value in zip(names, case, strict=True))
    return f" (with {told})"


def argument_names(function: Callable, count: int) -> list[str] | None:
    """The names of the first `count` arguments; None where a function does not say them."""
    try:
        parameters = list(inspect.signature(function).parameters.values())[:count]
    except (TypeError, ValueError):
        return None
    plain = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return plain if len(plain) == count else None


def size(value: Any) -> int:
    """How many numbers a value holds, those within lists and tuples included."""
    if isinstance(value, list | tuple):
        return sum(map(size, value))
    return int(np.size(value))


def shown(value: Any) -> str:
    """A value in one line: short arrays whole, of longer ones the shape."""
    if callable(value):
        return getattr(value, "__name__", "a function")
    if isinstance(value, bool | np.bool_ | str):
        return repr(value) if isinstance(value, str) else str(bool(value))
    if size(value) > SHOWN:
        shape = getattr(value, "shape", None)
        return f"an array {tuple(shape)}" if shape is not None else f"a list of {len(value)}"
    if isinstance(value, list | tuple) and any(isinstance(v, list | tuple) or np.ndim(v) for v in value):
        return f"[{', '.join(map(shown, value))}]"
    if np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iuf":
        return f"{float(value):.6g}"
    text = np.array2string(np.asarray(value), precision=4, separator=", ", suppress_small=True)
    return " ".join(text.split()).replace("[ ", "[")
