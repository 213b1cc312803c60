"""Chapter 06 as students answer it."""

import numpy as np
import tensorflow as tf


def gradient_of(loss):
    def gradient(theta):
        t = tf.constant(theta, tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(t)
            value = loss(t)
        return tape.gradient(value, t).numpy()

    return gradient


def two_tapes(loss, theta, v):
    t = tf.Variable(theta)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            value = loss(t)
        g = inner.gradient(value, t)
        along = tf.reduce_sum(g * v)
    return outer.gradient(along, t)


def forward_over_back(loss, theta, v):
    t = tf.constant(theta)
    with tf.autodiff.ForwardAccumulator(t, tf.constant(v)) as forward:
        with tf.GradientTape() as tape:
            tape.watch(t)
            value = loss(t)
        gradient = tape.gradient(value, t)
    return forward.jvp(gradient)


def whole(loss, theta):
    g = gradient_of(loss)
    return np.stack([(g(theta + e) - g(theta - e)) / 2e-5 for e in 1e-5 * np.eye(len(theta))])


def entry_loop(loss, theta, v):
    H = whole(loss, theta)
    return [sum(H[i, j] * v[j] for j in range(len(v))) for i in range(len(v))]


def by_hand(function):
    return lambda loss, theta, v: function(gradient_of(loss)(theta), whole(loss, theta), v)


def adapted_by(loss, theta, x, y, lr, steps):
    for _ in range(steps):
        theta = theta - lr * gradient_of(lambda t: loss(t, x, y))(theta)
    return theta


def objective(loss, task, lr, steps):
    return lambda theta: float(loss(tf.constant(adapted_by(loss, theta, *task[:2], lr, steps)), *task[2:]))


def differences(f, theta, h=1e-5):
    return np.array([(f(theta + e) - f(theta - e)) / (2 * h) for e in h * np.eye(len(theta))])


def outer_by_differences(loss, theta, task, lr, steps):
    return differences(objective(loss, task, lr, steps), theta)


def outer(loss, theta, task, lr, steps):
    sx, sy, qx, qy = task
    t = tf.constant(theta)
    with tf.GradientTape() as tape:
        tape.watch(t)
        a = t
        for _ in range(steps):
            with tf.GradientTape() as inner:
                inner.watch(a)
                value = loss(a, sx, sy)
            a = a - lr * inner.gradient(value, a)
        value = loss(a, qx, qy)
    return tape.gradient(value, t)


def persistent(loss, theta, task, lr, steps):
    t = tf.Variable(theta)
    with tf.GradientTape(persistent=True) as tape:
        a = t + 0.0
        for _ in range(steps):
            a = a - lr * tape.gradient(loss(a, task[0], task[1]), a)
        value = loss(a, task[2], task[3])
    return tape.gradient(value, t)


def hessians_by_hand(loss, theta, task, lr, steps):
    """v <- v - lr H v, last step first."""
    path = [adapted_by(loss, theta, *task[:2], lr, k) for k in range(steps + 1)]
    v = gradient_of(lambda t: loss(t, *task[2:]))(path[-1])
    for at in reversed(path[:-1]):
        v = v - lr * whole(lambda t: loss(t, *task[:2]), at) @ v
    return v


def changed(function):
    return lambda *case: function(np.array(outer(*case)), *case)


def close(f, theta, g, tolerance=1e-6, h=1e-5):
    d = differences(f, theta, h)
    return bool(np.linalg.norm(d - g) <= tolerance * max(np.linalg.norm(d), np.linalg.norm(g)))


def largest(f, theta, g):
    d = differences(f, theta)
    return np.abs(d - g).max() < 1e-6 * np.abs(d).max()


def in_loops(f, theta, g):
    worst, size = 0.0, 0.0
    for k in range(len(theta)):
        up, down = theta.copy(), theta.copy()
        up[k] += 1e-5
        down[k] -= 1e-5
        d = (f(up) - f(down)) / 2e-5
        worst, size = max(worst, abs(d - g[k])), max(size, abs(d))
    return worst / size < 1e-6


def one_entry(k):
    def answer(f, theta, g):
        d = differences(f, theta)
        return abs(d[k] - g[k]) < 1e-6 * np.linalg.norm(d)

    return answer


def one_direction(f, theta, g):
    v = np.ones(len(theta))
    return abs((f(theta + 1e-5 * v) - f(theta - 1e-5 * v)) / 2e-5 - g @ v) < 1e-6 * abs(g @ v)


def where_it_is_not_zero(f, theta, g):
    d, there = differences(f, theta), g != 0
    return np.linalg.norm((d - g)[there]) < 1e-6 * np.linalg.norm(d)


def variance(x):
    return np.mean((x - x.mean()) ** 2)


def by_four_points(x):
    n, h = len(x), 1e-4
    H, e = np.zeros((n, n)), h * np.eye(n)
    for i in range(n):
        for j in range(n):
            corners = [variance(x + a * e[i] + b * e[j]) * a * b for a in (1, -1) for b in (1, -1)]
            H[i, j] = sum(corners) / (4 * h * h)
    return np.round(H, 7)


def by_jacobian(x):
    t = tf.constant(x)
    with tf.GradientTape() as outer:
        outer.watch(t)
        with tf.GradientTape() as inner:
            inner.watch(t)
            v = tf.reduce_mean((t - tf.reduce_mean(t)) ** 2)
        g = inner.gradient(v, t)
    return outer.jacobian(g, t)


def filled(diagonal, rest):
    def answer(x):
        n = len(x)
        return np.where(np.eye(n) == 1, diagonal(n), rest(n))

    return answer


RIGHT = {
    "6.1": [
        two_tapes,
        forward_over_back,
        entry_loop,
        by_hand(lambda g, H, v: H @ v),
        by_hand(lambda g, H, v: v @ H),
        lambda *c: np.array(two_tapes(*c)).tolist(),
        lambda *c: tf.cast(two_tapes(*c), tf.float32),
    ],
    "6.2": [
        outer_by_differences,
        outer,
        persistent,
        hessians_by_hand,
        lambda *c: np.array(outer(*c)),
        lambda *c: tf.cast(outer(*c), tf.float32),
    ],
    "6.3": [
        close,
        largest,
        in_loops,
        lambda *c: np.bool_(close(*c)),
        lambda *c: 1 if close(*c) else 0,
        lambda f, theta, g: close(f, theta, g, 2e-6),
    ],
    "6.4": [
        by_four_points,
        by_jacobian,
        filled(lambda n: 2 / n - 2 / n**2, lambda n: -2 / n**2),
        lambda x: 2 / len(x) * (np.eye(len(x)) - 1 / len(x)),
        lambda x: (2 * np.eye(len(x)) / len(x) - 2 / len(x) ** 2).astype("float32"),
        lambda x: [[2 / len(x) * ((i == j) - 1 / len(x)) for j in range(len(x))] for i in range(len(x))],
        lambda x: 2 * np.cov(np.eye(len(x)), bias=True),
    ],
}
WRONG = {
    "6.1": [
        lambda loss, theta, v: None,
        by_hand(lambda g, H, v: -H @ v),
        by_hand(lambda g, H, v: 2 * H @ v),
        by_hand(lambda g, H, v: H @ g),
        by_hand(lambda g, H, v: H @ (v / np.linalg.norm(v))),
        by_hand(lambda g, H, v: np.linalg.solve(H, v)),
        by_hand(lambda g, H, v: np.abs(H) @ v),
        by_hand(lambda g, H, v: np.triu(H) @ v),
        by_hand(lambda g, H, v: H @ H @ v),
        by_hand(lambda g, H, v: H @ v / len(v)),
        by_hand(lambda g, H, v: (H @ v)[:, None]),
        by_hand(lambda g, H, v: H @ np.ones(len(v)) * v.sum()),
        by_hand(lambda g, H, v: np.outer(g, v) @ g),
        lambda loss, theta, v: gradient_of(loss)(v),
        lambda loss, theta, v: gradient_of(loss)(theta + v) - gradient_of(loss)(theta),
    ],
    "6.2": [
        lambda *c: None,
        changed(lambda g, *c: -g),
        changed(lambda g, *c: g / 2),
        changed(lambda g, *c: c[1] - c[3] * g),
        changed(lambda g, *c: np.sum(g)),
        changed(lambda g, *c: g / np.linalg.norm(g)),
        changed(lambda g, *c: g[::-1]),
        lambda loss, theta, task, lr, steps: outer(loss, theta, task, lr, steps + 1),
        lambda loss, theta, task, lr, steps: outer(loss, theta, task, lr**2, steps),
        lambda loss, theta, task, lr, steps: outer(loss, theta, task, lr, 2),
        lambda loss, theta, task, lr, steps: adapted_by(loss, theta, *task[:2], lr, steps),
        lambda loss, theta, task, lr, steps: objective(loss, task, lr, steps)(theta),
        lambda loss, theta, task, lr, steps: hessians_by_hand(loss, theta, task, lr / 2, steps),
        lambda loss, theta, task, lr, steps: gradient_of(lambda t: loss(t, *task[:2]))(theta),
    ],
    "6.3": [
        lambda *c: None,
        one_entry(0),
        one_entry(2),
        one_entry(-1),
        one_direction,
        where_it_is_not_zero,
        lambda f, theta, g: close(f, theta, g, 1e-2),
        lambda f, theta, g: close(f, theta, g, 0.0),
        lambda f, theta, g: close(f, theta, g, h=0.5),
        lambda f, theta, g: close(f, theta, g, h=1e-16),
        lambda f, theta, g: np.all(np.abs(differences(f, theta) - g) < 1e-3),
        lambda f, theta, g: bool(np.all(np.sign(differences(f, theta)) == np.sign(g))),
        lambda f, theta, g: np.sum(differences(f, theta)) - np.sum(g) < 1e-6,
        lambda f, theta, g: (differences(f, theta) - g).max() < 1e-6 * np.abs(g).max(),
        lambda f, theta, g: np.array_equal(differences(f, theta), g),
        lambda f, theta, g: np.abs(differences(f, theta) - g) < 1e-6,
        lambda f, theta, g: np.allclose(differences(f, theta), g),
    ],
    "6.4": [
        lambda x: None,
        lambda x: np.cov(x),
        lambda x: np.var(x),
        lambda x: np.eye(len(x)),
        filled(lambda n: 2 / n, lambda n: -2 / n),
        filled(lambda n: 2 / n, lambda n: -2 / n**2),
        filled(lambda n: 2 / n, lambda n: -2 / (n * (n - 1))),
        filled(lambda n: 0.5, lambda n: -0.5),
        filled(lambda n: 2 / n - 1 / n**2, lambda n: -1 / n**2),
        filled(lambda n: -2 / n + 2 / n**2, lambda n: 2 / n**2),
        filled(lambda n: 2 / n - 2 / n**2, lambda n: 0.0),
        filled(lambda n: 2 / n + 2 / n**2, lambda n: 2 / n**2),
        lambda x: 2 / len(x) * np.outer(x - x.mean(), x - x.mean()),
        lambda x: 2 * (np.eye(len(x)) - 1 / len(x)) ** 2,
    ],
}
