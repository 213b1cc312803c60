"""Chapter 13 as students answer it."""

import numpy as np
import tensorflow as tf

# ---------------------------------------------------------------- 13.1


def in_a_loop(losses, strength):
    mu = sum(losses) / len(losses)
    index = sum(loss / mu * np.log(loss / mu) for loss in losses) / len(losses)
    w = []
    for loss in losses:
        w.append(1 / len(losses) + strength * (np.log(loss / mu) - index) / (len(losses) * mu))
    return w


def with_tape(losses, strength):
    found = tf.Variable(losses)
    with tf.GradientTape() as tape:
        r = found / tf.reduce_mean(found)
        lowered = tf.reduce_mean(found) + strength * tf.reduce_mean(r * tf.math.log(r))
    return tape.gradient(lowered, found)


def by_shares(losses, strength):
    share = losses / losses.sum()
    T = len(losses)
    index = np.sum(share * np.log(T * share))
    return 1 / T + strength * (np.log(T * share) - index) / losses.sum()


def by_package(losses, strength):
    from gaml_utils.weighting import inequality_weights

    return inequality_weights("theil", strength)(losses[:, None])


# ---------------------------------------------------------------- 13.2


def by_bisection(losses):
    low, high = 0.0, 1e3
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if min(in_a_loop(losses, middle)) > 0 else (low, middle)
    return low


def by_straight_line(losses):
    """The weights are straight lines in the strength: where does the lowest cross 0?"""
    at_0, at_1 = np.array(in_a_loop(losses, 0)), np.array(in_a_loop(losses, 1))
    falling = at_1 < at_0
    return np.min(at_0[falling] / (at_0 - at_1)[falling])


def index_of(losses):
    r = losses / losses.mean()
    return (r * np.log(r)).mean()


def with_sorted(losses):
    losses = sorted(losses)
    mu = np.mean(losses)
    return mu / (index_of(np.array(losses)) - np.log(losses[0] / mu))


# ---------------------------------------------------------------- 13.3


def with_where(x, y, w, epsilon):
    up = (np.dot(x, w) > y) == (w > 0)
    return np.where(up, np.minimum(x + epsilon, 1), np.maximum(x - epsilon, 0))


def attack_with_tape(x, y, w, epsilon):
    x, w = tf.constant(x), tf.constant(w)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = (tf.reduce_sum(x * w) - y) ** 2
    return tf.clip_by_value(x + epsilon * tf.sign(tape.gradient(loss, x)), 0.0, 1.0)


def attack_by_differences(x, y, w, epsilon):
    out = x.copy()
    for k in range(len(x)):
        e = np.eye(len(x))[k] * 1e-4
        rises = ((x + e) @ w - y) ** 2 - ((x - e) @ w - y) ** 2
        out[k] += epsilon if rises > 0 else -epsilon
    return np.maximum(0, np.minimum(1, out))


# ---------------------------------------------------------------- 13.4


def spelled_out(theta, alpha, epsilon, support, query):
    xs, ys = support
    xq, yq = query
    xs_a = xs + epsilon * np.sign(theta * (theta * xs - ys))
    xq_a = xq + epsilon * np.sign(theta * (theta * xq - yq))
    theta_c = theta - alpha * 2 * xs * (theta * xs - ys)
    theta_a = theta - alpha * 2 * xs_a * (theta * xs_a - ys)
    return (theta_a * xq - yq) ** 2 + (theta_c * xq_a - yq) ** 2


def crossed_with_tape(theta, alpha, epsilon, support, query):
    theta = tf.constant(theta, tf.float64)

    def slope(loss, v):
        with tf.GradientTape() as tape:
            tape.watch(v)
            value = loss(v)
        return tape.gradient(value, v)

    def attacked(x, y):
        x = tf.constant(x, tf.float64)
        return x + tf.constant(epsilon, tf.float64) * tf.sign(slope(lambda x: (theta * x - y) ** 2, x))

    def learned(x, y):
        return theta - tf.constant(alpha, tf.float64) * slope(lambda t: (t * x - y) ** 2, theta)

    (xs, ys), (xq, yq) = support, query
    return (learned(attacked(xs, ys), ys) * xq - yq) ** 2 + (learned(xs, ys) * attacked(xq, yq) - yq) ** 2


def with_functions(theta, alpha, epsilon, support, query):
    def go_up(x, y):
        slope = 2 * theta * (theta * x - y)
        return x + epsilon * slope / abs(slope)

    losses = []
    for x_s, x_q in ((go_up(*support), query[0]), (support[0], go_up(*query))):
        t = theta - alpha * 2 * x_s * (theta * x_s - support[1])
        losses.append((t * x_q - query[1]) ** 2)
    return sum(losses)


def uncrossed(theta, alpha, epsilon, support, query):
    xs, ys = support
    xq, yq = query
    xs_a, xq_a = (x + epsilon * np.sign(theta * (theta * x - y)) for x, y in (support, query))
    theta_c = theta - alpha * 2 * xs * (theta * xs - ys)
    theta_a = theta - alpha * 2 * xs_a * (theta * xs_a - ys)
    return (theta_c * xq - yq) ** 2 + (theta_a * xq_a - yq) ** 2


def by_gradient_itself(theta, alpha, epsilon, support, query):
    xs_a, xq_a = (x + epsilon * 2 * theta * (theta * x - y) for x, y in (support, query))
    theta_c, theta_a = (theta - alpha * 2 * x * (theta * x - support[1]) for x in (support[0], xs_a))
    return (theta_a * query[0] - query[1]) ** 2 + (theta_c * xq_a - query[1]) ** 2


RIGHT = {
    "13.1": [
        in_a_loop,
        with_tape,
        by_shares,
        by_package,
        lambda losses, s: tf.constant(by_shares(losses, s)),
        lambda losses, s: list(by_shares(losses, s)),
        lambda L, s: (1 + s * (np.log(L / np.mean(L)) - index_of(L)) / np.mean(L)) / L.size,
    ],
    "13.2": [
        by_bisection,
        by_straight_line,
        with_sorted,
        lambda L: [with_sorted(L)][0],
        lambda L: tf.constant(with_sorted(L)),
        lambda L: L.mean() / (index_of(L) + np.log(L.mean() / L.min())),
        lambda L: np.float32(np.mean(L) / np.max(index_of(L) - np.log(L / np.mean(L)))),
    ],
    "13.3": [
        with_where,
        attack_with_tape,
        attack_by_differences,
        lambda x, y, w, e: np.clip(x + e * np.sign(w) * np.sign(x @ w - y), 0, 1),
        lambda x, y, w, e: np.clip(x + np.copysign(e, (x @ w - y) * w), 0.0, 1.0),
        lambda x, y, w, e: list(with_where(x, y, w, e)),
        lambda x, y, w, e: np.minimum(np.maximum(x + e * np.sign((np.sum(w * x) - y) * w), 0), 1),
    ],
    "13.4": [
        spelled_out,
        crossed_with_tape,
        with_functions,
        lambda *case: np.float32(spelled_out(*case)),
        lambda *case: tf.constant(spelled_out(*case)),
        lambda *case: float(with_functions(*case)),
        lambda t, a, e, s, q: np.array(with_functions(t, a, e, np.array(s), np.array(q))),
    ],
}

WRONG = {
    "13.1": [
        lambda L, s: 1 / len(L) + s * (np.log(L / L.mean()) - index_of(L)),
        lambda L, s: 1 / len(L) + s * np.log(L / L.mean()) / L.sum(),
        lambda L, s: 1 / len(L) + s * (np.log(L / L.mean()) + 1) / L.sum(),
        lambda L, s: s * (np.log(L / L.mean()) - index_of(L)) / L.sum(),
        lambda L, s: 1 / len(L) - s * (np.log(L / L.mean()) - index_of(L)) / L.sum(),
        lambda L, s: by_shares(L, 1.0),
        lambda L, s: by_shares(L, s) / by_shares(L, s).sum(),
        lambda L, s: np.abs(by_shares(L, s)),
        lambda L, s: np.maximum(by_shares(L, s), 0),
        lambda L, s: L / L.sum(),
        lambda L, s: 1 / len(L) + s * (np.log2(L / L.mean()) - index_of(L)) / L.sum(),
        lambda L, s: index_of(L),
        lambda L, s: 1 + s * (np.log(L / L.mean()) - index_of(L)) / L.mean(),
        lambda L, s: print(by_shares(L, s)),
    ],
    "13.2": [
        lambda L: with_sorted(L) / L.mean(),
        lambda L: L.mean() / np.log(L.mean() / L.min()),
        lambda L: L.mean() / (index_of(L) - np.log(L.max() / L.mean())),
        lambda L: with_sorted(L) / len(L),
        lambda L: -with_sorted(L),
        lambda L: L.mean() / index_of(L),
        lambda L: 1 / with_sorted(L),
        lambda L: L.sum() / (index_of(L) - np.log(L.min() / L.mean())),
        lambda L: L.min() / (index_of(L) - np.log(L.min() / L.mean())),
        lambda L: L.mean() / (index_of(L) - np.log(L / L.mean())),
        lambda L: L.mean() / (index_of(L) - np.log(L.min())),
        lambda L: np.median(L) / (index_of(L) - np.log(L.min() / np.median(L))),
        lambda L: None,
        lambda L: 1.0,
    ],
    "13.3": [
        lambda x, y, w, e: np.clip(x - e * np.sign((x @ w - y) * w), 0, 1),
        lambda x, y, w, e: x + e * np.sign((x @ w - y) * w),
        lambda x, y, w, e: np.clip(x + e * 2 * (x @ w - y) * w, 0, 1),
        lambda x, y, w, e: np.clip(x + e * np.sign(w), 0, 1),
        lambda x, y, w, e: e * np.sign((x @ w - y) * w),
        lambda x, y, w, e: np.clip(w + e * np.sign((x @ w - y) * x), 0, 1),
        lambda x, y, w, e: np.clip(x, 0, 1),
        lambda x, y, w, e: np.clip(x + e, 0, 1),
        lambda x, y, w, e: x - e * np.sign((x @ w - y) * w),
        lambda x, y, w, e: np.clip(x + e * np.sign(x @ w - y), 0, 1),
        lambda x, y, w, e: np.clip(x + e * w / np.linalg.norm(w), 0, 1),
        lambda x, y, w, e: ((with_where(x, y, w, e) @ w) - y) ** 2,
        lambda x, y, w, e: np.clip(x + e * np.sign((x @ w - y) * w), -1, 1),
        lambda x, y, w, e: print(with_where(x, y, w, e)),
    ],
    "13.4": [
        uncrossed,
        by_gradient_itself,
        lambda t, a, e, s, q: spelled_out(t, a, -e, s, q),
        lambda *case: spelled_out(*case) / 2,
        lambda t, a, e, s, q: spelled_out(t, a, 0, s, q),
        lambda t, a, e, s, q: spelled_out(t, a / 2, e, s, q),
        lambda t, a, e, s, q: spelled_out(t, -a, e, s, q),
        lambda t, a, e, s, q: spelled_out(t, 0, e, s, q),
        lambda t, a, e, s, q: spelled_out(t, a, e, q, s),
        lambda t, a, e, s, q: spelled_out(t, a, 2 * e, s, q),
        lambda *case: np.sqrt(spelled_out(*case)),
        lambda *case: spelled_out(*case) - uncrossed(*case),
        lambda *case: None,
        lambda *case: [spelled_out(*case), uncrossed(*case)],
    ],
}
