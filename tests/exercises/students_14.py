"""Chapter 14 as students answer it."""

import collections

import numpy as np
import tensorflow as tf

# ---------------------------------------------------------------- 14.1


def with_counter(clusters, labels):
    def pairs(counts):
        return sum(n * (n - 1) / 2 for n in counts.values())

    return pairs(collections.Counter(zip(clusters, labels, strict=True))) / pairs(collections.Counter(clusters))


def with_matrix(clusters, labels):
    same = (clusters[:, None] == clusters) & ~np.eye(len(clusters), dtype=bool)
    return np.mean((labels[:, None] == labels)[same])


def double_loop(clusters, labels):
    a = b = 0
    for i in range(len(clusters)):
        for j in range(len(clusters)):
            if i != j and clusters[i] == clusters[j]:
                b += 1
                if labels[i] == labels[j]:
                    a += 1
    return a / b


def triangle(clusters, labels):
    i, j = np.tril_indices(len(clusters), -1)
    same = clusters[i] == clusters[j]
    return np.sum(labels[i][same] == labels[j][same]) / np.sum(same)


# ---------------------------------------------------------------- 14.2


def old_style(points, centres):
    new = np.zeros(centres.shape)
    count = np.zeros(len(centres))
    for p in points:
        best, where = None, None
        for k, c in enumerate(centres):
            d = sum((a - b) ** 2 for a, b in zip(p, c, strict=True))
            if best is None or d < best:
                best, where = d, k
        new[where] += p
        count[where] += 1
    return new / count[:, None]


def with_tensors(points, centres):
    p, c = tf.constant(points), tf.constant(centres)
    who = tf.argmin(tf.reduce_sum((p[:, None] - c) ** 2, axis=2), axis=1)
    return tf.math.unsorted_segment_mean(p, who, len(centres))


def with_labels(points, centres):
    who = np.linalg.norm(points[:, None] - centres, axis=-1).argmin(1)
    return np.array([points[who == k].mean(0) for k in range(len(centres))])


def who_of(points, centres):
    return np.linalg.norm(points[:, None] - centres, axis=-1).argmin(1)


# ---------------------------------------------------------------- 14.3


def in_a_loop(sizes, shots, queries, ways):
    need = shots + queries
    big = 0
    for s in sizes:
        if s >= need:
            big += 1
    out = []
    for s in sizes:
        out.append(ways / big * need / s if s >= need else 0.0)
    return out


def masked(sizes, shots, queries, ways):
    sizes = np.asarray(sizes, float)
    p = np.zeros_like(sizes)
    ok = sizes >= shots + queries
    p[ok] = ways / ok.sum() * (shots + queries) / sizes[ok]
    return p


# ---------------------------------------------------------------- 14.4


def step_by_step(characters, each, ways):
    p = 1
    for j in range(ways):
        p = p * (characters - j) * each / (characters * each - j)
    return p


def recursively(characters, each, ways, taken=0):
    if taken == ways:
        return 1.0
    free = (characters - taken) * each / (characters * each - taken)
    return free * recursively(characters, each, ways, taken + 1)


def with_arrays(characters, each, ways):
    j = np.arange(ways)
    return np.prod((characters - j) * each) / np.prod(characters * each - j)


RIGHT = {
    "14.1": [
        with_counter,
        with_matrix,
        double_loop,
        triangle,
        lambda c, y: tf.constant(with_matrix(c, y)),
        lambda c, y: np.float32(with_matrix(c, y)),
        lambda c, y: with_counter(c.tolist(), y.tolist()),
    ],
    "14.2": [
        old_style,
        with_tensors,
        with_labels,
        lambda p, c: list(with_labels(p, c)),
        lambda p, c: with_labels(p, c).astype(np.float32),
        lambda p, c: with_labels(p, c).tolist(),
        lambda p, c: np.stack([np.average(p, axis=0, weights=who_of(p, c) == k) for k in range(len(c))]),
    ],
    "14.3": [
        in_a_loop,
        masked,
        lambda n, s, q, w: tf.constant(masked(n, s, q, w)),
        lambda n, s, q, w: tuple(in_a_loop(n, s, q, w)),
        lambda n, s, q, w: np.float32(masked(n, s, q, w)),
        lambda n, s, q, w: [w * (s + q) / k / sum(m >= s + q for m in n) * (k >= s + q) for k in n],
        lambda n, s, q, w: masked(n, 0, s + q, w),
    ],
    "14.4": [
        step_by_step,
        recursively,
        with_arrays,
        lambda n, m, w: np.float32(with_arrays(n, m, w)),
        lambda n, m, w: tf.constant(step_by_step(n, m, w)),
        lambda n, m, w: np.exp(sum(np.log((n - j) * m) - np.log(n * m - j) for j in range(w))),
        lambda n, m, w: [step_by_step(n, m, w)][0],
    ],
}

WRONG = {
    "14.1": [
        lambda c, y: np.mean((y[:, None] == y)[c[:, None] == c]),
        lambda c, y: sum(np.bincount(y[c == k]).max() for k in np.unique(c)) / len(c),
        lambda c, y: np.mean([with_matrix(c[c == k], y[c == k]) for k in np.unique(c)]),
        lambda c, y: with_matrix(y, c),
        lambda c, y: 1 - with_matrix(c, y),
        lambda c, y: np.mean(c == y),
        lambda c, y: 100 * with_matrix(c, y),
        lambda c, y: 2 * with_matrix(c, y),
        lambda c, y: np.mean((c[:, None] == c) & (y[:, None] == y)),
        lambda c, y: 0.0,
        lambda c, y: with_matrix(c, y) ** 2,
        lambda c, y: print(with_matrix(c, y)),
        lambda c, y: with_matrix(c, y) + 0.01,
        lambda c, y: [with_matrix(c[c == k], y[c == k]) for k in np.unique(c)],
    ],
    "14.2": [
        lambda p, c: c,
        lambda p, c: with_labels(p, c) - c,
        lambda p, c: (c + with_labels(p, c)) / 2,
        lambda p, c: [p[who_of(p, c) == k].sum(0) for k in range(len(c))],
        lambda p, c: who_of(p, c),
        lambda p, c: p.mean(0),
        lambda p, c: [np.max(p[who_of(p, c) == k], axis=0) for k in range(len(c))],
        lambda p, c: with_labels(p, c)[::-1],
        lambda p, c: p[: len(c)],
        lambda p, c: with_labels(p, c).T,
        lambda p, c: print(with_labels(p, c)),
        lambda p, c: [p[who_of(p, c) == k].mean() for k in range(len(c))],
        lambda p, c: with_labels(p, -c + 5) if len(c) else c,
        lambda p, c: with_labels(p, c) + 0.1,
    ],
    "14.3": [
        lambda n, s, q, w: [w / len(n) * (s + q) / k for k in n],
        lambda n, s, q, w: masked(n, s, q, 1),
        lambda n, s, q, w: masked(n, s, q, w) * s / (s + q),
        lambda n, s, q, w: masked(n, s, q, w) * np.array(n) / (s + q),
        lambda n, s, q, w: masked(n, s, 0, w),
        lambda n, s, q, w: [w * (s + q) / sum(n)] * len(n),
        lambda n, s, q, w: masked(n, s, q, w) * 2,
        lambda n, s, q, w: masked(n, s, q, w) / np.sum(masked(n, s, q, w)),
        lambda n, s, q, w: [w * (s + q) / sum(k for k in n if k >= s + q) * (k >= s + q) for k in n],
        lambda n, s, q, w: np.sum(masked(n, s, q, w)),
        lambda n, s, q, w: 1 - masked(n, s, q, w),
        lambda n, s, q, w: [float(k > s + q) for k in n],
        lambda n, s, q, w: print(masked(n, s, q, w)),
        lambda n, s, q, w: masked(n, s, q, w)[masked(n, s, q, w) > 0],
    ],
    "14.4": [
        lambda n, m, w: 1 - step_by_step(n, m, w),
        lambda n, m, w: np.prod([1 - j / n for j in range(w)]),
        lambda n, m, w: (n * m - m) / (n * m - 1),
        lambda n, m, w: ((n * m - m) / (n * m - 1)) ** (w - 1),
        lambda n, m, w: (1 - 1 / n) ** w,
        lambda n, m, w: 1 / n,
        lambda n, m, w: step_by_step(n, m, w + 1),
        lambda n, m, w: step_by_step(n, m, w) ** 2,
        lambda n, m, w: 100 * step_by_step(n, m, w),
        lambda n, m, w: np.prod([(n * m - j) / (n * m) for j in range(w)]),
        lambda n, m, w: step_by_step(n * m, 1, w),
        lambda n, m, w: w / n,
        lambda n, m, w: print(step_by_step(n, m, w)),
        lambda n, m, w: step_by_step(n, m, w) - 0.01,
    ],
}
