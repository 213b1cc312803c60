"""Chapter 04 as students answer it."""

import numpy as np
import tensorflow as tf


def scores(g):
    return g @ g.sum(axis=0)


def scores_in_loops(g):
    found = []
    for i in range(len(g)):
        total = 0.0
        for j in range(len(g)):
            for k in range(g.shape[1]):
                total += g[i][k] * g[j][k]
        found.append(total)
    return found


def weights_in_loops(g):
    s = scores_in_loops(g)
    total = sum(abs(v) for v in s)
    return [v / total for v in s]


def in_place(g):
    s = g @ g.T
    s = s.sum(axis=1)
    s /= np.abs(s).sum()
    return s


def three_only(g):
    return [g[i] @ (g[0] + g[1] + g[2]) for i in range(3)]


RIGHT = {
    "4.1": [
        scores_in_loops,
        lambda g: np.sum(g @ g.T, axis=1),
        lambda g: np.sum(g @ g.T, axis=0),
        lambda g: np.einsum("ip,jp->i", g, g),
        lambda g: tf.linalg.matvec(tf.constant(g), tf.reduce_sum(g, axis=0)),
        lambda g: (g @ g.T @ np.ones(len(g))).astype("float32"),
        lambda g: np.inner(g, g).sum(-1),
    ],
    "4.2": [
        weights_in_loops,
        in_place,
        lambda g: scores(g) / np.linalg.norm(scores(g), 1),
        lambda g: scores(g) / np.sum(np.abs(scores(g))),
        lambda g: tf.constant(scores(g)) / tf.reduce_sum(tf.abs(scores(g))),
        lambda g: (scores(g) / np.abs(scores(g)).sum()).astype("float32"),
        lambda g: g @ g.mean(axis=0) / np.abs(g @ g.mean(axis=0)).sum(),
    ],
    "4.3": [
        lambda g, w: np.sum(w[:, None] * g, axis=0),
        lambda g, w: g.T @ w,
        lambda g, w: np.einsum("t,tp->p", w, g),
        lambda g, w: sum(a * row for a, row in zip(w, g, strict=True)),
        lambda g, w: [sum(w[i] * g[i][k] for i in range(len(w))) for k in range(g.shape[1])],
        lambda g, w: tf.tensordot(w, g, 1),
        lambda g, w: np.dot(w, g).astype("float32"),
    ],
    "4.4": [
        lambda g: np.sum(g**2) / np.sum(g @ g.T),
        lambda g: np.trace(g @ g.T) / np.sum(g @ g.T),
        lambda g: np.sum(g**2) / np.sum(g.sum(axis=0) ** 2),
        lambda g: sum(row @ row for row in g) / sum(scores_in_loops(g)),
        lambda g: np.linalg.norm(g) ** 2 / np.linalg.norm(g.sum(0)) ** 2,
        lambda g: tf.reduce_sum(tf.square(g)) / tf.reduce_sum(tf.matmul(g, g, transpose_b=True)),
        lambda g: np.float32(np.sum(g**2) / np.sum(scores(g))),
    ],
}
WRONG = {
    "4.1": [
        lambda g: None,
        three_only,
        lambda g: g @ g[0],
        lambda g: scores(g) / len(g),
        lambda g: (g @ g.T).mean(axis=1),
        lambda g: scores(g) ** 2,
        lambda g: -scores(g),
        lambda g: np.abs(scores(g)),
        lambda g: np.sign(scores(g)),
        lambda g: 2 * scores(g),
        lambda g: (g.T @ g).sum(axis=1),
        lambda g: scores(g)[::-1],
        lambda g: np.linalg.norm(g, axis=1),
        lambda g: (g @ g.T).max(axis=1),
        lambda g: np.maximum(scores(g), 0),
        lambda g: g.sum(axis=1) * g.sum(),
    ],
    "4.2": [
        lambda g: None,
        lambda g: scores(g) / scores(g).max(),
        lambda g: scores(g) / np.linalg.norm(scores(g)),
        lambda g: np.maximum(scores(g), 0) / np.maximum(scores(g), 0).sum(),
        lambda g: scores(g) / np.abs(scores(g).sum()),
        lambda g: scores(g) / len(g),
        lambda g: -scores(g) / np.abs(scores(g)).sum(),
        lambda g: np.sign(scores(g)) / len(g),
        lambda g: scores(g) / np.abs(scores(g)).sum() * len(g),
        lambda g: scores(g) / np.abs(g).sum(),
        lambda g: scores(g) / np.sum(g**2),
        lambda g: np.round(scores(g) / np.abs(scores(g)).sum(), 2),
        lambda g: (scores(g) / np.abs(scores(g)).sum())[:, None],
        lambda g: np.abs(scores(g)) / scores(g).sum(),
        lambda g: scores(g) / (np.abs(scores(g)).sum() + 1),
    ],
    "4.3": [
        lambda g, w: None,
        lambda g, w: g.sum(axis=0),
        lambda g, w: np.sum(w[:, None] * g),
        lambda g, w: -w @ g,
        lambda g, w: w @ g / np.abs(w).sum(),
        lambda g, w: w @ g / w.sum(),
        lambda g, w: np.average(np.abs(g), axis=0, weights=np.abs(w) + 1),
        lambda g, w: np.maximum(w, 0) @ g,
        lambda g, w: w**2 @ g,
        lambda g, w: w[::-1] @ g,
        lambda g, w: w[0] * g[0],
        lambda g, w: (w @ g)[:, None],
        lambda g, w: g[np.argmax(w)],
        lambda g, w: np.sum(w[:, None] * g, axis=1),
    ],
    "4.4": [
        lambda g: None,
        lambda g: np.sum(np.linalg.norm(g, axis=1)) / np.sum(scores(g)),
        lambda g: np.mean((g**2).sum(axis=1) / scores(g)),
        lambda g: np.sum(g**2) / np.sum(g) ** 2,
        lambda g: np.sum(g**2),
        lambda g: np.sum(scores(g)),
        lambda g: np.sum(g**2) / np.sum(scores(g)) / len(g),
        lambda g: np.sum(g**2) / np.mean(scores(g)),
        lambda g: np.sqrt(np.sum(g**2) / np.sum(scores(g))),
        lambda g: 1 / len(g),
        lambda g: (g**2).sum(axis=1) / scores(g).sum(),
        lambda g: np.sum(g**2) / np.sum(np.maximum(scores(g), 0)),
        lambda g: np.sum(np.abs(g)) / np.sum(scores(g)),
        lambda g: g[0] @ g[0] / scores(g)[0],
        lambda g: -np.sum(g**2) / np.sum(scores(g)),
    ],
}
