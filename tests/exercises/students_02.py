"""Chapter 02 as students answer it."""

import numpy as np
import tensorflow as tf


def by_differences(theta, c_support, c_query, inner_lr, h=1e-5):
    def loss(t):
        adapted = t - inner_lr * 2 * (t - c_support)
        return (adapted - c_query) ** 2

    return (loss(theta + h) - loss(theta - h)) / (2 * h)


def by_tape(theta, c_support, c_query, inner_lr):
    t = tf.constant(theta, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(t)
        loss = tf.reduce_mean((t - inner_lr * 2 * (t - c_support) - c_query) ** 2)
    return tape.gradient(loss, t)


def expanded(theta, c_support, c_query, inner_lr):
    a = 1 - 2 * inner_lr
    return 2 * a * a * theta + 4 * a * inner_lr * c_support - 2 * a * c_query


def one(theta, s, q, lr):
    return 2 * (theta - 2 * lr * (theta - s) - q) * (1 - 2 * lr)


def wrongs(mean):
    """Slips in the formula for one task, with or without a mean over tasks."""
    slips = [
        lambda t, s, q, lr: one(t, s, q, lr) * (1 - 2 * lr),
        lambda t, s, q, lr: 2 * (t - 2 * lr * (t - s) - q) * (1 - 2 * lr**2),
        lambda t, s, q, lr: 2 * (t - 2 * lr**2 * (t - s) - q) * (1 - 2 * lr),
        lambda t, s, q, lr: one(t, q, s, lr),
        lambda t, s, q, lr: 2 * (t - 2 * lr * (s - t) - q) * (1 - 2 * lr),
        lambda t, s, q, lr: 2 * (t - 2 * lr * (t - q) - q) * (1 - 2 * lr),
        lambda t, s, q, lr: -one(t, s, q, lr),
        lambda t, s, q, lr: (t - 2 * lr * (t - s) - q) ** 2,
        lambda t, s, q, lr: t - lr * one(t, s, q, lr),
        lambda t, s, q, lr: 2 * (t - 2 * lr * (t - s) - q) + (1 - 2 * lr),
        lambda t, s, q, lr: 2 * (t - 2 * lr * (t - s)) * (1 - 2 * lr),
        lambda t, s, q, lr: 2 * np.abs(t - 2 * lr * (t - s) - q) * (1 - 2 * lr),
        lambda t, s, q, lr: 2 * (t - 2 * (t - s) - q) * (1 - 2),
        lambda t, s, q, lr: one(t, s, q, lr) * lr,
        lambda t, s, q, lr: 2 * (2 * lr * (t - s) - q) * (1 - 2 * lr),
    ]
    return [lambda *case, f=f: np.mean(f(*case)) for f in slips] if mean else slips


def back_in_loops(delta, W, h):
    found = np.zeros(h.shape)
    for n in range(h.shape[0]):
        for i in range(h.shape[1]):
            if h[n, i] > 0:
                found[n, i] = sum(delta[n, o] * W[i, o] for o in range(W.shape[1]))
    return found


def back_in_place(delta, W, h):
    found = delta @ W.T
    found[h <= 0] = 0
    return found


def central(gradient_of, theta, v, h=1e-5):
    return (gradient_of(theta + h * v) - gradient_of(theta - h * v)) / (2 * h)


def column_by_column(gradient_of, theta, v, h=1e-5):
    H = np.zeros((len(theta), len(theta)))
    for k in range(len(theta)):
        e = np.zeros(len(theta))
        e[k] = h
        H[:, k] = (gradient_of(theta + e) - gradient_of(theta - e)) / (2 * h)
    return H @ v


def unit_length(gradient_of, theta, v):
    size = np.linalg.norm(v)
    return size * central(gradient_of, theta, v / size)


RIGHT = {
    "2.1": [
        by_differences,
        by_tape,
        expanded,
        lambda *c: np.float32(one(*c)),
        lambda theta, s, q, lr: np.array(one(theta, s, q, lr)),
        lambda theta, s, q, lr: (1 - 2 * lr) * 2 * ((1 - 2 * lr) * theta + 2 * lr * s - q),
    ],
    "2.2": [
        lambda *c: np.mean(by_differences(*c)),
        by_tape,
        lambda *c: float(np.mean(expanded(*c))),
        lambda t, s, q, lr: sum(one(t, a, b, lr) for a, b in zip(s, q, strict=True)) / len(s),
        lambda t, s, q, lr: np.ones(len(s)) / len(s) @ one(t, s, q, lr),
        lambda t, s, q, lr: np.average(one(t, s, q, lr)),
        lambda t, s, q, lr: one(t, s.mean(), q.mean(), lr),
    ],
    "2.3": [
        back_in_loops,
        back_in_place,
        lambda d, W, h: np.where(h > 0, d @ W.T, 0.0),
        lambda d, W, h: np.einsum("no,io->ni", d, W) * np.sign(h),
        lambda d, W, h: tf.matmul(d, W, transpose_b=True) * tf.cast(h > 0, tf.float64),
        lambda d, W, h: (d @ W.T * (h > 0)).tolist(),
        lambda d, W, h: ((W @ d.T).T * (h != 0)).astype("float32"),
    ],
    "2.4": [
        central,
        column_by_column,
        unit_length,
        lambda g, t, v: central(g, t, v, 1e-4),
        lambda g, t, v: (g(t + 1e-6 * v) - g(t)) / 1e-6,
        lambda g, t, v: np.round(central(g, t, v), 6),
        lambda g, t, v: list(central(g, t, v)),
    ],
}
WRONG = {
    "2.1": wrongs(False),
    "2.2": [
        *wrongs(True),
        lambda t, s, q, lr: np.median(one(t, s, q, lr)),
        lambda t, s, q, lr: one(t, s[0], q[0], lr),
        lambda t, s, q, lr: np.mean(np.abs(one(t, s, q, lr))),
        lambda t, s, q, lr: np.sum(one(t, s, q, lr)) / 5,
    ],
    "2.3": [
        lambda d, W, h: None,
        lambda d, W, h: d @ W.T + (h > 0),
        lambda d, W, h: (d @ W.T) * (h < 0),
        lambda d, W, h: np.maximum(d @ W.T, 0),
        lambda d, W, h: (d @ W.T) * (d @ W.T > 0),
        lambda d, W, h: ((d @ W.T) * (h > 0)).T,
        lambda d, W, h: -(d @ W.T) * (h > 0),
        lambda d, W, h: (d @ W.T) * h * (1 - h),
        lambda d, W, h: h.T @ d,
        lambda d, W, h: (d @ W.T) * (h > 0) / len(d),
        lambda d, W, h: (d @ W) * (h > 0),
        lambda d, W, h: (d @ np.abs(W).T) * (h > 0),
        lambda d, W, h: (d @ W.T) * (h > 0.5),
        lambda d, W, h: ((d @ W.T) * (h > 0)).sum(axis=0),
        lambda d, W, h: (d @ W.T) * (h[:1] > 0),
    ],
    "2.4": [
        lambda g, t, v: None,
        lambda g, t, v: g(t + v) - g(t),
        lambda g, t, v: (g(t + 1e-5 * v) - g(t - 1e-5 * v)) / 1e-5,
        lambda g, t, v: g(t) @ v,
        lambda g, t, v: v @ central(g, t, v),
        lambda g, t, v: central(g, v, t),
        lambda g, t, v: central(g, t, v / np.linalg.norm(v)),
        lambda g, t, v: (g(t + 1e-5) - g(t - 1e-5)) / 2e-5 * v,
        lambda g, t, v: 3 * t**2 * v,
        lambda g, t, v: np.abs(central(g, t, v)),
        lambda g, t, v: central(g, t, v) / len(t),
        lambda g, t, v: g(t + 0.5 * v) - g(t - 0.5 * v),
        lambda g, t, v: g(t + 1e-5 * v) - g(t - 1e-5 * v),
        lambda g, t, v: np.zeros(len(t)),
        lambda g, t, v: central(g, t, v)[::-1],
    ],
}
