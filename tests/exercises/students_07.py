"""Chapter 07 as students answer it."""

import numpy as np
import tensorflow as tf

from tests.exercises.students_05 import weights


def over(s):
    s = np.asarray(s)
    return s / np.abs(s).sum()


def scores(g):
    return g @ g.sum(axis=0)


def others(g):
    return scores(g) - np.sum(g**2, axis=1)


def others_in_loops(g):
    s = [sum(g[i] @ g[j] for j in range(len(g)) if j != i) for i in range(len(g))]
    total = sum(abs(v) for v in s)
    return [v / total for v in s]


def masked(g):
    K = g @ g.T
    np.fill_diagonal(K, 0)
    return over(K.sum(axis=1))


def in_tensorflow(g):
    g = tf.constant(g)
    s = tf.linalg.matvec(g, tf.reduce_sum(g, axis=0)) - tf.reduce_sum(g * g, axis=1)
    return s / tf.reduce_sum(tf.abs(s))


def long_way(g, counts):
    w = weights(np.repeat(g, counts, axis=0))
    return [part.sum() for part in np.split(w, np.cumsum(counts)[:-1])]


def totals_in_loops(g, n):
    s = [sum(n[j] * (g[i] @ g[j]) for j in range(len(g))) for i in range(len(g))]
    total = sum(n[i] * abs(s[i]) for i in range(len(g)))
    return [n[i] * s[i] / total for i in range(len(g))]


def totals(g, n):
    return over(n * (g @ (n @ g)))


def tempered(g, p):
    s = scores(g)
    return over(np.sign(s) * np.abs(s) ** p)


def tempered_in_loops(g, p):
    powered = [(1 if s > 0 else -1) * abs(s) ** p for s in scores(g)]
    return [v / sum(abs(u) for u in powered) for v in powered]


def pieces(theta, sx, sy, lr):
    """Updates, and what the inner step does to a direction: I - lr H, one matrix per task."""
    n = sx.shape[1]
    error = np.einsum("tnp,p->tn", sx, theta) - sy
    return lr * 2 / n * np.einsum("tnp,tn->tp", sx, error), np.eye(len(theta)) - lr * 2 / n * np.einsum(
        "tnp,tnq->tpq", sx, sx
    )


def each(theta, sx, sy, qx, qy, lr):
    g, A = pieces(theta, sx, sy, lr)
    error = np.einsum("tnp,tp->tn", qx, theta - g) - qy
    at_end = 2 / qx.shape[1] * np.einsum("tnp,tn->tp", qx, error)
    return g, np.einsum("tpq,tq->tp", A, at_end), at_end


def mended(*case, rule=weights):
    g, d, _ = each(*case)
    return rule(g) @ d


def loop_of_tasks(theta, sx, sy, qx, qy, lr):
    parts = [each(theta, *(a[i : i + 1] for a in (sx, sy, qx, qy)), lr) for i in range(len(sx))]
    g, d = (np.concatenate([p[k] for p in parts]) for k in (0, 1))
    s = [sum(a @ b for b in g) for a in g]
    return sum(s_i * d_i for s_i, d_i in zip(s, d, strict=True)) / sum(abs(v) for v in s)


def by_differences(theta, sx, sy, qx, qy, lr):
    w = weights(pieces(theta, sx, sy, lr)[0])

    def loss(t):
        g, _ = pieces(t, sx, sy, lr)
        return w @ np.mean((np.einsum("tnp,tp->tn", qx, t - g) - qy) ** 2, axis=1)

    return np.array([(loss(theta + e) - loss(theta - e)) / 2e-5 for e in 1e-5 * np.eye(len(theta))])


def tape(theta, sx, sy, qx, qy, lr):
    t = tf.constant(theta)
    with tf.GradientTape() as outer:
        outer.watch(t)
        g = lr * 2 / sx.shape[1] * tf.einsum("tnp,tn->tp", sx, tf.einsum("tnp,p->tn", sx, t) - sy)
        error = tf.einsum("tnp,tp->tn", qx, t - g) - qy
        s = tf.linalg.matvec(g, tf.reduce_sum(g, axis=0))
        w = tf.stop_gradient(s / tf.reduce_sum(tf.abs(s)))
        J = tf.reduce_sum(w * tf.reduce_mean(error**2, axis=1))
    return outer.gradient(J, t)


def under(rule):
    return lambda *case: mended(*case, rule=rule)


RIGHT = {
    "7.1": [
        others_in_loops,
        masked,
        in_tensorflow,
        lambda g: others(g) / np.linalg.norm(others(g), ord=1),
        lambda g: over([g[i] @ np.delete(g, i, axis=0).sum(axis=0) for i in range(len(g))]),
        lambda g: over(others(g)).astype("float32"),
        lambda g: over((g * (g.sum(axis=0) - g)).sum(axis=1)),
    ],
    "7.2": [
        long_way,
        totals_in_loops,
        totals,
        lambda g, n: over((n[:, None] * g) @ (n[:, None] * g).sum(axis=0)),
        lambda g, n: tf.constant(totals(g, n)),
        lambda g, n: over(np.diag(n) @ g @ g.T @ n).astype("float32"),
    ],
    "7.3": [
        tempered,
        tempered_in_loops,
        lambda g, p: over(scores(g) * np.abs(scores(g)) ** (p - 1)),
        lambda g, p: over(np.copysign(np.abs(scores(g)) ** p, scores(g))),
        lambda g, p: tf.constant(tempered(g, p)),
        lambda g, p: over(np.where(scores(g) > 0, 1, -1) * np.exp(p * np.log(np.abs(scores(g))))),
        lambda g, p: over(np.sign(weights(g)) * np.abs(weights(g)) ** p),
    ],
    "7.4": [
        mended,
        loop_of_tasks,
        by_differences,
        tape,
        lambda *c: list(mended(*c)),
        lambda *c: np.float32(mended(*c)),
    ],
}
WRONG = {
    "7.1": [
        lambda g: None,
        lambda g: over(others(g) - np.sum(g**2, axis=1)),
        lambda g: over(others(g)) * len(g),
        lambda g: over(scores(g) - np.sum(g**2)),
        lambda g: over(scores(g) - np.mean(g**2, axis=1)),
        lambda g: over(np.maximum(others(g), 0)),
        lambda g: -over(others(g)),
        lambda g: over(g @ g.mean(axis=0) - np.sum(g**2, axis=1)),
        lambda g: others(g) / np.linalg.norm(others(g)),
        lambda g: over(others(g))[::-1],
        lambda g: over(g @ g[1:].sum(axis=0)),
        lambda g: over(scores(g) + np.sum(g**2, axis=1)),
        lambda g: others(g) / np.abs(others(g)).max(),
        lambda g: over(g @ np.roll(g, 1, axis=0).T @ np.ones(len(g))),
    ],
    "7.2": [
        lambda g, n: None,
        lambda g, n: over(n**2 * scores(g)),
        lambda g, n: over(scores(n[:, None] * g) * n),
        lambda g, n: weights(g) * n,
        lambda g, n: over(weights(g) * n),
        lambda g, n: totals(g, n) / n,
        lambda g, n: totals(g, n) / n.sum(),
        lambda g, n: totals(g, n) * len(g),
        lambda g, n: -totals(g, n),
        lambda g, n: over(n + g @ (n @ g)),
        lambda g, n: totals(g, n[::-1]),
        lambda g, n: n * (g @ (n @ g)),
        lambda g, n: np.maximum(totals(g, n), 0),
        lambda g, n: long_way(g, np.minimum(n, 2)),
    ],
    "7.3": [
        lambda g, p: None,
        lambda g, p: over(scores(g) * p),
        lambda g, p: over(np.maximum(scores(g), 0) ** p),
        lambda g, p: over(np.sign(scores(g)) * np.abs(scores(g)) ** (p + 1)),
        lambda g, p: over(np.sign(scores(g)) * np.abs(scores(g)) ** (p / 2)),
        lambda g, p: over(np.sign(scores(g)) * p ** np.abs(scores(g))),
        lambda g, p: -tempered(g, p),
        lambda g, p: tempered(g, p) ** 2,
        lambda g, p: tempered(g, p) / len(g),
        lambda g, p: scores(np.sign(g) * np.abs(g) ** p) / np.abs(scores(np.sign(g) * np.abs(g) ** p)).sum(),
        lambda g, p: over(np.sign(scores(g))),
        lambda g, p: tempered(g, 2),
        lambda g, p: tempered(g, 0.5),
        lambda g, p: tempered(g, p)[::-1],
    ],
    "7.4": [
        lambda *c: None,
        under(lambda g: g @ g.sum(axis=0)),
        under(lambda g: np.abs(weights(g))),
        under(lambda g: np.maximum(weights(g), 0)),
        under(lambda g: weights(g)[::-1]),
        under(lambda g: weights(g) / weights(g).sum()),
        under(lambda g: over(others(g))),
        under(lambda g: np.ones(len(g))),
        lambda *c: weights(each(*c)[1]) @ each(*c)[1],
        lambda *c: weights(each(*c)[0]) @ each(*c)[2] * (1 - c[5]),
        lambda *c: mended(*c) * 2,
        lambda *c: c[0] - mended(*c),
        lambda *c: mended(*c[:5], c[5] ** 2),
        lambda *c: mended(c[0], c[3], c[4], c[1], c[2], c[5]),
        lambda *c: weights(each(*c)[0])[:, None] * each(*c)[1],
        lambda *c: np.sum(mended(*c)),
    ],
}
