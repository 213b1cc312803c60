"""Exercises of chapter 02: the meta-gradient on tasks small enough for paper, and a piece of backpropagation.

Tasks here have the loss (theta - c)**2: c_support on the support set, c_query on the query set.
"""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(2)
_scalar_cases = [(1.0, 3.0, 2.0, 0.1), (-0.5, 0.4, 1.2, 0.3)]
_batch_cases = [(0.7, _rng.normal(size=5), _rng.normal(size=5), 0.2)]
_delta, _W, _h = _rng.normal(size=(6, 3)), _rng.normal(size=(4, 3)), np.maximum(_rng.normal(size=(6, 4)), 0)


def _one(theta, c_support, c_query, inner_lr):
    adapted = theta - inner_lr * 2 * (theta - c_support)
    return 2 * (adapted - c_query) * (1 - 2 * inner_lr)


def _first_order(theta, c_support, c_query, inner_lr):
    return _one(theta, c_support, c_query, inner_lr) / (1 - 2 * inner_lr)


def _wrong_sign(theta, c_support, c_query, inner_lr):
    return _first_order(theta, c_support, c_query, inner_lr) * (1 + 2 * inner_lr)


def _not_adapted(theta, c_support, c_query, inner_lr):
    return 2 * (theta - c_query) + 0 * inner_lr * c_support


def _support_outside(theta, c_support, c_query, inner_lr):
    return _one(theta, c_support, c_support, inner_lr) + 0 * c_query


def _mean_of(rule):
    return lambda *case: np.mean(rule(*case))


def _cube_gradient(theta):
    return theta**3


_mistakes = {
    "that is the first-order gradient: the factor d theta' / d theta = 1 - 2 alpha is missing.": _first_order,
    "the Hessian term has the wrong sign: d theta' / d theta is 1 - 2 alpha, not 1 + 2 alpha.": _wrong_sign,
    "that is the query gradient at theta; take it at theta', after the inner step.": _not_adapted,
    "that uses the support loss in the outer step; the outer loss is the query set's.": _support_outside,
    "the inner step goes uphill: theta' = theta - alpha * gradient.": lambda theta, cs, cq, lr: (
        2 * (theta + lr * 2 * (theta - cs) - cq) * (1 + 2 * lr)
    ),
    "the inner step goes uphill: subtract alpha times the gradient.": lambda theta, cs, cq, lr: (
        2 * (theta + lr * 2 * (theta - cs) - cq) * (1 - 2 * lr)
    ),
    "the second derivative of (theta - c)**2 is 2, so the factor is 1 - 2 alpha, not 1 - alpha.": lambda *case: (
        _first_order(*case) * (1 - case[3])
    ),
    "the derivative of (theta - c)**2 is 2 (theta - c); the 2 is missing in the outer gradient.": lambda *case: (
        _one(*case) / 2
    ),
    "the derivative of (theta - c)**2 is 2 (theta - c); the 2 is missing in the inner step.": lambda theta, cs, cq, lr: (
        2 * (theta - lr * (theta - cs) - cq) * (1 - lr)
    ),
}

EXERCISES = {
    "2.1": Exercise(_one, cases=_scalar_cases, mistakes=_mistakes),
    "2.2": Exercise(
        _mean_of(_one),
        cases=_batch_cases,
        mistakes={
            "that is the sum over tasks; MAML with uniform weights takes the mean.": lambda *case: np.sum(_one(*case)),
            "that is one gradient per task; average them.": _one,
        }
        | {hint: _mean_of(wrong) for hint, wrong in _mistakes.items()},
    ),
    "2.3": Exercise(
        lambda delta, W, h: (delta @ W.T) * (h > 0),
        cases=[(_delta, _W, _h)],
        mistakes={
            "the slope of the ReLU is missing: where h is 0, nothing comes back.": lambda d, W, h: d @ W.T,
            "the slope of the ReLU is 1 or 0, not h itself.": lambda d, W, h: (d @ W.T) * h,
            "the mask is the wrong way round: errors pass where h is above 0.": lambda d, W, h: (d @ W.T) * (h <= 0),
            "that is the slope of tanh, 1 - h**2; this layer is a ReLU.": lambda d, W, h: (d @ W.T) * (1 - h**2),
            "mask what comes back, not the error that goes in; the shapes only happen to allow it.": lambda d, W, h: (
                (d * (h[:, :3] > 0)) @ W.T
            ),
        },
    ),
    "2.4": Exercise(
        lambda gradient, theta, v: 3 * theta**2 * v,
        tolerance=1e-4,
        cases=[(_cube_gradient, np.array([1.0, -2.0, 0.5]), np.array([0.3, 1.0, -2.0]))],
        mistakes={
            "divide by 2 h: the two points are 2 h apart.": lambda gradient, theta, v: 6 * theta**2 * v,
            "the sign is turned round: forward minus backward.": lambda gradient, theta, v: -3 * theta**2 * v,
            "that is the gradient's change along v added up; the product is a vector, one entry per parameter.": lambda gradient, theta, v: (
                np.sum(3 * theta**2 * v)
            ),
            "that is the diagonal of the Hessian; it still has to be multiplied by v.": lambda gradient, theta, v: (
                3 * theta**2
            ),
            "that is the gradient times v; difference the gradient instead.": lambda gradient, theta, v: (
                gradient(theta) * v
            ),
        },
    ),
}
