"""Means with intervals, paired comparisons, and p values corrected for their number (chapters 02 to 05, 10)."""

import warnings
from typing import NamedTuple

import numpy as np
from scipy import stats

from gaml_utils.checks import as_numbers


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
    values = as_numbers("values", values, "an array (n, ...)")
    if values.ndim == 0 or len(values) < 2:
        raise ValueError(f"values should hold at least 2 along the first axis, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("values should hold finite numbers only, got NaN or infinity")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence should be between 0 and 1, got {confidence!r}")
    with warnings.catch_warnings():  # equal values have an interval of length 0, of which SciPy would warn
        warnings.simplefilter("ignore", RuntimeWarning)
        low, high = stats.ttest_1samp(values, 0.0).confidence_interval(confidence)
    return Interval(values.mean(axis=0), low, high)


class Comparison(NamedTuple):
    """a - b over paired seeds, with its interval of that confidence. found: the interval leaves out 0."""

    difference: float
    low: float
    high: float
    pairs: int
    found: bool
    confidence: float = 0.95

    def __str__(self) -> str:
        share = f"{100 * self.confidence:.3g}% interval"
        text = f"{self.difference:+.3f}, {share} [{self.low:+.3f}, {self.high:+.3f}], {self.pairs} pairs"
        return text if self.found else text + ": no difference found"


def paired_comparison(a: np.ndarray, b: np.ndarray, confidence: float = 0.95) -> Comparison:
    """Does a differ from b? Student t interval on the differences of paired runs.

    a, b: (pairs,), entry i of both from seed i. confidence: 1 - 0.05 / n for one of n comparisons that are read
    together. Raises ValueError if the shapes differ or pairs < 2.
    """
    a, b = (as_numbers(name, values, "an array (pairs,)") for name, values in (("a", a), ("b", b)))
    if a.shape != b.shape or a.ndim != 1 or len(a) < 2:
        raise ValueError(f"a and b should be (pairs,), entry i of both from one seed, got {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("a and b should hold finite numbers only, got NaN or infinity")
    mean, low, high = (float(v) for v in mean_interval(a - b, confidence))
    return Comparison(mean, low, high, len(a), not low <= 0 <= high, confidence)


def holm(p: list[float]) -> np.ndarray:
    """p values corrected for their number: Holm 1979, Scandinavian Journal of Statistics 6, section 3."""
    found = as_numbers("p", p, "a list")
    order = np.argsort(found)
    stepped = np.minimum(1.0, np.maximum.accumulate(found[order] * np.arange(len(found), 0, -1)))
    return stepped[np.argsort(order)]
