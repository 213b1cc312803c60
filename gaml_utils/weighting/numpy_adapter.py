"""A rule written in NumPy, for tensors (chapter 07)."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np


def tensor_rule(rule: Callable) -> Callable:
    """A weighting for tensors out of one written in NumPy: (tasks, parameters) -> (tasks,).

    A rule that returns another shape stops the training with an error that says so.
    """

    def weighting(updates: Any) -> Any:
        tf = sys.modules.get("tensorflow")
        if tf is None or not isinstance(updates, tf.Tensor | tf.Variable):
            return rule(updates)

        def checked(g: np.ndarray) -> np.ndarray:
            w = np.array(rule(g.copy()), dtype=g.dtype)  # a rule may write into what it is shown
            if w.shape != g.shape[:1]:
                raise ValueError(f"weighting should return one weight per task, shape {g.shape[:1]}, got {w.shape}")
            return w

        return tf.ensure_shape(tf.numpy_function(checked, [updates], updates.dtype), updates.shape[:1])

    named = getattr(rule, "func", rule)  # of a functools.partial
    weighting.__name__, weighting.__doc__ = getattr(named, "__name__", "weighting"), named.__doc__
    return weighting
