"""Answers to the exercises of chapter 11: right ones, classic mistakes, other wrong ones."""

import math

import numpy as np

# ---------------------------------------------------------------- 11.1


def by_eigenvectors(G, p, ridge, exponent=1.0, always=False, scaled=True):
    """Through the large matrix, G^T G, and its eigenvectors."""
    values, vectors = np.linalg.eigh(G.T @ G)
    values = np.clip(values[-len(G) :], 0, None) ** exponent
    vectors = vectors[:, -len(G) :]
    if scaled:
        values = values * len(G) / np.sum(values)
    factors = [(v + ridge * (p < 0 or always)) ** p for v in values]
    return sum(f * (u @ G.sum(axis=0)) * u for f, u in zip(factors, vectors.T, strict=True))


def by_scores(G, p, ridge, direction=True):
    values, vectors = np.linalg.eigh(G @ G.T)
    values = values / np.mean(values) + (ridge if p < 0 else 0)
    s = vectors @ np.diag(values**p) @ vectors.T @ np.ones(len(G))
    return s @ G if direction else s


def ridge_after_the_power(G, p, ridge):
    values, vectors = np.linalg.eigh(G @ G.T)
    powers = (values / np.mean(values)) ** p + (ridge if p < 0 else 0)
    return vectors @ np.diag(powers) @ vectors.T @ np.ones(len(G)) @ G


# ---------------------------------------------------------------- 11.2


def outright(G, v, lam):
    return np.linalg.inv(G.T @ G + lam * np.eye(G.shape[1])) @ v


def woodbury(G, v, lam):
    K = np.array([[a @ b for b in G] for a in G])
    c = np.linalg.solve(K + np.diag([lam] * len(G)), [g @ v for g in G])
    return (v - sum(c_i * g for c_i, g in zip(c, G, strict=True))) / lam


# ---------------------------------------------------------------- 11.3


def tuned_loop(validation, test, diverged=math.inf, judge="test"):
    found = []
    for v, t in zip(validation, test, strict=True):
        means = []
        for errors in v:
            kept = [diverged if math.isnan(e) else float(e) for e in errors]
            kept = [e for e in kept if e is not None]
            means.append(sum(kept) / len(kept) if kept else math.inf)
        best = means.index(min(means))
        found.append(sum(map(float, t[best])) / len(t[best]) if judge == "test" else means[best])
    return found


def at_size(which):
    def answer(validation, test):
        means = np.mean(np.where(np.isnan(validation), np.inf, validation), axis=-1)
        return test[:, which(means)].mean(axis=-1)

    return answer


def seed_by_seed(validation, test):
    filled = np.where(np.isnan(validation), np.inf, validation)
    rules, _, tuning = filled.shape
    return [np.mean([test[r, np.argmin(filled[r, :, s]), s] for s in range(tuning)]) for r in range(rules)]


# ---------------------------------------------------------------- 11.4


def conjugate_gradients(times_K, tasks, lam, ones=1.0):
    x, r = np.zeros(tasks), np.full(tasks, ones)
    p, rr = r.copy(), r @ r
    for _ in range(3 * tasks):
        if rr < 1e-28:
            break
        Ap = times_K(p) + lam * p
        step = rr / (p @ Ap)
        x, r = x + step * p, r - step * Ap
        rr, before = r @ r, rr
        p = r + rr / before * p
    return x


def column_by_column(times_K, tasks, lam):
    K = np.array([times_K(np.eye(tasks)[i]) for i in range(tasks)])
    return list(np.linalg.inv(K + lam * np.eye(tasks)).sum(axis=1))


def over_absolute_sum(x):
    return x / np.abs(x).sum()


# ---------------------------------------------------------------- right, wrong with a hint, wrong

RIGHT = {
    "11.1": [by_eigenvectors, by_scores],
    "11.2": [woodbury, outright],
    "11.3": [tuned_loop, lambda *case: np.array(tuned_loop(*case))],
    "11.4": [conjugate_gradients, column_by_column],
}

WRONG = {
    "11.1": [
        ("sigma^(2p)", lambda *case: by_eigenvectors(*case, exponent=0.5)),
        ("for p < 0 alone", lambda *case: by_eigenvectors(*case, always=True)),
        ("by their mean first", lambda *case: by_eigenvectors(*case, scaled=False)),
        ("before you take the power", ridge_after_the_power),
        ("those are the scores", lambda *case: by_scores(*case, direction=False)),
        ("from the sum", lambda G, *rest: by_scores(G, *rest) / len(G)),
        ("p does nothing yet", lambda G, p, ridge: np.ones(len(G)) @ G),
    ],
    "11.2": [
        ("first term is missing", lambda G, v, lam: outright(G, v, lam) - v / lam),
        ("push-through form", lambda G, v, lam: outright(G, G.T @ (G @ v), lam)),
        ("divide by lam", lambda G, v, lam: lam * outright(G, v, lam)),
        ("is subtracted", lambda G, v, lam: 2 * v / lam - outright(G, v, lam)),
        ("missing in the small matrix", lambda G, v, lam: (v - np.linalg.pinv(G) @ G @ v) / lam),
        ("its inverse", lambda G, v, lam: (G.T @ G + lam * np.eye(len(v))) @ v),
    ],
    "11.3": [
        ("chosen on the test errors", lambda v, t: [min(np.mean(e) for e in rule) for rule in t]),
        ("left out of its mean", lambda *case: tuned_loop(*case, diverged=None)),
        ("one size for all", at_size(lambda means: np.argmin(means.sum(axis=0)))),
        ("suits the first", at_size(lambda means: np.argmin(means[0]))),
        ("used to choose", lambda *case: tuned_loop(*case, judge="validation")),
        ("each seed alone", seed_by_seed),
    ],
    "11.4": [
        ("ridge is missing", lambda f, tasks, lam: conjugate_gradients(f, tasks, 0.0)),
        ("agreement's scores", lambda f, tasks, lam: f(np.ones(tasks))),
        ("multiplies by K + lam I", lambda f, tasks, lam: f(np.ones(tasks)) + lam * np.ones(tasks)),
        ("normalised already", lambda *case: over_absolute_sum(conjugate_gradients(*case))),
        ("not 1 / tasks", lambda f, tasks, lam: conjugate_gradients(f, tasks, lam, ones=1 / tasks)),
        ("another equation", lambda f, tasks, lam: np.ones(tasks) / (f(np.ones(tasks)) + lam)),
    ],
}

ALSO_WRONG = {
    "11.1": [lambda G, p, ridge: by_scores(G, -p, ridge), lambda G, p, ridge: G.mean(axis=0)],
    "11.2": [lambda G, v, lam: v / lam, lambda G, v, lam: outright(G, v, 2 * lam)],
    "11.3": [lambda v, t: t.mean(axis=(1, 2)), lambda v, t: np.nanmax(t, axis=(1, 2))],
    "11.4": [lambda f, tasks, lam: np.ones(tasks) / lam, lambda f, tasks, lam: conjugate_gradients(f, tasks, 2 * lam)],
}
