"""Chapter 17 as students answer it."""

import numpy as np
import tensorflow as tf

# ---------------------------------------------------------------- 17.1


def looped(share, total, norm):
    weights = []
    for g in share:
        s = 0.0
        for a, b in zip(g, total, strict=True):
            s += a * b
        weights.append(s / norm)
    return weights


def with_tensors(share, total, norm):
    return tf.linalg.matvec(share, total) / norm


# ---------------------------------------------------------------- 17.2


def in_rounds(size, workers):
    part, sent = size / workers, 0
    for _ in range(2):
        for _ in range(1, workers):
            sent = sent + part
    return sent


# ---------------------------------------------------------------- 17.3


def counting(seconds):
    waiting, all_time = 0.0, 0.0
    for step in seconds:
        longest = max(step)
        for one in step:
            waiting += longest - one
            all_time += longest
    return waiting / all_time


def of_means(seconds):
    return 1 - np.mean(seconds) / np.mean(np.max(seconds, axis=1))


# ---------------------------------------------------------------- 17.4


def taken_off(share, total):
    return [np.dot(g, total) - np.dot(g, g) for g in share]


def by_others(share, total):
    return np.stack([g @ (total - g) for g in share])


def with_einsum(share, total):
    return np.einsum("tp,tp->t", share, total[None] - share)


RIGHT = {
    "17.1": [
        looped,
        with_tensors,
        lambda s, t, n: (t @ s.T) / n,
        lambda s, t, n: tuple(s @ t / n),
        lambda s, t, n: np.float32(s @ t / n),
        lambda s, t, n: s @ (t / n),
        lambda s, t, n: (s * t).sum(1) / n,
    ],
    "17.2": [
        in_rounds,
        lambda size, n: 2 * size * (1 - 1 / n),
        lambda size, n: (2 * n - 2) * (size / n),
        lambda size, n: np.array(in_rounds(size, n)),
        lambda size, n: np.float32(in_rounds(size, n)),
        lambda size, n: tf.constant(in_rounds(size, n)),
    ],
    "17.3": [
        counting,
        of_means,
        lambda s: (s.max(1, keepdims=True) - s).sum() / (s.shape[1] * s.max(1).sum()),
        lambda s: np.float32(of_means(s)),
        lambda s: tf.constant(of_means(s)),
        lambda s: np.average(1 - s.mean(1) / s.max(1), weights=s.max(1)),
    ],
    "17.4": [
        taken_off,
        by_others,
        with_einsum,
        lambda s, t: s @ t - np.diag(s @ s.T),
        lambda s, t: np.float32(by_others(s, t)),
        lambda s, t: tf.constant(by_others(s, t)),
        lambda s, t: tuple(taken_off(s, t)),
    ],
}

WRONG = {
    "17.1": [
        lambda s, t, n: s @ t,
        lambda s, t, n: s @ t / abs(s @ t).sum(),
        lambda s, t, n: s @ t / (s @ t).sum(),
        lambda s, t, n: abs(s @ t) / n,
        lambda s, t, n: s @ s.sum(0) / n,
        lambda s, t, n: s @ (t - s.sum(0)) / n,
        lambda s, t, n: by_others(s, t) / n,
        lambda s, t, n: (s @ t / n) @ s,
        lambda s, t, n: (s @ t / n).sum(),
        lambda s, t, n: s @ t / n**2,
        lambda s, t, n: s @ t / n / len(s),
        lambda s, t, n: np.full(len(s), 1 / len(s)),
        lambda s, t, n: s @ t * n,
        lambda s, t, n: print(s @ t / n),
    ],
    "17.2": [
        lambda size, n: size,
        lambda size, n: 2 * size,
        lambda size, n: n * size,
        lambda size, n: (n - 1) * size,
        lambda size, n: 2 * (n - 1) * size,
        lambda size, n: (n - 1) * size / n,
        lambda size, n: 2 * (n - 1) * size / n * n,
        lambda size, n: size / n,
        lambda size, n: 2 * (n - 1),
        lambda size, n: 2 * n * size / (n + 1),
        lambda size, n: np.log2(n) * size,
        lambda size, n: 2 * (n - 1) * (size // n) + 1,
        lambda size, n: print(in_rounds(size, n)),
    ],
    "17.3": [
        lambda s: 1 - counting(s),
        lambda s: counting(s.T),
        lambda s: np.mean(1 - s.mean(1) / s.max(1)),
        lambda s: 1 - s.mean() / s.max(),
        lambda s: 1 - s.min(1).sum() / s.max(1).sum(),
        lambda s: (s.max(1) - s.min(1)).sum() / s.sum(),
        lambda s: (s.max(1, keepdims=True) - s).sum(),
        lambda s: (s.max(1, keepdims=True) - s).sum() / s.sum(),
        lambda s: (s.max(1, keepdims=True) - s).sum() / s.max(1).sum(),
        lambda s: 1 - s.sum(0).mean() / s.sum(0).max(),
        lambda s: 100 * counting(s),
        lambda s: 1 - s.mean(1) / s.max(1),
        lambda s: print(counting(s)),
    ],
    "17.4": [
        lambda s, t: s @ t,
        lambda s, t: s @ (t - s.sum(0)),
        lambda s, t: s @ t + (s * s).sum(1),
        lambda s, t: s @ t - np.sqrt((s * s).sum(1)),
        lambda s, t: s @ t - (s * s).sum(),
        lambda s, t: s @ s.sum(0) - (s * s).sum(1),
        lambda s, t: (s @ t - (s * s).sum(1)) / abs(s @ t).sum(),
        lambda s, t: by_others(s, t) / abs(by_others(s, t)).sum(),
        lambda s, t: by_others(s, t).sum(),
        lambda s, t: -by_others(s, t),
        lambda s, t: t - s,
        lambda s, t: (s * s).sum(1),
        lambda s, t: by_others(s, t) / len(s),
        lambda s, t: print(by_others(s, t)),
    ],
}
