"""Answers to the exercises of chapter 15: right ones, and classic mistakes with what they are told."""

import numpy as np

# ---------------------------------------------------------------- 15.1


def means(features, labels, ways):
    return np.array([np.mean(features[labels == k], axis=0) for k in range(ways)])


def by_expanding(features, labels, ways):
    c = means(features, labels, ways)
    return 2 * c, -np.sum(c**2, axis=1)


def by_membership(features, labels, ways):
    mine = np.eye(ways)[labels]
    c = mine.T @ features / mine.sum(axis=0)[:, None]
    return [2 * c, -np.einsum("kd,kd->k", c, c)]


def joined(function):
    """A kernel and a bias side by side."""
    return lambda *case: np.column_stack(function(*case))


# ---------------------------------------------------------------- 15.2


def by_softmax(ways, shots, temperature):
    scores = np.array([1.0] * shots + [-1.0] * (ways - 1) * shots) / temperature
    p = np.exp(scores) / np.exp(scores).sum()
    return p[:shots].sum()


def in_closed_form(ways, shots, temperature):
    return 1 / (1 + (ways - 1) * np.exp(-2 / temperature))


# ---------------------------------------------------------------- 15.3


def point_by_point(prototypes, shots, unlabelled):
    total, count = shots * prototypes, np.full(len(prototypes), float(shots))
    for x in unlabelled:
        z = np.exp(-np.sum((x - prototypes) ** 2, axis=1))
        z /= z.sum()
        total, count = total + z[:, None] * x, count + z
    return total / count[:, None]


def memberships(prototypes, unlabelled, power=2):
    z = np.exp(-(np.linalg.norm(unlabelled[:, None] - prototypes, axis=2) ** power))
    return z / z.sum(axis=1, keepdims=True)


def all_at_once(prototypes, shots, unlabelled):
    z = memberships(prototypes, unlabelled)
    return (shots * prototypes + z.T @ unlabelled) / (shots + z.sum(axis=0))[:, None]


# ---------------------------------------------------------------- 15.4


def step_by_step(decay, heads, steps):
    total = 1.0
    for _ in range(steps):
        total = decay * total + 2 * heads
    return total


def from_its_rest(decay, heads, steps):
    rest = 2 * heads / (1 - decay)
    return rest - (rest - 1) * decay**steps


# ---------------------------------------------------------------- right, wrong with a hint, wrong

RIGHT = {
    "15.1": [joined(by_expanding), joined(by_membership)],
    "15.2": [by_softmax, in_closed_form],
    "15.3": [point_by_point, all_at_once],
    "15.4": [step_by_step, from_its_rest],
}

WRONG = {
    "15.1": [
        ("expand the square", joined(lambda f, y, n: (means(f, y, n), by_expanding(f, y, n)[1]))),
        ("sign of the bias", joined(lambda f, y, n: (2 * means(f, y, n), -by_expanding(f, y, n)[1]))),
        ("not the sum", joined(lambda f, y, n: by_expanding(f * (len(y) // n), y, n))),
        ("squared length", joined(lambda f, y, n: (2 * means(f, y, n), -np.linalg.norm(means(f, y, n), axis=1)))),
        ("sign of the kernel", joined(lambda f, y, n: (-2 * means(f, y, n), by_expanding(f, y, n)[1]))),
        ("the bias is not 0", joined(lambda f, y, n: (2 * means(f, y, n), np.zeros(n)))),
    ],
    "15.2": [
        ("not of 0", lambda n, k, t: k * np.exp(1 / t) / (k * np.exp(1 / t) + (n - 1) * k)),
        ("all shots of the class", lambda n, k, t: np.exp(1 / t) / (np.exp(1 / t) + (n - 1) * k * np.exp(-1 / t))),
        ("temperature divides", lambda n, k, t: in_closed_form(n, k, 1 / t)),
        ("ways - 1", lambda n, k, t: np.exp(1 / t) / (np.exp(1 / t) + n * np.exp(-1 / t))),
        ("left for all the others", lambda n, k, t: 1 - by_softmax(n, k, t)),
        ("that is the loss", lambda n, k, t: np.log(1 / by_softmax(n, k, t))),
        ("left out", lambda n, k, t: in_closed_form(n, k, 1.0)),
    ],
    "15.3": [
        (
            "square the distance",
            lambda c, k, u: (k * c + memberships(c, u, 1).T @ u) / (k + memberships(c, u, 1).sum(axis=0))[:, None],
        ),
        ("stay in the mean", lambda c, k, u: memberships(c, u).T @ u / memberships(c, u).sum(axis=0)[:, None]),
        ("soft", lambda c, k, u: hard(c, k, u)),
        ("over the classes", lambda c, k, u: over_points(c, k, u)),
        ("not for one point", lambda c, k, u: all_at_once(c, 1, u)),
        ("Divide by", lambda c, k, u: len(u) * all_at_once(c, k, u)),
    ],
    "15.4": [
        ("adds 2 a step", lambda d, h, n: d**n + h * (1 - d**n) / (1 - d)),
        ("used once", lambda d, h, n: 2 * h * (1 - d**n) / (1 - d)),
        ("every head", lambda d, h, n: step_by_step(d, 1, n)),
        ("too few", lambda d, h, n: step_by_step(d, h, n - 1)),
        ("comes to rest", lambda d, h, n: 2 * h / (1 - d)),
        ("decays", lambda d, h, n: 1 + 2 * h * n),
    ],
}

ALSO_WRONG = {
    "15.1": [lambda f, y, n: f.T @ f, joined(lambda f, y, n: by_expanding(-f, y, n))],
    "15.2": [lambda n, k, t: 1 / n, lambda n, k, t: 1.0],
    "15.3": [lambda c, k, u: c, lambda c, k, u: np.tile(u.mean(axis=0), (len(c), 1))],
    "15.4": [lambda d, h, n: d**n, lambda d, h, n: h * n],
}


def hard(c, k, u):
    z = np.eye(len(c))[np.argmin(np.linalg.norm(u[:, None] - c, axis=2), axis=1)]
    return (k * c + z.T @ u) / (k + z.sum(axis=0))[:, None]


def over_points(c, k, u):
    z = np.exp(-np.sum((u[:, None] - c) ** 2, axis=2))
    z = z / z.sum(axis=0)
    return (k * c + z.T @ u) / (k + z.sum(axis=0))[:, None]
