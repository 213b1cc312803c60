"""Answers to the exercises of chapter 09: right ones, classic mistakes, other wrong ones. Plain loops, for the most."""

import collections
import math

import numpy as np
import tensorflow as tf

# ---------------------------------------------------------------- 9.1


def head_loop(features, labels, ways, inner_lr, mean=True, share=True, bias=True, of_class=False, counted=False):
    """Row by row: what each class takes of its own images, and gives of all."""
    rows = []
    for c in range(ways):
        own, total = np.zeros(len(features[0]) + 1), np.zeros(len(features[0]) + 1)
        for x, y in zip(features, labels, strict=True):
            wide = np.append(x, 1.0 if bias else 0.0)
            own, total = own + wide * (y == c), total + wide
        chance = np.mean(labels == c) if counted else 1 / ways
        divisor = np.sum(labels == c) if of_class else len(features) if mean else 1
        rows.append(inner_lr * (own - (chance * total if share else 0)) / divisor)
    return np.array(rows).T


def head_by_tape(features, labels, ways, inner_lr):
    kernel, bias = tf.zeros((features.shape[1], ways), tf.float64), tf.zeros(ways, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch([kernel, bias])
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, features @ kernel + bias)
        loss = tf.reduce_mean(losses)
    down, up = tape.gradient(loss, [kernel, bias])
    return tf.concat([-inner_lr * down, -inner_lr * up[None]], axis=0)


# ---------------------------------------------------------------- 9.2


def centre_of_mass(image, weigh=float):
    height, width = image.shape
    total = sum(weigh(v) for v in image.ravel())
    row = sum(i * weigh(image[i, j]) for i in range(height) for j in range(width)) / total
    column = sum(j * weigh(image[i, j]) for i in range(height) for j in range(width)) / total
    return row, column


def box(image):
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    return (rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2


def centring(where=centre_of_mass, sign=1, half=1, wrap=False, swap=False, nearest=round):
    def answer(image):
        height, width = image.shape
        row, column = where(image)
        down, right = sign * nearest((height - half) / 2 - row), sign * nearest((width - half) / 2 - column)
        if swap:
            down, right = right, down
        result = np.zeros_like(image)
        for i in range(height):
            for j in range(width):
                if wrap:
                    result[(i + down) % height, (j + right) % width] = image[i, j]
                elif 0 <= i + down < height and 0 <= j + right < width:
                    result[i + down, j + right] = image[i, j]
        return result

    return answer


# ---------------------------------------------------------------- 9.3


def seen(image, turns=(0, 1, 2, 3), mirrors=(False, True)):
    different = []
    for mirror in mirrors:
        for k in turns:
            other = np.rot90(np.fliplr(image) if mirror else image, k)
            if not any(np.array_equal(other, known) for known in different):
                different.append(other)
    return len(different)


def seen_from_above(image):
    """Mirrored up and down instead: the same eight."""
    eight = [np.rot90(m, k).ravel() for m in (image, np.flipud(image)) for k in range(4)]
    return len(np.unique(eight, axis=0))


# ---------------------------------------------------------------- 9.4


def vote(answers, truth, ties="first"):
    wrong = 0
    for r, t in np.ndindex(truth.shape):
        ballots = [int(a) for a in answers[:, r, t]]
        if ties == "last":
            ballots = ballots[::-1]
        if ties == "lowest":
            ballots = sorted(ballots)
        winner = collections.Counter(ballots).most_common(1)[0][0]  # the first met of those with most votes
        wrong += winner != truth[r, t]
    return 100 * wrong / truth.size


def vote_with_counts(answers, truth):
    """Counts per class, and less than a vote for being earlier."""
    earlier = np.linspace(0.1, 0.0, len(answers))[:, None, None, None]
    ballots = answers[..., None] == np.arange(answers.max() + 1)
    winners = (ballots.sum(axis=0) + (ballots * earlier).max(axis=0)).argmax(axis=-1)
    return np.mean(winners != truth) * 100


def half_or_fewer(answers, truth):
    right = [np.sum(answers[:, r, t] == truth[r, t]) for r, t in np.ndindex(truth.shape)]
    return 100 * np.mean([2 * votes <= len(answers) for votes in right])


# ---------------------------------------------------------------- right, wrong with a hint, wrong

RIGHT = {
    "9.1": [head_loop, head_by_tape, lambda *case: head_loop(*case).tolist()],
    "9.2": [centring(), lambda image: centring()(image).tolist()],
    "9.3": [seen, seen_from_above],
    "9.4": [vote, vote_with_counts],
}

WRONG = {
    "9.1": [
        ("divide by their number", lambda *case: head_loop(*case, mean=False)),
        ("share of all images", lambda *case: head_loop(*case, share=False)),
        ("sign is wrong", lambda *case: -head_by_tape(*case)),
        ("the bias takes the same step", lambda *case: head_loop(*case, bias=False)),
        ("not by that of the class", lambda *case: head_loop(*case, of_class=True)),
        ("however many images each has", lambda *case: head_loop(*case, counted=True)),
        ("without its size", lambda f, y, ways, lr: head_by_tape(f, y, ways, 1.0)),
        ("on their side", lambda *case: tf.transpose(head_by_tape(*case))),
    ],
    "9.2": [
        ("box around", centring(where=box)),
        ("wrong way", centring(sign=-1)),
        ("np.roll", centring(wrap=True)),
        ("swapped", centring(swap=True)),
        ("(n - 1) / 2", centring(half=0)),
        ("counts alike", centring(where=lambda image: centre_of_mass(image, weigh=lambda v: float(v > 0)))),
        ("not towards 0", centring(nearest=int)),
        ("not down", centring(nearest=math.floor)),
        ("has not moved", lambda image: image.copy()),
    ],
    "9.3": [
        ("mirrored ones are missing", lambda image: seen(image, mirrors=(False,))),
        ("turns are missing", lambda image: seen(image, turns=(0,))),
        ("look the same", lambda image: 8.0),
        ("not the repetitions", lambda image: 8 - seen(image)),
        ("four quarter turns", lambda image: seen(image, turns=(0, 2))),
        ("once, not twice", lambda image: seen(image, mirrors=(False,)) + seen(image, mirrors=(True,))),
        ("is one of them", lambda image: seen(image) - 1),
    ],
    "9.4": [
        ("mean error of the seeds", lambda a, y: sum(100 * np.mean(each != y) for each in a) / len(a)),
        ("not the lowest class", lambda a, y: vote(a, y, ties="lowest")),
        ("not of the last", lambda a, y: vote(a, y, ties="last")),
        ("which seed to believe", lambda a, y: 100 * np.mean(np.all(a != y, axis=0))),
        ("only if every seed", lambda a, y: 100 - 100 * np.mean(np.all(a == y, axis=0))),
        ("more than half", half_or_fewer),
        ("in percent", lambda a, y: vote(a, y) / 100),
        ("the error is the rest", lambda a, y: 100 - vote(a, y)),
        ("names", lambda a, y: 100 * np.mean(np.median(a, axis=0) != y)),
    ],
}

ALSO_WRONG = {
    "9.1": [lambda f, y, ways, lr: np.zeros((f.shape[1] + 1, ways)), lambda *case: 2 * head_loop(*case)],
    "9.2": [lambda image: np.roll(image, 1, axis=0), np.zeros_like],
    "9.3": [lambda image: 4, lambda image: image.size],
    "9.4": [lambda a, y: 50.0, lambda a, y: vote(a[:1], y)],
}
