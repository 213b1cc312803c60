"""Chapter 10 as students answer it."""

import math

import numpy as np
import tensorflow as tf
from scipy.stats import norm


def over(s):
    s = np.asarray(s)
    return s / np.abs(s).sum()


def from_matrix(n, c):
    K = c * np.outer(n, n)
    np.fill_diagonal(K, n**2)
    return over(K.sum(axis=1))


def in_loops(n, c):
    s = [a * a + sum(c * a * b for j, b in enumerate(n) if j != i) for i, a in enumerate(n)]
    total = sum(s)
    return [v / total for v in s]


def from_vectors(n, c):
    """Rows whose inner products are those asked for."""
    C = np.full((len(n), len(n)), c)
    np.fill_diagonal(C, 1.0)
    values, U = np.linalg.eigh(C)
    g = n[:, None] * (U * np.sqrt(np.maximum(values, 0)))
    return over(g @ g.sum(axis=0))


def tasks(p, sigma):
    return math.floor(1 + (1 / (sigma * norm.ppf(p))) ** 2)


def by_search(p, sigma):
    T = 2
    while norm.cdf(-1 / (sigma * math.sqrt(T - 1))) <= p:
        T += 1
    return T - 1


def holm(p):
    order = np.argsort(p)
    found, so_far = np.empty(len(p)), 0.0
    for rank, i in enumerate(order):
        so_far = max(so_far, (len(p) - rank) * p[i])
        found[i] = min(1.0, so_far)
    return found


def holm_vectorised(p):
    order = p.argsort()
    stepped = np.clip(np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order]), None, 1)
    return stepped[order.argsort()]


def holm_by_pairs(p):
    return [min(1, max(q * sum(r >= q for r in p) for q in p if q <= mine)) for mine in p]


def worst(e):
    k = e.shape[1] // 10
    return np.sort(e, axis=1)[:, -k:].mean(axis=1)


def change(a, b):
    return 100 * (worst(a).mean() - worst(b).mean()) / worst(b).mean()


def in_plain_python(a, b):
    def level(e):
        found = []
        for row in e.tolist():
            row = sorted(row, reverse=True)[: len(row) // 10]
            found.append(sum(row) / len(row))
        return sum(found) / len(found)

    return 100 * (level(a) / level(b) - 1)


def of(level):
    return lambda a, b: 100 * (level(a) / level(b) - 1)


RIGHT = {
    "10.1": [
        from_matrix,
        in_loops,
        from_vectors,
        lambda n, c: over(n**2 + c * n * (n.sum() - n)),
        lambda n, c: over(n * ((1 - c) * n + c * n.sum())),
        lambda n, c: tf.constant(from_matrix(n, c)),
        lambda n, c: from_matrix(n, c).astype("float32"),
    ],
    "10.2": [
        tasks,
        by_search,
        lambda p, sigma: float(tasks(p, sigma)),
        lambda p, sigma: np.floor((sigma * norm.isf(p)) ** -2.0) + 1,
        lambda p, sigma: int(1 / (sigma * norm.ppf(1 - p)) ** 2 + 1),
        lambda p, sigma: np.array(tasks(p, sigma)),
    ],
    "10.3": [
        holm,
        holm_vectorised,
        holm_by_pairs,
        lambda p: holm(p).tolist(),
        lambda p: tf.constant(holm(p)),
        lambda p: holm(p).astype("float32"),
    ],
    "10.4": [
        change,
        in_plain_python,
        of(lambda e: np.mean([np.mean(np.sort(row)[-(len(row) // 10) :]) for row in e])),
        of(lambda e: np.partition(e, -(e.shape[1] // 10), axis=1)[:, -(e.shape[1] // 10) :].mean()),
        lambda a, b: np.float32(change(a, b)),
        lambda a, b: tf.constant(change(a, b)),
    ],
}
WRONG = {
    "10.1": [
        lambda n, c: None,
        lambda n, c: over(n),
        lambda n, c: over(1 / n),
        lambda n, c: np.ones(len(n)) / len(n),
        lambda n, c: over(n**2 + c * (n.sum() - n) ** 2),
        lambda n, c: over(n + c * (n.sum() - n)),
        lambda n, c: over(n**2 + c * n * n.mean()),
        lambda n, c: over((1 - c) * n**2 + c * n.sum()),
        lambda n, c: over(n**2 - c * n * (n.sum() - n)),
        lambda n, c: over(n**2 + c**2 * n * (n.sum() - n)),
        lambda n, c: from_matrix(n, c) * len(n),
        lambda n, c: from_matrix(n, c)[::-1],
        lambda n, c: from_matrix(n, 0.1),
        lambda n, c: over(c * n * (n.sum() - n)),
        lambda n, c: from_matrix(n, c) / np.linalg.norm(from_matrix(n, c)),
        lambda n, c: over(n**2 * (1 + c * (len(n) - 1))),
    ],
    "10.2": [
        lambda p, sigma: None,
        lambda p, sigma: tasks(p, sigma) + 1,
        lambda p, sigma: tasks(p, sigma) - 1,
        lambda p, sigma: 1 + (1 / (sigma * norm.ppf(p))) ** 2,
        lambda p, sigma: math.floor(1 + 1 / (sigma * abs(norm.ppf(p)))),
        lambda p, sigma: math.floor(1 + (norm.ppf(p) / sigma) ** 2),
        lambda p, sigma: math.floor(1 + 1 / sigma**2),
        lambda p, sigma: math.floor(1 + (sigma * norm.ppf(p)) ** 2),
        lambda p, sigma: math.floor(1 + (1 / (sigma * norm.cdf(p))) ** 2),
        lambda p, sigma: math.floor(1 + (p / sigma) ** 2),
        lambda p, sigma: tasks(p / 2, sigma),
        lambda p, sigma: tasks(min(2 * p, 0.4999), sigma),
        lambda p, sigma: norm.cdf(-1 / sigma),
        lambda p, sigma: tasks(p, sigma**2),
        lambda p, sigma: tasks(p, sigma) * 2,
    ],
    "10.3": [
        lambda p: None,
        lambda p: p,
        lambda p: len(p) * p,
        lambda p: np.minimum(1, p * (len(p) - 1)),
        lambda p: np.sort(holm(p)),
        lambda p: holm(p)[np.argsort(p)],
        lambda p: 1 - (1 - p) ** len(p),
        lambda p: np.minimum(1, p * (len(p) - np.arange(len(p)))),
        lambda p: holm(p) * 0.5,
        lambda p: holm(p) < 0.05,
        lambda p: np.maximum(holm(p), 0.05),
        lambda p: holm(p)[::-1],
        lambda p: np.minimum(1, p * (1 + np.argsort(np.argsort(p)))),
        lambda p: np.maximum.accumulate(np.minimum(1, len(p) * p)),
        lambda p: np.minimum(1, p * (len(p) - np.argsort(p))),
    ],
    "10.4": [
        lambda a, b: None,
        lambda a, b: change(b, a),
        lambda a, b: change(a, b) / 100,
        lambda a, b: change(a, b) + 100,
        lambda a, b: -change(a, b),
        of(np.mean),
        of(np.max),
        of(lambda e: np.max(e, axis=1).mean()),
        of(np.median),
        of(lambda e: np.quantile(e, 0.9)),
        of(lambda e: np.sort(e, axis=1)[:, : e.shape[1] // 10].mean()),
        of(lambda e: np.sort(e, axis=0)[:, -(e.shape[1] // 10) :].mean()),
        of(lambda e: np.sort(e, axis=1)[:, -10:].mean()),
        of(lambda e: worst(e)[0]),
        of(lambda e: np.median(worst(e))),
        lambda a, b: 100 * np.mean(worst(a) / worst(b) - 1),
        lambda a, b: worst(a).mean() - worst(b).mean(),
    ],
}
