"""Exercises of chapter 09: a head after one step, a centred image, eight classes out of one, and seeds that vote.

9.1 returns one array, (features + 1, ways): the kernel, and the bias as its last row.
"""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(9)

# ---------------------------------------------------------------- 9.1: the zero head after one step


def _head(features, labels, ways, inner_lr, mean=True, share=True, sign=-1, bias=True, over=None, chance=None):
    """One step of gradient descent from zero on the mean cross-entropy, with its faults to choose from."""
    n = len(labels)
    taken = np.eye(ways)[labels]
    error = share * (1 / ways if chance is None else chance) - taken
    wide = np.column_stack([features, np.ones(n) if bias else np.zeros(n)])
    step = wide.T @ error / (n if mean else 1)
    return sign * inner_lr * step / (taken.sum(axis=0) / n if over == "class" else 1)


def _labelled(n, features, ways):
    labels = np.concatenate([np.arange(ways), _rng.integers(ways, size=n - ways)])
    return _rng.normal(size=(n, features)) + 0.5, _rng.permutation(labels), ways


_head_cases = [
    (np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([2, 0]), 3, 0.5),  # class 1 has no image
    (np.array([[1.0], [2.0], [-1.0]]), np.array([1, 0, 1]), 4, 1.5),  # nor do the last two
    (*_labelled(7, 4, 3), 2.0),
    (*_labelled(12, 5, 4), 0.25),
]

# ---------------------------------------------------------------- 9.2: an image in its middle


def _middle(image, weights=True):
    """Row and column of the centre of the ink, or of the box around it."""
    at = np.argwhere(image > 0)
    return np.average(at, axis=0, weights=image[image > 0]) if weights else (at.min(axis=0) + at.max(axis=0)) / 2


def _centred(image, where=_middle, sign=1, to=None, wrap=False, swap=False, rounded=np.rint):
    """Moved by whole pixels; what comes in is 0."""
    height, width = image.shape
    target = (np.array(image.shape) - 1) / 2 if to is None else to(image)
    down, right = (sign * rounded(target - where(image))).astype(int)[:: -1 if swap else 1]
    if wrap:
        return np.roll(image, (down, right), axis=(0, 1))
    wide = np.pad(image, ((height,) * 2, (width,) * 2))
    return wide[height - down :, width - right :][:height, :width]


def _uncentred_dark(image):
    """The centre of the pixels that have any ink, however much."""
    return np.argwhere(image > 0).mean(axis=0)


def _drawing(*strokes, shape=(9, 11)):
    image = np.zeros(shape)
    for rows, columns, ink in strokes:
        image[rows, columns] = ink
    return image


_images = [
    (_drawing((slice(0, 5), 1, 1.0), (0, slice(1, 5), 0.4)),),
    (_drawing((8, slice(2, 11), 0.3), (slice(3, 9), 10, 1.0), (5, 0, 0.9)),),
    (_drawing((slice(0, 2), slice(0, 9), 1.0), (7, 1, 0.5)),),
]

# ---------------------------------------------------------------- 9.3: how many classes a character gives


def _turned(image, mirrored=True, turns=4):
    return [np.rot90(m, k) for m in ((image, image[:, ::-1]) if mirrored else (image,)) for k in range(turns)]


def _different(images):
    return len({image.tobytes() for image in images})


def _letters():
    """Of all symmetries: none, a mirror, a half turn, quarter turns alone, both mirrors, all."""
    f = np.zeros((5, 5), dtype=np.uint8)
    f[:, 1] = f[0, 1:4] = f[2, 1:3] = 1
    a = np.array([[0, 1, 0], [1, 0, 1], [1, 0, 1]], dtype=np.uint8)
    s = np.array([[0, 1, 1], [0, 1, 0], [1, 1, 0]], dtype=np.uint8)
    corner = np.zeros((4, 4), dtype=np.uint8)
    corner[0, 1] = 1
    wheel = sum(np.rot90(corner, k) for k in range(4))
    i = np.array([[0, 1, 0], [0, 1, 0], [0, 1, 0]], dtype=np.uint8)
    plus = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=np.uint8)
    return [f, a, s, wheel, i, plus]


_letter_cases = [(np.ascontiguousarray(image),) for image in _letters()]

# ---------------------------------------------------------------- 9.4: seeds that vote


def _winners(answers, last=False, lowest=False):
    """The class most seeds give each trial; of classes with as many votes, that of the first seed among theirs."""
    votes = (answers[:, None] == answers[None]).sum(axis=1)  # of each seed's class, (seeds, runs, trials)
    if lowest:
        votes = votes - answers / (answers.max() + 1)
    seed = len(votes) - 1 - votes[::-1].argmax(axis=0) if last else votes.argmax(axis=0)
    return np.take_along_axis(answers, seed[None], axis=0)[0]


def _vote_error(answers, truth, **how):
    return 100 * np.mean(_winners(answers, **how) != truth)


def _ballots(seeds, runs, trials, classes, right):
    truth = _rng.integers(classes, size=(runs, trials))
    guess = _rng.integers(classes, size=(seeds, runs, trials))
    return np.where(_rng.random(guess.shape) < right, truth, guess), truth


_vote_cases = [_ballots(5, 4, 10, 6, 0.4), _ballots(4, 5, 8, 3, 0.3)]

EXERCISES = {
    "9.1": Exercise(
        _head,
        cases=_head_cases,
        mistakes={
            "the loss is a mean over the support images: divide by their number.": lambda *case: _head(
                *case, mean=False
            ),
            "the share of all images is missing: every class has probability 1 / ways before the step.": lambda *case: (
                _head(*case, share=False)
            ),
            "the sign is wrong: a step goes down, against the gradient.": lambda *case: _head(*case, sign=1),
            "the bias takes the same step: its feature is always 1.": lambda *case: _head(*case, bias=False),
            "divide by the number of all support images, not by that of the class: these are sums, not means.": lambda *case: (
                _head(*case, over="class")
            ),
            "before the step all classes are equally likely, 1 / ways, however many images each has.": lambda *case: (
                _head(*case, chance=np.bincount(case[1], minlength=case[2]) / len(case[1]))
            ),
            "that is the step without its size; multiply by inner_lr.": lambda f, y, ways, lr: _head(f, y, ways, 1.0),
            "kernel and bias are there, but lying on their side: features + 1 rows, one column per class.": lambda *case: (
                _head(*case).T
            ),
        },
    ),
    "9.2": Exercise(
        _centred,
        cases=_images,
        mistakes={
            "that is the middle of the box around the ink; each pixel should count by its ink.": lambda image: _centred(
                image, where=lambda i: _middle(i, weights=False)
            ),
            "it moves the wrong way: from the centre of the ink to the middle of the image.": lambda image: _centred(
                image, sign=-1
            ),
            "ink that leaves on one side comes in again on the other (np.roll): what comes in should be 0.": lambda image: (
                _centred(image, wrap=True)
            ),
            "rows and columns are swapped.": lambda image: _centred(image, swap=True),
            "with pixels counted from 0, the middle of n pixels is (n - 1) / 2.": lambda image: _centred(
                image, to=lambda i: np.array(i.shape) / 2
            ),
            "every pixel with ink counts alike here; weigh each by its ink.": lambda image: _centred(
                image, where=_uncentred_dark
            ),
            "round to the nearest whole pixel, not towards 0.": lambda image: _centred(image, rounded=np.trunc),
            "round to the nearest whole pixel, not down.": lambda image: _centred(image, rounded=np.floor),
            "the image has not moved.": lambda image: image,
        },
    ),
    "9.3": Exercise(
        lambda image: _different(_turned(image)),
        cases=_letter_cases,
        mistakes={
            "that counts the turns of the character; the mirrored ones are missing.": lambda image: _different(
                _turned(image, mirrored=False)
            ),
            "that counts the character and its mirror image; the turns are missing.": lambda image: _different(
                _turned(image, turns=1)
            ),
            "eight for every character: but some of them look the same.": lambda image: 8,
            "count the different images, not the repetitions.": lambda image: 8 - _different(_turned(image)),
            "half turns are not all: there are four quarter turns.": lambda image: _different(_turned(image)[::2]),
            "a mirror image that is also a turn of the character counts once, not twice.": lambda image: (
                2 * _different(_turned(image, mirrored=False))
            ),
            "the character itself is one of them.": lambda image: _different(_turned(image)) - 1,
        },
    ),
    "9.4": Exercise(
        _vote_error,
        cases=_vote_cases,
        mistakes={
            "that is the mean error of the seeds; let them vote on each trial.": lambda answers, truth: (
                100 * np.mean(answers != truth)
            ),
            "of classes with equally many votes, take that of the earliest seed, not the lowest class.": lambda answers, truth: (
                _vote_error(answers, truth, lowest=True)
            ),
            "of classes with equally many votes, take that of the earliest seed, not of the last.": lambda answers, truth: (
                _vote_error(answers, truth, last=True)
            ),
            "that counts a trial as right if any seed is right: nobody knows which seed to believe.": lambda answers, truth: (
                100 * np.mean((answers != truth).all(axis=0))
            ),
            "that counts a trial as right only if every seed is.": lambda answers, truth: (
                100 * np.mean((answers != truth).any(axis=0))
            ),
            "that asks whether more than half the seeds are right; the class with most votes may have fewer.": lambda answers, truth: (
                100 * np.mean((answers == truth).mean(axis=0) <= 0.5)
            ),
            "in percent, please.": lambda answers, truth: _vote_error(answers, truth) / 100,
            "that is the share of right answers; the error is the rest.": lambda answers, truth: (
                100 - _vote_error(answers, truth)
            ),
            "classes are names: the median of class numbers means nothing.": lambda answers, truth: (
                100 * np.mean(np.median(answers, axis=0) != truth)
            ),
        },
    ),
}
