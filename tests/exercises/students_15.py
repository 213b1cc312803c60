"""Chapter 15 as students answer it."""

import math

import numpy as np
import tensorflow as tf

# ---------------------------------------------------------------- 15.1


def with_loops(features, labels, ways):
    W, b = [], []
    for k in range(ways):
        own = [f for f, y in zip(features, labels, strict=True) if y == k]
        c = sum(own) / len(own)
        W.append(2 * c)
        b.append(-sum(v * v for v in c))
    return W, b


def with_segments(features, labels, ways):
    c = tf.math.unsorted_segment_mean(features, labels, ways)
    return [2 * c, -tf.reduce_sum(c * c, axis=1)]


def with_dots(features, labels, ways):
    c = np.stack([features[labels == k].mean(0) for k in range(ways)])
    return np.add(c, c), -np.array([np.dot(v, v) for v in c])


def centres(f, y, n):
    return np.stack([f[y == k].mean(0) for k in range(n)])


# ---------------------------------------------------------------- 15.2


def with_math(ways, shots, temperature):
    up = shots * math.exp(1 / temperature)
    down = (ways - 1) * shots * math.exp(-1 / temperature)
    return up / (up + down)


def with_tensor(ways, shots, temperature):
    cosines = tf.concat([tf.ones(shots, tf.float64), -tf.ones((ways - 1) * shots, tf.float64)], 0)
    return tf.reduce_sum(tf.nn.softmax(cosines / temperature)[:shots])


def sigmoid_like(ways, shots, temperature):
    return 1 / (1 + math.exp(math.log(ways - 1) - 2 / temperature))


# ---------------------------------------------------------------- 15.3


def by_hand(prototypes, shots, unlabelled):
    new = []
    for k in range(len(prototypes)):
        num, den = shots * prototypes[k], shots
        for u in unlabelled:
            e = [np.exp(-np.sum((u - c) ** 2)) for c in prototypes]
            num = num + e[k] / sum(e) * u
            den = den + e[k] / sum(e)
        new.append(num / den)
    return new


def with_softmax(prototypes, shots, unlabelled):
    c, u = tf.constant(prototypes), tf.constant(unlabelled)
    z = tf.nn.softmax(-tf.reduce_sum((u[:, None] - c) ** 2, axis=2), axis=1)
    return (shots * c + tf.matmul(z, u, transpose_a=True)) / (shots + tf.reduce_sum(z, axis=0))[:, None]


def with_average(prototypes, shots, unlabelled):
    d = ((unlabelled[:, None] - prototypes) ** 2).sum(2)
    z = np.exp(-d) / np.exp(-d).sum(1, keepdims=True)
    rows = []
    for k, c in enumerate(prototypes):
        rows.append(np.average(np.vstack([c, unlabelled]), axis=0, weights=np.r_[shots, z[:, k]]))
    return np.array(rows)


# ---------------------------------------------------------------- 15.4


def looped(decay, heads, steps):
    s = 1
    t = 0
    while t < steps:
        s = s * decay + heads + heads
        t += 1
    return s


def geometric(decay, heads, steps):
    return decay**steps + 2 * heads * sum(decay**k for k in range(steps))


def with_rows(decay, heads, steps):
    usage = np.zeros(8)
    usage[0] = 1
    for _ in range(steps):
        usage = decay * usage
        usage[:heads] += 1
        usage[2] += heads
    return usage.sum()


def beside(W, b):
    return np.concatenate([np.asarray(W), np.asarray(b)[:, None]], axis=1)


RIGHT = {
    "15.1": [
        lambda f, y, n: beside(*with_loops(f, y, n)),
        lambda f, y, n: beside(*with_segments(f, y, n)),
        lambda f, y, n: beside(*with_dots(f, y, n)),
        lambda f, y, n: tf.concat([2 * centres(f, y, n), -(centres(f, y, n) ** 2).sum(1, keepdims=True)], axis=1),
        lambda f, y, n: np.float32(np.c_[2 * centres(f, y, n), -(centres(f, y, n) ** 2).sum(1)]),
        lambda f, y, n: np.c_[2 * centres(f, y, n), -(centres(f, y, n) ** 2).sum(1)].tolist(),
        lambda f, y, n: [np.append(2 * c, -c @ c) for c in centres(f, y, n)],
    ],
    "15.2": [
        with_math,
        with_tensor,
        sigmoid_like,
        lambda n, k, t: np.float32(with_math(n, k, t)),
        lambda n, k, t: np.array(with_math(n, k, t)),
        lambda n, k, t: with_math(n, 1, t),
        lambda n, k, t: 1 - (n - 1) / (n - 1 + np.exp(2 / t)),
    ],
    "15.3": [
        by_hand,
        with_softmax,
        with_average,
        lambda c, k, u: with_average(c, k, u).tolist(),
        lambda c, k, u: with_average(c, k, u).astype("float32"),
        lambda c, k, u: tuple(with_average(c, k, u)),
        lambda c, k, u: by_hand(np.array(c), k, list(u)),
    ],
    "15.4": [
        looped,
        geometric,
        with_rows,
        lambda d, h, n: np.float32(looped(d, h, n)),
        lambda d, h, n: tf.constant(looped(d, h, n)),
        lambda d, h, n: d**n * (1 - 2 * h / (1 - d)) + 2 * h / (1 - d),
        lambda d, h, n: looped(d, h, n) if n else 1.0,
    ],
}

WRONG = {
    "15.1": [
        lambda f, y, n: np.c_[centres(f, y, n), -(centres(f, y, n) ** 2).sum(1)],
        lambda f, y, n: np.c_[2 * centres(f, y, n), (centres(f, y, n) ** 2).sum(1)],
        lambda f, y, n: np.c_[2 * centres(f, y, n), np.zeros(n)],
        lambda f, y, n: np.c_[2 * centres(f, y, n), -np.linalg.norm(centres(f, y, n), axis=1)],
        lambda f, y, n: np.c_[-2 * centres(f, y, n), -(centres(f, y, n) ** 2).sum(1)],
        lambda f, y, n: np.c_[2 * centres(f, y, n), -(centres(f, y, n) ** 2).sum(1)].T,
        lambda f, y, n: 2 * centres(f, y, n),
        lambda f, y, n: np.c_[2 * centres(f, y, n), -(centres(f, y, n) ** 2).mean(1)],
        lambda f, y, n: np.c_[2 * f, -(f**2).sum(1)],
        lambda f, y, n: np.c_[2 * centres(f, y, n)[::-1], -(centres(f, y, n) ** 2).sum(1)],
        lambda f, y, n: np.c_[centres(f, y, n), -(centres(f, y, n) ** 2).sum(1) / 2],
        lambda f, y, n: np.c_[2 * centres(f, y, n), -2 * (centres(f, y, n) ** 2).sum(1)],
        lambda f, y, n: (2 * centres(f, y, n), -(centres(f, y, n) ** 2).sum(1)),
        lambda f, y, n: print(2 * centres(f, y, n)),
    ],
    "15.2": [
        lambda n, k, t: 1 / n,
        lambda n, k, t: with_math(n, k, 1.0),
        lambda n, k, t: with_math(n, k, 1 / t),
        lambda n, k, t: 1 - with_math(n, k, t),
        lambda n, k, t: -math.log(with_math(n, k, t)),
        lambda n, k, t: math.exp(1 / t) / (math.exp(1 / t) + (n - 1)),
        lambda n, k, t: math.exp(1 / t) / (math.exp(1 / t) + n * math.exp(-1 / t)),
        lambda n, k, t: math.exp(1 / t) / (math.exp(1 / t) + (n - 1) * k * math.exp(-1 / t)),
        lambda n, k, t: math.exp(1 / t),
        lambda n, k, t: 100 * with_math(n, k, t),
        lambda n, k, t: with_math(n, k, t) / k if k > 1 else 0.0,
        lambda n, k, t: 0.65,
        lambda n, k, t: with_math(n, k, t) + 0.02,
        lambda n, k, t: print(with_math(n, k, t)),
    ],
    "15.3": [
        lambda c, k, u: c,
        lambda c, k, u: with_average(c, 0, u),
        lambda c, k, u: with_average(c, 1, u) if k > 1 else c,
        lambda c, k, u: with_average(c, k, u) * 2,
        lambda c, k, u: with_average(c, k, u) - c,
        lambda c, k, u: (c + with_average(c, 0, u)) / 2,
        lambda c, k, u: np.mean(u, axis=0),
        lambda c, k, u: with_average(c, k, u).T,
        lambda c, k, u: with_average(c, k, with_average(c, k, u)),
        lambda c, k, u: with_average(with_average(c, k, u), k, u),
        lambda c, k, u: np.stack([np.vstack([c[j : j + 1], u]).mean(0) for j in range(len(c))]),
        lambda c, k, u: with_average(c, k, u)[::-1],
        lambda c, k, u: with_average(c, len(u), u),
        lambda c, k, u: print(with_average(c, k, u)),
    ],
    "15.4": [
        lambda d, h, n: 2 * h / (1 - d),
        lambda d, h, n: looped(d, h, n - 1),
        lambda d, h, n: looped(d, h, n + 1),
        lambda d, h, n: looped(d, h, n) - d**n,
        lambda d, h, n: looped(d, 1, n),
        lambda d, h, n: 1 + 2 * h * n,
        lambda d, h, n: d**n + h * sum(d**k for k in range(n)),
        lambda d, h, n: d**n,
        lambda d, h, n: 2 * h,
        lambda d, h, n: looped(d, h, n) / h if h > 1 else 0,
        lambda d, h, n: [looped(d, h, k) for k in range(n)],
        lambda d, h, n: -looped(d, h, n),
        lambda d, h, n: looped(1 - d, h, n) if d != 0.5 else 0,
        lambda d, h, n: print(looped(d, h, n)),
    ],
}
