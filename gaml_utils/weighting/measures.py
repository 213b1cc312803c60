"""How unequal are the tasks' losses, and one weight per task that makes them less so (chapter 13).

Jamal and Qi 2019 (arXiv:1805.07722) add lambda I(l_1, ..., l_T) to the mean loss; I is one of the measures that
economists have for incomes. Its derivative by a task's loss is a weight: above 0 for losses above the mean or so,
below 0 for those below. r_i = l_i / mu below, mu being the mean loss. Every measure is 0 where all losses are equal and
does not depend on their scale, so that sum_i l_i dI/dl_i = 0 (Euler).
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gaml_utils.checks import check_positive, is_number, known
from gaml_utils.weighting.arrays import namespace


class Measure(NamedTuple):
    """A measure I of inequality. r: (tasks,), losses over their mean, above 0; order: its parameter, or None.

    value(xp, r, order) -> (); slope(xp, r, order) -> (tasks,), dI/dl_i times T mu. xp: numpy, or TensorFlow's.
    """

    value: Callable
    slope: Callable
    order: float | None = None  # by default; None: the measure has no order


def _theil(xp: Any, r: Any, order: Any) -> Any:
    return xp.mean(r * xp.log(r))


def _theil_slope(xp: Any, r: Any, order: Any) -> Any:
    return xp.log(r) - _theil(xp, r, order)


def _entropy(xp: Any, r: Any, a: float) -> Any:
    if a == 1:
        return _theil(xp, r, a)
    if a == 0:
        return -xp.mean(xp.log(r))
    return xp.mean(r**a - 1) / (a * (a - 1))


def _entropy_slope(xp: Any, r: Any, a: float) -> Any:
    if a == 1:
        return _theil_slope(xp, r, a)
    if a == 0:
        return 1 - 1 / r
    return (r ** (a - 1) - xp.mean(r**a)) / (a - 1)


def _equivalent(xp: Any, r: Any, e: float) -> Any:
    """Atkinson's m / mu: the equal loss that would count as much as the losses there are."""
    return xp.exp(xp.mean(xp.log(r))) if e == 1 else xp.mean(r ** (1 - e)) ** (1 / (1 - e))


def _atkinson(xp: Any, r: Any, e: float) -> Any:
    return 1 - _equivalent(xp, r, e)


def _atkinson_slope(xp: Any, r: Any, e: float) -> Any:
    m = _equivalent(xp, r, e)
    return m - (m / r) ** e


def _gini(xp: Any, r: Any, order: Any) -> Any:
    return xp.mean(xp.abs(r[:, None] - r)) / 2


def _gini_slope(xp: Any, r: Any, order: Any) -> Any:
    return xp.mean(xp.sign(r[:, None] - r), axis=1) - _gini(xp, r, order)  # sign(0) = 0: losses that are equal


def _variance(xp: Any, r: Any, order: Any) -> Any:
    logs = xp.log(r)
    return xp.mean((logs - xp.mean(logs)) ** 2)


def _variance_slope(xp: Any, r: Any, order: Any) -> Any:
    logs = xp.log(r)
    return 2 * (logs - xp.mean(logs)) / r


MEASURES = {
    "theil": Measure(_theil, _theil_slope),
    "generalised entropy": Measure(_entropy, _entropy_slope, order=2.0),  # half the squared coefficient of variation
    "atkinson": Measure(_atkinson, _atkinson_slope, order=1.0),
    "gini": Measure(_gini, _gini_slope),
    "variance of logs": Measure(_variance, _variance_slope),
}


def inequality(losses: Any, measure: str = "theil", order: float | None = None) -> Any:
    """How unequal losses are, (): 0 where they are equal, and larger the more they differ.

    losses: (tasks,) or (tasks, 1), at least 0; a tensor gives a tensor. measure: a name in MEASURES. order: the a of
    the generalised entropy GE(a), 2 if not given, or the e of Atkinson's measure, 1 if not given.
    Where logarithms would not be finite, a loss of 0 counts as a rounding error of the mean. All zeros are equal.
    Raises ValueError for another measure or order, and for losses that are negative or not finite.
    """
    m, order = _checked(measure, order)
    xp, r, _ = _relative(losses)
    return m.value(xp, r, order)


def inequality_slopes(losses: Any, measure: str = "theil", order: float | None = None) -> Any:
    """dI/dl_i, (tasks,): arguments and errors as in `inequality`. They are 0 where all losses are 0."""
    m, order = _checked(measure, order)
    xp, r, mean = _relative(losses)
    slopes = m.slope(xp, r, order) / (r.shape[0] * xp.where(mean == 0, xp.ones_like(mean), mean))
    return xp.where(mean == 0, xp.zeros_like(slopes), slopes)


def inequality_weights(measure: str = "theil", strength: float = 1.0, order: float | None = None) -> Callable:
    """The rule w_i = 1/T + strength dI/dl_i, for source="losses": the mean loss and the inequality are lowered at once.

    Jamal and Qi 2019 (arXiv:1805.07722) take the losses before the inner loop; this is our form, after it, which needs
    one weight per task and nothing else. The weights add up to 1 + strength sum_i dI/dl_i, not to 1, and a task whose
    loss is small may have a negative one. dI/dl_i holds 1 / (T mu), so `strength` is in units of the mean loss mu.

    measure, order: as in `inequality`. strength: at least 0. Returns the rule, (tasks, 1) -> (tasks,).
    Raises ValueError for one of them out of range; the rule does for anything but one loss per task.
    """
    return InequalityWeights(measure, strength, order)


@dataclass(frozen=True)
class InequalityWeights:
    """A rule made by inequality_weights; equal to another with the same settings, and saved with a Keras learner."""

    measure: str = "theil"
    strength: float = 1.0
    order: float | None = None

    def __post_init__(self) -> None:
        _checked(self.measure, self.order)
        check_strength(self.strength)

    def __call__(self, losses: Any) -> Any:
        xp, losses = namespace(losses)
        if losses.shape[1] != 1:
            raise ValueError(
                f'weighting by inequality needs losses, (tasks, 1): set source="losses", got {tuple(losses.shape)}'
            )
        uniform = xp.ones(losses.shape[0], losses.dtype) / losses.shape[0]
        if self.strength == 0:
            return uniform
        return uniform + self.strength * inequality_slopes(losses, self.measure, self.order)

    def get_config(self) -> dict:
        """For saving a learner."""
        return {"measure": self.measure, "strength": self.strength, "order": self.order}

    @classmethod
    def from_config(cls, config: dict) -> "InequalityWeights":
        """The rule that get_config describes."""
        return cls(**config)


def check_strength(strength: Any) -> float:
    """How much an inequality counts, a finite number of at least 0; given back."""
    if not (is_number(strength) and strength >= 0):
        raise ValueError(f"strength should be a finite number of at least 0, got {strength!r}")
    return strength


def _checked(measure: str, order: float | None) -> tuple[Measure, float | None]:
    """The measure, and its order, which is the usual one if not given."""
    m = known("measure", measure, MEASURES)
    if m.order is None and order is not None:
        raise ValueError(f"order should be left out: {measure} has none, got {order!r}")
    if order is None:
        return m, m.order
    if measure == "atkinson":
        return m, float(check_positive("order", order))
    if not is_number(order):
        raise ValueError(f"order should be a finite number, got {order!r}")
    return m, float(order)


def _relative(losses: Any) -> tuple[Any, Any, Any]:
    """The array library, r = l / mu, (tasks,), and mu, (); NaN where a tensor holds losses below 0."""
    tf = sys.modules.get("tensorflow")
    if not (tf is not None and isinstance(losses, tf.Tensor | tf.Variable)):
        losses = np.asarray(losses)
        losses = losses if losses.dtype == np.float32 else losses.astype(np.float64)
    if len(losses.shape) not in (1, 2) or 0 in losses.shape or (len(losses.shape) == 2 and losses.shape[1] != 1):
        raise ValueError(f"losses should be (tasks,) or (tasks, 1), at least one, got shape {tuple(losses.shape)}")
    xp, column = namespace(losses[:, None] if len(losses.shape) == 1 else losses)
    column = column[:, 0]
    if xp is np and not (np.isfinite(column).all() and (column >= 0).all()):
        raise ValueError(f"losses should be finite and at least 0, got {column}")
    column = xp.where(xp.min(column) < 0, xp.full_like(column, math.nan), column)
    mean = xp.mean(column)
    r = column / xp.where(mean > 0, mean, xp.ones_like(mean))
    least = float(np.finfo(column.dtype.name if xp is not np else column.dtype).eps)
    r = xp.where(r < least, xp.full_like(r, least), r)  # a loss of 0 has no logarithm
    return xp, xp.where(mean == 0, xp.ones_like(r), r), mean
