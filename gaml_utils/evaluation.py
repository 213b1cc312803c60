"""How good is an initialisation? Adaptation curves, means with intervals, paired comparisons (chapters 02 to 05)."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from gaml_utils import mlp
from gaml_utils.checks import check_count, check_fit, check_params, check_positive
from gaml_utils.parameters import as_layers, flatten
from gaml_utils.tasks import TaskBatch, check_batch


def adaptation_curve(
    params: list, batch: TaskBatch, inner_lr: float = 0.01, steps: int = 10, activation: str = "relu"
) -> np.ndarray:
    """Each task's query loss after 0, 1, ..., `steps` gradient steps on its support set.

    params: [W1, b1, ...]. batch: TaskBatch of (tasks, points, features), fresh tasks.
    Returns (tasks, steps + 1). Raises ValueError as numpy_meta.adapt does.
    """
    params, batch = check_params(params), check_batch(batch)
    check_fit(params, *batch)
    check_positive("inner_lr", inner_lr)
    check_count("steps", steps, at_least=0)
    fast = np.tile(flatten(params), (len(batch.support_x), 1))
    step = np.empty_like(fast)
    curve = []
    for k in range(steps + 1):
        layers = as_layers(fast, params)
        error = mlp.forward(layers, batch.query_x, activation)[-1] - batch.query_y
        curve.append(np.mean(error**2, axis=(1, 2)))
        if k < steps:
            mlp.gradient(layers, batch.support_x, batch.support_y, activation, as_layers(step, params))
            fast -= inner_lr * step
    return np.stack(curve, axis=1)


class Interval(NamedTuple):
    """A mean and the ends of its confidence interval."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def mean_interval(values: np.ndarray, confidence: float = 0.95) -> Interval:
    """Mean over the first axis with its Student t interval.

    values: (n, ...), independent along the first axis, n at least 2. Returns arrays of shape (...).
    Raises ValueError for n < 2, NaN or infinity, or a confidence outside (0, 1).
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim == 0 or len(values) < 2:
        raise ValueError(f"values should hold at least 2 along the first axis, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("values should hold finite numbers only, got NaN or infinity")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence should be between 0 and 1, got {confidence!r}")
    n = len(values)
    mean = values.mean(axis=0)
    half = stats.t.ppf((1 + confidence) / 2, n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return Interval(mean, mean - half, mean + half)


class Comparison(NamedTuple):
    """a - b over paired seeds. found: the 95% interval of the difference leaves out 0."""

    difference: float
    low: float
    high: float
    pairs: int
    found: bool

    def __str__(self) -> str:
        text = f"{self.difference:+.3f}, 95% interval [{self.low:+.3f}, {self.high:+.3f}], {self.pairs} pairs"
        return text if self.found else text + ": no difference found"


def paired_comparison(a: np.ndarray, b: np.ndarray) -> Comparison:
    """Does a differ from b? Student t interval on the differences of paired runs.

    a, b: (pairs,), entry i of both from seed i. Raises ValueError if the shapes differ or pairs < 2.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1 or len(a) < 2:
        raise ValueError(f"a and b should be (pairs,), entry i of both from one seed, got {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("a and b should hold finite numbers only, got NaN or infinity")
    mean, low, high = (float(v) for v in mean_interval(a - b))
    return Comparison(mean, low, high, len(a), not low <= 0 <= high)
