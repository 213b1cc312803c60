"""Chapter 16 as students answer it."""

import math

import numpy as np
import tensorflow as tf

# ---------------------------------------------------------------- 16.1


def counting(paths, goals, within):
    arrived = 0
    for k in range(len(goals)):
        x, y = paths[k][-1]
        if math.sqrt((x - goals[k][0]) ** 2 + (y - goals[k][1]) ** 2) < within:
            arrived += 1
    return arrived / len(goals)


def with_tensors(paths, goals, within):
    return tf.reduce_mean(tf.cast(tf.norm(paths[:, -1] - goals, axis=1) < within, tf.float64))


def squares(paths, goals, within):
    return (np.square(paths[:, -1] - goals).sum(-1) < within**2).mean()


# ---------------------------------------------------------------- 16.2


def two_steps(g, w2, inner_lr):
    b_step = -inner_lr * g
    z_step = -inner_lr * np.dot(w2.T, g)
    return b_step + np.dot(w2, z_step)


def elementwise(g, w2, inner_lr):
    out = []
    for i in range(len(g)):
        total = g[i]
        for j in range(len(g)):
            for k in range(w2.shape[1]):
                total += w2[i, k] * w2[j, k] * g[j]
        out.append(-inner_lr * total)
    return out


def with_einsum(g, w2, inner_lr):
    return -inner_lr * (g + np.einsum("ik,jk,j->i", w2, w2, g))


# ---------------------------------------------------------------- 16.3


def with_a_tape(v_in, v_out, w, inner_lr, shown, query):
    v, w0 = tf.Variable(v_in, dtype=tf.float64), tf.Variable(w, dtype=tf.float64)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            loss = tf.reduce_mean((v * w0 * shown[0] - shown[1]) ** 2)
        adapted = w0 - inner_lr * inner.gradient(loss, w0)
        last = tf.reduce_mean((v_out * adapted * query[0] - query[1]) ** 2)
    return outer.gradient(last, v)


def on_paper(v_in, v_out, w, inner_lr, shown, query):
    o, a = shown
    oo, oa = np.mean(o**2), np.mean(o * a)
    w1 = w - 2 * inner_lr * (v_in**2 * w * oo - v_in * oa)
    dw1 = -2 * inner_lr * (2 * v_in * w * oo - oa)
    q, b = query
    return (2 * v_out**2 * w1 * np.mean(q**2) - 2 * v_out * np.mean(q * b)) * dw1


# ---------------------------------------------------------------- 16.4


def looped(places, hues, hue):
    out = []
    for k in range(len(hue)):
        far = [min(abs(h - hue[k]), 1 - abs(h - hue[k])) for h in hues[k]]
        out.append(places[k][far.index(min(far))])
    return out


def complex_plane(places, hues, hue):
    z = np.abs(np.exp(2j * np.pi * hues) - np.exp(2j * np.pi * hue)[:, None])
    return places[range(len(z)), z.argmin(1)]


def gathered(places, hues, hue):
    apart = tf.abs(hues - hue[:, None])
    return tf.gather(places, tf.argmin(tf.minimum(apart, 1 - apart), axis=1), batch_dims=1)


RIGHT = {
    "16.1": [
        counting,
        with_tensors,
        squares,
        lambda p, g, d: np.float32(squares(p, g, d)),
        lambda p, g, d: np.array(squares(p, g, d)),
        lambda p, g, d: 1 - np.mean(np.hypot(*(p[:, -1] - g).T) >= d),
        lambda p, g, d: np.count_nonzero(np.hypot(*(p[:, -1] - g).T) < d) / len(p),
    ],
    "16.2": [
        two_steps,
        elementwise,
        with_einsum,
        lambda g, w, lr: tuple(two_steps(g, w, lr)),
        lambda g, w, lr: tf.constant(two_steps(g, w, lr)),
        lambda g, w, lr: np.float32(two_steps(g, w, lr)),
        lambda g, w, lr: -(lr * np.eye(len(g)) + lr * w.dot(w.T)).dot(g),
    ],
    "16.3": [
        with_a_tape,
        on_paper,
        lambda *case: float(on_paper(*case)),
        lambda *case: np.array(on_paper(*case)),
        lambda *case: tf.constant(on_paper(*case)),
        lambda *case: -1.0 * -on_paper(*case),
        lambda a, b, c, d, e, f: on_paper(a, b, c, d, list(map(np.asarray, e)), f),
    ],
    "16.4": [
        looped,
        complex_plane,
        gathered,
        lambda p, s, h: complex_plane(p, s, h).tolist(),
        lambda p, s, h: np.float32(complex_plane(p, s, h)),
        lambda p, s, h: complex_plane(p, s + 1, h),
        lambda p, s, h: np.stack(looped(p, s, h)),
    ],
}

WRONG = {
    "16.1": [
        lambda p, g, d: (np.hypot(*(p[:, 0] - g).T) < d).mean(),
        lambda p, g, d: (np.hypot(*(p[:, -1] - g).T) >= d).mean(),
        lambda p, g, d: (np.hypot(*(p[:, -1] - g).T) < d).sum(),
        lambda p, g, d: (np.hypot(*(p[:, -1] - g).T) ** 2 < d).mean(),
        lambda p, g, d: (np.linalg.norm(p - g[:, None], axis=2) < d).mean(),
        lambda p, g, d: (np.linalg.norm(p - g[:, None], axis=2) < d).any(1).mean(),
        lambda p, g, d: (np.linalg.norm(p - g[:, None], axis=2) < d).all(1).mean(),
        lambda p, g, d: (np.abs(p[:, -1] - g) < d).mean(),
        lambda p, g, d: (np.abs(p[:, -1] - g).sum(1) < d).mean(),
        lambda p, g, d: np.hypot(*(p[:, -1] - g).T).mean(),
        lambda p, g, d: np.hypot(*(p[:, -1] - g).T) < d,
        lambda p, g, d: 100 * (np.hypot(*(p[:, -1] - g).T) < d).mean(),
        lambda p, g, d: (np.linalg.norm(p[:, -1], axis=1) < d).mean(),
        lambda p, g, d: print(squares(p, g, d)),
    ],
    "16.2": [
        lambda g, w, lr: -lr * g,
        lambda g, w, lr: -lr * w @ w.T @ g,
        lambda g, w, lr: lr * (g + w @ w.T @ g),
        lambda g, w, lr: -(g + w @ w.T @ g),
        lambda g, w, lr: -lr * (g + lr * w @ w.T @ g),
        lambda g, w, lr: -lr * (g - w @ w.T @ g),
        lambda g, w, lr: -lr * (g + (w**2).sum() * g),
        lambda g, w, lr: -lr * (g + (w**2).sum(1) * g),
        lambda g, w, lr: -lr * (w.T @ g),
        lambda g, w, lr: two_steps(g, w, lr).sum(),
        lambda g, w, lr: -lr * (2 * g + w @ w.T @ g),
        lambda g, w, lr: np.linalg.inv(np.eye(len(g)) + w @ w.T) @ (-lr * g),
        lambda g, w, lr: two_steps(g, w, lr)[::-1],
        lambda g, w, lr: print(two_steps(g, w, lr)),
    ],
    "16.3": [
        lambda *case: 0.0,
        lambda *case: -on_paper(*case),
        lambda *case: on_paper(*case) / 2,
        lambda *case: on_paper(*case) / 4,
        lambda *case: on_paper(*case) / case[3],
        lambda *case: on_paper(case[1], case[0], *case[2:]),
        lambda *case: on_paper(*case[:4], case[5], case[4]),
        lambda *case: on_paper(*case[:4], case[4], case[4]),
        lambda *case: on_paper(case[0], case[0], *case[2:]),
        lambda *case: on_paper(*case[:3], -case[3], *case[4:]),
        lambda *case: on_paper(*case) * len(case[4][0]),
        lambda *case: on_paper(*case) + 0.1,
        lambda *case: on_paper(*case) / case[1],
        lambda *case: print(on_paper(*case)),
    ],
    "16.4": [
        lambda p, s, h: p[:, 0],
        lambda p, s, h: p[:, 1],
        lambda p, s, h: p.mean(1),
        lambda p, s, h: p[range(len(p)), s.argmax(1)],
        lambda p, s, h: p[range(len(p)), s.argmin(1)],
        lambda p, s, h: p[range(len(p)), abs(s - h[:, None]).argmin(1)],
        lambda p, s, h: p[range(len(p)), abs(s - h[:, None]).argmax(1)],
        lambda p, s, h: p[range(len(p)), np.abs(np.exp(2j * np.pi * s) - np.exp(2j * np.pi * h)[:, None]).argmax(1)],
        lambda p, s, h: np.abs(np.exp(2j * np.pi * s) - np.exp(2j * np.pi * h)[:, None]).argmin(1),
        lambda p, s, h: complex_plane(p, s, h)[0],
        lambda p, s, h: complex_plane(p, s, np.roll(h, 1)),
        lambda p, s, h: complex_plane(p, s, h + 0.5),
        lambda p, s, h: s[range(len(p)), s.argmax(1)],
        lambda p, s, h: print(complex_plane(p, s, h)),
    ],
}
