"""Chapter 05 as students answer it."""

import numpy as np
import tensorflow as tf
from scipy import stats


def weights(g):
    s = g @ g.sum(axis=0)
    return s / np.abs(s).sum()


def outer(theta, c_support, c_query, lr):
    return (1 - 2 * lr) * 2 * (theta - 2 * lr * (theta - c_support) - c_query)


def updates(theta, c_support, lr):
    return 2 * lr * (theta - c_support)


def in_loops(theta, c_support, c_query, lr):
    adapted, g = [], []
    for c in c_support:
        a = theta - lr * 2 * (theta - c)
        adapted.append(a)
        g.append(theta - a)
    s = [sum(x @ y for y in g) for x in g]
    total = sum(abs(v) for v in s)
    found = np.zeros(len(theta))
    for i, c in enumerate(c_query):
        found += s[i] / total * (1 - 2 * lr) * 2 * (adapted[i] - c)
    return found


def by_tape(theta, c_support, c_query, lr):
    t = tf.constant(theta)
    with tf.GradientTape() as tape:
        tape.watch(t)
        adapted = t - lr * 2 * (t - c_support)
        losses = tf.reduce_sum((adapted - c_query) ** 2, axis=1)
        w = tf.stop_gradient(tf.constant(weights((t - adapted).numpy())))
        loss = tf.reduce_sum(w * losses)
    return tape.gradient(loss, t)


def through_the_weights(theta, c_support, c_query, lr):
    def loss(t):
        a = t - lr * 2 * (t - c_support)
        return weights(t - a) @ np.sum((a - c_query) ** 2, axis=1)

    return [(loss(theta + e) - loss(theta - e)) / 2e-5 for e in 1e-5 * np.eye(len(theta))]


def step_in_loops(theta, adapted, epsilon):
    w = weights(theta - adapted)
    new = theta.copy()
    for w_i, a in zip(w, adapted, strict=True):
        new = new + epsilon * w_i * (a - theta)
    return new


def by_hand(a, b):
    d = [x - y for x, y in zip(a, b, strict=True)]
    mean = sum(d) / len(d)
    sd = (sum((x - mean) ** 2 for x in d) / (len(d) - 1)) ** 0.5
    half = 2.262 * sd / len(d) ** 0.5
    return mean, mean - half, mean + half


def interval(a, b, t=2.262, ddof=1):
    d = a - b
    half = t * d.std(ddof=ddof) / np.sqrt(len(d))
    return [d.mean(), d.mean() - half, d.mean() + half]


def by_scipy(a, b):
    ci = stats.ttest_rel(a, b).confidence_interval()
    return np.mean(a - b), ci.low, ci.high


def step(rule):
    return lambda t, a, e: t + e * rule(t - a) @ (a - t)


RIGHT = {
    "5.1": [
        in_loops,
        by_tape,
        lambda t, s, q, lr: np.sum(weights(t - s)[:, None] * outer(t, s, q, lr), axis=0),
        lambda t, s, q, lr: outer(t, s, q, lr).T @ weights(updates(t, s, lr)),
        lambda t, s, q, lr: np.einsum("t,tp->p", weights(updates(t, s, lr)), outer(t, s, q, lr)),
        lambda *c: list(in_loops(*c)),
        lambda *c: in_loops(*c).astype("float32"),
    ],
    "5.2": [
        step_in_loops,
        step(weights),
        lambda t, a, e: t - e * weights(a - t) @ (t - a),
        lambda t, a, e: t - e * np.sum(weights(t - a)[:, None] * (t - a), axis=0),
        lambda t, a, e: tf.constant(t) + e * tf.tensordot(weights(t - a), a - t, 1),
        lambda t, a, e: list(t + e * (a - t).T @ weights(t - a)),
        lambda t, a, e: step_in_loops(t, a, e).astype("float32"),
    ],
    "5.3": [
        by_hand,
        interval,
        by_scipy,
        lambda a, b: np.array(interval(a, b)),
        lambda a, b: interval(a, b, t=stats.t.ppf(0.975, 9)),
        lambda a, b: tuple(np.round(interval(a, b), 6)),
        lambda a, b: (np.mean(a) - np.mean(b), *interval(a, b)[1:]),
    ],
}
WRONG = {
    "5.1": [
        through_the_weights,
        lambda *c: None,
        lambda t, s, q, lr: weights(updates(t, s, lr)) @ (outer(t, s, q, lr) / (1 - 2 * lr)) * (1 - lr),
        lambda t, s, q, lr: np.mean(outer(t, s, q, lr), axis=0),
        lambda t, s, q, lr: np.mean(weights(updates(t, s, lr))[:, None] * outer(t, s, q, lr), axis=0),
        lambda t, s, q, lr: weights(updates(t, q, lr)) @ outer(t, s, q, lr),
        lambda t, s, q, lr: weights(s) @ outer(t, s, q, lr),
        lambda t, s, q, lr: weights(t - updates(t, s, lr)) @ outer(t, s, q, lr),
        lambda t, s, q, lr: -weights(updates(t, s, lr)) @ outer(t, s, q, lr),
        lambda t, s, q, lr: weights(updates(t, s, lr)) @ outer(t, s, q, lr) / 2,
        lambda t, s, q, lr: np.maximum(weights(updates(t, s, lr)), 0) @ outer(t, s, q, lr),
        lambda t, s, q, lr: t - weights(updates(t, s, lr)) @ outer(t, s, q, lr),
        lambda t, s, q, lr: weights(updates(t, s, lr)) @ updates(t, s, lr),
        lambda t, s, q, lr: weights(updates(t, s, lr)) @ outer(t, q, s, lr),
        lambda t, s, q, lr: weights(updates(t, s, lr)) @ (2 * (t - q)),
        lambda t, s, q, lr: weights(updates(t, s, lr))[:, None] * outer(t, s, q, lr),
    ],
    "5.2": [
        lambda t, a, e: None,
        lambda t, a, e: t - e * weights(t - a) @ (a - t),
        lambda t, a, e: t + e * weights(a) @ (a - t),
        lambda t, a, e: e * weights(t - a) @ (a - t),
        lambda t, a, e: weights(t - a) @ a,
        lambda t, a, e: (1 - e) * t + e * weights(t - a) @ a,
        lambda t, a, e: t + e**2 * weights(t - a) @ (a - t),
        lambda t, a, e: t + e * np.sum(a - t, axis=0),
        lambda t, a, e: t + e * np.mean(weights(t - a)[:, None] * (a - t)),
        step(lambda g: np.maximum(weights(g), 0)),
        step(lambda g: weights(g) / 2),
        step(lambda g: g @ g.sum(axis=0)),
        step(lambda g: np.sign(weights(g)) / len(g)),
        step(lambda g: weights(g)[::-1]),
        step(lambda g: weights(g / np.linalg.norm(g, axis=1, keepdims=True))),
    ],
    "5.3": [
        lambda a, b: None,
        lambda a, b: np.mean(a - b),
        lambda a, b: interval(b, a),
        lambda a, b: interval(a, b, t=2.0),
        lambda a, b: interval(a, b, t=1.96),
        lambda a, b: interval(a, b, ddof=0),
        lambda a, b: [np.mean(a - b), *np.percentile(a - b, [2.5, 97.5])],
        lambda a, b: [np.median(a - b), *interval(a, b)[1:]],
        lambda a, b: interval(a, b)[::-1],
        lambda a, b: interval(np.abs(a), -np.abs(b)),
        lambda a, b: [np.mean(a - b), (a - b).min(), (a - b).max()],
        lambda a, b: [np.mean(a - b), np.mean(a - b) - 2.262 * np.std(a - b, ddof=1), np.mean(a - b) + 2.262],
        lambda a, b: interval(np.sort(a), np.sort(b)),
        lambda a, b: interval(a, b)[:2],
        lambda a, b: interval(np.abs(a - b), 0 * b),
        lambda a, b: interval(a, b, t=2.228),
    ],
}
