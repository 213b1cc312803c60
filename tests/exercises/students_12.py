"""Chapter 12 as students answer it."""

import numpy as np
import tensorflow as tf

# ---------------------------------------------------------------- 12.1


def by_columns(a, b, w):
    return [-sum(w[t] * a[t, p] * b[t, p] for t in range(len(w))) for p in range(a.shape[1])]


def with_tensors(a, b, w):
    return -tf.reduce_sum(tf.constant(w)[:, None] * a * b, axis=0)


def by_diagonal(a, b, w):
    return -np.diag(a.T @ np.diag(w) @ b)


# ---------------------------------------------------------------- 12.2


def recursion(residual, alpha, steps):
    if steps == 0:
        return 0.0
    before = recursion(residual, alpha, steps - 1)
    return before + 2 * alpha * (residual - before)


def geometric(residual, alpha, steps):
    return 2 * alpha * residual * sum((1 - 2 * alpha) ** k for k in range(steps))


def with_points(residual, alpha, steps):
    """The loss itself: five points with that mean residual."""
    r = residual + np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    phi = 0.0
    for _ in range(steps):
        phi = phi - alpha * np.mean(2 * (phi - r))
    return phi


def with_tape(residual, alpha, steps):
    phi = tf.constant(0.0, tf.float64)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            tape.watch(phi)
            loss = (phi - residual) ** 2
        phi = phi - alpha * tape.gradient(loss, phi)
    return phi


# ---------------------------------------------------------------- 12.3


def two_products(W, d, alpha):
    phi = 0 - alpha * np.matmul(W, d)
    return np.matmul(phi, W)


def in_loops(W, d, alpha):
    k, units = W.shape
    moved = [0.0] * units
    for i in range(k):
        phi = -alpha * sum(W[i, u] * d[u] for u in range(units))
        for u in range(units):
            moved[u] += phi * W[i, u]
    return moved


# ---------------------------------------------------------------- 12.4


def by_complex(r, a):
    z = r * np.exp(1j * a)
    s = np.real(z * np.conj(z.sum()))
    return s / np.abs(s).sum()


def by_cosines(r, a):
    s = [sum(r[i] * r[j] * np.cos(a[i] - a[j]) for j in range(len(r))) for i in range(len(r))]
    return np.array(s) / np.sum(np.abs(s))


def by_package(r, a):
    from gaml_utils import agreement_weights

    return agreement_weights(np.column_stack([r * np.cos(a), r * np.sin(a)]))


def with_gram(r, a):
    K = np.outer(r, r) * np.cos(np.subtract.outer(a, a))
    return K.sum(1) / abs(K.sum(1)).sum()


def angle_of_the_mean(r, a):
    x, y = np.sum(r * np.cos(a)), np.sum(r * np.sin(a))
    s = r * np.cos(a - np.arctan2(y, x))
    return s / np.sum(np.abs(s))


RIGHT = {
    "12.1": [
        by_columns,
        with_tensors,
        by_diagonal,
        lambda a, b, w: (-w[:, np.newaxis] * a * b).sum(0),
        lambda a, b, w: -(a * b).T @ w,
        lambda a, b, w: np.float32(-np.dot(w, a * b)),
        lambda a, b, w: list(-np.dot(w, np.multiply(a, b))),
    ],
    "12.2": [
        recursion,
        geometric,
        with_points,
        with_tape,
        lambda residual, alpha, steps: residual * (1 - (1 - 2 * alpha) ** steps),
        lambda r, a, n: np.float32(r - r * np.prod([1 - 2 * a] * n)),
        lambda r, a, n: [r * (1 - np.power(1 - 2 * a, n))][0],
    ],
    "12.3": [
        two_products,
        in_loops,
        lambda W, d, alpha: -alpha * W.T @ W @ d,
        lambda W, d, alpha: tf.linalg.matvec(tf.transpose(W) @ W, d) * -alpha,
        lambda W, d, alpha: -alpha * np.einsum("ku,kv,v->u", W, W, d),
        lambda W, d, alpha: list((-alpha * (W @ d)) @ W),
        lambda W, d, alpha: np.float32(np.dot(W.T, -alpha * np.dot(W, d))),
    ],
    "12.4": [
        by_complex,
        by_cosines,
        by_package,
        with_gram,
        angle_of_the_mean,
        lambda r, a: tf.constant(with_gram(r, a)),
        lambda r, a: list(by_complex(r, a)),
    ],
}

WRONG = {
    "12.1": [
        lambda a, b, w: (w[:, None] * a * b).sum(0),
        lambda a, b, w: -w[:, None] * a * b,
        lambda a, b, w: -(a * b).sum(0),
        lambda a, b, w: -(a * b).mean(0),
        lambda a, b, w: -np.dot(w, a * b) / len(w),
        lambda a, b, w: -w * (a * b).sum(1),
        lambda a, b, w: -w @ b,
        lambda a, b, w: -w @ a,
        lambda a, b, w: -(w @ a) * (w @ b),
        lambda a, b, w: -np.sum(w[:, None] * a * b),
        lambda a, b, w: -np.dot(w, np.sign(a * b)),
        lambda a, b, w: print(-np.dot(w, a * b)),
        lambda a, b, w: -np.dot(np.abs(w), a * b),
        lambda a, b, w: -a @ b.T @ w,
    ],
    "12.2": [
        lambda r, a, n: n * 2 * a * r,
        lambda r, a, n: r * (1 - (1 - a) ** n),
        lambda r, a, n: r * (1 - 2 * a) ** n,
        lambda r, a, n: r,
        lambda r, a, n: 2 * a * r,
        lambda r, a, n: r * (1 - (1 - 2 * a) ** (n + 1)),
        lambda r, a, n: r * (1 - (1 - 2 * a) ** (n - 1)),
        lambda r, a, n: -r * (1 - (1 - 2 * a) ** n),
        lambda r, a, n: 1 - (1 - 2 * a) ** n,
        lambda r, a, n: r * (1 + (1 - 2 * a) ** n),
        lambda r, a, n: r * (1 - (1 + 2 * a) ** n),
        lambda r, a, n: r * (1 - np.exp(-2 * a * n)),
        lambda r, a, n: None,
        lambda r, a, n: r / (1 - 2 * a) ** n,
    ],
    "12.3": [
        lambda W, d, alpha: -alpha * d,
        lambda W, d, alpha: -alpha * W @ d,
        lambda W, d, alpha: alpha * W.T @ W @ d,
        lambda W, d, alpha: -W.T @ W @ d,
        lambda W, d, alpha: -(alpha**2) * W.T @ W @ d,
        lambda W, d, alpha: -alpha * np.diag(W.T @ W) * d,
        lambda W, d, alpha: d - alpha * W.T @ W @ d,
        lambda W, d, alpha: -alpha * W.T @ W @ W.T @ W @ d,
        lambda W, d, alpha: -alpha * np.sum(W * d, axis=0),
        lambda W, d, alpha: -2 * alpha * W.T @ W @ d,
        lambda W, d, alpha: -alpha * np.linalg.pinv(W) @ W @ d,
        lambda W, d, alpha: -alpha * np.sum(W.T @ W) * d,
        lambda W, d, alpha: -alpha * W.T @ W,
        lambda W, d, alpha: -alpha * W @ W.T @ d,
    ],
    "12.4": [
        lambda r, a: with_gram(np.ones_like(r), a),
        lambda r, a: with_gram(r, a) / r / np.abs(with_gram(r, a) / r).sum(),
        lambda r, a: np.abs(with_gram(r, a)),
        lambda r, a: np.full(len(r), 1 / len(r)),
        lambda r, a: with_gram(r, a) / with_gram(r, a).sum(),
        lambda r, a: r**2 / np.sum(r**2),
        lambda r, a: r / r.sum(),
        lambda r, a: np.cos(a - a.mean()) / np.abs(np.cos(a - a.mean())).sum(),
        lambda r, a: r * np.cos(a - a.mean()) / np.abs(r * np.cos(a - a.mean())).sum(),
        lambda r, a: np.maximum(with_gram(r, a), 0) / np.maximum(with_gram(r, a), 0).sum(),
        lambda r, a: -with_gram(r, a),
        lambda r, a: with_gram(r, a)[::-1],
        lambda r, a: with_gram(r, np.degrees(a)),
        lambda r, a: with_gram(a, r),
    ],
}
