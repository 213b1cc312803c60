"""Exercises of chapter 03: Reptile's step and what its update contains."""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(3)
_theta, _adapted = _rng.normal(size=6), _rng.normal(size=(5, 6))
_g1, _g2 = _rng.normal(size=(2, 6))


EXERCISES = {
    "3.1": Exercise(
        lambda theta, adapted, epsilon: theta + epsilon * np.mean(adapted - theta, axis=0),
        cases=[
            (np.array([1.0, 2.0]), np.array([[3.0, 0.0], [1.0, 5.0], [0.0, 1.0]]), 0.25),
            (_theta, _adapted, 0.1),
            (_theta, _adapted[:1], 0.5),
        ],
        mistakes={
            "that moves away from the adapted parameters; the sign of the step is wrong.": lambda t, a, e: (
                t - e * np.mean(a - t, axis=0)
            ),
            "that is the sum over tasks; Reptile takes the mean.": lambda t, a, e: t + e * np.sum(a - t, axis=0),
            "that jumps all the way to the mean of the adapted parameters; epsilon is missing.": lambda t, a, e: (
                np.mean(a, axis=0)
            ),
            "that is the direction only; add it to theta.": lambda t, a, e: e * np.mean(a - t, axis=0),
            "np.mean without an axis turns the direction into one number, added to every coordinate.": lambda t, a, e: (
                t + e * np.mean(a - t)
            ),
            "that adds the mean of theta'_i, not of theta'_i - theta.": lambda t, a, e: t + e * np.mean(a, axis=0),
        },
    ),
    "3.2": Exercise(
        lambda g1, g2, inner_lr: inner_lr * (g1 + g2),
        cases=[(np.array([1.0, 2.0]), np.array([3.0, -1.0]), 0.1), (_g1, _g2, 0.02)],
        mistakes={
            "that is theta' - theta; the update is theta - theta'.": lambda g1, g2, lr: -lr * (g1 + g2),
            "alpha is missing: each step moves by alpha times its gradient.": lambda g1, g2, lr: g1 + g2,
            "that is the last step only; the update is the whole displacement.": lambda g1, g2, lr: lr * g2,
            "that is the first step only; the update is the whole displacement.": lambda g1, g2, lr: lr * g1,
            "the two steps add up; they are not averaged.": lambda g1, g2, lr: lr * (g1 + g2) / 2,
        },
    ),
    "3.3": Exercise(
        lambda k, inner_lr: -inner_lr * k * (k - 1) / 2,
        cases=[(2, 0.1), (5, 0.02), (1, 0.3), (3, 0.25)],
        mistakes={
            "the sign: descending this term makes the inner product of gradients larger.": lambda k, lr: (
                lr * k * (k - 1) / 2
            ),
            "alpha enters once: the update has alpha squared here, and it is divided by alpha.": lambda k, lr: (
                -(lr**2) * k * (k - 1) / 2
            ),
            "alpha is missing: this term is of first order in alpha.": lambda k, lr: -k * (k - 1) / 2,
            "each pair of different steps counts once: k (k - 1) / 2 pairs, not k (k - 1).": lambda k, lr: (
                -lr * k * (k - 1)
            ),
            "a step does not pair with itself: k (k - 1) / 2, not k (k + 1) / 2.": lambda k, lr: -lr * k * (k + 1) / 2,
            "count the pairs of steps, not the steps.": lambda k, lr: -lr * k,
            "k squared over 2 is only what it comes near to for large k; count the pairs.": lambda k, lr: (
                -lr * k**2 / 2
            ),
        },
    ),
}
