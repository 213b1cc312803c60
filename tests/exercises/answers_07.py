"""Answers to the exercises of chapter 07: right ones in TensorFlow and in NumPy, classic mistakes, other wrong ones."""

import numpy as np
import tensorflow as tf

from gaml_utils.weighting.agreement import agreement_weights

# ---------------------------------------------------------------- pieces that the answers below share


def gram(g):
    return np.array([[sum(p * q for p, q in zip(a, b, strict=True)) for b in g] for a in g])


def over_absolute_sum(s):
    return np.array(s) / sum(abs(v) for v in s)


def in_tensorflow(s):
    return s / tf.reduce_sum(tf.abs(s))


def score_list(g):
    return [sum(row) for row in gram(g)]


def others_list(g):
    return [sum(v for j, v in enumerate(row) if j != i) for i, row in enumerate(gram(g))]


def others_by_diagonal(updates):
    products = tf.constant(updates) @ tf.transpose(updates)
    return in_tensorflow(tf.reduce_sum(products - tf.linalg.diag(tf.linalg.diag_part(products)), axis=1))


def others_by_mean(g):
    rest = [np.delete(g, i, axis=0).mean(axis=0) for i in range(len(g))]
    return over_absolute_sum([a @ b for a, b in zip(g, rest, strict=True)])


def long_weights(rule):
    """Builds the whole meta-batch, and gathers what belongs to one task."""

    def answer(g, counts):
        owner = np.repeat(np.arange(len(g)), counts)
        return rule(agreement_weights(g[owner]), owner, len(g))

    return answer


def totals_in_tensorflow(updates, counts):
    counts = tf.cast(counts, updates.dtype)
    total = tf.reduce_sum(counts[:, None] * updates, axis=0)
    return in_tensorflow(counts * tf.linalg.matvec(updates, total))


def copied_scores(g, counts):
    return np.array([sum(n * v for n, v in zip(counts, row, strict=True)) for row in gram(g)])


def tempered(g, p):
    return over_absolute_sum([np.copysign(abs(s) ** p, s) for s in score_list(g)])


def tempered_in_tensorflow(updates, p):
    s = tf.linalg.matvec(updates, tf.reduce_sum(updates, axis=0))
    return in_tensorflow(tf.sign(s) * tf.abs(s) ** p)


def softmax(s):
    e = np.exp(np.array(s) - max(s))
    return e / e.sum()


def signed_power(s, p):
    return np.sign(s) * np.abs(s) ** p


def by_tape(stop_weights=True, stop_updates=False, book=False, tasks_once_more=False, uniform=False, support=False):
    """The outer gradient of exercise 7.4, with its faults and others to choose from."""

    def answer(theta, support_x, support_y, query_x, query_y, inner_lr):
        if support:
            query_x, query_y = support_x, support_y
        theta = tf.constant(theta)
        with tf.GradientTape() as tape:
            tape.watch(theta)
            error = tf.einsum("tnp,p->tn", support_x, theta) - support_y
            updates = inner_lr * 2 / error.shape[1] * tf.einsum("tnp,tn->tp", support_x, error)
            if stop_updates:
                updates = tf.stop_gradient(updates)
            query_error = tf.einsum("tnp,tp->tn", query_x, theta - updates) - query_y
            products = updates @ tf.transpose(updates)
            s = tf.reduce_sum(products, axis=1)
            w = s / tf.reduce_sum(tf.abs(products)) if book else in_tensorflow(s)
            if uniform:
                w = tf.ones_like(w) / len(w)
            if stop_weights:
                w = tf.stop_gradient(w)
            J = tf.reduce_sum(w * tf.reduce_mean(query_error**2, axis=1))
        return tape.gradient(J, theta) / (len(support_x) if tasks_once_more else 1)

    return answer


def task_by_task(theta, support_x, support_y, query_x, query_y, inner_lr, hessian=True):
    updates, directions = [], []
    for sx, sy, qx, qy in zip(support_x, support_y, query_x, query_y, strict=True):
        update = inner_lr * 2 / len(sx) * sx.T @ (sx @ theta - sy)
        v = 2 / len(qx) * qx.T @ (qx @ (theta - update) - qy)
        H = 2 / len(sx) * sx.T @ sx
        updates.append(update)
        directions.append(v - hessian * inner_lr * H @ v)
    w = over_absolute_sum(score_list(np.array(updates)))
    return sum(w_i * d for w_i, d in zip(w, directions, strict=True))


# ---------------------------------------------------------------- right, wrong with a hint, wrong

RIGHT = {
    "7.1": [
        lambda g: over_absolute_sum(others_list(g)),
        others_by_diagonal,
        others_by_mean,
        lambda g: in_tensorflow(
            tf.linalg.matvec(g, tf.reduce_sum(g, axis=0)) - tf.reduce_sum(tf.constant(g) ** 2, axis=1)
        ),
    ],
    "7.2": [
        lambda g, n: over_absolute_sum(n * copied_scores(g, n)),
        long_weights(lambda w, owner, tasks: np.bincount(owner, w, tasks)),
        totals_in_tensorflow,
        lambda g, n: agreement_weights(n[:, None] * g),  # n copies weigh as one update n times as long
    ],
    "7.3": [tempered, tempered_in_tensorflow, lambda g, p: in_tensorflow(tf.constant(signed_power(score_list(g), p)))],
    "7.4": [by_tape(), task_by_task, lambda *case: np.array(by_tape()(*case)).tolist()],
}

WRONG = {
    "7.1": [
        ("own term is still", agreement_weights),
        ("those are the scores", others_list),
        ("with the old ones", lambda g: np.array(others_list(g)) / sum(map(abs, score_list(g)))),
        (
            "book's normaliser",
            lambda g: (
                np.array(others_list(g))
                / sum(abs(v) for i, row in enumerate(gram(g)) for j, v in enumerate(row) if i != j)
            ),
        ),
        ("absolute value is forgotten", lambda g: np.array(others_list(g)) / sum(others_list(g))),
        ("sign of the score is lost", lambda g: tf.abs(others_by_diagonal(g))),
        (
            "not its length",
            lambda g: over_absolute_sum([s - np.linalg.norm(row) for s, row in zip(score_list(g), g, strict=True)]),
        ),
        ("cosines", lambda g: others_by_diagonal(tf.math.l2_normalize(g, axis=1))),
        ("divided by T", lambda g: others_by_diagonal(g) / len(g)),
    ],
    "7.2": [
        ("ignores the counts", lambda g, n: agreement_weights(g)),
        ("weight of one copy", long_weights(lambda w, owner, tasks: [w[owner == i][0] for i in range(tasks)])),
        ("missing from the normaliser", lambda g, n: n * copied_scores(g, n) / sum(abs(copied_scores(g, n)))),
        ("only the scores", lambda g, n: over_absolute_sum(copied_scores(g, n))),
        ("know nothing of the copies", lambda g, n: over_absolute_sum(n * np.array(score_list(g)))),
        ("shares of the tasks", lambda g, n: tf.cast(n, tf.float64) / tf.cast(tf.reduce_sum(n), tf.float64)),
        ("one weight a copy", long_weights(lambda w, owner, tasks: w)),
        ("sign of the score is lost", lambda g, n: tf.abs(totals_in_tensorflow(g, n))),
    ],
    "7.3": [
        ("p is ignored", lambda g, p: agreement_weights(g)),
        ("sign of the score is lost", lambda g, p: tf.abs(tempered_in_tensorflow(g, p))),
        ("normalise last", lambda g, p: signed_power(agreement_weights(g), p)),
        ("those are the tempered scores", lambda g, p: [np.copysign(abs(s) ** p, s) for s in score_list(g)]),
        ("exponent 1/p", lambda g, p: tempered_in_tensorflow(g, 1 / p)),
        ("cancel", lambda g, p: signed_power(score_list(g), p) / sum(signed_power(score_list(g), p))),
        ("not each inner product", lambda g, p: over_absolute_sum(signed_power(gram(g), p).sum(axis=1))),
        ("softmax", lambda g, p: softmax(np.array(score_list(g)) / p)),
        ("sum the tempered scores", lambda g, p: signed_power(score_list(g), p) / sum(map(abs, score_list(g)))),
    ],
    "7.4": [
        ("still has both faults", by_tape(stop_weights=False, book=True)),
        ("flows through the weights", by_tape(stop_weights=False)),
        ("look at the normaliser", by_tape(book=True)),
        ("only the weights are constants", lambda *case: task_by_task(*case, hessian=False)),
        ("still the book's", by_tape(stop_updates=True, book=True)),
        ("uniform weights", by_tape(uniform=True)),
        ("judges on the support set", by_tape(support=True)),
        ("divided by T", by_tape(tasks_once_more=True)),
        ("sign is wrong", lambda *case: -by_tape()(*case)),
    ],
}

ALSO_WRONG = {
    "7.1": [lambda g: np.ones(len(g)) / len(g), lambda g: over_absolute_sum(np.median(g, axis=0) @ g.T)],
    "7.2": [lambda g, n: np.zeros(len(g)), lambda g, n: g],
    "7.3": [lambda g, p: p, lambda g, p: tf.math.l2_normalize(g, axis=1)],
    "7.4": [lambda *case: case[0] - 0.1 * task_by_task(*case), lambda *case: 2 * task_by_task(*case)],
}
