"""Other weights for the tasks: agreement's relatives, each (tasks, parameters) -> (tasks,).

All are scores divided by the sum of their absolute values, and uniform where the scores vanish, as agreement_weights.
With K = G G^T, the tasks' inner products, agreement's scores are K 1. The relatives take another power of K, leave out
its diagonal, or shorten the rows of G to length 1. NumPy arrays and TensorFlow tensors, compiled by XLA or not.
"""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaml_utils.checks import check_positive, is_number
from gaml_utils.weighting import (
    agreement_weights,
    check_finite,
    namespace,
    normalised,
    row_sums,
    scaled,
    uniform_weights,
)


def power_weights(p: float, ridge: float = 0.1) -> "PowerWeights":
    """The rule with scores K^p 1: p = 1 is agreement_weights and p = 0 uniform_weights, both to the last bit.

    K = G G^T is divided by its mean eigenvalue, so that the weights do not depend on the scale of the updates.
    Eigenvalues that are rounding, negative ones among them, count as 0. For p < 0 only, `ridge` is added to them.
    p = -1 then weighs so that sum_i w_i g_i points along (G^T G + r I)^-1 G^T 1, r being `ridge` in units of that
    eigenvalue: the mean gradient preconditioned by the damped second moment of the tasks' gradients, where agreement
    multiplies by that matrix. The matrix inverted is (tasks, tasks) only. Where the updates cancel, the weights are
    uniform. The eigenvalues that XLA computes are right to about 1e-9 in float64, those of others to rounding.

    p: any finite number. ridge: above 0. Returns the rule. Raises ValueError if one of them is something else.
    """
    return PowerWeights(p, ridge)


@dataclass(frozen=True)
class PowerWeights:
    """A rule made by power_weights; equal to another of the same p and ridge, and saved with a Keras learner."""

    p: float
    ridge: float = 0.1

    def __post_init__(self) -> None:
        if not is_number(self.p):
            raise ValueError(f"p should be a finite number, got {self.p!r}")
        check_positive("ridge", self.ridge)

    def __call__(self, updates: Any) -> Any:
        if self.p in (0, 1):
            return agreement_weights(updates) if self.p == 1 else uniform_weights(updates)
        xp, updates = namespace(updates)
        precision = np.finfo(updates.dtype.name)
        g, squares = scaled(xp, updates, precision)
        K = xp.where(xp.isfinite(squares), xp.dot(g, xp.transpose(g)), xp.zeros((), g.dtype))    # eigh takes no NaN
        scores = self.scores(xp, K, precision)
        opposed = xp.sum(xp.abs(row_sums(xp, K))) <= K.shape[0] * precision.eps * squares        # so K 1 = 0
        return normalised(xp, xp.where(opposed, 0 * scores, scores), 0 * squares, precision)

    def scores(self, xp: Any, K: Any, precision: np.finfo) -> Any:
        """K^p 1, (tasks,), up to a factor; K (tasks, tasks), symmetric and finite."""
        tasks, linalg = K.shape[0], np.linalg if xp is np else sys.modules["tensorflow"].linalg
        identity = xp.eye(tasks, dtype=K.dtype)
        K = K / _or_one(xp, xp.sum(K * identity) / tasks)
        if self.p == -1 and self.ridge > 1000 * tasks * precision.eps:         # no eigenvalues: XLA's take long
            return linalg.solve(K + self.ridge * identity, xp.ones((tasks, 1), K.dtype))[:, 0]
        values, vectors = linalg.eigh(K)
        values = xp.where(values > tasks * precision.eps * xp.max(values), values, 0 * values)
        if self.p < 0:
            values = values + max(self.ridge, float(precision.tiny))
            powers = (values / xp.min(values)) ** self.p    # the largest is 1: nothing overflows
        else:
            powers = (values / _or_one(xp, xp.max(values))) ** self.p
        return xp.dot(vectors, powers * xp.dot(xp.ones(tasks, K.dtype), vectors))

    def get_config(self) -> dict:
        """For saving with a Keras learner."""
        return {"p": self.p, "ridge": self.ridge}

    @classmethod
    def from_config(cls, config: dict) -> "PowerWeights":
        """The rule that get_config describes."""
        return cls(**config)


def cosine_weights(updates: Any) -> Any:
    """Agreement in direction alone, s_i = sum_j cos(g_i, g_j): agreement_weights of updates of length 1.

    No task counts more, for itself or for others, because its update is long. (Cosines to the mean update would not
    do: long updates settle where the mean points.) An update of zeros has score 0.

    updates: (tasks, parameters). Returns (tasks,). Raises ValueError as agreement_weights.
    """
    xp, updates = namespace(updates)
    largest = xp.max(xp.abs(updates), axis=1)
    check_finite(xp, largest)
    tiny = np.finfo(updates.dtype.name).tiny
    g = updates / xp.where(largest > tiny, largest, xp.ones_like(largest))[:, None]      # its square is in range
    lengths = xp.sqrt(row_sums(xp, g * g))
    return agreement_weights(g / xp.where(lengths > tiny, lengths, xp.ones_like(lengths))[:, None])


def leave_one_out_weights(updates: Any) -> Any:
    """Agreement with the others, s_i = g_i . sum_{j != i} g_j: without the self term |g_i|^2 of chapter 04.

    Updates at right angles agree with no other, however long they are: the weights are uniform.

    updates: (tasks, parameters). Returns (tasks,). Raises ValueError as agreement_weights.
    """
    xp, updates = namespace(updates)
    precision = np.finfo(updates.dtype.name)
    g, squares = scaled(xp, updates, precision)
    others = xp.dot(xp.ones(g.shape[0], g.dtype), g) - g
    return normalised(xp, row_sums(xp, g * others), squares, precision)


def _or_one(xp: Any, value: Any) -> Any:
    """The value, or 1 where it is 0: a divisor."""
    return xp.where(value > 0, value, xp.ones_like(value))
