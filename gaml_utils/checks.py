"""Bad input gets a ValueError that names the argument, says what it was and what it should be.

Each check runs before anything is computed, so nothing is left half-done.
"""

from typing import Any

import numpy as np


def check_count(name: str, value: Any, at_least: int = 1, at_most: int | None = None, what: str = "") -> None:
    """A whole number within bounds; `what` says in words what the upper bound is."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if whole and value >= at_least and (at_most is None or value <= at_most):
        return
    bounds = f"of at least {at_least}" if at_most is None else f"from {at_least} to {at_most}{what}"
    raise ValueError(f"{name} should be a whole number {bounds}, got {value!r}")


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


def check_rng(rng: Any) -> None:
    """A NumPy Generator, and not a seed."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng should be a numpy.random.Generator, got {type(rng).__name__} {rng!r}")


def as_numbers(name: str, array: Any, shape: str) -> np.ndarray:
    """The array as float64; `shape` says in words what it should look like."""
    try:
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError) as error:                 # rows of different lengths, or no numbers
        raise ValueError(f"{name} should be {shape} of numbers: {error}") from None


def check_points(name: str, array: Any) -> np.ndarray:
    """The array as float64 (tasks, points, features), all finite."""
    a = as_numbers(name, array, "an array (tasks, points, features)")
    if a.ndim != 3 or 0 in a.shape:
        raise ValueError(f"{name} should be (tasks, points, features), none of them 0, got shape {a.shape}")
    if not np.isfinite(a).all():
        raise ValueError(f"{name} should hold finite numbers only, got NaN or infinity")
    return a


def check_pair(x_name: str, x: np.ndarray, y_name: str, y: np.ndarray) -> None:
    """x and y hold the same tasks and points."""
    if x.shape[:2] != y.shape[:2]:
        raise ValueError(f"{y_name} should hold the tasks and points of {x_name}, {x.shape[:2]}, got {y.shape[:2]}")


def check_params(params: Any) -> list[np.ndarray]:
    """The parameters [W1, b1, ...] as float64 arrays whose layers chain, all finite."""
    if not isinstance(params, list | tuple) or len(params) == 0 or len(params) % 2:
        raise ValueError("params should be a list [W1, b1, W2, b2, ...]")
    params = [as_numbers("params", p, "a list [W1, b1, W2, b2, ...] of arrays") for p in params]
    width = params[0].shape[0] if params[0].ndim else 0
    for k, (W, b) in enumerate(zip(params[::2], params[1::2], strict=True), start=1):
        if W.ndim != 2 or W.shape[0] != width or b.shape != W.shape[1:]:
            raise ValueError(
                f"params should chain: W{k} (inputs, outputs) with {width} inputs and b{k} (outputs,), "
                f"got shapes {W.shape} and {b.shape}"
            )
        width = W.shape[1]
    if not all(np.isfinite(p).all() for p in params):
        raise ValueError("params should hold finite numbers only, got NaN or infinity")
    return params


def check_fit(params: list, support_x: np.ndarray, support_y: np.ndarray, *query: np.ndarray) -> None:
    """The parameters take the features of x to those of y; the query set has the features of the support set."""
    features, outputs = support_x.shape[-1], support_y.shape[-1]
    if (features, outputs) != (params[0].shape[0], params[-1].shape[0]):
        raise ValueError(
            f"params should take the {features} features of support_x to the {outputs} of support_y, "
            f"but take {params[0].shape[0]} to {params[-1].shape[0]}"
        )
    for name, array, expected in zip(("query_x", "query_y"), query, (features, outputs), strict=False):
        if array.shape[-1] != expected:
            like = name.replace("query", "support")
            raise ValueError(f"{name} should have the {expected} features of {like}, got {array.shape[-1]}")
