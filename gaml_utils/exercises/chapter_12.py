"""Exercises of chapter 12: the gradient of the rates, a context after several steps, what a context does to the first
layer's bias, and agreement in a plane.
"""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(12)

# ---------------------------------------------------------------- 12.1: the rates of weighted tasks


def _rates(G_support, G_query, w, sign=-1.0, summed=True):
    products = sign * w[:, None] * G_support * G_query
    return products.sum(axis=0) if summed else products


_rate_cases = [(_rng.normal(size=(t, 4)), _rng.normal(size=(t, 4)), _rng.normal(size=t)) for t in (2, 3, 5)]

# ---------------------------------------------------------------- 12.2: a context after n steps


def _context(residual, alpha, steps):
    """(1 - 2 alpha) is what a step leaves of the distance to the residual."""
    return residual * (1 - (1 - 2 * alpha) ** steps)


_context_cases = [(1.5, 0.2, 1), (1.5, 0.2, 3), (-0.7, 0.5, 2), (2.0, 0.8, 3), (0.4, 1.1, 2)]

# ---------------------------------------------------------------- 12.3: the bias that a context makes


def _bias(W_phi, delta, alpha):
    """delta: (units,), the loss's derivative by the first layer's bias."""
    return -alpha * W_phi.T @ (W_phi @ delta)


_bias_cases = [(_rng.normal(size=(k, u)), _rng.normal(size=u), alpha) for k, u, alpha in ((2, 3, 1.0), (1, 4, 0.5))]

# ---------------------------------------------------------------- 12.4: agreement by angles


def _by_angle(length, angle, self_term=True, absolute=True):
    g = np.stack([length * np.cos(angle), length * np.sin(angle)], axis=1)
    s = g @ g.sum(axis=0) - (0 if self_term else np.sum(g * g, axis=1))
    return s / (np.abs(s).sum() if absolute else s.sum())


def _cosine_to_mean(length, angle):
    x, y = (length * np.cos(angle)).sum(), (length * np.sin(angle)).sum()
    c = np.cos(angle - np.arctan2(y, x))
    return c / np.abs(c).sum()


_angle_cases = [(_rng.uniform(0.5, 3.0, t), _rng.uniform(0, 2 * np.pi, t)) for t in (3, 4, 6)]

EXERCISES = {
    "12.1": Exercise(
        _rates,
        cases=_rate_cases,
        mistakes={
            "the sign: the gradient is minus the product, so that a descending step lets an agreeing rate grow.": (
                lambda *case: _rates(*case, sign=1.0)
            ),
            "that is one row per task; add them up with the weights.": lambda *case: _rates(*case, summed=False),
            "the weights are left out.": lambda G_support, G_query, w: _rates(G_support, G_query, np.ones(len(w))),
            "that is the plain mean over the tasks; the weights do the averaging.": lambda G_support, G_query, w: (
                _rates(G_support, G_query, np.full(len(w), 1 / len(w)))
            ),
            "do not divide by the number of tasks: the weights do the averaging.": lambda G_support, G_query, w: (
                _rates(G_support, G_query, w) / len(w)
            ),
            "the products are added up over the parameters; a rate belongs to one parameter.": (
                lambda G_support, G_query, w: -w * np.sum(G_support * G_query, axis=1)
            ),
            "that is the gradient of the weights, which the book's code gives the rates.": (
                lambda G_support, G_query, w: w @ G_query
            ),
            "first the weighted means, then the product: the product belongs to each task.": (
                lambda G_support, G_query, w: -(w @ G_support) * (w @ G_query)
            ),
        },
    ),
    "12.2": Exercise(
        _context,
        cases=_context_cases,
        mistakes={
            "that is the first step, as many times; each step sees what the one before it left.": (
                lambda residual, alpha, steps: 2 * alpha * residual * steps
            ),
            "the loss is a square: its derivative has a factor of 2.": lambda residual, alpha, steps: (
                residual * (1 - (1 - alpha) ** steps)
            ),
            "that is what is left of the residual, not the context.": lambda residual, alpha, steps: (
                residual * (1 - 2 * alpha) ** steps
            ),
            "that is where it ends after many steps; count these.": lambda residual, alpha, steps: residual,
            "that is one step, however many there are.": lambda residual, alpha, steps: 2 * alpha * residual,
            "one step too many.": lambda residual, alpha, steps: _context(residual, alpha, steps + 1),
            "the sign: the context goes towards the residual.": lambda *case: -_context(*case),
        },
    ),
    "12.3": Exercise(
        _bias,
        cases=_bias_cases,
        mistakes={
            "that is MAML's step of the bias itself; the context's goes through W_phi, twice.": (
                lambda W_phi, delta, alpha: -alpha * delta
            ),
            "that is the context, k numbers; ask what it does to the bias of the units.": (
                lambda W_phi, delta, alpha: -alpha * W_phi @ delta
            ),
            "the sign: the step descends.": lambda W_phi, delta, alpha: -_bias(W_phi, delta, alpha),
            "alpha is missing.": lambda W_phi, delta, alpha: _bias(W_phi, delta, 1.0),
            "alpha counts once: there is one step.": lambda W_phi, delta, alpha: _bias(W_phi, delta, alpha * alpha),
            "the bias moves along the rows of W_phi, each as far as its number of the context: not entry by entry.": (
                lambda W_phi, delta, alpha: -alpha * np.sum(W_phi**2, axis=0) * delta
            ),
        },
    ),
    "12.4": Exercise(
        _by_angle,
        cases=_angle_cases,
        mistakes={
            "the lengths count too, that of the task and those in the sum.": lambda length, angle: _by_angle(
                np.ones_like(length), angle
            ),
            "the length of the task itself counts too: the score is length times cosine.": _cosine_to_mean,
            "a task agrees with itself as well: the self term is part of the sum.": lambda length, angle: _by_angle(
                length, angle, self_term=False
            ),
            "divide by the sum of the absolute scores.": lambda length, angle: _by_angle(length, angle, absolute=False),
            "those are uniform weights.": lambda length, angle: np.full(len(length), 1 / len(length)),
            "a task behind the origin has a negative weight: keep the sign.": lambda length, angle: np.abs(
                _by_angle(length, angle)
            ),
        },
    ),
}
