"""Exercises of chapter 02: the meta-gradient on tasks small enough for paper, and a piece of backpropagation.

Tasks here have the loss (theta - c)**2: c_support on the support set, c_query on the query set.
"""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(2)
_scalar_cases = [(1.0, 3.0, 2.0, 0.1), (-0.5, 0.4, 1.2, 0.3)]
_batch_cases = [
    (1.0, np.array([3.0, -1.0]), np.array([2.0, 0.5]), 0.1),
    (0.7, _rng.normal(size=5), _rng.normal(size=5), 0.2),
    (-0.4, np.array([0.3]), np.array([1.1]), 0.3),
]
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


def _mixed_gradient(theta):
    """Of |theta|^4 / 4: every parameter changes every entry."""
    return theta * (theta @ theta)


def _product(gradient_of, theta, v):
    """The derivative along v, by a complex step: exact to rounding."""
    return np.imag(gradient_of(theta + 1e-20j * v)) / 1e-20


def _hessian(gradient_of, theta):
    return np.stack([_product(gradient_of, theta, e) for e in np.eye(len(theta))])


_product_cases = [
    (_cube_gradient, np.array([1.0, -2.0, 0.5]), np.array([0.3, 1.0, -2.0])),
    (_mixed_gradient, np.array([0.5, -1.0]), np.array([2.0, 1.0])),
    (_mixed_gradient, np.array([1.0, -2.0, 0.5, 0.1]), np.array([0.3, 1.0, -2.0, 0.7])),
]


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
    "the factor 1 - 2 alpha stands there once, not squared: theta' depends on theta through one inner step.": lambda *case: (
        _one(*case) * (1 - 2 * case[3])
    ),
    "the inner step moves by alpha times the gradient, not alpha squared.": lambda theta, cs, cq, lr: (
        2 * (theta - lr**2 * 2 * (theta - cs) - cq) * (1 - 2 * lr)
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
        cases=[
            (np.array([[1.0, -2.0]]), np.array([[0.5, 1.0], [2.0, 0.0], [-1.0, 3.0]]), np.array([[0.3, 0.0, 2.0]])),
            (_delta, _W, _h),
            (_delta[:, :1], _W[:, :1], _h),
        ],
        mistakes={
            "the slope of the ReLU is missing: where h is 0, nothing comes back.": lambda d, W, h: d @ W.T,
            "the slope of the ReLU is 1 or 0, not h itself.": lambda d, W, h: (d @ W.T) * h,
            "the mask is the wrong way round: errors pass where h is above 0.": lambda d, W, h: (d @ W.T) * (h <= 0),
            "that is the slope of tanh, 1 - h**2; this layer is a ReLU.": lambda d, W, h: (d @ W.T) * (1 - h**2),
            "mask what comes back, not the error that goes in; the shapes only happen to allow it.": lambda d, W, h: (
                (d * (h[:, : d.shape[1]] > 0)) @ W.T
            ),
        },
    ),
    "2.4": Exercise(
        _product,
        tolerance=1e-4,
        cases=_product_cases,
        mistakes={
            "divide by 2 h: the two points are 2 h apart.": lambda gradient, theta, v: 2 * _product(gradient, theta, v),
            "the sign is turned round: forward minus backward.": lambda *case: -_product(*case),
            "that is the gradient's change along v added up; the product is a vector, one entry per parameter.": lambda *case: (
                np.sum(_product(*case))
            ),
            "that is the diagonal of the Hessian; it still has to be multiplied by v.": lambda gradient, theta, v: (
                np.diag(_hessian(gradient, theta))
            ),
            "only the diagonal of the Hessian is in there: move all of theta along v, not entry by entry.": lambda gradient, theta, v: (
                np.diag(_hessian(gradient, theta)) * v
            ),
            "that is H times a vector of ones: where does v come in?": lambda gradient, theta, v: _product(
                gradient, theta, np.ones(len(theta))
            ),
            "that is the gradient times v; difference the gradient instead.": lambda gradient, theta, v: (
                gradient(theta) * v
            ),
        },
    ),
}
