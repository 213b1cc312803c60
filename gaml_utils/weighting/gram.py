"""Rules that look at the updates' inner products alone: K = G G^T, (tasks, tasks), G the updates as rows (chapter 11).

K's diagonal holds the squared lengths, K 1 the scores of agreement. K is small, however many parameters there are; it
takes tasks * tasks * parameters multiplications, so rules that need row sums or lengths alone have a quicker way.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gaml_utils.weighting.arrays import namespace, normalised, scaled


def weights_of_gram(scores: Callable[[Any, Any], Any]) -> Callable:
    """A weighting out of a function of the Gram matrix: (tasks, parameters) -> (tasks,), NumPy arrays and tensors.

    scores(xp, K) -> (tasks,): xp is the array library, numpy or TensorFlow's tf.experimental.numpy; K is symmetric and
    finite, (tasks, tasks). The weights are the scores over the sum of their absolute values, uniform where all are 0.
    Where products of updates would overflow or vanish, K is that of scaled updates: scores should not depend on
    the scale of K but for a factor.

        shortest = weights_of_gram(lambda xp, K: 1 / xp.diagonal(K))    # by one over the squared length
    """

    def weighting(updates: Any) -> Any:
        xp, updates = namespace(updates)
        precision = np.finfo(updates.dtype.name)
        g, squares = scaled(xp, updates, precision)
        K = xp.dot(g, xp.transpose(g))
        K = xp.where(xp.isfinite(squares), K, xp.zeros((), g.dtype))  # a decomposition would not take NaN
        found = scores(xp, K)
        if tuple(found.shape) != (K.shape[0],):
            expected = f"one score per task, shape ({K.shape[0]},)"
            raise ValueError(f"scores should return {expected}, got {tuple(found.shape)}")
        return normalised(xp, found, 0.0, precision)

    name = getattr(scores, "__name__", "<lambda>")
    weighting.__name__ = "weighting" if name == "<lambda>" else name  # what saves it could not name a lambda
    return weighting
