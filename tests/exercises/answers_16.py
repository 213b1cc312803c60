"""Answers to the exercises of chapter 16: right ones, and classic mistakes with what they are told."""

import numpy as np

# ---------------------------------------------------------------- 16.1


def last(paths, goals):
    return np.sqrt(((paths[:, -1] - goals) ** 2).sum(axis=1))


def one_by_one(paths, goals, within):
    return sum(np.hypot(*(path[-1] - goal)) < within for path, goal in zip(paths, goals, strict=True)) / len(goals)


# ---------------------------------------------------------------- 16.2


def by_matrix(gradient, w2, inner_lr):
    return -inner_lr * (np.eye(len(gradient)) + w2 @ w2.T) @ gradient


def by_moving_both(gradient, w2, inner_lr):
    b, z = np.zeros(len(gradient)), np.ones(w2.shape[1])
    before = b + w2 @ z
    b, z = b - inner_lr * gradient, z - inner_lr * w2.T @ gradient
    return b + w2 @ z - before


# ---------------------------------------------------------------- 16.3


def query_loss(v_in, v_out, w, inner_lr, shown, query):
    o, a = shown
    w = w - inner_lr * np.mean(2 * (v_in * w * o - a) * v_in * o)
    o, a = query
    return np.mean((v_out * w * o - a) ** 2)


def by_differences(v_in, *others):
    h = 1e-5
    return (query_loss(v_in + h, *others) - query_loss(v_in - h, *others)) / (2 * h)


def by_chain_rule(v_in, v_out, w, inner_lr, shown, query, first=1, second=1, at_start=False):
    (o, a), (q, b) = shown, query
    adapted = w if at_start else w - 2 * inner_lr * v_in * np.mean((v_in * w * o - a) * o)
    moved = -2 * inner_lr * (first * np.mean((v_in * w * o - a) * o) + second * v_in * np.mean(w * o**2))
    return 2 * v_out * np.mean((v_out * adapted * q - b) * q) * moved


# ---------------------------------------------------------------- 16.4


def by_angle(places, hues, hue):
    near = np.cos(2 * np.pi * (hues - hue[:, None])).argmax(axis=1)
    return np.array([p[k] for p, k in zip(places, near, strict=True)])


def by_wrapping(places, hues, hue):
    apart = np.abs((hues - hue[:, None] + 0.5) % 1 - 0.5)
    return np.take_along_axis(places, apart.argmin(axis=1)[:, None, None], axis=1)[:, 0]


def at(places, chosen):
    return places[np.arange(len(places)), chosen]


# ---------------------------------------------------------------- right, wrong with a hint, wrong

RIGHT = {
    "16.1": [one_by_one, lambda p, g, d: np.mean(last(p, g) < d)],
    "16.2": [by_matrix, by_moving_both],
    "16.3": [by_chain_rule, by_differences],
    "16.4": [by_angle, by_wrapping],
}

WRONG = {
    "16.1": [
        ("where the path ends", lambda p, g, d: (np.linalg.norm(p - g[:, None], axis=2) < d).any(axis=1).mean()),
        ("take the root", lambda p, g, d: np.mean(((p[:, -1] - g) ** 2).sum(axis=1) < d)),
        ("where it starts", lambda p, g, d: np.mean(last(p[:, :1], g) < d)),
        ("missed", lambda p, g, d: np.mean(last(p, g) >= d)),
        ("either coordinate", lambda p, g, d: np.mean(np.abs(p[:, -1] - g).max(axis=1) < d)),
        ("how many", lambda p, g, d: np.sum(last(p, g) < d)),
        ("mean distance", lambda p, g, d: last(p, g).mean()),
    ],
    "16.2": [
        ("b itself", lambda g, w, lr: -lr * w @ w.T @ g),
        ("z moves too", lambda g, w, lr: -lr * g),
        ("against the gradient", lambda g, w, lr: -by_matrix(g, w, lr)),
        ("once more in front", lambda g, w, lr: -lr * (g + w @ (w.T @ np.ones(len(g))))),
        ("in front of both", lambda g, w, lr: -lr * (g + w @ (lr * w.T @ g))),
        ("left out", lambda g, w, lr: by_matrix(g, w, 1.0)),
    ],
    "16.3": [
        ("first order", lambda *case: 0.0),
        ("twice", lambda *case: by_chain_rule(*case, second=0)),
        ("two terms", lambda *case: by_chain_rule(*case, first=0)),
        ("after the step", lambda *case: by_chain_rule(*case, at_start=True)),
        ("a minus", lambda *case: -by_chain_rule(*case)),
        ("factor of 2", lambda *case: by_chain_rule(*case) / 2),
        ("belongs to the inner step", lambda *case: by_chain_rule(*case) / case[3]),
    ],
    "16.4": [
        ("on a circle", lambda p, hues, h: at(p, np.abs(hues - h[:, None]).argmin(axis=1))),
        ("farthest", lambda p, hues, h: at(p, np.cos(2 * np.pi * (hues - h[:, None])).argmin(axis=1))),
        ("first object", lambda p, hues, h: p[:, 0]),
        ("no object lies", lambda p, hues, h: p.mean(axis=1)),
        ("its place", lambda p, hues, h: np.cos(2 * np.pi * (hues - h[:, None])).argmax(axis=1)),
        ("the largest hue", lambda p, hues, h: at(p, hues.argmax(axis=1))),
    ],
}
ALSO_WRONG = {
    "16.1": [lambda p, g, d: d, lambda p, g, d: np.mean(last(p, g) < 2 * d)],
    "16.2": [lambda g, w, lr: -lr * w.sum(axis=1), lambda g, w, lr: g],
    "16.3": [lambda *case: 1.0, lambda *case: by_chain_rule(*case) * 3],
    "16.4": [lambda p, hues, h: p[:, -1], lambda p, hues, h: -by_angle(p, hues, h)],
}
