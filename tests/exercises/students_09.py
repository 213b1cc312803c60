"""Chapter 09 as students answer it."""

from collections import Counter

import numpy as np
import tensorflow as tf
from scipy import ndimage


def head(features, labels, ways, lr):
    x = np.hstack([features, np.ones((len(features), 1))])
    y = np.eye(ways)[labels]
    return lr * x.T @ (y - 1 / ways) / len(labels)


def by_tape(features, labels, ways, lr):
    x = tf.constant(np.hstack([features, np.ones((len(features), 1))]))
    W = tf.Variable(tf.zeros((x.shape[1], ways), tf.float64))
    with tf.GradientTape() as tape:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, x @ W)
        loss = tf.reduce_mean(losses)
    return -lr * tape.gradient(loss, W)


def one_hot(features, labels, ways, lr):
    error = tf.one_hot(labels, ways) - 1 / ways
    kernel = lr * tf.matmul(tf.cast(features, tf.float32), error, transpose_a=True) / len(labels)
    return tf.concat([kernel, lr * tf.reduce_mean(error, axis=0, keepdims=True)], axis=0)


def in_loops(features, labels, ways, lr):
    step = np.zeros((features.shape[1] + 1, ways))
    for x, y in zip(features, labels, strict=True):
        for c in range(ways):
            e = 1 / ways - (1 if c == y else 0)
            step[:-1, c] += e * x
            step[-1, c] += e
    return -lr * step / len(labels)


def class_means(features, labels, ways, lr):
    n = len(labels)
    columns = []
    for c in range(ways):
        mine = features[labels == c]
        kernel = mine.sum(axis=0) / n - features.mean(axis=0) / ways
        columns.append(lr * np.append(kernel, len(mine) / n - 1 / ways))
    return np.array(columns).T


def present_classes(features, labels, ways, lr):
    """As many columns as there are labels to be seen."""
    return head(features, labels, labels.max() + 1, lr)


def of_head(change):
    return lambda *case: change(head(*case), *case)


def centre(image, where=ndimage.center_of_mass, turn=1, wrap=False):
    middle = (np.array(image.shape) - 1) / 2
    move = turn * np.rint(middle - np.array(where(image))).astype(int)
    if wrap:
        return np.roll(image, move, axis=(0, 1))
    return ndimage.shift(image, move, order=0)


def centre_in_loops(image):
    h, w = image.shape
    total = image.sum()
    row = sum(i * image[i, j] for i in range(h) for j in range(w)) / total
    column = sum(j * image[i, j] for i in range(h) for j in range(w)) / total
    d, r = round((h - 1) / 2 - row), round((w - 1) / 2 - column)
    new = np.zeros((h, w))
    for i in range(h):
        for j in range(w):
            if 0 <= i - d < h and 0 <= j - r < w:
                new[i, j] = image[i - d, j - r]
    return new


def box(image):
    rows, columns = np.nonzero(image)
    return (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2


def off_by(down, right):
    return lambda image: np.roll(centre(image), (down, right), axis=(0, 1))


def eight(image):
    return [np.rot90(m, k) for m in (image, np.fliplr(image)) for k in range(4)]


def count(images):
    return len({m.tobytes() for m in images})


def pairwise(image):
    kept = []
    for m in eight(image):
        if not any(np.array_equal(m, other) for other in kept):
            kept.append(m)
    return len(kept)


def by_group(image):
    return 8 // sum(np.array_equal(image, m) for m in eight(image))


def vote(answers, truth, pick=None):
    wrong = 0
    for r in range(truth.shape[0]):
        for t in range(truth.shape[1]):
            ballots = answers[:, r, t].tolist()
            wrong += (pick or (lambda b: Counter(b).most_common(1)[0][0]))(ballots) != truth[r, t]
    return 100 * wrong / truth.size


def most(ballots):
    return max(ballots, key=ballots.count)


def latest(ballots):
    return max(ballots[::-1], key=ballots.count)


def smallest(ballots):
    return min(set(ballots), key=lambda c: (-ballots.count(c), c))


RIGHT = {
    "9.1": [head, by_tape, one_hot, in_loops, class_means, of_head(lambda H, *c: H.tolist())],
    "9.2": [
        centre,
        centre_in_loops,
        lambda image: centre(image).tolist(),
        lambda image: centre(image).astype("float32"),
        lambda image: tf.constant(centre_in_loops(image)),
        lambda image: centre(image, where=lambda x: np.argwhere(x).T @ x[x > 0] / x.sum()),
    ],
    "9.3": [
        pairwise,
        by_group,
        lambda image: count(eight(image)),
        lambda image: len(np.unique([m.ravel() for m in eight(image)], axis=0)),
        lambda image: len({tuple(m.ravel().tolist()) for m in eight(image)}),
        lambda image: np.float64(pairwise(image)),
        lambda image: count([np.rot90(m, k) for m in (image, image.T) for k in range(4)]),
    ],
    "9.4": [
        vote,
        lambda a, t: vote(a, t, most),
        lambda a, t: np.float32(vote(a, t)),
        lambda a, t: 100 - 100 * np.mean(np.apply_along_axis(lambda b: most(b.tolist()), 0, a) == t),
        lambda a, t: tf.constant(vote(a, t)),
        lambda a, t: round(vote(a, t, most), 6),
    ],
}
WRONG = {
    "9.1": [
        lambda *c: None,
        present_classes,
        of_head(lambda H, *c: H[:-1]),
        of_head(lambda H, *c: np.vstack([H[-1:], H[:-1]])),
        of_head(lambda H, *c: -H),
        of_head(lambda H, *c: H / 2),
        of_head(lambda H, *c: H * c[3]),
        of_head(lambda H, *c: H * len(c[1])),
        of_head(lambda H, *c: H.T),
        of_head(lambda H, *c: np.vstack([H[:-1], 0 * H[-1:]])),
        of_head(lambda H, *c: np.vstack([H[:-1] / c[3], H[-1:]])),
        of_head(lambda H, f, y, ways, lr: H + lr / ways * np.append(f.mean(0), 1)[:, None]),
        of_head(lambda H, *c: H / np.linalg.norm(H)),
        of_head(lambda H, *c: H[:, ::-1]),
        lambda f, y, ways, lr: head(f, np.sort(y), ways, lr),
        lambda f, y, ways, lr: head(f - f.mean(0), y, ways, lr),
        lambda f, y, ways, lr: head(f, y, ways, 1.0),
    ],
    "9.2": [
        lambda image: None,
        lambda image: image,
        off_by(1, 0),
        off_by(0, 1),
        lambda image: centre(image, turn=-1),
        lambda image: centre(image, where=box),
        lambda image: centre(image, where=lambda x: ndimage.center_of_mass(x > 0)),
        lambda image: centre(image, wrap=True),
        lambda image: centre(image, where=lambda x: np.unravel_index(x.argmax(), x.shape)),
        lambda image: centre(image, where=lambda x: (ndimage.center_of_mass(x)[0], (x.shape[1] - 1) / 2)),
        lambda image: centre(image, where=lambda x: ((x.shape[0] - 1) / 2, ndimage.center_of_mass(x)[1])),
        lambda image: centre(image, where=lambda x: ndimage.center_of_mass(x)[::-1]),
        lambda image: centre(image).T,
        lambda image: (centre(image) > 0).astype(float),
        lambda image: ndimage.center_of_mass(image),
        lambda image: centre(1 - image),
    ],
    "9.3": [
        lambda image: None,
        lambda image: 8,
        lambda image: 4,
        lambda image: count(eight(image)[:4]),
        lambda image: count([image, np.fliplr(image)]),
        lambda image: count([image, np.fliplr(image), np.flipud(image), image.T]),
        lambda image: count(eight(image)) - 1,
        lambda image: count(eight(image)) + 1,
        lambda image: 8 - count(eight(image)),
        lambda image: sum(np.array_equal(image, m) for m in eight(image)),
        lambda image: count([np.rot90(m, 2 * k) for m in (image, np.fliplr(image)) for k in range(2)]),
        lambda image: len({m.sum() for m in eight(image)}),
        lambda image: len({tuple(m[0]) for m in eight(image)}),
        lambda image: 2 * count(eight(image)[:4]),
        lambda image: count(eight(image)[:4]) + count(eight(image)[4:]),
    ],
    "9.4": [
        lambda a, t: None,
        lambda a, t: 100 - vote(a, t),
        lambda a, t: vote(a, t) / 100,
        lambda a, t: vote(a, t, latest),
        lambda a, t: vote(a, t, smallest),
        lambda a, t: vote(a, t, max),
        lambda a, t: vote(a, t, min),
        lambda a, t: vote(a, t, lambda b: b[0]),
        lambda a, t: vote(a, t, lambda b: b[-1]),
        lambda a, t: vote(a, t, lambda b: sorted(b)[len(b) // 2]),
        lambda a, t: vote(a, t, lambda b: round(sum(b) / len(b))),
        lambda a, t: 100 * np.mean(a != t),
        lambda a, t: vote(a, t) * t.size / 100,
        lambda a, t: vote(a, t, lambda b: most(b) if b.count(most(b)) > len(b) / 2 else -1),
        lambda a, t: 100 * np.mean((a != t).all(axis=0)),
        lambda a, t: 100 * np.mean((a != t).any(axis=0)),
    ],
}
