"""Updates as arrays of NumPy or tensors of TensorFlow: one code for both, checked, scaled and normalised.

Row i of `updates` is task i's update, theta - theta'_i: its whole displacement in the inner loop.
"""

import sys
from typing import Any

import numpy as np

from gaml_utils.checks import as_numbers


def namespace(updates: Any) -> tuple[Any, Any]:
    """The array library that `updates` belongs to, and `updates` as one of its arrays, checked."""
    tf = sys.modules.get("tensorflow")
    if tf is not None and isinstance(updates, tf.Tensor | tf.Variable):
        if not updates.dtype.is_floating:
            raise ValueError(f"updates should be floats (tasks, parameters), got dtype {updates.dtype.name}")
        _check_shape(tuple(updates.shape))
        return tf.experimental.numpy, tf.convert_to_tensor(updates)
    if not (type(updates) is np.ndarray and updates.dtype == np.float32):
        updates = as_numbers("updates", updates, "an array (tasks, parameters)")
    _check_shape(updates.shape)
    return np, updates


def normalised(xp: Any, scores: Any, squares: Any, precision: np.finfo) -> Any:
    """Scores, (tasks,), over the sum of their absolute values; uniform where they vanish against sum_i |g_i|^2.

    squares: that sum; 0 where only scores that are all 0 count as vanished.
    """
    tasks, total = scores.shape[0], xp.sum(xp.abs(scores))
    agree = total > tasks * precision.eps * squares  # else nothing but rounding is left
    return xp.where(agree, scores / xp.where(agree, total, 1.0), 1.0 / tasks)


def row_sums(xp: Any, rows: Any) -> Any:
    """The sum of each row, (rows, columns) -> (rows,): a product, which XLA does many times faster than its own sum."""
    return xp.dot(rows, xp.ones(rows.shape[1], rows.dtype))


def scaled(xp: Any, updates: Any, precision: np.finfo) -> tuple[Any, Any]:
    """The updates, scaled where a product could overflow or vanish, and sum_i |g_i|^2."""
    squares = np.vdot(updates, updates) if xp is np else xp.sum(row_sums(xp, updates * updates))

    def by_largest() -> tuple[Any, Any]:
        largest = xp.maximum(xp.max(updates), -xp.min(updates))  # NaN or infinite if any entry is
        check_finite(xp, largest)
        g = updates * (1 / xp.where(largest > precision.tiny, largest, 1.0))
        return g, xp.sum(row_sums(xp, g * g))

    safe = (precision.tiny**0.5 < squares) & (squares < precision.max**0.5)
    if xp is np:
        return (updates, squares) if safe else by_largest()
    return sys.modules["tensorflow"].cond(safe, lambda: (updates, squares), by_largest)


def check_finite(xp: Any, values: Any) -> None:
    """Raise ValueError if an array of updates, or of their entries, is not finite."""
    if xp is np and not np.isfinite(values).all():  # a tensor in the making has no values yet
        raise ValueError("updates should hold finite numbers only, got NaN or infinity")


def _check_shape(shape: tuple) -> None:
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"updates should be (tasks, parameters), neither of them 0, got shape {shape}")


def _or_one(xp: Any, value: Any) -> Any:
    """The value, or 1 where it is 0: a divisor."""
    return xp.where(value > 0, value, xp.ones_like(value))
