"""Answers to the exercises of chapter 12: right ones, and classic mistakes with what they are told."""

import numpy as np

# ---------------------------------------------------------------- 12.1


def task_by_task(G_support, G_query, w, sign=-1):
    total = np.zeros(G_support.shape[1])
    for g, h, w_i in zip(G_support, G_query, w, strict=True):
        total += sign * w_i * g * h
    return total


# ---------------------------------------------------------------- 12.2


def step_by_step(residual, alpha, steps, factor=2):
    phi = 0.0
    for _ in range(steps):
        phi -= alpha * factor * (phi - residual)
    return phi


# ---------------------------------------------------------------- 12.3


def through_the_context(W_phi, delta, alpha):
    phi = -alpha * np.array([row @ delta for row in W_phi])
    return sum(phi_k * row for phi_k, row in zip(phi, W_phi, strict=True))


# ---------------------------------------------------------------- 12.4


def by_vectors(length, angle):
    g = [(r * np.cos(a), r * np.sin(a)) for r, a in zip(length, angle, strict=True)]
    s = [sum(np.dot(p, q) for q in g) for p in g]
    return [v / sum(map(abs, s)) for v in s]


def without_self(r, a):
    g = np.column_stack([r * np.cos(a), r * np.sin(a)])
    K = g @ g.T
    np.fill_diagonal(K, 0)
    s = K.sum(axis=1)
    return s / np.abs(s).sum()


def by_cosine_alone(r, a):
    c = np.array(by_vectors(r, a)) / r
    return c / np.abs(c).sum()


# ---------------------------------------------------------------- right, wrong with a hint, wrong

RIGHT = {
    "12.1": [task_by_task, lambda a, b, w: -np.einsum("t,tp,tp->p", w, a, b)],
    "12.2": [step_by_step, lambda r, alpha, n: r - r * (1 - 2 * alpha) ** n],
    "12.3": [through_the_context, lambda W, d, alpha: -alpha * (W.T @ W) @ d],
    "12.4": [by_vectors],
}

WRONG = {
    "12.1": [
        ("minus the product", lambda *case: task_by_task(*case, sign=1)),
        ("one row per task", lambda a, b, w: -w[:, None] * a * b),
        ("weights are left out", lambda a, b, w: task_by_task(a, b, np.ones(len(w)))),
        ("plain mean", lambda a, b, w: -np.mean(a * b, axis=0)),
        ("do not divide", lambda a, b, w: task_by_task(a, b, w) / len(w)),
        ("belongs to one parameter", lambda a, b, w: [-w_i * (p @ q) for p, q, w_i in zip(a, b, w, strict=True)]),
        ("the book's code", lambda a, b, w: b.T @ w),
        ("belongs to each task", lambda a, b, w: -(a.T @ w) * (b.T @ w)),
    ],
    "12.2": [
        ("as many times", lambda r, alpha, n: n * 2 * alpha * r),
        ("factor of 2", lambda *case: step_by_step(*case, factor=1)),
        ("what is left", lambda r, alpha, n: r - step_by_step(r, alpha, n)),
        ("after many steps", lambda r, alpha, n: r),
        ("that is one step", lambda r, alpha, n: step_by_step(r, alpha, 1)),
        ("too many", lambda r, alpha, n: step_by_step(r, alpha, n + 1)),
        ("the sign", lambda *case: -step_by_step(*case)),
    ],
    "12.3": [
        ("MAML's step", lambda W, d, alpha: -alpha * d),
        ("k numbers", lambda W, d, alpha: -alpha * (W @ d)),
        ("the step descends", lambda W, d, alpha: alpha * W.T @ W @ d),
        ("alpha is missing", lambda W, d, alpha: -W.T @ W @ d),
        ("counts once", lambda W, d, alpha: -(alpha**2) * W.T @ W @ d),
        ("not entry by entry", lambda W, d, alpha: -alpha * np.diag(W.T @ W) * d),
    ],
    "12.4": [
        ("the lengths count too", lambda r, a: by_vectors(np.ones(len(r)), a)),
        ("length times cosine", lambda r, a: by_cosine_alone(r, a)),
        ("self term", lambda r, a: without_self(r, a)),
        ("absolute scores", lambda r, a: np.array(by_vectors(r, a)) / np.sum(by_vectors(r, a))),
        ("uniform weights", lambda r, a: np.ones(len(r)) / len(r)),
        ("keep the sign", lambda r, a: np.abs(by_vectors(r, a))),
    ],
}

ALSO_WRONG = {
    "12.1": [lambda a, b, w: -np.sum(w[:, None] * a * b), lambda a, b, w: -(w @ np.sign(a * b))],
    "12.2": [lambda r, alpha, n: r * (1 - np.exp(-2 * alpha * n)), lambda r, alpha, n: 1 - (1 - 2 * alpha) ** n],
    "12.3": [lambda W, d, alpha: d - alpha * W.T @ W @ d, lambda W, d, alpha: -alpha * W.T @ W],
    "12.4": [lambda r, a: r**2 / np.sum(r**2), lambda r, a: np.cos(a)],
}
