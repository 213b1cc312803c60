"""Chapter 01 as students answer it."""

import math

import numpy as np
import tensorflow as tf


def sine_in_loops(x, amplitude, phase):
    found = np.empty_like(x)
    for t in range(len(x)):
        for n in range(x.shape[1]):
            found[t, n, 0] = amplitude[t, 0, 0] * math.sin(x[t, n, 0] - phase[t, 0, 0])
    return found


def in_place(x, amplitude, phase):
    x -= phase
    return amplitude * np.sin(x)


def losses_in_loops(prediction, y):
    found = []
    for p, t in zip(prediction, y, strict=True):
        total = 0.0
        for a, b in zip(p, t, strict=True):
            total += (a[0] - b[0]) ** 2
        found.append(total / len(p))
    return found


def only_four(prediction, y):
    return [np.mean((prediction[t] - y[t]) ** 2) for t in range(4)]


def prints(prediction, y):
    print(np.mean((prediction - y) ** 2, axis=(1, 2)))


def no_return(x, amplitude, phase):
    result = amplitude * np.sin(x - phase)  # noqa: F841


def mean_by_average(x):
    phases = (np.arange(20_000) + 0.5) / 20_000 * np.pi / 2
    return np.array([2 * np.mean(np.sin(v - phases)) for v in np.atleast_1d(x)])


RIGHT = {
    "1.1": [
        sine_in_loops,
        in_place,
        lambda x, a, p: a * (np.sin(x) * np.cos(p) - np.cos(x) * np.sin(p)),
        lambda x, a, p: (a * np.sin(x - p)).astype(np.float32),
        lambda x, a, p: tf.constant(a) * tf.sin(x - p),
        lambda x, a, p: a * np.cos(x - p - np.pi / 2),
        lambda x, a, p: np.multiply(a, np.sin(np.subtract(x, p))),
        lambda x, amplitude, phase: -amplitude * np.sin(phase - x),
    ],
    "1.2": [
        losses_in_loops,
        lambda p, y: np.mean(np.square(p - y)[..., 0], axis=1),
        lambda p, y: np.array([np.mean((a - b) ** 2) for a, b in zip(p, y, strict=True)]),
        lambda p, y: tf.reduce_mean((p - y) ** 2, axis=[1, 2]),
        lambda p, y: np.einsum("tno,tno->t", p - y, p - y) / p.shape[1],
        lambda p, y: ((p - y) ** 2).reshape(len(p), -1).mean(1).astype("float32"),
        lambda p, y: tuple(((p - y) ** 2).mean((1, 2))),
    ],
    "1.3": [
        mean_by_average,
        lambda x: 4 / np.pi * (np.sin(x) - np.cos(x)),
        lambda x: 4 / math.pi * (np.cos(x - np.pi / 2) - np.cos(x)),
        lambda x: 4 * np.sqrt(2) / np.pi * np.sin(x - np.pi / 4),
        lambda x: [4 / math.pi * (math.sin(v) - math.cos(v)) for v in x],
        lambda x: (4 / np.pi * (np.sin(x) - np.cos(x))).astype(np.float32),
        lambda x: tf.constant(4 / np.pi, tf.float64) * (tf.sin(x) - tf.cos(x)),
    ],
}
WRONG = {
    "1.1": [
        no_return,
        lambda x, a, p: a * np.sin(p * x),
        lambda x, a, p: a * np.sin(x) - a * np.sin(p),
        lambda x, a, p: a + np.sin(x - p),
        lambda x, a, p: np.sin(x - p) / a,
        lambda x, a, p: p * np.sin(x - a),
        lambda x, a, p: a * np.tan(x - p),
        lambda x, a, p: a * np.sin(np.radians(x - p)),
        lambda x, a, p: a * np.sin(2 * np.pi * x - p),
        lambda x, a, p: np.round(a * np.sin(x - p), 2),
        lambda x, a, p: (a * np.sin(x - p))[0],
        lambda x, a, p: (a * np.sin(x - p))[..., 0],
        lambda x, a, p: a[0] * np.sin(x - p[0]),
        lambda x, a, p: np.abs(a * np.sin(x - p)),
        lambda x, a, p: a * np.sin(np.abs(x) - p),
    ],
    "1.2": [
        prints,
        only_four,
        lambda p, y: np.mean((p - y) ** 2, axis=(0, 1)),
        lambda p, y: np.mean((p - y) ** 2, axis=-1),
        lambda p, y: np.mean((p + y) ** 2, axis=(1, 2)),
        lambda p, y: np.mean((p - y) ** 2, axis=(1, 2)) / 2,
        lambda p, y: np.median((p - y) ** 2, axis=(1, 2)),
        lambda p, y: np.var(p - y, axis=(1, 2)),
        lambda p, y: np.mean(p**2 - y**2, axis=(1, 2)),
        lambda p, y: np.max((p - y) ** 2, axis=(1, 2)),
        lambda p, y: np.sum((p - y) ** 2, axis=(1, 2)) / (p.shape[1] - 1),
        lambda p, y: np.mean((p - y) ** 2, axis=(1, 2))[::-1],
        lambda p, y: ((p[:, 0] - y[:, 0]) ** 2)[:, 0],
        lambda p, y: -np.mean((p - y) ** 2, axis=(1, 2)),
    ],
    "1.3": [
        lambda x: np.sin(x) - np.cos(x),
        lambda x: 4 / np.pi * (np.cos(x) - np.sin(x)),
        lambda x: 2 / np.pi * np.cos(x),
        lambda x: -2 / np.pi * 2 * np.cos(x),
        lambda x: 2 * (np.sin(x) - np.cos(x)) / np.pi,
        lambda x: 4 / np.pi * np.sin(x),
        lambda x: 4 / np.pi * (np.sin(x) - np.cos(x)) + 1,
        lambda x: 2 * np.sin(x),
        lambda x: 0 * x,
        lambda x: 8 / np.pi * (np.sin(x) - np.cos(x)),
        lambda x: 4 / 3.14 * (np.sin(x) - np.cos(x)),
        lambda x: np.round(4 / np.pi * (np.sin(x) - np.cos(x)), 1),
        lambda x: None,
        lambda x: 4 * np.pi * (np.sin(x) - np.cos(x)),
    ],
}
