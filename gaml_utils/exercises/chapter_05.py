"""Exercises of chapter 05: Algorithm 1 whole, on tasks small enough for paper, and the interval of a comparison.

Tasks have the loss |theta - c_i|**2: row i of c_support on the support set, of c_query on the query set.
"""

import numpy as np

from gaml_utils.exercises.chapter_04 import books_normaliser, weights
from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(5)
_theta = _rng.normal(size=3)
_c_support = 2 * _rng.normal(size=(5, 3)) + 1
_c_support[3:] = _theta - 0.5 * (_c_support[3:] - _theta)  # two tasks pull the other way: negative weights
_c_query = _c_support + 0.3 * _rng.normal(size=(5, 3))
_maml_case = (_theta, _c_support, _c_query, 0.1)
_reptile_case = (_theta, _theta - 0.2 * (_theta - _c_support), 0.5)
_small_case = (
    np.array([0.0, 1.0]),
    np.array([[1.0, 1.5], [2.0, 0.0], [-1.0, 1.0]]),
    np.array([[1.0, 1.0], [2.0, 1.0], [0.0, 0.0]]),
    0.1,
)
_small_step = (np.array([0.0, 1.0]), np.array([[1.0, 1.5], [2.0, 0.0], [-1.0, 1.0]]), 0.5)
_pairs = (_rng.normal(size=10) + 0.5, _rng.normal(size=10))
_other_pairs = (np.arange(10) / 10, np.arange(10)[::-1] / 20)
_T975 = 2.2621571628540993  # Student t, 9 degrees of freedom, 97.5%


def _outer(theta, c_support, c_query, inner_lr):
    adapted = theta - inner_lr * 2 * (theta - c_support)
    return (1 - 2 * inner_lr) * 2 * (adapted - c_query)


def _updates(theta, c_support, inner_lr):
    return inner_lr * 2 * (theta - c_support)


def _maml(theta, c_support, c_query, inner_lr, rule=weights):
    return rule(_updates(theta, c_support, inner_lr)) @ _outer(theta, c_support, c_query, inner_lr)


def _uniform(g):
    return np.ones(len(g)) / len(g)


def _interval(a, b, t=_T975, n=10, ddof=1):
    d = a - b
    half = t * d.std(ddof=ddof) / np.sqrt(n)
    return d.mean(), d.mean() - half, d.mean() + half


def _unpaired(a, b, t=_T975):
    half = t * np.sqrt(a.var(ddof=1) / 10 + b.var(ddof=1) / 10)
    return np.mean(a - b), np.mean(a - b) - half, np.mean(a - b) + half


def _flip(a, b):
    return _interval(b, a)


EXERCISES = {
    "5.1": Exercise(
        _maml,
        cases=[_small_case, _maml_case],
        mistakes={
            "those are uniform weights; compute them from the updates.": lambda *case: _maml(*case, rule=_uniform),
            "np.sum turned the gradient into one number; it is a vector, one entry per parameter.": lambda *case: (
                np.sum(_maml(*case))
            ),
            "np.sum over everything, repeated for every parameter: each coordinate has its own sum.": lambda *case: (
                np.full(len(case[0]), np.sum(_maml(*case)))
            ),
            "that is the book's normaliser, the absolute value inside both sums.": lambda *case: _maml(
                *case, rule=books_normaliser
            ),
            "the weights already add up to 1 in absolute value; do not divide by T as well.": lambda *case: (
                _maml(*case) / len(case[1])
            ),
            "the signs of the weights are lost: a task against the others has a negative weight.": lambda *case: _maml(
                *case, rule=lambda g: np.abs(weights(g))
            ),
            "the absolute value is forgotten in the normaliser: scores of both signs cancel.": lambda *case: _maml(
                *case, rule=lambda g: weights(g) / weights(g).sum()
            ),
            "that uses the support loss in the outer step; the outer loss is the query set's.": lambda theta, cs, cq, lr: (
                _maml(theta, cs, cs, lr)
            ),
            "those weights come from the outer gradients; the paper compares the updates theta - theta'_i.": lambda *case: (
                weights(_outer(*case)) @ _outer(*case)
            ),
            "that is the first-order gradient: the factor 1 - 2 alpha is missing.": lambda *case: (
                _maml(*case) / (1 - 2 * case[3])
            ),
            "the Hessian term has the wrong sign: 1 - 2 alpha, not 1 + 2 alpha.": lambda *case: (
                _maml(*case) / (1 - 2 * case[3]) * (1 + 2 * case[3])
            ),
            "that is the sum over tasks without weights.": lambda *case: _outer(*case).sum(axis=0),
        },
    ),
    "5.2": Exercise(
        lambda theta, adapted, epsilon: theta + epsilon * weights(theta - adapted) @ (adapted - theta),
        cases=[_small_step, _reptile_case],
        mistakes={
            "the signs of the weights are lost: a task against the others has a negative weight.": lambda t, a, e: (
                t + e * np.abs(weights(t - a)) @ (a - t)
            ),
            "the absolute value is forgotten in the normaliser: scores of both signs cancel.": lambda t, a, e: (
                t + e * weights(t - a) / weights(t - a).sum() @ (a - t)
            ),
            "that moves away from the adapted parameters; the sign of the step is wrong.": lambda t, a, e: (
                t - e * weights(t - a) @ (a - t)
            ),
            "that is plain Reptile, with uniform weights.": lambda t, a, e: t + e * np.mean(a - t, axis=0),
            "that weights the adapted parameters, not the displacements theta'_i - theta.": lambda t, a, e: (
                t + e * weights(t - a) @ a
            ),
            "np.sum turned the direction into one number, added to every coordinate.": lambda t, a, e: (
                t + e * np.sum(weights(t - a) @ (a - t))
            ),
            "that divides by T once more.": lambda t, a, e: t + e * weights(t - a) @ (a - t) / len(a),
            "epsilon is missing.": lambda t, a, e: t + weights(t - a) @ (a - t),
            "that is the book's normaliser, the absolute value inside both sums.": lambda t, a, e: (
                t + e * books_normaliser(t - a) @ (a - t)
            ),
        },
    ),
    "5.3": Exercise(
        _interval,
        cases=[_other_pairs, _pairs],
        mistakes={
            "that is the unpaired interval: take the differences first, their spread is what counts.": _unpaired,
            "that is the unpaired interval of two samples; take the differences of the pairs first.": lambda a, b: (
                _unpaired(a, b, t=2.10092204024096)
            ),  # 18 degrees of freedom
            "right numbers in another order: the mean first, then the lower and the upper end.": lambda a, b: [
                _interval(a, b)[k] for k in (1, 0, 2)
            ],
            "1.96 belongs to the normal distribution; with 10 pairs Student's t gives 2.262.": lambda a, b: _interval(
                a, b, t=1.96
            ),
            "use ddof=1: the standard deviation of a sample divides by n - 1.": lambda a, b: _interval(a, b, ddof=0),
            "divide by the square root of n: that is the spread of the mean, not of one pair.": lambda a, b: _interval(
                a, b, n=1
            ),
            "that is b - a; the comparison is a - b.": _flip,
            "10 pairs leave 9 degrees of freedom, not 10.": lambda a, b: _interval(a, b, t=2.2281388519649385),
            "a 95% interval leaves 2.5% on each side, so ask for the 0.975 quantile.": lambda a, b: _interval(
                a, b, t=1.8331129326536335
            ),
        },
        tolerance=1e-4,
    ),
}
