"""Chapter 13 as students answer it."""

import numpy as np
import tensorflow as tf

# ---------------------------------------------------------------- 13.1


def theil(losses):
    r = np.asarray(losses) / np.mean(losses)
    return np.mean(r * np.log(r))


def gini(losses):
    losses = np.asarray(losses)
    return np.abs(losses[:, None] - losses[None]).mean() / (2 * losses.mean())


def by_ranks(losses):
    T = len(losses)
    order = np.argsort(losses)
    rank = np.empty(T)
    rank[order] = np.arange(1, T + 1)
    return ((2 * rank - T - 1) / T - gini(losses)) / losses.sum()


def by_differences(losses):
    h = 1e-7
    return [(gini(losses + h * e) - gini(losses - h * e)) / (2 * h) for e in np.eye(len(losses))]


def by_tape(losses):
    l = tf.constant(losses)
    with tf.GradientTape() as tape:
        tape.watch(l)
        value = tf.reduce_mean(tf.abs(l[:, None] - l)) / (2 * tf.reduce_mean(l))
    return tape.gradient(value, l)


def in_loops(losses):
    n, total = len(losses), sum(losses)
    G = gini(losses)
    found = []
    for a in losses:
        s = 0
        for b in losses:
            if a > b:
                s += 1
            elif a < b:
                s -= 1
        found.append((s / n - G) / total)
    return found


def quotient(losses):
    """S / (2 T sum l), by the quotient rule."""
    T, S = len(losses), np.abs(np.subtract.outer(losses, losses)).sum()
    dS = 2 * np.sign(np.subtract.outer(losses, losses)).sum(axis=1)
    return dS / (2 * T * losses.sum()) - S / (2 * T * losses.sum() ** 2)


def from_package(losses):
    from gaml_utils.weighting import inequality_slopes

    return inequality_slopes(losses, "gini")


# ---------------------------------------------------------------- 13.2


def slopes(losses):
    r = losses / losses.mean()
    return (np.log(r) - theil(losses)) / (len(r) * losses.mean())


def where_a_weight_is_zero(losses):
    s = slopes(losses)
    return min(-1 / len(losses) / v for v in s if v < 0)


def one_line(losses):
    return losses.mean() / (theil(losses) - np.log(losses.min() / losses.mean()))


def bisect(losses):
    low, high = 0.0, 1000.0
    while high - low > 1e-10:
        middle = 0.5 * (low + high)
        if (1 / len(losses) + middle * slopes(losses)).min() < 0:
            high = middle
        else:
            low = middle
    return high


# ---------------------------------------------------------------- 13.3


def tape_attack(w, x, y, epsilon):
    x, w, y = map(tf.constant, (x, w, y))
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_mean((tf.linalg.matvec(x, w) - y) ** 2)
    return tf.clip_by_value(x + tf.constant(epsilon, x.dtype) * tf.sign(tape.gradient(loss, x)), 0, 1)


def two_signs(w, x, y, epsilon):
    return np.minimum(1, np.maximum(0, x + epsilon * np.sign(x @ w - y)[:, None] * np.sign(w)))


def with_loops(w, x, y, epsilon):
    out = x.tolist()
    for i in range(len(x)):
        up = sum(w[j] * x[i, j] for j in range(len(w))) > y[i]
        for j in range(len(w)):
            step = epsilon if (w[j] > 0) == up else -epsilon
            out[i][j] = min(max(out[i][j] + step, 0), 1)
    return out


# ---------------------------------------------------------------- 13.4


def room(g, x, e):
    return np.where(g > 0, np.minimum(e, 1 - x), np.minimum(e, x)) @ np.abs(g)


RIGHT = {
    "13.1": [by_ranks, by_differences, by_tape, in_loops, quotient, from_package],
    "13.2": [
        where_a_weight_is_zero,
        one_line,
        bisect,
        lambda losses: np.float32(one_line(losses)),
        lambda losses: tf.constant(one_line(losses)),
        lambda losses: 1 / max(-len(losses) * slopes(losses)),
        lambda losses: np.array(where_a_weight_is_zero(losses)),
    ],
    "13.3": [
        tape_attack,
        two_signs,
        with_loops,
        lambda w, x, y, e: np.clip(x + e * np.sign(2 * np.outer(x @ w - y, w)), 0, 1),
        lambda w, x, y, e: (x + e * np.sign(np.einsum("i,j->ij", x @ w - y, w))).clip(0, 1),
        lambda w, x, y, e: np.float32(two_signs(w, x, y, e)),
        lambda w, x, y, e: np.where((x @ w > y)[:, None] == (w > 0), np.minimum(x + e, 1), np.maximum(x - e, 0)),
    ],
    "13.4": [
        room,
        lambda g, x, e: g @ (np.clip(x + e * np.sign(g), 0, 1) - x),
        lambda g, x, e: sum(a * (min(max(b + e * np.sign(a), 0), 1) - b) for a, b in zip(g, x, strict=True)),
        lambda g, x, e: np.float32(room(g, x, e)),
        lambda g, x, e: tf.reduce_sum(g * (tf.clip_by_value(x + e * tf.sign(g), 0.0, 1.0) - x)),
        lambda g, x, e: np.sum(np.abs(g) * np.abs(np.clip(x + e * np.sign(g), 0, 1) - x)),
    ],
}

WRONG = {
    "13.1": [
        lambda losses: by_ranks(losses) + gini(losses) / losses.sum(),
        lambda losses: by_ranks(losses) * losses.sum(),
        lambda losses: by_ranks(1 / losses),
        slopes,
        gini,
        lambda losses: by_ranks(losses) / len(losses),
        lambda losses: by_ranks(losses) + 1 / len(losses),
        lambda losses: np.argsort(losses),
        lambda losses: by_ranks(losses)[np.argsort(losses)],
        lambda losses: np.abs(by_ranks(losses)),
        lambda losses: losses * by_ranks(losses),
        lambda losses: -by_ranks(losses),
        lambda losses: by_ranks(losses) * len(losses),
        lambda losses: [gini(losses)] * len(losses),
    ],
    "13.2": [
        lambda losses: losses.mean() / (theil(losses) - np.log(losses.max() / losses.mean())),
        lambda losses: one_line(losses) / losses.mean(),
        lambda losses: losses.mean() / -np.log(losses.min() / losses.mean()),
        lambda losses: 1 / one_line(losses),
        lambda losses: one_line(losses) / len(losses),
        lambda losses: one_line(losses) * len(losses),
        lambda losses: losses.mean() / theil(losses),
        lambda losses: max(-1 / len(losses) / v for v in slopes(losses) if v < 0),
        lambda losses: -one_line(losses),
        lambda losses: losses.min() / (theil(losses) - np.log(losses.min() / losses.mean())),
        lambda losses: losses.mean() / (theil(losses) + np.log(losses.min() / losses.mean())),
        lambda losses: slopes(losses),
        lambda losses: 0.0,
        lambda losses: losses.mean() / (theil(losses) - np.log10(losses.min() / losses.mean())),
    ],
    "13.3": [
        lambda w, x, y, e: x + e * np.sign(np.outer(x @ w - y, w)),
        lambda w, x, y, e: two_signs(w, x, y, -e),
        lambda w, x, y, e: np.clip(x + e * np.outer(x @ w - y, w), 0, 1),
        lambda w, x, y, e: np.clip(x + e * np.sign(w), 0, 1),
        lambda w, x, y, e: x,
        lambda w, x, y, e: e * np.sign(np.outer(x @ w - y, w)),
        lambda w, x, y, e: np.clip(x + e * np.sign(x @ w - y)[:, None], 0, 1),
        lambda w, x, y, e: np.clip(x + e * np.sign(y - x @ w)[:, None] * np.sign(w), 0, 1),
        lambda w, x, y, e: np.clip(x + e * np.sign(np.mean(x @ w - y) * w), 0, 1),
        lambda w, x, y, e: np.clip(x + e * np.sign(np.outer(x @ w, w)), 0, 1),
        lambda w, x, y, e: np.clip(x + np.sign(np.outer(x @ w - y, w)), 0, 1),
        lambda w, x, y, e: np.clip(x + e * np.random.default_rng(0).choice([-1, 1], x.shape), 0, 1),
        lambda w, x, y, e: np.clip(x + 2 * e * np.sign(np.outer(x @ w - y, w)), 0, 1),
        lambda w, x, y, e: two_signs(w, x, y, e).T,
    ],
    "13.4": [
        lambda g, x, e: e * np.abs(g).sum(),
        lambda g, x, e: e * np.linalg.norm(g),
        lambda g, x, e: e * g.sum(),
        lambda g, x, e: room(g, x, e) / len(g),
        lambda g, x, e: -room(g, x, e),
        lambda g, x, e: np.abs(np.clip(x + e * np.sign(g), 0, 1) - x).sum(),
        lambda g, x, e: room(g, x, e) / e,
        lambda g, x, e: room(-g, x, e),
        lambda g, x, e: 2 * room(g, x, e),
        lambda g, x, e: np.abs(g) * e,
        lambda g, x, e: e * np.abs(g).max(),
        lambda g, x, e: g @ np.clip(x + e * np.sign(g), 0, 1),
        lambda g, x, e: e * len(g),
        lambda g, x, e: room(g, x, e**2),
    ],
}
