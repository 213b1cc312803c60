"""Exercises of chapter 11: the dial by singular values, a large matrix inverted through a small one, honest tuning,
and a step of p = -1 from products alone.
"""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(11)

# ---------------------------------------------------------------- 11.1: the dial by singular values


def _factors(S, p, ridge, always=False, scaled=True, power=2.0, inside=True):
    values = S**power
    values = values / values.mean() if scaled else values
    added = ridge if p < 0 or always else 0.0
    return (values + added) ** p if inside else values**p + added


def _dialled(G, p, ridge, sums=None, **options):
    _, S, Vt = np.linalg.svd(G, full_matrices=False)
    total = G.sum(axis=0) if sums is None else sums(G)
    return Vt.T @ (_factors(S, p, ridge, **options) * (Vt @ total))


def _scores(G, p, ridge):
    U, S, _ = np.linalg.svd(G, full_matrices=False)
    return U @ (_factors(S, p, ridge) * U.sum(axis=0))


_dial_cases = [
    (_rng.normal(size=(5, 8)) * scale + 0.4, p, 0.2) for p, scale in ((1, 1.0), (-1, 3.0), (0.5, 0.2), (-0.5, 1.0))
]

# ---------------------------------------------------------------- 11.2: a large matrix through a small one


def _precondition(G, v, lam, sign=-1, inner=None, outer=True, keep=True):
    small = np.linalg.solve(G @ G.T + (lam if inner is None else inner) * np.eye(len(G)), G @ v)
    return (keep * v + sign * G.T @ small) / (lam if outer else 1.0)


_large_cases = [(_rng.normal(size=(4, 9)), _rng.normal(size=9), lam) for lam in (0.5, 3.0)]

# ---------------------------------------------------------------- 11.3: honest tuning


def _tuned(validation, test, summary=None, choose=None):
    """The mean test error of each rule at its own size. summary: of validation, over seeds."""
    means = np.where(np.isnan(validation), np.inf, validation).mean(axis=2) if summary is None else summary(validation)
    best = np.nanargmin(means, axis=1) if choose is None else choose(means)
    return np.array([test[r, k].mean() for r, k in enumerate(best)])


def _without_the_diverged(validation):
    """Their mean over the seeds that are left; NaN where none is."""
    there = ~np.isnan(validation)
    return np.where(there, validation, 0).sum(axis=2) / there.sum(axis=2)


def _one_size(means):
    return np.full(len(means), means.mean(axis=0).argmin())


def _size_of_first(means):
    return np.full(len(means), means[0].argmin())


def _on_test(validation, test):
    return np.array([np.nanmin(errors.mean(axis=1)) for errors in test])


def _lowest_validation(validation, test):
    return np.where(np.isnan(validation), np.inf, validation).mean(axis=2).min(axis=1)


def _each_seed_its_own(validation, test):
    seeds = validation.shape[2]
    best = np.where(np.isnan(validation), np.inf, validation).argmin(axis=1)
    return np.array([np.mean([test[r, best[r, s], s] for s in range(seeds)]) for r in range(len(test))])


_two_rules = (  # the first tuning seed alone would choose another size
    np.array([[[0.5, 0.9], [0.6, 0.6]], [[0.4, 0.4], [0.3, np.nan]]]),
    np.array([[[0.7, 0.8, 0.6], [0.5, 0.65, 0.6]], [[0.42, 0.4, 0.44], [0.3, 0.2, 0.1]]]),
)
_validation = np.array(
    [
        [[0.80, 0.82], [0.50, 0.56], [0.47, 0.53], [0.90, 0.60]],
        [[0.60, 0.62], [0.45, 0.43], [0.39, np.nan], [np.nan, np.nan]],
        [[0.70, 0.72], [0.66, 0.68], [0.64, 0.60], [0.58, 0.62]],
    ]
)
_test = np.array(
    [
        [[0.83, 0.85, 0.84], [0.52, 0.51, 0.50], [0.54, 0.53, 0.55], [0.80, 0.70, 0.75]],
        [[0.61, 0.64, 0.63], [0.46, 0.47, 0.45], [0.41, 0.38, 0.40], [9.00, 9.10, 9.20]],
        [[0.73, 0.71, 0.72], [0.69, 0.68, 0.70], [0.61, 0.63, 0.62], [0.65, 0.66, 0.64]],
    ]
)

# ---------------------------------------------------------------- 11.4: from products alone


def _matrix(times_K, tasks):
    return np.stack([times_K(row) for row in np.eye(tasks)], axis=1)


def _solve(times_K, tasks, lam, b=1.0):
    return np.linalg.solve(_matrix(times_K, tasks) + lam * np.eye(tasks), np.full(tasks, b))


def _normalised(times_K, tasks, lam):
    x = _solve(times_K, tasks, lam)
    return x / np.abs(x).sum()


class Products:
    """K v for a K that stays hidden."""

    def __init__(self, K: np.ndarray) -> None:
        self._K = K

    def __call__(self, v: np.ndarray) -> np.ndarray:
        """(tasks,) -> (tasks,)."""
        return self._K @ np.asarray(v, dtype=np.float64)


def _product_case(tasks, lam):
    G = _rng.normal(size=(tasks, 12)) + 0.5
    return Products(G @ G.T), tasks, lam


_product_cases = [_product_case(5, 0.7), _product_case(8, 4.0)]

EXERCISES = {
    "11.1": Exercise(
        _dialled,
        cases=_dial_cases,
        mistakes={
            "the factor is sigma^(2p): K has the squares of the singular values.": lambda *case: _dialled(
                *case, power=1.0
            ),
            "the ridge is for p < 0 alone.": lambda *case: _dialled(*case, always=True),
            "divide the squares by their mean first, so that the ridge is in units of it.": lambda *case: _dialled(
                *case, scaled=False
            ),
            "add the ridge before you take the power.": lambda *case: _dialled(*case, inside=False),
            "those are the scores, one per task; asked is the direction, one number per parameter.": _scores,
            "that starts from the mean gradient; K^p 1 starts from the sum.": lambda *case: _dialled(
                *case, sums=lambda G: G.mean(axis=0)
            ),
            "that is the sum of the gradients itself: p does nothing yet.": lambda G, p, ridge: G.sum(axis=0),
        },
    ),
    "11.2": Exercise(
        _precondition,
        cases=_large_cases,
        mistakes={
            "the first term is missing: outside the tasks' span the inverse leaves v / lam.": lambda *case: (
                _precondition(*case, keep=False)
            ),
            "that is the push-through form; it needs a vector of the form G^T c, and v is any vector.": lambda G, v, lam: (
                G.T @ np.linalg.solve(G @ G.T + lam * np.eye(len(G)), G @ v)
            ),
            "divide by lam: without gradients the inverse of lam I is I / lam.": lambda *case: _precondition(
                *case, outer=False
            ),
            "the second term is subtracted: along the tasks' gradients the step gets shorter.": lambda *case: (
                _precondition(*case, sign=1)
            ),
            "lam is missing in the small matrix.": lambda *case: _precondition(*case, inner=0.0),
            "that multiplies by the matrix; asked is its inverse.": lambda G, v, lam: G.T @ (G @ v) + lam * v,
        },
    ),
    "11.3": Exercise(
        _tuned,
        cases=[_two_rules, (_validation, _test)],
        mistakes={
            "the size is chosen on the test errors; choose on validation, report the test.": _on_test,
            "a diverged training was left out of its mean; a size that diverges is no choice.": lambda *case: _tuned(
                *case, summary=_without_the_diverged
            ),
            "that is one size for all rules; each has its own.": lambda *case: _tuned(*case, choose=_one_size),
            "that gives all rules the size that suits the first; each has its own.": lambda *case: _tuned(
                *case, choose=_size_of_first
            ),
            "those are the validation errors at the best sizes; they were used to choose.": _lowest_validation,
            "the size is chosen for each seed alone; take the mean over the tuning seeds first.": _each_seed_its_own,
        },
    ),
    "11.4": Exercise(
        _solve,
        cases=_product_cases,
        tolerance=1e-6,
        mistakes={
            "the ridge is missing: solve with K + lam I.": lambda f, tasks, lam: _solve(f, tasks, 0.0),
            "those are agreement's scores, K 1; asked is the solution x of (K + lam I) x = 1.": lambda f, tasks, lam: f(
                np.ones(tasks)
            ),
            "that multiplies by K + lam I; asked is the solution.": lambda f, tasks, lam: f(np.ones(tasks)) + lam,
            "that is normalised already; asked is x itself.": _normalised,
            "the right-hand side is 1 for each task, not 1 / tasks.": lambda f, tasks, lam: _solve(
                f, tasks, lam, 1 / tasks
            ),
            "x is the vector of ones divided by its own product; that solves another equation.": lambda f, tasks, lam: (
                1 / (f(np.ones(tasks)) + lam)
            ),
        },
    ),
}
