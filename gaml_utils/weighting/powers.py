"""Powers of the tasks' inner products: scores K^p 1, with K = G G^T (chapter 11).

p = 1 is gradient agreement, p = 0 the plain mean, p = -1 divides by the second moment of the tasks' gradients. Scores
are divided by the sum of their absolute values; the weights are uniform where the scores vanish.
"""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaml_utils.checks import check_positive, is_number
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from gaml_utils.weighting.arrays import _or_one, namespace, normalised, row_sums, scaled
from gaml_utils.weighting.gram import weights_of_gram

PRODUCTS = range(2, 9)  # powers that are taken by products; others need eigenvalues


def power_weights(p: float, ridge: float = 0.1) -> "PowerWeights":
    """The rule with scores K^p 1: p = 1 is agreement_weights and p = 0 uniform_weights, both to the last bit.

    K = G G^T is divided by its mean eigenvalue, so that the weights do not depend on the scale of the updates.
    Eigenvalues that are rounding, negative ones among them, count as 0. For p < 0 only, `ridge` is added to them.
    p = -1 then weighs so that sum_i w_i g_i points along (G^T G + r I)^-1 G^T 1, r being `ridge` in units of that
    eigenvalue: the mean gradient preconditioned by the damped second moment of the tasks' gradients, where agreement
    multiplies by that matrix. The matrix inverted is (tasks, tasks) only. Where the updates cancel, the weights are
    uniform. The eigenvalues that XLA computes are right to about 1e-9 in float64, those of others to rounding. For
    p > 1 all is computed in float64, since a power stretches what rounding leaves of long updates that cancel.

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
        if self.p < 1:
            return weights_of_gram(self.scores)(updates)
        xp, updates = namespace(updates)
        doubled = sys.modules["tensorflow"].cast(updates, "float64") if xp is not np else updates.astype(np.float64)
        w = self._by_products(xp, doubled) if self.p in PRODUCTS else weights_of_gram(self.scores)(doubled)
        return w.astype(updates.dtype) if xp is np else sys.modules["tensorflow"].cast(w, updates.dtype)

    def _by_products(self, xp: Any, updates: Any) -> Any:
        """G G^T 1, p times: where long updates cancel, their scores vanish, and K's eigenvalues would not know it."""
        precision = np.finfo(updates.dtype.name)
        g, squares = scaled(xp, updates, precision)
        tasks = g.shape[0]
        scores = xp.ones(tasks, g.dtype)
        for k in range(int(self.p)):
            scores = xp.dot(g, xp.dot(scores, g))
            largest = xp.max(xp.abs(scores))
            if k == 0:  # nothing but rounding is left where the updates cancel
                largest = xp.where(largest > tasks * precision.eps * squares, largest, xp.zeros_like(largest))
                scores = xp.where(largest > 0, scores, xp.zeros_like(scores))
            scores = scores / _or_one(xp, largest)  # so that nothing overflows
        return normalised(xp, scores, 0.0, precision)

    def scores(self, xp: Any, K: Any) -> Any:
        """K^p 1, (tasks,), up to a factor; zeros where the updates cancel, so that K 1 is nothing but rounding.

        K: (tasks, tasks), symmetric and finite.
        """
        tasks, linalg = K.shape[0], np.linalg if xp is np else sys.modules["tensorflow"].linalg
        eps, identity = np.finfo(K.dtype.name).eps, xp.eye(tasks, dtype=K.dtype)
        squares = xp.sum(K * identity)  # sum_i |g_i|^2
        cancel = xp.sum(xp.abs(row_sums(xp, K))) <= tasks * eps * squares
        K = K / _or_one(xp, squares / tasks)
        powered = self._powered(xp, linalg, K, identity)
        return xp.where(cancel, xp.zeros_like(powered), powered)

    def _powered(self, xp: Any, linalg: Any, K: Any, identity: Any) -> Any:
        """K^p 1 for a K whose mean eigenvalue is 1."""
        tasks, precision = K.shape[0], np.finfo(K.dtype.name)
        solvable = self.ridge > 1000 * tasks * precision.eps  # far above rounding, so that no digit of it is lost
        if self.p == -1 and solvable:  # no eigenvalues: XLA's take long
            return linalg.solve(K + self.ridge * identity, xp.ones((tasks, 1), K.dtype))[:, 0]
        values, vectors = linalg.eigh(K)
        values = xp.where(values > tasks * precision.eps * xp.max(values), values, xp.zeros_like(values))
        if self.p < 0:
            values = values + max(self.ridge, float(precision.tiny))
            powers = (values / xp.min(values)) ** self.p  # the largest is 1: nothing overflows
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


def diagonal_weights(updates: np.ndarray, p: float = -1.0, ridge: float = 0.1) -> np.ndarray:
    """power_weights with K's diagonal alone: lengths count, and what tasks have in common does not. p < 0.

    Scores (|g_i|^2 / mean + ridge)^p, over their sum; uniform if all updates are 0. (tasks, parameters) -> (tasks,).
    """
    squares = np.einsum("tp,tp->t", updates, updates)
    s = (squares / (squares.mean() or 1.0) + ridge) ** p
    return s / s.sum()
