"""Exercises of chapter 15: prototypes as a linear layer, a floor of cosines, soft k-means, and what a memory's usage is."""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(15)

# ---------------------------------------------------------------- 15.1: prototypes as a linear layer


def _layer(features, labels, ways, factor=2.0, sign=-1.0, mean=True, squared=True):
    """(ways, D + 1), W and beside it b, with W f + b = -|f - c|^2 but for what is the same for all classes."""
    c = np.stack([features[labels == k].mean(axis=0) for k in range(ways)])
    if not mean:
        c = np.stack([features[labels == k].sum(axis=0) for k in range(ways)])
    return np.column_stack([factor * c, sign * ((c * c).sum(axis=1) if squared else np.linalg.norm(c, axis=1))])


_layer_cases = [
    (_rng.normal(size=(ways * shots, d)), np.repeat(np.arange(ways), shots), ways)
    for ways, shots, d in ((2, 2, 2), (3, 2, 4), (5, 3, 6))
]

# ---------------------------------------------------------------- 15.2: the most that cosines can say


def _largest(ways, shots, temperature, others=-1.0, own=None):
    """All of its own class at cosine 1, all others at -1."""
    high, low = np.exp(1 / temperature), np.exp(others / temperature)
    own = shots if own is None else own
    return own * high / (own * high + (ways - 1) * shots * low)


_largest_cases = [(5, 1, 1.0), (20, 1, 1.0), (5, 5, 0.1), (3, 2, 0.5)]

# ---------------------------------------------------------------- 15.3: one step of soft k-means


def _refined(prototypes, shots, unlabelled, squared=True, old=True, hard=False, over=1):
    """prototypes: means of `shots` points each; unlabelled: (points, D). Each counts as far as it seems to belong."""
    apart = ((unlabelled[:, None] - prototypes) ** 2).sum(axis=-1)
    scores = -(apart if squared else np.sqrt(apart))
    z = np.exp(scores - scores.max(axis=over, keepdims=True))
    z = z / z.sum(axis=over, keepdims=True)
    if hard:
        z = np.eye(len(prototypes))[scores.argmax(axis=1)]
    total = z.T @ unlabelled + old * shots * prototypes
    return total / (z.sum(axis=0) + old * shots)[:, None]


_refined_cases = [
    (_rng.normal(size=(2, 2)), 1, _rng.normal(size=(3, 2))),
    (_rng.normal(size=(3, 2)), 2, _rng.normal(size=(6, 2))),
    (_rng.normal(size=(5, 4)), 1, _rng.normal(size=(9, 4))),
]

# ---------------------------------------------------------------- 15.4: a memory's usage


def _usage(decay, heads, steps, start=1.0, gain=2, late=0):
    """The sum over all rows after so many steps: each keeps `decay` of it; a head adds 1 by reading, 1 by writing."""
    total = start
    for _ in range(steps - late):
        total = decay * total + gain * heads
    return total


_usage_cases = [(0.9, 1, 3), (0.95, 2, 25), (0.5, 4, 6)]

EXERCISES = {
    "15.1": Exercise(
        _layer,
        cases=_layer_cases,
        mistakes={
            "expand the square: the mixed term is 2 c . f.": lambda *case: _layer(*case, factor=1.0),
            "the sign of the bias: a prototype far from 0 is not nearer to everything.": lambda *case: _layer(
                *case, sign=1.0
            ),
            "a prototype is the mean of its class, not the sum.": lambda *case: _layer(*case, mean=False),
            "the bias is the squared length of the prototype.": lambda *case: _layer(*case, squared=False),
            "the sign of the kernel: near is a high score.": lambda *case: _layer(*case, factor=-2.0),
            "distances need the prototypes' lengths: the bias is not 0.": lambda *case: _layer(*case, sign=0.0),
        },
    ),
    "15.2": Exercise(
        _largest,
        cases=_largest_cases,
        mistakes={
            "the best case for the others is a cosine of -1, not of 0.": lambda *case: _largest(*case, others=0.0),
            "all shots of the class vote, and all shots of the others.": lambda ways, shots, temperature: _largest(
                ways, shots, temperature, own=1
            ),
            "the temperature divides the cosine.": lambda ways, shots, temperature: _largest(
                ways, shots, 1 / temperature
            ),
            "there are ways - 1 other classes.": lambda ways, shots, temperature: _largest(
                ways + 1, shots, temperature
            ),
            "that is what is left for all the others.": lambda *case: 1 - _largest(*case),
            "that is the loss, -ln p. Return p.": lambda *case: -np.log(_largest(*case)),
            "the temperature is left out.": lambda ways, shots, temperature: _largest(ways, shots, 1.0),
        },
    ),
    "15.3": Exercise(
        _refined,
        cases=_refined_cases,
        mistakes={
            "square the distance.": lambda *case: _refined(*case, squared=False),
            "the labelled points stay in the mean: shots times the prototype.": lambda *case: _refined(
                *case, old=False
            ),
            "soft: each point counts for every class, as far as it seems to be of it.": lambda *case: _refined(
                *case, hard=True
            ),
            "the softmax is over the classes, for each point.": lambda *case: _refined(*case, over=0),
            "the old prototype stands for all its shots, not for one point.": lambda prototypes, shots, unlabelled: (
                _refined(prototypes, 1, unlabelled)
            ),
            "that is the sum. Divide by how many points it stands for.": lambda prototypes, shots, unlabelled: (
                _refined(prototypes, shots, unlabelled) * len(unlabelled)
            ),
        },
    ),
    "15.4": Exercise(
        _usage,
        cases=_usage_cases,
        mistakes={
            "a head reads and writes: it adds 2 a step.": lambda *case: _usage(*case, gain=1),
            "at the start one row counts as used once.": lambda *case: _usage(*case, start=0.0),
            "every head adds to it.": lambda decay, heads, steps: _usage(decay, 1, steps),
            "that is one step too few.": lambda *case: _usage(*case, late=1),
            "that is where it comes to rest, after very many steps.": lambda decay, heads, steps: (
                2 * heads / (1 - decay)
            ),
            "what was used before decays in each step.": lambda decay, heads, steps: 1.0 + 2 * heads * steps,
        },
    ),
}
