"""Answers to the exercises of chapter 17: right ones, and classic mistakes with what they are told."""

import numpy as np


def one_by_one(share, total, norm):
    return [sum(a * b for a, b in zip(g, total, strict=True)) / norm for g in share]


def by_rounds(size, workers):
    sent = 0.0
    for _ in ("add up", "hand around"):
        for _ in range(workers - 1):
            sent += size / workers
    return sent


def step_by_step(seconds):
    waited = whole = 0.0
    for step in seconds:
        waited += sum(max(step) - s for s in step)
        whole += max(step) * len(step)
    return waited / whole


def without(share, total):
    return np.array([g @ (total - g) for g in share])


def lasted(seconds):
    return seconds.max(axis=1).sum() * seconds.shape[1]


RIGHT = {
    "17.1": [one_by_one, lambda share, total, norm: np.einsum("tp,p->t", share, total) / norm],
    "17.2": [by_rounds, lambda size, workers: 2 * size - 2 * size / workers],
    "17.3": [step_by_step, lambda s: (lasted(s) - s.sum()) / lasted(s)],
    "17.4": [without, lambda share, total: (share * (total - share)).sum(axis=1)],
}

WRONG = {
    "17.1": [
        ("those are scores", lambda s, t, n: s @ t),
        ("alone: the norm", lambda s, t, n: s @ t / np.sum(np.abs(s @ t))),
        ("not enough", lambda s, t, n: s @ np.sum(s, axis=0) / n),
        ("may be negative", lambda s, t, n: np.abs(s @ t) / n),
        ("leaves oneself out", lambda s, t, n: without(s, t) / n),
        ("one per task", lambda s, t, n: s.T @ (s @ t) / n),
    ],
    "17.2": [
        ("first half", lambda size, n: (n - 1) / n * size),
        ("all workers send", lambda size, n: n * by_rounds(size, n)),
        ("one round fewer", lambda size, n: size + size),
        ("those are rounds", lambda size, n: 2 * n - 2),
        ("one part", lambda size, n: size / n),
        ("not bits", lambda size, n: 8 * by_rounds(size, n)),
    ],
    "17.3": [
        ("share that computes", lambda s: s.sum() / lasted(s)),
        ("in every step", lambda s: 1 - s.mean() * len(s) / s.sum(axis=0).max()),
        ("add up before", lambda s: np.mean([step_by_step(step[None]) for step in s])),
        ("the axes", lambda s: step_by_step(s.T)),
        ("those are seconds", lambda s: lasted(s) - s.sum()),
        ("once for each worker", lambda s: (lasted(s) - s.sum()) / s.max(axis=1).sum()),
    ],
    "17.4": [
        ("counts oneself", lambda s, t: (s * t).sum(axis=1)),
        ("Only oneself", lambda s, t: s @ (t - sum(s))),
        ("square of the length", lambda s, t: s @ t - np.sqrt((s * s).sum(axis=1))),
        ("not added", lambda s, t: s @ t + (s * s).sum(axis=1)),
        ("those are weights", lambda s, t: without(s, t) / sum(abs(without(s, t)))),
        ("not that of all", lambda s, t: without(s, sum(s))),
    ],
}
ALSO_WRONG = {
    "17.1": [lambda s, t, n: np.ones(len(s)) / n, lambda s, t, n: -(s @ t) / n],
    "17.2": [lambda size, n: size, lambda size, n: 0.0],
    "17.3": [lambda s: 0.5, lambda s: s.mean()],
    "17.4": [lambda s, t: t[: len(s)], lambda s, t: -without(s, t)],
}
