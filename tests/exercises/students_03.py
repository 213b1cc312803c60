"""Chapter 03 as students answer it."""

import itertools

import numpy as np
import tensorflow as tf


def step_in_loops(theta, adapted, epsilon):
    new = []
    for k in range(len(theta)):
        total = 0.0
        for row in adapted:
            total += row[k] - theta[k]
        new.append(theta[k] + epsilon * total / len(adapted))
    return new


def in_place(theta, adapted, epsilon):
    theta += epsilon * (adapted.mean(axis=0) - theta)
    return theta


def one_after_the_other(theta, adapted, epsilon):
    for row in adapted:
        theta = theta + epsilon * (row - theta)
    return theta


def two_steps(g1, g2, inner_lr):
    theta = start = np.zeros_like(g1)
    for g in (g1, g2):
        theta = theta - inner_lr * g
    return start - theta


RIGHT = {
    "3.1": [
        step_in_loops,
        in_place,
        lambda t, a, e: (1 - e) * t + e * a.mean(axis=0),
        lambda t, a, e: t - e * np.mean(t - a, axis=0),
        lambda t, a, e: t + e * np.sum(a - t, axis=0) / len(a),
        lambda t, a, e: tf.constant(t) + e * tf.reduce_mean(a - t, axis=0),
        lambda t, a, e: (t + e * (a.mean(0) - t)).astype("float32"),
        lambda t, a, e: t + e * (np.ones(len(a)) / len(a)) @ (a - t),
    ],
    "3.2": [
        two_steps,
        lambda g1, g2, lr: lr * g1 + lr * g2,
        lambda g1, g2, lr: -(-lr * g1 - lr * g2),
        lambda g1, g2, lr: [lr * (a + b) for a, b in zip(g1, g2, strict=True)],
        lambda g1, g2, lr: tf.constant(lr, tf.float64) * (g1 + g2),
        lambda g1, g2, lr: lr * np.sum([g1, g2], axis=0),
        lambda g1, g2, lr: np.float32(lr) * (g1 + g2).astype("float32"),
    ],
    "3.3": [
        lambda k, lr: -lr * k * (k - 1) / 2,
        lambda k, lr: -lr * sum(range(k)),
        lambda k, lr: -lr * len(list(itertools.combinations(range(k), 2))),
        lambda k, lr: -(lr / 2) * (k**2 - k),
        lambda k, lr: np.float32(-lr * k * (k - 1) / 2),
        lambda k, lr: lr * k * (1 - k) / 2,
        lambda k, lr: np.array(-lr * k * (k - 1) * 0.5),
    ],
}
WRONG = {
    "3.1": [
        one_after_the_other,
        lambda t, a, e: None,
        lambda t, a, e: t + e * (a - t),
        lambda t, a, e: t + e * np.mean(a - t, axis=1, keepdims=True),
        lambda t, a, e: t + e * (a[0] - t),
        lambda t, a, e: t + np.mean(a - t, axis=0) / e,
        lambda t, a, e: e * t + (1 - e) * a.mean(axis=0),
        lambda t, a, e: t + e**2 * np.mean(a - t, axis=0),
        lambda t, a, e: t + e * np.median(a - t, axis=0),
        lambda t, a, e: t + e * np.mean(np.abs(a - t), axis=0),
        lambda t, a, e: t + e * np.mean(a - t, axis=0) / len(a),
        lambda t, a, e: t - e * a.mean(axis=0),
        lambda t, a, e: t + e * np.sum(a - t, axis=0) / 3,
        lambda t, a, e: t + np.mean(a - t, axis=0),
        lambda t, a, e: t + e * (a.mean(axis=0) - t.mean()),
    ],
    "3.2": [
        lambda g1, g2, lr: None,
        lambda g1, g2, lr: lr * (g1 - g2),
        lambda g1, g2, lr: lr * (g2 - g1),
        lambda g1, g2, lr: lr**2 * (g1 + g2),
        lambda g1, g2, lr: 2 * lr * (g1 + g2),
        lambda g1, g2, lr: lr * g1 * g2,
        lambda g1, g2, lr: lr * np.sum(g1 + g2),
        lambda g1, g2, lr: lr * (g1 @ g2),
        lambda g1, g2, lr: lr * g1 + lr**2 * g2,
        lambda g1, g2, lr: lr * 2 * g1,
        lambda g1, g2, lr: lr * np.concatenate([g1, g2]),
        lambda g1, g2, lr: [lr * g1, lr * g2],
        lambda g1, g2, lr: lr * (np.abs(g1) + np.abs(g2)),
        lambda g1, g2, lr: (g1 + g2) / lr,
    ],
    "3.3": [
        lambda k, lr: None,
        lambda k, lr: -lr,
        lambda k, lr: -lr / 2,
        lambda k, lr: -k * (k - 1),
        lambda k, lr: -(lr**2) * k * (k - 1),
        lambda k, lr: -lr * (k - 1),
        lambda k, lr: -lr * (k - 1) / 2,
        lambda k, lr: -lr * k / 2,
        lambda k, lr: k * (k - 1) / 2,
        lambda k, lr: -lr * k * (k - 1) / 4,
        lambda k, lr: 1 - lr * k * (k - 1) / 2,
        lambda k, lr: -lr * k**2,
        lambda k, lr: -lr * (k + 1) * k,
        lambda k, lr: -lr * 2 ** (k - 1),
    ],
}
