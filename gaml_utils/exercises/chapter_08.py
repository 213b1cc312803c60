"""Exercises of chapter 08: an episode by hand, shifted pixels, an evaluation with two leaks, how many episodes.

8.1 returns four rows: the numbers of the support images, their new labels, and the same of the query images.
"""

import itertools
from functools import partial

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(8)

# ---------------------------------------------------------------- 8.1: an episode by hand


def _episode(labels, order, classes, shots, queries, query_from=None, names=None, keep=None):
    """order: all image numbers, shuffled. query_from: place of the first query image in a class's part of it."""
    query_from = shots if query_from is None else query_from
    names, keep = range(len(classes)) if names is None else names, keep or list
    rows = [keep([n for n in order if labels[n] == c]) for c in classes]
    parts = [row[:shots] for row in rows], [row[query_from : query_from + queries] for row in rows]
    pairs = [(np.concatenate(part), np.repeat(list(names), [len(row) for row in part])) for part in parts]
    return [array for pair in pairs for array in pair]


def _shuffled_over(classes, per_class):
    labels = np.repeat(classes, per_class)[_rng.permutation(len(classes) * per_class)]
    return labels, _rng.permutation(len(labels))


_episode_cases = [
    (*_shuffled_over([3, 4, 7, 9, 12], 7), np.array([9, 3, 12]), 2, 3),
    (*_shuffled_over([0, 1, 2, 5], 6), np.array([5, 1]), 1, 4),
]

# ---------------------------------------------------------------- 8.2: pixels that may shift


def _flat(images):
    return images.reshape(len(images), -1)


def _unit(images):
    return _flat(images) / np.linalg.norm(_flat(images), axis=1, keepdims=True)


def _moved(images, down, right):
    """Zeros come in at the edge."""
    height, width = images.shape[1:]
    wide = np.pad(images, ((0, 0), (abs(down),) * 2, (abs(right),) * 2))
    return wide[:, abs(down) - down :, abs(right) - right :][:, :height, :width]


def _rolled(images, *by):
    return np.roll(images, by, axis=(1, 2))


def _best(support_x, query_x, reach, move=_moved, ways=None, unit=_unit, combine=np.max, of_query=None):
    """(queries, supports): the highest similarity over the shifts."""
    ways = ways or list(itertools.product(range(-reach, reach + 1), repeat=2))
    return combine([(of_query or unit)(move(query_x, d, r)) @ unit(support_x).T for d, r in ways], axis=0)


def _labels(similarity, y):
    return np.asarray(y)[similarity.argmax(axis=1)]


def _only_along(sx, sy, qx, reach):
    ways = [way for step in range(-reach, reach + 1) for way in ((step, 0), (0, step))]
    return _labels(_best(sx, qx, reach, ways=ways), sy)


def _one_wins(similarity):  # between equals rounding would decide
    return np.diff(np.sort(similarity, axis=1)[:, -2:])[:, 0] > 1e-6


def _shift_case(reach):
    support = (_rng.random((6, 8, 8)) < 0.3).astype(float)
    support[:, 3:5, 3:5] = 1.0
    shifts = enumerate(_rng.integers(-2, 3, size=(60, 2)))
    query = np.stack([_moved(support[[k % 6]], *shift)[0] for k, shift in shifts])
    noisy = np.abs(query - (_rng.random(query.shape) < 0.12))
    noisy[:, 4, 4] = 1.0
    right, still, rolled = _best(support, noisy, reach), _best(support, noisy, 0), _best(support, noisy, reach, _rolled)
    clear = np.all([_one_wins(s) for s in (right, -right, still, rolled)], axis=0)
    return support, np.array([2, 0, 1, 4, 3, 2]), noisy[clear], reach


_shift_cases = [_shift_case(reach) for reach in (0, 1, 2)]

# ---------------------------------------------------------------- 8.3: an evaluation with two leaks


def _share(support, query, same_font=True, own_statistics=False, both=False, any_class=False, error=False):
    """Nearest class mean. same_font: a query in a font of its class's support counts too (the leak)."""
    (sx, sy, sf), (qx, qy, qf) = support, query
    points = np.concatenate([sx, qx]) if both else sx
    mean, sd = points.mean(axis=0), points.std(axis=0)
    s = (sx - mean) / sd
    q = (qx - qx.mean(axis=0)) / qx.std(axis=0) if own_statistics else (qx - mean) / sd
    means = np.stack([s[sy == c].mean(axis=0) for c in range(sy.max() + 1)])
    right = ((q[:, None] - means) ** 2).sum(axis=2).argmin(axis=1) == qy
    if any_class:
        counts = ~np.isin(qf, sf)
    else:
        counts = np.array([same_font or f not in sf[sy == c] for f, c in zip(qf, qy, strict=True)])
    return np.mean(right[counts] != error)


def _zero_for_leaks(support, query):
    """Queries that should not count, counted as wrong."""
    (_, sy, sf), (_, qy, qf) = support, query
    clean = np.mean([f not in sf[sy == c] for f, c in zip(qf, qy, strict=True)])
    return clean * _share(support, query, same_font=False)


def _leak_case(points):
    centres, fonts = 0.8 * _rng.normal(size=(3, 4)), 1.2 * _rng.normal(size=(9, 4))
    made = []
    for n, low, high, extra in ((4, 0, 5, 0.0), (points, 0, 9, 0.9)):
        y = np.repeat(np.arange(3), n)
        f = _rng.integers(low, high, size=len(y))
        made.append((centres[y] + fonts[f] + extra + 0.5 * _rng.normal(size=(len(y), 4)), y, f))
    return tuple(made)


_leak_cases = [_leak_case(points) for points in (40, 67)]


# ---------------------------------------------------------------- 8.4: how many episodes
def _episodes(accuracies, half_width, factor=1.96, ddof=1):
    return np.ceil((factor * np.std(accuracies, ddof=ddof) / half_width) ** 2)


def _independent(accuracies, half_width):
    return np.ceil(1.96**2 * np.mean(accuracies) * (1 - np.mean(accuracies)) / half_width**2)


def _unrounded(accuracies, half_width):
    return (1.96 * np.std(accuracies, ddof=1) / half_width) ** 2


_pilot = [_rng.binomial(n, 0.6 + 0.2 * _rng.uniform(-1, 1, size=size)) / n for n, size in ((25, 12), (25, 40), (5, 9))]
_pilot_cases = list(zip(_pilot, (0.01, 0.02, 0.005), strict=True))

EXERCISES = {
    "8.1": Exercise(
        _episode,
        cases=_episode_cases,
        mistakes={
            "support and query overlap: the query images of a class come after its support images.": lambda *case: (
                _episode(*case, query_from=0)
            ),
            "the labels are the classes' own numbers; an episode numbers its classes anew, from 0.": lambda labels, order, classes, *n: (
                _episode(labels, order, classes, *n, names=classes)
            ),
            "the classes are in order of their number; label k belongs to classes[k].": lambda labels, order, classes, *n: (
                _episode(labels, order, np.sort(classes), *n)
            ),
            "that ignores `order`: the first images of a class would always be its support set.": lambda *case: (
                _episode(*case, keep=sorted)
            ),
            "one image too early: a support image is also the first query image.": lambda *case: _episode(
                *case, query_from=case[3] - 1
            ),
            "that is the query set first; return the support set, then the query set.": lambda *case: [
                _episode(*case)[k] for k in (2, 3, 0, 1)
            ],
            "the labels are asked after the numbers: numbers, labels, numbers, labels.": lambda *case: [
                _episode(*case)[k] for k in (0, 2, 1, 3)
            ],
        },
    ),
    "8.2": Exercise(
        lambda sx, sy, qx, reach: _labels(_best(sx, qx, reach), sy),
        cases=_shift_cases,
        mistakes={
            "the query stays where it is: try it at every shift up to `reach`.": lambda sx, sy, qx, reach: _labels(
                _best(sx, qx, 0), sy
            ),
            "np.roll brings what leaves at one edge in again at the other; zeros should come in.": lambda sx, sy, qx, reach: (
                _labels(_best(sx, qx, reach, move=_rolled), sy)
            ),
            "only straight shifts are tried; down and right may go together.": _only_along,
            "that is the place of the nearest support image; return its label.": lambda sx, sy, qx, reach: _best(
                sx, qx, reach
            ).argmax(axis=1),
            "that is the least similar one: a high cosine means alike.": lambda sx, sy, qx, reach: _labels(
                -_best(sx, qx, reach), sy
            ),
            "divide by both lengths: an image with much ink is not alike to all others.": lambda sx, sy, qx, reach: (
                _labels(_best(sx, qx, reach, unit=_flat), sy)
            ),
            "divide by the length of the shifted query too: ink may have left over the edge.": lambda sx, sy, qx, reach: (
                _labels(_best(sx, qx, reach, of_query=_flat), sy)
            ),
            "that is the mean over the shifts; the best one counts.": lambda sx, sy, qx, reach: _labels(
                _best(sx, qx, reach, combine=np.mean), sy
            ),
        },
    ),
    "8.3": Exercise(
        lambda *case: _share(*case, same_font=False),
        cases=_leak_cases,
        mistakes={
            "both leaks are still there.": partial(_share, own_statistics=True),
            "one mended. The other: how do the queries get their mean and standard deviation?": partial(
                _share, same_font=False, own_statistics=True
            ),
            "one mended. The other: some queries are in a font that their class's support set has shown.": _share,
            "mean and standard deviation of both sets together still use the other queries.": partial(
                _share, same_font=False, both=True
            ),
            "that leaves out too much: a font matters only if the support set of the query's own class has it.": partial(
                _share, any_class=True
            ),
            "queries that should not count are counted as wrong; divide by the number of those that are left.": _zero_for_leaks,
            "that is the share of wrong answers.": partial(_share, same_font=False, error=True),
        },
    ),
    "8.4": Exercise(
        _episodes,
        cases=_pilot_cases,
        mistakes={
            "use the standard deviation of a sample, divided by n - 1: np.std(..., ddof=1).": partial(
                _episodes, ddof=0
            ),
            "a whole number of episodes, please: the next one up.": _unrounded,
            "rounded down, the interval is a little too wide.": lambda a, h: np.floor(_unrounded(a, h)),
            "half_width is half of the interval: one side is 1.96 standard errors.": lambda a, h: _episodes(a, h / 2),
            "1.96 is missing: one standard error to each side holds only two thirds.": partial(_episodes, factor=1.0),
            "the standard error falls with the root of n: square the ratio.": lambda a, h: np.ceil(
                np.sqrt(_unrounded(a, h))
            ),
            "that is the formula for single queries, right or wrong; here one value is a whole episode.": _independent,
        },
    ),
}
