"""Chapter 11 as students answer it."""

import math

import numpy as np
import tensorflow as tf
from scipy import linalg, optimize


def by_svd(G, p, ridge, power=2, where=lambda p: p < 0, unit=np.mean, start=lambda G: G.sum(axis=0)):
    _, S, Vt = np.linalg.svd(G, full_matrices=False)
    squares = S**power
    squares = squares / unit(squares)
    if where(p):
        squares = squares + ridge
    return Vt.T @ (squares**p * (Vt @ start(G)))


def by_K(G, p, ridge):
    K = G @ G.T
    values, U = np.linalg.eigh(K / (np.trace(K) / len(K)))
    return G.T @ (U @ ((values + (ridge if p < 0 else 0)) ** p * U.sum(axis=0)))


def one_by_one(G, p, ridge):
    U, S, Vt = np.linalg.svd(G, full_matrices=False)
    mean = sum(s * s for s in S) / len(S)
    found = np.zeros(G.shape[1])
    for s, u, v in zip(S, U.T, Vt, strict=True):
        factor = s * s / mean + (ridge if p < 0 else 0.0)
        found += factor**p * s * u.sum() * v
    return found


def by_scores(G, p, ridge):
    K = G @ G.T / (np.sum(G**2) / len(G))
    if p < 0:
        K = K + ridge * np.eye(len(G))
    values, U = np.linalg.eigh(K)
    return (U * values**p @ U.T).sum(axis=1) @ G


def woodbury(G, v, lam):
    return (v - G.T @ np.linalg.solve(G @ G.T + lam * np.eye(len(G)), G @ v)) / lam


def outright(G, v, lam):
    return np.linalg.solve(G.T @ G + lam * np.eye(G.shape[1]), v)


def in_parts(G, v, lam):
    _, S, Vt = np.linalg.svd(G, full_matrices=False)
    inside = Vt @ v
    return Vt.T @ (inside / (S**2 + lam)) + (v - Vt.T @ inside) / lam


def by_cholesky(G, v, lam):
    c = linalg.cho_solve(linalg.cho_factor(G @ G.T + lam * np.eye(len(G))), G @ v)
    return (v - G.T @ c) / lam


def tuned(validation, test, choose=np.argmin, over=lambda errors: np.mean(errors, axis=1), report=np.mean):
    found = []
    for v, t in zip(validation, test, strict=True):
        means = over(np.where(np.isnan(v), np.inf, v))
        found.append(report(t[choose(means)]))
    return np.array(found)


def in_plain_loops(validation, test):
    found = []
    for r in range(len(test)):
        best, size = math.inf, None
        for k, errors in enumerate(validation[r]):
            if any(math.isnan(e) for e in errors):
                continue
            mean = sum(errors) / len(errors)
            if mean < best:
                best, size = mean, k
        found.append(sum(test[r][size]) / len(test[r][size]))
    return found


def with_nan_means(validation, test):
    means = validation.mean(axis=2)
    best = np.nanargmin(means, axis=1)
    return test[np.arange(len(test)), best].mean(axis=1)


def matrix(times_K, tasks):
    return np.column_stack([times_K(e) for e in np.eye(tasks)])


def conjugate_gradients(times_K, tasks, lam, steps=None, ones=1.0):
    x, r = np.zeros(tasks), np.full(tasks, ones)
    d = r.copy()
    for _ in range(2 * tasks if steps is None else steps):
        if np.linalg.norm(r) < 1e-13:
            break
        q = times_K(d) + lam * d
        a = (r @ r) / (d @ q)
        x, new = x + a * d, r - a * q
        d = new + (new @ new) / (r @ r) * d
        r = new
    return x


def outright_solve(times_K, tasks, lam):
    return np.linalg.solve(matrix(times_K, tasks) + lam * np.eye(tasks), np.ones(tasks))


def slowly(times_K, tasks, lam):
    """Gradient descent, patient."""
    x = np.zeros(tasks)
    rate = 1 / (np.linalg.norm(matrix(times_K, tasks), 2) + lam)
    for _ in range(20_000):
        x = x - rate * (times_K(x) + lam * x - 1)
    return x


def by_optimizer(times_K, tasks, lam):
    return optimize.root(lambda x: times_K(x) + lam * x - 1, np.zeros(tasks), tol=1e-12).x


RIGHT = {
    "11.1": [
        by_svd,
        by_K,
        one_by_one,
        by_scores,
        lambda *c: tf.constant(by_svd(*c)),
        lambda *c: by_svd(*c).astype("float32"),
        lambda *c: one_by_one(*c).tolist(),
    ],
    "11.2": [
        woodbury,
        outright,
        in_parts,
        by_cholesky,
        lambda *c: tf.constant(woodbury(*c)),
        lambda G, v, lam: v / lam - G.T @ np.linalg.inv(np.eye(len(G)) + G @ G.T / lam) @ G @ v / lam**2,
    ],
    "11.3": [
        tuned,
        in_plain_loops,
        with_nan_means,
        lambda v, t: tuple(tuned(v, t)),
        lambda v, t: tf.constant(tuned(v, t)),
        lambda v, t: tuned(v, t).astype("float32"),
    ],
    "11.4": [
        conjugate_gradients,
        outright_solve,
        slowly,
        by_optimizer,
        lambda *c: list(conjugate_gradients(*c)),
        lambda f, n, lam: np.linalg.inv(matrix(f, n) + lam * np.eye(n)).sum(axis=1),
    ],
}
WRONG = {
    "11.1": [
        lambda *c: None,
        lambda G, p, ridge: by_svd(G, 2 * p, ridge),
        lambda G, p, ridge: by_svd(G, -p, ridge),
        lambda G, p, ridge: by_svd(G, p, 0.1),
        lambda G, p, ridge: by_svd(G, p, ridge, unit=np.sum),
        lambda G, p, ridge: by_svd(G, p, ridge, unit=np.max),
        lambda G, p, ridge: by_svd(G, p, ridge, where=lambda p: False),
        lambda G, p, ridge: by_svd(G, p, ridge, where=lambda p: p > 0),
        lambda G, p, ridge: by_svd(G, p, ridge, start=lambda G: G[0]),
        lambda *c: by_svd(*c) / np.linalg.norm(by_svd(*c)),
        lambda *c: by_svd(*c) / len(c[0]),
        lambda *c: -by_svd(*c),
        lambda *c: np.abs(by_svd(*c)),
        lambda *c: by_svd(*c)[:, None],
        lambda *c: by_svd(*c).sum(),
        lambda G, p, ridge: by_svd(G - G.mean(axis=0), p, ridge, start=lambda H: G.sum(axis=0)),
    ],
    "11.2": [
        lambda *c: None,
        lambda G, v, lam: v / lam,
        lambda G, v, lam: v,
        lambda G, v, lam: woodbury(G, v, 2 * lam),
        lambda G, v, lam: woodbury(G, v, lam**2),
        lambda G, v, lam: woodbury(G, v, 1.0),
        lambda G, v, lam: woodbury(G, v, lam) * lam**2,
        lambda G, v, lam: -woodbury(G, v, lam),
        lambda G, v, lam: (v - G.T @ (G @ v) / lam) / lam,
        lambda G, v, lam: (v - G.T @ np.linalg.solve(G @ G.T + lam * np.eye(len(G)), np.ones(len(G)))) / lam,
        lambda G, v, lam: np.linalg.lstsq(G, G @ v, rcond=None)[0],
        lambda G, v, lam: G.T @ G @ v + lam * v,
        lambda G, v, lam: np.linalg.pinv(G.T @ G) @ v + v / lam,
        lambda G, v, lam: v / (np.sum(G**2, axis=0) + lam),
        lambda G, v, lam: woodbury(G / len(G), v, lam),
        lambda G, v, lam: np.linalg.solve(G @ G.T + lam * np.eye(len(G)), G @ v),
    ],
    "11.3": [
        lambda *c: None,
        lambda v, t: np.nanmin(t.mean(axis=2), axis=1),
        lambda v, t: np.nanmin(v.mean(axis=2), axis=1),
        lambda v, t: t.mean(axis=(1, 2)),
        lambda v, t: tuned(v, t, choose=np.argmax),
        lambda v, t: tuned(v, t, choose=lambda means: 0),
        lambda v, t: tuned(v, t, choose=lambda means: -1),
        lambda v, t: tuned(v, t, report=np.min),
        lambda v, t: tuned(v, t, report=np.sum),
        lambda v, t: tuned(v, t, report=lambda e: e[0]),
        lambda v, t: tuned(v, t, over=lambda e: e.min(axis=1)),
        lambda v, t: tuned(v, t, over=lambda e: e[:, 0]),
        lambda v, t: tuned(np.nan_to_num(v), t),
        lambda v, t: tuned(v, t).mean(),
        lambda v, t: t[np.arange(len(t)), np.nanargmin(np.nanmean(v[:, :3], axis=2), axis=1)].mean(axis=1),
        lambda v, t: [int(k) for k in np.nanargmin(v.mean(axis=2), axis=1)],
    ],
    "11.4": [
        lambda *c: None,
        lambda f, n, lam: conjugate_gradients(f, n, lam, steps=1),
        lambda f, n, lam: conjugate_gradients(f, n, lam, steps=2),
        lambda f, n, lam: conjugate_gradients(f, n, 2 * lam),
        lambda f, n, lam: conjugate_gradients(f, n, 0.1),
        lambda f, n, lam: -conjugate_gradients(f, n, lam),
        lambda f, n, lam: conjugate_gradients(f, n, lam) * n,
        lambda f, n, lam: conjugate_gradients(f, n, lam).sum(),
        lambda f, n, lam: conjugate_gradients(f, n, lam, ones=lam),
        lambda f, n, lam: np.ones(n) / lam,
        lambda f, n, lam: f(np.ones(n)) + lam * np.ones(n),
        lambda f, n, lam: 1 / (np.diag(matrix(f, n)) + lam),
        lambda f, n, lam: np.ones(n) - lam * f(np.ones(n)),
        lambda f, n, lam: matrix(f, n) + lam * np.eye(n),
        lambda f, n, lam: outright_solve(f, n, lam) / np.linalg.norm(outright_solve(f, n, lam)),
    ],
}
