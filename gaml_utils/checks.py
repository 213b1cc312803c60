"""Bad input gets a ValueError that names the argument, says what it was and what it should be.

Each check runs before anything is computed, so nothing is left half-done.
"""

import numbers
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

Named = TypeVar("Named")
SOURCES = ("updates", "outer", "losses")


def check_source(source: str) -> None:
    """What a weighting is shown: the "updates" theta - theta'_i, the tasks' "outer" directions, or query "losses"."""
    if source not in SOURCES:
        raise ValueError(f"source should be one of {', '.join(map(repr, SOURCES))}, got {source!r}")


def check_count(name: str, value: Any, at_least: int = 1, at_most: int | None = None, what: str = "") -> None:
    """A whole number within bounds; `what` says in words what the upper bound is."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if whole and value >= at_least and (at_most is None or value <= at_most):
        return
    bounds = f"of at least {at_least}" if at_most is None else f"from {at_least} to {at_most}{what}"
    raise ValueError(f"{name} should be a whole number {bounds}, got {value!r}")


def check_flag(name: str, value: Any) -> bool:
    """True or False, given back: 1 is a number in the wrong place."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} should be True or False, got {value!r}")
    return bool(value)


def is_number(value: Any) -> bool:
    """A finite real number; True and False are none."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return number and bool(np.isfinite(value))


def check_positive(name: str, value: Any) -> float:
    """A finite number above 0, given back."""
    if not (is_number(value) and value > 0):
        raise ValueError(f"{name} should be a finite number above 0, got {value!r}")
    return value


def check_range(name: str, value: Any) -> None:
    """(low, high), two finite numbers with low <= high."""
    two = isinstance(value, tuple | list) and len(value) == 2 and all(map(is_number, value))
    if not (two and value[0] <= value[1]):
        raise ValueError(f"{name} should be (low, high), two finite numbers with low <= high, got {value!r}")


def check_rng(rng: Any) -> np.random.Generator:
    """A NumPy Generator, and not a seed; given back."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng should be a numpy.random.Generator, got {type(rng).__name__} {rng!r}")
    return rng


def as_numbers(name: str, array: Any, shape: str) -> np.ndarray:
    """The array as float64; `shape` says in words what it should look like.

    Raises ValueError for what NumPy would turn into numbers in silence: text, dates, complex and masked entries.
    """
    check_no_mask(name, array)
    try:
        found = np.asarray(array)
        if found.dtype.kind in "biuf":
            return found.astype(np.float64, copy=False)
        if found.dtype.kind == "O" and all(isinstance(entry, numbers.Real) for entry in found.flat):
            return found.astype(np.float64)
    except (TypeError, ValueError) as error:  # rows of different lengths, or no numbers
        raise ValueError(f"{name} should be {shape} of numbers: {error}") from None
    raise ValueError(f"{name} should be {shape} of numbers, got dtype {found.dtype}")


def check_no_mask(name: str, array: Any) -> None:
    """Raise ValueError for masked entries, which NumPy would take for numbers."""
    masked = np.ma.is_masked(array)
    if masked or (isinstance(array, list | tuple) and any(map(np.ma.is_masked, array))):
        raise ValueError(f"{name} should have no masked entries: leave them out, or fill them (array.filled)")


def known(name: str, value: str, table: Mapping[str, Named]) -> Named:
    """The entry of that name. ValueError, with the known names, where the table has none: never a default."""
    if not isinstance(value, str) or value not in table:
        raise ValueError(f"{name} should be one of {', '.join(map(repr, table))}, got {value!r}")
    return table[value]
