"""One weight per task: (tasks, parameters) -> (tasks,). Derived in chapters 04 and 05.

Row i of `updates` is task i's update, theta - theta'_i: its whole displacement in the inner loop. The
same lines serve NumPy arrays and TensorFlow tensors. The outer gradient treats the weights as constants.
"""

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from gaml_utils.checks import as_numbers


def uniform_weights(updates: Any) -> Any:
    """Every task counts the same, 1/T: plain MAML and plain Reptile.

    updates: (tasks, parameters). Returns (tasks,).
    Raises ValueError if updates is not such an array or holds NaN or infinity.
    """
    xp, updates = namespace(updates)
    check_finite(xp, updates)
    tasks = updates.shape[0]
    return xp.ones(tasks, updates.dtype) / tasks


def agreement_weights(updates: Any) -> Any:
    """A task counts by how well its update agrees with the average update.

    Scores s_i = sum_j g_i . g_j, weights w_i = s_i / sum_k |s_k|, so the absolute weights add up to 1 and
    a task that points against the average gets a negative weight. Eshratifar, Eigen and Pedram 2018
    (arXiv:1810.08178), Algorithm 1. Where the scores vanish (all updates zero, or cancelling one another)
    no task agrees with anything, and the weights are uniform.

    updates: (tasks, parameters). Returns (tasks,).
    Raises ValueError if updates is not such an array or holds NaN or infinity.
    """
    xp, updates = namespace(updates)
    tasks, precision = updates.shape[0], np.finfo(updates.dtype.name)
    g, squares = scaled(xp, updates, precision)                               # weights do not depend on the scale
    scores = xp.dot(g, xp.dot(xp.ones(tasks, g.dtype), g))                     # s_i = g_i . sum_j g_j
    return normalised(xp, scores, squares, precision)


def from_numpy(rule: Callable) -> Callable:
    """A weighting for tensors out of one written in NumPy: (tasks, parameters) -> (tasks,).

    A rule that returns another shape stops the training with an error that says so.
    """

    @functools.wraps(rule)
    def weighting(updates: Any) -> Any:
        tf = sys.modules.get("tensorflow")
        if tf is None or not isinstance(updates, tf.Tensor | tf.Variable):
            return rule(updates)

        def checked(g: np.ndarray) -> np.ndarray:
            w = np.asarray(rule(g), dtype=g.dtype)
            if w.shape != g.shape[:1]:
                raise ValueError(f"weighting should return one weight a task, shape {g.shape[:1]}, got {w.shape}")
            return w

        return tf.ensure_shape(tf.numpy_function(checked, [updates], updates.dtype), updates.shape[:1])

    return weighting


def namespace(updates: Any) -> tuple[Any, Any]:
    """The array library that `updates` belongs to, and `updates` as one of its arrays, checked."""
    tf = sys.modules.get("tensorflow")
    if tf is not None and isinstance(updates, tf.Tensor | tf.Variable):
        _check_shape(tuple(updates.shape))
        return tf.experimental.numpy, tf.convert_to_tensor(updates)
    if getattr(updates, "dtype", None) != np.float32:
        updates = as_numbers("updates", updates, "an array (tasks, parameters)")
    _check_shape(updates.shape)
    return np, updates


def normalised(xp: Any, scores: Any, squares: Any, precision: np.finfo) -> Any:
    """Scores, (tasks,), over the sum of their absolute values; uniform where they vanish against sum_i |g_i|^2."""
    tasks, total = scores.shape[0], xp.sum(xp.abs(scores))
    agree = total > tasks * precision.eps * squares                            # else nothing but rounding is left
    return xp.where(agree, scores / xp.where(agree, total, 1.0), 1.0 / tasks)


def row_sums(xp: Any, rows: Any) -> Any:
    """The sum of each row, (rows, columns) -> (rows,): a product, which XLA does many times faster than its own sum."""
    return xp.dot(rows, xp.ones(rows.shape[1], rows.dtype))


def scaled(xp: Any, updates: Any, precision: np.finfo) -> tuple[Any, Any]:
    """The updates, scaled where a product could overflow or vanish, and sum_i |g_i|^2."""
    squares = np.vdot(updates, updates) if xp is np else xp.sum(row_sums(xp, updates * updates))

    def by_largest() -> tuple[Any, Any]:
        largest = xp.maximum(xp.max(updates), -xp.min(updates))                # NaN or infinite if any entry is
        check_finite(xp, largest)
        g = updates * (1 / xp.where(largest > precision.tiny, largest, 1.0))
        return g, xp.sum(row_sums(xp, g * g))

    safe = (precision.tiny**0.5 < squares) & (squares < precision.max**0.5)
    if xp is np:
        return (updates, squares) if safe else by_largest()
    return sys.modules["tensorflow"].cond(safe, lambda: (updates, squares), by_largest)


def check_finite(xp: Any, values: Any) -> None:
    """Raise ValueError if an array of updates, or of their entries, is not finite."""
    if xp is np and not np.isfinite(values).all():         # a tensor in the making has no values yet
        raise ValueError("updates should hold finite numbers only, got NaN or infinity")


def _check_shape(shape: tuple) -> None:
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"updates should be (tasks, parameters), neither of them 0, got shape {shape}")
