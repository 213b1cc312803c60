"""Answers to the exercises of chapter 10: right ones, classic mistakes, other wrong ones. Plain loops, for the most."""

import math
import statistics

import numpy as np
from scipy import stats

# ---------------------------------------------------------------- 10.1


def gram(n, c, diagonal=1.0):
    """Inner products of gradients with these lengths and one cosine."""
    return [[(diagonal if i == j else c) * a * b for j, b in enumerate(n)] for i, a in enumerate(n)]


def row_sums(K):
    return np.array([sum(row) for row in K])


def shares(s):
    return np.array(s) / sum(abs(v) for v in s)


def gradients(n, c):
    """Rows with exactly these lengths and cosines: the root of their Gram matrix."""
    values, vectors = np.linalg.eigh(np.array(gram(np.ones(len(n)), c)))
    return np.diag(n) @ vectors @ np.diag(np.sqrt(np.maximum(values, 0)))


def agreement_of_rows(n, c):
    g = gradients(n, c)
    return shares(g @ g.sum(axis=0))


def score_loop(n, c, own=lambda a: a * a, product=lambda a, b, c: c * a * b):
    return [own(a) + sum(product(a, b, c) for j, b in enumerate(n) if j != i) for i, a in enumerate(n)]


# ---------------------------------------------------------------- 10.2


def share_negative(T, sigma):
    return stats.norm.cdf(-1 / (sigma * math.sqrt(T - 1)))


def search(p, sigma, chance=share_negative, start=2):
    T = start
    while chance(T + 1, sigma) <= p:
        T += 1
    return T


def by_formula(p, sigma, cut=math.floor, more=1):
    return cut(more + (sigma * stats.norm.isf(p)) ** -2)


# ---------------------------------------------------------------- 10.3


def holm_loop(p, first=None, running=True, cap=True):
    found, largest = [0.0] * len(p), 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        value = ((len(p) if first is None else first) - rank) * p[i]
        largest = max(largest, value) if running else value
        found[i] = min(1.0, largest) if cap else largest
    return found


def holm_by_definition(p):
    """The largest factor times p among all that are not above it."""
    rank = {v: k for k, v in enumerate(sorted(p))}
    return [min(1.0, max((len(p) - rank[q]) * q for q in p if q <= v)) for v in p]


def turned_round(p):
    found, largest = [0.0] * len(p), 0.0
    for rank, i in enumerate(np.argsort(p)):
        largest = max(largest, (rank + 1) * p[i])
        found[i] = min(1.0, largest)
    return found


# ---------------------------------------------------------------- 10.4


def worst_by_loop(e, best=False):
    k = len(e[0]) // 10
    return [statistics.fmean(sorted(row, reverse=not best)[:k]) for row in e]


def percent(a, b):
    return 100 * (statistics.fmean(a) - statistics.fmean(b)) / statistics.fmean(b)


def worst_change(a, b, **options):
    return percent(worst_by_loop(a, **options), worst_by_loop(b, **options))


def worst_by_partition(a, b):
    k = a.shape[1] // 10
    tops = [np.partition(e, -k, axis=1)[:, -k:].sum() for e in (a, b)]
    return 100 * tops[0] / tops[1] - 100


def tasks_of_b(a, b):
    k = b.shape[1] // 10
    chosen = [np.argsort(row)[-k:] for row in b]
    return percent(*([row[c].mean() for row, c in zip(e, chosen, strict=True)] for e in (a, b)))


def together(a, b):
    k = a.size // 10
    return percent(*(sorted(e.ravel())[-k:] for e in (a, b)))


RIGHT = {
    "10.1": [
        lambda n, c: shares(row_sums(gram(n, c))),
        agreement_of_rows,
        lambda n, c: shares((1 - c) * n**2 + c * n * np.sum(n)).tolist(),
    ],
    "10.2": [search, by_formula, lambda p, sigma: np.floor(1 + 1 / (sigma**2 * stats.norm.ppf(p) ** 2))],
    "10.3": [holm_loop, holm_by_definition],
    "10.4": [worst_change, worst_by_partition],
}

WRONG = {
    "10.1": [
        ("those are the scores", lambda n, c: row_sums(gram(n, c))),
        ("the self term is missing", lambda n, c: shares(row_sums(gram(n, c, diagonal=0)))),
        ("among its own others", lambda n, c: shares(row_sums(gram(n, c, diagonal=1 + c)))),
        ("has the factor c too", lambda n, c: shares(row_sums(gram(n, c, diagonal=c)))),
        ("squared lengths alone", lambda n, c: shares(row_sums(gram(n, 0)))),
        ("the task's own multiplies", lambda n, c: shares(score_loop(n, c, product=lambda a, b, c: c * b))),
        ("as being of length 1", lambda n, c: shares(score_loop(n, c, product=lambda a, b, c: c * a))),
        ("those are cosine weights", lambda n, c: shares(row_sums(gram(np.ones(len(n)), c)))),
    ],
    "10.2": [
        ("the number of the others", lambda p, sigma: search(p, sigma) - 1),
        ("one too many", lambda p, sigma: search(p, sigma) + 1),
        ("a whole number", lambda p, sigma: by_formula(p, sigma, cut=lambda v: v)),
        ("the root of T - 1", lambda p, sigma: math.floor(1 + 1 / (sigma * stats.norm.isf(p)))),
        ("one side only", lambda p, sigma: by_formula(p / 2, sigma)),
        ("not a variance", lambda p, sigma: math.floor(1 + 1 / (sigma * stats.norm.isf(p) ** 2))),
        ("the density", lambda p, sigma: math.floor(1 + (sigma * stats.norm.pdf(p)) ** -2)),
    ],
    "10.3": [
        ("Bonferroni", lambda p: [min(1.0, len(p) * v) for v in p]),
        ("running maximum", lambda p: holm_loop(p, running=False)),
        ("above 1", lambda p: holm_loop(p, cap=False)),
        ("in the order of p", lambda p: sorted(holm_loop(p))),
        ("turned round", turned_round),
        ("one less", lambda p: holm_loop(p, first=len(p) - 1)),
        ("Benjamini", lambda p: stats.false_discovery_control(p)),
    ],
    "10.4": [
        ("in percent, please", lambda a, b: worst_change(a, b) / 100),
        (
            "mean of the seeds' changes",
            lambda a, b: statistics.fmean(
                100 * (x / y - 1) for x, y in zip(worst_by_loop(a), worst_by_loop(b), strict=True)
            ),
        ),
        ("mean over all tasks", lambda a, b: percent(a.mean(axis=1), b.mean(axis=1))),
        ("the best tenth", lambda a, b: worst_change(a, b, best=True)),
        ("worst under b", tasks_of_b),
        ("all seeds' tasks together", together),
        ("from a to b", lambda a, b: worst_change(b, a)),
        ("in percent of a's number", lambda a, b: -worst_change(b, a)),
        ("where the worst tenth begins", lambda a, b: percent(*(np.quantile(e, 0.9, axis=1) for e in (a, b)))),
        ("divide by b's", lambda a, b: np.mean(worst_by_loop(a)) - np.mean(worst_by_loop(b))),
    ],
}

ALSO_WRONG = {
    "10.1": [lambda n, c: n / n.sum(), lambda n, c: shares(1 / n**2), lambda n, c: -shares(row_sums(gram(n, c)))],
    "10.2": [lambda p, sigma: 25, lambda p, sigma: search(1 - p, sigma, chance=lambda T, s: 1.0 * (T > 40))],
    "10.3": [lambda p: p, lambda p: [1.0] * len(p), lambda p: [1 - (1 - v) ** len(p) for v in p]],
    "10.4": [
        lambda a, b: percent(*(np.median(e, axis=1) for e in (a, b))),
        lambda a, b: percent(*(e.max(axis=1) for e in (a, b))),
    ],
}
