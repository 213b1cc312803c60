"""Outer optimisers: parameters and gradient in, new parameters out. Used from chapter 02 on."""

import numpy as np

from gaml_utils.checks import check_positive, is_number
from gaml_utils.scratch.parameters import flatten, unflatten


class SGD:
    """theta <- theta - learning_rate * gradient. On Reptile's direction this is Reptile's own step."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = check_positive("learning_rate", learning_rate)

    def step(self, params: list[np.ndarray], gradient: list[np.ndarray]) -> list[np.ndarray]:
        """New parameters, shaped like the old; the old are unchanged."""
        return [p - self.learning_rate * g for p, g in zip(params, gradient, strict=True)]


class Adam:
    """Kingma and Ba 2015 (arXiv:1412.6980), Algorithm 1. It remembers its moments: one instance a training.

    learning_rate, epsilon: above 0. beta_1, beta_2: decay of the mean and of the mean square, in [0, 1).
    """

    def __init__(
        self, learning_rate: float = 1e-3, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        self.learning_rate = check_positive("learning_rate", learning_rate)
        self.epsilon = check_positive("epsilon", epsilon)
        for name, beta in (("beta_1", beta_1), ("beta_2", beta_2)):
            if not (is_number(beta) and 0 <= beta < 1):
                raise ValueError(f"{name} should be at least 0 and below 1, got {beta!r}")
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.steps = 0
        self.mean: np.ndarray | float = 0.0
        self.square: np.ndarray | float = 0.0

    def step(self, params: list[np.ndarray], gradient: list[np.ndarray]) -> list[np.ndarray]:
        """New parameters, shaped like the old; the old are unchanged."""
        g = flatten(gradient)
        self.steps += 1
        self.mean = self.beta_1 * self.mean + (1 - self.beta_1) * g
        self.square = self.beta_2 * self.square + (1 - self.beta_2) * g * g
        if not np.isfinite(self.square).all():
            raise FloatingPointError("the gradient is too large to be squared: try a smaller step size")
        mean = self.mean / (1 - self.beta_1**self.steps)
        square = self.square / (1 - self.beta_2**self.steps)
        return unflatten(flatten(params) - self.learning_rate * mean / (np.sqrt(square) + self.epsilon), params)


OPTIMIZERS = {"SGD": SGD, "Adam": Adam}
