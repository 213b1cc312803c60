"""Chapter 08 as students answer it."""

import math
import statistics

import numpy as np
import tensorflow as tf


def episode(labels, order, classes, shots, queries):
    rows = [[n for n in order if labels[n] == c][: shots + queries] for c in classes]
    y = range(len(classes))
    support = [n for row in rows for n in row[:shots]]
    query = [n for row in rows for n in row[shots:]]
    return support, [k for k in y for _ in range(shots)], query, [k for k in y for _ in range(queries)]


def with_counters(labels, order, classes, shots, queries):
    numbers = {c: k for k, c in enumerate(classes.tolist())}
    support, query = [[] for _ in classes], [[] for _ in classes]
    for n in order:
        k = numbers.get(labels[n])
        if k is None:
            continue
        if len(support[k]) < shots:
            support[k].append(n)
        elif len(query[k]) < queries:
            query[k].append(n)
    s, q = np.array(support), np.array(query)
    y = np.arange(len(classes))[:, None]
    return s.ravel(), (y + 0 * s).ravel(), q.ravel(), (y + 0 * q).ravel()


def in_order_of_the_dice(labels, order, classes, shots, queries):
    s, sy, q, qy = episode(labels, order, classes, shots, queries)
    place = {n: i for i, n in enumerate(order)}
    by = sorted(range(len(s)), key=lambda i: place[s[i]])
    to = sorted(range(len(q)), key=lambda i: place[q[i]])
    return [s[i] for i in by], [sy[i] for i in by], [q[i] for i in to], [qy[i] for i in to]


def of_episode(change):
    return lambda *case: change(*map(np.array, episode(*case)))


def moved(images, down, right):
    new = np.zeros_like(images)
    h, w = images.shape[1:]
    for i in range(h):
        for j in range(w):
            if 0 <= i - down < h and 0 <= j - right < w:
                new[:, i, j] = images[:, i - down, j - right]
    return new


def padded(images, down, right):
    h, w = images.shape[1:]
    r = max(abs(down), abs(right), 1)
    wide = np.pad(images, ((0, 0), (r, r), (r, r)))
    return wide[:, r - down : r - down + h, r - right : r - right + w]


def cosines(a, b, of_a=True, of_b=True):
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    product = a @ b.T
    if of_a:
        product = product / np.linalg.norm(a, axis=1)[:, None]
    return product / np.linalg.norm(b, axis=1) if of_b else product


def nearest(move=moved, like=cosines, steps=lambda reach: range(-reach, reach + 1), pick=np.argmax, over=np.max):
    def answer(sx, sy, qx, reach):
        found = [like(move(qx, d, r), sx) for d in steps(reach) for r in steps(reach)]
        return np.asarray(sy)[pick(over(found, axis=0), axis=1)]

    return answer


def supports_moved(sx, sy, qx, reach):
    """Not the same: what leaves the support image at the edge is lost."""
    found = [cosines(qx, moved(sx, d, r)) for d in range(-reach, reach + 1) for r in range(-reach, reach + 1)]
    return np.asarray(sy)[np.argmax(np.max(found, axis=0), axis=1)]


def one_by_one(sx, sy, qx, reach):
    answers = []
    for q in qx:
        best, label = -1.0, None
        for d in range(-reach, reach + 1):
            for r in range(-reach, reach + 1):
                m = moved(q[None], d, r)[0]
                for s, y in zip(sx, sy, strict=True):
                    c = (m * s).sum() / math.sqrt((m * m).sum() * (s * s).sum())
                    if c > best:
                        best, label = c, y
        answers.append(label)
    return answers


def distances(a, b):
    a, b = a.reshape(len(a), 1, -1), b.reshape(1, len(b), -1)
    return -((a - b) ** 2).sum(axis=2)


def centred_cosines(a, b):
    return cosines(a - a.mean(axis=(1, 2), keepdims=True), b - b.mean(axis=(1, 2), keepdims=True))


def clean(statistics_of=lambda s, q: s, keep=None, far=None, base=None, means=np.mean):
    """An evaluation in plain steps, with its slips to choose from."""

    def answer(support, query):
        (sx, sy, sf), (qx, qy, qf) = support, query
        both = statistics_of(sx, qx)
        mean, sd = both.mean(axis=0), both.std(axis=0)
        s, q = (sx - mean) / sd, (qx - mean) / sd
        centres = np.stack([means(s[sy == c], axis=0) for c in range(sy.max() + 1)])
        right, counted = 0, 0
        for x, y, f in zip(q, qy, qf, strict=True):
            if (keep or (lambda sy, sf, y, f: f not in sf[sy == y]))(sy, sf, y, f):
                d = (far or (lambda a, b: ((a - b) ** 2).sum(axis=1)))(x, centres)
                counted += 1
                right += int(np.argmin(d) == y)
        return right / (counted if base is None else base(qy))

    return answer


def vectorised(support, query):
    (sx, sy, sf), (qx, qy, qf) = support, query
    s, q = (sx - sx.mean(0)) / sx.std(0), (qx - sx.mean(0)) / sx.std(0)
    ways = np.unique(sy)
    centres = np.array([s[sy == c].mean(0) for c in ways])
    answers = ways[np.linalg.norm(q[:, None] - centres, axis=2).argmin(1)]
    seen = ((sy[:, None] == qy) & (sf[:, None] == qf)).any(axis=0)
    return (answers == qy)[~seen].mean()


def needed(accuracies, half_width):
    return math.ceil((1.96 * statistics.stdev(accuracies.tolist()) / half_width) ** 2)


def by_trying(accuracies, half_width):
    n, sd = 1, np.std(accuracies, ddof=1)
    while 1.96 * sd / np.sqrt(n) > half_width:
        n += 1
    return n


RIGHT = {
    "8.1": [
        episode,
        with_counters,
        lambda *c: [list(part) for part in episode(*c)],
        lambda *c: tuple(np.array(part, dtype=np.int32) for part in episode(*c)),
        lambda *c: [tf.constant(part) for part in episode(*c)],
        lambda *c: [np.array(part, dtype=float) for part in with_counters(*c)],
    ],
    "8.2": [
        nearest(),
        nearest(padded),
        one_by_one,
        nearest(like=lambda a, b: cosines(a.astype("float32"), b.astype("float32"))),
        nearest(like=lambda a, b: cosines(a, b, of_b=True) * 3),
        lambda *c: nearest()(*c).tolist(),
        lambda *c: tf.constant(nearest(padded)(*c)),
    ],
    "8.3": [
        clean(),
        vectorised,
        clean(far=lambda a, b: np.linalg.norm(a - b, axis=1)),
        lambda *c: np.float32(vectorised(*c)),
        lambda *c: tf.constant(clean()(*c)),
        clean(keep=lambda sy, sf, y, f: (y, f) not in set(zip(sy, sf, strict=True))),
    ],
    "8.4": [
        needed,
        by_trying,
        lambda a, h: int(np.ceil((1.96 / h) ** 2 * np.var(a, ddof=1))),
        lambda a, h: float(needed(a, h)),
        lambda a, h: np.array(needed(a, h)),
        lambda a, h: -int(-((1.96 * np.std(a, ddof=1) / h) ** 2) // 1),
    ],
}
WRONG = {
    "8.1": [
        in_order_of_the_dice,
        lambda *c: None,
        of_episode(lambda s, sy, q, qy: (s, sy)),
        of_episode(lambda s, sy, q, qy: (s, sy + 1, q, qy + 1)),
        of_episode(lambda s, sy, q, qy: (q, qy, s, sy)),
        of_episode(lambda s, sy, q, qy: (s[::-1], sy, q, qy)),
        of_episode(lambda s, sy, q, qy: (s, sy[::-1], q, qy[::-1])),
        of_episode(lambda s, sy, q, qy: (s, sy, s, sy)),
        of_episode(lambda s, sy, q, qy: (np.sort(s), sy, np.sort(q), qy)),
        of_episode(lambda s, sy, q, qy: (s + 1, sy, q + 1, qy)),
        lambda labels, order, classes, k, n: episode(labels, order[::-1], classes, k, n),
        lambda labels, order, classes, k, n: episode(labels, order, classes[::-1], k, n),
        lambda labels, order, classes, k, n: episode(labels, order, classes, n, k),
        lambda labels, order, classes, k, n: episode(labels, np.arange(len(order)), classes, k, n),
        lambda labels, order, classes, k, n: episode(labels, order, np.unique(labels)[: len(classes)], k, n),
    ],
    "8.2": [
        lambda *c: None,
        nearest(like=lambda a, b: cosines(a, b, of_a=False)),
        nearest(like=lambda a, b: cosines(a, b, of_b=False)),
        nearest(like=lambda a, b: cosines(a, b, of_a=False, of_b=False)),
        nearest(over=np.min),
        nearest(over=np.sum),
        nearest(pick=np.argmin),
        nearest(steps=lambda reach: range(0, reach + 1)),
        nearest(steps=lambda reach: range(-reach, reach)),
        nearest(steps=lambda reach: range(-reach - 1, reach + 2)),
        nearest(steps=lambda reach: (-reach, 0, reach)),
        nearest(move=lambda x, d, r: np.roll(x, (d, r), axis=(1, 2))),
        nearest(move=lambda x, d, r: moved(x, d, 0)),
        nearest(move=lambda x, d, r: moved(x, d, d)),
        lambda sx, sy, qx, reach: nearest()(sx, np.arange(len(sy)), qx, reach),
        lambda sx, sy, qx, reach: nearest()(sx, sy, qx, 0),
        lambda sx, sy, qx, reach: nearest()(sx, sy, qx, 1),
    ],
    "8.3": [
        lambda *c: None,
        clean(statistics_of=lambda s, q: q),
        clean(statistics_of=lambda s, q: np.concatenate([s, q])),
        clean(keep=lambda *a: True),
        clean(keep=lambda sy, sf, y, f: f in sf[sy == y]),
        clean(keep=lambda sy, sf, y, f: f not in sf),
        clean(base=len),
        clean(base=lambda qy: 1),
        clean(far=lambda a, b: -np.linalg.norm(a - b, axis=1)),
        clean(far=lambda a, b: -(b @ a)),
        lambda *c: 1 - clean()(*c),
        lambda *c: 100 * clean()(*c),
        lambda *c: clean()(c[1], c[0]),
        lambda *c: round(clean()(*c), 1),
        clean(far=lambda a, b: np.abs(a - b).max(axis=1)),
    ],
    "8.4": [
        lambda a, h: None,
        lambda a, h: needed(a, 2 * h),
        lambda a, h: needed(a, h / 2),
        lambda a, h: needed(a, h) + 1,
        lambda a, h: needed(a, h) - 1,
        lambda a, h: needed(a, h) * len(a),
        lambda a, h: math.ceil(1.96 * np.std(a, ddof=1) / h),
        lambda a, h: math.ceil((np.std(a, ddof=1) / h) ** 2),
        lambda a, h: math.ceil((1.96 * np.std(a) / h) ** 2),
        lambda a, h: math.ceil((2.58 * np.std(a, ddof=1) / h) ** 2),
        lambda a, h: math.ceil(1.96 * np.var(a, ddof=1) / h**2),
        lambda a, h: math.ceil((1.96 * np.mean(a) / h) ** 2),
        lambda a, h: 1.96 * np.std(a, ddof=1) / np.sqrt(len(a)),
        lambda a, h: 600,
        lambda a, h: math.ceil((1.96 * (a.max() - a.min()) / h) ** 2),
    ],
}
