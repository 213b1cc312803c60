"""Exercises of chapter 10: weights from lengths, signs that flip, Holm's correction, the tasks that are left behind.

In 10.1 any two different tasks have the same cosine; in 10.2 cosines have mean 0, and scores are normal.
"""

import numpy as np
from scipy.stats import norm

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(10)

# ---------------------------------------------------------------- 10.1: weights from lengths and one cosine


def _over_sum(s):
    return s / np.sum(np.abs(s))


def _scores(n, c):
    return n**2 + c * n * (n.sum() - n)


_length_cases = [(np.array([1.0, 2.0, 0.5, 4.0]), 0.1), (_rng.uniform(0.2, 3, 9), 0.35), (_rng.uniform(1, 8, 5), 0.02)]

# ---------------------------------------------------------------- 10.2: how many tasks until signs flip


def _tasks(p, sigma, quantile=norm.ppf, more=1, power=2, cut=np.floor):
    return cut(more + np.abs(1 / (sigma * quantile(p))) ** power)


_flip_cases = [(0.2, 0.3), (0.05, 0.1), (0.33, 0.5), (0.15, 0.05)]

# ---------------------------------------------------------------- 10.3: Holm


def _holm(p, factors=None, climb=np.maximum.accumulate, cap=1.0, back=True):
    order, m = np.argsort(p), len(p)
    factors = np.arange(m, 0, -1) if factors is None else factors(m)
    stepped = np.minimum(cap, climb(p[order] * factors))
    return stepped[np.argsort(order)] if back else stepped


def _benjamini_hochberg(p):
    order, m = np.argsort(p), len(p)
    stepped = np.minimum.accumulate((p[order] * m / np.arange(1, m + 1))[::-1])[::-1]
    return np.minimum(1.0, stepped)[np.argsort(order)]


_p_cases = [(np.array([0.01, 0.04, 0.03, 0.9, 0.012]),), (np.array([0.55, 0.2, 0.6, 0.004]),)]

# ---------------------------------------------------------------- 10.4: the worst tenth


def _worst(e, pick=slice(-1, None)):
    """(seeds,): the mean over a tenth of a seed's tasks; pick: which tenth of them, sorted."""
    tenths = np.sort(e, axis=1).reshape(len(e), 10, -1)
    return tenths[:, pick].mean(axis=(1, 2))


def _change(a, b):
    return 100 * (np.mean(a) / np.mean(b) - 1)


def _same_tasks(a, b):
    """The tasks that are b's worst, for both."""
    k = b.shape[1] // 10
    worst = np.argsort(b, axis=1)[:, -k:]
    return _change(np.take_along_axis(a, worst, 1), np.take_along_axis(b, worst, 1))


def _pooled(e):
    return np.sort(e, axis=None)[-(e.size // 10) :]


def _pair(seeds, tasks):
    level = _rng.uniform(0.5, 3, (seeds, 1))
    b = level * _rng.exponential(size=(seeds, tasks))
    return 0.6 * b + 0.5 * _rng.exponential(size=(seeds, tasks)), b


_worst_cases = [_pair(4, 50), _pair(3, 20)]

EXERCISES = {
    "10.1": Exercise(
        lambda n, c: _over_sum(_scores(n, c)),
        cases=_length_cases,
        mistakes={
            "those are the scores; divide by the sum of their absolute values.": _scores,
            "the self term is missing: a task's cosine with itself is 1.": lambda n, c: _over_sum(_scores(n, c) - n**2),
            "a task is among its own others: its length counts once more, with the cosine c.": lambda n, c: _over_sum(
                n**2 + c * n * n.sum()
            ),
            "the self term has the factor c too, but a task's cosine with itself is 1.": lambda n, c: _over_sum(
                c * n * n.sum()
            ),
            "those are squared lengths alone; the others' part is missing.": lambda n, c: _over_sum(n**2),
            "an inner product has both lengths in it: the task's own multiplies those of the others.": lambda n, c: (
                _over_sum(n**2 + c * (n.sum() - n))
            ),
            "the others' lengths are missing: that counts them as being of length 1.": lambda n, c: _over_sum(
                n**2 + c * n * (len(n) - 1)
            ),
            "those are cosine weights, as if all lengths were 1.": lambda n, c: np.full(len(n), 1 / len(n)),
        },
    ),
    "10.2": Exercise(
        _tasks,
        cases=_flip_cases,
        mistakes={
            "that is T - 1, the number of the others.": lambda p, sigma: _tasks(p, sigma, more=0),
            "one too many: the next whole number up has more than the share p.": lambda p, sigma: _tasks(
                p, sigma, cut=np.ceil
            ),
            "a whole number of tasks, please: the largest that keeps to p.": lambda p, sigma: _tasks(
                p, sigma, cut=lambda value: value
            ),
            "the spread grows with the root of T - 1: square the ratio.": lambda p, sigma: _tasks(p, sigma, power=1),
            "a sign flips on one side only: the quantile of p, not that of p / 2.": lambda p, sigma: _tasks(
                p, sigma, quantile=lambda q: norm.ppf(q / 2)
            ),
            "sigma is a standard deviation, not a variance: it is squared together with the quantile.": lambda p, sigma: (
                np.floor(1 + 1 / (sigma * norm.ppf(p) ** 2))
            ),
            "that is the density of the normal distribution; its quantile is norm.ppf.": lambda p, sigma: _tasks(
                p, sigma, quantile=norm.pdf
            ),
        },
    ),
    "10.3": Exercise(
        _holm,
        cases=_p_cases,
        mistakes={
            "that is Bonferroni's correction: only the smallest is multiplied by the number of all tests.": lambda p: (
                np.minimum(1, len(p) * p)
            ),
            "a corrected value is below that of a smaller p: take the running maximum.": lambda p: _holm(
                p, climb=lambda values: values
            ),
            "some are above 1.": lambda p: _holm(p, cap=np.inf),
            "those are sorted; return them in the order of p.": lambda p: _holm(p, back=False),
            "the factors are turned round: the smallest p has the largest.": lambda p: _holm(
                p, factors=lambda m: np.arange(1, m + 1)
            ),
            "the factors start at one less than the number of tests.": lambda p: _holm(
                p, factors=lambda m: np.arange(m - 1, -1, -1)
            ),
            "that is Benjamini and Hochberg's, which bounds another thing, the share of false discoveries.": _benjamini_hochberg,
        },
    ),
    "10.4": Exercise(
        lambda a, b: _change(_worst(a), _worst(b)),
        cases=_worst_cases,
        mistakes={
            "in percent, please: 100 times as much.": lambda a, b: _change(_worst(a), _worst(b)) / 100,
            "that is the mean of the seeds' changes; take the means over seeds first, then the change.": lambda a, b: (
                100 * np.mean(_worst(a) / _worst(b) - 1)
            ),
            "that is the change of the mean over all tasks.": _change,
            "that is the best tenth: a high error is a bad one.": lambda a, b: _change(
                _worst(a, slice(0, 1)), _worst(b, slice(0, 1))
            ),
            "those are the tasks that are worst under b, for both; each rule has a worst tenth of its own.": _same_tasks,
            "that is a tenth of all seeds' tasks together; take each seed's worst tenth.": lambda a, b: _change(
                _pooled(a), _pooled(b)
            ),
            "that is the change from a to b, in percent of a's.": lambda a, b: _change(_worst(b), _worst(a)),
            "that is in percent of a's number; b is what it changes from.": lambda a, b: -_change(_worst(b), _worst(a)),
            "that is where the worst tenth begins, the 90% quantile; take the mean over that tenth.": lambda a, b: (
                _change(np.quantile(a, 0.9, axis=1), np.quantile(b, 0.9, axis=1))
            ),
            "that is the difference of the two numbers; divide by b's.": lambda a, b: np.mean(_worst(a) - _worst(b)),
        },
    ),
}
